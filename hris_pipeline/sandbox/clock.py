"""The demo's clock: the sample company lives in its own days, and the UI and the command line share
the moment.

Only where the demo is the only company: one that is real needs the real clock.
"""

import datetime as dt
import os
from pathlib import Path

from hris_pipeline import clock, settings

COMPANY = "demo"


def keep(data: Path, moment: dt.datetime) -> None:
    """Write down the moment that the demo has come to."""
    _file(data).write_text(moment.isoformat(), encoding="ascii")


def kept() -> str | None:
    """That moment; None where it is not to be used, because it is unknown, or set already, or there
    is another company.
    """
    if os.environ.get(clock.VARIABLE) or settings.company_names() != (COMPANY,):  # noqa: TID251 - the demo's own
        return None
    file = _file(settings.data_folder())
    return file.read_text(encoding="ascii").strip() if file.exists() else None


def use() -> None:
    """Let this process take it for the present."""
    if moment := kept():
        os.environ[clock.VARIABLE] = moment  # noqa: TID251 - the demo's own


def _file(data: Path) -> Path:
    return data / f"{COMPANY}.now"
