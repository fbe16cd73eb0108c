"""The values that several sections have: texts, URLs, secrets, time zones, durations,
percentages.
"""

import difflib
import functools
import ipaddress
import re
import zoneinfo
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

import pydantic
from pydantic import BeforeValidator, Field, SecretStr, ValidationInfo
from pydantic_core import PydanticCustomError

from hris_pipeline.settings.mistakes import mistake, secret

REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
"""What stands for a value of the environment until a run starts."""


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def split_url(url: str) -> SplitResult | None:
    """The parts of a URL, None where it is none."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is no number
    except ValueError:
        return None
    return parts


def is_resolved(info: ValidationInfo) -> bool:
    """Whether the environment's values are in already."""
    return bool((info.context or {}).get("resolved"))


def check_references(text: str) -> None:
    """Refuse what looks like a reference and is none."""
    if "${" in REFERENCE.sub("", text):
        raise mistake(
            "holds a reference that cannot be read: write it as ${NAME}, with letters, digits and "
            "_ only"
        )


def _url(text: str, info: ValidationInfo) -> str:
    """An http(s) URL without credentials, query or trailing slash; https unless it stays on this
    machine.
    """
    if not is_resolved(info):
        check_references(text)
        if REFERENCE.search(text):
            return text  # judged when the run starts
    parts = split_url(text)
    if (
        parts is None
        or parts.scheme not in {"http", "https"}
        or not parts.hostname
        or any(c.isspace() for c in text)
    ):
        raise mistake("must be a whole URL, such as https://api.example.com")
    if parts.username is not None or parts.query or parts.fragment:
        raise mistake(
            "must be a URL without user name, password, ? and #: credentials have keys of their own"
        )
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise mistake("must begin with https://; http:// is for 127.0.0.1, ::1 and localhost only")
    return text.rstrip("/")


def _text(value: str) -> str:
    check_references(value)
    return value


Text = Annotated[str, pydantic.AfterValidator(_text)]
Url = Annotated[str, pydantic.AfterValidator(_url)]


Percent = Annotated[float, Field(ge=0, le=100)]
Count = Annotated[int, Field(ge=0)]
Texts = Annotated[tuple[Text, ...], Field(strict=False)]


# walks a thousand files, and each run checks its company file often
_zones = functools.cache(zoneinfo.available_timezones)


def not_a_zone(name: str) -> str | None:
    """What is wrong with the name of a time zone."""
    known = _zones()
    if name in known:
        return None
    close = difflib.get_close_matches(name, known, n=1)
    return (
        f"must be a time zone such as Europe/Berlin.{f' Did you mean {close[0]}?' if close else ''}"
    )


def check_secret(
    key: str, value: SecretStr | None, url: str | None, info: ValidationInfo
) -> PydanticCustomError | None:
    """What is wrong with a credential: it must be one whole reference, or belong to a service on
    this machine.
    """
    text = "" if value is None else value.get_secret_value()
    if value is None or is_resolved(info) or REFERENCE.fullmatch(text):
        return None
    readable = text and "${" not in text
    if key.endswith("_id"):  # the name of a credential, not its secret
        return None if readable else secret("must be written as ${NAME}, or be the id itself")
    parts = split_url(url) if url else None
    if readable and parts is not None and parts.hostname and is_loopback(parts.hostname):
        return None  # a sandbox on this machine: its credentials are public
    return secret(
        "must be written as ${NAME} and set in the environment, because a secret has no place in a "
        "file"
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
