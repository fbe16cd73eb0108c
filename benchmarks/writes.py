"""Writes to deskbird: how much of a rate limit, or of what concurrency allows, is used; the journal
on disk included.

    python -m benchmarks.writes URL --writes 500 [--limit 50]

Half of the writes are changes of users, the others new users and additions to groups. The clock
runs from the first write to the last result.
"""

# ruff: noqa: E402 - the imports are timed

import time

STARTED = time.perf_counter()

import argparse
import tempfile
from collections import Counter
from pathlib import Path

import httpx

from benchmarks import tell
from hris_pipeline import clock
from hris_pipeline.contracts.writes import UserRef, Write
from hris_pipeline.deskbird.apply import carry_out
from hris_pipeline.deskbird.journal import Journal, pending, read
from hris_pipeline.deskbird.scim import Service

IMPORTED = time.perf_counter()

CONCURRENCY = 8
ROOT = Path(__file__).resolve().parents[1]


def write(number: int) -> Write:
    """One of the writes of a plan."""
    ref = f"personio:{number}"
    if number % 2:
        return Write(
            number,
            1,
            "update_user",
            ref,
            f"user-{number}",
            {"family_name": "New"},
            {"family_name": "Old"},
        )
    if number % 4:
        group = f"personio:team:{number}"
        return Write(
            number,
            1,
            "update_group",
            group,
            f"group-{number}",
            add=(UserRef(ref, f"user-{number}"),),
        )
    values = {
        "hris_ref": ref,
        "email": f"{number}@nordwind.example",
        "given_name": "A",
        "family_name": "B",
    }
    return Write(
        number, 1, "create_user", ref, None, {**values, "display_name": "A B", "active": True}
    )


def main() -> None:
    """Write; print what it cost."""
    parser = argparse.ArgumentParser(description="Write to a trivial deskbird.")
    parser.add_argument("url")
    parser.add_argument("--writes", type=int, required=True)
    parser.add_argument("--limit", type=float, help="requests a second")
    arguments = parser.parse_args()
    writes = [write(number) for number in range(1, arguments.writes + 1)]
    (ROOT / "data").mkdir(exist_ok=True)
    with (
        # on a disk, where fsync costs what it costs
        tempfile.TemporaryDirectory(dir=ROOT / "data") as place,
        Service(
            f"{arguments.url}/v2/scim",
            "token",
            requests_per_second=arguments.limit,
            concurrency=CONCURRENCY,
        ) as service,
    ):
        path = Path(place) / "bench.journal"
        started = time.perf_counter()
        with Journal(path) as journal:
            answers = carry_out(
                "benchmark",
                writes,
                service,
                journal,
                dialect="rfc",
                remembered={},
                ids={},
                stop=lambda: False,
                progress=lambda *_: None,
                now=clock.now,
            )
            outcomes = Counter(result.outcome for result in answers)
        seconds = time.perf_counter() - started
        entries = read(path)
        assert not pending(entries), "a write without an answer in the journal"
    statuses = httpx.get(f"{arguments.url}/told").json()
    tell(
        seconds,
        IMPORTED - STARTED,
        outcomes=outcomes,
        statuses=statuses,
        journalled=len(entries),
        flushes=journal.flushes,
    )


if __name__ == "__main__":
    main()
