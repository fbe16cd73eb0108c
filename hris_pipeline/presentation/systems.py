"""The HR systems: one table of what each offers, and the details of one; for a terminal, as
Markdown and as JSON.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hris_pipeline.presentation import document
from hris_pipeline.reports.systems import Offer, Option

COLUMNS = {
    "manager": "manager",
    "team": "team",
    "department": "depart-ment",
    "cost_center": "cost centre",
    "nested_groups": "nested groups",
    "photo": "photo",
    "absences": "absences",
    "half_days": "half days",
    "changed_since": "changed since",
}
"""Fields of ``Capabilities`` that are answers, and their headings."""
EVIDENCE = {
    "specification": "a vendor's specification",
    "client": "official or public clients",
    "facts": "second-hand facts only",
}
ABOUT = (
    "What each HR system offers where it is read. The company file's `sync` says what of it goes "
    "to deskbird. changed since: only what changed since a moment can be asked for. ?: it depends "
    "on the account, or no document says."
)
_SIGNS = {"yes": "yes", "partly": "partly", "no": "-", "unknown": "?"}
_STYLES = {"yes": "green", "partly": "yellow", "no": "dim", "unknown": "dim"}


def show(to: Console, offers: Sequence[Offer]) -> None:
    """Print the table."""
    table = Table(box=None, padding=(0, 1), pad_edge=False, header_style="bold")
    for heading in ("", "in the company file", *COLUMNS.values(), "sure by"):
        table.add_column(heading.replace("-", ""), overflow="fold")
    for row in (offer.row for offer in offers):
        can = vars(row.capabilities)
        answers = [Text(_SIGNS[can[name]], _STYLES[can[name]]) for name in COLUMNS]
        table.add_row(Text(row.title, "bold"), row.how, *answers, can["evidence"])
    to.print(table)
    to.print()
    to.print(Text(ABOUT))
    to.print(
        Text(
            "hris-pipeline systems NAME tells one system's credentials, options, leavers, "
            "completeness and rate."
        )
    )


def show_one(to: Console, offer: Offer) -> None:
    """Print everything about one way to read a system."""
    row = offer.row
    to.print(Text.assemble((row.title, "bold"), (f"  {row.how}", "dim")))
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in _details(offer):
        table.add_row(name, Text(text))
    for place, option in enumerate(offer.options):
        table.add_row("" if place else "options", Text(_option(option)))
    to.print(table)
    to.print()


def _details(offer: Offer) -> Iterator[tuple[str, str]]:
    can, system = offer.row.capabilities, offer.system
    optional = (f"{key} (where needed)" for key in system.optional_credentials)
    yield "credentials", ", ".join((*system.credentials, *optional)) or "none"
    yield "address", system.default_base_url or "none of its own"
    yield "groups", ", ".join(system.group_kinds) or "those that the company file names"
    yield "authentication", can.authentication
    for answer in ("yes", "partly", "no", "unknown"):
        words = [name.replace("_", " ") for name in COLUMNS if getattr(can, name) == answer]
        if words:
            yield (
                {"yes": "offers", "partly": "partly", "no": "has no", "unknown": "not known"}[
                    answer
                ],
                ", ".join(words),
            )
    if can.delivers:
        yield "also", "; ".join(can.delivers)
    if can.lacks:
        yield "lacks", "; ".join(can.lacks)
    yield (
        "between nights",
        (
            "what changed is read, by changes_schedule"
            if system.reads_changes
            else "nothing is read"
        ),
    )
    yield "leavers", can.leavers
    yield "completeness", can.completeness
    yield "rate", can.rate
    yield "known from", EVIDENCE[can.evidence]


def _option(option: Option) -> str:
    """An option with its default and what it is."""
    default = "a section" if option.default is None else f"default {option.default}"
    return f"{option.path} ({'required' if option.required else default}): {option.about}"


def as_json(offers: Sequence[Offer]) -> str:
    """Everything as one versioned JSON document."""
    body: list[dict[str, Any]] = [
        {
            "name": offer.row.name,
            "title": offer.row.title,
            "how": offer.row.how,
            "credentials": list(offer.system.credentials),
            "group_kinds": list(offer.system.group_kinds),
            **vars(offer.row.capabilities),
        }
        for offer in offers
    ]
    return document("systems", None, {"systems": body})


def markdown(offers: Sequence[Offer]) -> str:
    """The page ``docs/systems.md``."""
    head = [
        "",
        "in the company file",
        *(heading.replace("-", "") for heading in COLUMNS.values()),
        "sure by",
    ]
    lines = [
        "# HR systems",
        "",
        "Written by `hris-pipeline systems --format markdown`.",
        "",
        ABOUT,
        "",
    ]
    lines += [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for row in (offer.row for offer in offers):
        can = vars(row.capabilities)
        cells = [
            row.title,
            f"`{row.how}`",
            *(_SIGNS[can[name]] for name in COLUMNS),
            can["evidence"],
        ]
        lines.append(f"| {' | '.join(cells)} |")
    lines += [
        "",
        "Sure by: " + "; ".join(f"*{name}*, {text}" for name, text in EVIDENCE.items()) + ".",
        "",
    ]
    told: set[str] = set()
    for offer in offers:
        row, system = offer.row, offer.system
        lines += [f"## {row.title} (`{row.how}`)", ""]
        lines += [f"* **{name}**: {text}" for name, text in _details(offer)]
        if system.name not in told:  # once for all its variants
            lines += [f"* **option** {_option(option)}" for option in offer.options]
            told.add(system.name)
        lines.append("")
    return "\n".join(lines)
