"""Whole nights of a company of 1,000 against the sandbox: how long one takes that has nothing to
do, and whether others write only what is needed.

    python -m benchmarks.idle [--people 1000] [--rounds 3]

For both generations of Personio's API: a first import, a day with some changes, then nights with
nothing to do, taking turns. Each night is one ``hris-pipeline sync`` process, measured from its
start to its end, imports included.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import tell

ROOT = Path(__file__).resolve().parents[1]
SYNC = Path(sys.executable).with_name("hris-pipeline")
APIS = ("v2", "v1")
COMPANY_FILE = """\
timezone: Europe/Berlin
schedule: null
hris:
  personio:
    system: personio
    base_url: {personio}
    client_id: {client_id}
    client_secret: {client_secret}
    options: {{api: {api}, requests_per_second: 100000}}
deskbird: {{scim_url: "{url}/v2/scim", scim_token: {token}, requests_per_second: 100000}}
"""


class Sandbox:
    """The stand-ins, in a process of their own."""

    def __init__(self, people: int) -> None:
        command = [sys.executable, "-m", "benchmarks.stand_in", "sandbox", "--people", str(people)]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.addresses = self.told()

    def told(self) -> dict[str, Any]:
        """The next line that it says."""
        assert self.process.stdout
        found: dict[str, Any] = json.loads(self.process.stdout.readline())
        return found

    def ask(self, order: str) -> dict[str, Any]:
        """Give an order; the answer."""
        assert self.process.stdin
        self.process.stdin.write(f"{order}\n")
        self.process.stdin.flush()
        return self.told()

    def end(self) -> None:
        """Stop it."""
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(30)


class Nights:
    """The nights of the two companies."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.sandbox = sandbox
        self.hour = 4
        variables = {
            "HRIS_PIPELINE_COMPANIES": str(folder),
            "HRIS_PIPELINE_DATA": str(folder),
            "NO_COLOR": "1",
        }
        self.environment = {**os.environ, **variables}
        self.writes = dict.fromkeys(APIS, 0)
        for api in APIS:
            told = {**sandbox.addresses, "url": sandbox.addresses["deskbird"][api], "api": api}
            (folder / f"bench_{api}.yaml").write_text(COMPANY_FILE.format(**told), encoding="utf-8")

    def sync(self, api: str) -> tuple[float, int]:
        """One night: its seconds, and the writes that reached deskbird. Nights that do not end in
        line end the benchmark.
        """
        moment = f"{self.sandbox.addresses['date']}T{self.hour:02}:30:00+01:00"
        command = [str(SYNC), "sync", f"bench_{api}", "--as-of", moment]
        started = time.perf_counter()
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )
        seconds = time.perf_counter() - started
        if done.returncode:
            raise SystemExit(
                f"hris-pipeline sync ended with {done.returncode}: {done.stderr[-2000:]}"
            )
        before, self.writes[api] = self.writes[api], self.sandbox.ask(f"writes {api}")["writes"]
        return seconds, self.writes[api] - before


def main() -> None:
    """All nights; print what they cost."""
    parser = argparse.ArgumentParser(description="Nights of a small company.")
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    started = time.perf_counter()
    sandbox = Sandbox(arguments.people)
    found: dict[str, dict[str, Any]] = {
        api: {"idle_seconds": [], "idle_writes": []} for api in APIS
    }
    try:
        with tempfile.TemporaryDirectory() as place:
            nights = Nights(sandbox, Path(place))
            for api in APIS:
                seconds, writes = nights.sync(api)
                found[api]["first"] = {
                    "seconds": round(seconds, 2),
                    "writes": writes,
                    "needed": sandbox.addresses["first_writes"],
                }
            needed = sandbox.ask("change")["needed"]
            nights.hour += 1
            for api in APIS:
                seconds, writes = nights.sync(api)
                found[api]["changed"] = {
                    "seconds": round(seconds, 2),
                    "writes": writes,
                    "needed": needed,
                }
            for _ in range(arguments.rounds):
                nights.hour += 1
                for api in APIS:
                    seconds, writes = nights.sync(api)
                    found[api]["idle_seconds"].append(round(seconds, 2))
                    found[api]["idle_writes"].append(writes)
    finally:
        sandbox.end()
    tell(time.perf_counter() - started, 0.0, nights=found)


if __name__ == "__main__":
    main()
