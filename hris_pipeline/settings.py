"""The company file: what a user writes, checked as a whole before anything runs.

:func:`load` checks ``companies/<company>.yaml`` without a single environment variable: a ``${NAME}`` stays a reference, so that
the asset graph can be built anywhere. :func:`resolve` puts the environment's values in when a run starts. Every mistake becomes
one line that names the file, the key's path and what would be right. A value that may be secret or personal is never part of
that line, nor of a model's ``repr``.
"""

import calendar
import difflib
import functools
import hashlib
import ipaddress
import json
import os
import re
import string
import zoneinfo
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import SplitResult, urlsplit

import pydantic
import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    SecretStr,
    SerializeAsAny,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from hris_pipeline import mistakes, rules
from hris_pipeline.errors import SettingsError
from hris_pipeline.mistakes import STAND_IN, collect, lines_of, missing_key, refuse_all, secret, unknown_key, unknown_word

KeyPath = mistakes.KeyPath
mistake, refuse = mistakes.mistake, mistakes.refuse  # for the HR systems' models too

COMPANIES_VARIABLE = "HRIS_PIPELINE_COMPANIES"
DATA_VARIABLE = "HRIS_PIPELINE_DATA"

NAME = re.compile(r"[a-z][a-z0-9_]*")
TAKEN_NAMES = ("core", "deskbird", "state")
REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")

# --- mistakes -------------------------------------------------------------------------------------------------------------------


def _meant(word: str, known: Collection[str]) -> str | None:
    """The known word that this one looks like."""
    close = difflib.get_close_matches(word.lower(), known, n=1)
    return close[0] if close else None


def _did_you_mean(word: str, known: Collection[str]) -> str:
    close = _meant(word, known)
    return f" Did you mean {close}?" if close else ""


def _wrong_keys(model: type[BaseModel], given: Mapping[object, object]) -> list[tuple[KeyPath, PydanticCustomError]]:
    """The keys that ``model`` does not have, and the required ones that are missing.

    A misspelt key is one mistake: the key that it should have been is not missing too.
    """
    allowed = [name for name in model.model_fields if name != "name"]  # the company's name is not a key of its file
    known = f"Known here: {', '.join(allowed)}." if allowed else "There are no keys here."
    unknown = {key: _meant(key, allowed) for key in map(str, given) if key not in model.model_fields}
    wrong: list[tuple[KeyPath, PydanticCustomError]] = [
        ((key,), unknown_key(f"is not a known key.{f' Did you mean {meant}?' if meant else ''} {known}", meant))
        for key, meant in unknown.items()
    ]
    missing = {name: field for name, field in model.model_fields.items() if field.is_required() and name not in given}
    return wrong + [
        ((name,), missing_key(f"is missing: {field.description}."))
        for name, field in missing.items()
        if name not in unknown.values()
    ]


# --- values ---------------------------------------------------------------------------------------------------------------------


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _split(url: str) -> SplitResult | None:
    """The parts of a URL, None where it is none."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is no number
    except ValueError:
        return None
    return parts


def _resolved(info: ValidationInfo) -> bool:
    """Whether the environment's values are in already."""
    return bool((info.context or {}).get("resolved"))


def _check_references(text: str) -> None:
    if "${" in REFERENCE.sub("", text):
        raise mistake("holds a reference that cannot be read: write it as ${NAME}, with letters, digits and _ only")


def _url(text: str, info: ValidationInfo) -> str:
    """An http(s) URL without credentials, query or trailing slash; https unless it stays on this machine."""
    if not _resolved(info):
        _check_references(text)
        if REFERENCE.search(text):
            return text  # judged when the run starts
    parts = _split(text)
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname or any(c.isspace() for c in text):
        raise mistake("must be a whole URL, such as https://api.example.com")
    if parts.username is not None or parts.query or parts.fragment:
        raise mistake("must be a URL without user name, password, ? and #: credentials have keys of their own")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise mistake("must begin with https://; http:// is for 127.0.0.1, ::1 and localhost only")
    return text.rstrip("/")


def _news_url(secret: SecretStr, info: ValidationInfo) -> SecretStr:
    """A URL that holds its own credential (a webhook, Apprise's notation), so one that leaves this machine is a reference."""
    text = secret.get_secret_value()
    if not _resolved(info):
        _check_references(text)
        if REFERENCE.search(text):
            return secret
    parts = _split(text)
    if parts is None or "://" not in text or any(c.isspace() for c in text):
        raise mistake("must be a URL in Apprise notation, such as mailtos://... or slack://..., by reference: ${ALERT_URL}")
    local = _is_loopback(parts.hostname) if parts.hostname else text == f"{parts.scheme}://"
    if not _resolved(info) and not local:
        raise mistake("must be written as ${NAME} and set in the environment, because such a URL holds a secret")
    return secret


def _http_news_url(secret: SecretStr, info: ValidationInfo) -> SecretStr:
    text = secret.get_secret_value()
    if _resolved(info) or not REFERENCE.search(text):
        parts = _split(text)
        if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
            raise mistake("must be a whole URL, such as https://..., by reference: ${HEARTBEAT_URL}")
        if parts.scheme == "http" and not _is_loopback(parts.hostname):
            raise mistake("must begin with https://; http:// is for 127.0.0.1, ::1 and localhost only")
    return secret


def _text(value: str) -> str:
    _check_references(value)
    return value


def _pattern(*needed: str) -> Callable[[str], str]:
    """A name pattern: text with ``{name}`` and ``{kind}`` in it, those of ``needed`` at least once."""

    def check(pattern: str) -> str:
        try:
            parts = [part[1:] for part in string.Formatter().parse(pattern) if part[1] is not None]
        except ValueError:
            parts = [("", "", "")]
        if any(name not in {"name", "kind"} or spec or conversion for name, spec, conversion in parts):
            raise mistake("may hold {name} and {kind} in braces, nothing else")
        absent = [f"{{{name}}}" for name in needed if name not in {part[0] for part in parts}]
        if absent:
            raise mistake(f"must contain {' and '.join(absent)}, else different groups get one name")
        return pattern

    return check


Text = Annotated[str, pydantic.AfterValidator(_text)]
Url = Annotated[str, pydantic.AfterValidator(_url)]
NewsUrl = Annotated[SecretStr, pydantic.AfterValidator(_news_url)]
HeartbeatUrl = Annotated[SecretStr, pydantic.AfterValidator(_news_url), pydantic.AfterValidator(_http_news_url)]
Percent = Annotated[float, Field(ge=0, le=100)]
Count = Annotated[int, Field(ge=0)]
Texts = Annotated[tuple[Text, ...], Field(strict=False)]


_zones = functools.cache(zoneinfo.available_timezones)  # walks a thousand files, and each run checks its company file often


def _not_a_zone(name: str) -> str | None:
    """What is wrong with the name of a time zone."""
    known = _zones()
    if name in known:
        return None
    close = difflib.get_close_matches(name, known, n=1)
    return f"must be a time zone such as Europe/Berlin.{f' Did you mean {close[0]}?' if close else ''}"


def _check_secret(key: str, value: SecretStr | None, url: str | None, info: ValidationInfo) -> PydanticCustomError | None:
    """What is wrong with a credential: it must be one whole reference, or belong to a service on this machine."""
    text = "" if value is None else value.get_secret_value()
    if value is None or _resolved(info) or REFERENCE.fullmatch(text):
        return None
    readable = text and "${" not in text
    if key.endswith("_id"):  # the name of a credential, not its secret
        return None if readable else secret("must be written as ${NAME}, or be the id itself")
    parts = _split(url) if url else None
    if readable and parts is not None and parts.hostname and _is_loopback(parts.hostname):
        return None  # a sandbox on this machine: its credentials are public
    return secret("must be written as ${NAME} and set in the environment, because a secret has no place in a file")


# --- cron -----------------------------------------------------------------------------------------------------------------------

_MONTHS = {name.lower(): number for number, name in enumerate(calendar.month_abbr) if name}
_DAYS = {name: number for number, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))}
_CRON: tuple[tuple[str, int, int, Mapping[str, int]], ...] = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of the month", 1, 31, {}),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 7, _DAYS),
)
_CRON_PART = re.compile(r"(?P<value>\w+)|(?:\*|(?P<from>\w+)-(?P<to>\w+))(?:/(?P<step>[0-9]+))?")


def _cron_values(field: str, low: int, high: int, names: Mapping[str, int]) -> set[int] | None:
    """The values one cron field stands for; None where it is not valid."""
    values: set[int] = set()
    for part in field.lower().split(","):
        match = _CRON_PART.fullmatch(part)
        if not match:
            return None
        words = (match["from"] or match["value"] or str(low), match["to"] or match["value"] or str(high))
        if any(word not in names and not re.fullmatch(r"[0-9]{1,2}", word) for word in words):
            return None
        first, last = (names[word] if word in names else int(word) for word in words)
        if words[1] == "sun" and first > 0:
            last = 7  # fri-sun
        step = int(match["step"] or 1)
        if not low <= first <= last <= high or (not match["value"] and not 1 <= step <= last - first):
            return None
        values.update(range(first, last + 1, step))
    return values


def _cron(text: str) -> str:
    """Five cron fields: numbers, names of months and days, ``*``, lists, ranges and steps."""
    right = 'must be five fields, minute hour day month weekday, such as "30 4 * * *", or null for none'
    fields = text.split()
    if len(fields) != 5:
        raise mistake(f"{right}; it has {len(fields)}")
    meant = []
    for field, (what, low, high, names) in zip(fields, _CRON, strict=True):
        values = _cron_values(field, low, high, names)
        if values is None:
            raise mistake(f"{right}; the {what} must lie between {low} and {high}")
        meant.append(values)
    longest = max(calendar.monthrange(2024, month)[1] for month in meant[3])  # 2024 has a 29 February
    if min(meant[2]) > longest:
        raise mistake("names a day that no month of it has")
    return " ".join(fields)


# --- the models: the company file, section by section ---------------------------------------------------------------------------


class Settings(BaseModel):
    """A section of the company file: no unknown keys, no guessing of types, not changed after loading."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, validate_default=True, hide_input_in_errors=True
    )

    @model_validator(mode="wrap")
    @classmethod
    def _keys(cls, given: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Wrong keys and wrong values together."""
        if not isinstance(given, Mapping):
            return handler(given)
        wrong = _wrong_keys(cls, given)
        if not wrong:
            return handler(given)
        lines = []
        try:
            handler({key: value for key, value in given.items() if key in cls.model_fields})
        except ValidationError as problem:
            lines = [line for line in lines_of(problem) if line["type"] != "missing"]  # said in our own words
        refuse_all([*(InitErrorDetails(type=what, loc=loc, input=None) for loc, what in wrong), *lines])
        raise AssertionError


class HrisAccount(Settings):
    """One account of one HR system. Each system has a model of its own, with its credential keys and options beside these."""

    system: str = Field(description="the HR system's name; `hris-pipeline systems` lists them")
    base_url: Url | None = Field(default=None, description="where the system's API is; null for the vendor's own address")
    quiet_days: Annotated[int, Field(ge=1)] | None = Field(
        default=14, description="days without any change in its people after which a warning is given; null for none"
    )
    options: SerializeAsAny[Settings] = Field(description="what only this system has")

    @property
    def credentials(self) -> dict[str, SecretStr]:
        """The credential keys of this system and their values: references until :func:`resolve` has put the values in."""
        values = {name: getattr(self, name) for name in type(self).model_fields if name not in HrisAccount.model_fields}
        return {name: value for name, value in values.items() if isinstance(value, SecretStr)}

    @model_validator(mode="after")
    def _secrets(self, info: ValidationInfo) -> Self:
        refuse([((key,), _check_secret(key, secret, self.base_url, info)) for key, secret in self.credentials.items()])
        return self


_SOME_ACCOUNT = HrisAccount.model_construct(system="", options=Settings.model_construct())
"""Stands in for an account whose system is not known, while the rest of the file is looked at."""


@functools.cache  # one class for each system, so that two loads of one file are equal
def _account_model(
    name: str,
    credentials: tuple[str, ...],
    optional: tuple[str, ...],
    options: type[Settings],
    default_base_url: str | None,
) -> type[HrisAccount]:
    """The model of one system's accounts: the common keys, its credentials and its options."""
    of_their_own = default_base_url is not None and "{" in default_base_url
    own = f"the account's own address, {default_base_url}"

    def address(given: object) -> object:
        if given is None and of_their_own:
            raise mistake(f"must be {own}")
        return default_base_url if given is None else given

    about = "the {} of the API credential, as ${{NAME}}"
    fields: dict[str, Any] = {
        **{key: (SecretStr, Field(description=about.format(key))) for key in credentials},
        **{key: (SecretStr | None, Field(default=None, description=about.format(key))) for key in optional},
        "base_url": (
            Annotated[Url | None, BeforeValidator(address)],
            Field(description=own) if of_their_own else Field(default=default_base_url),
        ),
        "options": (options, Field(default={})),
    }
    return pydantic.create_model(f"{name.title()}Account", __base__=HrisAccount, **fields)


def _systems(info: ValidationInfo | None = None) -> Mapping[str, Any]:
    """The registry of HR systems."""
    given = (info.context or {}).get("systems") if info else None
    if given is None:
        from hris_pipeline.hris.systems import SYSTEMS  # noqa: PLC0415 - the systems' modules take their types from here

        given = SYSTEMS
    return dict(given)


def _account(given: object, info: ValidationInfo) -> object:
    """Check one account by its own system's model."""
    if isinstance(given, HrisAccount):
        return given  # the one that stands in for an account that cannot be judged
    if not isinstance(given, Mapping):
        raise mistake("must hold keys of its own, indented below it: system, its credentials, base_url, options")
    systems = _systems(info)
    if "system" not in given:
        names = ", ".join(sorted(systems))
        meant = next((key for key in map(str, given) if _meant(key, HrisAccount.model_fields) == "system"), None)
        told = f"is not a known key. Did you mean system? It names the HR system. Known: {names}."
        missing = missing_key(f"is missing: the HR system's name. Known: {names}.")
        refuse([((meant,), unknown_key(told, "system")) if meant else (("system",), missing)])
    name = given["system"]
    if not isinstance(name, str) or name not in systems:
        known = f"{_did_you_mean(str(name), systems)} Known: {', '.join(sorted(systems))}."
        refuse([(("system",), unknown_word(f"names no HR system that is known.{known}", _meant(str(name), systems)))])
    system = systems[name]
    address = None if system.address else system.default_base_url  # None: the options tell
    credentials, optional = tuple(system.credentials), tuple(system.optional_credentials)
    model = _account_model(name, credentials, optional, system.options, address)
    account = model.model_validate(given, context=info.context)
    refuse(system.mistakes(account))
    return account


class Deskbird(Settings):
    """The company's deskbird."""

    scim_url: Url = Field(default="https://api.deskbird.app/v2/scim", description="base URL of deskbird's SCIM service")
    scim_token: SecretStr = Field(description="the SCIM bearer token, as ${NAME}; Admin > API keys in deskbird")
    scim_dialect: Literal["auto", "rfc", "entra"] = Field(default="auto", description="form of the SCIM requests")
    api_url: Url = Field(default="https://connect.deskbird.com", description="base URL of deskbird's Public API")
    api_key: SecretStr | None = Field(default=None, description="the Public API's key, as ${NAME}; for absences only")
    requests_per_second: Annotated[float, Field(gt=0)] = Field(
        default=10, description="requests to deskbird stay under this rate"
    )
    concurrency: Annotated[int, Field(ge=1, le=64)] = Field(default=8, description="requests to deskbird under way at once")
    take_over: bool = Field(default=False, description="take over users that an identity provider has marked as its own")

    @model_validator(mode="after")
    def _secrets(self, info: ValidationInfo) -> Self:
        pairs = (("scim_token", self.scim_url), ("api_key", self.api_url))
        refuse([((key,), _check_secret(key, getattr(self, key), url, info)) for key, url in pairs])
        return self


class Scope(Settings):
    """Who is synced. Empty lists mean everybody, as deskbird itself does it. :mod:`hris_pipeline.rules` is what rules can say."""

    include: Annotated[tuple[Any, ...], Field(strict=False)] = Field(
        default=(), repr=False, description="rules; empty for everybody"
    )
    exclude: Annotated[tuple[Any, ...], Field(strict=False)] = Field(
        default=(), repr=False, description="rules; empty for nobody"
    )


class GroupNames(Settings):
    """What groups are called in deskbird, where names are unique."""

    pattern: Annotated[str, pydantic.AfterValidator(_pattern("name"))] = Field(default="{name}", description="a group's name")
    on_collision: Annotated[str, pydantic.AfterValidator(_pattern("name", "kind"))] = Field(
        default="{name} ({kind})", description="a group's name where another kind already has it"
    )


class Absences(Settings):
    """Absences as scheduling statuses."""

    enabled: bool = Field(default=False, description="carry absences over")
    types: Annotated[dict[str, str], Field(strict=False)] = Field(
        default={}, description="absence type in the HR system: status in deskbird"
    )
    past_days: Count = Field(default=90, description="days back that are kept in line")
    half_days: bool = Field(default=True, description="carry half days over as such")

    @field_validator("enabled")
    @classmethod
    def _not_yet(cls, enabled: bool) -> bool:
        if enabled:
            raise mistake("must be false, because absences are not carried over yet")
        return enabled


class Missing(Settings):
    """When a person who vanished without a word counts as gone: both must be reached."""

    complete_reads: Annotated[int, Field(ge=1)] = Field(default=3, description="proven extracts in a row without the person")
    hours: Count = Field(default=60, description="hours since the person was last seen")


class Precedence(Settings):
    """Whose value counts where a person has records in several connections: connection names, the first one first."""

    default: Texts = Field(default=(), description="the order for all attributes; empty for the order of `hris`")
    email: Texts = Field(default=(), description="the order for the e-mail; empty for the default, as for the others")
    given_name: Texts = Field(default=(), description="the order for the first name")
    family_name: Texts = Field(default=(), description="the order for the last name")
    manager: Texts = Field(default=(), description="the order for the manager")


_DRIFTING = ("email", "given_name", "family_name", "display_name", "active", "manager", "group_names")


class Sync(Settings):
    """What is carried over, and how."""

    scope: Scope = Field(default=Scope(), description="who is synced")
    prehire_days: Count = Field(default=0, description="create people this many days before their start date")
    timezones: Annotated[dict[str, str], Field(strict=False)] = Field(
        default={}, description="a location's name or id: whose midnight ends a contract there; elsewhere the company's time zone"
    )
    precedence: Precedence = Field(default=Precedence(), description="whose value counts where a person has several records")
    groups: Texts = Field(default=("team", "department", "cost_center"), description="kinds of group, the most important first")
    group_names: GroupNames = Field(default=GroupNames(), description="what groups are called in deskbird")
    nested_groups: Literal["flat", "path"] = Field(
        default="flat",
        description="what a unit below another one is called, because deskbird's groups are flat: its own name, or its path,"
        ' "Parent / Child"',
    )
    link_groups: Annotated[dict[str, str], Field(strict=False)] = Field(
        default={},
        description="groups of deskbird that become ours: a unit, as kind:name or hris_ref, and the group's name or id",
    )
    empty_groups: Literal["keep", "delete"] = Field(
        default="keep", description="what becomes of a group that lost its last member"
    )
    managers: bool = Field(default=True, description="carry reporting lines over")
    photos: bool = Field(default=False, description="carry profile photos over, where the HR system has them")
    absences: Absences = Field(default=Absences(), description="absences as scheduling statuses")
    missing: Missing = Field(default=Missing(), description="when a vanished person counts as gone")
    cleared: Annotated[dict[str, Literal["clear", "keep"]], Field(strict=False)] = Field(
        default={},
        description="what happens in deskbird to what the HR system says is empty: by default names and photos are kept, the "
        "manager and groups cleared",
    )

    drift: Annotated[dict[str, Literal["repair", "keep"]], Field(strict=False)] = Field(
        default={},
        description="what happens to what people change in deskbird by hand, by attribute or `default`; repaired where nothing "
        "is said",
    )

    @property
    def drift_kept(self) -> tuple[str, ...]:
        """What stays as people changed it in deskbird: attributes, ``manager``, ``group_names`` and kinds of group."""
        other = self.drift.get("default", "repair")
        return tuple(name for name in (*_DRIFTING, *self.groups) if self.drift.get(name, other) == "keep")

    @property
    def attributes_cleared(self) -> tuple[str, ...]:
        """The attributes that are cleared in deskbird once they are empty in the HR system."""
        meant = {"manager": "clear", **dict.fromkeys(self.groups, "clear"), **self.cleared}
        return tuple(name for name, what in meant.items() if what == "clear")

    @field_validator("timezones")
    @classmethod
    def _zones(cls, zones: dict[str, str]) -> dict[str, str]:
        refuse([((place,), _not_a_zone(zone)) for place, zone in zones.items()])
        return zones


class RoleRule(Settings):
    """Whose role in deskbird is which."""

    when: Any = Field(default=None, repr=False, description="a rule as in sync.scope; left out for everybody")
    role: Literal["user", "groupManager", "manager", "officeAdmin", "admin"] = Field(
        description="the role, as deskbird's CSV spells it"
    )


class OfficeRule(Settings):
    """Whose main office is which."""

    when: Any = Field(default=None, repr=False, description="a rule as in sync.scope; left out for everybody")
    office: str = Field(description="the office's name in deskbird")

    @field_validator("office")
    @classmethod
    def _one_line(cls, office: str) -> str:
        if not office.strip() or not office.isprintable() or "${" in office:
            raise mistake("must be an office's name as deskbird has it, on one line and without a reference")
        return office.strip()


class Export(Settings):
    """What SCIM cannot carry and `hris-pipeline export-csv` writes for deskbird's import: roles and main offices."""

    roles: Annotated[tuple[Annotated[RoleRule, Field()], ...], Field(strict=False)] = Field(
        default=(), description="rules; the first that matches a person decides"
    )
    main_office: Annotated[tuple[Annotated[OfficeRule, Field()], ...], Field(strict=False)] = Field(
        default=(), description="rules; the first that matches a person decides"
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        wrong: list[tuple[KeyPath, str]] = []
        for name, other in (("roles", "main_office"), ("main_office", "roles")):
            choices = getattr(self, name)
            if getattr(self, other) and not choices:
                why = f"deskbird's import wants both columns filled, and {other} has rules"
                wrong.append(((name,), f"must hold a rule too: {why}"))
            for index, choice in enumerate(choices[:-1]):
                if choice.when is None:
                    wrong.append(((name, index), "is about everybody, so that no rule after it is ever reached: put it last"))
        refuse(wrong)
        return self


class Limit(Settings):
    """A guard's limits; it trips when more than ``max_count`` and more than ``max_percent`` of the base would change."""

    max_percent: Percent = Field(
        default=100, description="percent of the base (the managed users when the last night ended in line)"
    )
    max_count: Count = Field(default=0, description="changes that always pass, however small the base")
    from_size: Count = Field(default=0, description="the guard is off while the base is smaller")
    max_hard: Count | None = Field(default=None, description="trips by itself above this count; null for no such limit")
    window_days: Annotated[int, Field(ge=1)] = Field(default=7, description="length of the rolling window")
    window_percent: Percent | None = Field(default=None, description="percent of the base within the window; null for no window")


class DeactivateUser(Limit):
    """Guard ``deactivate_user``."""

    max_percent: Percent = 5
    max_count: Count = 5
    max_hard: Count | None = 100
    window_percent: Percent | None = 10


class CreateUser(Limit):
    """Guard ``create_user``."""

    max_percent: Percent = 20
    max_count: Count = 25
    from_size: Count = 10


class LinkUser(Limit):
    """Guard ``link_user``; its ``max_count`` is also the one of ``first_contact``."""

    max_percent: Percent = 20
    max_count: Count = 25


class UpdateAttribute(Limit):
    """Guard ``update_attribute``: each attribute alone; each group kind and the manager count as attributes."""

    max_percent: Percent = 30
    from_size: Count = 10


class GroupMembers(Settings):
    """Guard ``group_members``: groups that would lose too many of their members."""

    max_loss_percent: Percent = Field(default=50, description="percent of a group's members that may leave it in one night")
    from_size: Count = Field(default=10, description="the guard is off for groups with fewer members")


class On(Settings):
    """A guard without limits: ``{}`` is on, null is off."""


class Guards(Settings):
    """The guards by name; null switches one off, and a key left out keeps its default."""

    deactivate_user: DeactivateUser | None = Field(default=DeactivateUser(), description="too many deactivations")
    create_user: CreateUser | None = Field(default=CreateUser(), description="too many creations")
    link_user: LinkUser | None = Field(default=LinkUser(), description="too many links to users that are there")
    update_attribute: UpdateAttribute | None = Field(default=UpdateAttribute(), description="one attribute changes for too many")
    group_members: GroupMembers | None = Field(default=GroupMembers(), description="a group loses too many members")
    incomplete_extract: On | None = Field(default=On(), description="nothing is taken away unless the extract is proven complete")
    first_contact: On | None = Field(default=On(), description="a first run that finds many users waits for one approval")
    scope_lost: On | None = Field(default=On(), description="everybody fell out of scope at once")
    attribute_vanished: On | None = Field(default=On(), description="a mapped attribute came for nobody")
    protected: On | None = Field(default=On(), description="people of the list `protected` are not deactivated")
    frozen: On | None = Field(default=On(), description="people of the list `frozen` are not changed")
    undone: On | None = Field(default=On(), description="what was undone is not done again")


class Approvals(Settings):
    """What people release."""

    expire_hours: Annotated[int, Field(ge=1)] = Field(
        default=72, description="how long an approval is good for; the default lasts over a weekend"
    )


_DURATION = re.compile(r"(?:(?P<hours>[0-9]{1,3})h)?(?:(?P<minutes>[0-9]{1,5})m)?")


def seconds_of(duration: str) -> int | None:
    """Seconds of a text such as ``90m``, ``4h`` or ``1h30m``; None where it is none."""
    found = _DURATION.fullmatch(duration)
    parts = found.groupdict(default="0") if found else {"hours": "0", "minutes": "0"}
    return int(parts["hours"]) * 3600 + int(parts["minutes"]) * 60 or None


def _duration(given: object) -> object:
    if not isinstance(given, str) or seconds_of(given) is None:
        raise mistake("must be a time such as 90m, 4h or 1h30m; null for none")
    return given


Duration = Annotated[str, BeforeValidator(_duration)]
"""A length of time in hours and minutes, as it is written."""


class Company(Settings):
    """One company file, checked. ``name`` is the file's name and no key of it."""

    name: str = Field(description="the company's name")
    timezone: str = Field(default="UTC", description="whose midnight ends a contract, and the schedule's zone")
    schedule: Annotated[str, pydantic.AfterValidator(_cron)] | None = Field(
        default="30 4 * * *", description="cron in that zone; null for none"
    )
    schedule_on: bool = Field(default=True, description="false: the schedules are stopped until somebody starts them in the UI")
    changes_schedule: Annotated[str, pydantic.AfterValidator(_cron)] | None = Field(
        default=None, description="cron for reading what changed in the HR system between two nights; null for none"
    )
    deadline: Duration | None = Field(
        default="4h", description="time after which a run stops between two records, such as 90m or 4h; null for none"
    )
    hris: Annotated[dict[str, Annotated[SerializeAsAny[HrisAccount], BeforeValidator(_account)]], Field(min_length=1)] = Field(
        description="one entry for each HR system's account, by the connection's name"
    )
    deskbird: Deskbird = Field(description="the company's deskbird: scim_token at least")
    sync: Sync = Field(default=Sync(), description="what is carried over, and how")
    guards: Guards = Field(default=Guards(), description="what stops a dangerous change")
    approvals: Approvals = Field(default=Approvals(), description="what people release")
    export: Export = Field(default=Export(), description="role and main office, for deskbird's CSV import")
    protected: Texts = Field(default=(), repr=False, description="e-mails or hris_refs never deactivated")
    frozen: Texts = Field(default=(), repr=False, description="e-mails or hris_refs never changed at all")
    alerts: Annotated[tuple[NewsUrl, ...], Field(strict=False)] = Field(
        default=(), description="where news goes: URLs in Apprise notation"
    )
    heartbeat_url: HeartbeatUrl | None = Field(
        default=None, description="URL that is called after each good night; null for none"
    )

    _file: str = PrivateAttr("")

    @property
    def rules_given(self) -> tuple[tuple[KeyPath, object], ...]:
        """Every rule of the file as it stands there, with the path of its key."""
        lists = (("include", self.sync.scope.include), ("exclude", self.sync.scope.exclude))
        scope = [(("sync", "scope", name, index), rule) for name, given in lists for index, rule in enumerate(given)]
        choices: tuple[tuple[str, Sequence[RoleRule | OfficeRule]], ...] = (
            ("roles", self.export.roles),
            ("main_office", self.export.main_office),
        )
        export = [
            (("export", name, index, "when"), choice.when)
            for name, given in choices
            for index, choice in enumerate(given)
            if choice.when is not None
        ]
        return (*scope, *export)

    @property
    def vocabulary(self) -> rules.Vocabulary:
        """What the rules of this file speak of."""
        asked = {key for _, rule in self.rules_given if isinstance(rule, Mapping) for key in rule}
        return rules.Vocabulary(tuple(self.hris), tuple(sorted(asked - set(rules.Vocabulary((), ()).attributes))))

    @property
    def kinds_read(self) -> tuple[str, ...]:
        """Kinds of group that the HR systems are asked for: those synced, in rules, or telling time zones."""
        located = ("location",) if self.sync.timezones else ()
        return tuple(dict.fromkeys((*self.sync.groups, *self.vocabulary.kinds, *located)))

    @property
    def file(self) -> str:
        """The file it was read from, for messages."""
        return self._file or f"{self.name}.yaml"

    @field_validator("timezone")
    @classmethod
    def _zone(cls, name: str) -> str:
        wrong = _not_a_zone(name)
        if wrong:
            raise mistake(wrong)
        return name

    @field_validator("hris", mode="wrap")
    @classmethod
    def _connections(cls, given: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        """The connections' names and their accounts together."""
        if not isinstance(given, Mapping):
            return handler(given)
        if not given:
            raise mistake("must hold at least one account, by its connection's name, such as personio")
        names = [(name, not_a_name(name, "connection")) for name in map(str, given)]
        lines = [InitErrorDetails(type=mistake(wrong), loc=(name,), input=None) for name, wrong in names if wrong]
        try:
            made = handler(given)
        except ValidationError as problem:
            lines += lines_of(problem)
        refuse_all(lines)
        return made

    @model_validator(mode="after")
    def _fits_together(self, info: ValidationInfo) -> Self:
        wrong: list[tuple[KeyPath, str]] = []
        of_groups = list(self._kinds_are_delivered(_systems(info))) if not _resolved(info) else []
        wrong += of_groups or self._attributes_are_known()  # they name kinds: not told while those are wrong
        wrong += self._photos_are_delivered(_systems(info)) if not _resolved(info) else []
        wrong += self._groups_can_be_told(kinds_are_right=not of_groups)
        wrong += self._rules_can_be_read(_systems(info))
        for attribute, order in self.sync.precedence:
            for index, connection in enumerate(order):
                if connection not in self.hris:
                    known = f"{_did_you_mean(connection, self.hris)} Known: {', '.join(self.hris)}."
                    wrong.append((("sync", "precedence", attribute, index), f"is not a connection of `hris`.{known}"))
                elif connection in order[:index]:
                    wrong.append((("sync", "precedence", attribute, index), "is there twice: each connection has one place"))
        systems = _systems(info)
        if self.sync.timezones and not any("location" in kinds for kinds in self._kinds(systems).values()):
            wrong.append((("sync", "timezones"), "must be {}, because the company's HR systems do not deliver locations"))
        if self.changes_schedule and not any(system.reads_changes for system in self._systems(systems)):
            wrong.append((("changes_schedule",), "must be null, because the company's HR systems cannot say what changed"))
        for key in ("protected", "frozen"):
            for index, entry in enumerate(getattr(self, key)):
                if REFERENCE.search(entry) and not _resolved(info):
                    continue
                connection, colon, _ = entry.partition(":")
                if not re.fullmatch(r"[^@\s:]+@[^@\s:]+", entry) and not (colon and connection in self.hris):
                    right = f"{next(iter(self.hris))}:1234"
                    wrong.append(((key, index), f"must be an e-mail address or an hris_ref, <connection>:<id>, such as {right}"))
        refuse(wrong)
        return self

    def _systems(self, systems: Mapping[str, Any]) -> list[Any]:
        """The system of each account."""
        return [systems[account.system] for account in self.hris.values() if account is not _SOME_ACCOUNT]

    def _kinds(self, systems: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
        """The kinds of group that each connection's system delivers, by the system's name."""
        found: dict[str, tuple[str, ...]] = {}
        for account in self.hris.values():
            if account is _SOME_ACCOUNT:
                continue
            found[account.system] = (*found.get(account.system, ()), *systems[account.system].kinds_of(account.options))
        return {name: tuple(dict.fromkeys(kinds)) for name, kinds in found.items()}

    def _rules_can_be_read(self, systems: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str]]:
        """What is wrong with the rules of ``sync.scope`` and ``export``."""
        offered = [kind for kinds in self._kinds(systems).values() for kind in kinds]
        vocabulary = rules.Vocabulary(tuple(self.hris), tuple(dict.fromkeys(offered)))
        for place, rule in self.rules_given:
            for key, sentence in rules.parse(rule, vocabulary)[1]:
                yield (*place, *key), sentence

    def _kinds_are_delivered(self, systems: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str]]:
        """What is wrong with ``sync.groups``; of the default, what no system delivers is just not there."""
        if "groups" not in self.sync.model_fields_set:
            return
        offered = self._kinds(systems)
        kinds = [kind for of_system in offered.values() for kind in of_system]
        for index, kind in enumerate(self.sync.groups):
            if kind not in kinds:
                delivered = "; ".join(f"{name} delivers {', '.join(of_system) or 'none'}" for name, of_system in offered.items())
                wrong = f"is no kind of group that the company's HR systems deliver.{_did_you_mean(kind, kinds)} {delivered}."
                yield ("sync", "groups", index), wrong
            elif kind in self.sync.groups[:index]:
                yield ("sync", "groups", index), "is there twice: each kind has one place in the order"

    def _photos_are_delivered(self, systems: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str]]:
        """What is wrong with ``sync.photos``; one system that has photos will do, people of the others keep theirs."""
        if self.sync.photos and not any(system.photos for system in self._systems(systems)):
            able = ", ".join(sorted(name for name, system in systems.items() if system.photos)) or "none"
            yield ("sync", "photos"), f"must be false, because no HR system of the company delivers photos. Those that do: {able}"

    def _attributes_are_known(self) -> Iterator[tuple[KeyPath, str]]:
        """What is wrong with ``sync.cleared`` and ``sync.drift``, which may name what is in ``sync.groups``."""
        empty = ("given_name", "family_name", "photo", "manager", *self.sync.groups)
        by_hand = ("default", *_DRIFTING, *self.sync.groups)
        for key, what, known, given in (
            ("cleared", "be empty", empty, self.sync.cleared),
            ("drift", "be changed by hand", by_hand, self.sync.drift),
        ):
            for name in given:
                if name not in known:
                    meant = _did_you_mean(name, known)
                    yield ("sync", key, name), f"names nothing that can {what}.{meant} Known: {', '.join(known)}."

    def _groups_can_be_told(self, *, kinds_are_right: bool) -> Iterator[tuple[KeyPath, str]]:
        """What is wrong with ``sync.link_groups``."""
        for unit, group in self.sync.link_groups.items():
            words = unit.split(":")
            by_id = len(words) > 2 and words[0] in self.hris and words[1] in self.sync.groups
            if not (by_id or (len(words) > 1 and words[0] in self.sync.groups)) or not words[-1].strip():
                if not kinds_are_right:
                    continue
                kind = self.sync.groups[0] if self.sync.groups else "team"
                right = f'"{kind}:Sales" or "{next(iter(self.hris))}:{kind}:12"'
                yield ("sync", "link_groups", unit), f"must begin with a kind of sync.groups or be an hris_ref, such as {right}"
            elif not group.strip() or REFERENCE.search(group):
                yield ("sync", "link_groups", unit), "must be the name or the id of a group in deskbird, without a reference"

    def describe(self) -> dict[str, Any]:
        """Everything that is set, defaults included, as JSON can hold it: secrets as ``***``, lists of people as their length.

        Rules may name people too, so each is shown as a digest.
        """
        shown: dict[str, Any] = _without_secrets(self.model_dump())
        shown["deskbird"].pop("api_key")  # no setting, and there or not depending on whether a run has started
        shown["sync"]["scope"] = {name: [_digest(rule) for rule in given] for name, given in shown["sync"]["scope"].items()}
        shown["export"] = {
            name: [{**choice, "when": choice["when"] and _digest(choice["when"])} for choice in choices]
            for name, choices in shown["export"].items()
        }
        return {**shown, "protected": len(self.protected), "frozen": len(self.frozen)}

    def fingerprint(self) -> str:
        """Sixteen hex digits that change with :meth:`describe`, for code versions."""
        return hashlib.sha256(json.dumps(self.describe(), sort_keys=True, default=str).encode()).hexdigest()[:16]


def _digest(rule: object) -> str:
    return hashlib.sha256(json.dumps(rule, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _without_secrets(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return "***"
    if isinstance(value, Mapping):
        return {key: _without_secrets(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_secrets(inner) for inner in value]
    return value


# --- reading a file -------------------------------------------------------------------------------------------------------------


class _Loader(yaml.SafeLoader):
    """YAML's safe subset, where a key that is there twice, or is no text, is a mistake and not silently the last one."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.mistakes: list[str] = []

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: dict[object, int] = {}
        kept = []
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.tag == "tag:yaml.org,2002:merge":
                kept.append((key, value))
            elif key.tag != "tag:yaml.org,2002:str":
                self.mistakes.append(f"line {line}: a key must be plain text. Put it in quotes.")
            elif key.value in seen:
                self.mistakes.append(f"line {line}: {key.value} is already in line {seen[key.value]}. Keep one of them.")
            else:
                seen[key.value] = line
                kept.append((key, value))
        node.value = kept
        for key, value in kept:  # words for nothing are words: NULL is no null there
            if key.value == "empty" and isinstance(value, yaml.SequenceNode):
                for word in value.value:
                    if isinstance(word, yaml.ScalarNode):
                        word.tag = "tag:yaml.org,2002:str"
        return super().construct_mapping(node, deep=deep)


def _parse(text: str) -> tuple[object, list[str]]:
    """The document, and the mistakes in its keys, each of which begins with its line.

    A :class:`SettingsError` that begins with the line where the text is no YAML; it does not quote that line.
    """
    try:
        loader = _Loader(text)
        try:
            return loader.get_single_data(), loader.mistakes
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        number = mark.line if mark else 0
        line = text.splitlines()[number] if number < len(text.splitlines()) else ""
        hint = "The cause can also lie in the lines above."
        if "\t" in line[: len(line) - len(line.lstrip())]:
            hint = "Indent with spaces, not with tabs."
        elif "${" in line and ("[" in line or "{" in line.replace("${", "")):
            hint = 'Inside [ ] or { } a reference needs quotes: "${NAME}".'
        elif ":" in line:
            hint = "Text that begins with *, &, @, % or a quote, or that holds ': ' or ' #', needs quotes around it."
        raise SettingsError(f"line {number + 1}: this is not valid YAML. {hint}") from None
    except ValueError:
        raise SettingsError("it holds a day that no calendar has, such as 0000-00-00. Put it in quotes.") from None
    except yaml.YAMLError:
        raise SettingsError("it holds characters that YAML does not allow. Save it as plain UTF-8 text.") from None


_SENTENCES = {
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a number",
    "string_type": "must be text; put it in quotes",
    "tuple_type": "must be a list",
    "dict_type": "must hold keys of its own, indented below it",
    "model_type": "must hold keys of its own, indented below it",
    "greater_than": "must be more than {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than_equal": "must be at most {le:g}",
    "literal_error": "must be {expected}",
    **dict.fromkeys(("settings", "unknown_key", "missing_key", "unknown_word", "secret"), "{sentence}"),
}


def _path(loc: KeyPath) -> str:
    """``sync.groups[0]``."""
    path = ""
    for step in loc:
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else step
    return path


def _sentence(loc: KeyPath, error: ErrorDetails) -> str:
    """One mistake: the key's path and what would be right, never the value."""
    kind, given, details = error["type"], error.get("input"), error.get("ctx", {})
    if "sentence" not in details and isinstance(given, str) and REFERENCE.search(given):
        sentence = "cannot be a reference, because it is needed before a run starts: write the value itself"
    elif kind in _SENTENCES:
        sentence = _SENTENCES[kind].format(**details)
    else:
        sentence = f"is not valid: {error['msg'].removeprefix('Value error, ')}"
    return f"{_path(loc)} {sentence}" + ("" if sentence.endswith((".", "?")) else ".")


def _stand_in(loc: KeyPath) -> Any:
    """What takes the place of a section that cannot be judged, while the rest of the file is."""
    if loc == ("hris",):
        return {"some": _SOME_ACCOUNT}
    if loc == ("deskbird",):
        return {"scim_token": STAND_IN}
    return _SOME_ACCOUNT if loc[:1] == ("hris",) and len(loc) == 2 else None


_ITSELF = ""  # ends a path: what is there, not what is in it
_NAMES: KeyPath = ("hris", "*", _ITSELF)  # which connections there are
_KINDS: tuple[KeyPath, ...] = (("hris", "*", "system"), ("hris", "*", "options"))  # what their systems deliver
_RESTS_ON: tuple[tuple[KeyPath, tuple[KeyPath, ...]], ...] = (
    (("sync", "groups"), _KINDS),
    (("sync", "photos"), _KINDS),
    (("sync", "timezones"), _KINDS),
    (("sync", "scope"), (_NAMES, *_KINDS)),
    (("sync", "link_groups"), (_NAMES, ("sync", "groups"))),
    (("sync", "cleared"), (("sync", "groups"),)),
    (("sync", "drift"), (("sync", "groups"),)),
    (("sync", "precedence"), (_NAMES,)),
    (("changes_schedule",), _KINDS),
    (("export",), (("export",), _NAMES, *_KINDS)),
    (("protected",), (_NAMES,)),
    (("frozen",), (_NAMES,)),
)
"""What else a check looks at that tells of a mistake at a key: while that is wrong itself, the check says nothing."""


def _rests_on(loc: KeyPath, kind: str) -> Sequence[KeyPath]:
    if kind == "secret":  # it may stand in the file where the service is on this machine
        of_deskbird = {"scim_token": "scim_url", "api_key": "api_url"}
        return [(*loc[:-1], of_deskbird[str(loc[-1])] if loc[0] == "deskbird" else "base_url")]
    if loc[:1] == ("hris",):
        return [(*loc[:2], "options")]
    return next((keys for place, keys in _RESTS_ON if loc[: len(place)] == place), ())


def _mistakes(
    data: Mapping[str, Any], systems: Mapping[str, Any] | None, *, resolved: bool, told: Sequence[KeyPath] = ()
) -> list[tuple[KeyPath, str]]:
    """Every mistake of a company, with its key's path."""
    context = {"systems": systems, "resolved": resolved}
    found = collect(
        lambda document: Company.model_validate(document, context=context),
        data,
        stand_in=_stand_in,
        rests_on=_rests_on,
        told=told,
    )
    return [(loc, _sentence(loc, error)) for loc, error in found]


def _checked(data: Mapping[str, Any], file: str, systems: Mapping[str, Any] | None, *, resolved: bool) -> Company:
    try:
        company = Company.model_validate(data, context={"systems": systems, "resolved": resolved})
    except ValidationError:
        wrong = _mistakes(data, systems, resolved=resolved)
        raise SettingsError("\n".join(f"{file}: {sentence}" for _, sentence in wrong)) from None
    company._file = file  # noqa: SLF001 - set once, here
    return company


def not_a_name(name: str, what: Literal["company", "connection"]) -> str | None:
    """What is wrong with the name of a company or a connection."""
    if not NAME.fullmatch(name):
        return f"is not a {what} name: use a-z, 0-9 and _, a letter first"
    if name in TAKEN_NAMES or name.startswith("hris_"):
        return f"cannot be a {what} name, because the pipeline uses it itself; so are {', '.join(TAKEN_NAMES)} and hris_..."
    return None


def companies_folder() -> Path:
    """The folder of the company files: ``HRIS_PIPELINE_COMPANIES``, else ``companies`` in the working directory."""
    return Path(os.environ.get(COMPANIES_VARIABLE) or "companies")  # noqa: TID251


def data_folder() -> Path:
    """The folder of everything written: ``HRIS_PIPELINE_DATA``, else ``data`` in the working directory."""
    return Path(os.environ.get(DATA_VARIABLE) or "data")  # noqa: TID251


def project_root(package: Path = Path(__file__).parent) -> Path:
    """The folder that holds the package and ``workspace.yaml`` beside it; a :class:`SettingsError` where there is none."""
    root = package.resolve().parent
    if not (root / "workspace.yaml").is_file():
        raise SettingsError("workspace.yaml does not lie beside the package. Set DAGSTER_HOME to the folder with dagster.yaml.")
    return root


def company_names(folder: Path | None = None) -> tuple[str, ...]:
    """The companies that have a file, sorted; whether a file is in order, its name included, is for :func:`load` to say."""
    where = companies_folder() if folder is None else folder
    return tuple(sorted(path.stem for path in where.glob("*.yaml") if not path.name.startswith(".")))


def load(
    name: str,
    folder: Path | None = None,
    systems: Mapping[str, Any] | None = None,
    *,
    environment: Mapping[str, str] | None = None,
) -> Company:
    """Read and check one company's file; references to the environment stay as they are.

    With an ``environment`` each variable that the file needs must be in it: for a command that is about to run. ``systems``
    takes the place of the registry of HR systems. A :class:`SettingsError` holds one line for each mistake.
    """
    where = companies_folder() if folder is None else folder
    file = where / f"{name}.yaml"
    wrong = not_a_name(name, "company")
    if wrong:
        raise SettingsError(f"{name!r} {wrong}. It is the name of the file in {where} without .yaml.")
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        known = ", ".join(company_names(where)) or "none"
        other = f" {name}.yml is there: its name must end in .yaml." if file.with_suffix(".yml").exists() else ""
        raise SettingsError(f"{file} does not exist.{other} Companies here: {known}.") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{file} is not UTF-8 text. Save it as UTF-8.") from None
    except OSError as problem:
        raise SettingsError(f"{file} cannot be read: {problem.strerror}.") from None
    return check(name, text, str(file), systems, environment=environment)


def load_to_run(name: str) -> Company:
    """The same for a command that is about to run: what the process's environment lacks is a mistake too."""
    return load(name, environment=os.environ)  # noqa: TID251


def check(
    name: str,
    text: str,
    file: str,
    systems: Mapping[str, Any] | None = None,
    *,
    environment: Mapping[str, str] | None = None,
) -> Company:
    """The company that a file's text describes; ``file`` is what mistakes call it. ``environment`` as in :func:`load`."""
    try:
        document, wrong = _parse(text)
    except SettingsError as problem:
        raise SettingsError(f"{file}, {problem}") from None
    if document is None:
        raise SettingsError(f"{file} is empty. It needs hris and deskbird; example.yaml.txt shows every key.")
    if not isinstance(document, dict):
        raise SettingsError(f"{file} must hold keys such as timezone, hris and deskbird, each at the beginning of a line.")
    lines = [f"{file}, {sentence}" for sentence in wrong]
    if "name" in document:
        lines.append(f"{file}: name is not a known key, because a company's name is the name of its file.")
    data = {**document, "name": name}
    mistakes: list[tuple[str, str]] = []
    try:
        company = Company.model_validate(data, context={"systems": systems, "resolved": False})
    except ValidationError:
        mistakes = [(_path(loc), sentence) for loc, sentence in _mistakes(data, systems, resolved=False)]
        lines += [f"{file}: {sentence}" for _, sentence in mistakes]
        needed = data if _absences_enabled(data) else _without(data, "deskbird", "api_key")
    else:
        company._file = file  # noqa: SLF001 - set once, here
        needed = _needed(company)
    if environment is not None:
        lines += [_unusable_line(file, *one) for one in _unusable(needed, environment)]
    if lines:
        raise SettingsError("\n".join(lines), mistakes=mistakes)
    return company


def _absences_enabled(data: Mapping[str, Any]) -> bool:
    """Whether a file that is not sound says so."""
    section: Any = data
    for key in ("sync", "absences", "enabled"):
        section = section.get(key) if isinstance(section, Mapping) else None
    return section is True


def _without(data: Mapping[str, Any], section: str, key: str) -> dict[str, Any]:
    inner = data.get(section)
    if not isinstance(inner, Mapping):
        return dict(data)
    return {**data, section: {name: value for name, value in inner.items() if name != key}}


def _places(value: Any, place: KeyPath = ()) -> Iterator[KeyPath]:
    """Where every text in a dumped model stands."""
    inner = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, (list, tuple)) else ()
    if isinstance(value, (str, SecretStr)):
        yield place
    for step, part in inner:
        yield from _places(part, (*place, step))


def _strings(value: Any) -> Iterator[tuple[str, str]]:
    """Every text in a dumped model, with its key's path."""
    for place in _places(value):
        text = functools.reduce(lambda part, step: part[step], place, value)
        yield _path(place), text.get_secret_value() if isinstance(text, SecretStr) else text


def _filled_in(value: Any, environment: Mapping[str, str]) -> Any:
    """The dumped model with every reference replaced; secrets stay wrapped."""
    if isinstance(value, SecretStr):
        return SecretStr(_filled_in(value.get_secret_value(), environment))
    if isinstance(value, str):
        return REFERENCE.sub(lambda match: environment[match[1]], value)
    if isinstance(value, Mapping):
        return {key: _filled_in(inner, environment) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_filled_in(inner, environment) for inner in value]
    return value


Unusable = Literal["not_set", "broken"]
UNUSABLE: Mapping[Unusable, tuple[str, str]] = {
    "not_set": ("is not set", "set it and start again"),
    "broken": ("holds a line break or the like", "set it without"),
}
"""What is wrong with a variable, and what to do about it."""


def unusable_variables(company: Company, environment: Mapping[str, str] | None = None) -> list[tuple[str, str, Unusable]]:
    """Each key whose environment variable is missing, empty or broken over lines: its path, the variable, what is wrong."""
    return _unusable(_needed(company), os.environ if environment is None else environment)  # noqa: TID251


def _unusable(needed: Mapping[str, Any], environment: Mapping[str, str]) -> list[tuple[str, str, Unusable]]:
    wrong: list[tuple[str, str, Unusable]] = []
    for path, text in _strings(needed):
        for variable in REFERENCE.findall(text):
            value = environment.get(variable, "")
            if not value.strip():
                wrong.append((path, variable, "not_set"))
            elif not (value.replace("\n", "") if path.endswith(".private_key") else value).isprintable():
                wrong.append((path, variable, "broken"))
    return wrong


def _unusable_line(file: str, path: str, variable: str, code: Unusable) -> str:
    why, then = UNUSABLE[code]
    return f"{file}: {path} needs the environment variable {variable}, which {why}. Nothing was read or written; {then}."


def _needed(company: Company) -> dict[str, Any]:
    """The company as a plain dictionary, without a secret that is not needed, so that it is not read.

    What the file leaves out stays left out: what it names itself is told from a default later on.
    """
    dumped = company.model_dump(exclude_unset=True)
    if not company.sync.absences.enabled:
        dumped["deskbird"].pop("api_key", None)
    return dumped


_UNSET = "https://unset.invalid"
"""Stands in for the value of a variable that is not there, while the other values are judged."""


def resolve(
    company: Company,
    environment: Mapping[str, str] | None = None,
    systems: Mapping[str, Any] | None = None,
    *,
    stand_in: str | None = None,
) -> Company:
    """The company with every ``${NAME}`` replaced by the environment's value, checked once more: for the start of a run.

    A :class:`SettingsError` names each variable that is missing, empty or broken over lines, and the key that needs it, and what
    is wrong with the values of the others. With a ``stand_in`` that takes the place of what is missing, for whoever then leaves
    alone what needs it.
    """
    environment = os.environ if environment is None else environment  # noqa: TID251
    unusable = unusable_variables(company, environment)
    filled_in = {**environment, **{variable: stand_in or _UNSET for _, variable, _ in unusable}}
    data = _filled_in(_needed(company), filled_in)
    if stand_in is not None or not unusable:
        return _checked(data, company.file, systems, resolved=True)
    paths = {path for path, _, _ in unusable}
    told = [loc for loc in _places(_needed(company)) if _path(loc) in paths]
    lines = [_unusable_line(company.file, *one) for one in unusable]
    lines += [f"{company.file}: {sentence}" for _, sentence in _mistakes(data, systems, resolved=True, told=told)]
    raise SettingsError("\n".join(lines))


def alert_urls(company: Company, environment: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Where the company's news goes, with the environment's values in: no others, so that news of a missing one gets out."""
    environment = os.environ if environment is None else environment  # noqa: TID251
    texts = [secret.get_secret_value() for secret in company.alerts]
    missing = [name for text in texts for name in REFERENCE.findall(text) if not environment.get(name, "").strip()]
    if missing:
        raise SettingsError(
            f"{company.file}: alerts needs the environment variable {missing[0]}, which is not set. No news was sent."
        )
    return tuple(str(_filled_in(text, environment)) for text in texts)
