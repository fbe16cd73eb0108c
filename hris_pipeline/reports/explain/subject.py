"""Who is asked about: the person or the user, all their records, and which user is taken for
theirs.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from hris_pipeline import identity
from hris_pipeline.errors import PipelineError
from hris_pipeline.plan import PlanParameters
from hris_pipeline.plan.planning import compute
from hris_pipeline.reports.queries import Row, first, rows, sql

_FOUND = sql("explain/found")


@dataclass(frozen=True)
class Subject:
    """Who is asked about: record ids and user ids only."""

    person_id: str | None
    refs: tuple[str, ...]
    ids: tuple[str, ...]

    @property
    def parameters(self) -> dict[str, list[str]]:
        """What the queries about the subject take."""
        return {"refs": list(self.refs), "ids": list(self.ids)}


def work_out(con: duckdb.DuckDBPyConnection, rules: PlanParameters, now: dt.datetime) -> bool:
    """Let the planner say what is wanted now, in temporary tables; False where people or deskbird
    were never read.
    """
    built = con.execute(
        """select (select list_sort(list(resource)) from state.observations) = ['groups', 'users']
               and list_has_all(
                   (
                       select list(distinct connection)
                       from state.extracts
                       where resource = 'employees'
                   ),
                   ?
               )
               and (exists (from core.people) or exists (from core.quarantine))""",
        [list(rules.connections)],
    ).fetchone()
    if built and built[0]:
        compute(con, rules, now)
        return True
    identity.observe(con, rules.connections)
    return False


def stage_records(con: duckdb.DuckDBPyConnection, connections: Sequence[str]) -> None:
    """Make the view ``records_read``: every record that was read last, with its address."""
    there = {
        name
        for (name,) in con.execute(
            "select table_schema from information_schema.tables where table_name = 'employees'"
        ).fetchall()
    }
    union = [
        f"""select '{c}:' || id as hris_ref, email from "hris_{c}".employees"""
        for c in connections
        if f"hris_{c}" in there
    ] or ["select null::varchar as hris_ref, null::varchar as email where false"]
    con.execute(f"create or replace temp view records_read as {' union all '.join(union)}")


def find(con: duckdb.DuckDBPyConnection, company: str, asked: str, *, live: bool) -> Subject:
    """The one person, or the one user that is nobody's."""
    found = con.execute(_FOUND, {"asked": asked}).fetchall()
    refs = {ref for ref, _ in found if ref}
    strays: list[str] = []
    for id_ in sorted({id_ for _, id_ in found if id_}):
        owners = _owners(con, id_, live=live)
        refs |= owners
        strays += [] if owners else [id_]
    people = {_person_id(con, ref) for ref in refs}
    if len(people) > 1 or (not people and len(strays) > 1):
        names = sorted(refs if people else strays)
        listed = ", ".join([*names[:20], *(["..."] if len(names) > 20 else [])])
        raise PipelineError(
            f"More than one person of company '{company}' is known by that: {listed}. "
            f"Ask about one of them: hris-pipeline explain {company} {names[0]}"
        )
    if not people and not strays:
        raise PipelineError(
            f"Nobody of company '{company}' is known by that e-mail address, hris_ref or deskbird "
            f"id, as of the last reads. `hris-pipeline sync {company} --dry-run` reads both sides "
            "anew."
        )
    if not people:
        return Subject(None, (), tuple(strays))
    (person_id,) = people
    primary = con.execute(
        "select hris_ref, other_refs from core.people where person_id = ?", [person_id]
    ).fetchone()
    known = con.execute(
        "select hris_ref from state.persons where person_id = ? order by since", [person_id]
    ).fetchall()
    all_refs = (
        *((primary[0], *primary[1]) if primary else ()),
        *(ref for (ref,) in known),
        *sorted(refs),
    )
    every = tuple(dict.fromkeys(all_refs))
    ids = con.execute(
        """select deskbird_id from owned_users where list_contains($refs, owner)
           union
           select deskbird_id
           from state.links
           where list_contains($refs, hris_ref)
           order by 1""",
        {"refs": list(every)},
    ).fetchall()
    return Subject(person_id, every, tuple(id_ for (id_,) in ids))


def _owners(con: duckdb.DuckDBPyConnection, deskbird_id: str, *, live: bool) -> set[str]:
    """The records that a user belongs to: by the matching, else by the marker or the link."""
    marked = "(select deskbird_id, owner as hris_ref from owned_users)"
    places = [marked, "state.links", "state.missing"]
    for place in ["user_matches", *places] if live else places:
        rows = con.execute(
            f"select hris_ref from {place} where deskbird_id = ? and hris_ref is not null",
            [deskbird_id],
        ).fetchall()
        if rows:
            return {ref for (ref,) in rows}
    return set()


def _person_id(con: duckdb.DuckDBPyConnection, ref: str) -> str:
    """Whose record it is; the record's own ref where nobody is known to have it."""
    for query in (
        (
            "select person_id from core.people where hris_ref = $1 or person_id = $1 or "
            "list_contains(other_refs, $1)"
        ),
        "select person_id from state.persons where hris_ref = $1 order by since desc limit 1",
        (
            "select person_id from state.people_history where attributes->>'hris_ref' = $1 order "
            "by seen_at desc limit 1"
        ),
    ):
        row = con.execute(query, [ref]).fetchone()
        if row:
            return str(row[0])
    return ref


def matched_user(con: duckdb.DuckDBPyConnection, subject: Subject, *, live: bool) -> Row | None:
    """The person's user and how it is known: by the matching, or of people whom it does not see, by
    the marker or the link.
    """
    refs = list(subject.refs)
    seen = con.execute(
        "select 1 from core.people where person_id = ?", [subject.person_id]
    ).fetchone()
    if live and seen:
        found = rows(con, "from user_matches where list_contains(?, hris_ref)", [refs])
    else:
        found = rows(
            con,
            """select owner as hris_ref, deskbird_id, if(marker is null, 'link', 'marker') as rule
               from owned_users where list_contains(?, owner)""",
            [refs],
        )
    if len(found) != 1:
        return None
    kept = first(
        con,
        """select rule as linked_by, linked_at
           from state.links
           where list_contains(?, hris_ref) and deskbird_id = ?
           order by linked_at desc limit 1""",
        [refs, found[0]["deskbird_id"]],
    )
    evidence = first(
        con,
        """select facts_that('agrees', p, u) as agrees, facts_that('differs', p, u) as differs
           from core.people p, deskbird.users u where p.person_id = ? and u.deskbird_id = ?""",
        [subject.person_id, found[0]["deskbird_id"]],
    )
    if live and seen and found[0]["rule"] == "successor":
        query = (
            "select evidence->>'predecessor' as predecessor from match_evidence where "
            "deskbird_id = ?"
        )
        evidence = {**(first(con, query, [found[0]["deskbird_id"]]) or {}), **(evidence or {})}
    return {
        **found[0],
        "evidence": evidence,
        **(kept or {"linked_by": None, "linked_at": None}),
    }
