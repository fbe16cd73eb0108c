"""The page ``docs/company-file.md``: every key of a company file, written from the sections
themselves.

``python -m hris_pipeline.settings.reference`` prints it.
"""

import json
import re
from collections.abc import Iterator
from typing import Annotated, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from hris_pipeline.settings.base import Settings
from hris_pipeline.settings.company import Company

_HEAD = """# The company file

Written by `python -m hris_pipeline.settings.reference`.

Every key of `companies/<name>.yaml`. Only `hris` and `deskbird` are required; `hris-pipeline init`
writes a file to begin with, and `hris-pipeline doctor` checks one. A value `${NAME}` is read from
the environment. An unknown key is an error, and so is a value of another type. Each HR system has
credentials and `options` of its own: [systems.md](systems.md) lists them.
"""


def page() -> str:
    """The whole page, as Markdown."""
    return "\n".join([_HEAD, *_section("", Company)])


def _section(path: str, model: type[BaseModel]) -> Iterator[str]:
    """A section, the table of its keys, and the sections in it."""
    keys = {name: field for name, field in model.model_fields.items() if path or name != "name"}
    if path:
        yield f"## `{path}`\n\n{_summary(model)}\n"
    if keys:
        yield "| key | default | meaning |\n|---|---|---|"
        yield from (
            f"| `{name}` | {_default(field)} | {_meaning(model, name)} |"
            for name, field in keys.items()
        )
        yield ""
    for name, field in keys.items():
        if (section := _model_of(field)) and section.model_fields:
            each = ".<connection>" if name == "hris" else ""
            yield from _section(f"{path}.{name}{each}".lstrip("."), section)


def _model_of(field: FieldInfo) -> type[BaseModel] | None:
    """The section that a key holds; None where it holds a value."""
    for each in (field.annotation, *get_args(field.annotation)):
        kind = next(iter(get_args(each)), each) if get_origin(each) is Annotated else each
        if isinstance(kind, type) and issubclass(kind, Settings) and kind is not Settings:
            return kind
    return None


def _summary(model: type[BaseModel]) -> str:
    first, *_ = (model.__doc__ or "").split("\n\n")
    return re.sub(r":\w+:`([^`]+)`", r"`\1`", " ".join(first.split()).replace("``", "`"))


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if isinstance(field.default, BaseModel):
        return "see below" if field.default.__class__.model_fields else "`{}`"
    return f"`{json.dumps(field.default, default=str)}`"


def _meaning(model: type[BaseModel], name: str) -> str:
    """What a key's description says, its own or an inherited one, and what it can be."""
    parents = (parent for parent in model.mro() if issubclass(parent, Settings))
    fields = (parent.model_fields[name] for parent in parents if name in parent.model_fields)
    said = next((field.description for field in fields if field.description), "").replace(
        "|", "\\|"
    )
    kind = model.model_fields[name].annotation
    return (
        f"{said} ({' or '.join(f'`{each}`' for each in get_args(kind))})"
        if get_origin(kind) is Literal
        else said
    )


if __name__ == "__main__":
    print(page(), end="")
