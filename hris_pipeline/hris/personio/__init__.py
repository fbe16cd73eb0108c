"""Personio, natively, both generations of its API: v2 (persons and their employments) and v1 (employees).

Either way a person's id is the same number, so ``options.api`` can be switched without touching anybody. The vendor's pages:
developer.personio.de.
"""

import contextlib
import datetime as dt
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import httpx  # noqa: TID251 - an edge
from pydantic import BaseModel, ConfigDict, Field

from hris_pipeline.hris.api import Api
from hris_pipeline.hris.extract import Extract, Progress, Status, Trial
from hris_pipeline.hris.personio import auth, pictures, v1, v2
from hris_pipeline.hris.photos import Asked, Photo
from hris_pipeline.hris.system import Capabilities, System, Variant
from hris_pipeline.http import Client, Pacer, Patience

BASE_URL = "https://api.personio.de"
CREDENTIALS = ("client_id", "client_secret")
GROUP_KINDS = ("team", "department", "cost_center", "location", "legal_entity")
STATUSES: dict[str, Status] = {"active": "active", "leave": "on_leave", "onboarding": "upcoming", "inactive": "ended"}
RATES = {"v1": 4.5, "v2": 25.0}  # v1 allows 300 a minute; v2 was measured to allow 30 a second on each path


class Options(BaseModel):
    """What only a Personio connection has."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    api: Literal["v2", "v1"] = Field(default="v2", description="generation of Personio's API")
    total_from_v1: bool = Field(
        default=True, description="v2 only: compare the people read with the total that one v1 request gives"
    )
    requests_per_second: float | None = Field(
        default=None, gt=0, description="requests a second on each path; null for 25 (v2) or 4.5 (v1), below Personio's limits"
    )
    concurrency: int = Field(default=8, ge=1, le=64, description="employments (v2) or pictures asked for at the same time")


@dataclass(frozen=True)
class Personio:
    """One Personio account, ready to be read."""

    name: str
    base_url: str
    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)
    options: Options
    kinds: tuple[str, ...]
    transport: httpx.BaseTransport | None = None
    patience: Patience = field(default_factory=Patience)
    timeout: float = 60.0

    def read(self, directory: Path, progress: Progress, since: dt.datetime | None = None) -> tuple[Extract, ...]:
        """Read employees and org units, or raise :class:`~hris_pipeline.errors.HrisError` and leave no file.

        Everybody, or who changed ``since``. Whether a change of an employment alone counts as one of the person is not
        documented; the nightly read sees it in any case.
        """
        with self._api(self._rate, self.patience, self.timeout) as api:
            if self.options.api == "v1":
                return v1.read(api, directory, self.kinds, progress, since=since)
            return v2.read(api, directory, self.kinds, self._settings, progress, since=since)

    def trials(self) -> Iterator[Trial]:
        """Try the credential, each right and each attribute, reading one record of a list at most."""
        with self._api(self._rate, self.patience, self.timeout) as api:
            if self.options.api == "v1":
                yield from v1.trials(api, self.kinds)
            else:
                yield from v2.trials(api, self.kinds, self._settings)

    @property
    def _rate(self) -> float:
        return self.options.requests_per_second or RATES[self.options.api]

    @property
    def _settings(self) -> v2.Settings:
        return v2.Settings(self._rate, self.options.concurrency, total_from_v1=self.options.total_from_v1)

    def photos(self, asked: Sequence[Asked]) -> Generator[Photo]:
        """Profile pictures, by v1 whatever ``options.api`` says; see :class:`~hris_pipeline.hris.photos.PhotoSource`.

        A picture is worth one more try, not a night's patience.
        """
        hasty = replace(self.patience, tries=min(2, self.patience.tries), in_all=min(60.0, self.patience.in_all))
        rate = (self.options.requests_per_second if self.options.api == "v1" else None) or RATES["v1"]
        with self._api(rate, hasty, min(20.0, self.timeout)) as api:
            yield from pictures.read(api, asked, concurrency=self.options.concurrency)

    @contextlib.contextmanager
    def _api(self, rate: float, patience: Patience, timeout: float) -> Iterator[Api]:
        login = auth.login_v1 if self.options.api == "v1" else auth.login_v2
        with Client(Pacer(rate), auth.HEADERS, timeout, patience, self.transport) as client:
            yield Api(
                "Personio",
                self.name,
                self.base_url.rstrip("/"),
                client,
                auth.RIGHTS_AT,
                lambda api: {"Authorization": f"Bearer {login(api, self.client_id, self.client_secret)}"},
            )


def connect(
    name: str,
    *,
    base_url: str,
    credentials: Mapping[str, str],
    options: BaseModel,
    kinds: Sequence[str],
    transport: httpx.BaseTransport | None = None,
    patience: Patience | None = None,
    timeout: float = 60.0,
) -> Personio:
    """A connection that has asked for nothing yet; kinds that Personio does not have are left out."""
    return Personio(
        name,
        base_url,
        credentials["client_id"],
        credentials["client_secret"],
        options=Options.model_validate(options.model_dump()),
        kinds=tuple(kind for kind in GROUP_KINDS if kind in kinds),
        transport=transport,
        patience=patience or Patience(),
        timeout=timeout,
    )


_RIGHTS = "client id and secret of an API credential (Settings > Integrations > API credentials) with read access to "
_LEAVERS = "stay listed: active until the termination date has passed, then inactive; deleted people just disappear"
V2 = Capabilities(
    authentication=f"{_RIGHTS}persons, to the organisational units that are synced, and to each attribute by name",
    leavers=_LEAVERS,
    completeness="gives no total, so it is compared with v1's where the credential may read employees too",
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

SYSTEM = System(
    name="personio",
    title="Personio",
    credentials=CREDENTIALS,
    options=Options,
    default_base_url=BASE_URL,
    group_kinds=GROUP_KINDS,
    statuses=STATUSES,
    capabilities=V2,
    connect=connect,
    reads_changes=True,
    variants=(
        Variant("personio_v2", "Personio v2", "system: personio", V2),
        Variant("personio_v1", "Personio v1", "system: personio, options: {api: v1}", V1),
    ),
    words=v1.WORDS,
    photos=True,
)
