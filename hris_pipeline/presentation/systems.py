"""The HR systems: one table of what each offers, and the details of one; for a terminal, as Markdown and as JSON."""

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, BeforeValidator
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hris_pipeline.presentation import document

if TYPE_CHECKING:
    from hris_pipeline.hris.system import System, Variant

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
    "What each HR system offers where it is read. The company file's `sync` says what of it goes to deskbird. "
    "changed since: only what changed since a moment can be asked for. ?: it depends on the account, or no document says."
)
_SIGNS = {"yes": "yes", "partly": "partly", "no": "-", "unknown": "?"}
_STYLES = {"yes": "green", "partly": "yellow", "no": "dim", "unknown": "dim"}


def show(to: Console, rows: "Sequence[Variant]") -> None:
    """Print the table."""
    table = Table(box=None, padding=(0, 1), pad_edge=False, header_style="bold")
    for heading in ("", "in the company file", *COLUMNS.values(), "sure by"):
        table.add_column(heading.replace("-", ""), overflow="fold")
    for row in rows:
        can = vars(row.capabilities)
        answers = [Text(_SIGNS[can[name]], _STYLES[can[name]]) for name in COLUMNS]
        table.add_row(Text(row.title, "bold"), row.how, *answers, can["evidence"])
    to.print(table)
    to.print()
    to.print(Text(ABOUT))
    to.print(Text("hris-pipeline systems NAME tells one system's credentials, options, leavers, completeness and rate."))


def show_one(to: Console, row: "Variant", system: "System | None") -> None:
    """Print everything about one way to read a system."""
    to.print(Text.assemble((row.title, "bold"), (f"  {row.how}", "dim")))
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in _details(row, system):
        table.add_row(name, Text(text))
    for place, text in enumerate(_options(system.options) if system is not None else ()):
        table.add_row("" if place else "options", Text(text))
    to.print(table)
    to.print()


def _details(row: "Variant", system: "System | None") -> Iterator[tuple[str, str]]:
    can = row.capabilities
    if system is not None:
        optional = (f"{key} (where needed)" for key in system.optional_credentials)
        yield "credentials", ", ".join((*system.credentials, *optional)) or "none"
        yield "address", system.default_base_url or "none of its own"
        yield "groups", ", ".join(system.group_kinds) or "those that the company file names"
    yield "authentication", can.authentication
    for answer in ("yes", "partly", "no", "unknown"):
        words = [name.replace("_", " ") for name in COLUMNS if getattr(can, name) == answer]
        if words:
            yield {"yes": "offers", "partly": "partly", "no": "has no", "unknown": "not known"}[answer], ", ".join(words)
    if can.delivers:
        yield "also", "; ".join(can.delivers)
    if can.lacks:
        yield "lacks", "; ".join(can.lacks)
    if system is not None:
        yield "between nights", "what changed is read, by changes_schedule" if system.reads_changes else "nothing is read"
    yield "leavers", can.leavers
    yield "completeness", can.completeness
    yield "rate", can.rate
    yield "known from", EVIDENCE[can.evidence]


def _options(options: type[BaseModel], above: str = "") -> Iterator[str]:
    """Each option with its default and what it is; those of a section by their whole path."""
    for name, field in options.model_fields.items():
        kinds = (field.annotation, *get_args(field.annotation))
        section = next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)
        default = field.get_default(call_default_factory=True)
        shown = "a section" if isinstance(default, BaseModel) else f"default {json.dumps(default, default=str)}"
        yield f"{above}{name} ({'required' if field.is_required() else shown}): {field.description}"
        if section is not None and not any(isinstance(each, BeforeValidator) for each in field.metadata):
            yield from _options(section, f"{above}{name}.")


def of(row: "Variant", systems: "Sequence[System]") -> "System | None":
    """The registered system by which a row is read."""
    return next((system for system in systems if row.said["system"] == system.name), None)


def as_json(rows: "Sequence[Variant]", systems: "Sequence[System]") -> str:
    """Everything as one versioned JSON document."""
    body: list[dict[str, Any]] = []
    for row in rows:
        system = of(row, systems)
        body.append(
            {
                "name": row.name,
                "title": row.title,
                "how": row.how,
                "credentials": list(system.credentials) if system else [],
                "group_kinds": list(system.group_kinds) if system else [],
                **vars(row.capabilities),
            }
        )
    return document("systems", None, {"systems": body})


def markdown(rows: "Sequence[Variant]", systems: "Sequence[System]") -> str:
    """The page ``docs/systems.md``."""
    head = ["", "in the company file", *(heading.replace("-", "") for heading in COLUMNS.values()), "sure by"]
    lines = ["# HR systems", "", "Written by `hris-pipeline systems --format markdown`.", "", ABOUT, ""]
    lines += [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for row in rows:
        can = vars(row.capabilities)
        cells = [row.title, f"`{row.how}`", *(_SIGNS[can[name]] for name in COLUMNS), can["evidence"]]
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", "Sure by: " + "; ".join(f"*{name}*, {text}" for name, text in EVIDENCE.items()) + ".", ""]
    told: set[str] = set()
    for row in rows:
        system = of(row, systems)
        lines += [f"## {row.title} (`{row.how}`)", ""]
        lines += [f"* **{name}**: {text}" for name, text in _details(row, system)]
        if system is not None and system.name not in told:  # once for all its variants
            lines += [f"* **option** {text}" for text in _options(system.options)]
            told.add(system.name)
        lines.append("")
    return "\n".join(lines)
