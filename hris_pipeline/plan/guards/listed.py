"""Whom the company file names, for ``frozen`` and ``protected``: by address or hris_ref, of any
record of theirs.
"""

from collections.abc import Sequence
from pathlib import Path

from hris_pipeline.plan.guards.base import Judgement
from hris_pipeline.texts import email_key
from hris_pipeline.warehouse import run

_LISTED = (Path(__file__).parent / "listed.sql").read_text(encoding="utf-8")


def stage(judgement: Judgement) -> None:
    """Make the temp table ``listed_people``: by guard, whom its list means; nobody where the guard
    is off.
    """
    lists = {"frozen": judgement.situation.frozen, "protected": judgement.situation.protected}
    named = [
        {"guard": guard, "who": who}
        for guard, people in lists.items()
        if judgement.is_on(guard)
        for who in _names(people)
    ]
    if named:
        judgement.con.execute("set variable listed = ?", [named])
        run(judgement.con, _LISTED)
    else:
        judgement.con.execute(
            "create or replace temp table listed_people (guard varchar, hris_ref varchar)"
        )


def hold(judgement: Judgement, guard: str, people: Sequence[str], condition: str) -> None:
    """Hold back the changes of the condition that concern whoever the guard's list means."""
    if not people or not judgement.is_on(guard) or not judgement.changes:
        return
    condition = (
        f"({condition}) and object <> 'group' "
        f"and hris_ref in (select hris_ref from listed_people where guard = '{guard}')"
    )
    count = judgement.number(
        f"select count(distinct hris_ref) from proposed_changes where {condition}"
    )
    judgement.hold(guard, condition)
    if count:
        judgement.say(guard, "people", count, "never", tripped=True)


def _names(people: Sequence[str]) -> list[str]:
    """As they are written, and the addresses however their domain is written."""
    return [*people, *(email_key(each) for each in people if "@" in each)]
