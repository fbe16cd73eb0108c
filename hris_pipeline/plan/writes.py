"""What one HTTP write to deskbird is to achieve, before any dialect: the type between the plan and the edge."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["create_user", "update_user", "create_group", "update_group", "delete_group"]

Outcome = Literal["applied", "failed", "blocked", "skipped", "stale"]


@dataclass(frozen=True)
class UserRef:
    """A user of deskbird, by our marker, and by deskbird's id where it is known before the run."""

    hris_ref: str
    deskbird_id: str | None = None


@dataclass(frozen=True)
class Write:
    """All rows of the plan that share one request.

    ``set`` holds the attributes to write, by our column names: users ``hris_ref`` (externalId), ``email`` (userName and work
    e-mail), ``user_name`` (where it is to be another than the e-mail), ``given_name``, ``family_name``, ``display_name``,
    ``active``, ``photo`` (its digest, until it is sent); groups ``hris_ref``, ``name``. An update holds only what changes.
    ``before`` holds the value each of them has in deskbird now (null: has none).
    """

    request: int
    stage: int
    kind: Kind
    hris_ref: str  # the user's or the group's marker
    deskbird_id: str | None  # None for a create, and for an update of what an earlier request of the same plan creates
    set: Mapping[str, str | bool | None] = field(default_factory=dict)
    before: Mapping[str, str | bool | None] = field(default_factory=dict)
    manager: UserRef | None = None  # users: the manager to set
    clear_manager: bool = False
    add: tuple[UserRef, ...] = ()  # groups
    remove: tuple[UserRef, ...] = ()
    version: str | None = None  # etag the change was planned against
    seqs: tuple[int, ...] = ()  # the plan's rows it carries out


@dataclass(frozen=True)
class Result:
    """What became of one write."""

    request: int
    outcome: Outcome
    http_status: int | None = None
    attempts: int = 0
    deskbird_id: str | None = None  # of the user or group, known after a create
    problem: str | None = None  # in words, without personal data
    unset_manager: bool = False  # a create went through, but its manager was not known yet
    left_out: tuple[str, ...] = ()  # groups: hris_refs of members not added or removed: deskbird has no such user
    answered_at: dt.datetime | None = None  # when the last answer came
