"""The HR systems that can be read, as a table."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from hris_pipeline.hris.system import System


def show(to: Console, systems: "Iterable[System]") -> None:
    """Print each system: its name in the company file, its credentials, what it delivers and what it cannot."""
    for system in systems:
        can = system.capabilities
        to.print(Text.assemble((system.title, "bold"), ("  system: ", "dim"), system.name))
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
        table.add_column(style="bold", no_wrap=True)
        table.add_column(overflow="fold")
        for name, text in (
            ("credentials", ", ".join((*system.credentials, *(f"{key} (where needed)" for key in system.optional_credentials)))),
            ("authentication", can.authentication),
            ("address", system.default_base_url or "none of its own"),
            ("groups", ", ".join(system.group_kinds) or "those that the company file names"),
            ("delivers", "; ".join(can.delivers)),
            ("cannot", "; ".join(can.lacks)),
            ("leavers", can.leavers),
            ("completeness", can.completeness),
            ("rate", can.rate),
        ):
            table.add_row(name, Text(text))
        to.print(table)
        to.print()
