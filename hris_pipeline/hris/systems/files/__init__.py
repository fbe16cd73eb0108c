"""Files: a nightly export as CSV, TSV, Excel or JSON, in a folder of this machine or on an SFTP
server.

For HR systems that nobody has written a connector for. ``docs/files.md`` says what a company file
can say of them.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from hris_pipeline import clock
from hris_pipeline.contracts.attributes import OPT_IN
from hris_pipeline.contracts.extracts import Extract, Progress, Proof
from hris_pipeline.contracts.probes import Probe
from hris_pipeline.errors import HrisError
from hris_pipeline.hris.extract import EmployeeFile, OrgUnitFile
from hris_pipeline.hris.system import Account, Capabilities, System
from hris_pipeline.hris.systems.files import encodings, records
from hris_pipeline.hris.systems.files.arrivals import Arrival, choose, receive, settled
from hris_pipeline.hris.systems.files.contents import Content, open_content
from hris_pipeline.hris.systems.files.options import Options
from hris_pipeline.hris.systems.files.places import Entry, Folder, Place, Refused, Server
from hris_pipeline.hris.systems.files.records import Survey, Written, survey
from hris_pipeline.settings import HrisAccount, KeyPath

FETCHED = "fetched."  # what our copies of the files are called, and a number
NEEDED = ("email", "status")
"""What nothing works without, though a JSON file may have it for nobody."""


@dataclass(frozen=True)
class Files(Account[Options]):
    """One feed of files, ready to be read."""

    def __post_init__(self) -> None:
        """Read no column of an attribute that nobody asked for."""
        unasked = dict.fromkeys(set(OPT_IN) - set(self.attributes))
        columns = self.options.columns.model_copy(update=unasked)
        object.__setattr__(self, "options", self.options.model_copy(update={"columns": columns}))

    def read(self, directory: Path, progress: Progress) -> tuple[Extract, Extract]:
        """Read tonight's file, or raise :class:`~hris_pipeline.errors.HrisError` and leave no file.

        Of a delta feed all files that are not too old; both extracts are partial then.
        """
        try:
            with self._place() as place:
                entries, listing = self._chosen(place)
                arrivals = self._received(place, entries, listing, directory)
            return self._written(arrivals, directory, progress)
        except Refused as problem:
            what = f"Files connection '{self.name}' {problem.what}."
            undone = "Nothing of this extract is used; deskbird is left as it is."
            raise HrisError(
                f"{what} {undone} {problem.then}", problem=what, remedy=problem.then
            ) from None
        finally:
            for path in directory.glob(f"{FETCHED}*"):
                path.unlink(missing_ok=True)

    def probes(self) -> Iterator[Probe]:
        """What a night would do with the file that is there now, but write; nothing is tried after
        what failed.
        """
        what = None
        with tempfile.TemporaryDirectory() as folder:
            try:
                for step in self._steps(Path(folder)):
                    if what is not None:
                        yield Probe(what)
                    what = step if isinstance(step, str) else None
                    if isinstance(step, Probe):
                        yield step
            except Refused as problem:
                yield Probe(what or "", f"It {problem.what}.", problem.then)

    def _steps(self, folder: Path) -> Iterator[str | Probe]:
        """Each thing to try, told before it is tried; at the end what shows only once all else is
        in order.
        """
        place = self._place()
        yield (
            f"log-in at {place.title}, whose key is sftp.host_key"
            if self.options.sftp
            else f"folder {place.title}"
        )
        with place:
            yield (
                f"a file {self.options.pattern} there that is new enough and no longer written to"
            )
            entries, listing = self._chosen(place)
            yield "the file itself, and what options.proof says lies beside it"
            arrivals = self._received(place, entries, listing, folder)
        yield "its form and its columns"
        contents = self._opened(arrivals)
        yield from (
            probe for probe in (_encoding_tried(content) for content in contents) if probe.problem
        )
        yield "its rows: ids, dates, how many they are"
        found = survey(contents, self.options, self._named, self.kinds)
        yield self._statuses_tried(found)
        yield from self._dates_tried(found)
        yield from self._words_tried(found)
        yield from self._repeated_tried(contents, found)
        yield self._proof_tried()

    def _statuses_tried(self, found: Survey) -> Probe:
        what = "its words for a status"
        if not found.unknown_statuses:
            return Probe(what)
        problem = (
            f"{found.unknown_statuses} rows have a status that options.statuses does not explain; "
            "these people are held back."
        )
        remedy = (
            'Add the words to options.statuses in the company file; "" stands for a blank status.'
        )
        return Probe(what, problem, remedy, needed=False)

    def _dates_tried(self, found: Survey) -> Iterator[Probe]:
        for name, number in found.unreadable.items():
            if number:
                header = self._named[name][0]
                problem = (
                    f"{number} of {found.dates[name]} in column '{header}' are none; these people "
                    "are held back."
                )
                yield Probe(
                    f"its dates ({name})",
                    problem,
                    records.remedy_for_days(name, found, header),
                    needed=False,
                )

    def _words_tried(self, found: Survey) -> Iterator[Probe]:
        if found.suspects:
            shown = [
                f'"{word}" ({", ".join(attributes)})'
                for word, attributes in sorted(found.suspects.items())
            ]
            problem = f"Some look as if they meant nothing, and are names here: {', '.join(shown)}."
            words = ", ".join(f'"{word}"' for word in sorted(found.suspects))
            remedy = (
                f"If they mean nothing, set options.empty: [{words}], or empty of that column "
                "alone; else leave them."
            )
            yield Probe("its names, groups and addresses", problem, remedy, needed=False)

    def _repeated_tried(self, contents: Sequence[Content], found: Survey) -> Iterator[Probe]:
        people = sorted(records.contradicting(contents, self.options, self._named, found))
        if people:
            shown = ", ".join(people[:3]) + (", ..." if len(people) > 3 else "")
            problem = (
                f"{len(people)} people have several rows that contradict each other (ids {shown}); "
                "they are held back."
            )
            remedy = (
                "Have them corrected; where a file has one row for each contract, map "
                "options.columns.employment_id to the contract's id."
            )
            yield Probe("its several rows of one person", problem, remedy, needed=False)

    def _proof_tried(self) -> Probe:
        what = "a proof that the file is whole"
        if self.options.feed == "delta" or self.options.proof.beside or self.options.proof.trailer:
            return Probe(what)
        return Probe(
            what,
            "Nothing shows it, so nobody is deactivated and nothing else taken away.",
            "Have the sender add a last row with the number of rows, or a file beside it, and name "
            "that in options.proof.",
            needed=False,
        )

    @property
    def _named(self) -> dict[str, tuple[str, ...]]:
        return records.headers(self.options, self.kinds)

    def _place(self) -> Place:
        folder, server = self.options.folder, self.options.sftp
        return Folder(folder) if server is None else Server(server, folder, **self.credentials)

    def _chosen(self, place: Place) -> tuple[list[Entry], Mapping[str, Entry]]:
        """Tonight's files, and the listing they are in."""
        entries = choose(place, self.options, clock.now(), self.timezone)
        return entries, settled(place, entries, self.options)

    def _received(
        self, place: Place, entries: Sequence[Entry], listing: Mapping[str, Entry], directory: Path
    ) -> list[Arrival]:
        copies = [directory / f"{FETCHED}{number}" for number in range(len(entries))]
        return [
            receive(place, entry, self.options, listing, copy)
            for entry, copy in zip(entries, copies, strict=True)
        ]

    def _opened(self, arrivals: Sequence[Arrival]) -> list[Content]:
        headers = tuple(chain.from_iterable(self._named.values()))
        return [open_content(each.name, each.path, headers, self.options) for each in arrivals]

    def _written(
        self, arrivals: Sequence[Arrival], directory: Path, progress: Progress
    ) -> tuple[Extract, Extract]:
        """Judge what was fetched, then write it."""
        options, named = self.options, self._named
        contents = self._opened(arrivals)
        found = survey(contents, options, named, self.kinds)
        everybody = sum(found.rows)
        columns = dict.fromkeys((*records.attributes(options.columns), *records.UNASKED))
        people, units = (
            EmployeeFile(directory, columns, self.kinds, omits_empty=options.omits_empty),
            OrgUnitFile(directory),
        )
        with people, units:
            written = records.write(
                contents,
                options,
                named,
                found,
                people=people,
                units=units,
                progress=lambda n: progress("employees", n, everybody),
            )
            missing = [f"'{named[name][0]}'" for name in NEEDED if name in written.vanished]
            if missing:
                raise Refused(
                    f"has nobody with {' or '.join(missing)}",
                    "Correct options.columns, or have the export changed back.",
                )
        proof, why = _judge(arrivals, contents, found, options)
        why += _remarks(contents, found, written)
        why_units = f"Read from the same file. {why}"
        announced = _announced(arrivals[0], contents[0])
        expected = announced[0] if announced and everybody == len(found.ids) else None
        partial = options.feed == "delta"
        vanished = () if partial else written.vanished  # of whom nothing changed nothing is said
        return (
            Extract(
                "employees",
                people.path,
                len(contents),
                len(found.ids),
                expected,
                proof,
                why,
                vanished,
                partial=partial,
            ),
            Extract(
                "org_units",
                units.path,
                len(contents),
                units.count,
                None,
                proof,
                why_units,
                partial=partial,
            ),
        )


def _encoding_tried(content: Content) -> Probe:
    """Whether what the company file says of the encoding makes words of this file."""
    remedy = (
        encodings.doubt(content.path, content.encoding) if content.kind in {"csv", "tsv"} else None
    )
    problem = f"Read as {content.encoding}, some of its letters make no words." if remedy else None
    return Probe("its encoding", problem, remedy, needed=False)


def _announced(arrival: Arrival, content: Content) -> list[int]:
    """The numbers of rows that a file's trailer, count and manifest name."""
    return [number for number in (arrival.announced, content.announced) if number is not None]


def _judge(
    arrivals: Sequence[Arrival], contents: Sequence[Content], found: Survey, options: Options
) -> tuple[Proof, str]:
    """Whether all was read that there is: by what the sender says of the file, never by how it
    looks.
    """
    if options.feed == "delta":
        return (
            "unproven",
            "A delta file holds only who changed, so it adds and changes and takes nothing away.",
        )
    arrival, content = arrivals[0], contents[0]
    if found.without_id:
        return (
            "unproven",
            (
                f"{found.without_id} of the {content.rows} rows of {content.name} have no id, so "
                "nobody knows whose they are."
            ),
        )
    announced = _announced(arrival, content)
    for number in announced:
        if number != content.rows:
            return (
                "unproven",
                f"{content.rows} of the {number} rows that were announced are in {content.name}.",
            )
    if announced:
        return "proven", f"All {content.rows} rows that were announced are in {content.name}."
    if arrival.marked:
        return (
            "proven",
            f"The sender marked {content.name} as whole; all its {content.rows} rows were read.",
        )
    return (
        "unproven",
        (
            f"Nothing shows that {content.name} is whole; its {content.rows} rows were read "
            "(options.proof)."
        ),
    )


def _remarks(contents: Sequence[Content], found: Survey, written: Written) -> str:
    ignored = contents[0].ignored
    said = (
        (ignored, f"{ignored} other columns were not read."),
        (
            found.lost,
            (
                f"{found.lost} values were lost before the file was written (#N/A, or characters "
                "replaced) and count as unknown."
            ),
        ),
        (
            len(found.suspects),
            (
                f"There are words such as {', '.join(sorted(found.suspects))}, which may mean "
                "nothing (options.empty)."
            ),
        ),
        (
            len(found.contradicting),
            (
                f"{len(found.contradicting)} people have several rows that contradict each other "
                "and are held back."
            ),
        ),
        (
            written.unresolved,
            (
                f"{written.unresolved} managers were not found by their e-mail; nothing is "
                "concluded from that."
            ),
        ),
    )
    return "".join(f" {sentence}" for number, sentence in said if number)


def _mistakes(account: HrisAccount) -> Iterator[tuple[KeyPath, str]]:
    """What of an account does not go together: an address, and credentials with or without a
    server.
    """
    assert isinstance(account.options, Options)
    given, sftp = account.credentials.keys(), account.options.sftp
    if account.base_url:
        yield (
            ("base_url",),
            "is not for files: the folder stands in options.path, a server in options.sftp",
        )
    if sftp is None:
        yield from (((key,), "is for a server, and there is no options.sftp") for key in given)
    elif not {"password", "private_key"} & given:
        yield ("password",), "is missing, or private_key, as ${NAME}, to log in at options.sftp"


_ATTRIBUTES = ("email", "given_name", "family_name", "status", "start_date", "end_date")


def _mapped(options: Options) -> tuple[str, ...]:
    """The attributes that the file has columns for."""
    columns = options.columns
    manager = ("manager",) if columns.manager_id or columns.manager_email else ()
    return (*(name for name in _ATTRIBUTES if getattr(columns, name) is not None), *manager)


def _named(options: Options) -> tuple[str, ...]:
    """Of sync.attributes those that the file has columns for."""
    return tuple(name for name in OPT_IN if getattr(options.columns, name) is not None)


def _where(options: Options, attribute: str) -> str:
    columns = options.columns
    units = columns.groups.get(attribute)
    source = (
        columns.manager_id or columns.manager_email
        if attribute == "manager"
        else getattr(columns, attribute, None)
    )
    names = [units.id or units.name] if units else source.columns if source else [attribute]
    named = " or ".join(f"'{name}'" for name in names)
    return (
        f"Look at the file's column {named}, and ask whoever sends the file whether its export was "
        "changed"
    )


SYSTEM = System(
    name="files",
    title="Files",
    credentials=(),
    optional_credentials=("password", "private_key", "passphrase"),
    options=Options,
    default_base_url=None,
    group_kinds=(),
    statuses={},
    capabilities=Capabilities(
        authentication=(
            "none for a folder of this machine; for SFTP a user with password or private_key, and "
            "the server's key"
        ),
        delivers=(
            (
                "what the file has columns for: people with one or several contracts, managers by "
                "id or e-mail, groups of any kind"
            ),
            "CSV, TSV, Excel (.xlsx) and JSON, each also in a zip archive",
            "files with only who changed (feed: delta)",
        ),
        lacks=("files encrypted with PGP", "names in one column", "units within units"),
        leavers=(
            "by a status or a last day in their row; who is just no longer in a file that is "
            "proven whole counts as missing"
        ),
        completeness=(
            "a last row, a count or a manifest with the number of rows, or a marker file; without "
            "any never proven"
        ),
        rate="one file a night",
        manager="yes",
        team="yes",
        department="yes",
        cost_center="yes",
        nested_groups="no",
        photo="no",
        absences="no",
        half_days="no",
        changed_since="partly",
    ),
    connect=Files,
    mistakes=_mistakes,
    where=_where,
    mapped=_mapped,
    attributes_of=_named,
    omits_empty=lambda options: options.omits_empty,
)
