"""The attributes of a user that are carried over, one line each: whatever names them reads this.

Whether somebody is active, whose user it is, who manages them and which groups they are in are no
attributes: each of these is a change of its own kind. An address has rules of its own beside
(``plan/user_differences.sql``), a photo a request of its own.
"""

from dataclasses import dataclass
from typing import Literal

Shown = Literal["always", "if_read", "never"]
"""Whether what deskbird gives back is believed: always; once it has given the attribute back for
anybody; never.
"""


@dataclass(frozen=True)
class Attribute:
    """One attribute of a user."""

    name: str  # column of core.people and deskbird.users, and key in a change's before and after
    label: str  # what people call it
    paths: tuple[str, ...]  # where SCIM has it
    # columns of the HR system's record: where one of them is unknown, so is the attribute
    made_of: tuple[str, ...]
    subject: str  # what guard update_attribute counts it as
    # in deskbird, once it is empty in the HR system and the company file says so
    may_be_cleared: bool = True
    shown: Shown = "if_read"
    # only where the company file names it (sync.attributes); has no column of its own
    opt_in: bool = False


ATTRIBUTES = (
    Attribute(
        "email",
        "work e-mail",
        ("userName",),
        ("email",),
        "email",
        may_be_cleared=False,
        shown="always",
    ),
    Attribute(
        "user_name",
        "user name",
        ("userName",),
        ("email",),
        "email",
        may_be_cleared=False,
        shown="always",
    ),
    Attribute("given_name", "first name", ("name.givenName",), ("given_name",), "given_name"),
    Attribute("family_name", "last name", ("name.familyName",), ("family_name",), "family_name"),
    Attribute(
        "display_name",
        "display name",
        ("displayName", "name.formatted"),
        ("given_name", "family_name"),
        "display_name",
        may_be_cleared=False,
    ),
    Attribute("title", "job title", ("title",), ("title",), "title", opt_in=True),
    Attribute(
        "phone",
        "work phone",
        ('phoneNumbers[type eq "work"].value',),
        ("phone",),
        "phone",
        opt_in=True,
    ),
    Attribute("photo", "profile photo", ("photos",), ("photo",), "photo", shown="never"),
)
OPT_IN = tuple(attribute.name for attribute in ATTRIBUTES if attribute.opt_in)
"""What sync.attributes may name. The tables hold it in their column ``attributes``."""
BY_NAME = {attribute.name: attribute for attribute in ATTRIBUTES}
SUBJECTS = tuple(dict.fromkeys(attribute.subject for attribute in ATTRIBUTES))
"""What guard update_attribute counts by."""


def derived_together(name: str) -> frozenset[str]:
    """The attributes that a service may derive from each other, this one among them."""
    found: frozenset[str] = frozenset()
    more = frozenset({name})
    while more != found:
        found = more
        parts = {column for each in found for column in BY_NAME[each].made_of}
        more = frozenset(each.name for each in ATTRIBUTES if parts & set(each.made_of))
    return found
