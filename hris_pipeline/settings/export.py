"""The section ``export``: roles and main offices, for deskbird's import of a CSV file."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from hris_pipeline.settings.base import Settings
from hris_pipeline.settings.mistakes import KeyPath, mistake, refuse


class RoleRule(Settings):
    """Whose role in deskbird is which."""

    when: Any = Field(
        default=None, repr=False, description="a rule as in sync.scope; left out for everybody"
    )
    role: Literal["user", "groupManager", "manager", "officeAdmin", "admin"] = Field(
        description="the role, as deskbird's CSV spells it"
    )


class OfficeRule(Settings):
    """Whose main office is which."""

    when: Any = Field(
        default=None, repr=False, description="a rule as in sync.scope; left out for everybody"
    )
    office: str = Field(description="the office's name in deskbird")

    @field_validator("office")
    @classmethod
    def _one_line(cls, office: str) -> str:
        if not office.strip() or not office.isprintable() or "${" in office:
            raise mistake(
                "must be an office's name as deskbird has it, on one line and without a reference"
            )
        return office.strip()


class Export(Settings):
    """What SCIM cannot carry and `hris-pipeline export-csv` writes for deskbird's import: roles and
    main offices.
    """

    roles: Annotated[tuple[Annotated[RoleRule, Field()], ...], Field(strict=False)] = Field(
        default=(), description="rules; the first that matches a person decides"
    )
    main_office: Annotated[tuple[Annotated[OfficeRule, Field()], ...], Field(strict=False)] = Field(
        default=(), description="rules; the first that matches a person decides"
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        wrong: list[tuple[KeyPath, str]] = []
        for name, other in (("roles", "main_office"), ("main_office", "roles")):
            choices = getattr(self, name)
            if getattr(self, other) and not choices:
                why = f"deskbird's import wants both columns filled, and {other} has rules"
                wrong.append(((name,), f"must hold a rule too: {why}"))
            for index, choice in enumerate(choices[:-1]):
                if choice.when is None:
                    wrong.append(
                        (
                            (name, index),
                            (
                                "is about everybody, so that no rule after it is ever reached: put "
                                "it last"
                            ),
                        )
                    )
        refuse(wrong)
        return self
