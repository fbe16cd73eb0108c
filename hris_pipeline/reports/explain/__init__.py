"""One person end to end: what the HR system says, which user that is and why, what is wanted, what
is there, what was done.

:func:`read` works it out from the warehouse without a request and without writing a thing. What
differs and what is planned it asks the planner itself, on temporary tables, so that the explanation
never contradicts the plan.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import duckdb

from hris_pipeline.plan import PlanParameters
from hris_pipeline.reports import plan as plans
from hris_pipeline.reports import review as reviews
from hris_pipeline.reports.explain import known
from hris_pipeline.reports.explain.compared import Compared, Comparison
from hris_pipeline.reports.explain.subject import find, matched_user, stage_records, work_out
from hris_pipeline.reports.queries import Row, first


@dataclass(frozen=True, repr=False)
class Explanation:
    """Everything that is known about one person. Holds personal data, so it has no ``repr``."""

    company: str
    now: dt.datetime
    timezone: str
    live: bool  # worked out now; else, because something was never read, as of the last plan
    refs: Sequence[str]  # all the person's records, the primary one first
    person_id: str | None
    deskbird_id: str | None
    records: Sequence[Row]
    person: Row | None
    quarantine: Sequence[Row]
    contradictions: Sequence[Row]
    match: Row | None
    review: Sequence[reviews.Waiting]
    compared: Sequence[Compared]
    changes: Sequence[plans.Change]
    plan_ids: Mapping[int, str | None]  # of each change: the plan it is in
    missing: Row | None
    decisions: Sequence[Row]
    requests: Sequence[Row]
    history: Sequence[Row]
    # when this pipeline made, deactivated or reactivated the user; the latest first
    turns: Sequence[Row]

    @property
    def user(self) -> Row | None:
        """The user in deskbird, as of its last read."""
        return self.match and self.match["user"]


def read(
    con: duckdb.DuckDBPyConnection,
    company: str,
    asked: str,
    rules: PlanParameters,
    now: dt.datetime,
    *,
    timezone: str,
) -> Explanation:
    """Everything about the person with this e-mail, hris_ref or deskbird id, on a read-only
    connection.

    :class:`~hris_pipeline.errors.PipelineError`, which does not repeat what was asked, where there
    is nobody or more than one.
    """
    live = work_out(con, rules, now)
    stage_records(con, rules.connections)
    subject = find(con, company, asked.strip(), live=live)
    match = matched_user(con, subject, live=live)
    if match:
        subject = replace(subject, ids=tuple(dict.fromkeys((match["deskbird_id"], *subject.ids))))
    user_id = (
        match["deskbird_id"]
        if match
        else subject.ids[0]
        if len(subject.ids) == 1 and not subject.refs
        else None
    )
    person = first(con, "from core.people where person_id = ?", [subject.person_id])
    user = first(con, "from deskbird.users where deskbird_id = ?", [user_id])
    changes, plan_ids = known.changes(con, company, subject, now, live=live)
    review = known.review(con, subject, live=live)
    taken = any(one.rule == "email_is_taken" for one in review)
    vanished = "missing_people" if live else "state.missing"
    missing = first(con, f"from {vanished} where list_contains(?, hris_ref)", [list(subject.refs)])
    needed = {"reads_needed": rules.missing_reads, "hours_needed": rules.missing_hours}
    return Explanation(
        company=company,
        now=now,
        timezone=timezone,
        live=live,
        refs=subject.refs,
        person_id=subject.person_id,
        deskbird_id=user_id,
        records=known.records(con, rules.connections, subject),
        person=person,
        quarantine=known.quarantine(con, subject, person),
        contradictions=known.contradictions(con, subject),
        match={**(match or {}), "user": known.shown(user)} if match or user else None,
        review=review,
        compared=Comparison(con, person, user, changes, address_is_taken=taken, live=live).rows(),
        changes=changes,
        plan_ids=plan_ids,
        missing=missing and {**missing, **needed},
        decisions=known.decisions(con, subject),
        requests=known.requests(con, subject),
        history=known.history(con, subject),
        turns=known.turns(con, subject),
    )
