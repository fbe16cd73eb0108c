"""A SCIM service that pages in every way that services are known to page, over real HTTP or as a
transport without a network.
"""

import contextlib
import json
import random
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from hris_pipeline.deskbird.scim import Service
from hris_pipeline_tests.deskbird.scim_edge import HASTY

JSON = "application/scim+json"
Answered = tuple[int, dict[str, Any]]


@dataclass
class Paging:
    """How the service pages. By default as RFC 7644 says."""

    records: Sequence[dict[str, Any]]
    limit: int = 100  # records on a page at most, whatever is asked for
    count: str = "honoured"  # or "ignored", "refused" above the limit
    # whether a page shows its first record again at its end, and the total counts it
    doubles: bool = False
    # "true", "page", "none", "zero_behind", "remaining", "moving", "cap:N", or a number that is
    # always said
    total: str | int = "true"
    # "honoured", "ignored", "from_zero", "overlapping", "refused_behind", "last_again"
    start_index: str = "honoured"
    order: str = "stable"  # or "random", "random_unless_sorted"
    sort: str = "refused"  # or "ignored", "works"
    cursors: str = "none"  # or "announced", "only", "by_themselves", "expire_once", "loop"
    empty: str = "list"  # what an empty page holds: "list", "nothing", "null"
    items_per_page: int | None = None
    max_results: int | None = None  # announced
    more: dict[str, Any] = field(default_factory=dict)  # to every page
    seed: int = 0
    asked: list[dict[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._expired = False

    @property
    def lists(self) -> list[dict[str, str]]:
        """What was asked of lists."""
        return [query for query in self.asked if query]

    def answer(self, path: str, query: dict[str, str]) -> Answered:
        """The status and the body of a GET."""
        self.asked.append(query)
        if path.endswith("/ServiceProviderConfig"):
            return self._config()
        held = list(self.records)
        if "sortBy" in query:
            if self.sort == "refused":
                return 400, {"scimType": "invalidPath"}
            if self.sort == "works":
                held.sort(key=lambda record: str(record[query["sortBy"]]))
        if self.order == "random" or (
            self.order == "random_unless_sorted" and "sortBy" not in query
        ):
            self._random.shuffle(held)
        if "cursor" in query or self.cursors in {"only", "by_themselves"}:
            return self._by_cursor(held, query)
        return self._by_index(held, query)

    def _config(self) -> Answered:
        if self.cursors == "none" and self.max_results is None:
            return 404, {}
        found: dict[str, Any] = {"filter": {"supported": True, "maxResults": self.max_results or 0}}
        if self.cursors not in {"none", "by_themselves"}:
            found["pagination"] = {
                "cursor": True,
                "index": self.cursors != "only",
                "maxPageSize": self.limit,
            }
        return 200, found

    def _by_index(self, held: list[dict[str, Any]], query: dict[str, str]) -> Answered:
        start, count = int(query["startIndex"]), min(int(query["count"]), self.limit)
        if self.count == "refused" and int(query["count"]) > self.limit:
            return 400, {"scimType": "invalidValue"}
        if self.count == "ignored":
            count = self.limit
        if self.start_index == "ignored":
            start = 1
        begin = max(0, start - 1)
        if self.start_index == "from_zero":
            begin = start
        elif self.start_index == "overlapping":
            begin = max(0, start - 2)
        elif begin >= len(held) and held:
            if self.start_index == "refused_behind":
                return 400, {"detail": "startIndex"}
            if self.start_index == "last_again":
                begin = (len(held) - 1) // self.limit * self.limit
        return 200, self._page(held[begin : begin + count], len(held), begin)

    def _by_cursor(self, held: list[dict[str, Any]], query: dict[str, str]) -> Answered:
        if self.cursors in {"only", "expire_once"} and int(query.get("count", "1")) > self.limit:
            return 400, {"scimType": "invalidCount"}
        if self.cursors == "only" and "cursor" not in query:
            return 400, {"scimType": "invalidValue"}
        begin = int(query.get("cursor") or "0")
        if self.cursors == "expire_once" and begin and not self._expired:
            self._expired = True
            return 400, {"scimType": "expiredCursor"}
        end = begin + min(int(query["count"]), self.limit)
        page = self._page(held[begin:end], len(held), begin)
        if end < len(held):
            page["nextCursor"] = "0" if self.cursors == "loop" and begin else str(end)
        return 200, page

    def _page(self, found: list[dict[str, Any]], everybody: int, begin: int) -> dict[str, Any]:
        total: int | None = everybody
        if self.total == "page" or (self.total == "zero_behind" and not found):
            total = len(found)
        elif self.total == "none":
            total = None
        elif self.total == "remaining":
            total = everybody - begin
        elif self.total == "moving":
            total = everybody + len(self.asked)
        elif isinstance(self.total, int):
            total = self.total
        elif self.total.startswith("cap:"):
            total = min(everybody, int(self.total.removeprefix("cap:")))
        if self.doubles:
            found = [*found, *found[:1]]
            total = total + 1 if total is not None else None
        page: dict[str, Any] = {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
            "startIndex": begin + 1,
            **self.more,
        }
        if total is not None:
            page["totalResults"] = total
        if self.items_per_page is not None:
            page["itemsPerPage"] = self.items_per_page
        if found or self.empty == "list":
            page["Resources"] = found
        elif self.empty == "null":
            page["Resources"] = None
        return page


@contextlib.contextmanager
def over_http(paging: Paging) -> Iterator[Service]:
    """Our side of it, over a real connection."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {
                key: value[0]
                for key, value in parse_qs(parts.query, keep_blank_values=True).items()
            }
            status, body = paging.answer(parts.path, query)
            sent = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", JSON)
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        ).start()
        url = f"http://127.0.0.1:{server.server_port}/"
        try:
            with Service(
                url, "secret", requests_per_second=None, concurrency=1, patience=HASTY
            ) as service:
                yield service
        finally:
            server.shutdown()


def without_network(paging: Paging) -> Service:
    """Our side of it, without a connection."""

    def answer(request: httpx.Request) -> httpx.Response:
        status, body = paging.answer(request.url.path, dict(request.url.params))
        return httpx.Response(status, json=body)

    transport = httpx.MockTransport(answer)
    return Service(
        "http://127.0.0.1:9",
        "s",
        requests_per_second=None,
        concurrency=1,
        patience=HASTY,
        transport=transport,
    )


def people(number: int) -> list[dict[str, Any]]:
    """Users, by number."""
    return [{"id": f"u{n:05}", "userName": f"u{n}@example.com"} for n in range(number)]
