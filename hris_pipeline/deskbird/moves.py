"""Who joins a group before leaving another: nobody leaves a group whose successor refused them
(case 109). Pure.

A move within one kind of group is an addition to one group and a removal from another, in writes of
their own. Additions go first. A group with both keeps its one request, unless one of its leavers
has yet to join another group: then that removal follows in a request of its own, as late as it must
and together with the others that wait like it.
"""

from collections.abc import Iterable, Sequence

from hris_pipeline.contracts.writes import Atom, Write

Step = tuple[Write, frozenset[Atom]]
"""A write, and which of its atoms are sent in this step."""

Move = tuple[str, str]
"""A kind of group, and a person who joins or leaves one of it."""


def kind_of_group(group_ref: str) -> str:
    """The kind of a group by its marker, ``<connection>:<kind>:<id>``."""
    parts = group_ref.split(":")
    return parts[1] if len(parts) > 2 else ""


def joins(write: Write) -> set[Move]:
    """Who joins the write's group."""
    return {(kind_of_group(write.hris_ref), ref.hris_ref) for ref in write.add}


def leaves(write: Write) -> dict[Move, Atom]:
    """Who leaves the write's group."""
    kind = kind_of_group(write.hris_ref)
    return {(kind, ref.hris_ref): ("remove", ref.hris_ref) for ref in write.remove}


def in_order(
    writes: Sequence[Write], later: Iterable[Write] = ()
) -> tuple[list[list[Step]], list[Step]]:
    """The steps of one stage in rounds that follow each other, and the removals that wait for a
    later stage.

    >>> from hris_pipeline.contracts.writes import UserRef
    >>> x, y = (UserRef("x"),), (UserRef("y"),)
    >>> a = Write(1, 1, "update_group", "p:team:a", "a", add=y, remove=x)
    >>> b = Write(2, 1, "update_group", "p:team:b", "b", add=x, remove=y)
    >>> rounds, _ = in_order([a, b])
    >>> for steps in rounds:
    ...     print([(write.hris_ref, sorted(atoms)) for write, atoms in steps])
    [('p:team:a', [('add', 'y')])]
    [('p:team:b', [('add', 'x'), ('remove', 'y')])]
    [('p:team:a', [('remove', 'x')])]
    """
    joining_later = set().union(*(joins(write) for write in later))
    awaited: dict[Move, set[int]] = {}
    for write in writes:
        for move in joins(write):
            awaited.setdefault(move, set()).add(write.request)
    todo: list[Step] = []
    deferred: list[Step] = []
    for write in writes:
        wait = {atom for move, atom in leaves(write).items() if move in joining_later}
        if wait:
            deferred.append((write, frozenset(wait)))
        if rest := frozenset(write.atoms) - wait:
            todo.append((write, rest))
    rounds: list[list[Step]] = []
    while todo:
        waits = [_waiting(step, awaited) for step in todo]
        free = [step for step, wait in zip(todo, waits, strict=True) if not wait]
        if free:
            todo = [step for step, wait in zip(todo, waits, strict=True) if wait]
        else:
            # everybody waits for somebody: the group that most wait for takes its newcomers in
            # first
            wanted = [sum(len(awaited.get(move, ())) for move in _joining(step)) for step in todo]
            chosen = wanted.index(max(wanted))
            write, atoms = todo[chosen]
            todo[chosen] = (write, frozenset(waits[chosen]))
            free = [(write, atoms - waits[chosen])] if atoms - waits[chosen] else []
            # only removals are left that wait for what is done already: cannot be, and must not
            # loop
            if not free:
                rounds.append(todo)
                break
        rounds.append(free)
        for step in free:
            for move in _joining(step):
                awaited[move].discard(step[0].request)
    return rounds, deferred


def _joining(step: Step) -> set[Move]:
    write, atoms = step
    return {(kind, ref) for kind, ref in joins(write) if ("add", ref) in atoms}


def _waiting(step: Step, awaited: dict[Move, set[int]]) -> set[Atom]:
    write, atoms = step
    return {
        atom
        for move, atom in leaves(write).items()
        if atom in atoms and awaited.get(move, set()) - {write.request}
    }
