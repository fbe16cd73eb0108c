"""The messages, in both dialects, and that every RFC one is valid by the makers of the models."""

import pytest
from scim2_models import Context, EnterpriseUser, PatchOp
from scim2_models import Group as GroupModel
from scim2_models import User as UserModel
from scim2_server.utils import load_default_provider

from hris_pipeline.contracts.writes import MANAGER as MANAGER_ATOM
from hris_pipeline.contracts.writes import UserRef, Write
from hris_pipeline.deskbird.dialects import (
    ENTERPRISE,
    MANAGER,
    USER,
    WORK_EMAIL,
    kinds_of,
    quoted,
    requests_for,
)

KNOWN = {"p:1": "u1", "p:2": "u2", "p:3": "u3", "p:4": 'u"4'}
ANNA = {
    "hris_ref": "p:9", "email": "anna@example.com", "given_name": "Anna", "family_name": "Berg",
    "display_name": "Anna Berg", "active": True,
}  # fmt: skip
PHOTO = {"primary": True, "type": "photo", "value": "data:x"}


def ids(ref: UserRef) -> str | None:
    return ref.deskbird_id or KNOWN.get(ref.hris_ref)


def user(after, before=None, **more):
    return Write(
        1,
        1,
        "update_user",
        "p:9",
        "u9",
        after,
        before if before is not None else dict.fromkeys(after, "x"),
        **more,
    )


def group(after=None, before=None, **more):
    return Write(
        1,
        1,
        "update_group",
        "p:team:1",
        "g1",
        after or {},
        before or dict.fromkeys(after or {}, "x"),
        **more,
    )


def operations(write, dialect):
    requests = requests_for(write, dialect, ids)
    assert all(request.method == "PATCH" for request in requests)
    return [request.body["Operations"] for request in requests]


EVERY_UPDATE = {
    "deactivate": user({"active": False}),
    "name and address": user(
        {"email": "b@example.com", "family_name": "Berg", "display_name": "Anna Berg"}
    ),
    "everything": user({**ANNA, "active": False}, manager=UserRef("p:1")),
    "was empty": user(
        {"hris_ref": "p:9", "given_name": "Anna"}, {"hris_ref": None, "given_name": None}
    ),
    "userName of its own": user({"email": "b@example.com", "user_name": "anna"}),
    "no marker any more": user({"hris_ref": None}),
    "no e-mail yet": user({"email": "b@example.com"}, {"email": None}),
    "cleared": user({"given_name": None}),
    "photo": user({"photo": "data:image/png;base64,AA=="}, {"photo": None}),
    "no photo": user({"photo": None}),
    "photo and name": user({"given_name": "Anna", "photo": "data:image/png;base64,AA=="}),
    "manager": user({}, manager=UserRef("p:1")),
    "no manager": user({}, clear_manager=True),
    "rename": group({"name": "Sales"}),
    "link group": group({"name": "Sales", "hris_ref": "p:team:1"}),
    "members": group(
        {"name": "Sales"},
        add=(UserRef("p:1"), UserRef("p:2")),
        remove=(UserRef("p:3"), UserRef("p:4")),
    ),
}


@pytest.mark.parametrize("name", EVERY_UPDATE)
def test_every_update_is_one_valid_patch_in_the_rfcs_dialect(name):
    write = EVERY_UPDATE[name]
    (request,) = requests_for(write, "rfc", ids)
    model = (
        PatchOp[GroupModel] if write.kind == "update_group" else PatchOp[UserModel[EnterpriseUser]]
    )
    model.model_validate(dict(request.body), scim_ctx=Context.RESOURCE_PATCH_REQUEST)
    assert request.path == ("/Groups/{id}" if write.kind == "update_group" else "/Users/{id}")
    assert request.kinds == kinds_of(write)


@pytest.mark.parametrize("dialect", ["rfc", "entra"])
def test_a_user_name_that_is_not_the_address_goes_its_own_way(dialect):
    (together,) = operations(user({"email": "b@example.com", "user_name": "anna"}), dialect)
    assert {operation["path"]: operation["value"] for operation in together} == {
        WORK_EMAIL: "b@example.com",
        "userName": "anna",
    }
    (alone,) = operations(user({"user_name": "anna"}), dialect)
    assert [operation["path"] for operation in alone] == ["userName"]


def test_creations_are_valid_by_the_rfc():
    (post,) = requests_for(
        Write(1, 1, "create_user", "p:9", None, ANNA, manager=UserRef("p:1")), "rfc", ids
    )
    # by the schemas of RFC 7643 as the server publishes them; the package's own model wants a $ref,
    # which RFC 7643 does not
    provider = load_default_provider()
    model = provider.model_for(
        next(kind for kind in provider.resource_types if kind.name == "User")
    )
    made = model.model_validate(
        dict(post.body), scim_ctx=Context.RESOURCE_CREATION_REQUEST, scim_provider=provider
    )
    assert made.user_name == "anna@example.com"
    (post,) = requests_for(
        Write(
            1,
            1,
            "create_group",
            "p:team:1",
            None,
            {"hris_ref": "p:team:1", "name": "Sales"},
            add=(UserRef("p:1"),),
        ),
        "rfc",
        ids,
    )
    GroupModel.model_validate(dict(post.body), scim_ctx=Context.RESOURCE_CREATION_REQUEST)
    assert post.body["members"] == [{"value": "u1"}]


def test_a_creation_takes_the_manager_along_in_the_rfc_and_not_in_entras_dialect():
    write = Write(1, 1, "create_user", "p:9", None, ANNA, manager=UserRef("p:1"))
    (post,) = requests_for(write, "rfc", ids)
    assert post.body == {
        "schemas": [USER, ENTERPRISE],
        "externalId": "p:9",
        "userName": "anna@example.com",
        "active": True,
        "emails": [{"primary": True, "type": "work", "value": "anna@example.com"}],
        "name": {"givenName": "Anna", "familyName": "Berg", "formatted": "Anna Berg"},
        "displayName": "Anna Berg",
        ENTERPRISE: {"manager": {"value": "u1"}},
    }
    assert post.kinds == ("user_create", "manager")
    post, patch = requests_for(write, "entra", ids)
    assert ENTERPRISE not in post.body
    assert patch.body["Operations"] == [{"op": "Add", "path": MANAGER, "value": "u1"}]


def test_a_manager_nobody_knows_stays_out_of_the_creation():
    for dialect in ("rfc", "entra"):
        (post,) = requests_for(
            Write(1, 1, "create_user", "p:9", None, ANNA, manager=UserRef("p:77")), dialect, ids
        )
        assert ENTERPRISE not in post.body


def test_deactivation_in_both_dialects():
    assert operations(user({"active": False}), "rfc") == [
        [{"op": "replace", "path": "active", "value": False}]
    ]
    assert operations(user({"active": False}), "entra") == [
        [{"op": "Replace", "path": "active", "value": "False"}]
    ]
    assert operations(user({"active": True}), "rfc") == [
        [{"op": "replace", "path": "active", "value": True}]
    ]
    assert operations(user({"active": True}), "entra") == [
        [{"op": "Replace", "path": "active", "value": "True"}]
    ]


def test_several_attributes_in_both_dialects():
    write = user({"email": "b@example.com", "family_name": "Berg", "active": False})
    assert operations(write, "rfc") == [
        [
            {"op": "replace", "path": WORK_EMAIL, "value": "b@example.com"},
            {"op": "replace", "value": {"userName": "b@example.com", "name.familyName": "Berg"}},
            # always in this one form, so that its proof holds
            {"op": "replace", "path": "active", "value": False},
        ]
    ]
    assert operations(write, "entra") == [
        [
            {"op": "Replace", "path": "userName", "value": "b@example.com"},
            {"op": "Replace", "path": WORK_EMAIL, "value": "b@example.com"},
            {"op": "Replace", "path": "name.familyName", "value": "Berg"},
            {"op": "Replace", "path": "active", "value": "False"},
        ]
    ]


def test_the_formatted_name_follows_the_display_name():
    assert operations(user({"display_name": "Anna Berg"}), "rfc") == [
        [{"op": "replace", "value": {"displayName": "Anna Berg", "name.formatted": "Anna Berg"}}]
    ]


def test_what_was_empty_is_added_and_what_is_cleared_is_removed():
    write = user(
        {"given_name": "Anna", "family_name": None}, {"given_name": None, "family_name": "Berg"}
    )
    wanted = [
        {"op": "add", "path": "name.givenName", "value": "Anna"},
        {"op": "remove", "path": "name.familyName"},
    ]
    assert operations(write, "rfc") == [wanted]
    assert operations(write, "entra") == [
        [{**operation, "op": operation["op"].title()} for operation in wanted]
    ]


def test_a_work_e_mail_where_there_was_none_is_added_because_a_filter_would_match_nothing():
    write = user({"email": "b@example.com"}, {"email": None})
    work = {"primary": True, "type": "work", "value": "b@example.com"}
    name = {"path": "userName", "value": "b@example.com"}
    assert operations(write, "rfc") == [
        [{"op": "add", "path": "emails", "value": [work]}, {"op": "replace", **name}]
    ]
    added = {"op": "Add", "path": WORK_EMAIL, "value": "b@example.com"}
    assert operations(write, "entra") == [[{"op": "Replace", **name}, added]]


def test_managers_and_members_are_patches_of_their_own_in_entras_dialect():
    write = group({"name": "Sales"}, add=(UserRef("p:1"), UserRef("p:2")), remove=(UserRef("p:3"),))
    assert operations(write, "entra") == [
        [{"op": "Replace", "path": "displayName", "value": "Sales"}],
        [{"op": "Remove", "path": "members", "value": [{"value": "u3"}]}],
        [{"op": "Add", "path": "members", "value": [{"value": "u1"}, {"value": "u2"}]}],
    ]
    assert operations(write, "rfc") == [
        [
            {"op": "replace", "path": "displayName", "value": "Sales"},
            {"op": "remove", "path": 'members[value eq "u3"]'},
            {"op": "add", "path": "members", "value": [{"value": "u1"}, {"value": "u2"}]},
        ]
    ]
    assert operations(user({"active": True}, manager=UserRef("p:1")), "entra")[1] == [
        {"op": "Add", "path": MANAGER, "value": "u1"}
    ]
    assert operations(user({}, clear_manager=True), "entra") == [
        [{"op": "Remove", "path": MANAGER}]
    ]


def test_each_form_may_have_its_own_dialect():
    write = user({"family_name": "Berg", "active": False}, manager=UserRef("p:1"))
    spoken = {"user_update.replace": "rfc", "user_active": "entra", "manager.set": "rfc"}
    first, second = requests_for(write, spoken, ids)
    assert (first.kinds, first.forms) == (
        ("user_update", "manager"),
        ("user_update.replace", "manager.set"),
    )
    assert (second.kinds, second.forms) == (("user_active",), ("user_active",))
    assert [request.kinds for request in requests_for(write.only({MANAGER_ATOM}), "rfc", ids)] == [
        ("manager",)
    ]


def test_several_attributes_are_one_by_one_where_a_replace_without_a_path_is_not_understood():
    write = user({"given_name": "Anna", "family_name": "Berg"})
    (together,) = operations(write, {"user_update.several": "entra", "user_update.replace": "rfc"})
    assert together == [
        {"op": "replace", "path": "name.givenName", "value": "Anna"},
        {"op": "replace", "path": "name.familyName", "value": "Berg"},
    ]
    (request,) = requests_for(write, "rfc", ids)
    assert request.carries == {
        "user_update.several": (("attribute", "given_name"), ("attribute", "family_name"))
    }


def test_a_post_takes_manager_and_members_along_or_not_by_a_form_of_its_own():
    write = Write(1, 1, "create_user", "p:9", None, ANNA, manager=UserRef("p:1"))
    post, patch = requests_for(write, {"user_create.manager": "entra", "manager.set": "rfc"}, ids)
    assert (post.forms, patch.forms) == (("user_create",), ("manager.set",))
    assert patch.body["Operations"] == [{"op": "add", "path": MANAGER, "value": {"value": "u1"}}]
    write = Write(1, 1, "create_group", "p:team:1", None, {"name": "Sales"}, add=(UserRef("p:1"),))
    (post,) = requests_for(write, "rfc", ids)
    assert post.forms == ("group_create", "group_create.members")
    post, patch = requests_for(write, {"group_create.members": "entra"}, ids)
    assert (post.forms, patch.forms) == (("group_create",), ("members_add",))


def test_what_would_be_an_empty_request_is_none():
    assert requests_for(user({}, manager=UserRef("p:77")), "entra", ids) == []
    assert requests_for(group(add=(UserRef("p:77"),)), "rfc", ids) == []


def test_quotes_in_ids_and_filters_are_escaped():
    assert quoted('a"b\\ü') == '"a\\"b\\\\ü"'
    assert operations(group(remove=(UserRef("p:4"),)), "rfc") == [
        [{"op": "remove", "path": 'members[value eq "u\\"4"]'}]
    ]


@pytest.mark.parametrize(
    ("dialect", "before", "after", "operation"),
    [
        (
            "rfc",
            None,
            "data:x",
            {"op": "replace", "path": "photos", "value": [PHOTO]},
        ),
        (
            "rfc",
            "y",
            "data:x",
            {"op": "replace", "path": "photos", "value": [PHOTO]},
        ),
        ("rfc", "y", None, {"op": "remove", "path": "photos"}),
        (
            "entra",
            None,
            "data:x",
            {"op": "Add", "path": 'photos[type eq "photo"].value', "value": "data:x"},
        ),
        (
            "entra",
            "y",
            "data:x",
            {"op": "Replace", "path": 'photos[type eq "photo"].value', "value": "data:x"},
        ),
        ("entra", "y", None, {"op": "Remove", "path": 'photos[type eq "photo"].value'}),
    ],
)
def test_a_photo_is_replaced_as_a_whole_or_by_entras_path(dialect, before, after, operation):
    assert operations(user({"photo": after}, {"photo": before}), dialect) == [[operation]]
    assert kinds_of(user({"photo": after}, {"photo": before})) == ("user_photo",)
