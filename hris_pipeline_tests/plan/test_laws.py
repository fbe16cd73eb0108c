"""What holds for every company: laws of the planner, on random HRIS states and random deskbirds."""

from copy import deepcopy
from typing import Any
from unicodedata import normalize

from hypothesis import given, settings
from hypothesis import strategies as st
from plan.world import STATUSES, UNGUARDED, Group, Person, User, World

settings.register_profile("laws", deadline=None, derandomize=True, database=None, print_blob=False)

_LAWS = settings(settings.get_profile("laws"), max_examples=6)
IDS = ("1", "2", "3", "4", "5", "6")
NAMES = ("Zoe\u0308", "Zo\u00eb", " Ann ", "\u0130pek", "\u674e", None)
UNITS = (("team", "1"), ("team", "2"), ("department", "1"), ("cost_center", "1"))
_spelt = st.sampled_from(
    [str, str.upper, lambda text: f" {text}\u200b", lambda text: normalize("NFD", text)]
)


@st.composite
def addresses(draw: st.DrawFn) -> str:
    """One of a few mailboxes, so that they collide, in any spelling."""
    mailbox = draw(st.sampled_from(["anna", "j\u00f6rg", "zo\u00eb", "max", "li", "ed", "kim"]))
    domain = draw(st.sampled_from(["acme.test"] * 4 + ["gmail.com", "googlemail.com"]))
    return draw(_spelt)(f"{mailbox}@{domain}")


@st.composite
def staff(draw: st.DrawFn) -> dict[str, Person]:
    """Some of six people, who may be broken, related in rings, or share an address."""
    present = draw(st.lists(st.sampled_from(IDS), unique=True))
    return {
        id_: Person(
            id_,
            draw(st.one_of(st.just(f"{id_}@acme.test"), addresses(), st.none())),
            draw(st.sampled_from(NAMES)),
            draw(st.sampled_from(NAMES)),
            draw(st.sampled_from([*STATUSES, "active", "active", "sabbatical"])),
            draw(st.sampled_from(["2020-01-01", "2027-01-01", None])),
            draw(st.sampled_from([None, None, "2026-01-31", "never"])),
            draw(st.sampled_from([*IDS, None, "nobody"])),
            tuple(draw(st.lists(st.sampled_from(UNITS), unique=True))),
            tuple(
                draw(
                    st.lists(
                        st.sampled_from(["team", "manager_id", "family_name"]),
                        unique=True,
                        max_size=1,
                    )
                )
            ),
        )
        for id_ in present
    }


@st.composite
def strangers(draw: st.DrawFn) -> list[User]:
    """Users that somebody made by hand, or that another system provisions; deskbird lets no two
    have one address.
    """
    found: list[User] = []
    taken: set[str] = set()
    for number, (address, name) in enumerate(
        draw(st.lists(st.tuples(addresses(), addresses()), max_size=4))
    ):
        keys = {normalize("NFC", text.strip("\u200b ")).lower() for text in (address, name)}
        if taken & keys:
            continue
        taken |= keys
        by = draw(st.sampled_from([None, None, "0a1b2c", "other:1"]))
        user = User(
            f"s{number}",
            name.strip("\u200b "),
            address.strip("\u200b "),
            active=draw(st.booleans()),
            external_id=by,
        )
        found.append(user)
    return found


@st.composite
def scenes(draw: st.DrawFn) -> dict[str, Any]:
    """A deskbird with strangers and hand-made groups, and an HRIS on two days."""
    unit_names = st.sampled_from(["Sales", "IT", "\u00c9quipe", "E\u0301quipe", " ", None])
    return {
        "readable": {
            "managers_readable": draw(st.booleans()),
            "members_readable": draw(st.booleans()),
        },
        "users": draw(strangers()),
        "groups": draw(
            st.lists(st.sampled_from(["sales", "IT", "Equipe"]), unique=True, max_size=2)
        ),
        "days": [
            (
                draw(staff()),
                {
                    unit: draw(unit_names)
                    for unit in draw(st.lists(st.sampled_from(UNITS), unique=True))
                },
            )
            for _ in range(2)
        ],
    }


def world_of(scene: dict[str, Any]) -> World:
    world = World(guards=UNGUARDED, **scene["readable"])
    world.users = {user.id: deepcopy(user) for user in scene["users"]}
    world.groups = {
        f"h{n}": Group(f"h{n}", name, None, set(list(world.users)[:1]))
        for n, name in enumerate(scene["groups"])
    }
    return world


def ours(world: World) -> set[str]:
    return {
        ref
        for (ref,) in world.query(
            "select deskbird_id from state.links union select deskbird_id from state.group_links"
        )
    }


def key(address: str | None) -> str:
    return normalize("NFC", normalize("NFC", str(address)).strip().lower()).replace(
        "@googlemail.com", "@gmail.com"
    )


def assert_desired(world: World) -> None:
    """Everybody who is wanted, and not waiting for a decision, is in deskbird as the HRIS says."""
    waiting = {ref for (ref,) in world.query("select hris_ref from state.review")}
    links = dict(world.query("select hris_ref, deskbird_id from state.links"))
    for ref, address, given_name, family_name, status, wanted in world.query(
        "select hris_ref, email, given_name, family_name, status, wanted from core.people"
    ):
        user = world.users.get(links.get(ref, ""))
        if wanted and ref not in waiting:
            assert user is not None
            assert user.active
            assert key(user.user_name) == key(address)
            assert given_name in {None, user.given_name and normalize("NFC", user.given_name)}
            assert family_name in {None, user.family_name and normalize("NFC", user.family_name)}
        elif status == "ended" and user is not None and user.id not in contested(world):
            assert not user.active
    settled = {ref: id_ for ref, id_ in links.items() if id_ in world.users and ref not in waiting}
    for ref, manager in world.query("""select p.hris_ref, m.hris_ref from core.manager_graph g
           join core.people p using (person_id) join core.people m on m.person_id = g.manager_id
           where p.wanted and m.wanted and coalesce(g.problem, 'cycle') = 'cycle'"""):
        if ref in settled and manager in settled:
            assert world.users[settled[ref]].manager == settled[manager]
    groups = dict(world.query("select hris_ref, deskbird_id from state.group_links"))
    wanted = {
        (group, person)
        for group, person in world.query(
            "select m.group_ref, p.hris_ref from core.memberships m join core.people p using "
            "(person_id) where p.wanted"
        )
        if person in settled
    }
    for group, person in wanted:
        assert settled[person] in world.groups[groups[group]].members
    for person, refs, unknown in world.query(
        "select hris_ref, group_refs, unknown from core.people where wanted"
    ):
        for ref, id_ in groups.items():
            if person in settled and settled[person] in world.groups[id_].members:
                assert (ref, person) in wanted or ref in refs or ref.split(":")[1] in unknown
    names = [key(group.name) for group in world.groups.values()]
    assert len(names) == len(set(names))


def contested(world: World) -> set[str]:
    return {found for (found,) in world.query("select deskbird_id from state.review")}


@given(scenes(), st.integers(0, 12))
@_LAWS
def test_a_night_brings_deskbird_in_line_whatever_the_hris_says(
    scene: dict[str, Any], stop_after: int
) -> None:
    world, days = world_of(scene), scene["days"]
    for number, (staff_of_the_day, units) in enumerate(days):
        world.people, world.units = deepcopy(staff_of_the_day), units
        users, groups = deepcopy(world.users), deepcopy(world.groups)

        first = world.make_plan()
        rows = world.rows()
        second = world.plan_again()
        # the planner says the same thing twice
        assert (second.plan_id, world.rows()) == (first.plan_id, rows)

        if number == len(days) - 1:
            world.apply(stop_after=stop_after)  # the last day's first run is interrupted
            world.make_plan()
        applied, night = world.apply()
        assert (applied.failed, applied.stale, night.in_line, night.left) == (0, 0, True, 0)
        assert_desired(world)

        for id_, user in users.items():  # what is not ours is as it was
            if id_ not in ours(world):
                assert world.users[id_] == user
        for id_, group in groups.items():
            if id_ not in ours(world):
                assert world.groups[id_] == group
            else:  # of our groups, strangers stay members
                assert {m for m in group.members if m not in ours(world)} <= world.groups[
                    id_
                ].members

    world.make_plan()
    assert world.rows() == []  # and there is nothing left to do


@given(scenes())
@settings(_LAWS, max_examples=4)
def test_nothing_is_taken_away_on_the_strength_of_an_unproven_extract(
    scene: dict[str, Any],
) -> None:
    world, days = world_of(scene), scene["days"]
    world.guard("incomplete_extract", {})
    (world.people, world.units), (people, units) = days
    world.make_plan()
    world.apply()
    active = {user.id for user in world.users.values() if user.active}
    members = {group.id: set(group.members) for group in world.groups.values()}
    world.people, world.units, world.proof = people, units, "unproven"
    world.make_plan()
    world.apply()
    assert active <= {user.id for user in world.users.values() if user.active}
    assert all(
        members[id_] <= group.members for id_, group in world.groups.items() if id_ in members
    )
