"""The file by which every write is stopped."""

import datetime as dt
import stat

import pytest

from hris_pipeline.contracts.pauses import Pause
from hris_pipeline.errors import PipelineError
from hris_pipeline.operations import pause

NOW = dt.datetime(2026, 3, 2, 12, 30, tzinfo=dt.UTC)


def test_a_pause_is_kept_with_who_when_and_why_and_is_readable_by_its_owner_only(tmp_path):
    assert pause.in_force(tmp_path, "acme") is None
    made, new = pause.begin(tmp_path / "data", "acme", by="ada", because="moving offices", now=NOW)
    assert new
    assert (
        pause.in_force(tmp_path / "data", "acme")
        == made
        == Pause("ada", "2026-03-02T12:30:00+00:00", "moving offices")
    )
    (file,) = (tmp_path / "data").iterdir()
    assert (file.name, stat.S_IMODE(file.stat().st_mode)) == ("acme.paused", 0o600)
    said = made.sentence("acme", "Europe/Berlin")
    assert (
        said
        == "paused since 2026-03-02 13:30 by ada; nothing was written; `hris-pipeline resume acme` "
        "ends it"
    )
    assert pause.in_force(tmp_path / "data", "globex") is None


def test_pausing_twice_keeps_the_first_and_ending_twice_harms_nothing(tmp_path):
    first, _ = pause.begin(tmp_path, "acme", by="ada", because=None, now=NOW)
    assert pause.begin(
        tmp_path, "acme", by="bob", because="again", now=NOW + dt.timedelta(days=1)
    ) == (first, False)
    assert (pause.end(tmp_path, "acme"), pause.end(tmp_path, "acme")) == (first, None)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        '{"by": "ada"}',
        '{"by": "ada", "since": "yesterday"}',
        '{"by": 1, "since": "x"}',
        "\xff",
    ],
)
def test_a_file_that_says_nothing_pauses_all_the_same_and_can_be_ended(tmp_path, text):
    (tmp_path / "acme.paused").write_text(text, encoding="latin-1")
    found = pause.in_force(tmp_path, "acme")
    assert (found.by, found.because) == ("somebody", "its file cannot be read")
    assert "paused since 20" in found.sentence("acme", "UTC")
    assert not pause.begin(tmp_path, "acme", by="ada", because=None, now=NOW)[1]
    assert pause.end(tmp_path, "acme") == found
    assert pause.in_force(tmp_path, "acme") is None


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "data").write_text("no folder")
    with pytest.raises(PipelineError, match="company 'acme' is not paused"):
        pause.begin(tmp_path / "data", "acme", by="ada", because=None, now=NOW)
