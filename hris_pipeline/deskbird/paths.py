"""Where SCIM has an attribute: ``title``, ``name.givenName`` or ``phoneNumbers[type eq
"work"].value``.
"""

import re
from dataclasses import dataclass
from typing import Any, Self

from hris_pipeline.contracts.attributes import ATTRIBUTES

_FORM = re.compile(r'(\w+)(?:\[type eq "(\w+)"\])?(?:\.(\w+))?')


@dataclass(frozen=True)
class Path:
    """A path taken apart: ``root[type eq "type"].sub``, of which only ``root`` must be."""

    text: str
    root: str
    type: str | None
    sub: str | None

    @classmethod
    def of(cls, text: str) -> Self:
        """Take a path apart."""
        found = _FORM.fullmatch(text)
        if found is None:
            raise ValueError(text)
        return cls(text, *found.groups())

    @property
    def element(self) -> str:
        """The element of a list, without what of it is meant."""
        return f'{self.root}[type eq "{self.type}"]'

    def new_element(self, value: object) -> list[dict[str, Any]]:
        """What a list is to be given where it has no such element."""
        return [{"type": self.type, self.sub or "value": value}]

    def put(self, body: dict[str, Any], value: object) -> None:
        """Put a value into a record that is to be created."""
        if self.type:
            body.setdefault(self.root, []).extend(self.new_element(value))
        elif self.sub:
            body.setdefault(self.root, {})[self.sub] = value
        else:
            body[self.root] = value

    def find(self, given: Any) -> str | None:
        """The value in what a record has at ``root``; None where there is none, or something else
        than text.
        """
        if self.type:
            elements = (
                [each for each in given if isinstance(each, dict)]
                if isinstance(given, list)
                else []
            )
            given = next(
                (each for each in elements if str(each.get("type") or "").lower() == self.type),
                None,
            )
        if self.sub:
            given = given.get(self.sub) if isinstance(given, dict) else None
        return given if isinstance(given, str) and given else None


NAMED = {
    attribute.name: Path.of(attribute.paths[0]) for attribute in ATTRIBUTES if attribute.opt_in
}
"""Where the attributes are that a company file has to name."""
ELEMENTS = tuple(name for name, path in NAMED.items() if path.type)
"""Those of them that are an element of a list."""
