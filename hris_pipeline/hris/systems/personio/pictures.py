"""Profile pictures: only v1 has them, for both generations, because a person's id is the same
number and a token serves both.

``GET /v1/company/employees/{id}/profile-picture/{width}`` answers 404 where there is no picture,
and likewise where the credential may not read the attribute (the vendor's personnel data document).
So the list of readable attributes is asked for first: a 404 means "none" only where Profile Picture
is on it.
"""

import contextlib
from collections.abc import Iterator, Sequence
from urllib.parse import quote

import msgspec
from msgspec import Struct

from hris_pipeline.contracts.photos import LARGEST, Asked, Photo, photo
from hris_pipeline.errors import HrisError
from hris_pipeline.hris.api import Api, in_order, peek
from hris_pipeline.hris.systems.personio import v1

# pixels: sharp where people are shown small, and some tens of kilobytes, which services take
WIDTH = 256
RIGHT = "the right to read Employees, with the attribute Profile Picture,"
FAULTS_IN_A_ROW = 10  # pictures that could not be had before no more are asked for tonight


class _Refusal(Struct):
    success: bool


_REFUSAL = msgspec.json.Decoder(_Refusal)


def read(api: Api, asked: Sequence[Asked], *, concurrency: int) -> Iterator[Photo]:
    """The pictures, asked for several at a time under the client's pacer.

    What a :class:`~hris_pipeline.contracts.photos.PhotoSource` gives.
    """
    if not asked:
        return
    _require_right(api)
    faults = 0

    def one(wanted: Asked) -> Photo:
        if faults >= FAULTS_IN_A_ROW:
            return Photo(wanted.id, "no_answer")
        return _ask(api, wanted)

    with contextlib.closing(
        in_order(one, asked, workers=concurrency, stop=api.client.stop)
    ) as answers:
        for _, answer in answers:
            faults = faults + 1 if answer.outcome == "no_answer" else 0
            yield answer


def _require_right(api: Api) -> None:
    if "profile_picture" not in v1.readable(api, RIGHT):
        raise HrisError(
            f"{api.title} connection '{api.connection}' does not show the attribute Profile "
            "Picture to this credential. No photo was read; those in deskbird stay. Tick Profile "
            f"Picture among the readable attributes under {api.rights_at}."
        )


def _ask(api: Api, wanted: Asked) -> Photo:
    path = f"{v1.PATH}/{quote(wanted.id, safe='')}/profile-picture/{WIDTH}"
    headers = {"Accept": "image/*, application/json;q=0.5"} | (
        {"If-None-Match": wanted.etag} if wanted.etag else {}
    )
    try:
        response = api.get(
            path,
            where="a profile picture",
            right=RIGHT,
            accept={304, 404},
            headers=headers,
            at_most=LARGEST,
        )
    except HrisError:
        return Photo(wanted.id, "no_answer")
    if response.status_code == 304:
        return Photo(wanted.id, "unchanged" if wanted.etag else "no_answer")
    if response.status_code == 404:  # Personio's own, or that of something on the way to it
        refusal = peek(response, _REFUSAL)
        return Photo(wanted.id, "none" if refusal and not refusal.success else "no_answer")
    return photo(wanted.id, response.content, response.headers.get("etag"))
