"""The ways in which services page: each is read completely, or refused with the right reason;
nothing is silently missing.
"""

import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from hris_pipeline.deskbird.scim import Observation
from hris_pipeline.errors import DeskbirdError
from hris_pipeline_tests.deskbird.paging_service import Paging, over_http, people, without_network


def nothing(*_: object) -> None:
    """Progress that nobody looks at."""


def ids(path: Path) -> list[str]:
    with pa.ipc.open_stream(path) as stream:
        return [row["deskbird_id"] for row in stream.read_all().to_pylist()]


def read(paging: Paging, folder: Path) -> Observation:
    with over_http(paging) as service:
        return service.read_users(folder / "users", nothing)


READ: dict[str, tuple[dict[str, Any], tuple[str, ...], int]] = {
    # how it pages; what is told of it; passes
    "as RFC 7644 says": ({}, (), 1),
    "smaller pages than asked for": ({"limit": 30}, (), 1),
    "the total is the page's size": ({"total": "page"}, ("total_is_of_the_page",), 1),
    "the total is always the page's size": ({"total": 100}, ("total_is_too_low",), 1),
    "the total is capped": ({"total": "cap:150"}, ("total_is_too_low",), 1),
    "the total is capped where a page ends": ({"total": "cap:200"}, ("total_is_too_low",), 1),
    "no total": ({"total": "none"}, ("no_total",), 1),
    "a page behind the end counts nothing": ({"total": "zero_behind", "limit": 50}, (), 1),
    "itemsPerPage is 0": ({"items_per_page": 0}, (), 1),
    "an empty page has no resources": ({"empty": "nothing", "limit": 50}, (), 1),
    "an empty page has null for resources": (
        {"empty": "null", "limit": 50, "total": "page"},
        ("total_is_of_the_page",),
        1,
    ),
    "a page behind the end is refused": (
        {"start_index": "refused_behind", "limit": 50},
        ("last_page_repeats",),
        1,
    ),
    "the last page comes again": (
        {"start_index": "last_again", "limit": 50},
        ("last_page_repeats",),
        1,
    ),
    "it counts from zero": ({"start_index": "from_zero"}, ("starts_at_zero",), 1),
    "it counts from zero and gives whole pages only": (
        {"start_index": "from_zero", "count": "ignored"},
        ("starts_at_zero",),
        1,
    ),
    "it refuses to give so many at once": ({"count": "refused", "limit": 50}, (), 1),
    "it refuses to give more than it announces": (
        {"count": "refused", "limit": 30, "max_results": 30},
        (),
        1,
    ),
    "pages overlap by one": ({"start_index": "overlapping"}, ("order_is_unstable",), 2),
    "no order, but it can sort": ({"order": "random_unless_sorted", "sort": "works"}, (), 2),
    "cursors only": ({"cursors": "only"}, (), 1),
    "cursors by themselves": ({"cursors": "by_themselves"}, (), 1),
    "cursors without a total": ({"cursors": "by_themselves", "total": "none"}, ("no_total",), 1),
    "startIndex is ignored, cursors are announced": (
        {"cursors": "announced", "start_index": "ignored"},
        (),
        2,
    ),
    "a cursor expires once": (
        {"cursors": "expire_once", "start_index": "ignored", "limit": 40},
        (),
        3,
    ),
    "no order, but cursors": ({"cursors": "announced", "order": "random", "limit": 1000}, (), 1),
}


@pytest.mark.parametrize("way", READ)
def test_c111_c118_a_list_is_read_completely_however_it_is_paged(tmp_path, way):
    how, notes, passes = READ[way]
    paging = Paging(people(250), **how)
    if way.startswith("no order, but cursors"):
        paging.records = people(90)
    observation = read(paging, tmp_path)
    assert sorted(ids(tmp_path / "users")) == [record["id"] for record in paging.records]
    assert (observation.notes, observation.passes, observation.records) == (
        notes,
        passes,
        len(paging.records),
    )
    assert (observation.remarks is None) == (not notes)
    assert list(tmp_path.iterdir()) == [tmp_path / "users"]


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "startIndex is ignored": (
        {"start_index": "ignored"},
        "the same page again, whatever startIndex asks for, in 2 passes",
    ),
    "startIndex is ignored and the total is the page's": (
        {"start_index": "ignored", "total": "page"},
        "the same page again",
    ),
    "it says that there are more": ({"total": 251}, "250 of 251 came, in 3 passes"),
    "the total is what remains": ({"total": "remaining"}, "the total changed from 250 to 150"),
    "the total moves": ({"total": "moving"}, "the total changed"),
    "the last page comes again, and the total is wrong": (
        {"start_index": "last_again", "limit": 50, "total": "cap:99"},
        "again",
    ),
    "no order, and no total that helps": (
        {"order": "random", "total": "cap:10"},
        "records came twice|no stable order",
    ),
    "overlapping, and no total": (
        {"start_index": "overlapping", "total": "none"},
        "records came twice, and 250 of \\? came",
    ),
    "cursors that lead back": ({"cursors": "loop", "start_index": "ignored"}, "cursor leads back"),
}


@pytest.mark.parametrize("way", REFUSED)
def test_c111_c118_a_list_that_may_be_short_is_refused_with_the_reason(tmp_path, way):
    how, why = REFUSED[way]
    paging = Paging(people(250), **how)
    with pytest.raises(
        DeskbirdError, match=f"list of users did not hold still or is incomplete: .*{why}"
    ):
        read(paging, tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert len(paging.asked) < 1000


def test_c118_passes_over_a_list_without_an_order_are_put_together(tmp_path):
    paging = Paging(people(250), order="random", seed=7)
    observation = read(paging, tmp_path)
    assert sorted(ids(tmp_path / "users")) == [record["id"] for record in paging.records]
    assert observation.records == 250
    assert observation.passes > 1
    assert observation.notes == ("order_is_unstable",)
    assert "several passes were put together" in observation.remarks
    assert list(tmp_path.iterdir()) == [tmp_path / "users"]


def test_c118_groups_of_several_passes_keep_their_members(tmp_path):
    groups = [
        {
            "id": f"g{n:03}",
            "displayName": f"G{n}",
            "members": [{"value": f"u{n}"}, {"value": "boss"}],
        }
        for n in range(150)
    ]
    paging = Paging(groups, order="random", seed=3)
    with over_http(paging) as service:
        observation = service.read_groups(tmp_path / "groups", tmp_path / "members", nothing)
    assert sorted(ids(tmp_path / "groups")) == [group["id"] for group in groups]
    with pa.ipc.open_stream(tmp_path / "members") as stream:
        members = [
            (row["group_deskbird_id"], row["user_deskbird_id"])
            for row in stream.read_all().to_pylist()
        ]
    assert sorted(members) == sorted((g["id"], m["value"]) for g in groups for m in g["members"])
    assert observation.members == 300


@pytest.mark.parametrize(
    ("number", "limit", "asked"),
    [(0, 100, 1), (14, 100, 2), (100, 100, 2), (250, 100, 3), (300, 100, 4)],
)
def test_c111_a_service_that_pages_well_is_asked_once_more_at_most(tmp_path, number, limit, asked):
    paging = Paging(people(number), limit=limit)
    assert read(paging, tmp_path).records == number
    assert len(paging.asked) == asked


def test_c111_a_service_without_pages_is_believed_where_it_says_that_a_page_may_hold_more(
    tmp_path,
):
    paging = Paging(people(14), start_index="ignored", max_results=200)
    assert read(paging, tmp_path).records == 14
    paging = Paging(people(14), start_index="ignored", max_results=14)
    with pytest.raises(DeskbirdError, match="the same page again"):
        read(paging, tmp_path)


def test_c114_a_record_that_one_page_shows_twice_is_read_once(tmp_path):
    """Nobody is missing then: a page that starts too early or too late shows again what another
    page showed.
    """
    paging = Paging(people(14), doubles=True)
    observation = read(paging, tmp_path)
    assert ids(tmp_path / "users") == [record["id"] for record in paging.records]
    assert observation.notes == ("shows_some_twice",)
    assert "a page of it shows a record twice" in observation.remarks


@st.composite
def ways(draw: st.DrawFn) -> Paging:
    """Any way to page, and any number of users."""
    number = draw(st.integers(0, 40))
    total = draw(
        st.sampled_from(["true", "page", "none", "zero_behind", "remaining", "moving"])
        | st.integers(0, 45)
        | st.integers(0, 45).map(lambda most: f"cap:{most}")
    )
    return Paging(
        people(number),
        limit=draw(st.integers(1, 45)),
        count=draw(st.sampled_from(["honoured", "honoured", "ignored"])),
        doubles=draw(st.sampled_from([False, False, False, True])),
        total=total,
        start_index=draw(
            st.sampled_from(
                ["honoured", "ignored", "from_zero", "overlapping", "refused_behind", "last_again"]
            )
        ),
        order=draw(st.sampled_from(["stable", "stable", "random", "random_unless_sorted"])),
        sort=draw(st.sampled_from(["refused", "ignored", "works"])),
        cursors=draw(
            st.sampled_from(
                ["none", "none", "announced", "only", "by_themselves", "expire_once", "loop"]
            )
        ),
        empty=draw(st.sampled_from(["list", "nothing", "null"])),
        items_per_page=draw(st.none() | st.integers(0, 45)),
        seed=draw(st.integers(0, 10)),
    )


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ways())
@example(Paging(people(2), limit=1, total="page", start_index="from_zero"))
@example(Paging(people(2), limit=1, total="none", start_index="from_zero", doubles=True))
def test_c111_c118_what_is_read_is_everything_or_an_error(paging):
    """However a service pages: nothing is silently missing, nothing comes twice, and the asking
    ends.

    Only where a wrong total is by chance exactly what came, of a list that is counted from 0 or has
    no order, nothing shows that somebody is missing; nor where the only one is the one before the
    first.
    """
    assume(paging.start_index != "from_zero" or len(paging.records) != 1)
    wrong = isinstance(paging.total, int) or paging.total.startswith("cap:")
    assume(paging.order == "stable" or not (wrong or paging.start_index == "from_zero"))
    assume(not (paging.doubles and wrong and paging.start_index == "from_zero"))
    by_chance = len(paging.records) - 1
    assume(paging.start_index != "from_zero" or paging.total not in {by_chance, f"cap:{by_chance}"})
    with tempfile.TemporaryDirectory() as folder, without_network(paging) as service:
        path = Path(folder) / "users"
        try:
            observation = service.read_users(path, nothing)
        except DeskbirdError:
            assert list(Path(folder).iterdir()) == []
        else:
            assert sorted(ids(path)) == [record["id"] for record in paging.records]
            assert observation.records == len(paging.records)
    assert len(paging.asked) < 1000
