"""All mistakes of a document at once, where its models find them one layer after the other.

pydantic judges every key of a document, but runs a check that looks at several keys only where each
of them is sound: one misspelt key hides what does not fit together elsewhere. :func:`collect`
therefore mends what it was told in a copy of the document, in the plainest way (a misspelt key gets
its right name, a wrong value is taken out), and validates again, until nothing is left. What is
found only then counts unless it rests on something that was mended.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

KeyPath = tuple[str | int, ...]
"""Where a key stands: ("sync", "groups", 0)."""

STAND_IN = "${STAND_IN}"
"""What takes the place of a text that must be there and is not, or is not as it must be."""

_ROUNDS = 40


# --- one mistake ----------------------------------------------------------------------------------


def mistake(sentence: str) -> PydanticCustomError:
    """A mistake in our own words; ``sentence`` goes on from the key's path ("… must be …")."""
    return PydanticCustomError("settings", "{sentence}", {"sentence": sentence})


def unknown_key(sentence: str, meant: str | None) -> PydanticCustomError:
    """A key that the section does not have; ``meant`` is the key that it looks like."""
    return PydanticCustomError("unknown_key", "{sentence}", {"sentence": sentence, "meant": meant})


def missing_key(sentence: str) -> PydanticCustomError:
    """A key that must be there and is not."""
    return PydanticCustomError("missing_key", "{sentence}", {"sentence": sentence})


def secret(sentence: str) -> PydanticCustomError:
    """A secret that stands in the file."""
    return PydanticCustomError("secret", "{sentence}", {"sentence": sentence})


def unknown_word(sentence: str, meant: str | None) -> PydanticCustomError:
    """A value that must be one of several words; ``meant`` is the one that it looks like."""
    return PydanticCustomError("unknown_word", "{sentence}", {"sentence": sentence, "meant": meant})


def refuse(found: Iterator[tuple[KeyPath, Any]] | Sequence[tuple[KeyPath, Any]]) -> None:
    """Raise the mistakes of one section, each at its own key; one that is None is no mistake."""
    refuse_all(
        [
            _line(loc, mistake(what) if isinstance(what, str) else what)
            for loc, what in found
            if what
        ]
    )


def refuse_all(lines: Sequence[InitErrorDetails]) -> None:
    """Raise these mistakes of one section, where there are any."""
    if lines:
        raise ValidationError.from_exception_data("settings", list(lines))


def _line(loc: KeyPath, what: PydanticCustomError) -> InitErrorDetails:
    return InitErrorDetails(type=what, loc=loc, input=None)


def lines_of(problem: ValidationError) -> list[InitErrorDetails]:
    """The mistakes of an error, to be raised once more together with others."""
    return [_as_raised(error) for error in problem.errors(include_url=False)]


def _as_raised(error: ErrorDetails) -> InitErrorDetails:
    kind, context = error["type"], error.get("ctx", {})
    custom = "sentence" in context
    what = PydanticCustomError(kind, "{sentence}", context) if custom else kind
    return InitErrorDetails(
        type=what, loc=error["loc"], input=error.get("input"), ctx={} if custom else context
    )


# --- all of them ----------------------------------------------------------------------------------


class _Elements(list[Any]):
    """A list that elements were taken out of, and the place that each of the others had."""

    def __init__(self, elements: Sequence[Any]) -> None:
        super().__init__(elements)
        self.places = list(range(len(elements)))


@dataclass
class _Copy:
    """The document while it is mended."""

    document: dict[str, Any]
    stand_in: Callable[[KeyPath], Any]
    tries: dict[KeyPath, int] = field(default_factory=dict)
    doubtful: set[KeyPath] = field(default_factory=set)  # what was mended by a value of our own
    renamed: set[KeyPath] = field(default_factory=set)

    def original(self, loc: KeyPath) -> KeyPath:
        """The path as it is in the file, where a list has lost some of its elements."""
        node: Any = self.document
        path: list[str | int] = []
        for step in loc:
            path.append(
                node.places[step] if isinstance(node, _Elements) and isinstance(step, int) else step
            )
            node = _inner(node, step)
        return tuple(path)

    def mend(self, error: ErrorDetails) -> bool:
        """Take the mistake out; False where that cannot be done."""
        kind, loc = error["type"], tuple(error["loc"])
        holder, path = self._deepest(loc, missing=kind == "missing_key")
        if not path:
            return False
        meant = error.get("ctx", {}).get("meant")
        if kind == "unknown_key":
            value = holder.pop(path[-1])
            if meant and meant not in holder:
                holder[meant] = value
                self.renamed.add((*self.original(path[:-1]), meant))
            return True
        self.doubtful.add(self.original(path))
        if kind == "unknown_word" and meant:
            holder[path[-1]] = meant
            return True
        return self._replace(holder, path)

    def _replace(self, holder: Any, path: KeyPath) -> bool:
        """Without the value, else with one of ours, else without the section that it stands in."""
        here = self.original(path)
        self.tries[here] = tries = self.tries.get(here, 0) + 1
        own, last = self.stand_in(here), path[-1]
        if own is None:
            self.doubtful.add(here)
        if own is not None and tries == 1:
            holder[last] = own
        elif isinstance(holder, _Elements):
            del holder[int(last)], holder.places[int(last)]
        elif last in holder and tries <= (1 if own is None else 2):
            del holder[last]
        elif own is None and tries <= 3 and holder.get(last) != STAND_IN:
            holder[last] = STAND_IN
        elif len(path) > 1:
            outer, above = self._deepest(path[:-1], missing=False)
            return self._replace(outer, above)
        else:
            return False
        return True

    def _deepest(self, loc: KeyPath, *, missing: bool) -> tuple[Any, KeyPath]:
        """The last key of the path that is there (or that is missing), and what holds it."""
        node: Any = self.document
        holder: Any = None
        path: list[str | int] = []
        for number, step in enumerate(loc):
            inner = _inner(node, step)
            if inner is None and not (isinstance(node, Mapping) and step in node):
                if missing and number == len(loc) - 1 and isinstance(node, Mapping):
                    holder, path = node, [*path, step]
                break
            holder, node, path = node, inner, [*path, step]
        return holder, tuple(path)


def _inner(node: Any, step: str | int) -> Any:
    if isinstance(node, Mapping):
        return node.get(step)
    if isinstance(node, list) and isinstance(step, int) and 0 <= step < len(node):
        return node[step]
    return None


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copied(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return _Elements([_copied(inner) for inner in value])
    return value


def collect(
    validate: Callable[[Mapping[str, Any]], object],
    document: Mapping[str, Any],
    *,
    stand_in: Callable[[KeyPath], Any],
    rests_on: Callable[[KeyPath, str], Sequence[KeyPath]],
    told: Sequence[KeyPath] = (),
) -> list[tuple[KeyPath, ErrorDetails]]:
    """Every mistake that ``validate`` finds in the document, with its key's path, section by
    section.

    ``stand_in`` gives a value for a section that cannot just go, else None. ``rests_on`` names the
    keys (``*`` for any) that a check looks at, by the path and the type of the mistake that it
    finds. ``told`` are keys that are known to be wrong already.
    """
    copy, found, known = _Copy(_copied(document), stand_in, doubtful=set(told)), [], set(told)
    for number in range(_ROUNDS):
        try:
            validate(copy.document)
        except ValidationError as problem:
            errors = problem.errors(include_url=False)
        else:
            break
        here = [(copy.original(tuple(error["loc"])), error) for error in errors]
        for loc, error in here:
            if loc in known:
                continue
            if (number == 0 and not told) or not _is_doubtful(loc, error, copy, rests_on):
                found.append((loc, error))
        known.update(loc for loc, _ in here)
        # from the end, so that an element that goes moves no other that is still to be mended
        for _, error in sorted(
            here, key=lambda pair: [str(step).zfill(9) for step in pair[1]["loc"]], reverse=True
        ):
            if not copy.mend(error):
                return found  # nothing of the document can be kept
    sections: list[str | int] = list(document)
    return sorted(
        found,
        key=lambda pair: sections.index(pair[0][0]) if pair[0][0] in document else len(sections),
    )


def _is_doubtful(
    loc: KeyPath,
    error: ErrorDetails,
    copy: _Copy,
    rests_on: Callable[[KeyPath, str], Sequence[KeyPath]],
) -> bool:
    """Whether something that was mended may be the only cause."""
    if error["type"] == "unknown_key" or any(loc[: len(key)] == key for key in copy.renamed):
        return False
    keys = [loc] if error["type"] == "missing_key" else [loc, *rests_on(loc, error["type"])]
    return any(_overlap(key, mended) for key in keys for mended in copy.doubtful)


def _overlap(one: KeyPath, other: KeyPath) -> bool:
    """Whether one of the paths leads to the other, or to something in it."""
    return all(a == b or "*" in (a, b) for a, b in zip(one, other, strict=False))
