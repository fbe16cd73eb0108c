"""Which person is which user in deskbird, and by which rule we know.

In this order: the stored link, our marker in deskbird (``externalId``), the normalised e-mail. A contradiction or a second
candidate goes to review and changes nothing. A user with somebody else's ``externalId`` is never linked by e-mail alone.

Names are weighed on both sides. Somebody of another name never inherits a user for its address, and somebody of whom nothing
agrees never for its id. Somebody of the same name gets the user of a record that ended or is gone. The end of an employment waits
for nobody's review but the person's own.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from hris_pipeline.warehouse import run, stage

_HERE = Path(__file__).parent
_OBSERVED, _KNOWN, _SOMEBODY_ELSE, _USERS, _RULES, _GROUPS, _NEW_IDS = (
    (_HERE / f"{name}.sql").read_text(encoding="utf-8")
    for name in ("observed", "known_users", "somebody_else", "user_matches", "rules_found", "group_matches", "new_unit_ids")
)
CONTRADICTIONS: Mapping[str, str] = {
    "address_handed_on": (
        "The record is about to end, and a new record of the same name has the address that it had. The user keeps "
        "the address until the old record has ended, and then belongs to the new one. If these are two people, "
        "correct a name or an address."
    ),
}
"""Where two records do not go together, by code: what is wrong, and what the HR department corrects."""
_ALTERED = "select exists (from linked where not has_address or marked_otherwise) or exists (from marked where not has_address)"
_DESERTED = "select exists (from known_groups k anti join (from core.groups where member_count > 0) c on c.hris_ref = k.ref)"


def match(
    con: duckdb.DuckDBPyConnection,
    connections: Sequence[str],
    *,
    take_over: bool,
    names: Sequence[str],
    link_groups: Mapping[str, str],
) -> None:
    """Make the temp tables that say who is who.

    ``observed_users``, ``observed_groups``, ``user_matches``, ``match_evidence``, ``group_matches``; ``review_tonight`` and
    ``contested_users`` for what waits for a decision; ``leaving_addresses`` for users who free their address tonight. ``names``
    are the patterns by which groups are called: plain, and in a collision. ``link_groups`` is the company file's. Needs the
    variable ``members_are_readable``.
    """
    con.execute("set variable connections = ?", [list(connections)])
    con.execute("set variable take_over = ?", [take_over])
    con.execute("set variable names = ?", [list(names)])
    run(con, _OBSERVED)
    run(con, _KNOWN)
    if con.execute(_ALTERED).fetchone() == (True,):  # somebody's address is another one than their user's
        run(con, _SOMEBODY_ELSE)
    run(con, _USERS)
    con.execute("create or replace temp table rules_found (unit varchar, hris_ref varchar, deskbird_id varchar, problem varchar)")
    if link_groups:
        con.execute("create or replace temp table group_rules (unit varchar, target varchar)")
        stage(con, "group_rules", ("unit", "target"), list(link_groups.items()))
        run(con, _RULES)
    run(con, _GROUPS)
    if con.execute(_DESERTED).fetchone() == (True,):  # a unit's old group stands empty, as far as the HRIS knows
        run(con, _NEW_IDS)


def observe(con: duckdb.DuckDBPyConnection, connections: Sequence[str]) -> None:
    """Make only what ``observed.sql`` makes: what deskbird holds, and by which macros it is compared."""
    con.execute("set variable connections = ?", [list(connections)])
    run(con, _OBSERVED)
