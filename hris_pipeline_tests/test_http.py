"""Pacing, waiting and retrying, over real connections on the loopback address."""

import contextlib
import datetime as dt
import itertools
import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from hris_pipeline.http import (
    STOPPED,
    Client,
    Deadline,
    NoAnswer,
    OutOfTime,
    RateLimiter,
    RetryPolicy,
    Unanswered,
    backoff,
    ending_by,
    retry_after,
)

QUICK = RetryPolicy(
    tries=3,
    refusals=40,
    first_wait=0.001,
    longest_wait=0.004,
    longest_retry_after=0.01,
    in_all=5.0,
)


@dataclass
class Stub:
    """A server that gives answers in turn, the last one for ever: (status, headers), or None to
    hang up.
    """

    answers: list[tuple[int, dict[str, str]] | None]
    url: str = ""
    asked: list[str] = field(default_factory=list)
    waiting: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def stub() -> Iterator[Callable[..., Stub]]:
    with contextlib.ExitStack() as stack:

        def start(*answers: tuple[int, dict[str, str]] | None) -> Stub:
            state = Stub(list(answers))

            class Handler(BaseHTTPRequestHandler):
                protocol_version = "HTTP/1.1"
                disable_nagle_algorithm = True

                def do_GET(self) -> None:
                    state.asked.append(self.headers.get("x-who", ""))
                    state.waiting.set()
                    answer = state.answers[min(len(state.asked), len(state.answers)) - 1]
                    if answer is None:
                        self.close_connection = True
                        return
                    status, headers = answer
                    self.send_response(status)
                    for name, value in {"content-length": "2", **headers}.items():
                        self.send_header(name, value)
                    self.end_headers()
                    with contextlib.suppress(ConnectionError):  # who has enough may hang up
                        self.wfile.write(b"ok".ljust(int(headers.get("content-length", 2)), b"!"))

                def log_message(self, *_: object) -> None:
                    pass

            server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
            server.daemon_threads = True
            thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
            thread.start()
            stack.callback(server.server_close)
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            state.url = f"http://127.0.0.1:{server.server_address[1]}/"
            return state

        yield start


def client(stack_pacer: RateLimiter | None = None, **more: object) -> Client:
    return Client(stack_pacer or RateLimiter(None), patience=more.pop("patience", QUICK), **more)  # type: ignore[arg-type]


def response(**headers: str) -> httpx.Response:
    return httpx.Response(429, headers=headers)


# --- Retry-After ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        ("1.5", 1.5),
        ("-3", 0.0),
        ("999999", 300.0),
        ("inf", 300.0),
        ("nan", None),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_in_seconds(text, seconds):
    assert retry_after(response(**{"retry-after": text}), at_most=300) == seconds


def test_retry_after_as_a_date():
    now = dt.datetime.now(dt.UTC)
    for ahead, low, high in ((60, 50, 60), (-60, 0, 0), (9999, 300, 300)):
        moment = now + dt.timedelta(seconds=ahead)
        for text in (
            format_datetime(moment, usegmt=True),
            moment.strftime("%a, %d %b %Y %H:%M:%S -0000"),
        ):
            assert low <= retry_after(response(**{"retry-after": text}), at_most=300) <= high


def test_backoff_doubles_with_jitter_and_is_bounded():
    for attempt in (1, 2, 3, 50, 5000):
        most = min(0.5 * 2 ** (attempt - 1), 30.0) if attempt < 60 else 30.0
        found = {backoff(attempt) for _ in range(20)}
        assert len(found) > 1
        assert all(most / 2 <= seconds <= most for seconds in found)


# --- the pacer ------------------------------------------------------------------------------------


def test_slots_are_evenly_spaced_without_a_burst():
    pacer = RateLimiter(10)
    found = [pacer.reserve() for _ in range(5)]
    assert found[0] == 0
    assert all(
        later - earlier == pytest.approx(0.1, abs=0.02)
        for earlier, later in itertools.pairwise(found)
    )


def test_without_a_rate_there_is_no_waiting():
    pacer = RateLimiter(None)
    assert [pacer.reserve() for _ in range(100)] == [0.0] * 100


def test_a_pause_moves_everybodys_next_slot():
    pacer = RateLimiter(1000)
    pacer.pause(5)
    assert pacer.reserve() == pytest.approx(5, abs=0.5)
    pacer.pause(1)  # a shorter one does not shorten it
    assert pacer.reserve() > 4


def test_slowing_down_widens_the_spacing_once_for_workers_refused_together_and_it_shrinks_back():
    pacer = RateLimiter(100)
    for _ in range(8):
        pacer.slow_down()
    first = pacer.reserve()
    assert pacer.reserve() - first == pytest.approx(0.015, abs=0.005)
    for _ in range(200):
        last = pacer.reserve()
    assert pacer.reserve() - last == pytest.approx(0.01, abs=0.002)


# --- asking ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_c09_a_passing_fault_is_tried_again(stub, status):
    server = stub((status, {}), (status, {}), (200, {}))
    with client() as asking:
        assert asking.ask("GET", server.url).status_code == 200
    assert len(server.asked) == 3


@pytest.mark.parametrize("status", [200, 204, 301, 400, 401, 403, 404, 409, 422, 501])
def test_any_other_answer_is_given_back_at_once(stub, status):
    server = stub((status, {"content-length": "0"} if status == 204 else {}))
    with client() as asking:
        assert asking.ask("GET", server.url).status_code == status
    assert len(server.asked) == 1


def test_c09_a_lasting_fault_is_unanswered_after_all_tries(stub):
    server = stub((503, {}))
    with client() as asking, pytest.raises(Unanswered, match="HTTP 503") as caught:
        asking.ask("GET", f"{server.url}?secret=1", headers={"authorization": "secret"})
    assert (caught.value.status, caught.value.attempts, len(server.asked)) == (503, 3, 3)
    assert "secret" not in str(caught.value)


def test_a_connection_that_breaks_is_tried_again_and_then_unanswered(stub):
    server = stub(None, (200, {}))
    with client() as asking:
        assert asking.ask("GET", server.url).status_code == 200
    server = stub(None)
    with (
        client() as asking,
        pytest.raises(Unanswered, match=r"no answer \(RemoteProtocolError\)") as caught,
    ):
        asking.ask("GET", server.url)
    assert (caught.value.status, caught.value.attempts) == (None, 3)


@pytest.mark.parametrize(
    "headers",
    [
        {"retry-after": "0"},
        {"retry-after": format_datetime(dt.datetime(2020, 1, 1, tzinfo=dt.UTC), usegmt=True)},
        {},
    ],
)
def test_c08_a_429_is_patience_of_its_own(stub, headers):
    server = stub(*[(429, headers)] * 20, (200, {}))  # far more than the tries of a failing request
    with client() as asking:
        assert asking.ask("GET", server.url).status_code == 200
    assert len(server.asked) == 21


def test_c08_429_for_ever_is_unanswered(stub):
    server = stub((429, {"retry-after": "0"}))
    with client() as asking, pytest.raises(Unanswered, match="HTTP 429"):
        asking.ask("GET", server.url)
    assert len(server.asked) == QUICK.refusals


def test_c08_waiting_is_bounded_by_the_time_in_all(stub):
    server = stub((429, {"retry-after": "3600"}))
    with client(patience=RetryPolicy(in_all=1.0)) as asking, pytest.raises(Unanswered):
        asking.ask("GET", server.url)
    assert len(server.asked) == 1


def test_c08_a_429_that_says_how_long_holds_all_workers_back(stub):
    server = stub((429, {"retry-after": "60"}))
    pacer, own = RateLimiter(None), RateLimiter(None)
    patience = RetryPolicy(in_all=1.0)
    with client(pacer, patience=patience) as asking:
        for given in (None, own):
            with pytest.raises(Unanswered):
                asking.ask("GET", server.url, pacer=given)
            assert (given or pacer).reserve() > 50
    assert RateLimiter(None).reserve() == 0


def test_one_try_tells_that_nobody_knows(stub):
    server = stub(None)
    with client() as asking, pytest.raises(NoAnswer, match=r"^RemoteProtocolError$"):
        asking.once("GET", f"{server.url}?secret=1")
    assert len(server.asked) == 1


def test_an_address_that_is_none_is_no_answer():
    with client() as asking, pytest.raises(NoAnswer, match=r"^\w+$"):
        asking.once("GET", "http://[secret")


def test_headers_go_with_every_request_and_every_worker_has_a_connection_of_its_own(stub):
    server = stub((200, {}))
    with client(headers={"x-who": "me"}) as asking:
        workers = [threading.Thread(target=asking.ask, args=("GET", server.url)) for _ in range(3)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert len(asking._made) == 3
    assert server.asked == ["me"] * 3


def test_stopping_ends_a_long_wait_and_forbids_new_requests(stub):
    server = stub((503, {"retry-after": "60"}))
    asking = client(patience=RetryPolicy())
    told: list[str] = []

    def work() -> None:
        try:
            asking.ask("GET", server.url)
        except Unanswered as problem:
            told.append(str(problem))

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    assert server.waiting.wait(5)
    time.sleep(0.02)  # so that it is in its wait
    asking.close()
    worker.join(5)
    assert not worker.is_alive()
    assert told == ["HTTP 503"]
    with pytest.raises(NoAnswer, match="stopped"):
        asking.once("GET", server.url)
    assert len(server.asked) == 1


def test_of_a_body_that_is_too_long_no_more_is_read_than_shows_it(
    stub: Callable[..., Stub],
) -> None:
    server = stub(
        (200, {"content-length": "2", "etag": "v1"}),
        (200, {"content-length": "50000000"}),
        (200, {"content-length": "9"}),
    )
    with Client(RateLimiter(None), patience=QUICK) as client:
        short = client.ask("GET", server.url, at_most=2)
        assert (short.content, short.headers["etag"]) == (b"ok", "v1")
        long = client.ask("GET", server.url, at_most=100_000)
        assert len(long.content) == 100_001
        assert client.ask("GET", server.url).content == b"ok!!!!!!!"


# --- neither too patient nor too hasty ------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "0",
        "-5",
        "0.001",
        "-inf",
        "nan",
        "soon",
        "Mon, 01 Jan 2001 00:00:00 GMT",
        "Mon, 30 Nov 2026 09:00:00 +99999999999999",
        "9" * 400,
    ],
)
def test_c116_whatever_retry_after_says_the_back_off_goes_on_and_ends(text):
    """A floor, which grows with each try, and a ceiling."""
    asking = client(patience=RetryPolicy(first_wait=1.0, longest_wait=8.0, longest_retry_after=9.0))
    waits = [
        asking.hold_back(response(**{"retry-after": text}), attempt, RateLimiter(None))
        for attempt in (1, 3, 9)
    ]
    assert waits[0] >= 0.5
    assert waits[1] >= 2.0
    assert 4.0 <= waits[2] <= 9.0


def test_c116_a_long_wait_is_cut_at_the_ceiling():
    asking = client(patience=RetryPolicy(longest_retry_after=9.0))
    for text in ("3600", "1e999", "Fri, 31 Dec 9999 23:59:59 GMT"):
        assert asking.hold_back(response(**{"retry-after": text}), 1) == 9.0


def test_c66_c116_a_429_that_names_no_time_makes_everybody_slower():
    asking, pacer = client(RateLimiter(100), patience=RetryPolicy()), RateLimiter(100)
    asking.hold_back(response(**{"retry-after": "0"}), 1, pacer)
    first = pacer.reserve()
    assert pacer.reserve() - first == pytest.approx(0.015, abs=0.005)


@pytest.mark.parametrize(("rate", "slowest"), [(100, 0.02), (10, 0.1)])
def test_c116_nobody_is_made_slower_than_the_longest_wait_or_faster_than_the_rate(rate, slowest):
    asking, pacer = (
        client(patience=RetryPolicy(first_wait=0.01, longest_wait=0.02)),
        RateLimiter(rate),
    )
    for _ in range(3):
        asking.hold_back(response(**{"retry-after": "0"}), 1, pacer)
        pacer._widened = -math.inf
    first = pacer.reserve()
    assert pacer.reserve() - first == pytest.approx(slowest, abs=0.005)


def test_c116_300_refusals_that_say_0_are_not_waited_out(stub):
    server = stub(*[(429, {"retry-after": "0"})] * 300, (200, {}))
    patience = RetryPolicy(refusals=1000, first_wait=0.001, longest_wait=0.01, in_all=0.3)
    with client(patience=patience) as asking, pytest.raises(Unanswered, match="HTTP 429"):
        asking.ask("GET", server.url)
    assert 5 < len(server.asked) < 300


def test_c116_a_wait_that_leads_beyond_the_deadline_is_not_begun(stub):
    server = stub((429, {"retry-after": "200"}))
    with ending_by(Deadline(60)):
        asking = client(patience=RetryPolicy())
    assert Client(RateLimiter(None)).deadline.left() == math.inf
    with (
        asking,
        pytest.raises(OutOfTime, match="HTTP 429, and the run's deadline comes first") as caught,
    ):
        asking.ask("GET", server.url)
    assert (caught.value.status, len(server.asked)) == (429, 1)


def test_c116_nothing_is_sent_after_the_deadline(stub):
    server = stub((200, {}))
    passed = Deadline(-1)
    assert passed.passed
    with client(deadline=passed) as asking, pytest.raises(NoAnswer, match=STOPPED):
        asking.once("GET", server.url)
    assert server.asked == []
