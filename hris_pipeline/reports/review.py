"""What waits for a person to decide, and what the HR department is to correct."""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from hris_pipeline.reports.queries import sql

_SQL, _CORRECTIONS = sql("review"), sql("corrections")

UNREADABLE = "user_cannot_be_read"
"""What no decision ends: the person's user has to be put right in deskbird."""

_OF_GROUPS = frozenset(
    {
        "link_groups_finds_nothing",
        "link_groups_finds_several",
        "link_groups_finds_the_group_of_another_unit",
        "link_groups_leaves_another_group",
    }
)


def is_about_a_group(rule: str) -> bool:
    """Whether it waits for a better rule in the company file, and no command decides it."""
    return rule in _OF_GROUPS


def is_decided_by_command(rule: str) -> bool:
    """Whether `link` or `separate` ends it; else the company file or deskbird has to be put
    right.
    """
    return not is_about_a_group(rule) and rule != UNREADABLE


@dataclass(frozen=True, repr=False)
class Waiting:
    """One person, or one unit, about whom somebody must decide. Holds personal data, so it has no
    ``repr``.
    """

    hris_ref: str
    name: str | None
    rule: str
    since: dt.datetime
    candidates: Sequence[Mapping[str, Any]]
    """The users (groups) it might be: ``deskbird_id``, ``there`` (in deskbird), ``name``,
    ``email``, ``active``, ``hris_ref`` (whose it is), ``external_id``, and what was decided about
    the pair since: ``decision``, ``decided_by``, ``decided_at``.
    """


@dataclass(frozen=True, repr=False)
class Correction:
    """One record that the HR department is to correct. Holds personal data, so it has no
    ``repr``.
    """

    hris_ref: str
    name: str | None
    code: str  # of a contradiction, or the rule by which the record is held back
    decided: str | None  # what the person counts as all the same; None: the record is held back
    word: str | None
    first_day: dt.date | None
    last_day: dt.date | None
    since: dt.datetime


def corrections(con: duckdb.DuckDBPyConnection) -> list[Correction]:
    """What is to be corrected in the HR system: who is held back first, then who is decided all the
    same.
    """
    schemas = con.execute(
        "select table_schema from information_schema.tables where table_name = 'employees' and "
        "starts_with(table_schema, 'hris_')"
    ).fetchall()
    union = [
        f"""select '{schema.removeprefix("hris_")}:' || id as hris_ref,
                any_value(
                    nullif(concat_ws(' ', clean_text(given_name), clean_text(family_name)), '')
                ) as name
            from "{schema}".employees group by id"""
        for (schema,) in schemas
    ]
    con.execute(
        f"""create or replace temp view records_named as
            {
            " union all ".join(
                union or ["select null::varchar as hris_ref, null::varchar as name where false"]
            )
        }"""
    )
    return [Correction(*row) for row in con.execute(_CORRECTIONS).fetchall()]


def read(con: duckdb.DuckDBPyConnection, source: str = "from state.review") -> list[Waiting]:
    """Everything that waits, as of the last plan or as ``source`` has it; the oldest first."""
    con.execute(f"create or replace temp view waits as {source}")
    return [
        Waiting(
            ref, name, rule, since, [one for one in json.loads(candidates) if one["deskbird_id"]]
        )
        for ref, name, rule, since, candidates in con.execute(_SQL).fetchall()
    ]
