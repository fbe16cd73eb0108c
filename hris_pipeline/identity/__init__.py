"""Which person is which user in deskbird, and by which rule we know.

In this order: the stored link, our marker in deskbird (``externalId``), the normalised e-mail. A
contradiction or a second candidate goes to review and changes nothing. A user with somebody else's
``externalId`` is never linked by e-mail alone.

Names are weighed on both sides. Somebody of another name never inherits a user for its address, and
somebody of whom nothing agrees never for its id. Somebody of the same name gets the user of a
record that ended or is gone. The end of an employment waits for nobody's review but the person's
own.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from hris_pipeline.warehouse import run

_OBSERVED = (Path(__file__).parent / "observed.sql").read_text(encoding="utf-8")
CONTRADICTIONS: Mapping[str, str] = {
    "address_handed_on": (
        "The record is about to end, and a new record of the same name has the address that it "
        "had. The user keeps the address until the old record has ended, and then belongs to the "
        "new one. If these are two people, correct a name or an address."
    ),
}
"""Where two records do not go together, by code: what is wrong, and what the HR department
corrects.
"""


def observe(con: duckdb.DuckDBPyConnection, connections: Sequence[str]) -> None:
    """Make only what ``observed.sql`` makes: what deskbird holds, and by which macros it is
    compared.
    """
    con.execute("set variable connections = ?", [list(connections)])
    run(con, _OBSERVED)
