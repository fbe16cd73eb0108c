"""What ``hris-pipeline doctor`` is told by an edge that tries what a night needs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Probe:
    """One thing that ``hris-pipeline doctor`` tried: a credential, a permission, or the first page
    of a list.
    """

    what: str  # in plain words: "people (GET /v2/persons)"
    problem: str | None = None  # what is missing; None where it worked
    remedy: str | None = None  # what to switch on, and where, in that product's own words
    needed: bool = True  # whether a night fails without it
    # the column or kind of group, by our name, of which nothing comes without it
    attribute: str | None = None
