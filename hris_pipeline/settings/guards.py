"""The sections ``guards`` and ``approvals``: what stops a dangerous change, and what people
release.
"""

from typing import Annotated

from pydantic import Field

from hris_pipeline.settings.base import Settings
from hris_pipeline.settings.values import Count, Percent


class Limit(Settings):
    """A guard's limits; it trips when more than ``max_count`` and more than ``max_percent`` of the
    base would change.
    """

    max_percent: Percent = Field(
        default=100,
        description="percent of the base (the managed users when the last night ended in line)",
    )
    max_count: Count = Field(
        default=0, description="changes that always pass, however small the base"
    )
    from_size: Count = Field(default=0, description="the guard is off while the base is smaller")
    max_hard: Count | None = Field(
        default=None, description="trips by itself above this count; null for no such limit"
    )
    window_days: Annotated[int, Field(ge=1)] = Field(
        default=7, description="length of the rolling window"
    )
    window_percent: Percent | None = Field(
        default=None, description="percent of the base within the window; null for no window"
    )


class DeactivateUser(Limit):
    """Guard ``deactivate_user``."""

    max_percent: Percent = 5
    max_count: Count = 5
    max_hard: Count | None = 100
    window_percent: Percent | None = 10


class CreateUser(Limit):
    """Guard ``create_user``."""

    max_percent: Percent = 20
    max_count: Count = 25
    from_size: Count = 10


class LinkUser(Limit):
    """Guard ``link_user``; its ``max_count`` is also the one of ``first_contact``."""

    max_percent: Percent = 20
    max_count: Count = 25


class UpdateAttribute(Limit):
    """Guard ``update_attribute``: each attribute alone; each group kind and the manager count as
    attributes.
    """

    max_percent: Percent = 30
    from_size: Count = 10


class GroupMembers(Settings):
    """Guard ``group_members``: groups that would lose too many of their members."""

    max_loss_percent: Percent = Field(
        default=50, description="percent of a group's members that may leave it in one night"
    )
    from_size: Count = Field(
        default=10, description="the guard is off for groups with fewer members"
    )


class On(Settings):
    """A guard without limits: ``{}`` is on, null is off."""


class Guards(Settings):
    """The guards by name; null switches one off, and a key left out keeps its default."""

    deactivate_user: DeactivateUser | None = Field(
        default=DeactivateUser(), description="too many deactivations"
    )
    create_user: CreateUser | None = Field(default=CreateUser(), description="too many creations")
    link_user: LinkUser | None = Field(
        default=LinkUser(), description="too many links to users that are there"
    )
    update_attribute: UpdateAttribute | None = Field(
        default=UpdateAttribute(), description="one attribute changes for too many"
    )
    group_members: GroupMembers | None = Field(
        default=GroupMembers(), description="a group loses too many members"
    )
    incomplete_extract: On | None = Field(
        default=On(), description="nothing is taken away unless the extract is proven complete"
    )
    first_contact: On | None = Field(
        default=On(), description="a first run that finds many users waits for one approval"
    )
    scope_lost: On | None = Field(default=On(), description="everybody fell out of scope at once")
    attribute_vanished: On | None = Field(
        default=On(), description="a mapped attribute came for nobody"
    )
    protected: On | None = Field(
        default=On(), description="people of the list `protected` are not deactivated"
    )
    frozen: On | None = Field(
        default=On(), description="people of the list `frozen` are not changed"
    )
    undone: On | None = Field(default=On(), description="what was undone is not done again")


class Approvals(Settings):
    """What people release."""

    expire_hours: Annotated[int, Field(ge=1)] = Field(
        default=72,
        description="how long an approval is good for; the default lasts over a weekend",
    )
