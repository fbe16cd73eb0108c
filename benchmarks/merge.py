"""10,000 people through Merge under the professional plan's limit, against the stand-in, which
refuses whoever exceeds it.

    python -m benchmarks.merge --people 10000

The pages are asked for one after another, each for its cursor, so that the limit alone decides.
"""

# ruff: noqa: E402 - the imports are timed

import time

STARTED = time.perf_counter()

import argparse
import tempfile
from pathlib import Path

from benchmarks import tell
from hris_pipeline.hris.systems.merge import LIMITS, SYSTEM
from hris_pipeline.sandbox.company import generate
from hris_pipeline.sandbox.faults import Faults
from hris_pipeline.sandbox.hris.merge import ACCOUNT_TOKEN, API_KEY, merge_app
from hris_pipeline.sandbox.server import serve

IMPORTED = time.perf_counter()
PLAN = "professional"


def main(people: int) -> None:
    """One read; print how long it took, and how long the limit alone would have."""
    faults = Faults()
    with (
        serve(merge_app(generate(people), faults=faults, plan=PLAN)) as server,
        tempfile.TemporaryDirectory() as folder,
    ):
        connection = SYSTEM.connect(
            "merge",
            base_url=f"{server.url}/api",
            credentials={"api_key": API_KEY, "account_token": ACCOUNT_TOKEN},
            options=SYSTEM.options(plan=PLAN),
            kinds=("team", "department", "cost_center"),
        )
        next(connection.probes())  # the stand-in makes its rows with the first request
        faults.forget()
        began = time.perf_counter()
        employees, _ = connection.read(Path(folder), lambda *_: None)
        seconds = time.perf_counter() - began
    asked = faults.requests("*")
    tell(
        seconds,
        IMPORTED - STARTED,
        people=employees.records,
        proof=employees.proof,
        requests=len(asked),
        refused=sum(request.status == 429 for request in asked),
        allowed=len(asked) / LIMITS[PLAN] * 60,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=10_000)
    main(parser.parse_args().people)
