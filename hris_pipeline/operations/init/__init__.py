"""A company's first file, made by asking a few questions: `hris-pipeline init`.

The questions come from the registry of HR systems (credentials, required options) and follow
deskbird's own set-up. A secret is never asked for, only the name of the environment variable that
will hold it. An answer is judged by the company file that it would make, with the same sentences as
everywhere.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import BaseModel, BeforeValidator
from pydantic.fields import FieldInfo

from hris_pipeline import settings
from hris_pipeline.errors import PipelineError, SettingsError
from hris_pipeline.hris.registry import SYSTEMS
from hris_pipeline.operations.init import answers
from hris_pipeline.operations.init.draft import Draft

Ask = Callable[[str, str | None], str]
"""Puts a question with its default (None: there is none) to whoever answers."""
Complain = Callable[[str], None]
Question = Callable[[str, str, str | None, Callable[[str], str | None]], None]
"""Gets an answer by its key, the question's text and its default, and hands it to what puts it into
the draft.
"""


def path_of(company: str) -> Path:
    """Where the company's file will be; an error where there is one, or the name cannot be one."""
    file = settings.companies_folder() / f"{company}.yaml"
    if wrong := settings.not_a_name(company, "company"):
        raise SettingsError(f"{company!r} {wrong}. Nothing was written.")
    if file.exists():
        raise SettingsError(
            f"{file} is there already and was left as it is. Change it there, or choose another "
            "name."
        )
    return file


def interview(company: str, given: Mapping[str, Any], ask: Ask | None, complain: Complain) -> Draft:
    """Ask what was not ``given``; without ``ask`` take the defaults, and raise where there is none
    or an answer is wrong.
    """

    def question(
        key: str, text: str, default: str | None, take: Callable[[str], str | None]
    ) -> None:
        """``take`` puts the answer into the draft and says what is wrong with it."""
        answer, asked = given.get(key), False
        while True:
            if answer is None:
                answer = ask(text, default) if ask else default
                asked = ask is not None
            wrong = (
                f"{text} has no default: give it as an option."
                if answer is None
                else take(answer.strip())
            )
            if wrong is None:
                return
            if not asked:
                raise SettingsError(f"{wrong} Nothing was written.")
            complain(wrong)
            answer = None

    first = next(iter(SYSTEMS.values()))
    draft = Draft(company, first, answers.usual(first))
    question(
        "system",
        f"Which HR system? ({', '.join(answers.choices())})",
        next(iter(SYSTEMS)),
        lambda answer: answers.take_system(draft, answer),
    )
    text = "What to call this connection?"
    question(
        "connection",
        text,
        draft.system.name,
        lambda answer: answers.take_connection(draft, answer),
    )
    _ask_account(draft, given, question)
    _ask_again(draft, f"hris.{draft.connection}.options.", ask, complain)
    question(
        "timezone",
        "Time zone?",
        draft.timezone,
        lambda answer: answers.take(draft, answer, "timezone", "timezone"),
    )
    question(
        "scope",
        "Who is in scope? (everybody, or e-mail domains)",
        "everybody",
        lambda answer: answers.take_scope(draft, answer),
    )
    if draft.groups or "groups" in given:
        kinds = ", ".join(answers.kinds(draft))
        question(
            "groups",
            f"Which groups? ({kinds}; or none)",
            ", ".join(draft.groups),
            lambda answer: answers.take_groups(draft, answer),
        )
    question(
        "managers",
        "Carry reporting lines over? (yes, no)",
        "yes",
        lambda answer: answers.take_managers(draft, answer),
    )
    question(
        "night",
        "At what time every night? (04:30, a cron, or none)",
        "04:30",
        lambda answer: answers.take_night(draft, answer),
    )
    text = "Which variable will hold the URL for alerts? (or none)"
    question("alerts", text, "none", lambda answer: answers.take_alerts(draft, answer))
    draft.scim_url = given.get("scim_url")
    if left := draft.mistakes():
        raise SettingsError("\n".join(f"{sentence} Nothing was written." for _, sentence in left))
    return draft


def write(draft: Draft, file: Path) -> None:
    """Put the file in place; never over another one."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(
            os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "w", encoding="utf-8"
        ) as to:
            to.write(draft.text())
    except OSError as problem:
        raise PipelineError(
            f"{file} could not be written ({problem.strerror}). Make the folder writable, or "
            "choose another."
        ) from None


def next_steps(draft: Draft, file: Path) -> Sequence[str]:
    """What to do now, a line each."""
    variables = [*draft.variables.values(), *([draft.alerts] if draft.alerts else [])]
    return (
        f"Written to {file}. Next:",
        f"  1. {draft.row.title}: {draft.row.capabilities.authentication}.",
        "  2. deskbird: Admin > API keys > Generate key > SCIM.",
        f"  3. Set {', '.join(variables)} in the environment.",
        (
            f"  4. hris-pipeline doctor {draft.company}           says what is missing; changes "
            "nothing"
        ),
        f"  5. hris-pipeline sync {draft.company} --dry-run   shows every change; makes none",
    )


def _ask_account(draft: Draft, given: Mapping[str, Any], question: Question) -> None:
    """The connection's address, credentials and required options."""
    where = f"hris.{draft.connection}"
    address = draft.system.default_base_url
    if address and "{" in address:
        text = f"The account's own address? ({address})"
        question(
            "base_url",
            text,
            None,
            lambda answer: answers.take(draft, answer, "base_url", f"{where}.base_url"),
        )
    else:
        draft.base_url = given.get("base_url")
    for key in (*draft.system.credentials, "scim_token"):
        owner = "deskbird's scim_token" if key == "scim_token" else f"{draft.row.title}'s {key}"
        default = (
            "DESKBIRD_SCIM_TOKEN" if key == "scim_token" else f"{draft.connection}_{key}".upper()
        )
        text = f"Which environment variable will hold {owner}?"
        question(
            f"variable {key}",
            text,
            default,
            partial(answers.take_variable, draft, key),
        )
    for key, answer in given.items():
        if key.startswith("option "):
            answers.put(
                draft.options, key.removeprefix("option ").split("."), answers.plain(answer)
            )
        elif key.startswith("variable ") and (
            wrong := answers.take_variable(draft, key.removeprefix("variable "), answer)
        ):
            raise SettingsError(f"{wrong} Nothing was written.")
    for path, about in _required(draft.system.options):
        if answers.has(draft.options, path):
            continue
        text = f"{'.'.join(path)}: {about.description or 'required'}?"
        question(
            f"option {'.'.join(path)}",
            text,
            None,
            partial(answers.take_option, draft, path),
        )


def _ask_again(draft: Draft, within: str, ask: Ask | None, complain: Complain) -> None:
    """Ask for the options that are still wrong or missing: what fits together shows only once all
    of them are there.
    """
    while ask is not None:
        wrong = [
            (path, sentence)
            for path, sentence in draft.mistakes()
            if path.startswith(within) and "[" not in path
        ]
        if not wrong:
            return
        path, sentence = wrong[0]
        complain(sentence)
        option = path.removeprefix(within)
        answers.put(
            draft.options, option.split("."), answers.plain(ask(f"{option}?", None).strip())
        )


def _required(
    options: type[BaseModel], above: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], FieldInfo]]:
    """The options without a default, those within a required section too."""
    for name, about in options.model_fields.items():
        inner = about.annotation
        if not about.is_required():
            continue
        # a section that one word can stand for
        takes_text = any(isinstance(each, BeforeValidator) for each in about.metadata)
        if isinstance(inner, type) and issubclass(inner, BaseModel) and not takes_text:
            yield from _required(inner, (*above, name))
        else:
            yield (*above, name), about
