"""The clock: one function, so that the demo, the tests and a question about yesterday can set
it.
"""

import datetime as dt
import os

from hris_pipeline.errors import SettingsError

VARIABLE = "HRIS_PIPELINE_NOW"


def parse(text: str) -> dt.datetime:
    """Read an ISO timestamp; without a zone it means UTC. A :class:`SettingsError` says what would
    be right.
    """
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise SettingsError(
            f"{text!r} is not a timestamp. Write it like 2026-03-02T04:30:00+01:00."
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def now() -> dt.datetime:
    """The present moment, in UTC: the system's, or what the environment variable
    ``HRIS_PIPELINE_NOW`` says.
    """
    text = os.environ.get(VARIABLE)  # noqa: TID251 - the one place that may
    if text:
        return parse(text).astimezone(dt.UTC)
    return dt.datetime.now(dt.UTC)  # noqa: TID251 - the one place that may
