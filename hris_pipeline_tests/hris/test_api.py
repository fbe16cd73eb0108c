"""Signing requests; and working through many items with several workers: in order, a bounded number
ahead, ended by an error.
"""

import contextlib
import threading

import httpx
import msgspec
import pytest

from hris_pipeline.errors import HrisError
from hris_pipeline.hris.api import Api, in_order, peek
from hris_pipeline.http import Client, RateLimiter
from hris_pipeline.sandbox.server import serve


@contextlib.contextmanager
def doorkeeper(sign, *, statuses):
    """An account of a system that answers with these statuses, and the signatures that it was
    shown.
    """
    shown = []

    async def app(scope, receive, send):
        shown.append(dict(scope["headers"]).get(b"x-key"))
        await send(
            {"type": "http.response.start", "status": statuses[len(shown) - 1], "headers": []}
        )
        await send({"type": "http.response.body", "body": b"{}"})

    with serve(app) as server, Client(RateLimiter(None)) as client:
        yield Api("Paper", "one", server.url, client, "Settings > Keys", sign), shown


@pytest.mark.parametrize("body", [b"", b"<html>", b"{", b'{"code": 1}', b"[]", b"\xff"])
def test_a_refusal_in_another_form_than_known_is_no_fault_of_its_own(body):
    decoder = msgspec.json.Decoder(dict[str, str])
    assert peek(httpx.Response(400, content=b'{"code": "Moved"}'), decoder) == {"code": "Moved"}
    assert peek(httpx.Response(400, content=body), decoder) is None


def test_a_key_signs_every_request_and_is_shown_nowhere_else():
    with doorkeeper({"X-Key": "s3cret"}, statuses=(200, 200)) as (api, shown):
        for _ in range(2):
            assert api.get("/people", where="/people", right="a right").status_code == 200
        assert shown == [b"s3cret", b"s3cret"]
        assert "s3cret" not in repr(api)


def test_a_path_that_is_not_there_makes_the_address_a_suspect():
    with doorkeeper({}, statuses=(404,)) as (api, _):
        with pytest.raises(
            HrisError, match=r"refused the request to /people \(HTTP 404\)"
        ) as caught:
            api.get("/people", where="/people", right="a right")
        assert caught.value.remedy.startswith("Check base_url in the company file.")


def test_a_refused_key_is_not_tried_again_and_said_to_be_the_trouble():
    with doorkeeper({"X-Key": "s3cret"}, statuses=(401,)) as (api, shown):
        with pytest.raises(
            HrisError,
            match=(
                r"refused the credential at /people .*Compare it with the one under Settings >"
                r" Keys"
            ),
        ):
            api.get("/people", where="/people", right="a right")
        assert len(shown) == 1


def test_a_key_without_the_right_names_the_right():
    said = r"refused /people \(HTTP 403\)\. .*Switch on a right .* under Settings > Keys"
    with (
        doorkeeper({"X-Key": "s3cret"}, statuses=(403,)) as (api, _),
        pytest.raises(HrisError, match=said),
    ):
        api.get("/people", where="/people", right="a right")


def test_c10_a_refused_token_is_asked_for_once_more_and_no_more():
    tokens = iter(("first", "second"))
    with doorkeeper(lambda _: {"X-Key": next(tokens)}, statuses=(200, 401, 200, 401)) as (
        api,
        shown,
    ):
        for _ in range(2):
            assert api.get("/people", where="/people", right="a right").status_code == 200
        with pytest.raises(HrisError, match="although it had accepted the credential itself"):
            api.get("/people", where="/people", right="a right")
        assert shown == [b"first", b"first", b"second", b"second"]


def test_answers_come_in_the_order_of_the_items():
    gates = [threading.Event() for _ in range(20)]

    def work(i):
        if i + 1 < len(gates) and i % 2 == 0:
            assert gates[i + 1].wait(5)  # a later one is done first
        gates[i].set()
        return i * i

    assert list(in_order(work, range(20), workers=4, stop=pytest.fail)) == [
        (i, i * i) for i in range(20)
    ]


def test_items_are_taken_a_bounded_number_ahead():
    taken = []

    def items():
        for i in range(1000):
            taken.append(i)
            yield i

    with contextlib.closing(in_order(abs, items(), workers=3, stop=lambda: None)) as answers:
        next(answers)
        assert len(taken) == 12


@pytest.mark.parametrize("where", ["work", "items", "consumer"])
def test_an_error_anywhere_ends_what_sleeps_and_drops_what_waits(where):
    stopped, begun = threading.Event(), []

    def work(i):
        begun.append(i)
        if i == 0:
            if where == "work":
                raise KeyError(i)
            return i
        assert stopped.wait(5)  # as a worker in a long back-off
        return i

    def items():
        yield from range(8)
        if where == "items":
            raise KeyError
        yield from range(8, 1000)

    def consume():
        with contextlib.closing(in_order(work, items(), workers=2, stop=stopped.set)) as answers:
            for _ in answers:
                raise KeyError

    with pytest.raises(KeyError):
        consume()
    assert stopped.is_set()
    assert len(begun) < 8
