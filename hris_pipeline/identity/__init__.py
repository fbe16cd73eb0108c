"""Which person is which user in deskbird, and by which rule we know.

In this order: the stored link, our marker in deskbird (``externalId``), the normalised e-mail. A contradiction or a second
candidate goes to review and changes nothing. A user with somebody else's ``externalId`` is never linked by e-mail alone.
"""

from collections.abc import Sequence
from pathlib import Path

import duckdb

_HERE = Path(__file__).parent
_OBSERVED, _USERS, _GROUPS = (
    (_HERE / f"{name}.sql").read_text(encoding="utf-8") for name in ("observed", "user_matches", "group_matches")
)


def match(con: duckdb.DuckDBPyConnection, connections: Sequence[str], *, take_over: bool, names: Sequence[str]) -> None:
    """Make the temp tables that say who is who.

    ``observed_users``, ``observed_groups``, ``user_matches``, ``group_matches``; ``review_tonight`` and ``contested_users``
    for what waits for a decision; ``leaving_addresses`` for users who free their address tonight. ``names`` are the patterns
    by which groups are called: plain, and in a collision.
    """
    con.execute("set variable connections = ?", [list(connections)])
    con.execute("set variable take_over = ?", [take_over])
    con.execute("set variable names = ?", [list(names)])
    for script in (_OBSERVED, _USERS, _GROUPS):
        con.execute(script)
