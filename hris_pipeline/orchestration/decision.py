"""The job by which people decide from the Dagster UI: approve, reject, pause, resume, by a form
instead of a command.
"""

from typing import Any

import dagster as dg

from hris_pipeline import clock
from hris_pipeline.operations import decisions
from hris_pipeline.orchestration.internals import USER_TAG
from hris_pipeline.orchestration.step import as_failure
from hris_pipeline.settings import Company

SOMEBODY = "the Dagster UI"
"""Who decided, where Dagster does not know."""


def decision_job(company: str) -> str:
    """The name of the job with the form."""
    return f"{company}_decision"


def _words(name: str, what: str) -> dg.Field:
    return dg.Field(
        dg.Noneable(str), default_value=None, is_required=False, description=f"{what} ({name})"
    )


def decisions_of(company: Company, tags: dict[str, str]) -> dg.JobDefinition:
    """``<company>_decision``. It is in no pool, so that a pause does not wait for the run that it
    is to stop.
    """
    words = dg.Enum(
        "decision",
        [
            dg.EnumValue("approve", description="release what guards hold back in the plan"),
            dg.EnumValue("reject", description="keep that held back"),
            dg.EnumValue("pause", description="stop every write to deskbird at once"),
            dg.EnumValue("resume", description="end the pause"),
        ],
    )
    form = {
        "decision": dg.Field(words, description="what is decided"),
        "plan_id": _words(
            "approve, reject", "the plan, as the metadata of deskbird/changes shows it"
        ),
        "only": _words("approve", "a guard: release what this one holds back, nothing else"),
        "because": _words("approve, reject, pause", "why; kept with the decision"),
    }

    op_name = f"{company.name}__decide"

    @dg.op(
        name=op_name,
        config_schema=form,
        description="Writes the decision down.",
        out=dg.Out(dg.Nothing),
    )
    def decide(context: dg.OpExecutionContext) -> None:
        with as_failure():
            given: dict[str, Any] = dict(context.op_config)
            by = context.run.tags.get(USER_TAG) or SOMEBODY
            for sentence in decisions.decide(
                company, given.pop("decision"), **given, by=by, now=clock.now()
            ):
                context.log.info(sentence)

    @dg.config_mapping(config_schema=form)
    def fields(given: dict[str, Any]) -> dict[str, Any]:
        return {"ops": {op_name: {"config": given}}}

    @dg.job(
        name=decision_job(company.name),
        tags=tags,
        config=fields,
        description=(
            f"Decides about {company.name}. In the launchpad write `decision: approve` (or "
            "`reject`, `pause`, `resume`) and, to approve or reject, `plan_id:` with the plan "
            "that the metadata of deskbird/changes shows; `only:` a guard and `because:` a "
            "reason if you like; then launch. A decision that cannot be made fails the run and "
            "says why. Nothing is carried out by it: what was approved goes with the next night "
            f"that plans the same, or at once with {company.name}_apply and the plan_id."
        ),
    )
    def decision() -> None:
        decide()

    return decision
