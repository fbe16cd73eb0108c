"""Files from an SFTP server: its key is the one in the company file or nothing is said to it, and
what goes wrong is told.
"""

import socket
import time

import asyncssh
import pytest

from hris_pipeline.hris.systems.files import arrivals
from hris_pipeline_tests.hris.feed import ADA, BOB, failed, text
from hris_pipeline_tests.hris.sftp_server import PASSWORD, SILENCE, USER, SftpServer


@pytest.fixture
def server(feed):
    with SftpServer(feed.folder).serve() as found:
        feed.options = {"path": "/people*", "sftp": sftp(found)}
        feed.credentials = {"password": PASSWORD}
        yield found


def sftp(server, **more):
    return {
        "host": "127.0.0.1",
        "port": server.port,
        "user": USER,
        "host_key": server.public_key,
        "timeout_seconds": 10,
        **more,
    }


def private(key, passphrase=None):
    return key.export_private_key(passphrase=passphrase, rounds=1, ignore_few_rounds=True).decode()


def test_a_file_is_fetched_with_a_password(feed, server):
    feed.put(text(ADA, BOB))
    feed.put("2", "people.csv.count")
    employees, _ = feed.extracts(proof={"count": "{name}.count"})
    assert (employees.proof, employees.records) == ("proven", 2)
    assert sorted(path.name for path in feed.scratch.iterdir()) == [
        "employees.arrow",
        "org_units.arrow",
    ]


def test_a_file_of_many_packets_is_fetched_whole(feed, server):
    many = [(f"9{n:05}", f"p{n}@acme.test", "P" * 60, "Q") for n in range(40_000)]
    assert feed.put(text(*many)).stat().st_size > 3 << 20
    assert len(feed.people()) == 40_000


@pytest.mark.parametrize("passphrase", [None, "open sesame"])
@pytest.mark.parametrize("breaks", ["\n", "\\n"])
def test_a_file_is_fetched_with_a_private_key(feed, server, passphrase, breaks):
    feed.put(text(ADA))
    feed.credentials = {"private_key": private(server.user_key, passphrase).replace("\n", breaks)}
    if passphrase:
        feed.credentials["passphrase"] = passphrase
    assert feed.person()["id"] == "0017"
    assert server.passwords == []


def test_another_server_than_the_company_files_is_sent_no_password(feed, server):
    feed.put(text(ADA))
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    said = feed.refusal(sftp=sftp(server, host_key=other))
    assert (
        f"did not log in at 127.0.0.1:{server.port}, because its key is not sftp.host_key; no "
        "password was sent" in said
    )
    assert "Ask whoever runs the server whether its key was changed" in said
    assert server.passwords == []


def test_the_new_key_may_stand_beside_the_old_one_while_it_is_changed(feed, server):
    feed.put(text(ADA))
    other = asyncssh.generate_private_key("ecdsa-sha2-nistp256").export_public_key().decode()
    assert (
        feed.person(sftp=sftp(server, host_key=f"{other}{server.public_key} sftp@acme\n"))["id"]
        == "0017"
    )


def test_c82_a_wrong_password_is_refused_and_shown_nowhere(feed, server):
    feed.put(text(ADA))
    feed.credentials = {"password": "wr0ng"}
    said = feed.refusal()
    assert f"was refused by 127.0.0.1:{server.port}" in said
    assert "wr0ng" not in said
    assert "wr0ng" not in repr(feed.connection())


def test_a_key_that_the_server_does_not_know_is_refused(feed, server):
    feed.put(text(ADA))
    feed.credentials = {"private_key": private(asyncssh.generate_private_key("ssh-ed25519"))}
    assert "does not take the user with this password or key" in feed.refusal()


@pytest.mark.parametrize(
    "key",
    ["no key", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----"],
)
def test_c82_a_key_that_cannot_be_read_is_refused_and_shown_nowhere(feed, server, key):
    feed.put(text(ADA))
    feed.credentials = {"private_key": key}
    said = feed.refusal()
    assert "has a private_key that cannot be read" in said
    assert "AAAA" not in said


def test_a_key_without_its_passphrase_is_refused(feed, server):
    feed.put(text(ADA))
    feed.credentials = {"private_key": private(server.user_key, "open sesame")}
    assert "has a private_key that cannot be read" in feed.refusal()
    feed.credentials["passphrase"] = "wrong"
    assert "has a private_key that cannot be read" in feed.refusal()


def test_a_folder_that_is_not_there_is_told(feed, server):
    assert "has no such file or folder" in feed.refusal(path="/out/people*")


def test_a_server_that_is_not_there_is_told(feed, server):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        said = feed.refusal(sftp=sftp(server, port=free.getsockname()[1]))
    assert "could not read from 127.0.0.1:" in said


def test_a_server_that_says_nothing_is_not_waited_for_for_ever(feed, server):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        said = feed.refusal(sftp=sftp(server, port=mute.getsockname()[1], timeout_seconds=0.3))
    assert "had no answer" in said


@pytest.mark.parametrize("silent", ["silent", "silent_list"])
def test_a_server_that_falls_silent_is_not_waited_for_for_ever(feed, server, silent):
    feed.put(text(ADA))
    setattr(server, silent, True)
    began = time.monotonic()
    assert "had no answer" in feed.refusal(sftp=sftp(server, timeout_seconds=0.5))
    assert time.monotonic() - began < SILENCE / 2


def test_c02_a_connection_that_is_cut_in_a_file_is_told_and_nothing_of_it_used(feed, server):
    feed.put(text(ADA))
    server.cut = True
    assert f"could not read from 127.0.0.1:{server.port}" in feed.refusal()


def test_a_file_that_is_still_being_written_on_the_server_is_refused(feed, server, monkeypatch):
    feed.put(text(ADA))
    monkeypatch.setattr(arrivals.time, "sleep", lambda _: feed.put(text(ADA, BOB)))
    assert "people.csv that is still being written" in feed.refusal()


@pytest.mark.parametrize(
    "name", [b"people/../../people.csv", b"people\xff.csv", b"people\x1b[2J.csv"]
)
def test_a_name_on_the_server_that_leads_elsewhere_or_is_none_is_never_asked_for(
    feed, server, name
):
    feed.put(text(ADA))
    server.more = (name,)  # the newest of all by its time
    assert feed.person()["id"] == "0017"


def test_a_link_and_a_folder_on_the_server_are_no_files(feed, server):
    feed.put(text(ADA), hours_old=2)
    (feed.folder / "people_dir.csv").mkdir()
    (feed.folder / "people_link.csv").symlink_to("people.csv")
    assert feed.person()["id"] == "0017"


def test_the_doctor_tries_the_log_in_first(feed, server):
    feed.put(text(ADA))
    first, *others = feed.probes()
    assert first.what == f"log-in at 127.0.0.1:{server.port}, folder /, whose key is sftp.host_key"
    assert all(probe.problem is None for probe in (first, *others[:-1]))
    feed.credentials = {"password": "wr0ng"}
    probe = failed(feed.probes())
    assert probe.what == first.what
    assert probe.remedy.startswith("Compare user, password")
    assert "wr0ng" not in str(probe)
