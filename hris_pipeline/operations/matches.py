"""What people decide about who is who: one record and user, or many at once; kept, and used by the
next sync.

Each function returns what was decided, in sentences for whoever asked, or raises a
:class:`~hris_pipeline.errors.PipelineError` with nothing decided. Nothing is carried out here.
"""

import datetime as dt
from pathlib import Path
from typing import Literal

from hris_pipeline.errors import PipelineError
from hris_pipeline.identity import decisions
from hris_pipeline.operations import filled_in
from hris_pipeline.operations.warehouses import warehouse_of
from hris_pipeline.settings import Company
from hris_pipeline.wording import count


def decide(
    company: Company,
    hris_ref: str,
    deskbird_id: str,
    word: Literal["link", "separate"],
    *,
    because: str | None,
    by: str,
    now: dt.datetime,
) -> list[str]:
    """Decide that a record is a user, or that it is not."""
    connections = tuple(company.hris)
    with warehouse_of(company).write(connections) as con:
        done = decisions.decide(
            con,
            hris_ref,
            deskbird_id,
            word,
            connections=connections,
            because=because,
            by=by,
            now=now,
        )
    is_ = "is" if word == "link" else "is not"
    if not done.new:
        return [
            (
                f"It is decided already that record {hris_ref} {is_} user {deskbird_id}. "
                "Nothing was "
                "changed."
            )
        ]
    said = [f"Decided: record {hris_ref} {is_} user {deskbird_id}."]
    said += [
        f"That takes the place of the decision that record {ref} is user {user}."
        for ref, user in done.replaced
    ]
    if word == "link" and done.owner:
        said.append(f"So far the user has belonged to record {done.owner}.")
    if word == "link" and done.foreign:
        said.append("The user carries another system's externalId; our marker will take its place.")
    if done.held_back:
        said.append(
            "The record is in quarantine: the decision is used once the record breaks no rule any "
            "more."
        )
    return [*said, _what_follows(company)]


def decide_many(
    company: Company,
    file: Path | None,
    *,
    because: str | None,
    by: str,
    now: dt.datetime,
    dry_run: bool,
) -> list[str]:
    """Decide what a file says, else a link for everybody whose e-mail fits exactly one marked user;
    all or nothing.
    """
    given = None if file is None else filled_in.decisions_in(filled_in.text_of(file), str(file))
    warehouse, connections, left = warehouse_of(company), tuple(company.hris), 0
    if given is None:
        with warehouse.read() as con:
            given, left = decisions.linkable_by_email(con)
    with warehouse.read() if dry_run else warehouse.write(connections) as con:
        done, refused = decisions.decide_all(
            con,
            given,
            connections=connections,
            because=because,
            by=by,
            now=now,
            only_tried=dry_run,
        )
        if refused:
            lines = [f"{file}, line {each.decision.line}: {each.why}" for each in refused]
            raise PipelineError("\n".join([*lines, filled_in.nothing_decided(len(lines))]))
    new = [one for one, decided in zip(given, done, strict=True) if decided.new]
    links = sum(one.word == "link" for one in new)
    would = "Would decide" if dry_run else "Decided"
    said = [f"{would}: {count(links, 'link')}, {count(len(new) - links, 'separation')}."]
    if len(new) < len(given):
        said.append(f"{len(given) - len(new):,} were decided so already.")
    if replaced := sum(len(decided.replaced) for decided in done):
        said.append(
            f"{count(replaced, 'earlier link')} "
            f"{'would be' if dry_run else 'is' if replaced == 1 else 'are'} replaced."
        )
    if foreign := sum(
        decided.foreign and one.word == "link" for one, decided in zip(given, done, strict=True)
    ):
        said.append(
            f"{count(foreign, 'user')} of them carry another system's externalId; our marker will "
            "take its place."
        )
    if left:
        said.append(
            f"{count(left, 'person', 'people')} of the same rule {'is' if left == 1 else 'are'} "
            "decided already, or the e-mail does not fit exactly one user: hris-pipeline review "
            f"{company.name}"
        )
    if dry_run:
        said.append("Nothing was decided.")
    elif new:
        said.append(_what_follows(company))
    return said


def _what_follows(company: Company) -> str:
    return (
        f"The next sync or apply uses it; see what follows: hris-pipeline sync {company.name} "
        "--dry-run"
    )
