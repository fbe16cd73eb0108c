"""A feed of files for a test: a folder, a company file's options, and reading it."""

import io
import os
import shutil
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pytest

from hris_pipeline import clock
from hris_pipeline.contracts.extracts import Extract
from hris_pipeline.contracts.probes import Probe
from hris_pipeline.errors import HrisError
from hris_pipeline.hris.systems.files import SYSTEM, Files

COLUMNS = {"id": "ID", "email": "E-Mail", "given_name": "First", "family_name": "Last"}
HEADER = ("ID", "E-Mail", "First", "Last")
ADA = ("0017", "ada@acme.test", "Ada", "Ämter")
BOB = ("0018", "bob@acme.test", "Bob", "Babbage")


def text(
    *rows: Sequence[str], header: Sequence[str] = HEADER, by: str = ";", end: str = "\r\n"
) -> str:
    """Rows of cells as a file without quotes."""
    return "".join(by.join(row) + end for row in (header, *rows))


@dataclass
class Feed:
    """One feed: where its files lie, and what the company file says of them."""

    folder: Path
    scratch: Path
    options: dict[str, Any] = field(default_factory=dict)
    credentials: dict[str, str] = field(default_factory=dict)
    timezone: str = "UTC"
    progress: list[tuple[str, int, int | None]] = field(default_factory=list)

    def put(
        self,
        content: str | bytes,
        name: str = "people.csv",
        *,
        hours_old: float = 0,
        encoding: str = "utf-8",
    ) -> Path:
        """Write a file that was changed so many hours ago."""
        path = self.folder / name
        path.write_bytes(content.encode(encoding) if isinstance(content, str) else content)
        moment = clock.now().timestamp() - hours_old * 3600
        os.utime(path, (moment, moment))
        return path

    def connection(self, **options: Any) -> Files:
        """The connection as the company file's options make it; ``columns`` are added to the four
        that every test has.
        """
        given = {**self.options, **options}
        columns = {**COLUMNS, **given.pop("columns", {})}
        base = {"path": str(self.folder / "people*"), "settle_seconds": 0}
        model = SYSTEM.options.model_validate({**base, **given, "columns": columns})
        return SYSTEM.connect(
            "files",
            base_url="",
            credentials=self.credentials,
            options=model,
            kinds=model.group_kinds,
            timezone=self.timezone,
        )

    def extracts(self, **options: Any) -> tuple[Extract, Extract]:
        """Read it."""
        self.scratch.mkdir(exist_ok=True)
        return self.connection(**options).read(
            self.scratch, lambda *news: self.progress.append(news)
        )

    def people(self, **options: Any) -> list[dict[str, Any]]:
        """Read it: the rows of the table of people."""
        return rows(self.extracts(**options)[0].path)

    def person(self, **options: Any) -> dict[str, Any]:
        """Read it: the one row."""
        (found,) = self.people(**options)
        return found

    def units(self, **options: Any) -> dict[tuple[str, str], str | None]:
        """Read it: the names of the units by kind and id."""
        return {
            (row["kind"], row["id"]): row["name"] for row in rows(self.extracts(**options)[1].path)
        }

    def refusal(self, **options: Any) -> str:
        """Read it: what the error says; nothing may be left of what was read."""
        shutil.rmtree(self.scratch, ignore_errors=True)
        with pytest.raises(HrisError) as caught:
            self.extracts(**options)
        assert caught.value.__suppress_context__, "a library's exception carries values"
        said = str(caught.value)
        assert said.startswith("Files connection 'files' ")
        assert "Nothing of this extract is used; deskbird is left as it is." in said
        assert list(self.scratch.iterdir()) == []
        return said

    def probes(self, **options: Any) -> list[Probe]:
        """What the doctor would try."""
        return list(self.connection(**options).probes())


def rows(path: Path) -> list[dict[str, Any]]:
    """What an extract's file holds."""
    with path.open("rb") as file:
        return pa.ipc.open_stream(file).read_all().to_pylist()


def of(row: Mapping[str, Any], *names: str) -> tuple[Any, ...]:
    """Some values of a row."""
    return tuple(row[name] for name in names)


def failed(probes: Sequence[Probe]) -> Probe:
    """The one that failed, which is the last that was tried."""
    *passed, last = probes
    assert all(probe.problem is None for probe in passed)
    assert last.problem is not None
    return last


def workbook(*rows, header=HEADER, more=(), formats=(), epoch=None):
    """An Excel file's content; ``formats`` are (cell, number format), ``more`` the names of further
    sheets.
    """
    book = openpyxl.Workbook()
    if epoch is not None:
        book.epoch = epoch
    for row in (header, *rows):
        book.active.append(row)
    for name in more:
        book.create_sheet(name)
    for cell, form in formats:
        book.active[cell].number_format = form
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def packed(*files):
    """A zip archive of files, each given by name and content."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return out.getvalue()
