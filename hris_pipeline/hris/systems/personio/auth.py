"""Personio's tokens: both generations take the same client id and secret, and a token of either
serves both.
"""

import msgspec
from msgspec import UNSET, Struct, UnsetType

from hris_pipeline.hris.api import Api

HEADERS = {"Accept": "application/json", "X-Personio-App-ID": "HRIS_PIPELINE"}
RIGHTS_AT = "Settings > Integrations > API credentials in Personio"


class _V1Data(Struct):
    token: str


class _V1Token(Struct):
    success: bool = False
    data: _V1Data | UnsetType = UNSET


class _V2Token(Struct):
    access_token: str


class _V2Refusal(Struct):
    error: str = ""


_V1 = msgspec.json.Decoder(_V1Token)
_V2 = msgspec.json.Decoder(_V2Token)
_V2_REFUSAL = msgspec.json.Decoder(_V2Refusal)
_CREDENTIAL = frozenset({"invalid_client", "unauthorized_client", "access_denied", "invalid_grant"})
_OTHER = frozenset(
    {
        "invalid_request",
        "unsupported_grant_type",
        "invalid_scope",
        "server_error",
        "temporarily_unavailable",
    }
)


def login_v1(api: Api, client_id: str, client_secret: str) -> str:
    """A token from ``POST /v1/auth``."""
    path = "/v1/auth"
    body = {"client_id": client_id, "client_secret": client_secret}
    response = api.ask("POST", path, where=path, accept={400}, json=body)
    if response.status_code in {400, 401, 403}:
        raise api.bad_credential(path, f"HTTP {response.status_code}")
    answer = api.read(response, _V1, path)
    if not answer.success or answer.data is UNSET or not answer.data.token:
        raise api.bad_credential(path, "success: false")
    return answer.data.token


def login_v2(api: Api, client_id: str, client_secret: str) -> str:
    """A token from ``POST /v2/auth/token``, which takes a form only and refuses with 400 and a
    word.
    """
    path = "/v2/auth/token"
    form = {
        "grant_type": "client_credentials",
        "client_id": client_id,
        "client_secret": client_secret,
    }
    response = api.ask("POST", path, where=path, accept={400}, data=form)
    if response.status_code == 400:
        word = api.read(response, _V2_REFUSAL, path).error
        if word not in _CREDENTIAL:
            raise api.error(
                f"refused to give a token at {path} ({word if word in _OTHER else 'HTTP 400'})"
            )
        raise api.bad_credential(path, word)
    if response.status_code in {401, 403}:
        raise api.bad_credential(path, f"HTTP {response.status_code}")
    return api.read(response, _V2, path).access_token
