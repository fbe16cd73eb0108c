"""What every section of the company file has in common: no unknown keys, no guessing of types."""

import difflib
from collections.abc import Collection, Mapping
from typing import Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from hris_pipeline.settings.mistakes import KeyPath, lines_of, missing_key, refuse_all, unknown_key


def closest(word: str, known: Collection[str]) -> str | None:
    """The known word that this one looks like."""
    close = difflib.get_close_matches(word.lower(), known, n=1)
    return close[0] if close else None


def did_you_mean(word: str, known: Collection[str]) -> str:
    """A question that goes on from a mistake; empty where no known word looks like this one."""
    close = closest(word, known)
    return f" Did you mean {close}?" if close else ""


def _wrong_keys(
    model: type[BaseModel], given: Mapping[object, object]
) -> list[tuple[KeyPath, PydanticCustomError]]:
    """The keys that ``model`` does not have, and the required ones that are missing.

    A misspelt key is one mistake: the key that it should have been is not missing too.
    """
    # the company's name is not a key of its file
    allowed = [name for name in model.model_fields if name != "name"]
    known = f"Known here: {', '.join(allowed)}." if allowed else "There are no keys here."
    unknown = {
        key: closest(key, allowed) for key in map(str, given) if key not in model.model_fields
    }
    wrong: list[tuple[KeyPath, PydanticCustomError]] = [
        (
            (key,),
            unknown_key(
                f"is not a known key.{f' Did you mean {meant}?' if meant else ''} {known}", meant
            ),
        )
        for key, meant in unknown.items()
    ]
    missing = {
        name: field
        for name, field in model.model_fields.items()
        if field.is_required() and name not in given
    }
    return wrong + [
        ((name,), missing_key(f"is missing: {field.description}."))
        for name, field in missing.items()
        if name not in unknown.values()
    ]


class Settings(BaseModel):
    """A section of the company file: no unknown keys, no guessing of types, not changed after
    loading.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        validate_default=True,
        hide_input_in_errors=True,
    )

    @model_validator(mode="wrap")
    @classmethod
    def _keys(cls, given: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Wrong keys and wrong values together."""
        if not isinstance(given, Mapping):
            return handler(given)
        wrong = _wrong_keys(cls, given)
        if not wrong:
            return handler(given)
        lines = []
        try:
            handler({key: value for key, value in given.items() if key in cls.model_fields})
        except ValidationError as problem:
            # said in our own words
            lines = [line for line in lines_of(problem) if line["type"] != "missing"]
        refuse_all(
            [*(InitErrorDetails(type=what, loc=loc, input=None) for loc, what in wrong), *lines]
        )
        raise AssertionError
