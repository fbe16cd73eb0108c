"""The section ``sync``: who and what is carried over, and how."""

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from hris_pipeline.contracts.attributes import ATTRIBUTES, BY_NAME, OPT_IN
from hris_pipeline.settings.absences import Absences
from hris_pipeline.settings.base import Settings
from hris_pipeline.settings.groups import GroupNames
from hris_pipeline.settings.mistakes import refuse
from hris_pipeline.settings.values import Count, Texts, not_a_zone


class Scope(Settings):
    """Who is synced. Empty lists mean everybody, as deskbird itself does it.
    :mod:`hris_pipeline.rules` is what rules can say.
    """

    include: Annotated[tuple[Any, ...], Field(strict=False)] = Field(
        default=(), repr=False, description="rules; empty for everybody"
    )
    exclude: Annotated[tuple[Any, ...], Field(strict=False)] = Field(
        default=(), repr=False, description="rules; empty for nobody"
    )


class Missing(Settings):
    """When a person who vanished without a word counts as gone: both must be reached."""

    complete_reads: Annotated[int, Field(ge=1)] = Field(
        default=3, description="proven extracts in a row without the person"
    )
    hours: Count = Field(default=60, description="hours since the person was last seen")


class Precedence(Settings):
    """Whose value counts where a person has records in several connections: connection names, the
    first one first.
    """

    default: Texts = Field(
        default=(), description="the order for all attributes; empty for the order of `hris`"
    )
    email: Texts = Field(
        default=(),
        description="the order for the e-mail; empty for the default, as for the others",
    )
    given_name: Texts = Field(default=(), description="the order for the first name")
    family_name: Texts = Field(default=(), description="the order for the last name")
    manager: Texts = Field(default=(), description="the order for the manager")


DRIFTING = (
    *dict.fromkeys(
        attribute.subject
        for attribute in ATTRIBUTES
        if attribute.shown != "never" and not attribute.opt_in
    ),
    *("active", "manager", "group_names"),
)


class Sync(Settings):
    """What is carried over, and how."""

    scope: Scope = Field(default=Scope(), description="who is synced")
    prehire_days: Count = Field(
        default=0, description="create people this many days before their start date"
    )
    timezones: Annotated[dict[str, str], Field(strict=False)] = Field(
        default={},
        description=(
            "a location's name or id: whose midnight ends a contract there; elsewhere the "
            "company's time zone"
        ),
    )
    precedence: Precedence = Field(
        default=Precedence(), description="whose value counts where a person has several records"
    )
    groups: Texts = Field(
        default=("team", "department", "cost_center"),
        description="kinds of group, the most important first",
    )
    group_names: GroupNames = Field(
        default=GroupNames(), description="what groups are called in deskbird"
    )
    nested_groups: Literal["flat", "path"] = Field(
        default="flat",
        description=(
            "what a unit below another one is called, because deskbird's groups are flat: its own "
            'name, or its path, "Parent / Child"'
        ),
    )
    link_groups: Annotated[dict[str, str], Field(strict=False)] = Field(
        default={},
        description=(
            "groups of deskbird that become ours: a unit, as kind:name or hris_ref, and the "
            "group's name or id"
        ),
    )
    empty_groups: Literal["keep", "delete"] = Field(
        default="keep", description="what becomes of a group that lost its last member"
    )
    managers: bool = Field(default=True, description="carry reporting lines over")
    photos: bool = Field(
        default=False, description="carry profile photos over, where the HR system has them"
    )
    attributes: Texts = Field(
        default=(),
        description="further attributes to carry over: "
        + (", ".join(f"{name} ({BY_NAME[name].label})" for name in OPT_IN) or "there are none"),
    )
    absences: Absences = Field(default=Absences(), description="absences as scheduling statuses")
    missing: Missing = Field(default=Missing(), description="when a vanished person counts as gone")
    cleared: Annotated[dict[str, Literal["clear", "keep"]], Field(strict=False)] = Field(
        default={},
        description=(
            "what happens in deskbird to what the HR system says is empty: by default names and "
            "photos are kept, the manager and groups cleared"
        ),
    )

    drift: Annotated[dict[str, Literal["repair", "keep"]], Field(strict=False)] = Field(
        default={},
        description=(
            "what happens to what people change in deskbird by hand, by attribute or `default`; "
            "repaired where nothing is said"
        ),
    )

    @property
    def drift_kept(self) -> tuple[str, ...]:
        """What stays as people changed it in deskbird: attributes, ``manager``, ``group_names`` and
        kinds of group.
        """
        other = self.drift.get("default", "repair")
        return tuple(
            name
            for name in (*DRIFTING, *self.attributes, *self.groups)
            if self.drift.get(name, other) == "keep"
        )

    @property
    def attributes_cleared(self) -> tuple[str, ...]:
        """The attributes that are cleared in deskbird once they are empty in the HR system."""
        meant = {"manager": "clear", **dict.fromkeys(self.groups, "clear"), **self.cleared}
        return tuple(name for name, what in meant.items() if what == "clear")

    @field_validator("timezones")
    @classmethod
    def _zones(cls, zones: dict[str, str]) -> dict[str, str]:
        refuse([((place,), not_a_zone(zone)) for place, zone in zones.items()])
        return zones
