"""The same work as the pipeline's, as a data engineer would plainly write it: dlt, DuckDB, pandas,
pandera and networkx.

dlt reads and flattens the saved Personio pages and loads them into DuckDB through its Parquet
loader (its default loader takes three times as long); pandas and pandera validate and quarantine;
groups, memberships and the comparison are pandas merges; the manager graph is networkx. Nothing of
``hris_pipeline`` is used. Prints one JSON object: ``seconds`` (first byte read to finished plan),
``import_seconds`` (told apart), ``peak_mb``, ``people``, ``quarantined``, ``changes``, changes by
kind, seconds by stage.

dlt is no dependency of the project, so this runs in a virtual environment of its own::

    PEER=$(mktemp -d) && python3 -m venv $PEER
    $PEER/bin/pip install "dlt[duckdb,parquet]==1.31.0" duckdb==2.0.0 pandas==3.1.1 \
        "pandera[pandas]==0.35.0" networkx==3.6.1 orjson
    python benchmarks/generate.py --people 100000 --out data/benchmark/100000
    $PEER/bin/python benchmarks/peers/dlt_pandas.py data/benchmark/100000
"""

# ruff: noqa: E402 - the imports are timed

import time

STARTED = time.perf_counter()

import argparse
import hashlib
import json
import logging
import os
import resource
import tempfile
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"

import dlt
import duckdb
import networkx as nx
import orjson
import pandas as pd
import pandera.pandas as pa

IMPORTED = time.perf_counter()

KINDS = ("team", "department", "cost_center")  # the first one keeps its name in a collision
STATUSES = ("active", "onboarding", "leave", "inactive")
EMAIL = r"^[^@\s]+@[^@\s]+\.[^@\s]+$"


# --- pages to a raw table -------------------------------------------------------------------------


def flat(employee: dict[str, Any]) -> dict[str, Any]:
    """One employee without Personio's envelopes, mapped attributes only."""
    attributes = employee["attributes"]

    def value(key: str) -> Any:
        return attributes.get(key, {}).get("value")

    def unit(holder: Any) -> dict[str, Any]:
        return holder["attributes"] if holder else {}

    centers = value("cost_centers") or [None]
    supervisor = value("supervisor")
    row = {
        "id": value("id"),
        "email": value("email"),
        "given_name": value("first_name"),
        "family_name": value("last_name"),
        "status": value("status"),
        "start_date": (value("hire_date") or "")[:10],
        "end_date": (value("last_working_day") or value("termination_date") or "")[:10],
        "manager_id": supervisor["attributes"]["id"]["value"] if supervisor else None,
    }
    for kind, holder in (
        ("team", value("team")),
        ("department", value("department")),
        ("cost_center", centers[0]),
    ):
        row[f"{kind}_id"], row[f"{kind}_name"] = unit(holder).get("id"), unit(holder).get("name")
    return row


TEXTS = (
    "email",
    "given_name",
    "family_name",
    "status",
    "start_date",
    "end_date",
    *(f"{kind}_name" for kind in KINDS),
)
NUMBERS = ("id", "manager_id", *(f"{kind}_id" for kind in KINDS))
COLUMNS = {name: {"data_type": "text"} for name in TEXTS} | {
    name: {"data_type": "bigint"} for name in NUMBERS
}


@dlt.resource(name="employees", write_disposition="replace", columns=COLUMNS)
def employees(pages: Path) -> Iterator[list[dict[str, Any]]]:
    """All employees, a page at a time; the total of the first page is the proof of completeness."""
    seen, expected = 0, None
    with pages.open("rb") as file:
        for line in file:
            page = orjson.loads(line)
            if not page["success"]:
                raise RuntimeError("a page without success")
            expected = expected or page["metadata"]["total_elements"]
            seen += len(page["data"])
            yield [flat(employee) for employee in page["data"]]
    if seen != expected:
        raise RuntimeError(f"{seen} of {expected} employees")


# --- people ---------------------------------------------------------------------------------------


def text(values: pd.Series) -> pd.Series:
    """NFC, trimmed; empty is null."""
    cleaned = values.map(
        lambda value: unicodedata.normalize("NFC", value).strip(), na_action="ignore"
    )
    return cleaned.where(cleaned != "", None)


def address(values: pd.Series) -> pd.Series:
    """An e-mail as it is compared."""
    return text(values).str.lower().str.replace("@googlemail.com", "@gmail.com", regex=False)


SCHEMA = pa.DataFrameSchema(
    {
        "id": pa.Column(int, unique=True),
        "email": pa.Column(
            nullable=True,
            checks=[
                pa.Check(
                    lambda values: values.notna(),
                    name="email_is_there",
                    error="email_is_there",
                    ignore_na=False,
                ),
                pa.Check.str_matches(EMAIL, error="email_is_valid"),
                pa.Check(
                    lambda values: ~values.duplicated(keep=False),
                    name="email_is_unique",
                    error="email_is_unique",
                ),
            ],
        ),
        "status": pa.Column(str, pa.Check.isin(STATUSES, error="status_is_known")),
    },
)


def people_and_quarantine(
    raw: pd.DataFrame, today: pd.Timestamp
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Everybody whose record is in order, and the others by the rule they break."""
    raw = raw.assign(
        email=address(raw["email"]),
        given_name=text(raw["given_name"]),
        family_name=text(raw["family_name"]),
        start_date=pd.to_datetime(raw["start_date"].replace("", None)),
        end_date=pd.to_datetime(raw["end_date"].replace("", None)),
        hris_ref="personio:" + raw["id"].astype(str),
    )
    failures = pd.DataFrame({"index": [], "check": []})
    try:
        SCHEMA.validate(raw, lazy=True)
    except pa.errors.SchemaErrors as problem:
        failures = problem.failure_cases[["index", "check"]]
    if failures["index"].isna().any():
        raise RuntimeError("a check that could not be carried out")
    rows = failures["index"].astype(int)
    quarantine = pd.DataFrame(
        {"hris_ref": raw.loc[rows, "hris_ref"].to_numpy(), "rule": failures["check"].to_numpy()}
    )
    people = raw.drop(index=rows.unique()).copy()
    people["display_name"] = (
        people["given_name"].fillna("") + " " + people["family_name"].fillna("")
    ).str.strip()
    people["state"] = people["status"].map(
        {"active": "active", "leave": "on_leave", "onboarding": "upcoming", "inactive": "ended"}
    )
    people.loc[people["start_date"] > today, "state"] = "upcoming"
    people.loc[people["end_date"] < today, "state"] = "ended"
    people["wanted"] = people["state"].isin(["active", "on_leave"])
    return people, quarantine


# --- groups ---------------------------------------------------------------------------------------


def groups_and_memberships(people: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """All groups of the wanted people with unique names, and who is in them."""
    wanted = people[people["wanted"]]
    parts = []
    for kind in KINDS:
        part = wanted.loc[
            wanted[f"{kind}_id"].notna(), ["hris_ref", f"{kind}_id", f"{kind}_name"]
        ].copy()
        part.columns = ["hris_ref", "id", "name"]
        part.insert(0, "kind", kind)
        parts.append(part)
    long = pd.concat(parts, ignore_index=True)
    long["group_ref"] = "personio:" + long["kind"] + ":" + long["id"].astype("int64").astype(str)
    groups = long.groupby("group_ref", sort=False).agg(
        kind=("kind", "first"), name=("name", "first"), member_count=("kind", "size")
    )
    groups = groups.reset_index()
    groups["name"] = text(groups["name"])
    # the kinds come in the order of KINDS
    collides = groups["name"].str.lower().duplicated(keep="first")
    groups.loc[collides, "name"] += " (" + groups.loc[collides, "kind"] + ")"
    return groups, long[["group_ref", "hris_ref"]]


# --- the manager graph ----------------------------------------------------------------------------


def manager_graph(people: pd.DataFrame) -> pd.DataFrame:
    """One row for everybody who has not left: manager, depth, chain to the top, spans, and what is
    wrong.
    """
    here = people[people["state"] != "ended"]
    left = set(people.loc[people["state"] == "ended", "id"])
    known = set(here["id"])
    managers: dict[int, int | None] = {}
    problems: dict[int, str] = {}
    for person, manager in zip(here["id"], here["manager_id"], strict=True):
        managers[person] = None
        if pd.isna(manager):
            continue
        if manager == person:
            problems[person] = "self"
        elif manager in left:
            problems[person] = "inactive"
        elif manager not in known:
            problems[person] = "missing"
        else:
            managers[person] = int(manager)
    graph = nx.DiGraph()
    graph.add_nodes_from(managers)
    graph.add_edges_from(
        (manager, person) for person, manager in managers.items() if manager is not None
    )
    rings = [ring for ring in nx.strongly_connected_components(graph) if len(ring) > 1]
    problems.update({person: "cycle" for ring in rings for person in ring})
    direct_reports = dict(graph.out_degree())
    graph.remove_nodes_from(set().union(*rings))
    tops = [person for person in graph if managers[person] is None]
    chains: dict[int, list[int]] = {}
    spans: dict[int, int] = {}
    for top in tops:
        chains[top] = []
        for manager, person in nx.bfs_edges(graph, top):
            chains[person] = [manager, *chains[manager]]
        for person in nx.dfs_postorder_nodes(graph, top):
            spans[person] = sum(1 + spans[report] for report in graph.successors(person))
    rows = [
        (
            person,
            manager,
            len(chains[person]) if person in chains else None,
            chains.get(person),
            direct_reports[person],
            spans.get(person),
            problems.get(person),
        )
        for person, manager in managers.items()
    ]
    columns = [
        "person_id",
        "manager_id",
        "depth",
        "chain",
        "direct_reports",
        "all_reports",
        "problem",
    ]
    return pd.DataFrame(rows, columns=columns).astype(
        {"manager_id": "Int64", "depth": "Int64", "all_reports": "Int64"}
    )


# --- the plan -------------------------------------------------------------------------------------


def change(
    what: str, action: str, rows: pd.DataFrame, before: list[str], after: list[str], reason: str
) -> pd.DataFrame:
    """Rows of the plan of one sort; ``before`` and ``after`` are the columns that go into the JSON
    objects.
    """

    def objects(columns: list[str]) -> list[str]:
        picked = rows[columns].astype(object).where(rows[columns].notna(), None)
        return [
            json.dumps(row, ensure_ascii=False)
            for row in picked.rename(columns=lambda name: name.split("__")[0]).to_dict("records")
        ]

    return pd.DataFrame(
        {
            "object": what,
            "action": action,
            "hris_ref": rows["hris_ref"].to_numpy(),
            "deskbird_id": rows["deskbird_id"].to_numpy() if "deskbird_id" in rows else None,
            "group_ref": rows["group_ref"].to_numpy() if "group_ref" in rows else None,
            "before": objects(before),
            "after": objects(after),
            "reason": reason,
        }
    )


def user_changes(people: pd.DataFrame, users: pd.DataFrame) -> list[pd.DataFrame]:
    """Users to create, link, update, reactivate and deactivate."""
    ours = users[users["hris_ref"].notna()]
    both = people.merge(ours, on="hris_ref", how="left", suffixes=("", "__held"))
    fresh = both[both["wanted"] & both["deskbird_id"].isna()]
    strangers = users[users["hris_ref"].isna()].assign(email=lambda frame: address(frame["email"]))
    linked = fresh.drop(columns="deskbird_id").merge(
        strangers[["deskbird_id", "email"]], on="email", how="inner"
    )
    created = fresh[~fresh["hris_ref"].isin(linked["hris_ref"])]
    held = both[both["deskbird_id"].notna()]
    attributes = ["email", "given_name", "family_name", "display_name"]
    kept = held[held["wanted"] & (held["active"] == True)]  # noqa: E712 - the column may hold nulls
    differs = pd.DataFrame(
        {name: kept[name].fillna("") != kept[f"{name}__held"].fillna("") for name in attributes}
    )
    return [
        change("user", "create", created, [], attributes, "works here and has no user"),
        change("user", "link", linked, [], attributes, "has a user with the same e-mail"),
        change(
            "user",
            "update",
            kept[differs.any(axis=1)],
            [f"{n}__held" for n in attributes],
            attributes,
            "differs from the HR system",
        ),
        change(
            "user",
            "reactivate",
            held[held["wanted"] & (held["active"] == False)],  # noqa: E712
            ["active"],
            [],
            "is back",
        ),
        change(
            "user",
            "deactivate",
            held[(held["state"] == "ended") & (held["active"] == True)],  # noqa: E712
            ["active"],
            [],
            "has left",
        ),
    ]


def manager_changes(
    people: pd.DataFrame, users: pd.DataFrame, graph: pd.DataFrame
) -> list[pd.DataFrame]:
    """Managers to set and to clear. Who is in a cycle or has a manager who is missing keeps what
    there is.
    """
    wanted = people.loc[people["wanted"], ["id", "hris_ref"]].merge(
        graph, left_on="id", right_on="person_id"
    )
    wanted = wanted[~wanted["problem"].isin(["cycle", "missing"])]
    refs = people.loc[people["wanted"]].set_index("id")["hris_ref"]
    wanted["manager_ref"] = wanted["manager_id"].map(refs)
    held = users.loc[users["hris_ref"].notna(), ["hris_ref", "deskbird_id", "manager_deskbird_id"]]
    ref_of_user = held.set_index("deskbird_id")["hris_ref"]
    both = wanted.merge(held, on="hris_ref", how="left")
    both["manager_ref__held"] = both["manager_deskbird_id"].map(ref_of_user)
    differs = both["manager_ref"].fillna("") != both["manager_ref__held"].fillna("")
    gone = both["manager_ref"].isna()
    return [
        change(
            "manager",
            "set",
            both[differs & ~gone],
            ["manager_ref__held"],
            ["manager_ref"],
            "reports to somebody else",
        ),
        change(
            "manager",
            "clear",
            both[differs & gone],
            ["manager_ref__held"],
            [],
            "reports to nobody",
        ),
    ]


def group_changes(
    people: pd.DataFrame,
    quarantine: pd.DataFrame,
    groups: pd.DataFrame,
    memberships: pd.DataFrame,
    users: pd.DataFrame,
    held_groups: pd.DataFrame,
    held_members: pd.DataFrame,
) -> list[pd.DataFrame]:
    """Groups to create and to rename, people to add and to remove."""
    wanted = groups.rename(columns={"group_ref": "hris_ref"})
    ours = held_groups[held_groups["hris_ref"].notna()]
    both = wanted.merge(ours, on="hris_ref", how="left", suffixes=("", "__held"))
    new = both["deskbird_id"].isna()
    renamed = ~new & (both["name"] != both["name__held"])
    active = users[
        users["active"]
        & users["hris_ref"].notna()
        & ~users["hris_ref"].isin(quarantine["hris_ref"])
    ]
    held = held_members.merge(
        active[["deskbird_id", "hris_ref"]], left_on="user_deskbird_id", right_on="deskbird_id"
    )
    held = held.merge(
        ours[["deskbird_id", "hris_ref"]],
        left_on="group_deskbird_id",
        right_on="deskbird_id",
        suffixes=("", "__group"),
    )
    held = held.rename(columns={"hris_ref__group": "group_ref"})[["group_ref", "hris_ref"]]
    held = held[held["hris_ref"].isin(people.loc[people["wanted"], "hris_ref"])]
    compared = memberships.merge(held, on=["group_ref", "hris_ref"], how="outer", indicator=True)
    return [
        change("group", "create", both[new], [], ["name"], "has members and does not exist"),
        change(
            "group",
            "rename",
            both[renamed],
            ["name__held"],
            ["name"],
            "is called otherwise in the HR system",
        ),
        change(
            "membership",
            "add",
            compared[compared["_merge"] == "left_only"],
            [],
            ["group_ref"],
            "is in it in the HR system",
        ),
        change(
            "membership",
            "remove",
            compared[compared["_merge"] == "right_only"],
            ["group_ref"],
            [],
            "is not in it any more",
        ),
    ]


def run(folder: Path, database: Path, working: Path) -> dict[str, Any]:
    """The whole work; what is printed of it."""
    seconds: dict[str, float] = {}
    clock = time.perf_counter()

    def lap(stage: str) -> None:
        nonlocal clock
        seconds[stage], clock = round(time.perf_counter() - clock, 2), time.perf_counter()

    pipeline = dlt.pipeline(
        "hris",
        destination=dlt.destinations.duckdb(str(database)),
        dataset_name="raw",
        pipelines_dir=str(working),
        progress=None,
    )
    pipeline.run(
        employees(folder / "pages.jsonl"), loader_file_format="parquet"
    ).raise_on_failed_jobs()
    lap("read")
    now = pd.Timestamp(json.loads((folder / "about.json").read_text())["now"])
    with duckdb.connect(str(database)) as connection:
        raw = connection.execute("select * exclude (_dlt_id, _dlt_load_id) from raw.employees").df()
        people, quarantine = people_and_quarantine(
            raw, now.tz_convert("Europe/Berlin").tz_localize(None).normalize()
        )
        lap("validate")
        groups, memberships = groups_and_memberships(people)
        lap("groups")
        graph = manager_graph(people)
        lap("graph")
        users, held_groups, held_members = (
            pd.read_parquet(folder / f"{name}.parquet")
            for name in ("users", "groups", "group_members")
        )
        lap("deskbird")
        parts = user_changes(people, users)
        parts += group_changes(
            people, quarantine, groups, memberships, users, held_groups, held_members
        )
        parts += manager_changes(people, users, graph)
        plan = (
            pd.concat([part for part in parts if len(part)], ignore_index=True)
            if any(map(len, parts))
            else parts[0]
        )
        plan.insert(0, "seq", range(1, len(plan) + 1))
        digest = hashlib.sha256(
            plan[["object", "action", "hris_ref", "group_ref", "before", "after"]]
            .to_json()
            .encode()
        )
        plan.insert(0, "plan_id", digest.hexdigest()[:16])
        lap("compare")
        connection.execute("create schema core")
        tables = {
            "people": people,
            "quarantine": quarantine,
            "groups": groups,
            "memberships": memberships,
            "manager_graph": graph,
        }
        for name, table in {**tables, "changes": plan}.items():
            connection.register("frame", table)
            connection.execute(f'create table core."{name}" as select * from frame')
            connection.unregister("frame")
        lap("write")
    return {
        "people": len(raw),
        "quarantined": int(quarantine["hris_ref"].nunique()),
        "changes": len(plan),
        "by_kind": {
            f"{what} {action}": int(count)
            for (what, action), count in plan.groupby(["object", "action"]).size().items()
        },
        "stages": seconds,
    }


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description="The plain dlt + pandas version of the nightly work, for comparison."
    )
    parser.add_argument("folder", type=Path, help="what generate.py has written")
    arguments = parser.parse_args()
    logging.getLogger("dlt").setLevel(logging.ERROR)
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as working:
        outcome = run(arguments.folder, Path(working) / "peer.duckdb", Path(working) / "dlt")
        seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    told = {
        "seconds": round(seconds, 2),
        "import_seconds": round(IMPORTED - STARTED, 2),
        "peak_mb": round(peak),
    }
    print(json.dumps({**told, **outcome}))


if __name__ == "__main__":
    main()
