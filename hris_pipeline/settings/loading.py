"""Reading a company file: checked as a whole, before anything runs."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hris_pipeline.errors import SettingsError
from hris_pipeline.settings.accounts import HrSystems
from hris_pipeline.settings.company import Company
from hris_pipeline.settings.environment import needed_of, unusable, unusable_line
from hris_pipeline.settings.folders import companies_folder, company_names
from hris_pipeline.settings.names import not_a_name
from hris_pipeline.settings.notation import parse
from hris_pipeline.settings.sentences import all_mistakes, path_of


def load(
    name: str,
    systems: HrSystems,
    folder: Path | None = None,
    *,
    environment: Mapping[str, str] | None = None,
) -> Company:
    """Read and check one company's file; references to the environment stay as they are.

    With an ``environment`` each variable that the file needs must be in it: for a command that is
    about to run. ``systems`` are the HR systems that are known. A :class:`SettingsError` holds one
    line for each mistake.
    """
    where = companies_folder() if folder is None else folder
    file = where / f"{name}.yaml"
    wrong = not_a_name(name, "company")
    if wrong:
        raise SettingsError(
            f"{name!r} {wrong}. It is the name of the file in {where} without .yaml."
        )
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        known = ", ".join(company_names(where)) or "none"
        other = (
            f" {name}.yml is there: its name must end in .yaml."
            if file.with_suffix(".yml").exists()
            else ""
        )
        raise SettingsError(f"{file} does not exist.{other} Companies here: {known}.") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{file} is not UTF-8 text. Save it as UTF-8.") from None
    except OSError as problem:
        raise SettingsError(f"{file} cannot be read: {problem.strerror}.") from None
    return check(name, text, str(file), systems, environment=environment)


def load_to_run(name: str, systems: HrSystems) -> Company:
    """The same for a command that is about to run: what the process's environment lacks is a
    mistake too.
    """
    return load(name, systems, environment=os.environ)  # noqa: TID251


def check(
    name: str,
    text: str,
    file: str,
    systems: HrSystems,
    *,
    environment: Mapping[str, str] | None = None,
) -> Company:
    """The company that a file's text describes; ``file`` is what mistakes call it. ``environment``
    as in :func:`load`.
    """
    try:
        document, wrong = parse(text)
    except SettingsError as problem:
        raise SettingsError(f"{file}, {problem}") from None
    if document is None:
        raise SettingsError(
            f"{file} is empty. It needs hris and deskbird; example.yaml.txt shows every key."
        )
    if not isinstance(document, dict):
        raise SettingsError(
            f"{file} must hold keys such as timezone, hris and deskbird, each at the beginning of "
            "a line."
        )
    lines = [f"{file}, {sentence}" for sentence in wrong]
    if "name" in document:
        lines.append(
            f"{file}: name is not a known key, because a company's name is the name of its file."
        )
    data = {**document, "name": name}
    mistakes: list[tuple[str, str]] = []
    try:
        company = Company.model_validate(data, context={"systems": systems, "resolved": False})
    except ValidationError:
        mistakes = [
            (path_of(loc), sentence)
            for loc, sentence in all_mistakes(data, systems, resolved=False)
        ]
        lines += [f"{file}: {sentence}" for _, sentence in mistakes]
        needed = data if _absences_enabled(data) else _without(data, "deskbird", "api_key")
    else:
        company._file = file  # noqa: SLF001 - set once, here
        needed = needed_of(company)
    if environment is not None:
        lines += [unusable_line(file, *one) for one in unusable(needed, environment)]
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
