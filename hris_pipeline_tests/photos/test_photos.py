"""Photos as tables alone: whom to ask, what to keep, what to write, and for how long the bytes
stay.
"""

import datetime as dt

import pytest
from plan.world import UNGUARDED, Killed, World

from hris_pipeline import photos
from hris_pipeline.contracts.photos import Photo, photo

DAY = dt.timedelta(days=1)


def png(text: str) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + text.encode()


def digest(text: str) -> str:
    return str(photo("", png(text)).digest)


class Company(World):
    """A world in which photos are carried over; ``pictures`` is what the HR system has."""

    def __init__(self) -> None:
        super().__init__(guards=UNGUARDED)
        self.rule(photos=True, cleared=(*self.rules.cleared, "photo"))
        self.pictures: dict[str, str] = {}
        self.asked: list[str] = []

    def read_pictures(self, **instead: Photo) -> None:
        """Ask about those whose turn it is; ``instead`` are other answers than the picture or none,
        by ``_id``.
        """
        with self.warehouse.write(["p"]) as con:
            self.extract(con)
            self.derive(con)
            photos.tidy(con, ["p"])
            due = photos.due(con, "p", self.now)
            self.asked = [one.id for one in due]
            found = [self.answer(id_) for id_ in self.asked]
            photos.keep(con, "p", [instead.get(f"_{one.id}", one) for one in found], self.now)

    def answer(self, id_: str) -> Photo:
        text = self.pictures.get(id_)
        return Photo(id_, "none") if text is None else photo(id_, png(text), f"tag of {text}")

    def whole_night(self, **instead: Photo) -> list[tuple[str, str | None, str | None]]:
        """Read, plan, carry out; what was planned for photos: whose, before, after."""
        self.read_pictures(**instead)
        _, applied, night = self.night()
        assert (applied.failed, applied.stale, night.left) == (0, 0, 0)
        with self.warehouse.write(["p"]) as con:
            photos.tidy(con, ["p"])
        return [
            (
                row["hris_ref"],
                *(
                    self.query(f"select ('{row[side]}'::json)->>'photo'")[0][0]
                    for side in ("before", "after")
                ),
            )
            for row in self.rows()
            if "photo" in row["after"]
        ]

    def here(self) -> list[str]:
        """Whose bytes are here."""
        return [
            id_
            for (id_,) in self.query(
                "select id from hris_p.photos where content is not null order by id"
            )
        ]


@pytest.fixture
def company() -> Company:
    """Three people, of whom the first two have a picture."""
    company = Company()
    company.hire("1", "2", "3")
    company.pictures |= {"1": "one", "2": "two"}
    return company


def test_a_new_user_and_a_photo_are_two_requests_so_that_one_does_not_need_the_other(
    company: Company,
) -> None:
    assert company.whole_night() == [("p:1", None, digest("one")), ("p:2", None, digest("two"))]
    assert [(write.kind, write.hris_ref) for write in company.writes[-2:]] == [
        ("update_user", "p:1"),
        ("update_user", "p:2"),
    ]
    assert {user.photo for user in company.users.values()} == {digest("one"), digest("two"), None}
    assert company.here() == []


def test_the_second_night_is_empty(company: Company) -> None:
    company.whole_night()
    assert company.whole_night() == []
    assert (company.asked, company.kinds_of_changes()) == ([], [])


def test_a_name_and_a_photo_that_change_in_one_night_are_two_changes(company: Company) -> None:
    company.whole_night()
    company.people["1"].given_name, company.people["1"].updated_at = "Ada", "2026-03-03"
    company.pictures["1"] = "new"
    assert company.whole_night() == [("p:1", digest("one"), digest("new"))]
    assert company.kinds_of_changes() == ["user update p:1", "user update p:1"]
    assert len({row["request"] for row in company.rows()}) == 2


def test_what_is_not_known_clears_nothing_and_what_is_gone_does(company: Company) -> None:
    company.whole_night()
    for id_ in ("1", "2"):
        company.people[id_].updated_at = "2026-03-03"
    company.pictures.clear()
    assert company.whole_night(_1=Photo("1", "no_answer"), _2=Photo("2", "too_large")) == []
    assert company.user_of("1").photo == digest("one")
    assert company.whole_night() == [("p:1", digest("one"), None)]
    assert company.user_of("2").photo == digest("two")


def test_nothing_is_cleared_unless_the_company_file_says_so(company: Company) -> None:
    company.rule(cleared=())
    company.whole_night()
    company.people["1"].updated_at = "2026-03-03"
    company.pictures.clear()
    assert company.whole_night() == []
    assert company.asked == ["1"]


def test_a_picture_whose_bytes_are_not_here_is_not_planned_and_asked_for_without_a_validator(
    company: Company,
) -> None:
    company.whole_night()
    lost = company.user_of("1")
    # somebody deleted the user for good: a new one is made, without a photo
    del company.users[lost.id]
    assert company.whole_night() == []
    with company.warehouse.write(["p"]) as con:
        assert [(one.id, one.etag) for one in photos.due(con, "p", company.now)] == [("1", None)]
    assert company.whole_night() == [("p:1", None, digest("one"))]


def test_who_left_is_forgotten_and_asked_about_again_when_they_come_back(company: Company) -> None:
    company.whole_night()
    company.people["1"].status = "inactive"
    company.whole_night()
    assert company.asked == []
    assert company.query("select id from hris_p.photos order by id") == [("2",), ("3",)]
    company.people["1"].status = "active"
    assert company.whole_night() == []
    assert (company.asked, company.here()) == (["1"], [])


def test_the_most_urgent_come_first_and_no_more_than_the_nights_share(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.whole_night()
    company.hire("4", "5")
    company.people["3"].updated_at = "2026-03-03"
    company.now += 28 * DAY
    monkeypatch.setattr(photos, "MOST", 4)
    company.read_pictures()
    assert company.asked[:3] == ["3", "4", "5"]
    assert len(company.asked) == 4
    company.read_pictures()
    assert len(company.asked) == 1


def test_what_deskbird_refused_is_not_planned_again_until_it_is_another_picture(
    company: Company,
) -> None:
    company.read_pictures()
    company.make_plan()
    company.apply()
    plan_id = company.rows()[0]["plan_id"]
    company.execute(
        "update state.outcomes set outcome = 'failed', http_status = 413 where problem is null and "
        "seq = 4"
    )
    company.execute("delete from state.acknowledged_values")
    with company.warehouse.write(["p"]) as con:
        photos.give_up_refused(con, ["p"], plan_id, "run")
    assert company.query("select id, problem from hris_p.photos where problem is not null") == [
        ("1", "refused")
    ]
    company.people["1"].updated_at = "2026-03-03"
    assert company.whole_night() == [("p:2", None, digest("two"))]
    assert company.query("select problem, content from hris_p.photos where id = '1'") == [
        ("refused", None)
    ]
    company.people["1"].updated_at = "2026-03-04"
    company.pictures["1"] = "smaller"
    assert company.whole_night() == [("p:1", None, digest("smaller"))]


def test_a_killed_night_goes_on_where_it_was_with_the_same_plan(company: Company) -> None:
    company.read_pictures()
    plan_id = company.make_plan().plan_id
    with pytest.raises(Killed):
        company.apply(kill_after=3)  # the users are made, the photos are not
    company.restart()
    applied, night = company.apply(plan_id)
    assert (applied.applied, applied.skipped, applied.stale, night.left) == (2, 3, 0, 0)
    assert company.user_of("1").photo == digest("one")


def test_a_picture_that_changed_after_the_plan_is_stale_and_one_that_is_there_is_so_already(
    company: Company,
) -> None:
    company.whole_night()
    for id_, text in (("1", "new"), ("2", "newer")):
        company.people[id_].updated_at, company.pictures[id_] = "2026-03-03", text
    company.read_pictures()
    plan_id = company.make_plan().plan_id
    company.apply(plan_id, stop_after=1)
    company.people["2"].updated_at, company.pictures["2"] = "2026-03-04", "newest"
    company.read_pictures()
    applied, _ = company.apply(plan_id)
    assert (applied.applied, applied.skipped, applied.stale) == (1, 0, 1)  # the first go's counts
    outcomes = company.query(
        "select problem from state.outcomes where http_status is null and outcome <> 'applied' "
        "order by all"
    )
    assert ("It is so in deskbird already.",) in outcomes


def test_the_guard_counts_photos_like_any_attribute_but_not_those_of_new_users(
    company: Company,
) -> None:
    company.hire(*map(str, range(4, 13)))
    company.rule(photos=False)
    company.night()
    company.hire("13")
    company.pictures |= {id_: id_ for id_ in map(str, range(1, 14))}
    company.rule(photos=True)
    company.guard("update_attribute", {"max_percent": 30, "from_size": 10})
    company.read_pictures()
    summary = company.make_plan()
    ((count, base),) = [
        (v.count, v.base)
        for v in summary.tripped
        if (v.guard, v.subject) == ("update_attribute", "photo")
    ]
    assert (count, base) == (12, 12)
    assert "user update p:13" not in company.held()
    assert set(company.held().values()) == {"update_attribute"}
    assert len(company.held()) == 12
    assert company.apply()[0].applied == 2
    with company.warehouse.write(["p"]) as con:
        photos.tidy(con, ["p"])
    assert len(company.here()) == 12  # they wait for an approval


def test_a_photo_waits_with_the_creation_that_it_needs(company: Company) -> None:
    company.rule(frozen=("p:1",), guards={**UNGUARDED, "frozen": {}})
    company.whole_night()
    assert company.held() == {"user create p:1": "frozen", "user update p:1": "frozen"}


def test_switched_off_no_photo_is_planned_and_undone_ones_stay_undone(company: Company) -> None:
    company.rule(guards={**UNGUARDED, "undone": {}})
    company.night()
    company.read_pictures()
    plan_id = company.night()[0].plan_id
    company.undo(plan_id)
    company.apply()
    assert company.user_of("1").photo is None
    company.rule(photos=False)
    assert company.night()[0].changes == 0
    company.rule(photos=True)
    company.read_pictures()
    company.make_plan()
    assert company.held() == {"user update p:1": "undone", "user update p:2": "undone"}


def test_the_bytes_are_given_as_a_data_uri_and_only_as_long_as_they_are_here(
    company: Company,
) -> None:
    company.read_pictures()
    wanted = [
        ("p:1", digest("one")),
        ("p:1", digest("other")),
        ("p:3", digest("one")),
        ("q:1", digest("one")),
    ]
    with company.warehouse.read() as con:
        assert photos.data_uris(con, ["p", "q"], wanted) == {
            wanted[0]: "data:image/png;base64,iVBORw0KGgpvbmU="
        }
    company.whole_night()
    with company.warehouse.read() as con:
        assert photos.data_uris(con, ["p", "q"], wanted) == {}
