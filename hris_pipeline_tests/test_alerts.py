"""Alerts and the heartbeat, over real HTTP on the loopback address."""

import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from hris_pipeline.alerts import call_heartbeat, send
from hris_pipeline.errors import PipelineError
from hris_pipeline.http import RetryPolicy


class Monitor(ThreadingHTTPServer):
    """Takes everything; ``answers`` are the status codes to give, the last one for ever."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[tuple[str, str, bytes]] = []
        self.answers = [200]

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Monitor

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.requests.append((self.command, self.path, body))
        status = (
            self.server.answers.pop(0) if len(self.server.answers) > 1 else self.server.answers[0]
        )
        self.send_response(status)
        self.send_header("location", "http://192.0.2.1/")
        self.send_header("content-length", "0")
        self.end_headers()

    do_GET = do_POST = answer  # noqa: N815 - the standard library's names

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def monitor() -> Iterator[Monitor]:
    with Monitor() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


IMPATIENT = RetryPolicy(tries=2, first_wait=0.01, longest_wait=0.01)


def test_an_alert_reaches_every_address(monitor: Monitor) -> None:
    send(
        [f"json://{monitor.address}/one", f"json://{monitor.address}/two"],
        "acme: 3 changes wait",
        "Guard deactivate_user: 7 > 5.",
    )
    assert [(method, path) for method, path, _ in monitor.requests] == [
        ("POST", "/one"),
        ("POST", "/two"),
    ]
    message = json.loads(monitor.requests[0][2])
    assert (message["title"], message["message"]) == (
        "acme: 3 changes wait",
        "Guard deactivate_user: 7 > 5.",
    )


def test_text_is_sent_as_it_is(monitor: Monitor) -> None:
    send([f"json://{monitor.address}/"], "a & b", "<5 %> of *all*\nsecond line")
    assert json.loads(monitor.requests[0][2])["message"] == "<5 %> of *all*\nsecond line"


def test_no_address_no_alert() -> None:
    send([], "title", "body")


def test_one_dead_address_does_not_stop_the_others_and_is_told_by_its_place(
    monitor: Monitor, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    monitor.answers = [500, 200]
    urls = [
        f"json://user:s3cr3t@{monitor.address}/s3cr3t",
        "nonsense://s3cr3t",
        f"json://{monitor.address}/two",
    ]
    with pytest.raises(PipelineError) as caught:
        send(urls, "title", "body")
    assert (
        str(caught.value)
        == "An alert did not reach 2 of 3 addresses: number 1 (not delivered), 2 (not in Apprise "
        "notation). Nothing else was stopped by this. Look at alerts in the company file, and "
        "at the service's own log."
    )
    assert [path for _, path, _ in monitor.requests] == ["/s3cr3t", "/two"]
    output = capfd.readouterr()
    assert "s3cr3t" not in str(caught.value) + caplog.text + output.out + output.err


def test_the_heartbeat_is_one_get(monitor: Monitor) -> None:
    call_heartbeat(f"http://{monitor.address}/beat?token=x")
    assert monitor.requests == [("GET", "/beat?token=x", b"")]


def test_a_heartbeat_is_repeated_after_a_passing_fault(monitor: Monitor) -> None:
    monitor.answers = [503, 200]
    call_heartbeat(f"http://{monitor.address}/beat", IMPATIENT)
    assert len(monitor.requests) == 2


@pytest.mark.parametrize(
    ("status", "why"), [(404, "it answered 404"), (302, "it answered 302"), (503, "HTTP 503")]
)
def test_a_heartbeat_that_is_refused_is_told_without_its_url(
    monitor: Monitor, caplog: pytest.LogCaptureFixture, status: int, why: str
) -> None:
    caplog.set_level(logging.DEBUG)
    monitor.answers = [status]
    with pytest.raises(PipelineError) as caught:
        call_heartbeat(f"http://{monitor.address}/s3cr3t", IMPATIENT)
    assert (
        str(caught.value)
        == f"The heartbeat could not be delivered: {why}. The night itself went well. Look at "
        "heartbeat_url."
    )
    assert "s3cr3t" not in caplog.text


def test_a_heartbeat_to_nobody_is_told() -> None:
    with Monitor() as closed:
        address = closed.address
    with pytest.raises(
        PipelineError, match=r"The heartbeat could not be delivered: no answer \(ConnectError\)\."
    ):
        call_heartbeat(f"http://{address}/", IMPATIENT)
