"""The company file as a whole: its sections, and what must fit together between them."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Self

from pydantic import (
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails

from hris_pipeline import rules
from hris_pipeline.contracts.attributes import ATTRIBUTES, OPT_IN
from hris_pipeline.settings.accounts import SOME_ACCOUNT, Account, HrSystem, HrSystems, systems_of
from hris_pipeline.settings.alerts import HeartbeatUrl, NewsUrl
from hris_pipeline.settings.base import Settings, did_you_mean
from hris_pipeline.settings.cron import Cron
from hris_pipeline.settings.deskbird import Deskbird
from hris_pipeline.settings.export import Export, OfficeRule, RoleRule
from hris_pipeline.settings.guards import Approvals, Guards
from hris_pipeline.settings.mistakes import KeyPath, lines_of, mistake, refuse, refuse_all
from hris_pipeline.settings.names import not_a_name
from hris_pipeline.settings.sync import DRIFTING, Sync
from hris_pipeline.settings.values import REFERENCE, Duration, Texts, is_resolved, not_a_zone


class Company(Settings):
    """One company file, checked. ``name`` is the file's name and no key of it."""

    name: str = Field(description="the company's name")
    timezone: str = Field(
        default="UTC", description="whose midnight ends a contract, and the schedule's zone"
    )
    schedule: Cron | None = Field(
        default="30 4 * * *", description="cron in that zone; null for none"
    )
    schedule_on: bool = Field(
        default=True,
        description="false: the schedules are stopped until somebody starts them in the UI",
    )
    changes_schedule: Cron | None = Field(
        default=None,
        description=(
            "cron for reading what changed in the HR system between two nights; null for none"
        ),
    )
    deadline: Duration | None = Field(
        default="4h",
        description=(
            "time after which a run stops between two records, such as 90m or 4h; null for none"
        ),
    )
    hris: Annotated[dict[str, Account], Field(min_length=1)] = Field(
        description="one entry for each HR system's account, by the connection's name"
    )
    deskbird: Deskbird = Field(description="the company's deskbird: scim_token at least")
    sync: Sync = Field(default=Sync(), description="what is carried over, and how")
    guards: Guards = Field(default=Guards(), description="what stops a dangerous change")
    approvals: Approvals = Field(default=Approvals(), description="what people release")
    export: Export = Field(
        default=Export(), description="role and main office, for deskbird's CSV import"
    )
    protected: Texts = Field(
        default=(), repr=False, description="e-mails or hris_refs never deactivated"
    )
    frozen: Texts = Field(
        default=(), repr=False, description="e-mails or hris_refs never changed at all"
    )
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
        scope = [
            (("sync", "scope", name, index), rule)
            for name, given in lists
            for index, rule in enumerate(given)
        ]
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
        return rules.Vocabulary(
            tuple(self.hris), tuple(sorted(asked - set(rules.Vocabulary((), ()).attributes)))
        )

    @property
    def kinds_read(self) -> tuple[str, ...]:
        """Kinds of group that the HR systems are asked for: those synced, in rules, or telling time
        zones.
        """
        located = ("location",) if self.sync.timezones else ()
        return tuple(dict.fromkeys((*self.sync.groups, *self.vocabulary.kinds, *located)))

    @property
    def file(self) -> str:
        """The file it was read from, for messages."""
        return self._file or f"{self.name}.yaml"

    @field_validator("timezone")
    @classmethod
    def _zone(cls, name: str) -> str:
        wrong = not_a_zone(name)
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
            raise mistake(
                "must hold at least one account, by its connection's name, such as personio"
            )
        names = [(name, not_a_name(name, "connection")) for name in map(str, given)]
        lines = [
            InitErrorDetails(type=mistake(wrong), loc=(name,), input=None)
            for name, wrong in names
            if wrong
        ]
        try:
            made = handler(given)
        except ValidationError as problem:
            lines += lines_of(problem)
        refuse_all(lines)
        return made

    @model_validator(mode="after")
    def _fits_together(self, info: ValidationInfo) -> Self:
        wrong: list[tuple[KeyPath, str]] = []
        of_groups = (
            list(self._kinds_are_delivered(systems_of(info))) if not is_resolved(info) else []
        )
        # they name kinds: not told while those are wrong
        wrong += of_groups or self._attributes_are_known()
        wrong += self._photos_are_delivered(systems_of(info)) if not is_resolved(info) else []
        wrong += self._attributes_are_delivered(systems_of(info)) if not is_resolved(info) else []
        wrong += self._groups_can_be_told(kinds_are_right=not of_groups)
        wrong += self._rules_can_be_read(systems_of(info))
        for attribute, order in self.sync.precedence:
            for index, connection in enumerate(order):
                if connection not in self.hris:
                    known = f"{did_you_mean(connection, self.hris)} Known: {', '.join(self.hris)}."
                    wrong.append(
                        (
                            ("sync", "precedence", attribute, index),
                            f"is not a connection of `hris`.{known}",
                        )
                    )
                elif connection in order[:index]:
                    wrong.append(
                        (
                            ("sync", "precedence", attribute, index),
                            "is there twice: each connection has one place",
                        )
                    )
        systems = systems_of(info)
        if self.sync.timezones and not any(
            "location" in kinds for kinds in self._kinds(systems).values()
        ):
            wrong.append(
                (
                    ("sync", "timezones"),
                    "must be {}, because the company's HR systems do not deliver locations",
                )
            )
        if self.changes_schedule and not any(
            system.reads_changes for system in self._systems(systems)
        ):
            wrong.append(
                (
                    ("changes_schedule",),
                    "must be null, because the company's HR systems cannot say what changed",
                )
            )
        for key in ("protected", "frozen"):
            for index, entry in enumerate(getattr(self, key)):
                if REFERENCE.search(entry) and not is_resolved(info):
                    continue
                connection, colon, _ = entry.partition(":")
                if not re.fullmatch(r"[^@\s:]+@[^@\s:]+", entry) and not (
                    colon and connection in self.hris
                ):
                    right = f"{next(iter(self.hris))}:1234"
                    wrong.append(
                        (
                            (key, index),
                            (
                                "must be an e-mail address or an hris_ref, <connection>:<id>, "
                                f"such as {right}"
                            ),
                        )
                    )
        refuse(wrong)
        return self

    def _systems(self, systems: HrSystems) -> list[HrSystem]:
        """The system of each account."""
        return [
            systems[account.system] for account in self.hris.values() if account is not SOME_ACCOUNT
        ]

    def _kinds(self, systems: HrSystems) -> dict[str, tuple[str, ...]]:
        """The kinds of group that each connection's system delivers, by the system's name."""
        found: dict[str, tuple[str, ...]] = {}
        for account in self.hris.values():
            if account is SOME_ACCOUNT:
                continue
            found[account.system] = (
                *found.get(account.system, ()),
                *systems[account.system].kinds_of(account.options),
            )
        return {name: tuple(dict.fromkeys(kinds)) for name, kinds in found.items()}

    def _rules_can_be_read(self, systems: HrSystems) -> Iterator[tuple[KeyPath, str]]:
        """What is wrong with the rules of ``sync.scope`` and ``export``."""
        offered = [kind for kinds in self._kinds(systems).values() for kind in kinds]
        vocabulary = rules.Vocabulary(tuple(self.hris), tuple(dict.fromkeys(offered)))
        for place, rule in self.rules_given:
            for key, sentence in rules.parse(rule, vocabulary)[1]:
                yield (*place, *key), sentence

    def _kinds_are_delivered(self, systems: HrSystems) -> Iterator[tuple[KeyPath, str]]:
        """What is wrong with ``sync.groups``; of the default, what no system delivers is just not
        there.
        """
        if "groups" not in self.sync.model_fields_set:
            return
        offered = self._kinds(systems)
        kinds = [kind for of_system in offered.values() for kind in of_system]
        for index, kind in enumerate(self.sync.groups):
            if kind not in kinds:
                delivered = "; ".join(
                    f"{name} delivers {', '.join(of_system) or 'none'}"
                    for name, of_system in offered.items()
                )
                wrong = (
                    "is no kind of group that the company's HR systems "
                    f"deliver.{did_you_mean(kind, kinds)} {delivered}."
                )
                yield ("sync", "groups", index), wrong
            elif kind in self.sync.groups[:index]:
                yield (
                    (
                        "sync",
                        "groups",
                        index,
                    ),
                    "is there twice: each kind has one place in the order",
                )

    def _photos_are_delivered(self, systems: HrSystems) -> Iterator[tuple[KeyPath, str]]:
        """What is wrong with ``sync.photos``; one system that has photos will do, people of the
        others keep theirs.
        """
        if self.sync.photos and not any(system.photos for system in self._systems(systems)):
            able = (
                ", ".join(sorted(name for name, system in systems.items() if system.photos))
                or "none"
            )
            yield (
                ("sync", "photos"),
                (
                    "must be false, because no HR system of the company delivers photos. Those "
                    f"that do: {able}"
                ),
            )

    def _attributes_are_delivered(self, systems: HrSystems) -> Iterator[tuple[KeyPath, str]]:
        """What is wrong with ``sync.attributes``; one system that has an attribute will do, people
        of the others keep theirs.
        """
        if not self.sync.attributes:
            return
        accounts = [account for account in self.hris.values() if account is not SOME_ACCOUNT]
        delivered = {
            name
            for account in accounts
            for name in systems[account.system].attributes_of(account.options)
        }
        for index, name in enumerate(self.sync.attributes):
            place = ("sync", "attributes", index)
            if name not in OPT_IN:
                yield (
                    place,
                    (
                        f"is no attribute that can be named here.{did_you_mean(name, OPT_IN)} "
                        f"Known: {', '.join(OPT_IN)}."
                    ),
                )
            elif name in self.sync.attributes[:index]:
                yield place, "is there twice"
            elif accounts and name not in delivered:
                yield (
                    place,
                    (
                        "is delivered by none of the company's HR systems with the options that "
                        "they have"
                    ),
                )

    def _attributes_are_known(self) -> Iterator[tuple[KeyPath, str]]:
        """What is wrong with ``sync.cleared`` and ``sync.drift``, which may name what is in
        ``sync.groups``.
        """
        clearable = (each.name for each in ATTRIBUTES if each.may_be_cleared and not each.opt_in)
        empty = (*clearable, *self.sync.attributes, "manager", *self.sync.groups)
        by_hand = ("default", *DRIFTING, *self.sync.attributes, *self.sync.groups)
        for key, what, known, given in (
            ("cleared", "be empty", empty, self.sync.cleared),
            ("drift", "be changed by hand", by_hand, self.sync.drift),
        ):
            for name in given:
                if name not in known:
                    meant = did_you_mean(name, known)
                    yield (
                        (
                            "sync",
                            key,
                            name,
                        ),
                        f"names nothing that can {what}.{meant} Known: {', '.join(known)}.",
                    )

    def _groups_can_be_told(self, *, kinds_are_right: bool) -> Iterator[tuple[KeyPath, str]]:
        """What is wrong with ``sync.link_groups``."""
        for unit, group in self.sync.link_groups.items():
            words = unit.split(":")
            by_id = len(words) > 2 and words[0] in self.hris and words[1] in self.sync.groups
            if (
                not (by_id or (len(words) > 1 and words[0] in self.sync.groups))
                or not words[-1].strip()
            ):
                if not kinds_are_right:
                    continue
                kind = self.sync.groups[0] if self.sync.groups else "team"
                right = f'"{kind}:Sales" or "{next(iter(self.hris))}:{kind}:12"'
                yield (
                    (
                        "sync",
                        "link_groups",
                        unit,
                    ),
                    f"must begin with a kind of sync.groups or be an hris_ref, such as {right}",
                )
            elif not group.strip() or REFERENCE.search(group):
                yield (
                    (
                        "sync",
                        "link_groups",
                        unit,
                    ),
                    "must be the name or the id of a group in deskbird, without a reference",
                )

    def describe(self) -> dict[str, Any]:
        """Everything that is set, defaults included, as JSON can hold it: secrets as ``***``, lists
        of people as their length.

        Rules may name people too, so each is shown as a digest.
        """
        shown: dict[str, Any] = _without_secrets(self.model_dump())
        # no setting, and there or not depending on whether a run has started
        shown["deskbird"].pop("api_key")
        shown["sync"]["scope"] = {
            name: [_digest(rule) for rule in given]
            for name, given in shown["sync"]["scope"].items()
        }
        shown["export"] = {
            name: [
                {**choice, "when": choice["when"] and _digest(choice["when"])} for choice in choices
            ]
            for name, choices in shown["export"].items()
        }
        return {**shown, "protected": len(self.protected), "frozen": len(self.frozen)}

    def fingerprint(self) -> str:
        """Sixteen hex digits that change with :meth:`describe`, for code versions."""
        return hashlib.sha256(
            json.dumps(self.describe(), sort_keys=True, default=str).encode()
        ).hexdigest()[:16]


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
