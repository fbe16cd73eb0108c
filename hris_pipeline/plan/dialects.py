"""What is known of deskbird's dialects, from night to night: ``state.dialects``.

A form is one kind of write by one method and operation; ``deskbird/dialects.py`` names them. Here
they are only remembered, with the date and the evidence, and doubted.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import duckdb

from hris_pipeline.contracts.attributes import BY_NAME


@dataclass(frozen=True)
class Known:
    """What is known of one form."""

    form: str
    dialect: str
    learnt_at: dt.datetime
    evidence: str | None  # "read_back" or "accepted"; None of what an older version remembered
    doubts: int  # how often it was doubted since it was proven


def known(con: duckdb.DuckDBPyConnection) -> list[Known]:
    """Every form of which anything is known."""
    rows = con.execute(
        "select form, dialect, learnt_at, evidence, doubts from state.dialects order by form"
    ).fetchall()
    return [Known(*row) for row in rows]


def keep(
    con: duckdb.DuckDBPyConnection,
    dialects: Mapping[str, str],
    evidence: Mapping[str, str],
    doubts: Collection[str],
    now: dt.datetime,
) -> None:
    """Keep what a run has learnt: what it proved, by ``evidence``, with the date; and what it
    doubts.
    """
    for form, proof in evidence.items():
        if form in dialects:
            con.execute(
                """insert or replace into state.dialects
                       (form, dialect, learnt_at, evidence, doubts)
                   values (?, ?, ?, ?, 0)""",
                [form, dialects[form], now, proof],
            )
    doubt(con, doubts)


def doubt(con: duckdb.DuckDBPyConnection, forms: Iterable[str]) -> None:
    """Let the next write of these forms prove them anew, in the other dialect where need be."""
    doubted = sorted(set(forms))
    if doubted:
        con.execute(
            "update state.dialects set doubts = doubts + 1 where form in (select "
            "unnest(?::varchar[]))",
            [doubted],
        )


def forms_of(object_: str, attribute: str, wanted: str | None) -> tuple[str, ...]:
    """The forms in which a value may have been sent: of a user, a group or a membership, as
    ``state.not_retained`` names it.
    """
    if object_ == "membership":
        return ("members_add", "group_create.members") if wanted == "add" else ("members_remove",)
    if object_ == "group":
        return (
            "group_update.replace",
            "group_update.several",
            "group_update.add",
            "group_update.remove",
        )
    if attribute == "manager":
        return ("manager.set", "user_create.manager") if wanted else ("manager.clear",)
    if attribute in {"active", "photo"}:
        return (f"user_{attribute}",)
    if attribute in BY_NAME and "[" in BY_NAME[attribute].paths[0]:
        return ("user_element.replace", "user_element.add", "user_element.remove")
    forms = ("user_update.replace", "user_update.several", "user_update.add", "user_update.remove")
    return (
        (*forms, "user_email.replace", "user_email.add")
        if attribute in {"email", "user_name"}
        else forms
    )
