"""How Personio refuses: v1's envelope, v2's problem document, and OAuth's own."""

import datetime as dt
import secrets
import uuid
from collections.abc import Mapping
from typing import Any

import msgspec

from hris_pipeline.sandbox.faults import Answer

_DOCUMENTED = "https://developer.personio.de/reference/errors#"


class RefusedError(Exception):
    """An answer other than 200, in the words of the generation that was asked."""

    def __init__(self, status: int, detail: str, title: str = "", anchor: str = "") -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.title = title
        self.anchor = anchor


class OAuthError(Exception):
    """A v2 token request that is refused; always 400."""

    def __init__(
        self,
        error: str,
        told: str,
        anchor: str = "",
        meta: Mapping[str, Any] | None = None,
        *,
        link: str = "error_uri",
    ) -> None:
        super().__init__(told)
        self.error = error
        self.told = told
        self.meta = meta
        self.link = {link: f"{_DOCUMENTED}credentials.oauth2.{anchor or error}"}

    def answer(self) -> dict[str, Any]:
        """The body."""
        body = {
            "timestamp": _now(),
            "trace_id": str(uuid.uuid4()),
            "error": self.error,
            "error_description": self.told,
        }
        return body | self.link | ({} if self.meta is None else {"meta": self.meta})


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")  # noqa: TID251 - a server's wall time, not the night's


BAD_VALUE = ("Provided request parameters are invalid.", "Bad request", "common.bad_request")
BAD_FILTER = ("Provided filter encoding is invalid.", "Bad request", "common.bad_request")
NOT_FOUND = (
    "There is no resource for the specified id.",
    "Resource not found",
    "common.resource_not_found",
)
_BY_STATUS = {
    401: ("Unauthorized Request", "Unauthorized", "common.unauthorized"),
    403: ("Access to this resource is forbidden.", "Forbidden", "common.forbidden"),
    404: NOT_FOUND,
    429: ("Too many requests.", "Too Many Requests", "common.too_many_requests"),
    500: (
        "There was a problem while processing this request.",
        "Internal Server Error",
        "common.internal_server_error",
    ),
    502: (
        "There was a problem while processing this request.",
        "Bad Gateway",
        "common.bad_gateway",
    ),
    503: (
        "The server is temporarily unavailable.",
        "Service Unavailable",
        "common.service_unavailable",
    ),
    504: (
        "There was a problem while processing this request.",
        "Gateway Timeout",
        "common.gateway_timeout",
    ),
}


def error_answer(refusal: RefusedError, path: str) -> Answer:
    """The body of a refusal: v1's envelope or v2's problem document."""
    if path.startswith("/v1/"):
        code = refusal.status if refusal.anchor != "v1.auth" else 0
        return "application/json", msgspec.json.encode(
            {"success": False, "error": {"code": code, "message": refusal.detail}}
        )
    problem = {
        "personio_trace_id": secrets.token_hex(16),
        "timestamp": _now(),
        "errors": [
            {
                "title": refusal.title,
                "detail": refusal.detail,
                "type": _DOCUMENTED + refusal.anchor,
            }
        ],
    }
    return "application/problem+json", msgspec.json.encode(problem)


def error_of(status: int, path: str) -> Answer:
    """What Personio answers with a status, whatever was asked."""
    return error_answer(
        RefusedError(
            status,
            *_BY_STATUS.get(status, (f"Status {status}", f"Status {status}", "common.error")),
        ),
        path,
    )


def no_endpoint(path: str) -> RefusedError:
    """That nothing answers at a path."""
    return RefusedError(
        404, f"The endpoint with {path} was not found.", "Not found", "common.endpoint_not_found"
    )
