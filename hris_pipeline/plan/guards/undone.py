"""``undone``: what ``undo`` took back is not done again until the HR system says otherwise or
somebody approves it.

Good: a wrong import moved Ann to "Sales" and was undone; the HR system still says "Sales", and the
change waits. Bad: the HR system says "IT" by now; that is news, and is planned as usual.
"""

from pathlib import Path

from hris_pipeline.plan.guards.base import Judgement
from hris_pipeline.warehouse import run

_UNDONE, _ATTRIBUTES = (
    (Path(__file__).parent / f"{name}.sql").read_text(encoding="utf-8")
    for name in ("undone", "undone_attributes")
)
_SUBJECTS = {"people": "object <> 'group'", "groups": "object = 'group'"}


def find_attributes(judgement: Judgement) -> None:
    """Make the temp table ``undone_attributes``: found before the changes are made, because one
    change may hold several.
    """
    run(judgement.con, _ATTRIBUTES)


def judge(judgement: Judgement) -> None:
    """Hold back what was undone; a plan that undoes another may do again what was undone."""
    situation = judgement.situation
    if (
        situation.undoes
        or not situation.undone
        or not judgement.is_on("undone")
        or not judgement.changes
    ):
        return
    run(judgement.con, _UNDONE)
    judgement.holds = True
    for subject, of in _SUBJECTS.items():
        held = "change in (select change from holds where guard = 'undone')"
        count = judgement.number(
            f"select count(distinct hris_ref) from proposed_changes where {of} and {held}"
        )
        if count:
            judgement.say(
                "undone", subject, count, "none, until the HR system says otherwise", tripped=True
            )
