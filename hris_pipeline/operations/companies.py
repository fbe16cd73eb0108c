"""Companies as this installation knows them: their files, and the HR systems that are installed.

:mod:`hris_pipeline.settings` knows no HR system and :mod:`hris_pipeline.hris` no company file; here
they meet. Each function raises :class:`~hris_pipeline.errors.SettingsError` with one line for each
mistake.
"""

from collections.abc import Mapping
from pathlib import Path

from hris_pipeline import settings
from hris_pipeline.hris.registry import SYSTEMS
from hris_pipeline.settings import Company


def load(name: str, folder: Path | None = None) -> Company:
    """The company of one file; references to the environment stay as they are."""
    return settings.load(name, SYSTEMS, folder)


def load_to_run(name: str) -> Company:
    """The same for a command that is about to run: a variable that is not set is a mistake too."""
    return settings.load_to_run(name, SYSTEMS)


def check(name: str, text: str, file: str) -> Company:
    """The company that a file's text describes; ``file`` is what mistakes call it."""
    return settings.check(name, text, file, SYSTEMS)


def resolve(
    company: Company,
    environment: Mapping[str, str] | None = None,
    *,
    stand_in: str | None = None,
) -> Company:
    """The company with the environment's values in, for the start of a run.

    With a ``stand_in`` that takes the place of what is missing.
    """
    return settings.resolve(company, SYSTEMS, environment, stand_in=stand_in)
