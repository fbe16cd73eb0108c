"""``python -m hris_pipeline.orchestration.reap``: what to run before Dagster's daemon starts."""

import sys

from hris_pipeline.errors import PipelineError
from hris_pipeline.orchestration import runs


def main() -> int:
    """Prepare the instance and end what a crash left in flight; 0, or 1 and a sentence."""
    try:
        reaped = runs.reap()
    except PipelineError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    if reaped:
        sys.stdout.write(
            f"Runs that an earlier crash left in flight, now failed: {', '.join(reaped)}\n"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
