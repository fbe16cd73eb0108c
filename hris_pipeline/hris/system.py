"""What every HR system declares: what it needs, what it can deliver and what it cannot.

The registry of them is ``registry.py``. What the company file needs of a declaration is
:class:`~hris_pipeline.settings.accounts.HrSystem`.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeVar, runtime_checkable

import yaml

from hris_pipeline.contracts.extracts import Connection, Status
from hris_pipeline.http import Client, RateLimiter, RetryPolicy
from hris_pipeline.settings import HrisAccount, KeyPath, Settings

if TYPE_CHECKING:
    import httpx  # noqa: TID251 - an edge

JSON = {"Accept": "application/json"}
Options = TypeVar("Options", bound=Settings)


@dataclass(frozen=True)
class Account(Generic[Options]):
    """One account, ready to be read: a connector adds ``read`` and ``probes``. Nothing is asked for
    before these.
    """

    name: str  # of the connection
    _: KW_ONLY
    base_url: str
    credentials: Mapping[str, str] = field(repr=False)
    options: Options
    kinds: tuple[str, ...]  # of group, to be read
    # of sync.attributes, to be read; nothing else of the kind is asked for
    attributes: tuple[str, ...] = ()
    timezone: str = "UTC"  # the company's, in which days in the names of files are written
    transport: "httpx.BaseTransport | None" = None  # takes the place of the network in benchmarks
    patience: RetryPolicy = field(default_factory=RetryPolicy)
    timeout: float = 60.0

    def client(self, requests_per_second: float, headers: Mapping[str, str] = JSON) -> Client:
        """What asks this account, at its pace."""
        return Client(
            RateLimiter(requests_per_second), headers, self.timeout, self.patience, self.transport
        )


Answer = Literal["yes", "partly", "no", "unknown"]
"""Whether a system offers something; ``unknown``: it depends on the account, or no document says.
"""

Evidence = Literal["specification", "client", "facts"]
"""How sure we are: the vendor's own specification, an official or public client, or second-hand
facts only.
"""


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What the HR system itself offers, carried over or not: one row of the table that
    ``hris-pipeline systems`` prints.
    """

    authentication: str
    leavers: str  # how somebody who left shows
    completeness: str  # how complete a read can be proven
    rate: str
    manager: Answer = "unknown"
    team: Answer = "unknown"
    department: Answer = "unknown"
    cost_center: Answer = "unknown"
    nested_groups: Answer = "unknown"  # whether a unit names the one above it
    photo: Answer = "unknown"
    absences: Answer = "unknown"
    half_days: Answer = "unknown"  # of absences
    changed_since: Answer = "unknown"  # whether only what changed since a moment can be asked for
    evidence: Evidence = "facts"
    delivers: tuple[str, ...] = ()  # what else is worth knowing, in plain words
    lacks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Variant:
    """One of several ways to read through one system, where they differ in what they offer."""

    name: str  # one word, for `hris-pipeline systems NAME`
    title: str
    how: str  # what the company file says: "system: personio, options: {api: v1}"
    capabilities: Capabilities

    @property
    def said(self) -> dict[str, Any]:
        """The same, read."""
        keys: dict[str, Any] = yaml.safe_load(f"{{{self.how}}}")
        return keys


@runtime_checkable
class Own(Protocol):
    """Options that say themselves what a connection delivers, because its system has no kinds and
    no words of its own.
    """

    @property
    def group_kinds(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def status_words(self) -> Mapping[str, Status]: ...  # noqa: D102


@dataclass(frozen=True)
class System:
    """One HR system."""

    name: str  # in the company file
    title: str
    credentials: tuple[str, ...]  # keys required in the company file
    options: type[Settings]
    default_base_url: str | None
    """With a {placeholder} where each account has an address of its own, for the company file to
    say; None: there is none.
    """
    group_kinds: tuple[str, ...]
    # its own words in lower case; a word that is not here is never guessed (case 14)
    statuses: Mapping[str, Status]
    capabilities: Capabilities
    connect: Callable[..., Connection]  # the class of its accounts: an :class:`Account`
    reads_changes: bool = False  # whether a connection is a ``ChangesConnection``
    photos: bool = False  # whether its connections are a ``contracts.photos.PhotoSource`` too
    variants: tuple[Variant, ...] = ()  # none: there is one way only, and ``capabilities`` is it
    # what its own screens call our columns and kinds of group
    labels: Mapping[str, str] = field(default_factory=dict)
    # the address for some options, where the vendor has several
    address: Callable[[Any], str] | None = None
    optional_credentials: tuple[str, ...] = ()
    mistakes: Callable[[HrisAccount], Iterable[tuple[KeyPath, str]]] = lambda _: ()
    """What does not go together in an account of the company file: sentences that go on from the
    path of a key.
    """
    where: Callable[[Any, str], str] | None = None
    """Where an attribute or a kind of group, by our name and for some options, is switched on
    there: a sentence.
    """
    mapped: Callable[[Any], tuple[str, ...]] | None = None
    """The attributes that the company file itself maps; None: all that the system has are read."""
    attributes_of: Callable[[Any], Collection[str]] = lambda _: ()
    """What of ``sync.attributes`` a connection with some options delivers."""
    # whether keys of empty values are left out
    omits_empty: Callable[[Any], bool] = lambda _: False

    def where_of(self, options: Settings, attribute: str) -> str:
        """Where an attribute or kind of group is switched on, as a sentence."""
        if self.where is None:
            return f"See in {self.title} whether the credential may still read it"
        return self.where(options, attribute)

    def kinds_of(self, options: Settings) -> tuple[str, ...]:
        """The kinds of group that a connection with these options delivers."""
        return options.group_kinds if isinstance(options, Own) else self.group_kinds

    def statuses_of(self, options: Settings) -> Mapping[str, Status]:
        """The words for a status in a connection with these options."""
        return options.status_words if isinstance(options, Own) else self.statuses

    def base_url(self, options: Settings) -> str | None:
        """Where the system is, unless the company file says otherwise."""
        return self.address(options) if self.address else self.default_base_url

    def offers(self, options: Settings) -> Capabilities:
        """What is offered where these options are set; where they do not tell the variant, what is
        said of the system.
        """
        for variant in self.variants:
            told = variant.said.get("options", {})
            if told and all(getattr(options, name) == value for name, value in told.items()):
                return variant.capabilities
        return self.capabilities
