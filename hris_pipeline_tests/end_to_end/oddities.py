"""What the fault campaign can do to deskbird beside passing faults: each oddity has a name, and is
drawn from dice.

An oddity of the service holds for a whole run, as a service does not change its dialect overnight;
an oddity of a night comes and goes. Each says whose refusal excuses what, so that the campaign's
laws know what may be missing, and nothing else.
"""

import datetime as dt
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import format_datetime
from typing import Any

import msgspec

from hris_pipeline.sandbox.deskbird.behaviour import (
    PAGINGS,
    RFC,
    Answers,
    Behaviour,
    Forms,
    Odd,
    Paging,
    Refusal,
)
from hris_pipeline.sandbox.faults import Fault

REFUSED_LISTS = {
    "start_ignored",
    "start_echoed",
    "shuffled",
    "shuffled_unsortable",
    "total_high",
    "total_changing",
}
"""Ways of paging that end a night with the reason, because something may be missing; of a night,
never of a service.
"""
ROWS = ("active", "attributes", "empty", "add_members", "remove_members", "manager")
ATTRIBUTES = ("displayName", "name.familyName", "name.givenName", "userName", "emails")
SHAPES = ("scim", "untyped", "json", "list", "text", "html", "empty", "null")
WRITES = (
    "POST */Users",
    "PATCH */Users/*",
    "POST */Groups",
    "PATCH */Groups/*",
    "GET */Users*",
    "GET */Groups*",
)


@dataclass
class Night:
    """What is odd tonight."""

    behaviour: Behaviour
    names: list[str] = field(default_factory=list)
    # (whose marker, what): what need not be there afterwards
    refused: set[tuple[str, str]] = field(default_factory=set)
    damages: bool = False  # the service itself does something else than it was asked
    # markers of records that cannot be read as they are
    blind: set[str] = field(default_factory=set)
    unknown: bool = False  # a record cannot be told from others, so nobody need be created
    faults: list[Fault] = field(default_factory=list)

    def change(self, **changes: Any) -> None:
        """Change fields of the behaviour."""
        self.behaviour = msgspec.structs.replace(self.behaviour, **changes)

    def refuse(self, *refusals: Refusal) -> None:
        """Refuse something more."""
        self.change(refusals=(*self.behaviour.refusals, *refusals))


@dataclass(frozen=True)
class World:
    """What the dice may choose from."""

    people: Sequence[str]  # markers of people in HR
    new: Sequence[str]  # of those of them who have no user yet
    groups: Sequence[str]  # markers of groups in HR
    active_users: int
    moment: dt.datetime
    # of the people and groups, those of whom HR wants something new tonight
    busy: Sequence[str] = ()

    def somebody(self, dice: random.Random) -> str:
        """A person, most likely one of whom something is written tonight."""
        return self._one_of(self.people, dice)

    def some_group(self, dice: random.Random) -> str:
        """A group, most likely one that changes tonight."""
        return self._one_of(self.groups, dice)

    def _one_of(self, marks: Sequence[str], dice: random.Random) -> str:
        busy = [mark for mark in marks if mark in self.busy]
        anybody, somebody = dice.choice(marks), dice.choice(busy or marks)
        return somebody if dice.random() < 0.8 else anybody


# --- of the service, for a whole run --------------------------------------------------------------


def _mixture(dice: random.Random, so: Behaviour) -> Behaviour:
    rows = {row: dice.choice(("rfc", "entra", "both")) for row in ROWS}
    forms = Forms(
        **rows,  # type: ignore[arg-type]
        op=dice.choice(("any", "strict")),
        otherwise=dice.choice(("refused", "refused", "untyped", "ignored")),
        dotted_keys=dice.random() < 0.7,
        post_manager=dice.choice(("taken", "ignored", "refused")),
        post_members=dice.choice(("taken", "ignored", "refused")),
    )
    return msgspec.structs.replace(so, forms=forms)


def _hidden(dice: random.Random, so: Behaviour) -> Behaviour:
    return msgspec.structs.replace(
        so, hides=frozenset(dice.choice((("manager",), ("members",), ("manager", "members"))))
    )


def _answered(dice: random.Random, so: Behaviour) -> Behaviour:
    answers = Answers(
        created=dice.choice(("resource", "location", "relative_location", "nothing")),
        patched=dice.choice((200, 204)),
        tags=dice.choice(("honoured", "none", "strong", "rewritten", "moving")),
        errors=dice.choice(SHAPES),
        urls=dice.choice(("absolute", "relative")),
        bom=dice.random() < 0.2,
    )
    return msgspec.structs.replace(so, answers=answers)


def _paged(dice: random.Random, so: Behaviour) -> Behaviour:
    return msgspec.structs.replace(
        so, paging=PAGINGS[dice.choice([name for name in PAGINGS if name not in REFUSED_LISTS])]
    )


OF_THE_SERVICE: Mapping[str, Callable[[random.Random, Behaviour], Behaviour]] = {
    "dialect": _mixture,
    "hidden": _hidden,
    "answers": _answered,
    "pages": _paged,
}


def service(seed: int, allowed: Callable[[str], bool]) -> tuple[Behaviour, list[str]]:
    """How the service of a run behaves, and the names of what is odd in it; most runs have one
    oddity or two.
    """
    dice, so, names = (
        random.Random(f"service {seed}"),
        Behaviour(forms=RFC, paging=Paging(size=100)),
        [],
    )
    for name, draw in OF_THE_SERVICE.items():
        drawn, odd = draw(dice, so), dice.random() < 0.45
        if odd and allowed(name):
            so, names = drawn, [*names, name]
    return so, names


# --- of a night -----------------------------------------------------------------------------------


def _status(dice: random.Random) -> dict[str, Any]:
    return {
        "status": dice.choice((400, 402, 403, 404, 409, 412, 422)),
        "error": dice.choice(SHAPES),
    }


def _refused_user(dice: random.Random, night: Night, world: World) -> None:
    who = world.somebody(dice)
    night.refuse(Refusal(who=who, **_status(dice)))
    night.refused.add((who, "*"))


def _refused_creation(dice: random.Random, night: Night, world: World) -> None:
    if world.new:
        who = dice.choice(world.new)
        night.refuse(Refusal(who=who, what="create", methods=("POST",), **_status(dice)))
        night.refused.add((who, "missing"))


def _refused_attribute(dice: random.Random, night: Night, world: World) -> None:
    who, what = (
        dice.choice((world.somebody(dice), world.somebody(dice), "*")),
        dice.choice(ATTRIBUTES),
    )
    how: dict[str, Any] = {"status": dice.choice((400, 422, 204)), "error": dice.choice(SHAPES)}
    night.refuse(Refusal(who=who, what=what, methods=("PATCH",), **how))
    night.refused.add((who, what))


def _refused_active(dice: random.Random, night: Night, world: World) -> None:
    who = world.somebody(dice)
    night.refuse(Refusal(who=who, what="active", methods=("PATCH",), **_status(dice)))
    night.refused.add((who, "active"))


def _refused_manager(dice: random.Random, night: Night, world: World) -> None:
    who = dice.choice((world.somebody(dice), world.somebody(dice), "*"))
    night.refuse(
        Refusal(
            who=who, what="manager", status=dice.choice((400, 422, 204)), error=dice.choice(SHAPES)
        )
    )
    night.refused.add((who, "manager"))


def _refused_member(dice: random.Random, night: Night, world: World) -> None:
    who, group, on = (
        world.somebody(dice),
        dice.choice((world.some_group(dice), "*")),
        dice.choice(("add", "add", "remove", "*")),
    )
    how: dict[str, Any] = {
        "status": dice.choice((400, 403, 404, 204)),
        "error": dice.choice(SHAPES),
    }
    night.refuse(Refusal(who=who, what="member", group=group, on=on, **how))
    night.refused.add((group, f"member:{who}"))


def _refused_group(dice: random.Random, night: Night, world: World) -> None:
    group = world.some_group(dice)
    night.refuse(Refusal(who=group, what="displayName", **_status(dice)))
    night.refused.add((group, "displayName"))


def _seats(dice: random.Random, night: Night, world: World) -> None:
    night.change(
        seats=world.active_users + dice.choice((-1, 0, 0, 1)), seats_status=dice.choice((402, 403))
    )


def _paging(dice: random.Random, night: Night, world: World) -> None:
    night.change(paging=PAGINGS[dice.choice(sorted(PAGINGS))])


def _odd_record(dice: random.Random, night: Night, world: World) -> None:
    of_users = (
        "number_id",
        "no_id",
        "null_email",
        "surrogate",
        "text_active",
        "list_name",
        "number_external_id",
        "null",
    )
    who, kind = dice.choice((world.somebody(dice), world.some_group(dice))), dice.choice(of_users)
    if ":team:" in who or ":department:" in who:
        kind = dice.choice(
            ("number_id", "no_id", "null_member", "surrogate", "number_external_id", "null")
        )
    night.change(odd=(*night.behaviour.odd, Odd(who=who, kind=kind)))
    night.blind.add(who)
    night.unknown = night.unknown or kind in {"no_id", "null", "number_external_id"}


def _members_shown(dice: random.Random, night: Night, world: World) -> None:
    night.change(
        members_shown=dice.choice((1, 2, 3)), members_shown_in=dice.choice(("lists", "everywhere"))
    )


def _tags(dice: random.Random, night: Night, world: World) -> None:
    tags = dice.choice(("strong", "rewritten", "moving"))
    night.change(answers=msgspec.structs.replace(night.behaviour.answers, tags=tags))


def _created(dice: random.Random, night: Night, world: World) -> None:
    created = dice.choice(("location", "relative_location", "nothing"))
    night.change(answers=msgspec.structs.replace(night.behaviour.answers, created=created))


def _retry_after(dice: random.Random, night: Night, world: World) -> None:
    past = format_datetime(world.moment.replace(year=2019), usegmt=True)
    told = dice.choice(("0", "-1", "0.5", "soon", past))
    on, after, times = dice.choice(WRITES), dice.randrange(3), dice.choice((1, 2))
    night.faults.append(Fault(on, "status", after, times, dice.choice((429, 503)), told))


def _add_replaces(dice: random.Random, night: Night, world: World) -> None:
    """Not where members are hidden: nobody could see it."""
    if "members" not in night.behaviour.hides:
        night.change(add_replaces=True)
        night.damages = True


def _clears(dice: random.Random, night: Night, world: World) -> None:
    pairs = (
        ("name.familyName", "name.givenName"),
        ("displayName", "name.familyName"),
        ("userName", "manager"),
    )
    changed, cleared = dice.choice(pairs)
    if cleared not in night.behaviour.hides:
        night.change(clears={changed: cleared})
        night.damages = True


OF_A_NIGHT: Mapping[str, tuple[float, Callable[[random.Random, Night, World], None]]] = {
    "refused_user": (2, _refused_user),
    "refused_creation": (2, _refused_creation),
    "refused_attribute": (3, _refused_attribute),
    "refused_active": (1, _refused_active),
    "refused_manager": (2, _refused_manager),
    "refused_member": (3, _refused_member),
    "refused_group": (1, _refused_group),
    "seats": (2, _seats),
    "paging": (3, _paging),
    "odd_record": (3, _odd_record),
    "members_shown": (1, _members_shown),
    "tags": (2, _tags),
    "created": (2, _created),
    "retry_after": (2, _retry_after),
    "add_replaces": (0.5, _add_replaces),
    "clears": (0.5, _clears),
}
"""By name: how often in comparison with the others, and what it does."""

REFUSALS = frozenset(name for name in OF_A_NIGHT if name.startswith("refused")) | {"seats"}
"""Those that let a night go on for everybody else."""


def draw(
    dice: random.Random,
    base: Behaviour,
    world: World,
    count: int,
    allowed: Callable[[str], bool],
    drawn: Callable[[str], bool] = bool,
) -> Night:
    """So many oddities of a night, of those that are ``drawn``; one that is not allowed changes
    nothing but takes its turn.
    """
    night = Night(base)
    weights = {name: weight for name, (weight, _) in OF_A_NIGHT.items() if drawn(name)}
    for name in dice.choices(list(weights), list(weights.values()), k=count) if weights else ():
        own = random.Random(dice.random())
        if allowed(name):
            OF_A_NIGHT[name][1](own, night, world)
            night.names.append(name)
    return night


def names() -> Iterable[str]:
    """Every oddity that can be switched off."""
    return (*OF_THE_SERVICE, *OF_A_NIGHT)
