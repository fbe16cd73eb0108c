"""Each mistake of a company file as one line: the key's path and what would be right, never the
value.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import ErrorDetails

from hris_pipeline.settings.accounts import SOME_ACCOUNT, HrSystems
from hris_pipeline.settings.company import Company
from hris_pipeline.settings.mistakes import STAND_IN, KeyPath, collect
from hris_pipeline.settings.values import REFERENCE

_SENTENCES = {
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a number",
    "string_type": "must be text; put it in quotes",
    "tuple_type": "must be a list",
    "dict_type": "must hold keys of its own, indented below it",
    "model_type": "must hold keys of its own, indented below it",
    "greater_than": "must be more than {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than_equal": "must be at most {le:g}",
    "literal_error": "must be {expected}",
    **dict.fromkeys(
        ("settings", "unknown_key", "missing_key", "unknown_word", "secret"), "{sentence}"
    ),
}


def path_of(loc: KeyPath) -> str:
    """``sync.groups[0]``."""
    path = ""
    for step in loc:
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else step
    return path


def _sentence(loc: KeyPath, error: ErrorDetails) -> str:
    """One mistake: the key's path and what would be right, never the value."""
    kind, given, details = error["type"], error.get("input"), error.get("ctx", {})
    if "sentence" not in details and isinstance(given, str) and REFERENCE.search(given):
        sentence = (
            "cannot be a reference, because it is needed before a run starts: write the value "
            "itself"
        )
    elif kind in _SENTENCES:
        sentence = _SENTENCES[kind].format(**details)
    else:
        sentence = f"is not valid: {error['msg'].removeprefix('Value error, ')}"
    return f"{path_of(loc)} {sentence}" + ("" if sentence.endswith((".", "?")) else ".")


def _stand_in(loc: KeyPath) -> Any:
    """What takes the place of a section that cannot be judged, while the rest of the file is."""
    if loc == ("hris",):
        return {"some": SOME_ACCOUNT}
    if loc == ("deskbird",):
        return {"scim_token": STAND_IN}
    return SOME_ACCOUNT if loc[:1] == ("hris",) and len(loc) == 2 else None


_ITSELF = ""  # ends a path: what is there, not what is in it
_NAMES: KeyPath = ("hris", "*", _ITSELF)  # which connections there are
# what their systems deliver
_KINDS: tuple[KeyPath, ...] = (("hris", "*", "system"), ("hris", "*", "options"))
_RESTS_ON: tuple[tuple[KeyPath, tuple[KeyPath, ...]], ...] = (
    (("sync", "groups"), _KINDS),
    (("sync", "photos"), _KINDS),
    (("sync", "timezones"), _KINDS),
    (("sync", "scope"), (_NAMES, *_KINDS)),
    (("sync", "link_groups"), (_NAMES, ("sync", "groups"))),
    (("sync", "cleared"), (("sync", "groups"),)),
    (("sync", "drift"), (("sync", "groups"),)),
    (("sync", "precedence"), (_NAMES,)),
    (("changes_schedule",), _KINDS),
    (("export",), (("export",), _NAMES, *_KINDS)),
    (("protected",), (_NAMES,)),
    (("frozen",), (_NAMES,)),
)
"""What else a check looks at that tells of a mistake at a key: while that is wrong itself, the
check says nothing.
"""


def _rests_on(loc: KeyPath, kind: str) -> Sequence[KeyPath]:
    if kind == "secret":  # it may stand in the file where the service is on this machine
        of_deskbird = {"scim_token": "scim_url", "api_key": "api_url"}
        return [(*loc[:-1], of_deskbird[str(loc[-1])] if loc[0] == "deskbird" else "base_url")]
    if loc[:1] == ("hris",):
        return [(*loc[:2], "options")]
    return next((keys for place, keys in _RESTS_ON if loc[: len(place)] == place), ())


def all_mistakes(
    data: Mapping[str, Any], systems: HrSystems, *, resolved: bool, told: Sequence[KeyPath] = ()
) -> list[tuple[KeyPath, str]]:
    """Every mistake of a company, with its key's path."""
    context = {"systems": systems, "resolved": resolved}
    found = collect(
        lambda document: Company.model_validate(document, context=context),
        data,
        stand_in=_stand_in,
        rests_on=_rests_on,
        told=told,
    )
    return [(loc, _sentence(loc, error)) for loc, error in found]
