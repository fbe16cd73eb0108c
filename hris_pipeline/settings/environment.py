"""The values that the environment has for a company file: which are missing, and all of them put
in.
"""

import functools
import os
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import SecretStr, ValidationError

from hris_pipeline.errors import SettingsError
from hris_pipeline.settings.accounts import HrSystems
from hris_pipeline.settings.company import Company
from hris_pipeline.settings.mistakes import KeyPath
from hris_pipeline.settings.sentences import all_mistakes, path_of
from hris_pipeline.settings.values import REFERENCE


def _checked(data: Mapping[str, Any], file: str, systems: HrSystems, *, resolved: bool) -> Company:
    try:
        company = Company.model_validate(data, context={"systems": systems, "resolved": resolved})
    except ValidationError:
        wrong = all_mistakes(data, systems, resolved=resolved)
        raise SettingsError("\n".join(f"{file}: {sentence}" for _, sentence in wrong)) from None
    company._file = file  # noqa: SLF001 - set once, here
    return company


def _places(value: Any, place: KeyPath = ()) -> Iterator[KeyPath]:
    """Where every text in a dumped model stands."""
    inner = (
        value.items()
        if isinstance(value, Mapping)
        else enumerate(value)
        if isinstance(value, (list, tuple))
        else ()
    )
    if isinstance(value, (str, SecretStr)):
        yield place
    for step, part in inner:
        yield from _places(part, (*place, step))


def _strings(value: Any) -> Iterator[tuple[str, str]]:
    """Every text in a dumped model, with its key's path."""
    for place in _places(value):
        text = functools.reduce(lambda part, step: part[step], place, value)
        yield path_of(place), text.get_secret_value() if isinstance(text, SecretStr) else text


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


def unusable_variables(
    company: Company, environment: Mapping[str, str] | None = None
) -> list[tuple[str, str, Unusable]]:
    """Each key whose environment variable is missing, empty or broken over lines: its path, the
    variable, what is wrong.
    """
    return unusable(needed_of(company), os.environ if environment is None else environment)  # noqa: TID251


def unusable(
    needed: Mapping[str, Any], environment: Mapping[str, str]
) -> list[tuple[str, str, Unusable]]:
    """The same of a dumped company, or of a file that is not sound."""
    wrong: list[tuple[str, str, Unusable]] = []
    for path, text in _strings(needed):
        for variable in REFERENCE.findall(text):
            value = environment.get(variable, "")
            if not value.strip():
                wrong.append((path, variable, "not_set"))
            elif not (
                value.replace("\n", "") if path.endswith(".private_key") else value
            ).isprintable():
                wrong.append((path, variable, "broken"))
    return wrong


def unusable_line(file: str, path: str, variable: str, code: Unusable) -> str:
    """One of them as a line for people."""
    why, then = UNUSABLE[code]
    return (
        f"{file}: {path} needs the environment variable {variable}, which {why}. Nothing was read "
        f"or written; {then}."
    )


def needed_of(company: Company) -> dict[str, Any]:
    """The company as a plain dictionary, without a secret that is not needed, so that it is not
    read.

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
    systems: HrSystems,
    environment: Mapping[str, str] | None = None,
    *,
    stand_in: str | None = None,
) -> Company:
    """The company with every ``${NAME}`` replaced by the environment's value, checked once more:
    for the start of a run.

    A :class:`SettingsError` names each variable that is missing, empty or broken over lines, and
    the key that needs it, and what is wrong with the values of the others. With a ``stand_in`` that
    takes the place of what is missing, for whoever then leaves alone what needs it.
    """
    environment = os.environ if environment is None else environment  # noqa: TID251
    unusable = unusable_variables(company, environment)
    filled_in = {**environment, **{variable: stand_in or _UNSET for _, variable, _ in unusable}}
    data = _filled_in(needed_of(company), filled_in)
    if stand_in is not None or not unusable:
        return _checked(data, company.file, systems, resolved=True)
    paths = {path for path, _, _ in unusable}
    told = [loc for loc in _places(needed_of(company)) if path_of(loc) in paths]
    lines = [unusable_line(company.file, *one) for one in unusable]
    lines += [
        f"{company.file}: {sentence}"
        for _, sentence in all_mistakes(data, systems, resolved=True, told=told)
    ]
    raise SettingsError("\n".join(lines))


def alert_urls(company: Company, environment: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Where the company's news goes, with the environment's values in: no others, so that news of a
    missing one gets out.
    """
    environment = os.environ if environment is None else environment  # noqa: TID251
    texts = [secret.get_secret_value() for secret in company.alerts]
    missing = [
        name
        for text in texts
        for name in REFERENCE.findall(text)
        if not environment.get(name, "").strip()
    ]
    if missing:
        raise SettingsError(
            f"{company.file}: alerts needs the environment variable {missing[0]}, which is not "
            "set. No news was sent."
        )
    return tuple(str(_filled_in(text, environment)) for text in texts)
