"""Where news of a company goes: its keys ``alerts`` and ``heartbeat_url``."""

from typing import Annotated

import pydantic
from pydantic import SecretStr, ValidationInfo

from hris_pipeline.settings.mistakes import mistake
from hris_pipeline.settings.values import (
    REFERENCE,
    check_references,
    is_loopback,
    is_resolved,
    split_url,
)


def _news_url(secret: SecretStr, info: ValidationInfo) -> SecretStr:
    """A URL that holds its own credential (a webhook, Apprise's notation), so one that leaves this
    machine is a reference.
    """
    text = secret.get_secret_value()
    if not is_resolved(info):
        check_references(text)
        if REFERENCE.search(text):
            return secret
    parts = split_url(text)
    if parts is None or "://" not in text or any(c.isspace() for c in text):
        raise mistake(
            "must be a URL in Apprise notation, such as mailtos://... or slack://..., by "
            "reference: ${ALERT_URL}"
        )
    local = is_loopback(parts.hostname) if parts.hostname else text == f"{parts.scheme}://"
    if not is_resolved(info) and not local:
        raise mistake(
            "must be written as ${NAME} and set in the environment, because such a URL holds a "
            "secret"
        )
    return secret


def _http_news_url(secret: SecretStr, info: ValidationInfo) -> SecretStr:
    text = secret.get_secret_value()
    if is_resolved(info) or not REFERENCE.search(text):
        parts = split_url(text)
        if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
            raise mistake(
                "must be a whole URL, such as https://..., by reference: ${HEARTBEAT_URL}"
            )
        if parts.scheme == "http" and not is_loopback(parts.hostname):
            raise mistake(
                "must begin with https://; http:// is for 127.0.0.1, ::1 and localhost only"
            )
    return secret


NewsUrl = Annotated[SecretStr, pydantic.AfterValidator(_news_url)]
HeartbeatUrl = Annotated[
    SecretStr, pydantic.AfterValidator(_news_url), pydantic.AfterValidator(_http_news_url)
]
