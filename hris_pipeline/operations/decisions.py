"""What people decide about a company's writes: release or keep back what guards hold, stop every
write, go on.

The command line and the Dagster UI are two doors on these functions. Each returns what was done, in
sentences for whoever asked, or raises a :class:`~hris_pipeline.errors.PipelineError` with nothing
decided. Nothing is carried out here.
"""

import datetime as dt
from typing import Literal

from hris_pipeline import plan, settings
from hris_pipeline.errors import PipelineError
from hris_pipeline.operations import pause
from hris_pipeline.operations.warehouses import warehouse_of
from hris_pipeline.settings import Company
from hris_pipeline.wording import count

Decision = Literal["approve", "reject", "pause", "resume"]


def decide(
    company: Company,
    decision: Decision,
    *,
    plan_id: str | None = None,
    only: str | None = None,
    because: str | None = None,
    by: str,
    now: dt.datetime,
) -> list[str]:
    """Any of them. ``plan_id`` is for ``approve`` and ``reject``, ``only`` (a guard's name) for
    ``approve``.
    """
    given = {"plan_id": plan_id, "only": only}
    takes = {"approve": ("plan_id", "only"), "reject": ("plan_id",)}.get(decision, ())
    surplus = [name for name, value in given.items() if value is not None and name not in takes]
    if surplus:
        raise PipelineError(
            f"`{decision}` takes no {surplus[0]}. Nothing was decided. Leave it out."
        )
    if decision == "pause":
        return stop(company, because=because, by=by, now=now)
    if decision == "resume":
        return go_on(company)
    if not plan_id:
        raise PipelineError(
            f"`{decision}` needs the plan_id. Nothing was decided. `hris-pipeline status "
            f"{company.name}` and the metadata of {company.name}/deskbird/changes show it."
        )
    if decision == "approve":
        return approve(company, plan_id, only=only, because=because, by=by, now=now)
    return reject(company, plan_id, because=because, by=by, now=now)


def approve(
    company: Company,
    plan_id: str,
    *,
    only: str | None,
    because: str | None,
    by: str,
    now: dt.datetime,
) -> list[str]:
    """Release what guards hold back in the plan, for as many hours as the company file says."""
    hours, warehouse = company.approvals.expire_hours, warehouse_of(company)
    with warehouse.write(tuple(company.hris)) as con:
        plan.require_unaltered(con, company.name, plan_id, "Nothing was approved.")
        taken_back = _taken_back(plan.void_decisions(con))
        done = plan.approve(con, plan_id, only=only, because=because, by=by, now=now, hours=hours)
    said = (
        f"{count(done, 'change')} released for {count(hours, 'hour')}."
        if done
        else "All of that is released already."
    )
    return [
        *taken_back,
        said,
        (
            f"Carry it out: hris-pipeline apply {company.name} --plan {plan_id}   or wait for the "
            "next night."
        ),
    ]


def reject(
    company: Company, plan_id: str, *, because: str | None, by: str, now: dt.datetime
) -> list[str]:
    """Keep what guards hold back in the plan held back."""
    hours, warehouse = company.approvals.expire_hours, warehouse_of(company)
    with warehouse.write(tuple(company.hris)) as con:
        plan.require_unaltered(con, company.name, plan_id, "Nothing was rejected.")
        taken_back = _taken_back(plan.void_decisions(con))
        done = plan.reject(con, plan_id, because=because, by=by, now=now, hours=hours)
    return [
        *taken_back,
        f"{count(done, 'change')} kept back." if done else "All of that is kept back already.",
    ]


def _taken_back(altered: int) -> list[str]:
    """What is said where earlier decisions were altered in the warehouse."""
    what = (
        f"{count(altered, 'earlier decision')} had been altered in the warehouse, so every earlier "
        "decision is taken back."
    )
    return [what, "What is still meant must be decided again."] if altered else []


def stop(company: Company, *, because: str | None, by: str, now: dt.datetime) -> list[str]:
    """Pause the company."""
    made, new = pause.begin(settings.data_folder(), company.name, by=by, because=because, now=now)
    if not new:
        sentence = made.sentence(
            company.name, company.timezone, nothing="nothing is written to deskbird"
        )
        return [f"{company.name} is {sentence}. That stays as it is."]
    return [
        (
            f"{company.name} is paused: nothing is written to deskbird by any way, and a run that "
            "is writing ends within one record."
        ),
        f"Nights still read and plan. End it: hris-pipeline resume {company.name}",
    ]


def go_on(company: Company) -> list[str]:
    """End the company's pause."""
    was = pause.end(settings.data_folder(), company.name)
    if was is None:
        return [f"{company.name} is not paused. Nothing was changed."]
    return [
        (
            f"{company.name} is paused no more. The next night writes; now: hris-pipeline sync "
            f"{company.name}"
        )
    ]
