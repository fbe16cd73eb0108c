"""Answers as an odd service gives them: lists that page in odd ways, odd records, odd shapes. Pure.

Everything works on what the strict service answered, decoded; :func:`encoded` makes the bytes.
"""

import copy
import json
import random
import re
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

from hris_pipeline.sandbox.deskbird.behaviour import Answers, Behaviour, Odd, Paging

Body = dict[str, Any]
JSON_TYPE = "application/scim+json"
PAGE = (
    b"<!doctype html><html><head><title>Sign in</title></head><body><h1>Please sign "
    b"in</h1></body></html>"
)


# --- requests of lists ----------------------------------------------------------------------------


def asked_for(query: Mapping[str, str], paging: Paging) -> tuple[dict[str, str], int]:
    """The query as the strict service is to see it, and the ``startIndex`` that counts."""
    query = dict(query)
    cursor = query.pop("cursor", None)
    start = int(query.get("startIndex") or 1)
    if paging.cursor != "no" and (cursor is not None or paging.cursor == "only"):
        start = int(cursor.removeprefix("page-")) if cursor else 1
    elif paging.start != "honoured" and "filter" not in query:
        start = 1
    if paging.repeats and start > 1:
        start -= 1
    query["startIndex"] = str(start)
    if paging.sort == "ignored":
        query.pop("sortBy", None)
        query.pop("sortOrder", None)
    return query, start


def page(
    body: Body, asked: Mapping[str, str], start: int, paging: Paging, dice: random.Random
) -> None:
    """Make a page, in place, what ``paging`` says; ``asked`` is the query as it came."""
    records, total = body["Resources"], body["totalResults"]
    if "filter" not in asked:
        body["totalResults"] = {
            "true": total,
            "page": len(records),
            "capped": min(total, paging.cap),
            "low": max(0, total - 1),
            "high": total + 1,
            "changing": total + dice.randrange(1, 9),
        }[paging.total]
    if paging.start == "echoed" and asked.get("startIndex"):
        body["startIndex"] = int(asked["startIndex"])
    if paging.items_per_page == "zero":
        body["itemsPerPage"] = 0
    elif paging.items_per_page == "missing":
        del body["itemsPerPage"]
    if paging.cursor != "no" and ("cursor" in asked or paging.cursor == "only"):
        del body["startIndex"]
        if start - 1 + len(records) < total:
            body["nextCursor"] = f"page-{start + len(records)}"
    if paging.without_resources and not records:
        del body["Resources"]


def announced(config: Body, paging: Paging) -> Body:
    """The service's configuration as it announces it."""
    config = copy.deepcopy(config)
    config["sort"] = {"supported": paging.sort == "announced"}
    if paging.cursor != "no":
        method = "cursor" if paging.cursor == "only" else "index"
        config["pagination"] = {
            "cursor": True,
            "index": paging.cursor == "also",
            "defaultPaginationMethod": method,
        }
    if not paging.size_announced:
        config["filter"]["maxResults"] = 1000
    return config


# --- records --------------------------------------------------------------------------------------


def marks(record: Mapping[str, Any]) -> frozenset[str]:
    """What a record is known by: ``externalId``, ``userName`` or ``displayName``, ``id``."""
    found = (record.get(name) for name in ("externalId", "userName", "displayName", "id"))
    return frozenset(str(value) for value in found if value)


def is_odd(behaviour: Behaviour) -> bool:
    """Whether any record is shown in another way than the strict service has it."""
    answers = behaviour.answers
    return bool(
        behaviour.odd
        or behaviour.members_shown is not None
        or answers.urls != "absolute"
        or answers.tags in {"rewritten", "moving"}
    )


def shown(record: Body, behaviour: Behaviour, dice: random.Random, *, in_list: bool) -> Any:
    """A record as it is shown; the one given stays as it is."""
    record = copy.deepcopy(record)
    limit = behaviour.members_shown
    if (
        limit is not None
        and record.get("members")
        and (in_list or behaviour.members_shown_in == "everywhere")
    ):
        record["members"] = record["members"][:limit]
    meta = record.get("meta") or {}
    if meta.get("version"):
        if behaviour.answers.tags == "rewritten" and in_list:
            meta["version"] = meta["version"].rstrip('"') + '-gzip"'
        elif behaviour.answers.tags == "moving":
            meta["version"] = f'W/"{dice.randrange(10**9)}"'
    for odd in behaviour.odd:
        if odd.means(marks(record)):
            if odd.kind == "null":
                return None if in_list else {}
            _make_odd(record, odd.kind)
    return record


def _make_odd(record: Body, kind: str) -> None:
    match kind:
        case "no_id":
            record.pop("id", None)
        case "null_email":
            record["emails"] = [None]
        case "null_member":
            record["members"] = [None, *(record.get("members") or [])]
        case "surrogate":
            record["displayName"] = f"{record.get('displayName') or ''}\ud83d"
        case "text_active":
            record["active"] = str(record.get("active", True))
        case "list_name":
            record["name"] = [record.get("name")]
        case "number_external_id":
            record["externalId"] = 4711


class Numbers:
    """Records whose id is shown as a number, and taken back as one."""

    def __init__(self) -> None:
        self.ids: dict[str, str] = {}  # number, as text: the real id

    def learn(self, records: Iterable[Mapping[str, Any]], odd: Iterable[Odd]) -> None:
        """Give a number to each record that is to have one."""
        wanted = [one for one in odd if one.kind == "number_id"]
        for record in records if wanted else ():
            if any(one.means(marks(record)) for one in wanted):
                real = str(record["id"])
                self.ids[str(10**11 + zlib.crc32(real.encode()))] = real

    def out(self, text: str) -> str:
        """An answer's JSON with the numbers in it."""
        for number, real in self.ids.items():
            text = re.sub(rf'"(id|value)": "{real}"', rf'"\1": {number}', text).replace(
                real, number
            )
        return text

    def back(self, text: str) -> str:
        """A request's path, query or JSON with the real ids in it."""
        for number, real in self.ids.items():
            text = re.sub(rf"(?<=[:\[,\s]){number}(?=[,\]}}\s])", f'"{real}"', text).replace(
                number, real
            )
        return text


def relative(text: str, base: str) -> str:
    """An answer's JSON with URLs that are relative to the service."""
    return text.replace(f"{base.rstrip('/')}/", "")


# --- whole answers --------------------------------------------------------------------------------


def error(body: Body | None, shape: str) -> tuple[str, bytes]:
    """Content type and body of an error in another shape."""
    told = str((body or {}).get("detail") or "refused")
    made: dict[str, tuple[str, bytes]] = {
        "scim": (JSON_TYPE, json.dumps(body).encode() if body is not None else b""),
        "untyped": (
            JSON_TYPE,
            json.dumps({k: v for k, v in (body or {}).items() if k != "scimType"}).encode(),
        ),
        "json": ("application/json", json.dumps({"message": told, "code": 17}).encode()),
        "list": ("application/json", json.dumps([{"error": told}]).encode()),
        "text": ("text/plain", told.encode()),
        "html": ("text/html; charset=utf-8", PAGE),
        "empty": (JSON_TYPE, b""),
        "null": (JSON_TYPE, b"null"),
    }
    return made[shape]


def encoded(text: str, answers: Answers) -> tuple[str, bytes]:
    """Content type and bytes of an answer's JSON."""
    kind = JSON_TYPE if answers.charset is None else f"{JSON_TYPE}; charset={answers.charset}"
    body = text.encode(answers.charset or "utf-8", "replace")
    return kind, (b"\xef\xbb\xbf" if answers.bom else b"") + body
