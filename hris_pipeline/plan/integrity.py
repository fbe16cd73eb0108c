"""Whether what is stored of plans and decisions is what was planned and decided.

A plan is carried out, approved and undone only as it was made: its id and the digest of its rows
are worked out anew first. The digests are no signatures: they find what was altered by accident, or
by somebody who does not know of them.
"""

from pathlib import Path

import duckdb

from hris_pipeline.errors import PipelineError

_PLAN = (Path(__file__).parent / "plan_check.sql").read_text(encoding="utf-8")
SEALED = """digest is not distinct from
    approval_digest(
        plan_id, content, guards, decision, because, decided_by, decided_at, expires_at
    )"""
"""SQL: a row of ``state.approvals`` is as it was written."""


def latest(con: duckdb.DuckDBPyConnection) -> str:
    """The id of the plan that was made last; empty where there is none."""
    row = con.execute("select plan_id from state.plans order by number desc limit 1").fetchone()
    return str(row[0]) if row else ""


def require_unaltered(
    con: duckdb.DuckDBPyConnection, company: str, plan_id: str, nothing: str
) -> None:
    """:class:`PipelineError` where the plan's rows are not those that were planned; ``nothing``
    says what was not done.

    Says nothing of a plan that is not there.
    """
    found = con.execute(_PLAN, {"plan_id": plan_id, "company": company}).fetchone()
    if found is None:
        return
    is_so, altered, published = found
    if is_so and altered is None and published is None:
        return
    first = altered if altered is not None else published
    where = (
        f"The first altered row is seq {first}" if first is not None else "Which row cannot be told"
    )
    table = "state.plan_changes" if altered is not None or not is_so else "deskbird.changes"
    raise PipelineError(
        f"Plan {plan_id} of company '{company}' is not stored as it was made: {table} was altered. "
        f"{where}. {nothing} Find out who writes to {company}.duckdb, then make the plan anew "
        f"with `hris-pipeline sync {company} --dry-run`."
    )


def altered_decisions(con: duckdb.DuckDBPyConnection) -> int:
    """How many approvals and rejections are not as they were decided. While there is one, no
    approval is valid.
    """
    row = con.execute(f"select count(*) from state.approvals where not ({SEALED})").fetchone()
    return int(row[0]) if row else 0


def require_unaltered_decisions(con: duckdb.DuckDBPyConnection, company: str, nothing: str) -> None:
    """:class:`PipelineError` where a decision was altered after it was made."""
    if altered := altered_decisions(con):
        raise PipelineError(
            f"{altered} rows of state.approvals of company '{company}' were altered after the "
            f"decision, so that no approval is valid. {nothing} Find out who writes to "
            f"{company}.duckdb, then decide again with `hris-pipeline approve {company} PLAN_ID`: "
            "that takes back every earlier decision."
        )


def void_decisions(con: duckdb.DuckDBPyConnection) -> int:
    """Take back every decision where one of them was altered; return how many were altered. The
    rows stay, as ``void``.
    """
    altered = altered_decisions(con)
    if altered:
        con.execute(
            """update state.approvals set decision = 'void',
                   digest = approval_digest(
                       plan_id, content, guards, 'void', because, decided_by, decided_at, expires_at
                   )"""
        )
    return altered
