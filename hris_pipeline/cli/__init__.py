"""The command line, ``hris-pipeline``: a thin door on the same runs that the Dagster UI shows.

Exit codes: 0 in line; 1 an error, a failed write, a stale plan, no plan, a mistake in the command;
2 changes are pending; 3 a guard has blocked something. Errors are one sentence on standard error.
"""

from hris_pipeline.cli.door import main, run

__all__ = ["main", "run"]
