"""What waits for a person to decide: who, why, which users come into question, and the commands that decide it.

And what the HR department is to correct: records that are held back, and records that contradict themselves.
"""

import csv
import datetime as dt
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from hris_pipeline import identity
from hris_pipeline.contracts.tables import EMAIL_IS_UNIQUE, OTHER_RECORDS_ARE_SOUND
from hris_pipeline.errors import PipelineError
from hris_pipeline.identity.decisions import Decision, Word
from hris_pipeline.people import status
from hris_pipeline.presentation import clean, document, moment
from hris_pipeline.presentation.oddities import Oddities
from hris_pipeline.wording import count

_SQL, _CORRECTIONS = ((Path(__file__).parent / f"{name}.sql").read_text(encoding="utf-8") for name in ("review", "corrections"))
CONTRADICTIONS = {**status.CONTRADICTIONS, **identity.CONTRADICTIONS}
"""What does not go together, in one record or between two, by code."""
_SHOWN = 50  # of what is to be corrected, on a screen; a document holds all of it
HELD_BACK = {
    "status_is_known": "Its status is a word that is not known. Correct it, or say in the company file what it means.",
    "email_is_present": "It has no work e-mail. Enter one; a private address does not count.",
    "email_is_valid": "Its work e-mail cannot be an address. Correct it.",
    "name_is_present": "It has neither a first nor a last name. Enter one.",
    "dates_are_readable": "Its first or last day is not a date. Correct it.",
    "rows_agree": "The file has rows of this person that contradict each other. Correct or remove one.",
    EMAIL_IS_UNIQUE.name: "Another person who has not left has the same work e-mail. Correct one of the two.",
    OTHER_RECORDS_ARE_SOUND.name: "Another record of the person is held back. Correct that one.",
}
"""Why a record is held back, by the rule: what is wrong and which field the HR department corrects."""

UNREADABLE = "user_cannot_be_read"
"""What no decision ends: the person's user has to be put right in deskbird."""

RULES: Mapping[str, str] = {
    "several_users_carry_the_marker": "More than one user in deskbird carries the record's marker.",
    "several_users_belong_to_the_person": "The person's records have different users in deskbird, by their markers or links.",
    "link_and_marker_disagree": "The link that we keep names another user than the marker in deskbird does.",
    "foreign_external_id": (
        "The user who could be the person carries another system's externalId, an identity provider's perhaps; it is not "
        "overwritten unless somebody says so."
    ),
    "several_users_share_the_email": "More than one user in deskbird has the person's e-mail address.",
    "id_given_to_somebody_else": (
        "The record has another first name, last name, address and first day than the person whose user this is: perhaps its "
        "id was given to somebody else. Nothing of the user is changed until somebody decides: `link` if it is the same person, "
        "`separate` if not; then the record gets a user of its own, and the old one is left to you."
    ),
    "email_belongs_to_another_person": (
        "The user with the person's e-mail address belongs to another record: perhaps the address is used for the second time."
    ),
    "several_people_match_the_user": "More than one person has the e-mail address of the same user.",
    "email_is_taken": (
        "The address that the person has now is held by somebody else's user. Correct it there or in the HR system; all else "
        "about the person is kept in line."
    ),
    UNREADABLE: (
        "deskbird gives the person's user in a form that cannot be read, so nothing is changed about the person. deskbird's "
        "support can put the user right; another user is not created."
    ),
    "fails_for_28_days": (
        "deskbird has refused every write about the person for 28 days. `hris-pipeline explain` shows its answers; correct the "
        "record in the HR system or the user in deskbird."
    ),
    "link_groups_finds_nothing": (
        "A rule of the company file's sync.link_groups names a unit or a group that is not there. Correct it."
    ),
    "link_groups_finds_several": (
        "A rule of the company file's sync.link_groups fits several units or groups, or the same as another rule. Write ids."
    ),
    "link_groups_finds_the_group_of_another_unit": (
        "A rule of the company file's sync.link_groups names a group that belongs to another unit that people are in. Correct it."
    ),
    "link_groups_leaves_another_group": (
        "A rule of the company file's sync.link_groups gives the unit another group than it has had; the old one is left alone. "
        "Delete it in deskbird or take the rule away."
    ),
}
"""Why something waits, by the rule's name, in one plain sentence or two."""


_OF_GROUPS = frozenset(
    {
        "link_groups_finds_nothing",
        "link_groups_finds_several",
        "link_groups_finds_the_group_of_another_unit",
        "link_groups_leaves_another_group",
    }
)


def is_about_a_group(rule: str) -> bool:
    """Whether it waits for a better rule in the company file, and no command decides it."""
    return rule in _OF_GROUPS


def meaning(rule: str) -> str:
    """The rule in words."""
    return RULES.get(rule, f"{rule.replace('_', ' ').capitalize()}.")


@dataclass(frozen=True, repr=False)
class Waiting:
    """One person, or one unit, about whom somebody must decide. Holds personal data, so it has no ``repr``."""

    hris_ref: str
    name: str | None
    rule: str
    since: dt.datetime
    candidates: Sequence[Mapping[str, Any]]
    """The users (groups) it might be: ``deskbird_id``, ``there`` (in deskbird), ``name``, ``email``, ``active``, ``hris_ref``
    (whose it is), ``external_id``, and what was decided about the pair since: ``decision``, ``decided_by``, ``decided_at``."""

    def commands(self, company: str) -> list[str]:
        """What decides it; one of them for each user that comes into question."""
        if is_about_a_group(self.rule) or self.rule == UNREADABLE:
            return []
        ids = [candidate["deskbird_id"] for candidate in self.candidates]
        words = ("link",) if self.rule == "email_is_taken" else ("link", "separate")
        return [f"hris-pipeline {word} {company} {self.hris_ref} {id_}" for word in words for id_ in ids]


@dataclass(frozen=True, repr=False)
class Correction:
    """One record that the HR department is to correct. Holds personal data, so it has no ``repr``."""

    hris_ref: str
    name: str | None
    code: str  # of a contradiction, or the rule by which the record is held back
    decided: str | None  # what the person counts as all the same; None: the record is held back
    word: str | None
    first_day: dt.date | None
    last_day: dt.date | None
    since: dt.datetime

    @property
    def meaning(self) -> str:
        """What is wrong and which field is to be corrected."""
        return CONTRADICTIONS.get(self.code) or HELD_BACK.get(self.code) or f"It breaks rule {self.code}."

    @property
    def said(self) -> str:
        """What the record says, and what follows from it tonight."""
        if self.decided is None:
            return "held back: nothing about the person is changed"
        return said(self.word, self.first_day, self.last_day, self.decided)


def said(word: str | None, first_day: dt.date | None, last_day: dt.date | None, decided: str) -> str:
    """``status active, first day 2026-02-01, last day 2024-05-31; counts as active``."""
    days = f"first day {first_day or 'none'}, last day {last_day or 'none'}"
    return f"status {word}, {days}; counts as {decided}".replace("_", " ")


def corrections(con: duckdb.DuckDBPyConnection) -> list[Correction]:
    """What is to be corrected in the HR system: who is held back first, then who is decided all the same."""
    schemas = con.execute(
        "select table_schema from information_schema.tables where table_name = 'employees' and starts_with(table_schema, 'hris_')"
    ).fetchall()
    union = [
        f"""select '{schema.removeprefix("hris_")}:' || id as hris_ref,
                any_value(nullif(concat_ws(' ', clean_text(given_name), clean_text(family_name)), '')) as name
            from "{schema}".employees group by id"""
        for (schema,) in schemas
    ]
    con.execute(
        f"""create or replace temp view records_named as
            {" union all ".join(union or ["select null::varchar as hris_ref, null::varchar as name where false"])}"""
    )
    return [Correction(*row) for row in con.execute(_CORRECTIONS).fetchall()]


def read(con: duckdb.DuckDBPyConnection, source: str = "from state.review") -> list[Waiting]:
    """Everything that waits, as of the last plan or as ``source`` has it; the oldest first."""
    con.execute(f"create or replace temp view waits as {source}")
    return [
        Waiting(ref, name, rule, since, [one for one in json.loads(candidates) if one["deskbird_id"]])
        for ref, name, rule, since, candidates in con.execute(_SQL).fetchall()
    ]


def candidate_line(candidate: Mapping[str, Any]) -> str:
    """``u7  Ada Beispiel  ada@example.com  active, of personio:9``."""
    state = {True: "active", False: "inactive", None: "a group"}[candidate["active"]]
    if not candidate["there"]:
        state = "not there any more"
    elif candidate["hris_ref"]:
        state += f", of {candidate['hris_ref']}"
    elif candidate["external_id"]:
        state += f", carries externalId {candidate['external_id']}"
    parts = (candidate["deskbird_id"], candidate["name"], candidate["email"], state)
    return clean("  ".join(part for part in parts if part))


def facts_line(candidate: Mapping[str, Any]) -> str:
    """``agrees: email; differs: given name, family name``."""
    found = {relation: ", ".join(candidate.get(relation) or ()).replace("_", " ") for relation in ("agrees", "differs")}
    return "; ".join(f"{relation}: {facts}" for relation, facts in found.items() if facts)


def show(
    to: Console,
    company: str,
    waiting: Sequence[Waiting],
    *,
    timezone: str,
    to_correct: Sequence[Correction] = (),
    unread: Sequence[str] = (),
) -> None:
    """Print the list; ``unread`` says which records of deskbird could not be read."""
    for record in unread:
        to.print(Text(record, "yellow"))
    if unread:
        to.print(Text("They are left alone. deskbird's support can put them right.\n", "dim"))
    for one in waiting:
        to.print(
            Text.assemble(
                (clean(one.name or "(no name)"), "bold"), f"  {one.hris_ref}", (f"  since {moment(one.since, timezone)}", "dim")
            )
        )
        lines = [Text(meaning(one.rule), "yellow")]
        for candidate in one.candidates:
            decided = candidate["decision"] and f"  ({candidate['decision']} decided; the next sync uses it)"
            lines.append(Text.assemble(candidate_line(candidate), (decided or "", "green")))
            if facts := facts_line(candidate):
                lines.append(Text(f"  {facts}", "dim"))
        lines += [Text(command, "dim") for command in one.commands(company)]
        for line in lines:
            to.print(Padding(line, (0, 0, 0, 4)))
        to.print()
    foreign = len({one.hris_ref for one in waiting if one.rule == "foreign_external_id"})
    if foreign > 1:
        to.print(
            Text(
                f"{count(foreign, 'user')} carry another system's mark. One decision for all whose e-mail fits exactly one user: "
                f"hris-pipeline link {company} --all-by-email --because TEXT"
            )
        )
    decided = len({one.hris_ref for one in waiting})
    to.print(Text(f"{decided:,} to decide on." if decided else "Nobody waits for a decision.", "bold"))
    if to_correct:
        to.print()
        _show_corrections(to, to_correct, timezone)


# --- as a file that is filled in ------------------------------------------------------------------------------------------------

COLUMNS = ("hris_ref", "rule", "deskbird_id", "candidates", "decision", "person", "user")
_NEEDED = ("hris_ref", "deskbird_id", "decision")
_WORDS: Mapping[str, Word] = {"link": "link", "separate": "separate"}


def as_csv(waiting: Sequence[Waiting]) -> str:
    """The list as CSV, a row for each person and user in question, for somebody to fill in the column ``decision``.

    What waits for the company file is left out, because no decision ends it.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for one in waiting:
        if is_about_a_group(one.rule) or one.rule == UNREADABLE:
            continue
        ids = " ".join(candidate["deskbird_id"] for candidate in one.candidates)
        for candidate in one.candidates:
            shown = (one.name or "", candidate_line(candidate))
            writer.writerow((one.hris_ref, one.rule, candidate["deskbird_id"], ids, "", *map(_harmless, shown)))
    return text.getvalue()


def _harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@"} else clean(text)


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
            f"{file} has no column {' and no column '.join(absent)}. Nothing was decided. Write the file with "
            "`hris-pipeline review COMPANY --out FILE.csv` and fill in the column decision."
        )
    found, wrong = [], []
    for row in reader:
        cells = dict(zip(header, (cell.strip() for cell in row), strict=False))
        word = cells.get("decision", "").lower()
        if not word:
            continue
        if word not in _WORDS:
            wrong.append(f"{file}, line {reader.line_num}: the decision must be link, separate or nothing.")
        elif not cells["hris_ref"] or not cells.get("deskbird_id"):
            wrong.append(f"{file}, line {reader.line_num}: a decision needs an hris_ref and a deskbird_id.")
        else:
            found.append(Decision(cells["hris_ref"], cells["deskbird_id"], _WORDS[word], reader.line_num))
    if wrong:
        raise PipelineError("\n".join([*wrong, nothing_decided(len(wrong))]))
    return found


def nothing_decided(rows: int) -> str:
    """The end of a list of rows that cannot be used."""
    return f"Nothing was decided: correct {'this row' if rows == 1 else f'these {rows:,} rows'} and start again."


def _show_corrections(to: Console, to_correct: Sequence[Correction], timezone: str) -> None:
    to.print(Text(f"{count(len(to_correct), 'record')} to correct in the HR system:", "bold"))
    before = None
    for one in to_correct[:_SHOWN]:
        if one.code != before:
            to.print(Padding(Text(f"{one.code}: {one.meaning}", "yellow"), (0, 0, 0, 2)))
        before = one.code
        who = Text.assemble((clean(one.name or "(no name)"), "bold"), f"  {one.hris_ref}  {one.said}")
        to.print(Padding(Text.assemble(who, (f"  since {moment(one.since, timezone)}", "dim")), (0, 0, 0, 4)))
    if len(to_correct) > _SHOWN:
        more = f"... and {len(to_correct) - _SHOWN:,} more, in core.quarantine and state.contradictions"
        to.print(Padding(Text(more, "dim"), (0, 0, 0, 4)))


def as_json(company: str, waiting: Sequence[Waiting], to_correct: Sequence[Correction] = (), odd: Oddities | None = None) -> str:
    """The list as one versioned JSON document."""
    body = [{**vars(one), "meaning": meaning(one.rule), "commands": one.commands(company)} for one in waiting]
    correct = [{**vars(one), "meaning": one.meaning} for one in to_correct]
    unread = (odd or Oddities()).as_json()["unreadable_records"]
    return document("review", company, {"waiting": body, "to_correct": correct, "unreadable_records": unread})
