"""Cycles in a graph in which everyone points at one other at most: reporting lines, and changes
that wait for each other.
"""

from collections.abc import Mapping


def cycles(next_of: Mapping[str, str]) -> list[list[str]]:
    """Every cycle, in its own order; O(n).

    >>> cycles({"a": "b", "b": "a", "c": "a"})
    [['a', 'b']]
    """
    settled: set[str] = set()
    found = []
    for start in next_of:
        path: dict[str, None] = {}
        ref: str | None = start
        while ref is not None and ref not in settled:
            settled.add(ref)
            path[ref] = None
            ref = next_of.get(ref)
        if ref is not None and ref in path:
            members = list(path)
            found.append(members[members.index(ref) :])
    return found
