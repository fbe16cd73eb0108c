"""Which file is tonight's, whether it has come whole, and what proves that: nothing is opened
before these are answered.

The connector keeps no memory of what it has read: reading a file twice is harmless, so an old one
is told by its age.
"""

import datetime as dt
import fnmatch
import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from zoneinfo import ZoneInfo

import msgspec

from hris_pipeline.hris.systems.files.options import Options, date_in
from hris_pipeline.hris.systems.files.places import CHUNK, Entry, Place, Refused

_NO_BEGINNINGS = (".", "~$")
_NO_ENDINGS = ("~", ".tmp", ".temp", ".part", ".partial", ".filepart", ".crdownload", ".lock")
FEW = 64 << 10  # bytes: more than any marker, count or manifest needs
# what a server rounds and clocks differ: a marker may seem as much older than its file
CLOCKS = dt.timedelta(seconds=2)


@dataclass(frozen=True)
class Arrival:
    """One file that has come whole: our copy of it, and what lies beside it says."""

    name: str
    path: Path
    size: int
    modified: dt.datetime
    announced: int | None  # rows, by count or manifest
    marked: bool  # whether a marker, a checksum or a total says that it is whole


def choose(place: Place, options: Options, now: dt.datetime, timezone: str) -> list[Entry]:
    """Tonight's files, the newest first: one of a full feed, all young ones of a delta.
    :class:`Refused` without any.

    A day in a file's name is the sender's own, in ``timezone``, and counts to its end.
    """
    entries = place.entries()
    matching = [
        entry
        for name, entry in entries.items()
        if fnmatch.fnmatchcase(name, options.pattern) and not _is_no_export(name, options.pattern)
    ]
    beside = {
        _beside(pattern, entry.name)
        for entry in matching
        for pattern in options.proof.beside.values()
    }
    matching = [entry for entry in matching if entry.name not in beside]
    if not matching:
        raise Refused(
            f"has no file {options.pattern} in {place.title}",
            "Ask the sender whether the export ran, or correct options.path in the company file.",
        )
    dated = [(_date(entry, options, timezone), entry) for entry in matching]
    dated.sort(key=lambda one: (*one[0], one[1].name), reverse=True)
    if options.max_age_hours is not None:
        oldest = now - dt.timedelta(hours=options.max_age_hours)
        young = [(date, entry) for date, entry in dated if min(date) >= oldest]
        if not young:
            hours = (now - min(dated[0][0])).total_seconds() / 3600
            raise Refused(
                f"has nothing newer than {dated[0][1].name}, which is {hours:.0f} hours old "
                f"(options.max_age_hours allows {options.max_age_hours:g})",
                "Ask the sender why no new file came, or raise options.max_age_hours.",
            )
        dated = young
    chosen = [entry for _, entry in dated]
    return chosen[:1] if options.feed == "full" else chosen


def _is_no_export(name: str, pattern: str) -> bool:
    """Whether a name is a draft's, a lock's (``~$people.xlsx``) or half a file's, and the company
    file does not ask for such.
    """
    return any(
        name.startswith(begin) and not pattern.startswith(begin) for begin in _NO_BEGINNINGS
    ) or any(
        name.lower().endswith(end) and not pattern.lower().endswith(end) for end in _NO_ENDINGS
    )


def _date(entry: Entry, options: Options, timezone: str) -> tuple[dt.datetime, dt.datetime]:
    """By which a file is the newest, and by which else it is old: the end of the day in its name,
    when it was changed.
    """
    if options.date_in_name is None:
        return entry.modified, entry.modified
    found = date_in(options.date_in_name).search(entry.name)
    try:
        named = dt.datetime.strptime(found[0] if found else "", options.date_in_name)  # noqa: DTZ007 - the zone follows
    except ValueError:
        raise Refused(
            f"has a file {entry.name} without a date like {options.date_in_name} in its name",
            "Correct options.date_in_name, or options.path so that it means only files with a "
            "date.",
        ) from None
    ends = named if "%H" in options.date_in_name else named + dt.timedelta(days=1)
    return ends.replace(tzinfo=ZoneInfo(timezone)).astimezone(dt.UTC), entry.modified


def settled(place: Place, chosen: list[Entry], options: Options) -> dict[str, Entry]:
    """A second look at the folder, with what lies beside the files. :class:`Refused` where one of
    them is empty or grows.
    """
    for entry in chosen:
        if not entry.size:
            raise Refused(
                f"has an empty file {entry.name}", "Ask the sender to run the export again."
            )
        if entry.size > options.max_mb << 20:
            raise Refused(
                f"has a file {entry.name} of more than {options.max_mb} MB",
                "If that is right, raise options.max_mb.",
            )
    time.sleep(options.settle_seconds)
    again = place.entries()
    for entry in chosen:
        if again.get(entry.name) != entry:
            raise _being_written(entry.name)
    return again


def _being_written(name: str) -> Refused:
    return Refused(
        f"has a file {name} that is still being written",
        "Run it again when it is there, or start the night later.",
    )


def receive(
    place: Place, entry: Entry, options: Options, entries: Mapping[str, Entry], to: Path
) -> Arrival:
    """Fetch one file and what proves it. :class:`Refused` where that is not there, is older than
    the file or contradicts it.
    """
    texts: dict[str, bytes] = {}
    for number, (what, pattern) in enumerate(options.proof.beside.items()):
        name = _beside(pattern, entry.name)
        found = entries.get(name)
        if found is None or found.modified < entry.modified - CLOCKS:
            state = "is not there" if found is None else "is older than the file"
            raise Refused(
                f"has a file {entry.name} that is not complete yet: its {what} {name} {state}",
                "Run it again when the sender has finished, or correct options.proof in the "
                "company file.",
            )
        if what != "marker":
            copy = to.with_name(f"{to.name}.{number}")
            place.fetch(name, copy, FEW)
            texts[what] = copy.read_bytes()
            copy.unlink()
    announced = [_count(texts["count"], entry.name)] if "count" in texts else []
    size = place.fetch(entry.name, to, options.max_mb << 20)
    if "manifest" in texts:
        manifest = _manifest(texts["manifest"], entry.name)
        announced.append(manifest.rows)
        if manifest.sha256 is not None and manifest.sha256.lower() != _digest(to):
            raise Refused(
                f"has a file {entry.name} whose sha256 is not the one of its manifest: it was cut "
                "or changed on its way",
                "Ask the sender to send it again.",
            )
    if size != entry.size or place.entries().get(entry.name) != entry:
        raise _being_written(entry.name)
    if len(set(announced)) > 1:
        raise Refused(
            f"has a file {entry.name} whose count and manifest name different numbers of rows",
            "Ask the sender why.",
        )
    marked = bool(options.proof.beside)
    return Arrival(
        entry.name, to, size, entry.modified, announced[0] if announced else None, marked
    )


class Manifest(msgspec.Struct):
    """What a manifest says; other keys are not read."""

    rows: int
    sha256: str | None = None


def _manifest(content: bytes, name: str) -> Manifest:
    try:
        return msgspec.json.decode(content.removeprefix(b"\xef\xbb\xbf"), type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        then = 'It must be JSON such as {"rows": 1200, "sha256": "..."}; sha256 may be left out.'
        raise Refused(f"has a file {name} with a manifest that cannot be read", then) from None


def _count(content: bytes, name: str) -> int:
    text = content.removeprefix(b"\xef\xbb\xbf").strip()
    if not text.isdigit() or len(text) > 12:
        raise Refused(
            f"has a file {name} whose count is no whole number",
            "It must hold the number of rows and nothing else.",
        )
    return int(text)


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _beside(pattern: str, name: str) -> str:
    return pattern.replace("{name}", name).replace("{stem}", PurePosixPath(name).stem)
