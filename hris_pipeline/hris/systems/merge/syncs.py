"""How far Merge's own copy can be trusted: the state of the linked account, and of Merge's last
sync of each model.

Merge copies the HR system into a store of its own and answers from there, whatever the state of
that copy. So every read begins and ends with what Merge says of its syncs (docs.merge.dev, sync
status; help.merge.dev 8184193 and 2988671375):

* the first sync of people is not over: an error, because what is there yet is a part of them;
* a model's last sync ended in anything but DONE, is too old, or the account has lost its link:
  unproven (case 16);
* a sync that runs (or waits in a queue) over a last good one is harmless, because it changes rows
  where they are;
* a sync that ended while we read: the read is repeated once.
"""

import datetime as dt
import email.utils
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec
from msgspec import Struct, field

from hris_pipeline import clock
from hris_pipeline.hris.api import PageWalk
from hris_pipeline.hris.systems.merge.service import DASHBOARD, PREFIX, Page, Record, Service

ACCOUNT = f"{PREFIX}/account-details"
SYNCS = f"{PREFIX}/sync-status"

BROKEN_LINKS = {
    "RELINK_NEEDED": "must be linked anew, and Merge's copy stands still until then",
    "INCOMPLETE": "was never linked completely",
    "IDLE": "is idle, and Merge's copy stands still until it is used again",
}
"""What an account's status says of the link; COMPLETE is the good one."""
BAD_ENDS = {
    "PARTIALLY_SYNCED": (
        "lacks at least one field (often for want of a permission; see its issues under "
        "{dashboard})"
    ),
    "FAILED": "failed (see its issues under {dashboard})",
    "PAUSED": (
        "is paused, after two weeks of failures or without a request (start it under {dashboard})"
    ),
    "DISABLED": "is disabled (switch the model on among the account's scopes under {dashboard})",
}
"""What a sync's status says, where it is neither good nor under way."""
GOOD, UNDER_WAY = "DONE", "SYNCING"


class AccountDetails(Struct, frozen=True):
    """What of the linked account's details is looked at."""

    status: str | None = None
    category: str | None = None


class Sync(Record, frozen=True):
    """What Merge says of its sync of one model."""

    id: str = field(name="model_id")  # hris.Employee
    status: str | None = None
    last_sync_result: str | None = None
    last_sync_finished: str | None = None
    is_initial_sync: bool | None = None

    @property
    def model(self) -> str:
        """Its name: Employee."""
        return self.id.rpartition(".")[2]


ACCOUNT_DETAILS = msgspec.json.Decoder(AccountDetails)
SYNC_PAGE = msgspec.json.Decoder(Page[Sync])


@dataclass(frozen=True)
class Judge:
    """When, and how strictly, Merge's syncs are judged."""

    now: dt.datetime
    stale_hours: float

    def model(self, model: str, sync: Sync | None) -> str | None:
        """Why Merge's copy of a model proves nothing; None where it does."""
        subject = f"Merge's sync of {model}"
        if sync is None:
            return f"Merge does not say how its sync of {model} stands"
        if sync.is_initial_sync is not False:
            return f"{subject} is still its first one"
        for word in (sync.status, sync.last_sync_result):
            if word in BAD_ENDS:
                return f"{subject} {BAD_ENDS[word].format(dashboard=DASHBOARD)}"
        if sync.status not in {GOOD, UNDER_WAY} or sync.last_sync_result not in {GOOD, None}:
            return f"{subject} is in a state that this version does not know"
        finished = _moment(sync.last_sync_finished)
        if finished is None:
            return f"Merge does not say when its sync of {model} last ended"
        hours = (self.now - finished).total_seconds() / 3600
        if hours > self.stale_hours:
            return (
                f"{subject} last ended {hours:.0f} hours ago (more than {self.stale_hours:g}; see "
                f"whether it stands still under {DASHBOARD}, or raise options.stale_hours if it "
                "runs less often)"
            )
        return None

    def models(self, models: Iterable[str], syncs: Mapping[str, Sync]) -> list[str]:
        """All doubts about these models."""
        return [doubt for model in models if (doubt := self.model(model, syncs.get(model)))]


@dataclass(frozen=True)
class Link:
    """The state of the linked account."""

    doubts: tuple[str, ...]  # what is wrong with its link to the HR system
    now: dt.datetime  # by Merge's own clock


def link(service: Service) -> Link:
    """Ask for the account. It is the first request of a read, and so tells whether Merge is there
    at all.

    :class:`~hris_pipeline.errors.HrisError` where it is no account of an HR system.
    """
    api = service.api
    response = service.get(ACCOUNT, where=ACCOUNT, model="Account details", accept={404})
    if response.status_code == 404:
        raise api.error(
            f"does not have {ACCOUNT} (HTTP 404)",
            "Check base_url in the company file; it ends in /api.",
        )
    account = api.read(response, ACCOUNT_DETAILS, ACCOUNT)
    if account.category not in {"hris", None}:
        raise api.error(
            f"says at {ACCOUNT} that the account token belongs to no HR system",
            f"Set account_token to the one of the HR system's account under {DASHBOARD}.",
        )
    now = _clock(response.headers.get("date")) or clock.now()
    if account.status == "COMPLETE":
        return Link((), now)
    trouble = BROKEN_LINKS.get(
        account.status or "", "is in a state that this version does not know"
    )
    return Link((f"the linked account {trouble} (relink it under {DASHBOARD})",), now)


def syncs(service: Service) -> dict[str, Sync]:
    """What Merge says of its syncs, by model."""
    walk = PageWalk(service.api, SYNCS, most=100)
    return {
        sync.model: sync for page in service.pages(walk, SYNC_PAGE, "Sync status") for sync in page
    }


def refuse_first(service: Service, found: Mapping[str, Sync]) -> None:
    """:class:`~hris_pipeline.errors.HrisError` while Merge's first sync of people runs: they come
    as they arrive, in part.
    """
    people = found.get("Employee")
    if people is not None and people.is_initial_sync:
        raise service.api.error(
            f"says at {SYNCS} that its first sync of Employee is not over, so that a part of the "
            "people is there only",
            f"Wait until it has ended (up to a day or more in a large company; see {DASHBOARD}), "
            "then run again.",
        )


def moved(
    models: Sequence[str], before: Mapping[str, Sync], after: Mapping[str, Sync]
) -> Iterator[str]:
    """The models whose sync ended between two looks."""
    for model in models:
        ends = [
            sync.last_sync_finished if (sync := found.get(model)) else None
            for found in (before, after)
        ]
        if ends[0] != ends[1]:
            yield model


def _clock(text: str | None) -> dt.datetime | None:
    try:
        return email.utils.parsedate_to_datetime(text or "").astimezone(dt.UTC)
    except (TypeError, ValueError):
        return None


def _moment(text: str | None) -> dt.datetime | None:
    try:
        moment = dt.datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
