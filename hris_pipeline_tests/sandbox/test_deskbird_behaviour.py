"""Every way in which the sandbox's deskbird can be told to be otherwise than a strict service, over
real HTTP.
"""

import codecs
import contextlib
import json

import httpx
import pytest

from hris_pipeline.sandbox.deskbird import PREFIX, TOKEN, deskbird_app
from hris_pipeline.sandbox.deskbird.behaviour import (
    PAGINGS,
    PRESETS,
    RFC,
    Answers,
    Behaviour,
    Forms,
    Odd,
    Paging,
    Refusal,
    named,
)
from hris_pipeline.sandbox.server import serve

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
MANAGER = f"{ENTERPRISE}:manager"
NAMES = ("ada", "bea", "cyd")


class Company:
    """A deskbird with Ada, Bea and Cyd (hr:ada, ...) and the group Sales (hr:sales; Bea), and a
    client of it.
    """

    def __init__(self, app, url):
        self.app, self.desk, self.url = app, app.desk, url
        self.http = httpx.Client(
            base_url=url + PREFIX, headers={"Authorization": f"Bearer {TOKEN}"}
        )
        people = [
            {
                "email": f"{name}@example.com",
                "given_name": name,
                "family_name": "X",
                "hris_ref": f"hr:{name}",
            }
            for name in NAMES
        ]
        ids = self.desk.seed(
            people, [{"name": "Sales", "members": ["bea@example.com"], "hris_ref": "hr:sales"}]
        )
        self.ada, self.bea, self.cyd = ids.values()
        self.sales = self.desk.group("Sales")["id"]

    def patch(self, path, *operations, **headers):
        return self.http.patch(
            path, json={"schemas": [PATCH], "Operations": list(operations)}, headers=headers
        )

    def post_user(self, name, **more):
        return self.http.post(
            "/Users",
            json={"schemas": [USER, ENTERPRISE], "userName": f"{name}@example.com", **more},
        )

    def post_group(self, name, *members, **more):
        body = {
            "schemas": [GROUP],
            "displayName": name,
            "members": [{"value": key} for key in members],
            **more,
        }
        return self.http.post("/Groups", json=body)

    def user(self, name="ada"):
        return self.desk.user(f"{name}@example.com")

    def members(self, name="Sales"):
        return [member["value"] for member in self.desk.group(name).get("members", [])]

    def walk(self, count=100, **query):
        """All pages of users, until one is not full; the pages."""
        pages, start = [], 1
        while True:
            page = self.http.get(
                "/Users", params={"startIndex": start, "count": count, **query}
            ).json()
            pages.append(page)
            start += len(page.get("Resources", []))
            if len(pages) > 20 or not page.get("Resources"):
                return pages


@pytest.fixture
def company():
    with contextlib.ExitStack() as stack:

        def start(behaviour=None, **changes):
            app = deskbird_app(None, requests_per_second=None, behaviour=behaviour)
            app.behave(**changes)
            made = Company(app, stack.enter_context(serve(app)).url)
            stack.callback(made.http.close)
            return made

        yield start


# --- the two dialects, row by row -----------------------------------------------------------------


def forms_of(company):
    """For each row: the operation of the RFC, that of Entra, the path, and whether it was done."""
    return {
        "active": (
            {"op": "replace", "path": "active", "value": False},
            {"op": "Replace", "path": "active", "value": "False"},
            f"/Users/{company.ada}",
            lambda: company.user()["active"] is False,
        ),
        "attributes": (
            {"op": "replace", "value": {"name.givenName": "Eve", "displayName": "Eve X"}},
            {"op": "Replace", "path": "name.givenName", "value": "Eve"},
            f"/Users/{company.ada}",
            lambda: company.user()["name"]["givenName"] == "Eve",
        ),
        "empty": (
            {"op": "add", "path": "nickName", "value": "E"},
            {"op": "Add", "path": "nickName", "value": "E"},
            f"/Users/{company.ada}",
            lambda: company.user().get("nickName") == "E",
        ),
        "add_members": (
            {"op": "add", "path": "members", "value": [{"value": company.ada}]},
            {"op": "Add", "path": "members", "value": [{"value": company.ada}]},
            f"/Groups/{company.sales}",
            lambda: company.ada in company.members(),
        ),
        "remove_members": (
            {"op": "remove", "path": f'members[value eq "{company.bea}"]'},
            {"op": "Remove", "path": "members", "value": [{"value": company.bea}]},
            f"/Groups/{company.sales}",
            lambda: company.members() == [],
        ),
        "manager": (
            {"op": "add", "path": MANAGER, "value": {"value": company.bea}},
            {"op": "Add", "path": MANAGER, "value": company.bea},
            f"/Users/{company.ada}",
            lambda: (
                company.user().get(ENTERPRISE, {}).get("manager", {}).get("value") == company.bea
            ),
        ),
    }


ROWS = ("active", "attributes", "empty", "add_members", "remove_members", "manager")


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("form", ["rfc", "entra", "both"])
@pytest.mark.parametrize("otherwise", ["refused", "untyped", "ignored"])
def test_each_row_of_the_dialects_is_taken_by_itself(company, row, form, otherwise):
    """The other rows take the other form, so that no row hangs on another."""
    rest = dict.fromkeys(ROWS, "entra" if form == "rfc" else "rfc")
    if row == "attributes" and form == "entra":
        rest["empty"] = "entra"
    made = company(forms=Forms(**{**rest, row: form}, op="strict", otherwise=otherwise))
    for spoken, number in (("rfc", 0), ("entra", 1)):
        made.desk.edit(
            made.ada, {"active": True, "nickName": None, "name.givenName": "ada", MANAGER: None}
        )
        made.desk.edit(made.sales, {"members": [{"value": made.bea}]})
        *operations, path, done = forms_of(made)[row]
        answer = made.patch(path, operations[number])
        taken = form in {spoken, "both"}
        assert answer.status_code == (204 if taken or otherwise == "ignored" else 400)
        assert done() is taken
        if answer.status_code == 400:
            assert ("scimType" in answer.json()) is (otherwise == "refused")


def test_a_removal_by_a_list_can_be_taken_for_all_members(company):
    made = company(forms=Forms(exceptions={"remove_members": "taken"}))
    made.desk.edit(made.sales, {"members": [{"value": made.bea}, {"value": made.ada}]})
    made.patch(
        f"/Groups/{made.sales}",
        {"op": "Remove", "path": "members", "value": [{"value": made.bea}]},
    )
    assert made.members() == []


def test_active_can_need_a_word(company):
    made = company(forms=Forms(active="entra", words_only=True))
    path = f"/Users/{made.ada}"
    assert made.patch(path, {"op": "Replace", "path": "active", "value": False}).status_code == 400
    assert (
        made.patch(path, {"op": "Replace", "path": "active", "value": "False"}).status_code == 204
    )
    assert made.patch(path, {"op": "Replace", "value": {"active": "True"}}).status_code == 400


def test_keys_with_a_dot_can_be_refused(company):
    made = company(forms=Forms(dotted_keys=False))
    path = f"/Users/{made.ada}"
    assert made.patch(path, {"op": "replace", "value": {"name.givenName": "E"}}).status_code == 400
    assert (
        made.patch(
            path,
            {
                "op": "replace",
                "value": {"name": {"givenName": "E"}, f"{ENTERPRISE}:division": "D"},
            },
        ).status_code
        == 204
    )
    assert made.user()[ENTERPRISE]["division"] == "D"


@pytest.mark.parametrize("along", ["taken", "ignored", "refused"])
def test_manager_and_members_of_a_post_are_taken_ignored_or_refused(company, along):
    made = company(forms=Forms(post_manager=along, post_members=along))
    user = made.post_user("new", **{ENTERPRISE: {"manager": {"value": made.bea}}})
    group = made.post_group("New", made.bea)
    assert {user.status_code, group.status_code} == {400 if along == "refused" else 201}
    if along != "refused":
        assert ("manager" in made.user("new").get(ENTERPRISE, {})) is (along == "taken")
        assert made.members("New") == ([made.bea] if along == "taken" else [])


# --- paging ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(PAGINGS))
def test_every_way_of_paging_can_be_read_to_its_own_end_or_shows_that_it_cannot(company, name):
    made = company(paging=PAGINGS[name])
    made.desk.seed(
        {"email": f"u{n:02}@example.com", "given_name": "U", "family_name": "N"} for n in range(13)
    )
    paging, everybody = PAGINGS[name], {user["id"] for user in made.desk.users()}
    pages = made.walk()
    found = [record["id"] for page in pages for record in page.get("Resources", [])]
    if name.startswith(("start", "cursor_only")):
        assert len(set(found)) == paging.size  # the first page again and again
    elif not name.startswith("shuffled"):
        assert set(found) == everybody
        assert (len(found) > len(everybody)) is paging.repeats
    totals = {page["totalResults"] for page in pages[:3]}
    expected = {"true": {16}, "page": {7, 2}, "capped": {10}, "low": {15}, "high": {17}}
    assert paging.total == "changing" or totals == expected[paging.total]
    assert ("startIndex" in pages[0]) is (paging.cursor != "only")
    assert [page.get("itemsPerPage") for page in pages[:1]] == [
        {"true": 7, "zero": 0, "missing": None}[paging.items_per_page]
    ]
    if name not in {"start_ignored", "cursor_only", "repeats"}:
        assert [page["startIndex"] for page in pages[:3]] == [1, 8, 15]
    empty = made.http.get("/Users", params={"filter": 'userName eq "nobody"'}).json()
    assert empty["totalResults"] == 0
    assert empty.get("Resources") == (None if paging.without_resources else [])


def test_a_shuffled_list_is_in_order_where_sorting_is_known(company):
    made = company(paging=PAGINGS["shuffled_sortable_untold"])
    made.desk.seed(
        {"email": f"u{n:02}@example.com", "given_name": "U", "family_name": "N"} for n in range(13)
    )
    ids = sorted(user["id"] for user in made.desk.users())

    def read(**query):
        return [record["id"] for page in made.walk(**query) for record in page["Resources"]]

    assert read(sortBy="id") == ids
    assert {tuple(read()[:7]) for _ in range(3)} != {tuple(ids[:7])}
    made.app.behave(paging=PAGINGS["shuffled"])
    assert read(sortBy="id")[:7] != ids[:7]
    made.app.behave(paging=PAGINGS["shuffled_unsortable"])
    assert made.http.get("/Users", params={"sortBy": "id"}).status_code == 501


@pytest.mark.parametrize("kind", ["also", "only"])
def test_a_cursor_leads_through_a_list(company, kind):
    made = company(paging=Paging(size=2, cursor=kind))
    assert made.http.get("/ServiceProviderConfig").json()["pagination"]["cursor"] is True
    found, cursor = [], ""
    while cursor is not None:
        page = made.http.get("/Users", params={"cursor": cursor, "count": 2}).json()
        found += [record["id"] for record in page["Resources"]]
        cursor = page.get("nextCursor")
    assert sorted(found) == sorted((made.ada, made.bea, made.cyd))


@pytest.mark.parametrize(
    ("sort", "said"),
    [("announced", True), ("unannounced", False), ("ignored", False), ("refused", False)],
)
def test_sorting_is_announced_only_where_it_is_said_so(company, sort, said):
    made = company(paging=Paging(sort=sort))
    assert made.http.get("/ServiceProviderConfig").json()["sort"]["supported"] is said


# --- refusals -------------------------------------------------------------------------------------


def renamed(made, id_):
    return made.patch(f"/Users/{id_}", {"op": "replace", "path": "displayName", "value": "New"})


@pytest.mark.parametrize("status", [402, 403, 422])
@pytest.mark.parametrize("who", ["hr:ada", "ada@example.com"])
def test_any_write_of_a_single_user_can_be_refused(company, who, status):
    made = company(refusals=(Refusal(who=who, status=status),))
    assert renamed(made, made.ada).status_code == status
    assert (
        made.patch(
            f"/Users/{made.ada}", {"op": "replace", "path": "active", "value": False}
        ).status_code
        == status
    )
    assert renamed(made, made.bea).status_code == 204
    assert (made.user()["displayName"], made.user()["active"]) == ("ada X", True)


def test_creations_of_single_people_can_be_refused(company):
    made = company(
        refusals=(
            Refusal(who="hr:new", what="create", status=403),
            Refusal(who="hr:other", status=402),
        )
    )
    answers = [
        made.post_user(name, externalId=f"hr:{name}").status_code
        for name in ("new", "other", "third")
    ]
    assert answers == [403, 402, 201]


@pytest.mark.parametrize(
    ("what", "operation"),
    [
        (
            "displayName",
            {"op": "replace", "value": {"displayName": "New", "name.familyName": "Y"}},
        ),
        (
            "name.familyName",
            {"op": "replace", "value": {"displayName": "New", "name.familyName": "Y"}},
        ),
        ("name", {"op": "replace", "path": "name.familyName", "value": "Y"}),
        (
            "emails",
            {"op": "replace", "path": 'emails[type eq "work"].value', "value": "n@example.com"},
        ),
        ("active", {"op": "replace", "value": {"active": False}}),
        ("manager", {"op": "add", "path": MANAGER, "value": {"value": "BEA"}}),
    ],
)
@pytest.mark.parametrize("status", [400, 403, 422, 204])
def test_single_attributes_of_single_users_can_be_refused_or_forgotten(
    company, what, operation, status
):
    made = company(refusals=(Refusal(who="hr:ada", what=what, status=status),))
    before = made.user()
    operation = json.loads(json.dumps(operation).replace("BEA", made.bea))
    assert made.patch(f"/Users/{made.ada}", operation).status_code == status
    after = made.user()
    top = ENTERPRISE if what == "manager" else what.partition(".")[0]
    assert (after.get(top) or {}) == (before.get(top) or {}) or what == "name.familyName"
    assert after["name"]["familyName"] == "X" or what == "displayName"
    assert made.patch(f"/Users/{made.bea}", operation).status_code == 204
    assert (
        made.patch(
            f"/Users/{made.ada}", {"op": "replace", "path": "title", "value": "Dr"}
        ).status_code
        == 204
    )


def test_a_manager_in_a_post_can_be_refused(company):
    made = company(refusals=(Refusal(who="hr:new", what="manager"),))
    assert (
        made.post_user(
            "new", externalId="hr:new", **{ENTERPRISE: {"manager": {"value": made.bea}}}
        ).status_code
        == 400
    )
    assert made.post_user("new", externalId="hr:new").status_code == 201


@pytest.mark.parametrize("status", [400, 403, 404, 204])
def test_single_members_of_groups_can_be_refused_or_forgotten(company, status):
    made = company(refusals=(Refusal(who="hr:ada", what="member", status=status),))
    added = made.patch(
        f"/Groups/{made.sales}",
        {"op": "add", "path": "members", "value": [{"value": made.ada}, {"value": made.cyd}]},
    )
    assert added.status_code == status
    assert made.members() == ([made.bea, made.cyd] if status == 204 else [made.bea])
    assert made.post_group("New", made.ada, made.cyd).status_code == (
        201 if status == 204 else status
    )
    assert made.post_group("Other", made.cyd).status_code == 201


def test_a_members_removal_and_a_single_group_can_be_meant(company):
    made = company(
        refusals=(Refusal(who="hr:bea", what="member", status=403, on="remove", group="hr:sales"),)
    )
    removal = {"op": "remove", "path": f'members[value eq "{made.bea}"]'}
    other = made.post_group("Other", made.bea).json()["id"]
    assert made.patch(f"/Groups/{made.sales}", removal).status_code == 403
    assert made.patch(f"/Groups/{other}", removal).status_code == 204


@pytest.mark.parametrize("status", [402, 403])
def test_seats_refuse_who_comes_while_all_are_taken(company, status):
    made = company(seats=3, seats_status=status)
    assert made.post_user("new").status_code == status
    assert made.post_user("idle", active=False).status_code == 201
    made.patch(f"/Users/{made.ada}", {"op": "replace", "path": "active", "value": False})
    assert made.post_user("new").status_code == 201
    assert (
        made.patch(
            f"/Users/{made.ada}", {"op": "replace", "path": "active", "value": True}
        ).status_code
        == status
    )
    assert made.user()["active"] is False


@pytest.mark.parametrize(
    "shape", ["scim", "untyped", "json", "list", "text", "html", "empty", "null"]
)
def test_the_body_of_an_error_has_any_shape(company, shape):
    made = company(refusals=(Refusal(who="hr:ada", error=shape, scim_type="invalidValue"),))
    answer = renamed(made, made.ada)
    assert answer.status_code == 400
    assert (b"scimType" in answer.content) is (shape == "scim")
    made.app.behave(Behaviour(answers=Answers(errors=shape)))
    assert made.http.get("/Users/none").status_code == 404
    assert ("html" in made.http.get("/Users/none").headers["content-type"]) is (shape == "html")


def test_a_gateway_can_answer_200_with_a_page_to_a_single_write(company):
    made = company(refusals=(Refusal(who="hr:ada", status=200, error="html"),))
    answer = renamed(made, made.ada)
    assert (answer.status_code, answer.headers["content-type"]) == (
        200,
        "text/html; charset=utf-8",
    )
    assert made.user()["displayName"] == "ada X"


# --- answers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("created", ["location", "relative_location", "nothing"])
def test_a_creation_can_be_answered_without_a_body(company, created):
    made = company(answers=Answers(created=created))
    answer = made.post_user("new")
    path = f"{PREFIX}/Users/{made.user('new')['id']}"
    location = {"location": made.url + path, "relative_location": path, "nothing": None}[created]
    assert (answer.status_code, answer.content, answer.headers.get("location")) == (
        201,
        b"",
        location,
    )


@pytest.mark.parametrize(
    ("tags", "listed", "single"),
    [("honoured", 204, 204), ("strong", 412, 412), ("rewritten", 412, 204), ("moving", 412, 412)],
)
def test_tags_match_or_never_do(company, tags, listed, single):
    made = company(answers=Answers(tags=tags))

    def renamed_with(version):
        answer = made.patch(
            f"/Users/{made.ada}",
            {"op": "replace", "path": "displayName", "value": "N"},
            **{"If-Match": version},
        )
        return answer.status_code

    in_list = next(r for r in made.http.get("/Users").json()["Resources"] if r["id"] == made.ada)[
        "meta"
    ]["version"]
    alone = made.http.get(f"/Users/{made.ada}").json()["meta"]["version"]
    assert (renamed_with(in_list), renamed_with(alone if tags != "honoured" else "*")) == (
        listed,
        single,
    )


def test_text_comes_with_a_mark_or_in_another_encoding(company):
    made = company(answers=Answers(bom=True))
    assert made.http.get("/Users").content.startswith(codecs.BOM_UTF8)
    made.app.behave(answers=Answers(charset="utf-16"))
    answer = made.http.get("/Users")
    assert answer.headers["content-type"] == "application/scim+json; charset=utf-16"
    assert json.loads(answer.content.decode("utf-16"))["totalResults"] == 3


def test_urls_can_be_relative(company):
    made = company(answers=Answers(urls="relative"))
    assert made.http.get(f"/Users/{made.ada}").json()["meta"]["location"] == f"Users/{made.ada}"


# --- what is done and shown -----------------------------------------------------------------------


def test_members_that_are_added_can_take_the_place_of_all(company):
    made = company(add_replaces=True)
    made.patch(
        f"/Groups/{made.sales}", {"op": "add", "path": "members", "value": [{"value": made.ada}]}
    )
    assert made.members() == [made.ada]


def test_a_change_of_one_attribute_can_empty_another(company):
    made = company(clears={"displayName": "name.givenName"})
    renamed(made, made.ada)
    assert (made.user()["displayName"], made.user()["name"]["familyName"]) == ("New", "X")
    assert "givenName" not in made.user()["name"]


@pytest.mark.parametrize("where", ["lists", "everywhere"])
def test_a_group_can_show_its_first_members_only(company, where):
    made = company(members_shown=1, members_shown_in=where)
    made.desk.edit(made.sales, {"members": [{"value": made.bea}, {"value": made.ada}]})
    (listed,) = made.http.get("/Groups").json()["Resources"]
    alone = made.http.get(f"/Groups/{made.sales}").json()
    assert (len(listed["members"]), len(alone["members"])) == (
        1,
        1 if where == "everywhere" else 2,
    )
    assert len(made.members()) == 2


def test_odd_records_are_shown_in_lists_and_alone(company):
    odd = (
        Odd(who="hr:ada", kind="null_email"),
        Odd(who="hr:ada", kind="surrogate"),
        Odd(who="hr:bea", kind="no_id"),
        Odd(who="hr:cyd", kind="null"),
        Odd(who="hr:sales", kind="null_member"),
    )
    made = company(odd=odd)
    shown = made.http.get("/Users").json()["Resources"]
    ada = next(record for record in shown if record and record.get("externalId") == "hr:ada")
    bea = next(record for record in shown if record and record.get("externalId") == "hr:bea")
    assert None in shown
    assert (ada["emails"], ada["displayName"]) == ([None], "ada X\ud83d")
    assert "id" not in bea
    assert made.http.get(f"/Users/{made.ada}").json()["emails"] == [None]
    assert made.http.get(f"/Groups/{made.sales}").json()["members"][0] is None
    assert made.user()["displayName"] == "ada X"  # only shown so


@pytest.mark.parametrize(
    ("kind", "key", "type_"),
    [
        ("text_active", "active", str),
        ("list_name", "name", list),
        ("number_external_id", "externalId", int),
    ],
)
def test_a_value_can_be_of_another_type(company, kind, key, type_):
    made = company(odd=(Odd(who="hr:ada", kind=kind),))
    assert isinstance(made.http.get(f"/Users/{made.ada}").json()[key], type_)


def test_an_id_can_be_a_number_wherever_it_stands(company):
    made = company(odd=(Odd(who="hr:bea", kind="number_id"),))
    numbers = [record["id"] for record in made.http.get("/Users").json()["Resources"]]
    (number,) = [id_ for id_ in numbers if isinstance(id_, int)]
    (group,) = made.http.get("/Groups").json()["Resources"]
    assert group["members"][0]["value"] == number
    assert made.http.get(f"/Users/{number}").json()["externalId"] == "hr:bea"
    assert renamed(made, number).status_code == 204
    for value in (number, str(number)):
        assert (
            made.patch(
                f"/Users/{made.ada}", {"op": "add", "path": MANAGER, "value": {"value": value}}
            ).status_code
            == 204
        )
        assert made.user()[ENTERPRISE]["manager"]["value"] == made.bea
    removed = made.patch(
        f"/Groups/{made.sales}", {"op": "remove", "path": f'members[value eq "{number}"]'}
    )
    assert (removed.status_code, made.members()) == (204, [])
    made.app.behave(Behaviour())
    assert made.http.get(f"/Users/{number}").json()["id"] == number
    assert renamed(made, number).status_code == 204


# --- how it is told -------------------------------------------------------------------------------


def test_a_running_service_is_told_and_asked_over_http(company):
    made = company()
    doors = f"{made.url}/_sandbox/behaviour"
    told = {
        "paging": {"total": "page"},
        "refusals": [{"who": "hr:ada", "status": 403}],
        "hides": ["manager"],
    }
    answer = httpx.put(doors, json=told)
    assert answer.status_code == 200
    assert answer.json()["forms"]["manager"] == "rfc"
    assert made.app.behaviour == Behaviour(
        paging=Paging(total="page"),
        refusals=(Refusal(who="hr:ada", status=403),),
        hides=frozenset({"manager"}),
    )
    assert renamed(made, made.ada).status_code == 403
    for wrong in ({"pagin": {}}, {"paging": {"total": "none"}}):
        assert httpx.put(doors, json=wrong).status_code == 422
    assert httpx.delete(doors).json() == json.loads(httpx.get(doors).content)
    assert made.app.behaviour == Behaviour()


def test_a_behaviour_has_a_name_or_is_json():
    assert named("entra") == PRESETS["entra"]
    assert named('{"seats": 3}') == Behaviour(seats=3)
    for wrong, part in (
        ("klingon", "there are rfc, entra"),
        ('{"seat": 3}', "unknown field"),
        ("{", "that is no behaviour"),
    ):
        with pytest.raises(ValueError, match=part):
            named(wrong)


def test_the_default_is_strict():
    assert deskbird_app(None).behaviour == Behaviour()
    assert [row for row in ROWS if RFC.of(row) != "rfc"] == ["active"]


def test_a_change_of_behaviour_is_seen_in_lists_that_were_read_before(company):
    made = company()
    made.desk.edit(made.ada, {MANAGER: {"value": made.bea}})
    seen = []
    for hides in (frozenset(), frozenset({"manager"}), frozenset()):
        made.app.behave(hides=hides)
        seen.append(
            sum(
                "manager" in r.get(ENTERPRISE, {})
                for r in made.http.get("/Users").json()["Resources"]
            )
        )
    assert seen == [1, 0, 1]
