"""The company file's small rule language: who is meant, by mapped attributes and dates.

A rule is a mapping such as ``{department: [Sales, "Customer *"], location: Berlin}``: all keys must
hold, a list means any of these. :func:`parse` turns it into a :class:`Rule` or says what is wrong
with it, :func:`judge` asks a whole table at once.

What an HR system did not deliver is unknown, which is neither true nor false (Kleene's logic, as
SQL has it): a rule that hangs on it decides nothing.
"""

from hris_pipeline.rules.language import Rule, Vocabulary, parse
from hris_pipeline.rules.predicates import judge
from hris_pipeline.rules.scope import Scope, ScopeCounts

__all__ = ["Rule", "Scope", "ScopeCounts", "Vocabulary", "judge", "parse"]
