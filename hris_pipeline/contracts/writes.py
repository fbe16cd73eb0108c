"""What one HTTP write to deskbird is to achieve, and what became of it: the types between the plan
and the edge.

A write consists of atoms, the smallest parts that deskbird can take or refuse: the record itself (a
creation or a deletion), one attribute, the manager, one member. What becomes of a write is told by
atom, because one refused atom says nothing of the others.
"""

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, Self

from hris_pipeline.contracts.change_kinds import Outcome

Kind = Literal["create_user", "update_user", "create_group", "update_group", "delete_group"]

ProblemCode = Literal[
    "already_so",  # nothing to do: deskbird holds it
    "changed_meanwhile",  # deskbird or the HR system has changed since the plan was made
    "deadline",  # the night's deadline came first
    "did_something_else",  # deskbird also changed what it was not asked to change
    "gone",  # the record does not exist in deskbird any more
    "halted",  # the run ended before
    "held_back",  # by a guard
    "journal_unwritable",  # our own disk
    "manager_pending",  # the manager has no user yet
    "no_answer",  # no usable answer in all tries
    "not_reached",  # the run ended before and told nothing
    "not_retained",  # accepted, and not there afterwards
    "paused",  # the company is paused
    "picture_missing",  # the picture is not in the warehouse any more
    "reference_missing",  # a user or group that the change refers to does not exist in deskbird
    "refused_conflict",  # 409: somebody else has it
    "refused_forbidden",  # 401, 403: no right to this record or part
    "refused_payment",  # 402: no seat
    "refused_value",  # any other refusal
    "shut_out",  # deskbird refuses everything, or everything of this kind
    "successor_refused",  # not taken out of a group, because the next one refused the person
    "web_page",  # something else than deskbird answered
]

Atom = tuple[Literal["record", "attribute", "manager", "add", "remove"], str]
"""One part of a write: what it is, and the attribute's column or the member's ``hris_ref``; empty
for record and manager.
"""

RECORD: Atom = ("record", "")
MANAGER: Atom = ("manager", "")


class StopReason(str):
    """Why a run is to send nothing more, in words for people; ``code`` says it to the machine."""

    __slots__ = ("code",)
    code: ProblemCode

    def __new__(cls, text: str, code: ProblemCode) -> Self:
        """A sentence with its code."""
        made = super().__new__(cls, text)
        made.code = code
        return made


@dataclass(frozen=True)
class UserRef:
    """A user of deskbird, by our marker, and by deskbird's id where it is known before the run."""

    hris_ref: str
    deskbird_id: str | None = None


@dataclass(frozen=True)
class Write:
    """All rows of the plan that share one request.

    ``set`` holds the attributes to write, by our column names: users ``hris_ref`` (externalId),
    ``email`` (userName and work e-mail), ``user_name`` (where it is to be another than the e-mail),
    ``given_name``, ``family_name``, ``display_name``, ``active``, ``photo`` (its digest, until it
    is sent); groups ``hris_ref``, ``name``. An update holds only what changes. ``before`` holds the
    value each of them has in deskbird now (null: has none), ``held`` the whole record as it was
    last read.
    """

    request: int
    stage: int
    kind: Kind
    hris_ref: str  # the user's or the group's marker
    # None for a create, and for an update of what an earlier request of the same plan creates
    deskbird_id: str | None
    set: Mapping[str, str | bool | None] = field(default_factory=dict)
    before: Mapping[str, str | bool | None] = field(default_factory=dict)
    manager: UserRef | None = None  # users: the manager to set
    clear_manager: bool = False
    add: tuple[UserRef, ...] = ()  # groups
    remove: tuple[UserRef, ...] = ()
    version: str | None = None  # etag the change was planned against
    seqs: tuple[int, ...] = ()  # the plan's rows it carries out
    held: Mapping[str, str | bool | None] | None = None

    @property
    def creates(self) -> bool:
        """Whether it makes a user or a group."""
        return self.kind in {"create_user", "create_group"}

    @property
    def of_user(self) -> bool:
        """Whether it is about a user; else about a group."""
        return self.kind in {"create_user", "update_user"}

    @property
    def what(self) -> str:
        """The user or group in words that name nobody."""
        return f"{'user' if self.of_user else 'group'} {self.hris_ref}"

    @property
    def atoms(self) -> tuple[Atom, ...]:
        """The parts of it, in no order that matters."""
        return (
            *((RECORD,) if self.creates or self.kind == "delete_group" else ()),
            *(("attribute", column) for column in self.set),
            *((MANAGER,) if self.manager or self.clear_manager else ()),
            *(("remove", ref.hris_ref) for ref in self.remove),
            *(("add", ref.hris_ref) for ref in self.add),
        )

    def only(self, atoms: Collection[Atom]) -> "Write":
        """The same write with these parts alone."""
        manager = MANAGER in atoms
        return replace(
            self,
            set={
                column: value
                for column, value in self.set.items()
                if ("attribute", column) in atoms
            },
            before={
                column: value
                for column, value in self.before.items()
                if ("attribute", column) in atoms
            },
            manager=self.manager if manager else None,
            clear_manager=self.clear_manager and manager,
            add=tuple(ref for ref in self.add if ("add", ref.hris_ref) in atoms),
            remove=tuple(ref for ref in self.remove if ("remove", ref.hris_ref) in atoms),
        )


@dataclass(frozen=True)
class Part:
    """What became of one atom of a write."""

    atom: Atom
    outcome: Outcome
    http_status: int | None = None
    problem_code: ProblemCode | None = None
    problem: str | None = None  # in words, without personal data


@dataclass(frozen=True)
class Result:
    """What became of one write. Where its parts fared differently, ``parts`` names every one of
    them.
    """

    request: int
    outcome: Outcome
    http_status: int | None = None
    attempts: int = 0
    deskbird_id: str | None = None  # of the user or group, known after a create
    problem: str | None = None  # in words, without personal data
    unset_manager: bool = False  # a create went through, but without its manager
    left_out: tuple[str, ...] = ()  # groups: hris_refs of members not added or removed
    answered_at: dt.datetime | None = None  # when the last answer came
    problem_code: ProblemCode | None = None
    parts: tuple[Part, ...] = ()
