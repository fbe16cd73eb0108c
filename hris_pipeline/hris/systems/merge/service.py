"""Asking Merge: the account token beside the API key, whose fault a refusal is, and lists by
cursor.

From docs.merge.dev (API basics: authentication, pagination, errors): ``next`` is an opaque cursor
and no link, every other parameter stays the same from page to page, and a page holds 100 records at
most.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar
from urllib.parse import urlencode

import msgspec
from msgspec import Struct, UnsetType

from hris_pipeline.errors import HrisError
from hris_pipeline.hris.api import Api, PageWalk, ahead

if TYPE_CHECKING:
    import httpx  # noqa: TID251 - an edge

PREFIX = "/hris/v1"
PAGE_SIZE = 100  # the most that Merge gives at once
DASHBOARD = "Linked Accounts in Merge's dashboard"

Text = str | int | float | bool | None | UnsetType
T = TypeVar("T", bound="Record")


class Record(Struct, frozen=True, gc=False):
    """Whatever is listed has an id of Merge's own."""

    id: str


class Page(Struct, Generic[T], frozen=True):
    """One page of a list; ``next`` is null on the last."""

    results: list[T]
    next: str | None = None


@dataclass(frozen=True)
class Service:
    """One linked account of Merge."""

    api: Api
    account_token: str = field(repr=False)
    page_size: int

    def get(
        self,
        path: str,
        *,
        where: str,
        model: str,
        accept: Collection[int] = (),
        query: Mapping[str, str | int] | None = None,
    ) -> "httpx.Response":
        """One GET for the linked account. ``model`` is what it is about, in Merge's word."""
        headers = {"X-Account-Token": self.account_token}
        response = self.api.get(
            path,
            where=where,
            right=model,
            accept={401, 403, *accept},
            headers=headers,
            params=query,
        )
        if response.status_code == 401:
            raise self._unknown(where)
        if response.status_code == 403 and 403 not in accept:
            raise self.api.error(
                f"refused {where} (HTTP 403) although it knows the API key and the account token",
                f"Switch on {model} among the scopes of this account under {DASHBOARD}.",
            )
        return response

    def _unknown(self, where: str) -> HrisError:
        """Which of the two Merge did not know: what needs no account token tells whether it knows
        the key.
        """
        path = f"{PREFIX}/linked-accounts"
        answer = self.api.get(
            path, where=path, right="", accept={400, 401, 403, 404}, params={"page_size": 1}
        )
        if answer.is_success:
            return self.api.error(
                f"refused the account token at {where} (HTTP 401), but accepted the API key",
                f"Set account_token to the one of this account under {DASHBOARD}. Its "
                "organisation, region and environment (test or production) must be those of the "
                "key.",
            )
        if answer.status_code == 401:
            return self.api.error(
                f"refused the API key at {where} (HTTP 401)",
                f"Set api_key to a key from {self.api.rights_at}, and options.region to the region "
                "of that organisation.",
            )
        return self.api.error(
            f"refused the API key or the account token at {where} (HTTP 401)",
            f"Compare both with Merge: {self.api.rights_at}.",
        )

    def pages(
        self,
        walk: PageWalk,
        decoder: msgspec.json.Decoder[Page[T]],
        model: str,
        query: Mapping[str, str | int] | None = None,
        *,
        accept: Collection[int] = (),
    ) -> Iterator[list[T]]:
        """The records of each page, without those that came before; the next page is asked for
        meanwhile.

        A list that is not there (404, where that is accepted) has no pages.
        """
        asked = {"page_size": self.page_size, **(query or {})}

        def ask(url: str, where: str) -> "httpx.Response":
            return self.get(url, where=where, model=model, accept=accept)

        with ahead(self.api.client.stop) as pool:
            coming = pool.submit(ask, f"{walk.path}?{urlencode(asked)}", walk.where)
            while True:
                response = coming.result()
                if response.status_code == 404:
                    return
                page = self.api.read(response, decoder, walk.where)
                new = walk.take([record.id for record in page.results])
                if page.next:
                    url = walk.follow(
                        "?" + urlencode({**asked, "cursor": self._cursor(page.next, walk)}),
                        walk.path,
                    )
                    coming = pool.submit(ask, url, walk.where)
                yield (
                    page.results
                    if len(new) == len(page.results)
                    else [page.results[i] for i in new]
                )
                if not page.next:
                    return

    def _cursor(self, given: str, walk: PageWalk) -> str:
        """The bare cursor. Some of Merge's own pages show a link that holds it; where that leads to
        is never followed.
        """
        import httpx  # noqa: PLC0415, TID251 - an edge; a command that only reads needs none

        if "://" not in given:
            return given
        try:
            return httpx.URL(given).params["cursor"]
        except (httpx.InvalidURL, KeyError, ValueError):
            raise self.api.error(
                f"gave a link without a cursor after {walk.page(walk.pages)}"
            ) from None
