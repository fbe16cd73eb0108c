"""The file of `review --out`, once somebody has filled in its column ``decision``."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from hris_pipeline.errors import PipelineError
from hris_pipeline.identity.decisions import Decision, Word

_NEEDED = ("hris_ref", "deskbird_id", "decision")
_WORDS: Mapping[str, Word] = {"link": "link", "separate": "separate"}


def text_of(file: Path) -> str:
    """A file's text; the letters that a spreadsheet wrote in another encoding are in columns that
    are only for people.
    """
    try:
        return file.read_bytes().decode("utf-8-sig", errors="replace")
    except OSError as problem:
        raise PipelineError(
            f"{file} could not be read ({problem.strerror}). Nothing was decided."
        ) from None


def decisions_in(text: str, file: str) -> list[Decision]:
    """What somebody filled in, with the number of each line; rows without a decision are left out.

    Takes what spreadsheets make of the file: other delimiters, quotes and line ends. A
    :class:`~hris_pipeline.errors.PipelineError` has one line for each row that cannot be used.
    """
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    header = [name.strip().lower() for name in next(reader, [])]
    absent = [name for name in _NEEDED if name not in header]
    if absent:
        raise PipelineError(
            f"{file} has no column {' and no column '.join(absent)}. Nothing was decided. Write "
            "the file with `hris-pipeline review COMPANY --out FILE.csv` and fill in the column "
            "decision."
        )
    found, wrong = [], []
    for row in reader:
        cells = dict(zip(header, (cell.strip() for cell in row), strict=False))
        word = cells.get("decision", "").lower()
        if not word:
            continue
        if word not in _WORDS:
            wrong.append(
                f"{file}, line {reader.line_num}: the decision must be link, separate or nothing."
            )
        elif not cells["hris_ref"] or not cells.get("deskbird_id"):
            wrong.append(
                f"{file}, line {reader.line_num}: a decision needs an hris_ref and a deskbird_id."
            )
        else:
            found.append(
                Decision(cells["hris_ref"], cells["deskbird_id"], _WORDS[word], reader.line_num)
            )
    if wrong:
        raise PipelineError("\n".join([*wrong, nothing_decided(len(wrong))]))
    return found


def nothing_decided(rows: int) -> str:
    """The end of a list of rows that cannot be used."""
    return (
        f"Nothing was decided: correct {'this row' if rows == 1 else f'these {rows:,} rows'} and "
        "start again."
    )
