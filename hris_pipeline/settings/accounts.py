"""The section ``hris``: the accounts of HR systems, each checked by what its system declares.

Which systems there are is not known here: whoever loads a company file hands them in. An
:class:`HrSystem` is what such a system must say of itself for that.
"""

import functools
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Annotated, Any, Protocol, Self

import pydantic
from pydantic import (
    BeforeValidator,
    Field,
    SecretStr,
    SerializeAsAny,
    ValidationInfo,
    model_validator,
)

from hris_pipeline.errors import PipelineError
from hris_pipeline.settings.base import Settings, closest, did_you_mean
from hris_pipeline.settings.mistakes import (
    KeyPath,
    missing_key,
    mistake,
    refuse,
    unknown_key,
    unknown_word,
)
from hris_pipeline.settings.values import Url, check_secret


class HrSystem(Protocol):
    """What an HR system must declare, so that the company file can be checked."""

    @property
    def name(self) -> str:
        """What the company file calls it."""
        ...

    @property
    def credentials(self) -> tuple[str, ...]:
        """The credential keys that an account must have."""
        ...

    @property
    def optional_credentials(self) -> tuple[str, ...]:
        """The credential keys that it may have."""
        ...

    @property
    def options(self) -> type[Settings]:
        """The model of what only this system has."""
        ...

    @property
    def default_base_url(self) -> str | None:
        """The vendor's address, with a {placeholder} where each account has one of its own."""
        ...

    @property
    def address(self) -> Callable[[Any], str] | None:
        """The address for some options, where the vendor has several."""
        ...

    @property
    def photos(self) -> bool:
        """Whether it has profile photos."""
        ...

    @property
    def reads_changes(self) -> bool:
        """Whether it can say what changed since a moment."""
        ...

    @property
    def mistakes(self) -> Callable[["HrisAccount"], Iterable[tuple[KeyPath, str]]]:
        """What does not go together in an account: sentences that go on from the path of a key."""
        ...

    def kinds_of(self, options: Any) -> tuple[str, ...]:
        """The kinds of group that an account with these options delivers."""
        ...

    def attributes_of(self, options: Any) -> Collection[str]:
        """What of ``sync.attributes`` an account with these options delivers."""
        ...


HrSystems = Mapping[str, HrSystem]
"""The systems that are known, by name; one that is not asked for need not be loaded."""


class HrisAccount(Settings):
    """One account of one HR system. Each system has a model of its own, with its credential keys
    and options beside these.
    """

    system: str = Field(description="the HR system's name; `hris-pipeline systems` lists them")
    base_url: Url | None = Field(
        default=None, description="where the system's API is; null for the vendor's own address"
    )
    quiet_days: Annotated[int, Field(ge=1)] | None = Field(
        default=14,
        description=(
            "days without any change in its people after which a warning is given; null for none"
        ),
    )
    options: SerializeAsAny[Settings] = Field(
        default=Settings(), description="what only this system has"
    )

    @property
    def credentials(self) -> dict[str, SecretStr]:
        """The credential keys of this system and their values: references until :func:`resolve` has
        put the values in.
        """
        values = {
            name: getattr(self, name)
            for name in type(self).model_fields
            if name not in HrisAccount.model_fields
        }
        return {name: value for name, value in values.items() if isinstance(value, SecretStr)}

    @model_validator(mode="after")
    def _secrets(self, info: ValidationInfo) -> Self:
        refuse(
            [
                ((key,), check_secret(key, secret, self.base_url, info))
                for key, secret in self.credentials.items()
            ]
        )
        return self


SOME_ACCOUNT = HrisAccount.model_construct(system="", options=Settings.model_construct())
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
        **{
            key: (SecretStr | None, Field(default=None, description=about.format(key)))
            for key in optional
        },
        "base_url": (
            Annotated[Url | None, BeforeValidator(address)],
            Field(description=own) if of_their_own else Field(default=default_base_url),
        ),
        "options": (options, Field(default={})),
    }
    return pydantic.create_model(f"{name.title()}Account", __base__=HrisAccount, **fields)


def systems_of(info: ValidationInfo) -> HrSystems:
    """The HR systems that the company file is checked with."""
    if not info.context:
        raise TypeError(
            "A company file is checked with the HR systems at hand: context={'systems': ...}"
        )
    systems: HrSystems = info.context["systems"]
    return systems


def _account(given: object, info: ValidationInfo) -> object:
    """Check one account by its own system's model."""
    if isinstance(given, HrisAccount):
        return given  # the one that stands in for an account that cannot be judged
    if not isinstance(given, Mapping):
        raise mistake(
            "must hold keys of its own, indented below it: system, its credentials, base_url, "
            "options"
        )
    systems = systems_of(info)
    if "system" not in given:
        names = ", ".join(sorted(systems))
        meant = next(
            (key for key in map(str, given) if closest(key, HrisAccount.model_fields) == "system"),
            None,
        )
        told = f"is not a known key. Did you mean system? It names the HR system. Known: {names}."
        missing = missing_key(f"is missing: the HR system's name. Known: {names}.")
        refuse([((meant,), unknown_key(told, "system")) if meant else (("system",), missing)])
    name = given["system"]
    if not isinstance(name, str) or name not in systems:
        known = f"{did_you_mean(str(name), systems)} Known: {', '.join(sorted(systems))}."
        refuse(
            [
                (
                    ("system",),
                    unknown_word(
                        f"names no HR system that is known.{known}", closest(str(name), systems)
                    ),
                )
            ]
        )
    try:
        system = systems[name]
    except PipelineError as problem:  # a package of others
        refuse([(("system",), f"cannot be used. {problem}")])
        raise
    address = None if system.address else system.default_base_url  # None: the options tell
    credentials, optional = tuple(system.credentials), tuple(system.optional_credentials)
    model = _account_model(name, credentials, optional, system.options, address)
    account = model.model_validate(given, context=info.context)
    refuse(list(system.mistakes(account)))
    return account


Account = Annotated[SerializeAsAny[HrisAccount], BeforeValidator(_account)]
"""One account, whatever its system."""
