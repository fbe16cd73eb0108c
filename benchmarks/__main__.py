"""Runs the benchmarks and prints a table: ``python -m benchmarks --help``."""

import argparse
import contextlib
import datetime as dt
import json
import os
import platform
import re
import shlex
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import generate_merge

ROOT = Path(__file__).resolve().parents[1]
README = Path(__file__).with_name("README.md")
DATA = ROOT / "data" / "benchmark"
SMALL, LARGE = 100_000, 1_000_000
LIMIT, LATENCY, CONCURRENCY = 50, 0.02, 8
PLANNING = "deskbird__changes"
# validation, graph and comparison
JUDGED = ("core__people", "core__groups", "core__manager_graph", PLANNING)
MARKS = "<!-- table -->", "<!-- end of table -->"

Told = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """One line of the table; ``met`` None: there is no goal."""

    name: str
    what: str
    goal: str
    measured: str
    met: bool | None = None

    def cells(self) -> tuple[str, ...]:
        """As the table shows it."""
        return (
            self.name,
            self.what,
            self.goal,
            self.measured,
            {True: "yes", False: "**no**", None: ""}[self.met],
        )


@dataclass
class Bench:
    """What the benchmarks share."""

    people: int | None
    rounds: int
    peer: Path | None
    notes: list[str] = field(default_factory=list)

    def run(self, command: Sequence[object]) -> Told:
        """Run one variant in its own process; what it told on its last line."""
        words = [str(word) for word in command]
        say(shlex.join(words[1:]))
        done = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"It ended with {done.returncode}; see above.")
        last = done.stdout.strip().splitlines()[-1]
        say(f"  {last}")
        told: Told = json.loads(last)
        return told

    def module(self, name: str, *arguments: object) -> Told:
        """Run one of our own variants."""
        return self.run([sys.executable, "-m", f"benchmarks.{name}", *arguments])

    def data(self, people: int) -> Path:
        """The generated company of this size, in the page cache; made where it is not there yet."""
        folder = DATA / str(people)
        if not (folder / "about.json").exists():
            say(f"making a company of {people:,} in {folder.relative_to(ROOT)}")
            command = [
                sys.executable,
                "benchmarks/generate.py",
                "--people",
                str(people),
                "--out",
                str(folder),
            ]
            subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
        warm(folder.iterdir())
        return folder

    def merge_data(self, people: int) -> Path:
        """The same, with the pages that Merge gives of it."""
        folder = self.data(people)
        if not all((folder / name).exists() for name in generate_merge.FILES):
            say(f"making Merge's pages of it in {folder.relative_to(ROOT)}")
            generate_merge.generate(folder)
            warm(folder / name for name in generate_merge.FILES)
        return folder


def warm(paths: Iterable[Path]) -> None:
    """Read files into the page cache."""
    for path in filter(Path.is_file, paths):
        with path.open("rb", buffering=0) as file:
            while file.read(1 << 24):
                pass


def say(line: str) -> None:
    """Progress, on standard error."""
    print(line, file=sys.stderr, flush=True)


def median(values: Sequence[float]) -> float:
    """The median."""
    return statistics.median(values)


def spread(values: Sequence[float], form: str) -> str:
    """Median, and the range where there is one."""
    text = format(median(values), form)
    return text if len(values) == 1 else f"{text} ({min(values):{form}}-{max(values):{form}})"


def same(rounds: Sequence[Told], keys: Sequence[str]) -> bool:
    """Whether all rounds came to the same result."""
    return len({json.dumps([told[key] for key in keys], sort_keys=True) for told in rounds}) == 1


def night(bench: Bench) -> Iterator[Row]:
    """Saved pages to plan, against parsing alone."""
    sizes = [bench.people] if bench.people else [SMALL, LARGE]
    folders = {people: bench.data(people) for people in sizes}
    nights: dict[int, list[Told]] = {people: [] for people in sizes}
    ratios: dict[int, list[float]] = {people: [] for people in sizes}
    for _ in range(bench.rounds):
        for people, folder in folders.items():
            parsed = bench.module("parse", folder)
            planned = bench.module("night", folder)
            nights[people].append(planned)
            ratios[people].append(planned["seconds"] / parsed["seconds"])
    for people, rounds in nights.items():
        name = f"night, {people:,} people"
        if not same(rounds, ("plan_id", "changes", "quarantined", "by_kind")):
            raise SystemExit(f"{name}: the rounds came to different plans.")
        large = people >= LARGE
        ratio, seconds = ratios[people], [told["seconds"] for told in rounds]
        peak = max(told["peak_mb"] for told in rounds)
        shares = [
            100 * sum(told["stages"].get(stage, 0) for stage in JUDGED) / told["seconds"]
            for told in rounds
        ]
        goal = "at most 2.0" if large else ""
        yield Row(
            name,
            "time / orjson parsing the same pages",
            goal,
            spread(ratio, ".2f"),
            median(ratio) <= 2 if large else None,
        )
        yield Row(name, "seconds", "", spread(seconds, ".1f"))
        yield Row(
            name,
            "peak memory, MB",
            "at most 1,500" if large else "",
            f"{peak:,}",
            peak <= 1500 if large else None,
        )
        yield Row(
            name,
            "validation, graph and comparison, % of the time",
            "at most 40" if large else "",
            spread(shares, ".0f"),
            median(shares) <= 40 if large else None,
        )
        planning = [told["stages"][PLANNING] for told in rounds]
        of_all = [
            100 * spent / told["seconds"] for spent, told in zip(planning, rounds, strict=True)
        ]
        of_joins = [told["planning"] / told["joins"] for told in rounds]  # both by themselves
        yield Row(
            name, "matching and planning, % of the time", "" if large else "at most 25",
            spread(of_all, ".0f"),
            None if large else median(of_all) <= 25,
        )  # fmt: skip
        yield Row(
            name, "time of matching and planning / of plain full joins",
            "" if large else "at most 5", spread(of_joins, ".1f"),
            None if large else median(of_joins) <= 5,
        )  # fmt: skip
        stages = {
            stage: median([told["stages"][stage] for told in rounds])
            for stage in rounds[0]["stages"]
        }
        told = rounds[0]
        bench.notes.append(
            f"{name}: "
            f"{', '.join(f'{stage} {seconds:.1f} s' for stage, seconds in stages.items())}; "
            f"{told['quarantined']:,} held back, {told['changes']:,} changes planned, plan "
            f"`{told['plan_id']}` in every round."
        )
    if len(sizes) > 1:
        growth = [
            large["seconds"] / small["seconds"]
            for small, large in zip(nights[SMALL], nights[LARGE], strict=True)
        ]
        yield Row(
            "night",
            "time of 1,000,000 people / of 100,000",
            "at most 12",
            spread(growth, ".1f"),
            median(growth) <= 12,
        )


def peer(bench: Bench) -> Iterator[Row]:
    """The same work as plain dlt and pandas; its reading of what deskbird holds is not counted, as
    ours is not.
    """
    people = bench.people or SMALL
    name = f"peer, {people:,} people"
    if bench.peer is None:
        yield Row(
            name, "time of dlt + pandas / ours", "at least 4", "not run: --peer-python is missing"
        )
        return
    folder = bench.data(people)
    ratios, peaks, seconds, changes = [], [], [], set()
    for _ in range(bench.rounds):
        theirs = bench.run([bench.peer, "benchmarks/peers/dlt_pandas.py", folder])
        ours = bench.module("night", folder)
        counted = theirs["seconds"] - theirs["stages"]["deskbird"]
        seconds.append(counted)
        ratios.append(counted / ours["seconds"])
        peaks.append(theirs["peak_mb"] / ours["peak_mb"])
        changes.add((theirs["changes"], ours["changes"]))
    yield Row(
        name,
        "time of dlt + pandas / ours",
        "at least 4",
        spread(ratios, ".1f"),
        median(ratios) >= 4,
    )
    yield Row(name, "peak memory of dlt + pandas / ours", "", spread(peaks, ".1f"))
    bench.notes.append(
        f"{name}: dlt + pandas took {spread(seconds, '.1f')} s and planned "
        f"{', '.join(f'{theirs:,} changes (ours {ours:,})' for theirs, ours in sorted(changes))}."
    )


def idle(bench: Bench) -> Iterator[Row]:
    """Whole nights against the sandbox: with nothing to do, and with something."""
    people = min(bench.people or 1000, 1000)
    told = bench.module("idle", "--people", people, "--rounds", bench.rounds)
    for api, found in told["nights"].items():
        name = f"idle, {people:,} people, Personio {api}"
        seconds, writes = found["idle_seconds"], found["idle_writes"]
        yield Row(
            name,
            "`hris-pipeline sync` with nothing to do, seconds",
            "below 10",
            spread(seconds, ".1f"),
            max(seconds) < 10,
        )
        yield Row(name, "writes with nothing to do", "0", str(max(writes)), not any(writes))
        for which, what in (("first", "first import"), ("changed", "a day with some changes")):
            one = found[which]
            exact = one["writes"] == one["needed"]
            yield Row(
                name, f"writes: {what}", f"{one['needed']:,} needed", f"{one['writes']:,}", exact
            )
            bench.notes.append(f"{name}, {what}: {one['seconds']:.1f} s.")


@contextlib.contextmanager
def trivial(*options: object) -> Iterator[str]:
    """A trivial deskbird in a process of its own; its address."""
    command = [sys.executable, "-m", "benchmarks.stand_in", "trivial", *map(str, options)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        yield json.loads(process.stdout.readline())["url"]
        process.stdin.close()


def writes(
    bench: Bench,
    name: str,
    number: int,
    ideal: float,
    goal: float,
    served: Sequence[object],
    *options: object,
) -> Iterator[Row]:
    """Writes to a trivial deskbird, as a share of ``ideal`` a second."""
    shares, refused, issued = [], 0, set()
    for _ in range(bench.rounds):
        with trivial(*served) as url:
            told = bench.module("writes", url, "--writes", number, *options)
        shares.append(told["outcomes"].get("applied", 0) / told["seconds"] / ideal)
        refused += told["statuses"].get("429", 0)
        issued.add(sum(told["statuses"].values()))
    yield Row(
        name,
        f"share of {ideal:g} writes a second",
        f"at least {goal}",
        spread(shares, ".2f"),
        median(shares) >= goal,
    )
    yield Row(name, "answers 429", "0", str(refused), refused == 0)
    yield Row(
        name,
        "writes issued",
        f"{number:,} needed",
        ", ".join(f"{count:,}" for count in sorted(issued)),
        issued == {number},
    )


def rate(bench: Bench) -> Iterator[Row]:
    """Under a limit of 50 requests a second (bucket of ten), at 20 ms latency."""
    served = ("--latency", LATENCY, "--rate", LIMIT)
    yield from writes(
        bench, f"rate, limit of {LIMIT} a second", 500, LIMIT, 0.95, served, "--limit", LIMIT
    )


def latency(bench: Bench) -> Iterator[Row]:
    """Without a limit, at 20 ms latency, eight at once."""
    ideal = CONCURRENCY / LATENCY
    yield from writes(
        bench,
        f"latency, {LATENCY * 1000:g} ms, {CONCURRENCY} at once",
        2000,
        ideal,
        0.6,
        ("--latency", LATENCY),
    )


def through_merge(bench: Bench) -> Iterator[Row]:
    """Saved pages of Merge's to plan, against Personio's of the same people."""
    people = bench.people or LARGE
    folder = bench.merge_data(people)
    name = f"night through Merge, {people:,} people"
    ratios, peaks, rounds = [], [], []
    for _ in range(bench.rounds):
        of_personio, of_merge = (
            bench.module("night", folder),
            bench.module("night", folder, "--through", "merge"),
        )
        ratios.append(of_merge["seconds"] / of_personio["seconds"])
        peaks.append(of_merge["peak_mb"])
        rounds += [of_personio, of_merge]
    if not same(rounds, ("plan_id", "changes", "quarantined", "by_kind")):
        raise SystemExit(f"{name}: Personio's pages and Merge's came to different plans.")
    yield Row(
        name,
        "time / through Personio v1",
        "at most 1.0",
        spread(ratios, ".2f"),
        median(ratios) <= 1,
    )
    yield Row(name, "peak memory, MB", "at most 1,500", f"{max(peaks):,}", max(peaks) <= 1500)
    bench.notes.append(
        f"{name}: the same plan `{rounds[0]['plan_id']}` as through Personio in every round."
    )


def merge(bench: Bench) -> Iterator[Row]:
    """Reading through Merge under the professional plan's limit."""
    people = min(bench.people or 10_000, 10_000)
    rounds = [bench.module("merge", "--people", people) for _ in range(bench.rounds)]
    ratios = [told["seconds"] / told["allowed"] for told in rounds]
    name = f"merge, {people:,} people, 400 requests a minute"
    yield Row(
        name,
        "time / what the limit allows",
        "at most 1.1",
        spread(ratios, ".2f"),
        median(ratios) <= 1.1,
    )
    refused = [told["refused"] for told in rounds]
    yield Row(name, "answers 429", "0", str(max(refused)), not any(refused))
    bench.notes.append(
        f"{name}: {rounds[0]['requests']} requests in {rounds[0]['seconds']:.1f} s, "
        f"{rounds[0]['proof']}."
    )


BENCHMARKS: dict[str, Callable[[Bench], Iterator[Row]]] = {
    "night": night,
    "peer": peer,
    "idle": idle,
    "rate": rate,
    "latency": latency,
    "through_merge": through_merge,
    "merge": merge,
}


def table(rows: Sequence[Row], *, markdown: bool) -> str:
    """The rows, aligned."""
    head = ("benchmark", "what", "goal", "measured", "met")
    lines = [head, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    aligned = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
    if not markdown:
        return "\n".join(aligned)
    return "\n".join(
        f"| {' | '.join(line)} |"
        for line in (head, ("---", "---", "---", "--:", "---"), *lines[1:])
    )


def machine() -> str:
    """What it ran on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}, Python "
        f"{platform.python_version()}"
    )


def put(command: str, rows: Sequence[Row], notes: Sequence[str]) -> None:
    """Put the table into the README, between its marks."""
    date = dt.datetime.now(dt.UTC).date().isoformat()
    made = f"Made by `{command}` on {date} ({machine()})."
    text = "\n\n".join([made, table(rows, markdown=True), "\n".join(f"* {note}" for note in notes)])
    begin, end = MARKS
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    readme = README.read_text(encoding="utf-8")
    README.write_text(pattern.sub(lambda _: f"{begin}\n{text}\n{end}", readme), encoding="utf-8")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="What the pipeline costs; see benchmarks/README.md.",
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"{', '.join(BENCHMARKS)}; all by default"
    )
    parser.add_argument(
        "--people", type=int, help="size of the company; by default each benchmark's own"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--peer-python",
        type=Path,
        metavar="PATH",
        help="interpreter with dlt, for `peer` (see the README)",
    )
    parser.add_argument(
        "--write", action="store_true", help="put the table into benchmarks/README.md"
    )
    arguments = parser.parse_args()
    if unknown := [name for name in arguments.names if name not in BENCHMARKS]:
        parser.error(f"there is no benchmark {unknown[0]}; there are {', '.join(BENCHMARKS)}")
    if arguments.rounds < 1 or (arguments.people is not None and arguments.people < 1):
        parser.error("--rounds and --people must be at least 1")
    bench = Bench(arguments.people, arguments.rounds, arguments.peer_python)
    rows = [row for name in arguments.names or BENCHMARKS for row in BENCHMARKS[name](bench)]
    print(table(rows, markdown=False))
    print("", *bench.notes, f"{machine()}.", sep="\n")
    if arguments.write:
        options = [
            "PATH" if given == str(arguments.peer_python) else given for given in sys.argv[1:]
        ]
        put(shlex.join(["python", "-m", "benchmarks", *options]), rows, bench.notes)
    if any(row.met is False for row in rows):
        sys.exit(1)


if __name__ == "__main__":
    main()
