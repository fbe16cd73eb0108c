"""Profile pictures: a PNG of a colour for each person, drawn when it is asked for."""

import hashlib
import struct
import zlib

from hris_pipeline.sandbox.company import Person

WIDEST = 2000  # pixels; no limit is documented


def picture(person: Person, width: int) -> bytes:
    """A person's profile picture: a square PNG of one colour, which goes by the person and by which
    picture it is.
    """
    colour = hashlib.sha256(f"{person.id}:{person.photo}".encode()).digest()[:3]

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = struct.pack(">IIBBBBB", width, width, 8, 2, 0, 0, 0)
    rows = zlib.compress((b"\0" + colour * width) * width)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )
