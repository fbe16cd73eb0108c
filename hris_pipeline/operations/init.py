"""A company's first file, made by asking a few questions: `hris-pipeline init`.

The questions come from the registry of HR systems (credentials, required options) and follow deskbird's own set-up. A secret is
never asked for, only the name of the environment variable that will hold it. An answer is judged by the company file that it
would make, with the same sentences as everywhere.
"""

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, BeforeValidator
from pydantic.fields import FieldInfo

from hris_pipeline import settings
from hris_pipeline.errors import PipelineError, SettingsError
from hris_pipeline.hris.registry import SYSTEMS, find
from hris_pipeline.hris.system import System, Variant
from hris_pipeline.operations import companies

Ask = Callable[[str, str | None], str]
"""Puts a question with its default (None: there is none) to whoever answers."""
Complain = Callable[[str], None]
Question = Callable[[str, str, str | None, Callable[[str], str | None]], None]
"""Gets an answer by its key, the question's text and its default, and hands it to what puts it into the draft."""

VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{2})")
_NOTHING = ("", "none", "no", "-")
_AT = 38  # the column of the comments


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
            f"# {self.company}, written by `hris-pipeline init`. companies/example.yaml.txt shows every key with its default.",
            "",
        )
        yield "# ${NAME} is read from the environment when a run starts: no secret belongs into this file.", ""
        yield "", ""
        yield f"timezone: {_scalar(self.timezone)}", "whose midnight ends a contract, and the schedule's zone"
        yield f"schedule: {_scalar(self.schedule)}", "minute hour day month weekday in that zone; null for none"
        yield "", ""
        yield "hris:", ""
        yield f"  {self.connection}:", "the connection's name: it is part of every record's id, so keep it"
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
        yield f"  scim_token: ${{{self.variables['scim_token']}}}", "Admin > API keys > Generate key > SCIM"
        yield "", ""
        yield "sync:", ""
        include = [{"email_domain": list(self.domains)}] if self.domains else []
        yield "  scope:", "who is synced; rules, such as {department: [Sales], location: Berlin}"
        yield f"    include: {_scalar(include)}", "empty is everybody"
        yield "    exclude: []", ""
        if self.system.group_kinds or self.groups:  # where the options tell the kinds, the default is right
            yield "  # The first kind keeps its name where two groups would be called alike.", ""
            yield f"  groups: {_scalar(list(self.groups))}", ""
        yield f"  managers: {_scalar(self.managers)}", "reporting lines"
        yield "", ""
        alerts = [f"${{{self.alerts}}}"] if self.alerts else []
        yield f"alerts: {_scalar(alerts)}", 'where news goes: ["${ALERT_URL}"], a URL in Apprise notation'


def _aligned(lines: Iterator[tuple[str, str]]) -> Iterator[str]:
    for line, comment in lines:
        yield f"{line:<{_AT - 1}} # {comment}" if comment else line


def _scalar(value: Any) -> str:
    """A value on one line; JSON is YAML, except that plain words need no quotes."""
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z][A-Za-z0-9_/+-]*", value) and value.lower() not in _WORDS:
        return value
    if isinstance(value, list):
        return f"[{', '.join(map(_scalar, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_scalar(inner)}' for key, inner in value.items())}}}"
    return json.dumps(value, ensure_ascii=False)


_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})  # which YAML takes for something else


# --- the questions --------------------------------------------------------------------------------------------------------------


def path_of(company: str) -> Path:
    """Where the company's file will be; an error where there is one, or the name cannot be one."""
    file = settings.companies_folder() / f"{company}.yaml"
    if wrong := settings.not_a_name(company, "company"):
        raise SettingsError(f"{company!r} {wrong}. Nothing was written.")
    if file.exists():
        raise SettingsError(f"{file} is there already and was left as it is. Change it there, or choose another name.")
    return file


def interview(company: str, given: Mapping[str, Any], ask: Ask | None, complain: Complain) -> Draft:
    """Ask what was not ``given``; without ``ask`` take the defaults, and raise where there is none or an answer is wrong."""

    def question(key: str, text: str, default: str | None, take: Callable[[str], str | None]) -> None:
        """``take`` puts the answer into the draft and says what is wrong with it."""
        answer, asked = given.get(key), False
        while True:
            if answer is None:
                answer = ask(text, default) if ask else default
                asked = ask is not None
            wrong = f"{text} has no default: give it as an option." if answer is None else take(answer.strip())
            if wrong is None:
                return
            if not asked:
                raise SettingsError(f"{wrong} Nothing was written.")
            complain(wrong)
            answer = None

    first = next(iter(SYSTEMS.values()))
    draft = Draft(company, first, _usual(first))
    question(
        "system", f"Which HR system? ({', '.join(_choices())})", next(iter(SYSTEMS)), lambda answer: _take_system(draft, answer)
    )
    text = "What to call this connection?"
    question("connection", text, draft.system.name, lambda answer: _take_connection(draft, answer))
    _ask_account(draft, given, question)
    _ask_again(draft, f"hris.{draft.connection}.options.", ask, complain)
    question("timezone", "Time zone?", draft.timezone, lambda answer: _take(draft, answer, "timezone", "timezone"))
    question("scope", "Who is in scope? (everybody, or e-mail domains)", "everybody", lambda answer: _take_scope(draft, answer))
    if draft.groups or "groups" in given:
        kinds = ", ".join(_kinds(draft))
        question(
            "groups", f"Which groups? ({kinds}; or none)", ", ".join(draft.groups), lambda answer: _take_groups(draft, answer)
        )
    question("managers", "Carry reporting lines over? (yes, no)", "yes", lambda answer: _take_managers(draft, answer))
    question("night", "At what time every night? (04:30, a cron, or none)", "04:30", lambda answer: _take_night(draft, answer))
    text = "Which variable will hold the URL for alerts? (or none)"
    question("alerts", text, "none", lambda answer: _take_alerts(draft, answer))
    draft.scim_url = given.get("scim_url")
    if left := draft.mistakes():
        raise SettingsError("\n".join(f"{sentence} Nothing was written." for _, sentence in left))
    return draft


def write(draft: Draft, file: Path) -> None:
    """Put the file in place; never over another one."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "w", encoding="utf-8") as to:
            to.write(draft.text())
    except OSError as problem:
        raise PipelineError(
            f"{file} could not be written ({problem.strerror}). Make the folder writable, or choose another."
        ) from None


def next_steps(draft: Draft, file: Path) -> Sequence[str]:
    """What to do now, a line each."""
    variables = [*draft.variables.values(), *([draft.alerts] if draft.alerts else [])]
    return (
        f"Written to {file}. Next:",
        f"  1. {draft.row.title}: {draft.row.capabilities.authentication}.",
        "  2. deskbird: Admin > API keys > Generate key > SCIM.",
        f"  3. Set {', '.join(variables)} in the environment.",
        f"  4. hris-pipeline doctor {draft.company}           says what is missing; changes nothing",
        f"  5. hris-pipeline sync {draft.company} --dry-run   shows every change; makes none",
    )


def _ask_account(draft: Draft, given: Mapping[str, Any], question: Question) -> None:
    """The connection's address, credentials and required options."""
    where = f"hris.{draft.connection}"
    address = draft.system.default_base_url
    if address and "{" in address:
        text = f"The account's own address? ({address})"
        question("base_url", text, None, lambda answer: _take(draft, answer, "base_url", f"{where}.base_url"))
    else:
        draft.base_url = given.get("base_url")
    for key in (*draft.system.credentials, "scim_token"):
        owner = "deskbird's scim_token" if key == "scim_token" else f"{draft.row.title}'s {key}"
        default = "DESKBIRD_SCIM_TOKEN" if key == "scim_token" else f"{draft.connection}_{key}".upper()
        text = f"Which environment variable will hold {owner}?"
        question(f"variable {key}", text, default, lambda answer, key=key: _take_variable(draft, key, answer))  # type: ignore[misc]
    for key, answer in given.items():
        if key.startswith("option "):
            _put(draft.options, key.removeprefix("option ").split("."), _plain(answer))
        elif key.startswith("variable ") and (wrong := _take_variable(draft, key.removeprefix("variable "), answer)):
            raise SettingsError(f"{wrong} Nothing was written.")
    for path, about in _required(draft.system.options):
        if _has(draft.options, path):
            continue
        text = f"{'.'.join(path)}: {about.description or 'required'}?"
        question(f"option {'.'.join(path)}", text, None, lambda answer, path=path: _take_option(draft, path, answer))  # type: ignore[misc]


def _ask_again(draft: Draft, within: str, ask: Ask | None, complain: Complain) -> None:
    """Ask for the options that are still wrong or missing: what fits together shows only once all of them are there."""
    while ask is not None:
        wrong = [(path, sentence) for path, sentence in draft.mistakes() if path.startswith(within) and "[" not in path]
        if not wrong:
            return
        path, sentence = wrong[0]
        complain(sentence)
        option = path.removeprefix(within)
        _put(draft.options, option.split("."), _plain(ask(f"{option}?", None).strip()))


def _required(options: type[BaseModel], above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], FieldInfo]]:
    """The options without a default, those within a required section too."""
    for name, about in options.model_fields.items():
        inner = about.annotation
        if not about.is_required():
            continue
        takes_text = any(isinstance(each, BeforeValidator) for each in about.metadata)  # a section that one word can stand for
        if isinstance(inner, type) and issubclass(inner, BaseModel) and not takes_text:
            yield from _required(inner, (*above, name))
        else:
            yield (*above, name), about


# --- the answers ----------------------------------------------------------------------------------------------------------------


def _usual(system: System) -> Variant:
    """The row of a system as it is read where nothing else is said."""
    own = Variant(system.name, system.title, f"system: {system.name}", system.capabilities)
    return next((row for row in system.variants if row.capabilities is system.capabilities), own)


def _choices() -> dict[str, Variant]:
    """The systems by name, and what differs from how they are usually read."""
    usual = {name: _usual(system) for name, system in SYSTEMS.items()}
    return usual | {row.name: row for system in SYSTEMS.values() for row in system.variants if row not in usual.values()} | usual


def _take_system(draft: Draft, answer: str) -> str | None:
    choices = _choices()
    try:
        row, *others = [choices[answer.lower()]] if answer.lower() in choices else find(answer, list(choices.values()))
    except PipelineError as problem:
        return str(problem)
    if others:
        return f"{answer!r} may be {' or '.join(each.title for each in (row, *others))}: which of them?"
    draft.row, draft.system, draft.options = row, SYSTEMS[row.said["system"]], dict(row.said.get("options", {}))
    draft.connection = draft.system.name
    draft.variables = dict.fromkeys((*draft.system.credentials, "scim_token"), "VARIABLE")
    kinds = _kinds(draft)
    usual = [kind for kind in ("team", "department", "cost_center") if kind in kinds]
    draft.groups = tuple(usual or kinds[:1])
    return None


def _kinds(draft: Draft) -> tuple[str, ...]:
    """The kinds of group that the system has, read this way; one that it is known to lack is not offered."""
    can = draft.row.capabilities
    return tuple(kind for kind in draft.system.group_kinds if getattr(can, kind, "yes") != "no")


def _take_connection(draft: Draft, answer: str) -> str | None:
    if wrong := settings.not_a_name(answer, "connection"):
        return f"{answer!r} {wrong}."
    draft.connection = answer
    return None


def _take(draft: Draft, answer: Any, name: str, path: str) -> str | None:
    """Put an answer in; what is wrong with the key ``path`` of the file that it makes."""
    setattr(draft, name, answer)
    return _wrong(draft, path)


def _wrong(draft: Draft, path: str) -> str | None:
    found = (sentence for key, sentence in draft.mistakes() if key == path or key.startswith((f"{path}.", f"{path}[")))
    return next(found, None)


def _take_variable(draft: Draft, key: str, answer: str) -> str | None:
    if not VARIABLE.fullmatch(answer):
        return f"That is no variable's name for {key}: use A-Z, 0-9 and _. Never write the secret itself."
    draft.variables[key] = answer
    return None


def _take_option(draft: Draft, path: Sequence[str], answer: str) -> str | None:
    if not answer:
        return f"{'.'.join(path)} is required."
    _put(draft.options, path, _plain(answer))
    return _wrong(draft, f"hris.{draft.connection}.options.{'.'.join(path)}")


def _put(options: dict[str, Any], path: Sequence[str], value: Any) -> None:
    for step in path[:-1]:
        inner = options.get(step)
        options[step] = options = inner if isinstance(inner, dict) else {}
    options[path[-1]] = value


def _has(options: Any, path: Sequence[str]) -> bool:
    for step in path:
        if not isinstance(options, dict) or step not in options:
            return False
        options = options[step]
    return True


def _plain(answer: str) -> Any:
    """A value as YAML has it; text where it is none."""
    try:
        value = yaml.safe_load(answer)
    except yaml.YAMLError:
        return answer
    return value if isinstance(value, bool | int | float | list | dict) else answer


def _list(answer: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in answer.split(",") if part.strip())


def _take_scope(draft: Draft, answer: str) -> str | None:
    domains = () if answer.lower() in {"", "everybody", "all"} else _list(answer.lower().replace("@", ""))
    if any(not re.fullmatch(r"[^\s.]+(\.[^\s.]+)+", domain) for domain in domains):
        return "An e-mail domain looks like acme.com; other rules can be written into the file afterwards."
    return _take(draft, domains, "domains", "sync.scope")


def _take_groups(draft: Draft, answer: str) -> str | None:
    return _take(draft, () if answer.lower() in _NOTHING else _list(answer), "groups", "sync.groups")


def _take_managers(draft: Draft, answer: str) -> str | None:
    if answer.lower() not in {"yes", "y", "no", "n", "true", "false"}:
        return "Answer yes or no."
    draft.managers = answer.lower()[0] in "yt"
    return None


def _take_night(draft: Draft, answer: str) -> str | None:
    time = _TIME.fullmatch(answer)
    cron = f"{int(time[2])} {int(time[1])} * * *" if time else None if answer.lower() in _NOTHING else answer
    return _take(draft, cron, "schedule", "schedule")


def _take_alerts(draft: Draft, answer: str) -> str | None:
    if answer.lower() in _NOTHING:
        return None
    if not VARIABLE.fullmatch(answer):
        return "That is no variable's name: use A-Z, 0-9 and _. The URL itself holds a secret and belongs into the environment."
    draft.alerts = answer
    return None
