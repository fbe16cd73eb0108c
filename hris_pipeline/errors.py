"""Errors for people.

Every error that can end a run is a :class:`PipelineError`: one or two plain sentences that say what
happened, to what (a file, a system, an ``hris_ref``, never a name or an address), what was not done
because of it, and what to do next. Library exceptions carry values, so the edges catch them and
raise one of these ``from None``.
"""

from collections.abc import Sequence


class PipelineError(Exception):
    """Something a person must know; its text is safe to log, to show and to send."""


class SettingsError(PipelineError):
    """A company file that cannot be used: names the file, the key's path and what would be right.

    ``mistakes`` has each key's path and the sentence about it, where it is the keys that are wrong.
    """

    def __init__(self, text: str, *, mistakes: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(text)
        self.mistakes = tuple(mistakes)


class WarehouseError(PipelineError):
    """A DuckDB file that cannot be opened or written."""


class EdgeError(PipelineError):
    """Something that another system did.

    ``problem`` and ``remedy`` are what happened and what to do, without what was left undone: for
    `hris-pipeline doctor`.
    """

    def __init__(self, text: str, *, problem: str | None = None, remedy: str | None = None) -> None:
        super().__init__(text)
        self.problem = problem or text
        self.remedy = remedy


class HrisError(EdgeError):
    """An HR system that could not be read completely; nothing of the extract is used."""


class DeskbirdError(EdgeError):
    """A deskbird that could not be read completely or refused the credential."""


class ContractError(PipelineError):
    """A table that breaks its contract; the last good one is left in place."""


class BusyError(PipelineError):
    """Another run of the same company is under way."""


class DeadlineError(PipelineError):
    """A run that reached the company file's ``deadline`` and stopped between two records; the next
    one goes on.
    """
