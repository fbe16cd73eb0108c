"""What a query of v2 asks of persons."""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from hris_pipeline.sandbox.hris.personio.refusals import BAD_FILTER, BAD_VALUE, RefusedError
from hris_pipeline.sandbox.hris.personio.view import person_status


def _moment(text: str) -> dt.datetime:
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment.replace(microsecond=0)


def _status_word(text: str) -> str:
    if text not in {"ACTIVE", "INACTIVE"}:
        raise ValueError(text)
    return text


_Parse = Callable[[str], Any]
_Read = Callable[[Any], Any]
_BY_TIME = ("", "gt", "lt")
PERSON_FILTERS: Mapping[str, tuple[_Parse, _Read, tuple[str, ...]]] = {
    "id": (str, lambda person: str(person.id), ("in",)),
    "email": (str.lower, lambda person: (person.email or "").lower(), ("in",)),
    "first_name": (str, lambda person: person.first_name, ("",)),
    "last_name": (str, lambda person: person.last_name, ("",)),
    "preferred_name": (str, lambda person: f"{person.first_name} {person.last_name}", ("",)),
    "status": (_status_word, person_status, ("",)),
    "created_at": (_moment, lambda person: person.created_at, _BY_TIME),
    "updated_at": (_moment, lambda person: person.updated_at, _BY_TIME),
}


def condition(
    name: str, text: str, filters: Mapping[str, tuple[_Parse, _Read, tuple[str, ...]]]
) -> Callable[[Any], bool]:
    """What one query parameter asks of a record; 400 for a filter, an operator or a value that is
    not known.
    """
    attribute, _, operator = name.partition(".")
    parse, read, operators = filters.get(attribute, (str, str, ()))
    if operator not in operators and not (operator == "" and operators == ("in",)):
        raise RefusedError(400, *BAD_FILTER)
    try:
        if operators == ("in",):
            some = {parse(part.strip()) for part in text.split(",")}
            return lambda record: read(record) in some
        wanted = parse(text)
    except ValueError:
        raise RefusedError(400, *BAD_VALUE) from None
    match operator:
        case "gt":
            return lambda record: bool(read(record) > wanted)
        case "lt":
            return lambda record: bool(read(record) < wanted)
        case _:
            return lambda record: bool(read(record) == wanted)
