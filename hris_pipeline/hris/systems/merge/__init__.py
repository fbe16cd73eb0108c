"""Merge (merge.dev), natively: one API over some eighty HR systems, which answers from a copy that
Merge keeps of each.

That copy is what is judged here: a read is proven by Merge's word on its own syncs together with a
walk to the last page. The vendor's pages: docs.merge.dev (HRIS) and help.merge.dev.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import Field

from hris_pipeline.contracts.extracts import Extract, Progress, Status
from hris_pipeline.contracts.probes import Probe
from hris_pipeline.hris.api import Api
from hris_pipeline.hris.system import Account, Capabilities, System
from hris_pipeline.hris.systems.merge import people, probes, units
from hris_pipeline.hris.systems.merge.coverage import THROUGH_MERGE
from hris_pipeline.hris.systems.merge.service import DASHBOARD, PAGE_SIZE, Service
from hris_pipeline.http import RetryPolicy
from hris_pipeline.settings import Settings

Region = Literal["us", "eu", "apac"]
Plan = Literal["launch", "professional", "enterprise"]

ADDRESSES: dict[Region, str] = {
    "us": "https://api.merge.dev/api",
    "eu": "https://api-eu.merge.dev/api",
    "apac": "https://api-ap.merge.dev/api",
}
LIMITS: dict[Plan, int] = {"launch": 100, "professional": 400, "enterprise": 600}
"""Requests a minute that Merge allows for one linked account (docs.merge.dev, rate limits)."""
SHARE = 0.985  # of the limit: as near to it as can be without being refused
RIGHTS_AT = "API keys in Merge's dashboard"
STATUSES: dict[str, Status] = {
    "active": "active",
    "pending": "upcoming",
    "inactive": "ended",
    people.DELETED: "ended",
}
# Merge shuts an address out after more than 20 failing requests in 10 seconds
PATIENCE = RetryPolicy(first_wait=1.0)


class Options(Settings):
    """What only a Merge connection has."""

    region: Region = Field(
        default="us", description="where Merge keeps the organisation's data; tells the address"
    )
    plan: Plan = Field(
        default="professional",
        description="of the organisation at Merge; tells how many requests it allows",
    )
    requests_per_minute: float | None = Field(
        default=None,
        gt=0,
        description="requests a minute; null for a little less than Merge allows the plan",
    )
    page_size: int = Field(
        default=PAGE_SIZE, ge=1, le=PAGE_SIZE, description="records asked for at once"
    )
    stale_hours: float = Field(
        default=48,
        gt=0,
        description="hours after which Merge's last sync of a model proves nothing any more",
    )
    group_types: dict[str, Literal[units.OF_GROUPS]] = Field(  # type: ignore[valid-type]
        default={},
        description=(
            "the HR system's own types of group, as Merge shows them, and the kind each is"
        ),
    )
    status_words: dict[str, Literal["ACTIVE", "PENDING", "INACTIVE"]] = Field(
        default={},
        description=(
            "the HR system's own words for a status that Merge has none for, and Merge's word for "
            "each"
        ),
    )

    @property
    def rate(self) -> float:
        """Requests a second."""
        return (self.requests_per_minute or LIMITS[self.plan] * SHARE) / 60


@dataclass(frozen=True)
class Merge(Account[Options]):
    """One linked account of Merge, ready to be read."""

    patience: RetryPolicy = field(default=PATIENCE, kw_only=True)

    def read(
        self, directory: Path, progress: Progress, since: dt.datetime | None = None
    ) -> tuple[Extract, Extract]:
        """Read employees and org units, all or what Merge's sync wrote ``since``.

        :class:`~hris_pipeline.errors.HrisError`, and no file, where that cannot be done or Merge's
        first sync is not over.
        """
        words = {word.casefold(): meaning for word, meaning in self.options.status_words.items()}
        how = people.How(
            self.kinds,
            self.options.group_types,
            words,
            self.options.stale_hours,
            since,
            self.attributes,
        )
        with self._api() as api:
            return people.read(self._service(api), directory, how, progress)

    def probes(self) -> Iterator[Probe]:
        """Try both credentials, the account's link, Merge's syncs, and each list by one record."""
        with self._api() as api:
            yield from probes.probes(self._service(api), self.kinds, self.options.stale_hours)

    def _api(self) -> Api:
        client, key = (
            self.client(self.options.rate),
            {"Authorization": f"Bearer {self.credentials['api_key']}"},
        )
        return Api(
            "Merge",
            self.name,
            self.base_url,
            client,
            RIGHTS_AT,
            key,
            rate_option="requests_per_minute",
        )

    def _service(self, api: Api) -> Service:
        return Service(api, self.credentials["account_token"], self.options.page_size)


def _where(_: Options, attribute: str) -> str:
    name = "manager_id" if attribute == "manager" else attribute
    field = (people.ATTRIBUTES | people.NAMED).get(name, attribute.replace("_", " "))
    return (
        f"See under {DASHBOARD} whether the HR system still gives {field}, and what the account's "
        "scopes and issues say"
    )


SYSTEM = System(
    name="merge",
    title="Merge",
    credentials=("api_key", "account_token"),
    options=Options,
    default_base_url=ADDRESSES["us"],
    group_kinds=units.KINDS,
    statuses=STATUSES,
    capabilities=Capabilities(
        authentication=(
            "an API key of the organisation at Merge, and the account token of the company's "
            "linked account"
        ),
        leavers=(
            "stay listed: INACTIVE, or marked as deleted where Merge detects it (an add-on for "
            "most HR systems)"
        ),
        completeness=(
            "gives no total: proven by its last page and by Merge's word that its own syncs are "
            "complete and not old"
        ),
        rate="100, 400 or 600 requests a minute for a linked account, by plan",
        manager="yes",
        # of the HR systems behind it some have no types of group, or words of their own for them
        team="partly",
        department="partly",
        cost_center="partly",
        nested_groups="partly",
        photo="partly",
        absences="partly",
        half_days="unknown",
        changed_since="yes",
        evidence="specification",
        delivers=(
            (
                "business units, other groups, locations and companies, as far as the HR system "
                "behind it has them"
            ),
        ),
        lacks=(
            "parallel employments",
            "what the HR system knew since Merge's last sync",
            "why a value is null",
        ),
    ),
    connect=Merge,
    reads_changes=True,
    variants=THROUGH_MERGE,
    address=lambda options: ADDRESSES[options.region],
    where=_where,
    omits_empty=lambda _: True,
    attributes_of=lambda _: people.NAMED,
)
