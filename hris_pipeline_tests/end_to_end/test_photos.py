"""Profile photos over real HTTP: nights in which pictures come, change, go, or cannot be had; and
what is never asked or told.
"""

import base64
import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hris_pipeline.orchestration import runs
from hris_pipeline.sandbox.company import Snapshot, Tenant
from hris_pipeline.sandbox.deskbird import deskbird_app
from hris_pipeline.sandbox.faults import Fault
from hris_pipeline.sandbox.hris.personio import ATTRIBUTES, picture
from hris_pipeline_tests.end_to_end.deployment import Deployment, Ended, deployed
from hris_pipeline_tests.end_to_end.test_people_and_groups import UNITS, person

DAY = dt.date(2026, 3, 2)
ANN, BEN, CLEO, DAN, LEFT = 1, 2, 3, 4, 5
PICTURE = "/v1/company/employees/*/profile-picture/*"
PLANNED = """select hris_ref, before->>'photo', after->>'photo' from deskbird.changes
             where json_exists(after, '$.photo') order by all"""


def company(*more: Any) -> Tenant:
    """Ann and Cleo have a picture, and Lars, who has left; Ben and Dan have none."""
    people = [
        person(ANN, "Ann", "Apple", "ann@nordlicht.example", supervisor=None),
        person(BEN, "Ben", "Berry", "ben@nordlicht.example"),
        person(CLEO, "Cleo", "Cherry", "cleo@nordlicht.example"),
        person(DAN, "Dan", "Date", "dan@nordlicht.example"),
        person(
            LEFT,
            "Lars",
            "Left",
            "lars@nordlicht.example",
            status="INACTIVE",
            end_date=dt.date(2025, 12, 31),
        ),
        *more,
    ]
    pictured = [
        replace(one, photo=1) if one.id in {ANN, CLEO, LEFT} or one.id > LEFT else one
        for one in people
    ]
    return Tenant(Snapshot(DAY, {}, UNITS).with_persons(pictured))


def asked(acme: Deployment) -> dict[int, int | None]:
    """Whose picture was asked for since the log was last emptied, and what was answered last."""
    return {int(one.path.split("/")[4]): one.status for one in acme.personio.requests(PICTURE)}


def shown(acme: Deployment, ref: int) -> bytes | None:
    """The picture that deskbird holds of a person."""
    photos = acme.user(ref).get("photos") or []
    assert [one["type"] for one in photos] in ([], ["photo"])
    # in Entra's dialect the value is removed, not the whole
    value = photos[0].get("value") if photos else None
    return base64.b64decode(value.removeprefix("data:image/png;base64,")) if value else None


def theirs(acme: Deployment, ref: int, number: int | None = None) -> bytes:
    """The picture that Personio has of a person, or had under another number."""
    held = acme.tenant.snapshot.persons[ref]
    return picture(replace(held, photo=number or held.photo), 256)


def next_day(acme: Deployment, ref: int, **values: Any) -> None:
    """HR changes something on the day before the next night, so that the record says when."""
    acme.tenant.set_date(acme.tenant.snapshot.date + dt.timedelta(days=1))
    acme.tenant.change(ref, **values)


def sync_section(**more: Any) -> dict[str, Any]:
    return {"groups": ["department"], "photos": True, **more}


class Story:
    """What each night said, wrote and asked."""

    def __init__(self, acme: Deployment) -> None:
        self.acme = acme
        self.nights: list[Ended] = []
        self.writes: list[list[tuple[str, str, int | None]]] = []
        self.asked: list[dict[int, int | None]] = []
        self.photos: list[dict[int, bytes | None]] = []
        self.plans: list[list[tuple[Any, ...]]] = []
        self.kept: list[dict[str, Any]] = []  # bytes that lie in the warehouse after the night
        self.told: list[str] = []

    def night(self, **changes: Any) -> None:
        acme, number = self.acme, len(self.nights)
        acme.tenant.set_date(DAY + dt.timedelta(days=number))
        for name, values in changes.items():
            acme.tenant.change({"ann": ANN, "ben": BEN, "cleo": CLEO}[name], **values)
        acme.forget_requests()
        self.nights.append(acme.sync(night=number))
        acme.personio.clear()
        self.writes.append(acme.writes())
        self.asked.append(asked(acme))
        self.photos.append({ref: shown(acme, ref) for ref in (ANN, BEN, CLEO, DAN)})
        self.plans.append(acme.ask(PLANNED))
        self.kept.append(
            dict(acme.ask("select id, problem from hris_personio.photos where content is not null"))
        )
        self.told.append(acme.run("plan", "acme", "--format", "json", night=number).out)


OFF, ON, QUIET, NEW, SAME, BROKEN, AGAIN, ODD, GONE, CLEARED = range(10)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Read through v2; the single nights below are read through v1."""
    folder = tmp_path_factory.mktemp("photos")
    with deployed(
        folder, company(), options={"api": "v2"}, more={"sync": sync_section(photos=False)}
    ) as acme:
        told = Story(acme)
        told.night()  # OFF

        acme.more["sync"] = sync_section()
        acme.write_file()
        told.night()  # ON
        told.night()  # QUIET
        told.night(ann={"photo": 2})  # NEW
        told.night(cleo={"photo": 1})  # SAME: the record was touched, the picture is the same
        acme.personio.add(
            Fault(f"/v1/company/employees/{ANN}/profile-picture/*", "status", times=None, value=500)
        )
        told.night(ann={"photo": 3, "last_name": "Apfel"}, ben={"photo": 1})  # BROKEN
        told.night()  # AGAIN
        acme.personio.add(Fault(f"/v1/company/employees/{ANN}/profile-picture/*", "html"))
        acme.personio.add(
            Fault(
                f"/v1/company/employees/{CLEO}/profile-picture/*", "large_picture", value=1_000_001
            )
        )
        told.night(ann={"photo": 4}, cleo={"photo": 4})  # ODD
        told.night(ben={"photo": None})  # GONE
        acme.more["sync"] = sync_section(cleared={"photo": "clear"})
        acme.write_file()
        told.night()  # CLEARED
        yield told


def test_every_night_ends_in_line(story: Story) -> None:
    assert [ended.code for ended in story.nights] == [0] * len(story.nights), [
        ended.err for ended in story.nights
    ]
    assert story.acme.ask("select bool_and(in_line) from state.nights") == [(True,)]


def test_without_being_asked_for_no_picture_is_read(story: Story) -> None:
    assert story.asked[OFF] == {}
    assert set(story.photos[OFF].values()) == {None}
    assert story.acme.personio.requests("/v1/company/employees/attributes") == []


def test_who_is_to_be_a_user_is_asked_about_and_a_leaver_is_not(story: Story) -> None:
    assert story.asked[ON] == {ANN: 200, BEN: 404, CLEO: 200, DAN: 404}


def test_each_picture_is_written_once_as_a_request_of_its_own(story: Story) -> None:
    assert [(method, status) for method, _, status in story.writes[ON]] == [("PATCH", 204)] * 2
    assert [ref for ref, _, _ in story.plans[ON]] == [f"personio:{ANN}", f"personio:{CLEO}"]
    assert story.photos[ON] == {
        ANN: theirs(story.acme, ANN, 1),
        CLEO: theirs(story.acme, CLEO, 1),
        BEN: None,
        DAN: None,
    }


def test_the_next_night_asks_for_nothing_and_plans_nothing(story: Story) -> None:
    assert (story.asked[QUIET], story.writes[QUIET], story.plans[QUIET]) == ({}, [], [])


def test_another_picture_is_one_patch(story: Story) -> None:
    assert story.asked[NEW] == {ANN: 200}
    assert [method for method, _, _ in story.writes[NEW]] == ["PATCH"]
    ((whose, before, after),) = story.plans[NEW]
    assert whose == f"personio:{ANN}"
    assert before.startswith("sha256:")
    assert after.startswith("sha256:")
    assert before != after
    assert story.photos[NEW][ANN] != story.photos[QUIET][ANN]


def test_the_same_picture_once_more_is_nothing(story: Story) -> None:
    assert story.asked[SAME] == {CLEO: 200}
    assert (story.writes[SAME], story.plans[SAME]) == ([], [])


def test_a_picture_that_cannot_be_read_stops_neither_night_nor_other_pictures_and_clears_nothing(
    story: Story,
) -> None:
    assert story.asked[BROKEN] == {ANN: 500, BEN: 200}
    assert story.photos[BROKEN][ANN] == story.photos[SAME][ANN]
    assert story.photos[BROKEN][BEN] == theirs(story.acme, BEN, 1)
    assert [whose for whose, _, _ in story.plans[BROKEN]] == [f"personio:{BEN}"]
    assert story.acme.user(ANN)["name"]["familyName"] == "Apfel"


def test_it_is_asked_for_again_in_the_next_night(story: Story) -> None:
    assert story.asked[AGAIN] == {ANN: 200}
    assert story.photos[AGAIN][ANN] == theirs(story.acme, ANN, 3)
    assert len(story.writes[AGAIN]) == 1


def test_what_is_no_picture_or_too_large_is_left_out_and_counted(story: Story) -> None:
    assert story.asked[ODD] == {ANN: 200, CLEO: 200}
    assert (story.writes[ODD], story.photos[ODD]) == ([], story.photos[AGAIN])
    counted = dict(
        story.acme.ask("select id, problem from hris_personio.photos where problem is not null")
    )
    assert counted == {str(ANN): "not_an_image", str(CLEO): "too_large"}


def test_a_picture_that_was_taken_away_stays_unless_the_company_file_says_otherwise(
    story: Story,
) -> None:
    assert story.asked[GONE] == {BEN: 404}
    assert (story.writes[GONE], story.photos[GONE]) == ([], story.photos[ODD])
    assert [method for method, _, _ in story.writes[CLEARED]] == ["PATCH"]
    assert story.photos[CLEARED] == {**story.photos[GONE], BEN: None}


def test_bytes_are_kept_no_longer_than_until_deskbird_has_them(story: Story) -> None:
    assert story.kept == [{}] * len(story.kept)


def test_c81_no_picture_is_in_what_is_printed_logged_or_kept_beside_the_warehouse(
    story: Story,
) -> None:
    with runs.open_instance() as instance:
        logged = "\n".join(
            str(entry) for run in instance.get_runs() for entry in instance.all_logs(run.run_id)
        )
    beside = "".join(
        path.read_bytes().decode("latin-1")
        for path in story.acme.data.iterdir()
        if path.is_file() and path.suffix != ".duckdb"
    )
    said = "".join((*story.told, *(ended.out + ended.err for ended in story.nights)))
    assert "sha256:" in said
    for text in (logged, beside, said):
        assert "base64," not in text
        assert "iVBORw0KGgo" not in text
        assert "PNG\\r\\n" not in text
    assert "photos_were_read" in logged


# --- one night each -------------------------------------------------------------------------------


@pytest.fixture
def deployment(tmp_path: Path) -> Callable[..., Any]:
    def make(tenant: Tenant | None = None, **options: Any) -> Any:
        options.setdefault("more", {"sync": sync_section()})
        return deployed(tmp_path, tenant or company(), **options)

    return make


@pytest.mark.parametrize(("dialect", "spoken"), [("rfc", "fixed"), ("entra", "auto")])
def test_new_users_get_their_photos_in_the_same_night_in_both_dialects(
    deployment: Any, dialect: Any, spoken: str
) -> None:
    wanted = dialect if spoken == "fixed" else "auto"
    more = {"sync": sync_section(cleared={"photo": "clear"}), "deskbird": {"scim_dialect": wanted}}
    with deployment(
        deskbird=deskbird_app(None, requests_per_second=None, dialect=dialect), more=more
    ) as acme:
        assert acme.sync(night=0).code == 0
        assert [shown(acme, ref) for ref in (ANN, BEN, CLEO)] == [
            theirs(acme, ANN),
            None,
            theirs(acme, CLEO),
        ]
        next_day(acme, ANN, photo=2)
        next_day(acme, CLEO, photo=None)
        assert acme.sync(night=1).code == 0
        assert [shown(acme, ref) for ref in (ANN, CLEO)] == [theirs(acme, ANN), None]
        acme.forget_requests()
        assert acme.sync(night=2).code == 0
        assert acme.writes() == []


def test_switched_on_for_a_company_in_use_it_waits_for_an_approval_and_is_then_carried_out(
    deployment: Any,
) -> None:
    many = [person(10 + n, f"P{n}", "Plum", f"p{n}@nordlicht.example") for n in range(10)]
    with deployment(company(*many), more={"sync": sync_section(photos=False)}) as acme:
        assert acme.sync(night=0).code == 0
        acme.more["sync"] = sync_section()
        acme.write_file()
        acme.forget_requests()
        ended = acme.sync(night=1)
        assert (ended.code, acme.writes()) == (3, [])
        assert "update_attribute (photo): 12 of 14" in ended.out
        ((plan_id,),) = acme.ask("select distinct plan_id from deskbird.changes")
        assert (
            acme.run("approve", "acme", plan_id, "--because", "photos are wanted", night=1).code
            == 0
        )
        assert acme.run("apply", "acme", "--plan", plan_id, night=1).code == 0
        assert shown(acme, ANN) == theirs(acme, ANN)
        assert len(acme.writes()) == 12
        assert acme.ask("select count(*) from hris_personio.photos where content is not null") == [
            (0,)
        ]


def test_a_credential_that_may_not_read_pictures_is_told_so_and_nothing_else_suffers(
    deployment: Any,
) -> None:
    seen = tuple(name for name in ATTRIBUTES if name != "profile_picture")
    with deployment(
        attributes=seen, more={"sync": sync_section(cleared={"photo": "clear"})}
    ) as acme:
        assert acme.sync(night=0).code == 0
        assert asked(acme) == {}
        with runs.open_instance() as instance:
            said = [
                entry.dagster_event.event_specific_data.description
                for run in instance.get_runs()
                for entry in instance.all_logs(run.run_id)
                if entry.dagster_event
                and entry.dagster_event.event_type_value == "ASSET_CHECK_EVALUATION"
                and entry.dagster_event.event_specific_data.check_name == "photos_were_read"
            ]  # fmt: skip
        assert len(said) == 1
        assert "Tick Profile Picture" in said[0]


def test_a_picture_that_deskbird_refuses_keeps_nobody_out_and_is_not_sent_every_night(
    deployment: Any,
) -> None:
    with deployment() as acme:
        acme.deskbird.faults.add(Fault("PATCH /v2/scim/Users/*", "status", times=None, value=413))
        assert acme.sync(night=0).code == 1  # a write failed, and that is said once
        assert {user["userName"] for user in acme.deskbird.desk.users()} >= {
            "ann@nordlicht.example",
            "cleo@nordlicht.example",
        }
        acme.forget_requests()
        assert acme.sync(night=1).code == 0
        assert (acme.writes(), asked(acme)) == ([], {})
        acme.deskbird.faults.clear()
        next_day(acme, ANN, photo=2)
        assert acme.sync(night=2).code == 0
        assert shown(acme, ANN) == theirs(acme, ANN)
        assert shown(acme, CLEO) is None


def test_an_unchanged_picture_costs_no_body_where_the_server_gives_validators(
    deployment: Any,
) -> None:
    with deployment(picture_etags=True) as acme:
        assert acme.sync(night=0).code == 0
        next_day(acme, ANN, last_name="Apfel")
        acme.forget_requests()
        assert acme.sync(night=1).code == 0
        assert asked(acme) == {ANN: 304}
        assert [method for method, _, _ in acme.writes()] == ["PATCH"]  # the name
        next_day(acme, ANN, photo=2)
        assert acme.sync(night=2).code == 0
        assert shown(acme, ANN) == theirs(acme, ANN)


def test_every_picture_is_asked_for_again_within_four_weeks_and_not_all_in_one_night(
    deployment: Any,
) -> None:
    many = [person(10 + n, f"P{n}", "Plum", f"p{n}@nordlicht.example") for n in range(10)]
    with deployment(company(*many)) as acme:
        assert acme.sync(night=0).code == 0
        nights = {}
        for night in (13, 20, 28):
            acme.forget_requests()
            assert acme.sync(night=night).code == 0
            nights[night] = set(asked(acme))
        assert nights[13] == set()
        assert set.union(*nights.values()) == {ANN, BEN, CLEO, DAN, *range(10, 20)}
        assert max(map(len, nights.values())) < 14


def test_switched_off_again_nothing_of_the_pictures_stays_here(deployment: Any) -> None:
    with deployment() as acme:
        acme.deskbird.faults.add(Fault("PATCH /v2/scim/Users/*", "status", times=None, value=500))
        assert acme.sync(night=0).code == 1
        assert acme.ask("select count(*) from hris_personio.photos where content is not null") == [
            (2,)
        ]
        acme.deskbird.faults.clear()
        acme.more["sync"] = sync_section(photos=False)
        acme.write_file()
        assert acme.sync(night=1).code == 0
        assert acme.ask("from hris_personio.photos") == []


def test_undoing_takes_a_new_photo_off_again_and_says_what_cannot_come_back(
    deployment: Any,
) -> None:
    with deployment() as acme:
        assert acme.sync(night=0).code == 0
        next_day(acme, ANN, photo=2)
        next_day(acme, BEN, photo=1)
        assert acme.sync(night=1).code == 0
        ((plan_id,),) = acme.ask("select distinct plan_id from deskbird.changes")
        undone = acme.run("undo", "acme", plan_id)
        assert undone.code == 2, undone.err
        assert "no picture is kept once deskbird has it" in undone.out
        ((undo_id,),) = acme.ask("select distinct plan_id from deskbird.changes")
        assert acme.run("apply", "acme", "--plan", undo_id, night=1).code == 0
        assert (shown(acme, ANN), shown(acme, BEN)) == (theirs(acme, ANN), None)
        acme.forget_requests()
        assert acme.sync(night=2).code == 3  # the HR system still has it: held back by `undone`
        assert acme.writes() == []
        assert "held back by undone" in acme.run("explain", "acme", f"personio:{BEN}").out
        next_day(acme, BEN, photo=2)
        assert acme.sync(night=3).code == 0
        assert shown(acme, BEN) == theirs(acme, BEN)
