"""The section ``sync.absences``: absences as scheduling statuses."""

from typing import Annotated

from pydantic import Field, field_validator

from hris_pipeline.settings.base import Settings
from hris_pipeline.settings.mistakes import mistake
from hris_pipeline.settings.values import Count


class Absences(Settings):
    """Absences as scheduling statuses."""

    enabled: bool = Field(default=False, description="carry absences over")
    types: Annotated[dict[str, str], Field(strict=False)] = Field(
        default={}, description="absence type in the HR system: status in deskbird"
    )
    past_days: Count = Field(default=90, description="days back that are kept in line")
    half_days: bool = Field(default=True, description="carry half days over as such")

    @field_validator("enabled")
    @classmethod
    def _not_yet(cls, enabled: bool) -> bool:
        if enabled:
            raise mistake("must be false, because absences are not carried over yet")
        return enabled
