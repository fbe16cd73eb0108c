"""The plan on a terminal."""

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from hris_pipeline.presentation import adoption, clean, moment
from hris_pipeline.presentation.plan.cells import what, what_by_reference, who, without_dates
from hris_pipeline.presentation.plan.sections import Section, sections, totals
from hris_pipeline.presentation.plan.sentences import (
    guard_sentences,
    next_step,
    not_undone,
    not_undone_sentence,
    total_line,
)
from hris_pipeline.reports.plan import Change, Plan

_COLOUR = {"-": "red", "~": "yellow", "+": "green"}
_DONE = ("applied", "skipped")
_STATE_STYLE = {
    "applied": "green",
    "failed": "bold red",
    "stale": "bold red",
    "blocked": "magenta",
    "skipped": "dim",
    "planned": "cyan",
}


def show(
    to: Console,
    plan: Plan,
    *,
    timezone: str,
    rows: int | None = None,
    hint: bool = True,
    names: bool = True,
) -> None:
    """Print the plan; ``rows`` is the most that each section shows (None: all).

    Without ``names`` it holds references only, for output that is kept by machines.
    """
    head = Text.assemble(
        (plan.company, "bold"),
        "  plan ",
        (plan.plan_id, "bold cyan"),
        (f"  {moment(plan.as_of, timezone)} {timezone}", "dim"),
    )
    to.print(head)
    if plan.undoes:
        to.print(Padding(Text(f"undoes plan {plan.undoes}", "bold"), (0, 0, 0, 2)))
    if plan.changes:
        line = Text()
        for sign, words in totals(plan.changes):
            line.append(f"{sign} {words}   ", _COLOUR[sign])
        to.print(Padding(line, (0, 0, 0, 2)))
    for sentence in adoption.sentences(plan.adoption, plan.company) if plan.adoption else ():
        to.print(Padding(sentence, (0, 0, 0, 2)))
    for sentence in guard_sentences(plan):
        to.print(Padding(Text.assemble(("BLOCKED  ", "bold magenta"), sentence), (0, 0, 0, 2)))
    for section in sections(plan.changes if names else map(without_dates, plan.changes)):
        to.print()
        to.print(_section(section, rows, names=names))
    if plan.not_undone:
        to.print()
        to.print(Text("What cannot be undone", "bold"))
        for kind in not_undone(plan):
            to.print(Padding(Text(not_undone_sentence(kind)), (0, 0, 0, 4)))
    to.print()
    to.print(Text(total_line(plan), "bold"))
    step = next_step(plan) if hint else None
    if step:
        to.print(Text(step))


def _section(section: Section, rows: int | None, *, names: bool) -> RenderableType:
    colour = _COLOUR[section.sign]
    title = Text.assemble((f"{section.sign} {section.title}", f"bold {colour}"))
    if section.guard:
        title.append(f"  held back by guard {section.guard}", "bold magenta")
    if section.reason:
        title.append(f"  {clean(section.reason)}", "dim")
    shown = section.changes if rows is None else section.changes[:rows]
    states = {change.state for change in section.changes} - {"planned", "blocked"}
    told = bool(states) and (
        len({change.state for change in section.changes}) > 1 or not states <= set(_DONE)
    )
    if states and not told:
        title.append(f"  {next(iter(states))}", _STATE_STYLE[next(iter(states))])
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    if names:
        table.add_column(overflow="fold", ratio=None)
    table.add_column(style="dim" if names else "", overflow="fold")
    table.add_column(overflow="fold")
    for change in shown:
        name, ref = who(change)
        cells: list[Text] = [
            *([Text(name)] if names else []),
            Text(ref),
            _what(change, names=names),
        ]
        if not section.reason:
            cells.append(Text(clean(change.reason), "dim"))
        if told:
            problem = f": {clean(change.problem)}" if change.problem else ""
            cells.append(Text(change.state + problem, _STATE_STYLE[change.state]))
        table.add_row(*cells)
    more = len(section.changes) - len(shown)
    rest = [Padding(Text(f"... and {more:,} more", "dim"), (0, 0, 0, 4))] if more else []
    return Group(title, Padding(table, (0, 0, 0, 4)), *rest)


def _what(change: Change, *, names: bool) -> Text:
    line = Text()
    for name, before, after in what(change) if names else what_by_reference(change):
        line.append("\n" if line else "")
        line.append(f"{name} " if name else "", "dim")
        line.append(before, "red")
        line.append(" -> " if before and after else "", "dim")
        line.append(after, "green")
    return line
