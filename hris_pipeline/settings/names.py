"""What companies and connections may be called."""

import re
from typing import Literal

NAME = re.compile(r"[a-z][a-z0-9_]*")
TAKEN_NAMES = ("core", "deskbird", "state")


def not_a_name(name: str, what: Literal["company", "connection"]) -> str | None:
    """What is wrong with the name of a company or a connection."""
    if not NAME.fullmatch(name):
        return f"is not a {what} name: use a-z, 0-9 and _, a letter first"
    if name in TAKEN_NAMES or name.startswith("hris_"):
        return (
            f"cannot be a {what} name, because the pipeline uses it itself; so are "
            f"{', '.join(TAKEN_NAMES)} and hris_..."
        )
    return None
