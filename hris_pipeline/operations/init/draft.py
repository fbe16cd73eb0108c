"""The answers so far, and the company file that they make."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from hris_pipeline.errors import SettingsError
from hris_pipeline.hris.system import System, Variant
from hris_pipeline.operations import companies

_AT = 38  # the column of the comments
# which YAML takes for something else
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})


@dataclass
class Draft:
    """The answers so far, and the file that they make."""

    company: str
    system: System
    row: Variant
    connection: str = ""
    base_url: str | None = None
    variables: dict[str, str] = field(default_factory=dict)  # by credential, and scim_token
    options: dict[str, Any] = field(default_factory=dict)
    timezone: str = "Europe/Berlin"
    schedule: str | None = "30 4 * * *"
    domains: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    managers: bool = True
    alerts: str | None = None
    scim_url: str | None = None

    def text(self) -> str:
        """The company file."""
        return "\n".join(_aligned(self._lines())) + "\n"

    def mistakes(self) -> list[tuple[str, str]]:
        """What is wrong with the file: each key's path, and the sentence about it."""
        try:
            companies.check(self.company, self.text(), self.company)
        except SettingsError as problem:
            return list(problem.mistakes) or [("", str(problem))]
        return []

    def _lines(self) -> Iterator[tuple[str, str]]:
        """Each line with its comment."""
        yield (
            (
                f"# {self.company}, written by `hris-pipeline init`. companies/example.yaml.txt "
                "shows every key with its default."
            ),
            "",
        )
        yield (
            (
                "# ${NAME} is read from the environment when a run starts: no secret belongs into "
                "this file."
            ),
            "",
        )
        yield "", ""
        yield (
            f"timezone: {_scalar(self.timezone)}",
            "whose midnight ends a contract, and the schedule's zone",
        )
        yield (
            f"schedule: {_scalar(self.schedule)}",
            "minute hour day month weekday in that zone; null for none",
        )
        yield "", ""
        yield "hris:", ""
        yield (
            f"  {self.connection}:",
            "the connection's name: it is part of every record's id, so keep it",
        )
        yield f"    system: {self.system.name}", self.row.title
        if self.base_url:
            yield f"    base_url: {_scalar(self.base_url)}", ""
        for key in self.variables:
            if key != "scim_token":
                yield f"    {key}: ${{{self.variables[key]}}}", ""
        if self.options:
            yield f"    options: {_scalar(self.options)}", ""
        yield f"    # `hris-pipeline systems {self.row.name}` lists the options that there are", ""
        yield "", ""
        yield "deskbird:", ""
        if self.scim_url:
            yield f"  scim_url: {_scalar(self.scim_url)}", ""
        yield (
            f"  scim_token: ${{{self.variables['scim_token']}}}",
            "Admin > API keys > Generate key > SCIM",
        )
        yield "", ""
        yield "sync:", ""
        include = [{"email_domain": list(self.domains)}] if self.domains else []
        yield "  scope:", "who is synced; rules, such as {department: [Sales], location: Berlin}"
        yield f"    include: {_scalar(include)}", "empty is everybody"
        yield "    exclude: []", ""
        # where the options tell the kinds, the default is right
        if self.system.group_kinds or self.groups:
            yield "  # The first kind keeps its name where two groups would be called alike.", ""
            yield f"  groups: {_scalar(list(self.groups))}", ""
        yield f"  managers: {_scalar(self.managers)}", "reporting lines"
        yield "", ""
        alerts = [f"${{{self.alerts}}}"] if self.alerts else []
        yield (
            f"alerts: {_scalar(alerts)}",
            'where news goes: ["${ALERT_URL}"], a URL in Apprise notation',
        )


def _aligned(lines: Iterator[tuple[str, str]]) -> Iterator[str]:
    for line, comment in lines:
        yield f"{line:<{_AT - 1}} # {comment}" if comment else line


def _scalar(value: Any) -> str:
    """A value on one line; JSON is YAML, except that plain words need no quotes."""
    if (
        isinstance(value, str)
        and re.fullmatch(r"[A-Za-z][A-Za-z0-9_/+-]*", value)
        and value.lower() not in _WORDS
    ):
        return value
    if isinstance(value, list):
        return f"[{', '.join(map(_scalar, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_scalar(inner)}' for key, inner in value.items())}}}"
    return json.dumps(value, ensure_ascii=False)
