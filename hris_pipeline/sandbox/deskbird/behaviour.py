"""How the sandbox's deskbird behaves: one typed object for every deviation that a real SCIM service
is known to have.

The default is a strict service: RFC 7644, true totals, stable order, honest answers. Each field is
one deviation, so any mixture can be had; the same fields are the JSON that ``PUT
/_sandbox/behaviour`` and ``hris-pipeline sandbox --deskbird`` take::

    {
        "forms": {"manager": "entra"},
        "paging": {"total": "page"},
        "refusals": [{"who": "personio:7", "status": 403}]
    }

Nothing is carried out here: :mod:`~hris_pipeline.sandbox.deskbird.forms` reads requests by
:class:`Forms`, :mod:`~hris_pipeline.sandbox.deskbird.answers` shapes answers by :class:`Paging`,
:class:`Answers` and :class:`Odd`, and :mod:`~hris_pipeline.sandbox.deskbird` does the rest.
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Literal

import msgspec

Dialect = Literal["rfc", "entra"]
Form = Literal["rfc", "entra", "both"]
Row = Literal["active", "attributes", "empty", "add_members", "remove_members", "manager"]
Otherwise = Literal["refused", "untyped", "ignored", "taken"]
Along = Literal["taken", "ignored", "refused"]
ErrorShape = Literal["scim", "untyped", "json", "list", "text", "html", "empty", "null"]


class Forms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which form of each write is understood: a row for each row of the table of the two dialects.

    ==================  ==================================  ======================================
    row                 ``rfc``                             ``entra``
    ==================  ==================================  ======================================
    ``active``          a boolean, by path or in an object  by path, True and False (or a boolean)
    ``attributes``      by path, or several in an object    a plain value by path, one each
    ``empty``           ``add`` of one attribute            ``Add`` of one attribute
    ``add_members``     ``add`` of a list                   ``Add`` of a list
    ``remove_members``  ``members[value eq "ID"]``          path ``members``, a list of objects
    ``manager``         ``{"value": "ID"}``                 the bare ID
    ==================  ==================================  ======================================

    ``op`` says whether the case of ``op`` counts: ``any``, or ``strict`` (lower case in a row of
    the RFC, capitalised in one of Entra; any case where a row takes both). What is not understood
    is ``otherwise``: ``refused`` (400 with a scimType), ``untyped`` (400 without), ``ignored``
    (acknowledged, nothing is done) or ``taken`` (done without what is not understood: a removal of
    members by a list then removes them all); ``exceptions`` says it for single rows.
    """

    active: Form = "both"  # as the package takes it
    attributes: Form = "rfc"
    empty: Form = "rfc"
    add_members: Form = "rfc"
    remove_members: Form = "rfc"
    manager: Form = "rfc"
    op: Literal["any", "strict"] = "any"
    # `active` of a row that takes Entra's form: True and False as words only
    words_only: bool = False
    dotted_keys: bool = True  # an object without a path may have keys such as name.givenName
    otherwise: Otherwise = "refused"
    exceptions: dict[Row, Otherwise] = {}
    post_manager: Along = "taken"  # a manager in a POST
    post_members: Along = "taken"  # members in a POST

    def of(self, row: Row) -> Form:
        """The form that a row takes."""
        form: Form = getattr(self, row)
        return form


RFC = Forms()
ENTRA = Forms(
    active="entra",
    attributes="entra",
    empty="entra",
    add_members="entra",
    remove_members="entra",
    manager="entra",
    op="strict",
    post_manager="refused",
    post_members="refused",
)
FORMS: Mapping[Dialect, Forms] = {"rfc": RFC, "entra": ENTRA}
"""The two dialects as the documented clients speak them."""


class Paging(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How lists are given.

    ``total``: the truth, the size of the page, the truth up to ``cap``, one too few, one too many,
    or another number each time. ``start``: ``startIndex`` honoured, ignored, or ignored while the
    answer repeats what was asked for. ``order``: stable, or another one at each request. ``sort``:
    ``sortBy`` refused, ignored, announced, or known without being announced. ``cursor``: none,
    announced beside ``startIndex``, or the only way (RFC 9865). ``repeats``: each page after the
    first begins with the last record of the page before. ``size`` is the largest page.
    """

    size: int = 100
    size_announced: bool = True
    total: Literal["true", "page", "capped", "low", "high", "changing"] = "true"
    cap: int = 10
    start: Literal["honoured", "ignored", "echoed"] = "honoured"
    items_per_page: Literal["true", "zero", "missing"] = "true"
    order: Literal["stable", "shuffled"] = "stable"
    sort: Literal["refused", "ignored", "announced", "unannounced"] = "refused"
    cursor: Literal["no", "also", "only"] = "no"
    repeats: bool = False
    without_resources: bool = False  # an empty page has no Resources


PAGINGS: Mapping[str, Paging] = {
    "total_is_page": Paging(size=7, total="page"),
    "total_capped": Paging(size=7, total="capped"),
    "total_low": Paging(size=7, total="low"),
    "total_high": Paging(size=7, total="high"),
    "total_changing": Paging(size=7, total="changing"),
    "start_ignored": Paging(size=7, start="ignored"),
    "start_echoed": Paging(size=7, start="echoed"),
    "items_zero": Paging(size=7, items_per_page="zero"),
    "items_missing": Paging(size=7, items_per_page="missing"),
    "small_pages": Paging(size=7, size_announced=False),
    "shuffled": Paging(size=7, order="shuffled", sort="ignored"),
    "shuffled_unsortable": Paging(size=7, order="shuffled", sort="refused"),
    "shuffled_sortable": Paging(size=7, order="shuffled", sort="announced"),
    "shuffled_sortable_untold": Paging(size=7, order="shuffled", sort="unannounced"),
    "cursor_also": Paging(size=7, cursor="also"),
    "cursor_only": Paging(size=7, cursor="only"),
    "repeats": Paging(size=7, repeats=True),
    "without_resources": Paging(size=7, without_resources=True),
}
"""Every way of paging by a name; a list of more than seven has several pages."""


class Answers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What answers look like.

    ``created``: a 201 with the resource, or without a body and with ``Location`` (absolute, or
    relative to the host), or with neither. ``tags``: honoured; ``strong``: weak tags are compared
    strongly, so that none ever matches; ``rewritten``: lists show another tag than single records,
    whose tag matches; ``moving``: another tag at each read, and none matches. ``errors``: the body
    of every error. ``urls`` relative: ``location`` and ``$ref``.
    """

    created: Literal["resource", "location", "relative_location", "nothing"] = "resource"
    patched: Literal[200, 204] = 204
    tags: Literal["honoured", "strong", "rewritten", "moving", "none"] = "honoured"
    errors: ErrorShape = "scim"
    bom: bool = False
    charset: str | None = None  # of the body, and named in its content type
    urls: Literal["absolute", "relative"] = "absolute"


class Refusal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A write that is refused.

    ``who`` is a shell pattern over the record's ``externalId``, ``userName`` or ``displayName``, or
    id. ``what``: ``*`` any write of it; ``create``; ``update``; an attribute by its SCIM name
    (``displayName``, ``name.familyName``, ``active``, ``manager``); ``member``: ``who`` is a member
    of a group, and ``on`` the operation. Status 204 (201 of a POST) acknowledges and forgets that
    attribute or member; status 200 with ``error: html`` is a gateway in the service's place.
    """

    who: str = "*"
    what: str = "*"
    status: int = 400
    scim_type: str | None = None
    error: ErrorShape = "scim"
    on: Literal["add", "remove", "*"] = "add"
    group: str = "*"  # of a member: the group's externalId, displayName or id
    methods: tuple[Literal["POST", "PATCH", "PUT"], ...] = ("POST", "PATCH", "PUT")

    @property
    def forgets(self) -> bool:
        """Whether the write is acknowledged and forgotten instead."""
        return self.status in {201, 204}

    def means(self, marks: frozenset[str]) -> bool:
        """Whether a record with these marks is meant."""
        return any(fnmatchcase(mark, self.who) for mark in marks)


class Odd(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A record that is shown oddly wherever it is shown; ``who`` as in :class:`Refusal`.

    ``number_id``: its id is a number, there and wherever it is referred to. ``no_id``: it has none.
    ``null_email``: ``emails`` is ``[null]``. ``null_member``: ``members`` begins with null.
    ``surrogate``: half a character in ``displayName``. ``text_active``: ``active`` is a word.
    ``list_name``: ``name`` is a list. ``number_external_id``: ``externalId`` is a number.
    ``null``: the record itself is null (in lists).
    """

    who: str
    kind: Literal[
        "number_id",
        "no_id",
        "null_email",
        "null_member",
        "surrogate",
        "text_active",
        "list_name",
        "number_external_id",
        "null",
    ]

    def means(self, marks: frozenset[str]) -> bool:
        """Whether a record with these marks is meant."""
        return any(fnmatchcase(mark, self.who) for mark in marks)


class Behaviour(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that one deskbird does otherwise than a strict service.

    ``seats``: creations and reactivations are refused with ``seats_status`` while so many users are
    active. ``ignores``: attributes (``manager``, ``members``, ``externalId``, ...) whose writes are
    acknowledged and forgotten. ``hides``: those of ``manager`` and ``members`` that are never given
    back. ``members_shown``: how many members of a group are shown, in lists or everywhere.
    ``add_replaces``: members that are added take the place of those who were there. ``clears``: a
    change of the key's attribute empties the value's.
    """

    forms: Forms = RFC
    paging: Paging = Paging()
    answers: Answers = Answers()
    refusals: tuple[Refusal, ...] = ()
    odd: tuple[Odd, ...] = ()
    seats: int | None = None
    seats_status: int = 402
    ignores: frozenset[str] = frozenset()
    hides: frozenset[Literal["manager", "members"]] = frozenset()
    members_shown: int | None = None
    members_shown_in: Literal["lists", "everywhere"] = "everywhere"
    member_limit: int = 100
    add_replaces: bool = False
    clears: dict[str, str] = {}
    put: bool = True  # PUT is taken; Entra's clients send none
    delete_users: bool = False  # DELETE removes a user for good; deskbird's clients only deactivate


PRESETS: Mapping[str, Behaviour] = {
    "rfc": Behaviour(),
    "entra": Behaviour(forms=ENTRA, put=False),
    **{name: Behaviour(paging=paging) for name, paging in PAGINGS.items()},
}
"""Behaviours that have a name: the two dialects, and every way of paging."""


def named(text: str) -> Behaviour:
    """A behaviour by its name in :data:`PRESETS`, or as JSON; ValueError where it is neither, with
    a sentence for people.
    """
    if text in PRESETS:
        return PRESETS[text]
    if not text.lstrip().startswith("{"):
        raise ValueError(
            f"there is no behaviour {text!r}; there are {', '.join(PRESETS)}, or a JSON object"
        )
    try:
        return msgspec.json.decode(text, type=Behaviour)
    except msgspec.DecodeError as problem:
        raise ValueError(f"that is no behaviour: {problem}") from None
