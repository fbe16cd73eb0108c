"""Profile photos: whose picture to ask for, what is known of it, and its bytes until deskbird has
them.

A picture is compared by its digest with the last one that deskbird acknowledged, because deskbird
may keep it under an address of its own. Its bytes are kept from the night they were read until they
were acknowledged, and no longer. All functions run inside the caller's transaction.
"""

import base64
import datetime as dt
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import duckdb

from hris_pipeline.contracts.photos import Asked, Photo
from hris_pipeline.contracts.tables import PHOTOS
from hris_pipeline.warehouse import stage

MOST = 2_000
"""Pictures asked for in one night: about eight minutes at Personio's rate. A larger company's first
ones take several nights.
"""
_DUE, _ANSWERED, _TIDIED, _REFUSED = (
    (Path(__file__).parent / f"{name}.sql").read_text(encoding="utf-8")
    for name in ("due", "answered", "tidied", "refused")
)


def due(con: duckdb.DuckDBPyConnection, connection: str, now: dt.datetime) -> list[Asked]:
    """Whose picture to ask for now, the most urgent first, at most :data:`MOST`.

    Those who are to be users and were never asked about, whose record has changed since, whose
    picture's bytes are needed, and everybody once in 14 to 28 days, because no HR system promises
    that a new picture changes the record.
    """
    con.execute("set variable now = ?", [now])
    rows = con.execute(_of(_DUE, connection), {"most": MOST}).fetchall()
    return [Asked(id_, etag) for id_, etag in rows]


def keep(
    con: duckdb.DuckDBPyConnection, connection: str, answers: Sequence[Photo], now: dt.datetime
) -> None:
    """Keep what came; of a picture that could not be had, what was known before."""
    con.execute("set variable now = ?", [now])
    con.execute(
        """create or replace temp table answers
           (
               id varchar, outcome varchar, digest varchar, media_type varchar, content blob,
               etag varchar
           )"""
    )
    columns = ("id", "outcome", "digest", "media_type", "content", "etag")
    stage(
        con,
        "answers",
        columns,
        [(a.id, a.outcome, a.digest, a.media_type, a.content, a.etag) for a in answers],
    )
    con.execute(_of(_ANSWERED, connection))


def tidy(con: duckdb.DuckDBPyConnection, connections: Sequence[str]) -> None:
    """Let go of the bytes that deskbird has, and of everything about people who are not to be
    users.
    """
    for connection in _kept(con, connections):
        con.execute(_of(_TIDIED, connection))


def give_up_refused(
    con: duckdb.DuckDBPyConnection, connections: Sequence[str], plan_id: str, run_id: str
) -> None:
    """Do not send again, in other nights, what deskbird refused to take as a picture; another
    picture is tried anew.
    """
    for connection in _kept(con, connections):
        con.execute(_of(_REFUSED, connection), {"plan_id": plan_id, "run_id": run_id})


def forget(con: duckdb.DuckDBPyConnection, connections: Sequence[str]) -> None:
    """Let go of everything: photos are not carried over any more."""
    for connection in _kept(con, connections):
        con.execute(f"delete from {_table(connection)}")


def stage_wanted(con: duckdb.DuckDBPyConnection, connections: Sequence[str]) -> None:
    """Make the temp table ``photos_wanted``: whose picture is known, its digest (null: has none),
    and if its bytes are here.
    """
    known = [
        f"select '{c}:' || id as hris_ref, digest, content is not null as is_here from {_table(c)} "
        "where problem is null"
        for c in _kept(con, connections)
    ]
    nobody = (
        "select null::varchar as hris_ref, null::varchar as digest, false as is_here where false"
    )
    con.execute(
        f"create or replace temp table photos_wanted as {' union all '.join(known) or nobody}"
    )


def counts(con: duckdb.DuckDBPyConnection, connection: str) -> Mapping[str, int]:
    """How many pictures are known, how many people have none, and how many are not carried over, by
    why.
    """
    rows = con.execute(
        f"""select coalesce(problem, case when digest is null then 'none' else 'known' end),
                count(*)
            from {_table(connection)} group by all"""
    ).fetchall()
    found = Counter(dict(rows))
    return {name: found[name] for name in ("known", "none", "too_large", "not_an_image", "refused")}


def data_uris(
    con: duckdb.DuckDBPyConnection, connections: Sequence[str], wanted: Collection[tuple[str, str]]
) -> dict[tuple[str, str], str]:
    """The pictures themselves, as SCIM takes them, by ``hris_ref`` and digest: those whose bytes
    are here.

    A picture's own address is of no use to deskbird: it needs the HR system's token, which goes
    nowhere else.
    """
    refs = [ref for ref, _ in wanted]
    found = {}
    for c in _kept(con, connections):
        rows = con.execute(
            f"""select '{c}:' || id as hris_ref, digest, media_type, content from {_table(c)}
                where content is not null and '{c}:' || id in (select unnest(?::varchar[]))""",
            [refs],
        ).fetchall()
        for ref, sign, media_type, content in rows:
            found[ref, sign] = f"data:{media_type};base64,{base64.b64encode(content).decode()}"
    return {one: found[one] for one in wanted if one in found}


def digest(con: duckdb.DuckDBPyConnection, hris_ref: str) -> str | None:
    """The digest of the picture that the HR system has of a person; None where it has none or it is
    not known.
    """
    connection, _, id_ = hris_ref.partition(":")
    if connection not in _kept(con, [connection]):
        return None
    row = con.execute(
        f"select digest from {_table(connection)} where id = ? and problem is null", [id_]
    ).fetchone()
    return str(row[0]) if row and row[0] else None


def _table(connection: str) -> str:
    return PHOTOS.at(f"hris_{connection}").qualified


def _of(sql: str, connection: str) -> str:
    """A query with the connection's tables put in."""
    return sql.replace("{connection}", connection)


def _kept(con: duckdb.DuckDBPyConnection, connections: Sequence[str]) -> list[str]:
    """The connections that have a table of photos; a file that no run has opened since photos came
    has none.
    """
    if not connections:
        return []
    query = """select table_schema from information_schema.tables
        where table_name = 'photos' and table_catalog = current_database()"""
    there = {schema for (schema,) in con.execute(query).fetchall()}
    return [connection for connection in connections if f"hris_{connection}" in there]
