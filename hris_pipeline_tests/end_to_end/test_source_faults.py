"""What an HR system that is ill, slow or strange does to a company in line: nothing but what is
right.
"""

from collections.abc import Iterator

import pytest

from hris_pipeline.sandbox.company import generate
from hris_pipeline.sandbox.faults import Fault
from hris_pipeline_tests.end_to_end.deployment import Deployment, content, deployed

PEOPLE = 105  # two pages in v1
LIST = "GET /v1/company/employees"
PAGES = LIST.replace("GET ", "")


@pytest.fixture(scope="module")
def in_line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A company after a good night."""
    with deployed(tmp_path_factory.mktemp("in_line"), generate(PEOPLE)) as acme:
        assert acme.sync().code == 0
        yield acme


@pytest.fixture
def acme(in_line: Deployment) -> Iterator[Deployment]:
    """The same company for each test, without faults."""
    in_line.forget_requests()
    yield in_line
    in_line.personio.clear()


def refused(acme: Deployment, *faults: Fault) -> str:
    """A night that these faults end: the error's sentence, after a look at what must not have
    changed.
    """
    tables, held = acme.tables(), content(acme.deskbird.desk)
    acme.personio.add(*faults)
    ended = acme.sync(night=1)
    assert (ended.code, ended.out) == (1, "")
    assert "Traceback" not in ended.err
    assert acme.writes() == []
    assert content(acme.deskbird.desk) == held
    assert acme.tables() == tables
    return ended.sentence


def in_order(acme: Deployment, *faults: Fault, code: int = 0) -> None:
    """A night in which these faults change nothing; ``code`` 3: that tells of them."""
    acme.personio.add(*faults)
    ended = acme.sync(night=1)
    assert ended.code == code, ended.err
    assert acme.writes() == []
    assert all(fault.seen > fault.after for fault in faults)


def test_c02_a_last_page_that_never_comes_ends_the_night(acme: Deployment) -> None:
    assert f"{PAGES} (page 2)" in refused(acme, Fault(LIST, "cut", after=1, times=None))


def test_c05_a_page_that_comes_twice_ends_the_night(acme: Deployment) -> None:
    assert "that it had given before" in refused(
        acme, Fault(LIST, "repeat_page", after=1, times=None)
    )
    assert len(acme.personio.requests(LIST)) < 6


@pytest.mark.parametrize("kind", ["html", "success_false"])
def test_c07_what_is_no_answer_is_an_error_and_not_an_empty_list(
    acme: Deployment, kind: str
) -> None:
    refused(acme, Fault(LIST, kind, after=1, times=None))


def test_c08_being_told_to_wait_changes_nothing(acme: Deployment) -> None:
    """Two with seconds, one with a date, two without anything, and three hundred in a row."""
    waits = ((2, 0), (1, "Mon, 02 Mar 2020 00:00:00 GMT"), (2, None), (300, 0))
    faults, after = [], 1
    for times, retry_after in waits:
        faults.append(
            Fault(LIST, "status", value=429, after=after, times=times, retry_after=retry_after)
        )
        after += times
    in_order(acme, *faults)
    asked = [request.query for request in acme.personio.requests(LIST)]
    assert len(asked) == 2 + 305
    assert len(set(asked[1:])) == 1  # the same page each time


def test_c09_passing_faults_of_a_page_change_nothing(acme: Deployment) -> None:
    in_order(
        acme,
        Fault(LIST, "status", value=500, after=1),
        Fault(LIST, "status", value=502, after=2),
        Fault(LIST, "status", value=504, after=3),
        Fault(LIST, "reset", after=4),
    )


def test_c09_lasting_faults_end_the_night_and_the_next_one_is_whole(acme: Deployment) -> None:
    assert "(HTTP 503)" in refused(acme, Fault(LIST, "status", value=503, after=1, times=None))
    acme.personio.clear()
    in_order(acme)


def test_c10_a_token_that_ends_is_renewed_once(acme: Deployment) -> None:
    in_order(acme, Fault(LIST, "tokens_expired", after=1))
    assert len(acme.personio.requests("POST *")) == 2


def test_c10_a_second_refusal_ends_the_night(acme: Deployment) -> None:
    assert "HTTP 401" in refused(acme, Fault(LIST, "status", value=401, after=1, times=None))


def test_c13_an_absent_attribute_is_no_news_and_an_empty_one_is(acme: Deployment) -> None:
    """Absent: nothing is known, nothing changes, and it is told. null, "" and []: the person has
    none, which is carried over.
    """
    person = acme.tenant.snapshot.persons[PEOPLE].current
    assert person is not None
    acme.tenant.change(PEOPLE, team=None, cost_centers=(), supervisor=None)
    groups = f"team:{person.team}", f"cost_center:{person.cost_centers[0][0]}"
    try:
        in_order(
            acme,
            *(
                Fault(LIST, "missing_attribute", value=name, times=None)
                for name in ("team", "cost_centers", "supervisor")
            ),
            code=3,
        )
        acme.personio.clear()
        assert acme.sync(night=2).code == 0
        assert sorted({(kind, action) for kind, action, _ in acme.changes()}) == [
            ("manager", "clear"),
            ("membership", "remove"),
        ]
        assert len(acme.changes()) == 3
        assert all(acme.user(PEOPLE)["id"] not in _members(acme, ref) for ref in groups)
    finally:
        acme.tenant.change(
            PEOPLE,
            team=person.team,
            cost_centers=person.cost_centers,
            supervisor=person.supervisor,
        )
        assert acme.sync(night=3).code == 0


def _members(acme: Deployment, ref: str) -> set[str]:
    return {member["value"] for member in acme.group(ref).get("members") or ()}


def test_c15_new_and_renamed_attributes_and_ids_of_another_type_change_nothing(
    acme: Deployment,
) -> None:
    """``department`` comes under another name: it is missing under the old one, which is told, and
    nobody leaves theirs.
    """
    in_order(
        acme,
        Fault(LIST, "missing_attribute", value="department", times=None),
        Fault(LIST, "extra_attribute", value="dynamic_9", times=None),
        Fault(LIST, "int_to_str", times=None),
        code=3,
    )
    assert acme.ask("select subject, code from state.arrivals where code is not null") == [
        ("department", "vanished")
    ]
    acme.personio.clear()
    in_order(acme)


def test_c01_an_empty_list_stops_the_night_before_any_write(acme: Deployment) -> None:
    ((managed,),) = acme.ask("select managed from state.nights order by ended_at desc limit 1")
    held = content(acme.deskbird.desk)
    acme.personio.add(Fault(LIST, "empty_list", times=None))
    ended = acme.sync(night=1)
    assert ended.code == 3
    assert f"0 of {managed}" in ended.out
    assert acme.writes() == []
    assert content(acme.deskbird.desk) == held
    acme.personio.clear()
    in_order(acme)
