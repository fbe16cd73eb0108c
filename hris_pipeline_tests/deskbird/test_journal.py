"""The journal: on disk before it matters, whatever is torn, one flush for many."""

import stat
import threading

import msgspec
import pytest

from hris_pipeline.deskbird import journal as module
from hris_pipeline.deskbird.journal import Entry, Journal, clear, pending, read
from hris_pipeline.errors import WarehouseError


def entry(request=1, phase="sent", **more):
    values = {
        "plan_id": "plan",
        "kind": "user_update",
        "hris_ref": "p:1",
        "deskbird_id": "u1",
        "attempt": 1,
        "time": "2026-03-02T03:30:00Z",
    }
    return Entry(**{**values, "request": request, "phase": phase, **more})


def test_what_was_written_is_read_and_only_the_owner_may_read_it(tmp_path):
    path = tmp_path / "acme.journal"
    entries = [entry(), entry(phase="answered", status=204)]
    with Journal(path) as journal:
        for one in entries:
            journal.write(one)
    assert read(path) == entries
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_is_sent_is_on_the_disk_first_and_an_answer_goes_with_the_next(tmp_path, monkeypatch):
    synced = []
    sync = module.os.fsync
    monkeypatch.setattr(
        module.os, "fsync", lambda file: (sync(file), synced.append(module.os.fstat(file).st_size))
    )
    with Journal(tmp_path / "acme.journal") as journal:
        for number in range(3):
            journal.write(entry(number))
            assert synced[-1] == (tmp_path / "acme.journal").stat().st_size
        journal.write(entry(2, "answered", status=204))
        assert len(synced) == 3
        assert len(read(tmp_path / "acme.journal")) == 4  # a kill leaves it where it is
    assert synced[-1] == (tmp_path / "acme.journal").stat().st_size


def test_no_journal_is_an_empty_one(tmp_path):
    assert read(tmp_path / "none.journal") == []
    clear(tmp_path / "none.journal")


def test_a_line_that_a_kill_tore_is_left_out_and_what_follows_is_read(tmp_path):
    path = tmp_path / "acme.journal"
    with Journal(path) as journal:
        journal.write(entry(1))
        journal.write(entry(2))
    whole = path.read_bytes()
    for cut in (1, 2, 3, 40, 80, len(whole.splitlines(keepends=True)[1]) - 1):
        path.write_bytes(whole[:-cut])
        torn = read(path)
        assert torn in ([entry(1)], [entry(1), entry(2)])
        with Journal(path) as journal:
            journal.write(entry(3))
        assert read(path) == [*torn, entry(3)]


def test_bytes_that_are_no_text_are_left_out(tmp_path):
    path = tmp_path / "acme.journal"
    path.write_bytes(msgspec.json.encode(entry(1)) + b"\n" + b"\xff\x00\xfe" + b"\n")
    assert read(path) == [entry(1)]


def test_pending_is_what_was_sent_and_never_answered():
    entries = [
        entry(1), entry(1, "answered", status=204),
        entry(2), entry(2, attempt=2), entry(2, "answered", attempt=2, status=204),
        entry(3), entry(3, "answered", status=503), entry(3, attempt=2),
        entry(4, kind="manager"),
        entry(4, "answered", kind="user_update", status=204),
        entry(1, plan_id="earlier"),
    ]  # fmt: skip
    assert pending(entries) == [
        entry(3, attempt=2),
        entry(4, kind="manager"),
        entry(1, plan_id="earlier"),
    ]


def test_workers_that_write_at_once_share_a_flush(tmp_path, monkeypatch):
    # the first flush is held up until all others wait behind it: they must then go to the disk
    # together
    go, waiting = threading.Event(), threading.Barrier(9)
    sync = module.os.fsync

    def slow(file):
        go.wait(10)
        sync(file)

    monkeypatch.setattr(module.os, "fsync", slow)
    with Journal(tmp_path / "acme.journal") as journal:

        def work(number):
            waiting.wait()
            journal.write(entry(number))

        workers = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for worker in workers:
            worker.start()
        waiting.wait()
        while journal._written < 8:
            threading.Event().wait(0.001)
        go.set()
        for worker in workers:
            worker.join()
        assert journal.flushes == 2
    assert {one.request for one in read(tmp_path / "acme.journal")} == set(range(8))


def test_a_journal_that_cannot_be_written_says_so_and_stays_shut(tmp_path, monkeypatch):
    def full(_file, _lines):
        raise OSError(28, "No space left on device")

    with Journal(tmp_path / "acme.journal") as journal:
        with monkeypatch.context() as patch:
            patch.setattr(module.os, "write", full)
            with pytest.raises(
                WarehouseError,
                match=r"acme\.journal cannot be written \(No space left on device\)",
            ):
                journal.write(entry())
        with pytest.raises(WarehouseError):
            journal.write(entry())


def test_a_journal_that_is_closed_takes_no_more(tmp_path):
    with Journal(tmp_path / "acme.journal") as journal:
        journal.write(entry())
    for phase in ("sent", "answered"):
        with pytest.raises(WarehouseError, match="it is closed"):
            journal.write(entry(2, phase))
    assert read(tmp_path / "acme.journal") == [entry()]


def test_a_journal_that_cannot_be_opened_says_so(tmp_path):
    (tmp_path / "acme.journal").mkdir()
    with pytest.raises(WarehouseError, match="cannot be written"):
        Journal(tmp_path / "acme.journal")
    with pytest.raises(WarehouseError, match="cannot be read"):
        read(tmp_path / "acme.journal")


def test_clear_removes_it(tmp_path):
    with Journal(tmp_path / "acme.journal") as journal:
        journal.write(entry())
    clear(tmp_path / "acme.journal")
    assert not (tmp_path / "acme.journal").exists()
