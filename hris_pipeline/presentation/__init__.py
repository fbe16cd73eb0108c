"""Reports in words: for a terminal, as Markdown and as JSON.

Asks no database and changes nothing; :mod:`hris_pipeline.reports` has read what is drawn here.
Names of people appear here, in reports and in DuckDB, which stay on the machine, and nowhere else.
"""

import datetime as dt
import io
import json
import zoneinfo
from collections.abc import Callable
from typing import Any, TextIO

from rich.console import Console

VERSION = 1
"""Of every JSON document: a key may be added without a new one, never renamed or given another
meaning.
"""

PAGE_WIDTH = 160


def document(kind: str, company: str | None, body: dict[str, Any]) -> str:
    """One JSON document: ``version``, ``kind``, ``company``, then ``body``; timestamps in ISO
    8601.
    """
    whole = {"version": VERSION, "kind": kind, **({"company": company} if company else {}), **body}
    return json.dumps(whole, ensure_ascii=False, indent=2, default=_plain) + "\n"


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, (dt.datetime, dt.date)) else str(value)


def put(stream: TextIO, render: Callable[[Console], None]) -> None:
    """Let ``render`` print on ``stream``: with colours and at the terminal's width on a terminal,
    elsewhere as :func:`page`.
    """
    if stream.isatty():
        render(Console(file=stream, highlight=False))
    else:
        stream.write(page(render))


def page(render: Callable[[Console], None]) -> str:
    """What ``render`` prints, as plain text on a wide page."""
    paper = io.StringIO()
    render(
        Console(
            file=paper,
            width=PAGE_WIDTH,
            no_color=True,
            force_terminal=False,
            highlight=False,
            legacy_windows=False,
        )
    )
    return "".join(f"{line.rstrip()}\n" for line in paper.getvalue().splitlines())


def clean(text: object) -> str:
    """The text without what a terminal would obey: control and other characters that cannot be
    printed show as ``·``.
    """
    return "".join(c if c.isprintable() else "·" for c in str(text))


def escaped(text: object) -> str:
    """The text where Markdown and HTML see nothing in it but text."""
    text = clean(text).replace("&", "&amp;").replace("<", "&lt;").replace("\\", "\\\\")
    return "".join(f"\\{c}" if c in "|`*[]#~" else c for c in text)


def moment(when: dt.datetime | None, timezone: str) -> str:
    """A moment as the company's clocks show it: ``2026-03-02 04:30``."""
    return (
        "never"
        if when is None
        else when.astimezone(zoneinfo.ZoneInfo(timezone)).strftime("%Y-%m-%d %H:%M")
    )
