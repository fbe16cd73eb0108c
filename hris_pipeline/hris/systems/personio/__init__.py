"""Personio, natively, both generations of its API: v2 (persons and their employments) and v1
(employees).

Either way a person's id is the same number, so ``options.api`` can be switched without touching
anybody. The vendor's pages: developer.personio.de.
"""

import datetime as dt
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from hris_pipeline.contracts.extracts import Extract, Progress
from hris_pipeline.contracts.photos import Asked, Photo
from hris_pipeline.contracts.probes import Probe
from hris_pipeline.hris.api import Api
from hris_pipeline.hris.system import Account, Capabilities, System, Variant
from hris_pipeline.hris.systems.personio import auth, pictures, v1, v2
from hris_pipeline.settings import Settings, Text, refuse

# v1 allows 300 a minute; v2 was measured to allow 30 a second on each path
RATES = {"v1": 4.5, "v2": 25.0}


class Options(Settings):
    """What only a Personio connection has."""

    api: Literal["v2", "v1"] = Field(default="v2", description="generation of Personio's API")
    total_from_v1: bool = Field(
        default=True,
        description="v2 only: compare the people read with the total that one v1 request gives",
    )
    requests_per_second: float | None = Field(
        default=None,
        gt=0,
        description=(
            "requests a second on each path; null for 25 (v2) or 4.5 (v1), below Personio's limits"
        ),
    )
    concurrency: int = Field(
        default=8,
        ge=1,
        le=64,
        description="employments (v2) or pictures asked for at the same time",
    )
    attributes: dict[Literal["title", "phone"], Text] = Field(
        default={},
        description=(
            "the attribute that holds each of sync.attributes: its key, such as dynamic_305, or "
            "its well-known id; the title is in position where nothing is said"
        ),
    )

    @field_validator("attributes")
    @classmethod
    def _named_once(cls, named: dict[str, str]) -> dict[str, str]:
        taken = {*v1.ATTRIBUTES.values(), *v1.GROUPS.values(), "id"}
        refuse(
            [
                ((name,), "is read as something else already")
                for name, key in named.items()
                if key in taken
            ]
        )
        return named

    @property
    def named(self) -> dict[str, str]:
        """What of sync.attributes is there, and Personio's attribute for it."""
        named: dict[str, str] = {"title": v1.POSITION}
        return named | {str(name): key for name, key in self.attributes.items()}


@dataclass(frozen=True)
class Personio(Account[Options]):
    """One Personio account, ready to be read."""

    def read(
        self, directory: Path, progress: Progress, since: dt.datetime | None = None
    ) -> tuple[Extract, ...]:
        """Read employees and org units, or raise :class:`~hris_pipeline.errors.HrisError` and leave
        no file.

        Everybody, or who changed ``since``. Whether a change of an employment alone counts as one
        of the person is not documented; the nightly read sees it in any case.
        """
        with self.api(self._rate) as api:
            if self.options.api == "v1":
                return v1.read(api, directory, self.kinds, progress, named=self._named, since=since)
            return v2.read(api, directory, self.kinds, self._how, progress, since=since)

    def probes(self) -> Iterator[Probe]:
        """Try the credential, each right and each attribute, reading one record of a list at
        most.
        """
        with self.api(self._rate) as api:
            if self.options.api == "v1":
                yield from v1.probes(api, self.kinds, self._named)
            else:
                yield from v2.probes(api, self.kinds, self._how)

    @property
    def _rate(self) -> float:
        return self.options.requests_per_second or RATES[self.options.api]

    @property
    def _how(self) -> v2.How:
        return v2.How(
            self._rate,
            self.options.concurrency,
            total_from_v1=self.options.total_from_v1,
            named=self._named,
        )

    @property
    def _named(self) -> dict[str, str]:
        return {name: self.options.named[name] for name in self.attributes}

    def photos(self, asked: Sequence[Asked]) -> Generator[Photo]:
        """Profile pictures, by v1 whatever ``options.api`` says; see
        :class:`~hris_pipeline.contracts.photos.PhotoSource`.

        A picture is worth one more try, not a night's patience.
        """
        patience = replace(
            self.patience,
            tries=min(2, self.patience.tries),
            in_all=min(60.0, self.patience.in_all),
        )
        hasty = replace(self, patience=patience, timeout=min(20.0, self.timeout))
        rate = (self.options.requests_per_second if self.options.api == "v1" else None) or RATES[
            "v1"
        ]
        with hasty.api(rate) as api:
            yield from pictures.read(api, asked, concurrency=self.options.concurrency)

    def api(self, requests_per_second: float) -> Api:
        """The account's API; a token is asked for with the first request."""
        login = auth.login_v1 if self.options.api == "v1" else auth.login_v2

        def sign(api: Api) -> dict[str, str]:
            token = login(api, self.credentials["client_id"], self.credentials["client_secret"])
            return {"Authorization": f"Bearer {token}"}

        client = self.client(requests_per_second, auth.HEADERS)
        return Api("Personio", self.name, self.base_url, client, auth.RIGHTS_AT, sign)


_RIGHTS = (
    "client id and secret of an API credential (Settings > Integrations > API credentials) with "
    "read access to "
)
_LEAVERS = (
    "stay listed: active until the termination date has passed, then inactive; deleted people just "
    "disappear"
)
V2 = Capabilities(
    authentication=(
        f"{_RIGHTS}persons, to the organisational units that are synced, and to each attribute by "
        "name"
    ),
    leavers=_LEAVERS,
    completeness=(
        "gives no total, so it is compared with v1's where the credential may read employees too"
    ),
    rate="about 30 requests a second on each path (measured; none is published)",
    manager="yes",
    team="yes",
    department="yes",
    cost_center="yes",
    nested_groups="yes",
    photo="yes",
    absences="yes",
    half_days="yes",
    changed_since="partly",  # of a change in the employment alone no document says that it shows
    evidence="specification",
    delivers=("parallel and future employments", "workplaces and legal entities"),
    lacks=("one request for everybody's employments: it takes one for each person",),
)
V1 = Capabilities(
    authentication=f"{_RIGHTS}employees and to each attribute by name",
    leavers=_LEAVERS,
    completeness="proven by the total that it gives",
    rate="300 requests a minute",
    manager="yes",
    team="yes",
    department="yes",
    cost_center="yes",
    nested_groups="no",
    photo="yes",
    absences="yes",
    half_days="yes",
    changed_since="yes",
    evidence="specification",
    delivers=("offices and subcompanies",),
    lacks=("any but the current employment", "units in which nobody is"),
)


def _where(options: Options, attribute: str) -> str:
    if options.api == "v2" and attribute in v2.UNIT_LISTS:
        return f"Switch on {v2.UNIT_LISTS[attribute].right} under {auth.RIGHTS_AT}"
    word = v1.LABELS.get(
        "manager_id" if attribute == "manager" else attribute,
        options.named.get(attribute, attribute),
    )
    return f"Tick '{word}' among the readable attributes of the credential under {auth.RIGHTS_AT}"


SYSTEM = System(
    name="personio",
    title="Personio",
    credentials=("client_id", "client_secret"),
    options=Options,
    default_base_url="https://api.personio.de",
    group_kinds=tuple(v1.GROUPS),
    statuses={
        "active": "active",
        "leave": "on_leave",
        "onboarding": "upcoming",
        "inactive": "ended",
    },
    capabilities=V2,
    connect=Personio,
    reads_changes=True,
    variants=(
        Variant("personio_v2", "Personio v2", "system: personio", V2),
        Variant("personio_v1", "Personio v1", "system: personio, options: {api: v1}", V1),
    ),
    labels=v1.LABELS,
    photos=True,
    where=_where,
    omits_empty=lambda options: options.api == "v2",
    attributes_of=lambda options: options.named,
)
