"""The denominator: parse every saved page with orjson and do nothing else.

python -m benchmarks.parse data/benchmark/100000
"""

# ruff: noqa: E402 - the imports are timed

import time

STARTED = time.perf_counter()

import sys
from pathlib import Path

import orjson

from benchmarks import tell

IMPORTED = time.perf_counter()


def main(folder: Path) -> None:
    """Parse; print what it cost."""
    started = time.perf_counter()
    with (folder / "pages.jsonl").open("rb", buffering=1 << 20) as file:
        for line in file:
            orjson.loads(line)
    tell(time.perf_counter() - started, IMPORTED - STARTED)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
