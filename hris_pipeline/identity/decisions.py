"""What people decide about who is who: kept in ``state.decisions``, the latest on a record and a
user counts.

A ``link`` says that the record is that user, a ``separate`` that it is not, whatever else says so.
A person has one user and a user one person, so a link takes the place of an earlier one of either;
that one is kept as ``replaced``.

Many can be decided at once: all or none of them is written down.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import duckdb

from hris_pipeline.errors import PipelineError
from hris_pipeline.warehouse import run, stage

Word = Literal["link", "separate"]
_LINKABLE = (Path(__file__).parent / "linkable_by_email.sql").read_text(encoding="utf-8")
_IN_FORCE = """select hris_ref, deskbird_id, decision from state.decisions
    qualify row_number() over (
        partition by hris_ref, deskbird_id order by decided_at desc, rowid desc
    ) = 1"""
_COLUMNS = ("hris_ref", "deskbird_id", "decision", "because", "decided_by", "decided_at")
RefusalCode = Literal["no_record", "no_user", "contradicts"]
_WHY: Mapping[RefusalCode, str] = {
    "no_record": (
        "The last read of the HR system shows no record with this hris_ref, which is written "
        "<connection>:<id>."
    ),
    "no_user": "The last read of deskbird shows no user with this id.",
}


@dataclass(frozen=True)
class Decision:
    """One decision to write down: a record is a user, or is not. ``line`` is where it stands in a
    file.
    """

    hris_ref: str
    deskbird_id: str
    word: Word
    line: int | None = None


@dataclass(frozen=True)
class Decided:
    """What a decision came to."""

    new: bool  # False: it was so decided already
    replaced: Sequence[tuple[str, str]]  # earlier links that it takes the place of: record and user
    owner: str | None  # the other record that the user's marker or link names
    foreign: bool  # the user carries another system's externalId
    held_back: bool  # the record is in quarantine


@dataclass(frozen=True)
class Refused:
    """A decision that cannot be: which, and why, in one sentence and as a code."""

    decision: Decision
    why: str
    code: RefusalCode


def decide(
    con: duckdb.DuckDBPyConnection,
    hris_ref: str,
    deskbird_id: str,
    decision: Word,
    *,
    connections: Sequence[str],
    because: str | None,
    by: str,
    now: dt.datetime,
) -> Decided:
    """Write a decision down, in the caller's transaction; the same one twice is a no-op.

    :class:`~hris_pipeline.errors.PipelineError` where the last reads know no such record or no such
    user.
    """
    one = Decision(hris_ref, deskbird_id, decision)
    done, refused = decide_all(con, [one], connections=connections, because=because, by=by, now=now)
    if refused:
        then: Mapping[RefusalCode, str] = {
            "no_record": "`hris-pipeline review` lists the records that wait.",
            "no_user": (
                "`hris-pipeline review` lists the users that come into question; a user made since "
                "is known after the next sync."
            ),
        }
        raise PipelineError(
            f"{refused[0].why} Nothing was decided. {then.get(refused[0].code, '')}".rstrip()
        )
    return done[0]


def decide_all(
    con: duckdb.DuckDBPyConnection,
    decisions: Sequence[Decision],
    *,
    connections: Sequence[str],
    because: str | None,
    by: str,
    now: dt.datetime,
    only_tried: bool = False,
) -> tuple[list[Decided], list[Refused]]:
    """Write decisions down, in the caller's transaction; where one of them is refused, or all are
    only tried, none is.
    """
    known = _Known.of(con, decisions, connections)
    refused = [Refused(one, _WHY[code], code) for one in decisions if (code := known.refusal(one))]
    refused += known.contradictions(decisions)
    if refused:
        return [], sorted(refused, key=lambda each: each.decision.line or 0)
    done: list[Decided] = []
    rows: list[tuple[object, ...]] = []
    for one in decisions:
        decided = known.take(one)
        done.append(decided)
        why = f"replaced by the link of {one.hris_ref} to {one.deskbird_id}"
        rows += [(ref, id_, "replaced", why, by, now) for ref, id_ in decided.replaced]
        if decided.new:
            rows.append((one.hris_ref, one.deskbird_id, one.word, because, by, now))
    if not only_tried:
        stage(con, "state.decisions", _COLUMNS, rows)
    return done, []


def linkable_by_email(con: duckdb.DuckDBPyConnection) -> tuple[list[Decision], int]:
    """The links that one decision for all makes, and how many people of the same rule it cannot
    decide.

    The people in review because of another system's externalId whose e-mail address exactly one
    user has, and that user for nobody else.
    """
    run(con, _LINKABLE)
    found = con.execute(
        "select hris_ref, deskbird_id from linkable_by_email order by hris_ref"
    ).fetchall()
    waiting = con.execute(
        "select count(distinct hris_ref) from state.review where rule = 'foreign_external_id' "
        "and hris_ref not in (select hris_ref from linkable_by_email)"
    ).fetchone()
    return [Decision(ref, id_, "link") for ref, id_ in found], waiting[0] if waiting else 0


@dataclass
class _Known:
    """What the last reads and the earlier decisions say of the records and the users in
    question.
    """

    read: set[str]  # records of the last read
    people: dict[str, set[str]]  # all records of the person, by each of them
    # whose marker or link it has, and whether another system marked it
    users: dict[str, tuple[str | None, bool]]
    quarantined: set[str]
    in_force: dict[tuple[str, str], str] = field(default_factory=dict)
    links_of_record: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    links_of_user: dict[str, set[tuple[str, str]]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        con: duckdb.DuckDBPyConnection,
        decisions: Sequence[Decision],
        connections: Sequence[str],
    ) -> "_Known":
        """The same, with one question a table."""
        con.execute("create or replace temp table asked (hris_ref varchar, deskbird_id varchar)")
        stage(
            con,
            "asked",
            ("hris_ref", "deskbird_id"),
            [(one.hris_ref, one.deskbird_id) for one in decisions],
        )
        read: set[str] = set()
        for connection in {one.hris_ref.partition(":")[0] for one in decisions} & set(connections):
            ids = f"""select distinct hris_ref from asked where hris_ref in
                      (select '{connection}:' || id from "hris_{connection}".employees)"""
            read.update(ref for (ref,) in con.execute(ids).fetchall())
        people = con.execute(
            """select list_append(other_refs, hris_ref) from core.people
               where hris_ref in (select hris_ref from asked)
                   or list_has_any(other_refs, (select list(hris_ref) from asked))"""
        ).fetchall()
        users = con.execute(
            """select deskbird_id, hris_ref,
                   external_id is not null and hris_ref is distinct from external_id
               from deskbird.users where deskbird_id in (select deskbird_id from asked)"""
        ).fetchall()
        held = con.execute(
            """select hris_ref
               from core.quarantine
               where "table" = 'core.people' and hris_ref in (select hris_ref from asked)"""
        ).fetchall()
        known = cls(
            read,
            {ref: set(refs) for (refs,) in people for ref in refs},
            {id_: (owner, foreign) for id_, owner, foreign in users},
            {ref for (ref,) in held},
        )
        for ref, id_, word in con.execute(_IN_FORCE).fetchall():
            known._keep((ref, id_), word)
        return known

    def refusal(self, one: Decision) -> RefusalCode | None:
        """Why the decision cannot be."""
        return (
            "no_record"
            if one.hris_ref not in self.read
            else "no_user"
            if one.deskbird_id not in self.users
            else None
        )

    def contradictions(self, decisions: Sequence[Decision]) -> list[Refused]:
        """Decisions that cannot stand beside an earlier one of the same list."""
        found = []
        pairs: dict[tuple[str, str], Decision] = {}
        people: dict[str, Decision] = {}
        users: dict[str, Decision] = {}
        for one in decisions:
            before = pairs.setdefault((one.hris_ref, one.deskbird_id), one)
            if before is not one:
                if before.word != one.word:
                    why = f"Line {before.line} says {before.word} of the same record and user."
                    found.append(Refused(one, why, "contradicts"))
                continue
            if one.word == "separate":
                continue
            person = min(self.people.get(one.hris_ref, {one.hris_ref}))
            for links, key, what in ((people, person, "person"), (users, one.deskbird_id, "user")):
                if (other := links.setdefault(key, one)) is not one:
                    found.append(
                        Refused(
                            one, f"Line {other.line} links the same {what} already.", "contradicts"
                        )
                    )
                    break
        return found

    def take(self, one: Decision) -> Decided:
        """What the decision comes to; it is in force from then on."""
        same_person = self.people.get(one.hris_ref, set()) | {one.hris_ref}
        owner, foreign = self.users[one.deskbird_id]
        pair = one.hris_ref, one.deskbird_id
        told = (None if owner in same_person else owner, foreign, one.hris_ref in self.quarantined)
        if self.in_force.get(pair) == one.word:
            return Decided(False, (), *told)
        near = self.links_of_user.get(one.deskbird_id, set()).union(
            *(self.links_of_record.get(ref, set()) for ref in same_person)
        )
        replaced = [
            (ref, id_)
            for ref, id_ in sorted(near)
            if one.word == "link"
            and (ref, id_) != pair
            and (ref in same_person) != (id_ == one.deskbird_id)
        ]
        for old in replaced:
            self._keep(old, "replaced")
        self._keep(pair, one.word)
        return Decided(True, tuple(replaced), *told)

    def _keep(self, pair: tuple[str, str], word: str) -> None:
        """Put a decision in force."""
        self.in_force[pair] = word
        for links, key in ((self.links_of_record, pair[0]), (self.links_of_user, pair[1])):
            pairs = links.setdefault(key, set())
            pairs.add(pair) if word == "link" else pairs.discard(pair)
