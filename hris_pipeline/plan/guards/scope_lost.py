"""``scope_lost``: nobody is taken away because the company file's scope, or the HR system, suddenly
means nobody.

Good: ``include: department = Sales`` matches nobody since the department is called "Vertrieb"; all
of Sales keeps its accounts. Bad: the last three people of a branch leave; their contracts ended,
and no rule has changed its meaning.
"""

from pathlib import Path

from hris_pipeline.plan.guards.base import MANAGED, Judgement

NAME = "scope_lost"
_LOST_RULES = (Path(__file__).parent / "lost_rules.sql").read_text(encoding="utf-8")
_FALLEN_OUT = """object = 'user' and action = 'deactivate'
    and hris_ref in (select hris_ref from core.people where not in_scope and status <> 'ended')"""
_ANYBODY_OF_OURS = f"select exists (from owned_users where {MANAGED})"


def conditions(judgement: Judgement) -> tuple[str, ...]:
    """Who is deactivated because they fell out of the scope."""
    return (_FALLEN_OUT,) if judgement.situation.base and judgement.is_on(NAME) else ()


def judge(judgement: Judgement) -> None:
    """Hold back all, where nobody is left; else who falls out of the scope by a rule that changed
    its meaning (case 76).
    """
    base = judgement.situation.base
    if not base or not judgement.is_on(NAME):
        return
    if judgement.situation.anybody:
        _judge_rules(judgement)
    elif judgement.number(_ANYBODY_OF_OURS):  # else all have left, as somebody approved
        judgement.hold(NAME, "true")
        judgement.say(
            NAME, "people", 0, f"0 of {base} people are left", tripped=True, code="nobody_left"
        )


def _judge_rules(judgement: Judgement) -> None:
    count = judgement.people(_FALLEN_OUT)
    if not count:
        return
    judgement.con.execute("set variable base = ?", [judgement.situation.base])
    for rule, of in judgement.con.execute(_LOST_RULES).fetchall():
        judgement.hold(NAME, _FALLEN_OUT)
        words = (
            "at least one person matches it"
            if of == "include"
            else "at most half of the users match it"
        )
        judgement.say(NAME, rule, count, words, tripped=True, code="rule_lost")
