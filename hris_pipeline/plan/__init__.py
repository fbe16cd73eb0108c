"""The plan: desired against observed, as ordered changes with a verdict each; how it is carried out, and what became of it."""

from hris_pipeline.plan import drift
from hris_pipeline.plan.approvals import approve, reject
from hris_pipeline.plan.execution import Applied, Night, Prepared, close_night, finish, fold_journal, prepare
from hris_pipeline.plan.guards import GuardVerdict
from hris_pipeline.plan.integrity import latest, require_unaltered, require_unaltered_decisions, void_decisions
from hris_pipeline.plan.planning import PlanRules, PlanSummary, build, guard_verdicts, require_undoable, rows

__all__ = [
    "Applied", "GuardVerdict", "Night", "PlanRules", "PlanSummary", "Prepared",
    "approve", "build", "close_night", "drift", "finish", "fold_journal", "guard_verdicts", "latest", "prepare", "reject",
    "require_unaltered", "require_unaltered_decisions", "require_undoable", "rows", "void_decisions",
]  # fmt: skip
