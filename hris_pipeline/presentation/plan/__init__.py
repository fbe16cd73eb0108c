"""The plan, and what became of it, for people: destructive changes first, what a guard holds back
with the guard's own numbers.

:func:`show` prints it on a terminal; :func:`markdown` and :func:`as_json` make documents of it.
"""

from hris_pipeline.presentation.plan.documents import as_json, markdown
from hris_pipeline.presentation.plan.terminal import show

__all__ = ["as_json", "markdown", "show"]
