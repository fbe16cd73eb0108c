"""One pass over a list of deskbird: page after page until the list itself ends, and a judgement of
what came.

A list ends by an empty page, or by one that is shorter than the service's own page while the total
agrees; never by the total alone, because there are services whose ``totalResults`` is the page's
size, or stops at a thousand. A service with cursors (RFC 9865) ends a list by naming no further
one. What came is complete where nothing came twice and the total does not exceed it.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Generic, Literal

from hris_pipeline.deskbird.records import Decoded, Record, Unreadable

PAGE = 100  # records asked for at once; a server may give fewer
_EMPTY = 1000  # pages without a record, one after the other, that a service with cursors may give
_MOST = 5_000_000  # records of one list: what gives more never ends

Note = Literal[
    "no_total",
    "total_is_of_the_page",
    "total_is_too_low",
    "last_page_repeats",
    "starts_at_zero",
    "order_is_unstable",
    "shows_some_twice",
]
"""What is odd about a list that was read completely all the same."""

NOTES: Mapping[Note, str] = {
    "no_total": "it does not say how many there are",
    "total_is_of_the_page": "its total counts the records of one page",
    "total_is_too_low": "its total is lower than what came",
    "last_page_repeats": "it gives the last page again where there are no more",
    "starts_at_zero": "it counts records from 0",
    "order_is_unstable": "its pages are in no stable order, so several passes were put together",
    "shows_some_twice": "a page of it shows a record twice",
}
"""The same in words, after the name of the list."""

Fault = Literal["total_changed", "twice", "short", "repeats", "rejected", "cursor_lost", "endless"]
"""Why a pass is not to be used."""


@dataclass(frozen=True)
class Trouble:
    """Why a pass is not to be used: a code, and counts in words."""

    fault: Fault
    why: str


@dataclass(frozen=True)
class Paging:
    """How the service is asked for pages."""

    sort: str | None = None  # the attribute that pages are ordered by
    cursors: bool = False
    count: int = PAGE


class RejectedError(Exception):
    """The service does not take this way of asking for a page; carries its ``scimType`` and what
    else to raise.
    """

    def __init__(self, scim_type: str | None, error: Exception) -> None:
        super().__init__(scim_type)
        self.scim_type = scim_type
        self.error = error


Ask = Callable[[Mapping[str, str | int]], Decoded[Record]]
"""Gives the page that these parameters ask for."""


@dataclass
class PageWalk(Generic[Record]):
    """One pass. ``pages`` yields each page without what came before; then ``trouble`` and ``notes``
    judge the pass.
    """

    ask: Ask[Record]
    how: Paging
    # of every record that came, in the order of coming
    keys: dict[str, None] = field(default_factory=dict)
    total: int | None = None  # as the last page says that holds a record
    pages_read: int = 0
    notes: set[Note] = field(default_factory=set)
    _twice: bool = False  # on different pages
    # records that one page showed again: no page can do that by starting too early or too late
    _doubles: int = 0
    _longest: int = 0  # page so far
    _latest: set[str] = field(default_factory=set)  # what the page before held
    _mirrors: bool = True  # whether each total is the size of its page
    _fruitful: int = 0  # pages that brought something
    _fault: Trouble | None = None

    def pages(self) -> Iterator[Decoded[Record]]:
        """The pages of the list, each without the records that came before."""
        yield from self._by_cursor("") if self.how.cursors else self._by_index()

    def _by_index(self) -> Iterator[Decoded[Record]]:
        while not self._fault:
            try:
                page = self.ask(
                    {"startIndex": len(self.keys) + 1, "count": self.how.count, **self._sorting()}
                )
            except RejectedError:
                if not self.keys:
                    raise
                self._no_more_than_before(
                    Trouble("rejected", "the service refuses to go on after {came} records")
                )
                return
            longest, before = self._longest, self._latest
            if (fresh := self._take(page)) is not None:
                yield fresh
            if self._fault or not page.keys:
                break
            if page.next_cursor and self.pages_read == 1:
                yield from self._by_cursor(page.next_cursor)
                return
            if fresh is None:
                if self._latest != before or self._twice:
                    self._twice = True
                    return
                again = "the service gives the same page again, whatever startIndex asks for"
                self._no_more_than_before(Trouble("repeats", again))
                return
            if len(page.keys) < longest and self._agrees:
                break
        if not self._fault and not self._twice and self._may_begin_earlier:
            yield from self._before_the_first()

    def _by_cursor(self, cursor: str) -> Iterator[Decoded[Record]]:
        known, empty = {cursor}, 0
        while not self._fault:
            try:
                page = self.ask({"cursor": cursor, "count": self.how.count})
            except RejectedError as refusal:
                if refusal.scim_type not in {"expiredCursor", "invalidCursor"} or not self.keys:
                    raise
                self._fault = Trouble(
                    "cursor_lost",
                    f"the service no longer knew its own cursor after {len(self.keys)} records",
                )
                return
            if (fresh := self._take(page)) is not None:
                yield fresh
            empty = 0 if page.keys else empty + 1
            if page.next_cursor is None:
                self._twice = self._twice or bool(page.keys and fresh is None)
                return
            if page.next_cursor in known or (page.keys and fresh is None) or empty > _EMPTY:
                self._fault = Trouble(
                    "repeats",
                    f"the service's cursor leads back to what came, after {len(self.keys)} records",
                )
                return
            cursor = page.next_cursor
            known.add(cursor)

    def _sorting(self) -> dict[str, str]:
        return {"sortBy": self.how.sort, "sortOrder": "ascending"} if self.how.sort else {}

    def _take(self, page: Decoded[Record]) -> Decoded[Record] | None:
        """Count a page; what of it is new, None where nothing is."""
        keys = page.keys
        self._weigh(page.total, len(keys))
        unique = dict.fromkeys(keys)
        new = {key for key in unique if key not in self.keys}
        if new:
            self._doubles += len(keys) - len(unique)
        if len(new) < len(keys):
            # a page of nothing new is judged by itself
            self._twice = self._twice or 0 < len(new) < len(unique)
            page = _each_once(page, new)
        self.keys.update(dict.fromkeys(page.keys))
        self._longest = max(self._longest, len(keys))
        self._latest = set(keys)
        if keys or not self.pages_read:
            self.pages_read += 1
        if len(self.keys) > _MOST:
            self._fault = Trouble("endless", f"more than {_MOST:,} records came")
        if not new:
            return None
        self._fruitful += 1
        return replace(page, unreadable=[self._placed(one) for one in page.unreadable])

    def _placed(self, one: Unreadable) -> Unreadable:
        return replace(one, page=self.pages_read)

    def _weigh(self, total: int | None, size: int) -> None:
        """Take note of a page's total; one that changes means that the list moved, unless it is
        about the page alone.
        """
        if not size and total in {0, None} and self.keys:  # a page behind the end may count nothing
            return
        mirrored = self._mirrors
        self._mirrors = mirrored and total == size
        if self.pages_read and total != self.total and not self._mirrors:
            told = ["nothing" if number is None else str(number) for number in (self.total, total)]
            self._fault = Trouble("total_changed", f"the total changed from {told[0]} to {told[1]}")
        self.total = total

    def _no_more_than_before(self, trouble: Trouble) -> None:
        """Nothing new came. That is the end only where pages are known to follow each other, and
        the total agrees.
        """
        if self._fruitful > 1 and self._agrees:
            self.notes.add("last_page_repeats")
        else:
            self._fault = replace(trouble, why=trouble.why.format(came=len(self.keys)))

    @property
    def _agrees(self) -> bool:
        """Whether the total is what came, with or without what one page showed twice."""
        return self.total in {len(self.keys), len(self.keys) + self._doubles}

    @property
    def _may_begin_earlier(self) -> bool:
        """Whether one is missing, or the total does not say that none is."""
        came = len(self.keys)
        unsure = self.total is None or self.total < came or self._mirrors
        return self.total == came + 1 or bool(came and unsure)

    def _before_the_first(self) -> Iterator[Decoded[Record]]:
        """Of a service that counts from 0 the first is missing; of any other one nothing comes
        before it.
        """
        try:
            page = self.ask({"startIndex": 0, "count": 1, **self._sorting()})
        except RejectedError:
            return
        keys = {key for key in page.keys if key not in self.keys}
        if len(keys) != 1 or len(page.keys) > 1 + self._longest:
            return
        # a service that does not heed `count` shows others again after it
        self.keys.update(dict.fromkeys(keys))
        self.notes.add("starts_at_zero")
        page = _each_once(page, keys)
        yield replace(page, unreadable=[self._placed(one) for one in page.unreadable])

    @property
    def is_one_page(self) -> bool:
        """Whether it came in one page that was not full, with a total that agrees."""
        return self._fruitful == 1 and self._agrees and len(self.keys) < self.how.count

    @property
    def unordered(self) -> bool:
        """Whether records came twice while the total stood still: then others did not come, and may
        in another pass.
        """
        return self._twice and self._fault is None and self.total is not None and not self._mirrors

    def trouble(self) -> Trouble | None:
        """Why what came is not to be used as it is; None where it is the whole list."""
        came, total = len(self.keys), self.total
        if self._fault:
            return self._fault
        if self._twice:
            return Trouble(
                "twice",
                f"records came twice, and {came} of {'?' if total is None else total} came",
            )
        if total is not None and total > came and not self._agrees:
            return Trouble("short", f"{came} of {total} came")
        if self._doubles:
            self.notes.add("shows_some_twice")
        if total is None:
            self.notes.add("no_total")
        elif total < came:
            self.notes.add("total_is_of_the_page" if self._mirrors else "total_is_too_low")
        return None


def _each_once(page: Decoded[Record], keys: Collection[str]) -> Decoded[Record]:
    """Of a page the records of these keys, each once, however often it shows them."""
    taken: set[str] = set()

    def is_new(key: str) -> bool:
        fresh = key in keys and key not in taken
        taken.add(key)
        return fresh

    return replace(
        page,
        records=[record for record in page.records if is_new(record.id)],
        unreadable=[one for one in page.unreadable if is_new(one.key)],
    )
