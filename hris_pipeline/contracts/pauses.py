"""A pause: what stops every way of writing to a company's deskbird."""

import datetime as dt
import zoneinfo

import msgspec


class Pause(msgspec.Struct, frozen=True):
    """Who has stopped the writing, when (ISO, UTC), and why."""

    by: str
    since: str
    because: str | None = None

    @property
    def at(self) -> dt.datetime:
        """When it began."""
        return dt.datetime.fromisoformat(self.since)

    def sentence(self, company: str, timezone: str, *, nothing: str = "nothing was written") -> str:
        """``paused since ... by ...``, what that meant, and how it is ended; without the reason,
        which may name people.
        """
        began = self.at.astimezone(zoneinfo.ZoneInfo(timezone)).strftime("%Y-%m-%d %H:%M")
        return (
            f"paused since {began} by {self.by}; {nothing}; `hris-pipeline resume {company}` "
            "ends it"
        )
