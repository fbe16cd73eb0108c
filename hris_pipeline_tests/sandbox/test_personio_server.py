import os
import signal
import socket
import threading

import httpx
import pytest

from hris_pipeline.errors import PipelineError
from hris_pipeline.sandbox.company import SAMPLE, generate, load_company
from hris_pipeline.sandbox.hris.personio import CREDENTIAL, personio_app
from hris_pipeline.sandbox.server import run_until_interrupted, serve

KEYS = {"client_id": CREDENTIAL.client_id, "client_secret": CREDENTIAL.client_secret}


def test_a_server_answers_while_it_runs_and_not_after():
    with serve(personio_app(generate(12))) as server:
        token = httpx.post(f"{server.url}/v1/auth", json=KEYS).json()["data"]["token"]
        page = httpx.get(
            f"{server.url}/v2/persons", headers={"authorization": f"Bearer {token}"}
        ).json()
        assert page["_meta"]["links"]["next"]["href"].startswith(f"{server.url}/v2/persons?cursor=")
        assert server.running
    assert not server.running
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.url)


def test_the_same_port_can_be_served_again_at_once():
    app = personio_app(generate(2))
    with serve(app) as first, httpx.Client(base_url=first.url) as client:
        client.get("/v2/persons")
    with serve(app, port=first.port) as second:
        assert second.url == first.url
        assert httpx.get(f"{second.url}/v2/persons").status_code == 401


def test_a_port_that_is_taken_is_one_plain_sentence():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with (
            pytest.raises(PipelineError, match=rf"could not listen on 127\.0\.0\.1:{port}"),
            serve(personio_app(generate(2)), port=port),
        ):
            pass


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_servers_in_the_foreground_end_with_a_signal(number):
    first, second = serve(personio_app(generate(2))), serve(personio_app(generate(2)))
    seen = []

    def ready():
        seen.extend(httpx.get(f"{server.url}/v2/persons").status_code for server in (first, second))
        threading.Timer(0.05, os.kill, (os.getpid(), number)).start()

    before = signal.getsignal(number)
    run_until_interrupted(first, second, ready=ready)
    assert seen == [401, 401]
    assert not first.running
    assert not second.running
    assert signal.getsignal(number) is before


def test_the_day_is_told_and_changed_over_http(make_personio):
    personio = make_personio(load_company(SAMPLE))
    assert personio.http.get("/_sandbox/day").json() == {"day": 1, "date": "2026-03-02", "days": 3}
    personio.get("/v2/persons/10261", 404)
    assert personio.http.post("/_sandbox/day", json={"day": 3}).json()["date"] == "2026-03-04"
    personio.get("/v2/persons/10261")
    assert personio.http.post("/_sandbox/day", json={"day": 9}).status_code == 422
    assert personio.http.post("/_sandbox/day", json={"dag": 1}).status_code == 422
    assert personio.tenant.day == 3


def test_a_company_without_files_has_one_day(personio):
    assert personio.http.post("/_sandbox/day", json={"day": 2}).status_code == 422
    assert personio.http.get("/_sandbox/day").json()["days"] == 1
