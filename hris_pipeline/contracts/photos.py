"""What a connection that has profile photos gives: the picture, that there is none, or why nothing
is known.

A picture that could not be had never fails a night: it is an answer like any other, and nothing is
concluded from it.
"""

import hashlib
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

LARGEST = 1_000_000  # bytes of one picture
_SIGNS = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
}

Outcome = Literal["picture", "none", "unchanged", "too_large", "not_an_image", "no_answer"]


@dataclass(frozen=True)
class Asked:
    """Whose picture to ask for, and the validator that came with the one we know."""

    id: str  # in that HR system
    etag: str | None = None


@dataclass(frozen=True)
class Photo:
    """The answer to one :class:`Asked`. ``unchanged``: it is still the picture that the validator
    belongs to.
    """

    id: str
    outcome: Outcome
    content: bytes | None = field(default=None, repr=False)
    media_type: str | None = None
    etag: str | None = None

    @property
    def digest(self) -> str | None:
        """``sha256:`` and hex digits of the picture: what the plan shows and what is compared."""
        return (
            None if self.content is None else f"sha256:{hashlib.sha256(self.content).hexdigest()}"
        )


class PhotoSource(Protocol):
    """A connection that has pictures (``System.photos``)."""

    def photos(self, asked: Sequence[Asked]) -> Generator[Photo]:
        """One answer for each, in their order, as they come; to be closed.

        Raises :class:`~hris_pipeline.errors.HrisError` before the first where pictures cannot be
        had at all: the credential may not read them, say.
        """
        ...


def photo(id_: str, content: bytes, etag: str | None = None) -> Photo:
    """Judge what came as a picture by its size and by its first bytes, whatever its Content-Type
    says.
    """
    if len(content) > LARGEST:
        return Photo(id_, "too_large", etag=etag)
    kind = "image/webp" if content[:4] == b"RIFF" and content[8:12] == b"WEBP" else None
    kind = kind or next(
        (media_type for sign, media_type in _SIGNS.items() if content.startswith(sign)), None
    )
    return (
        Photo(id_, "not_an_image", etag=etag)
        if kind is None
        else Photo(id_, "picture", content, kind, etag)
    )
