"""A stand-in for Personio, both generations of its API, as strict as the real one where that is
known.

What it knows comes from Personio's documents and from clients that ran against live accounts: page
limits that answer 400, a whitelist of attributes per credential, the beta header, tokens that
expire, rates (measured; none are published for v2). What somebody does not have is left out of v2's
record where Personio's document does not allow null (``unset="null"`` sends null instead); v1
always sends the attribute, with ``""``, null or ``[]``.

Beside Personio's paths and those of :mod:`hris_pipeline.sandbox.faults`: ``GET`` and ``POST
/_sandbox/day`` (``{"day": 2}``) and ``DELETE /_sandbox/tokens``, which ends all tokens at once.
"""

from hris_pipeline.sandbox.hris.personio.account import (
    ATTRIBUTES,
    CREDENTIAL,
    PHONE,
    SCOPES,
    Credential,
)
from hris_pipeline.sandbox.hris.personio.app import KINDS, personio_app
from hris_pipeline.sandbox.hris.personio.pictures import picture
from hris_pipeline.sandbox.hris.personio.view import cost_center_uuid, employment_uuid

__all__ = [
    "ATTRIBUTES",
    "CREDENTIAL",
    "KINDS",
    "PHONE",
    "SCOPES",
    "Credential",
    "cost_center_uuid",
    "employment_uuid",
    "personio_app",
    "picture",
]
