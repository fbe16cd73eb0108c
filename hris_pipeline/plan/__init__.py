"""The plan: desired against observed, as ordered changes with a verdict each; how it is carried
out, and what became of it.
"""

from hris_pipeline.plan import damage, drift
from hris_pipeline.plan.approvals import approve, reject
from hris_pipeline.plan.execution import (
    Applied,
    Night,
    Prepared,
    close_night,
    finish,
    fold_journal,
    prepare,
)
from hris_pipeline.plan.integrity import (
    latest,
    require_unaltered,
    require_unaltered_decisions,
    void_decisions,
)
from hris_pipeline.plan.planning import (
    PlanParameters,
    PlanSummary,
    build,
    guard_verdicts,
    require_undoable,
    rows,
)
from hris_pipeline.plan.sentences import GuardVerdict, sentence

__all__ = [
    "Applied", "GuardVerdict", "Night", "PlanParameters", "PlanSummary", "Prepared",
    "approve", "build", "close_night", "damage", "drift", "finish", "fold_journal",
    "guard_verdicts", "latest", "prepare",
    "reject", "require_unaltered", "require_unaltered_decisions", "require_undoable", "rows",
    "sentence", "void_decisions",
]  # fmt: skip
