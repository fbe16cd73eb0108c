"""The sandbox's deskbird over real HTTP: each rule of the front, its faults, its doors by hand,
that it survives a restart.
"""

import contextlib
import itertools

import httpx
import pytest
from scim2_models import Context, EnterpriseUser, Error, Group, ListResponse, PatchOp, User

from hris_pipeline.sandbox.deskbird import PREFIX, TOKEN, Deskbird, deskbird_app
from hris_pipeline.sandbox.faults import Fault, Faults
from hris_pipeline.sandbox.server import serve

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
MANAGER = f"{ENTERPRISE}:manager"


class Company:
    """A served deskbird and a client of it."""

    def __init__(self, app, url, **headers):
        self.app = app
        self.desk = app.desk
        self.http = httpx.Client(
            base_url=url + PREFIX,
            headers={
                "Authorization": f"Bearer {TOKEN}",
                "Content-Type": "application/scim+json",
                **headers,
            },
            timeout=10,
        )

    def get(self, path, **query):
        return self.http.get(path, params=query)

    def post_user(self, email, **more):
        body = {
            "schemas": [USER, ENTERPRISE],
            "userName": email,
            "active": True,
            "displayName": "Ada Lovelace",
            "name": {"givenName": "Ada", "familyName": "Lovelace"},
            "emails": [{"type": "work", "primary": True, "value": email}],
            **more,
        }
        # the model wants a manager's $ref too, which no client is documented to send
        if ENTERPRISE not in more:
            User[EnterpriseUser].model_validate(body, scim_ctx=Context.RESOURCE_CREATION_REQUEST)
        return self.http.post("/Users", json=body)

    def post_group(self, name, *members, **more):
        body = {
            "schemas": [GROUP],
            "displayName": name,
            "members": [{"value": key} for key in members],
            **more,
        }
        return self.http.post("/Groups", json=body)

    def patch(self, path, *operations, **headers):
        return self.http.patch(
            path, json={"schemas": [PATCH], "Operations": list(operations)}, headers=headers
        )

    def listed(self, what="Users", **query):
        answer = self.get(f"/{what}", **query)
        assert answer.status_code == 200, answer.status_code
        return answer.json()


@pytest.fixture
def company():
    with contextlib.ExitStack() as stack:

        def start(storage=None, **options):
            options.setdefault("requests_per_second", None)
            app = deskbird_app(storage, **options)
            started = Company(app, stack.enter_context(serve(app)).url)
            stack.callback(started.http.close)
            stack.callback(app.desk.close)
            return started

        yield start


def people(count):
    return [
        {"email": f"u{n}@example.com", "given_name": "U", "family_name": "N"} for n in range(count)
    ]


def refused(answer, status, kind=None):
    """The answer is a SCIM error of this status and kind."""
    assert answer.headers["content-type"] == "application/scim+json"
    error = Error.model_validate(answer.json())
    assert (answer.status_code, error.status, error.scim_type) == (status, status, kind)
    return True


def test_users_and_groups_are_made_read_and_listed_in_the_form_of_the_rfc(company):
    deskbird = company()
    boss = deskbird.post_user("boss@example.com", externalId="personio:1").json()
    made = deskbird.post_user(
        "ada@example.com",
        externalId="personio:2",
        **{ENTERPRISE: {"manager": {"value": boss["id"]}}},
    )
    assert made.status_code == 201
    assert (
        made.headers["location"]
        == made.json()["meta"]["location"]
        == f"{deskbird.http.base_url}Users/{made.json()['id']}"
    )
    group = deskbird.post_group(
        "Engineering", made.json()["id"], externalId="personio:department:1"
    )
    assert group.status_code == 201

    read = deskbird.get(f"/Users/{made.json()['id']}").json()
    user = User[EnterpriseUser].model_validate(read, scim_ctx=Context.RESOURCE_QUERY_RESPONSE)
    assert (user.external_id, user.user_name, user.active) == (
        "personio:2",
        "ada@example.com",
        True,
    )
    assert user[EnterpriseUser].manager.value == boss["id"]
    assert user[EnterpriseUser].manager.ref == boss["meta"]["location"]
    read = deskbird.get(f"/Groups/{group.json()['id']}").json()
    (member,) = Group.model_validate(read, scim_ctx=Context.RESOURCE_QUERY_RESPONSE).members
    assert (member.value, member.ref, member.type) == (
        made.json()["id"],
        made.json()["meta"]["location"],
        "User",
    )
    page = ListResponse[User[EnterpriseUser]].model_validate(
        deskbird.listed(), scim_ctx=Context.RESOURCE_QUERY_RESPONSE
    )
    assert (page.total_results, page.start_index, page.items_per_page, len(page.resources)) == (
        2,
        1,
        2,
        2,
    )


def test_the_service_announces_what_it_can(company):
    deskbird = company(page_limit=7)
    about = deskbird.get("/ServiceProviderConfig").json()
    supported = {
        key for key, value in about.items() if isinstance(value, dict) and value.get("supported")
    }
    assert supported == {"patch", "filter", "etag"}
    assert about["filter"]["maxResults"] == 7
    assert deskbird.get("/Schemas").json()["totalResults"] == 3
    assert deskbird.get("/ResourceTypes").json()["totalResults"] == 2
    assert refused(deskbird.http.post("/Bulk", json={"schemas": [], "Operations": []}), 501)


def test_a_wrong_or_missing_token_is_refused(company):
    deskbird = company(token="right")
    for header in ("Bearer wrong", "Basic right", ""):
        assert refused(deskbird.http.get("/Users", headers={"Authorization": header}), 401)
    assert deskbird.http.get("/Users", headers={"Authorization": "Bearer right"}).status_code == 200


def test_only_the_documented_path_is_served(company):
    deskbird = company()
    root = str(deskbird.http.base_url).removesuffix(f"{PREFIX}/")
    for path in ("/v2/Users", "/Users", "/v1.2/scim/Users", "/v2/scimUsers"):
        assert refused(deskbird.http.get(f"{root}{path}"), 404)


def test_a_user_name_is_taken_whatever_its_case(company):
    deskbird = company()
    deskbird.post_user("ada@example.com")
    assert refused(deskbird.post_user("ADA@Example.com"), 409, "uniqueness")
    other = deskbird.post_user("grace@example.com").json()["id"]
    operation = {"op": "replace", "path": "userName", "value": "Ada@example.com"}
    assert refused(deskbird.patch(f"/Users/{other}", operation), 409, "uniqueness")
    assert len(deskbird.desk.users()) == 2


def test_a_group_name_is_taken_whatever_its_case(company):
    deskbird = company()
    sales = deskbird.post_group("Sales").json()["id"]
    assert refused(deskbird.post_group("SALES"), 409, "uniqueness")
    other = deskbird.post_group("Marketing").json()["id"]
    operation = {"op": "replace", "path": "displayName", "value": "sales"}
    assert refused(deskbird.patch(f"/Groups/{other}", operation), 409, "uniqueness")
    assert (
        deskbird.patch(
            f"/Groups/{sales}", {"op": "replace", "path": "displayName", "value": "SALES"}
        ).status_code
        == 204
    )
    assert deskbird.http.delete(f"/Groups/{sales}").status_code == 204
    assert deskbird.post_group("Sales").status_code == 201


def test_members_must_be_users_that_exist(company):
    deskbird = company()
    ada = deskbird.post_user("ada@example.com").json()["id"]
    group = deskbird.post_group("Sales", ada).json()["id"]
    assert refused(deskbird.post_group("Marketing", "nobody"), 400, "invalidValue")
    for stranger in ("nobody", group):  # a group is no user
        operation = {"op": "add", "path": "members", "value": [{"value": stranger}]}
        assert refused(deskbird.patch(f"/Groups/{group}", operation), 400, "invalidValue")
    assert [member["value"] for member in deskbird.desk.group("Sales")["members"]] == [ada]
    assert len(deskbird.desk.groups()) == 1


def test_a_manager_must_be_a_user_that_exists(company):
    deskbird = company()
    ada = deskbird.post_user("ada@example.com").json()["id"]
    assert refused(
        deskbird.post_user("b@example.com", **{ENTERPRISE: {"manager": {"value": "nobody"}}}),
        400,
        "invalidValue",
    )
    operation = {"op": "add", "path": MANAGER, "value": {"value": "nobody"}}
    assert refused(deskbird.patch(f"/Users/{ada}", operation), 400, "invalidValue")
    assert ENTERPRISE not in deskbird.desk.user("ada@example.com")


def test_at_most_100_members_a_request(company):
    deskbird = company()
    ids = list(deskbird.desk.seed(people(202)).values())
    assert refused(deskbird.post_group("Sales", *ids[:101]), 400, "tooMany")
    group = deskbird.post_group("Sales", *ids[:100]).json()["id"]
    adding = [{"op": "add", "path": "members", "value": [{"value": key} for key in ids[100:200]]}]
    one_more = {"op": "remove", "path": f'members[value eq "{ids[0]}"]'}
    without_path = {"op": "add", "value": {"members": [{"value": key} for key in ids[:101]]}}
    assert refused(deskbird.patch(f"/Groups/{group}", *adding, one_more), 400, "tooMany")
    assert refused(deskbird.patch(f"/Groups/{group}", without_path), 400, "tooMany")
    assert deskbird.patch(f"/Groups/{group}", *adding).status_code == 204
    removing = [{"op": "remove", "path": f'members[value eq "{key}"]'} for key in ids[:100]]
    assert deskbird.patch(f"/Groups/{group}", *removing).status_code == 204
    assert [member["value"] for member in deskbird.desk.group("Sales")["members"]] == ids[100:200]


def test_c50_one_member_of_a_large_group_changes_in_one_patch_that_keeps_the_others(company):
    deskbird = company()
    ids = list(deskbird.desk.seed(people(600)).values())
    group = deskbird.desk.add_group("Everybody", members=ids[:599])
    operations = (
        {"op": "remove", "path": f'members[value eq "{ids[7]}"]'},
        {"op": "add", "path": "members", "value": [{"value": ids[599]}, {"value": ids[8]}]},
    )
    assert deskbird.patch(f"/Groups/{group}", *operations).status_code == 204
    members = [member["value"] for member in deskbird.get(f"/Groups/{group}").json()["members"]]
    assert len(members) == 599
    assert set(members) == set(ids) - {ids[7]}


def test_whoever_is_a_member_already_stays_one_once(company):
    deskbird = company()
    ada, bea = deskbird.desk.seed(people(2)).values()
    group = deskbird.post_group("Sales", ada, ada, bea).json()
    again = {"op": "add", "path": "members", "value": [{"value": bea}]}
    assert deskbird.patch(f"/Groups/{group['id']}", again).status_code == 204
    assert deskbird.get(f"/Groups/{group['id']}").json()["members"] == group["members"]
    assert [member["value"] for member in group["members"]] == [ada, bea]


def test_the_rate_is_limited_and_says_when_to_come_back(company):
    deskbird = company(requests_per_second=3, retry_after=2)
    answers = [deskbird.get("/Users", count=0) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert refused(answers[3], 429)
    assert answers[3].headers["retry-after"] == "2"


def test_the_rate_may_say_nothing_of_when_to_come_back(company):
    deskbird = company(requests_per_second=1, retry_after=None)
    answers = [deskbird.get("/Users", count=0) for _ in range(2)]
    assert answers[1].status_code == 429
    assert "retry-after" not in answers[1].headers


def test_a_page_is_never_longer_than_the_server_wants(company):
    deskbird = company(page_limit=10)
    deskbird.desk.seed(people(25))
    seen, start = [], 1
    while start <= 25:
        page = deskbird.listed(startIndex=start, count=1000)
        assert (page["totalResults"], page["startIndex"], page["itemsPerPage"]) == (
            25,
            start,
            len(page["Resources"]),
        )
        seen += [user["userName"] for user in page["Resources"]]
        start += page["itemsPerPage"]
    assert sorted(seen) == sorted(user["userName"] for user in deskbird.desk.users())
    beyond = deskbird.listed(startIndex=26, count=10)
    assert (beyond["totalResults"], beyond["Resources"]) == (25, [])


def test_a_list_is_fresh_after_every_write(company):
    deskbird = company()
    ada = deskbird.post_user("ada@example.com").json()["id"]
    assert deskbird.listed()["Resources"][0]["active"] is True
    deskbird.patch(f"/Users/{ada}", {"op": "replace", "path": "active", "value": False})
    assert deskbird.listed()["Resources"][0]["active"] is False
    assert "active" not in deskbird.listed(attributes="userName")["Resources"][0]
    deskbird.desk.edit(ada, {"name.givenName": "Augusta"})
    assert deskbird.listed()["Resources"][0]["name"]["givenName"] == "Augusta"


def test_inactive_users_are_still_listed_and_the_gone_are_404(company):
    deskbird = company()
    gone = deskbird.desk.add_user("gone@example.com", "G", "One")
    deskbird.desk.add_user("idle@example.com", "I", "Dle", active=False)
    deskbird.desk.remove(gone)
    assert [user["userName"] for user in deskbird.listed()["Resources"]] == ["idle@example.com"]
    assert refused(deskbird.get(f"/Users/{gone}"), 404)
    assert refused(
        deskbird.patch(f"/Users/{gone}", {"op": "replace", "path": "active", "value": True}), 404
    )


def test_users_are_found_as_entra_looks_for_them(company):
    deskbird = company()
    ada = deskbird.post_user("ada@example.com", externalId="personio:1").json()["id"]
    deskbird.post_user("grace@example.com")
    filters = (
        'userName eq "ADA@example.com"',
        'externalId eq "personio:1"',
        'emails[type eq "work"].value eq "ada@example.com"',
        'userName eq "ada@example.com" and active eq true',
    )
    for text in filters:
        assert [user["id"] for user in deskbird.listed(filter=text)["Resources"]] == [ada], text
    assert deskbird.listed(filter='externalId eq "personio:9"')["totalResults"] == 0
    for text in ('userName sw "ada"', 'userName eq "a" or userName eq "b"', "externalId pr"):
        assert refused(deskbird.get("/Users", filter=text), 400, "invalidFilter")


def test_groups_are_found_by_name_without_their_members(company):
    deskbird = company()
    ada = deskbird.post_user("ada@example.com").json()["id"]
    group = deskbird.post_group("Sales", ada).json()["id"]
    found = deskbird.listed(
        "Groups", filter='displayName eq "sales"', excludedAttributes="members"
    )["Resources"]
    assert [entry["id"] for entry in found] == [group]
    assert "members" not in found[0]
    assert "members" not in deskbird.get(f"/Groups/{group}", excludedAttributes="members").json()
    assert "members" not in deskbird.listed("Groups", excludedAttributes="members")["Resources"][0]
    assert "members" in deskbird.listed("Groups")["Resources"][0]


def test_a_user_is_deactivated_not_deleted(company):
    deskbird = company()
    ada = deskbird.post_user("ada@example.com").json()["id"]
    assert refused(deskbird.http.delete(f"/Users/{ada}"), 403)
    assert deskbird.desk.user("ada@example.com")["id"] == ada


def test_delete_of_a_user_can_be_switched_on(company):
    deskbird = company(delete_users=True)
    ada = deskbird.post_user("ada@example.com").json()["id"]
    assert deskbird.http.delete(f"/Users/{ada}").status_code == 204
    assert deskbird.desk.users() == []


def test_etags_guard_a_change_and_can_be_switched_off(company):
    deskbird = company()
    made = deskbird.post_user("ada@example.com")
    path, version = f"/Users/{made.json()['id']}", made.headers["etag"]
    operation = {"op": "replace", "path": "active", "value": False}
    assert deskbird.patch(path, operation, **{"If-Match": version}).headers["etag"] != version
    assert refused(deskbird.patch(path, operation, **{"If-Match": version}), 412)

    without = company(etags=False)
    made = without.post_user("ada@example.com")
    assert "etag" not in made.headers
    assert "version" not in made.json()["meta"]
    assert "version" not in without.listed()["Resources"][0]["meta"]
    assert "etag" not in without.patch(f"/Users/{made.json()['id']}", operation).headers


def test_a_patch_may_answer_with_the_whole_resource(company):
    deskbird = company(patch_answer=200)
    first, second = (deskbird.post_user(f"{name}@example.com").json()["id"] for name in ("a", "b"))
    group = deskbird.post_group("Sales", first).json()["id"]
    answer = deskbird.patch(
        f"/Groups/{group}", {"op": "add", "path": "members", "value": [{"value": second}]}
    )
    assert answer.status_code == 200
    assert [member["value"] for member in answer.json()["members"]] == [first, second]


def test_manager_and_members_may_be_write_only(company):
    deskbird = company(readable_manager=False, readable_members=False, patch_answer=200)
    boss = deskbird.post_user("boss@example.com").json()["id"]
    ada = deskbird.post_user(
        "ada@example.com", **{ENTERPRISE: {"manager": {"value": boss}, "department": "Sales"}}
    ).json()
    group = deskbird.post_group("Sales", boss).json()
    changed = deskbird.patch(
        f"/Groups/{group['id']}", {"op": "add", "path": "members", "value": [{"value": ada["id"]}]}
    ).json()
    users = [ada, deskbird.get(f"/Users/{ada['id']}").json(), *deskbird.listed()["Resources"]]
    assert all("manager" not in user.get(ENTERPRISE, {}) for user in users)
    assert ada[ENTERPRISE] == {"department": "Sales"}
    groups = [
        group,
        changed,
        deskbird.get(f"/Groups/{group['id']}").json(),
        *deskbird.listed("Groups")["Resources"],
    ]
    assert all("members" not in entry for entry in groups)
    assert deskbird.desk.user("ada@example.com")[ENTERPRISE]["manager"]["value"] == boss
    assert [member["value"] for member in deskbird.desk.group("Sales")["members"]] == [
        boss,
        ada["id"],
    ]


def test_c65_an_ignored_attribute_is_acknowledged_and_keeps_its_old_value(company):
    deskbird = company(ignores={"manager", "externalId", "members", "active"})
    boss = deskbird.desk.add_user("boss@example.com", "B", "Oss")
    ada = deskbird.post_user(
        "ada@example.com", externalId="personio:2", **{ENTERPRISE: {"manager": {"value": boss}}}
    )
    assert ada.status_code == 201
    path = f"/Users/{ada.json()['id']}"
    operations = (
        {"op": "add", "path": MANAGER, "value": {"value": boss}},
        {"op": "replace", "path": "externalId", "value": "personio:2"},
        {"op": "replace", "path": "active", "value": False},
        {"op": "replace", "path": "displayName", "value": "Countess"},
    )
    assert deskbird.patch(path, *operations).status_code == 204
    held = deskbird.desk.user("ada@example.com")
    assert "externalId" not in held
    assert "manager" not in held.get(ENTERPRISE, {})
    assert (held["active"], held["displayName"]) == (True, "Countess")
    group = deskbird.post_group("Sales", boss).json()["id"]
    assert (
        deskbird.patch(
            f"/Groups/{group}", {"op": "add", "path": "members", "value": [{"value": boss}]}
        ).status_code
        == 204
    )
    assert "members" not in deskbird.desk.group("Sales")


def test_c64_an_administrator_makes_edits_and_deletes_by_hand(company):
    deskbird = company()
    desk = deskbird.desk
    boss = desk.add_user("boss@example.com", "Bea", "Oss", hris_ref="00ufOreignOkta")
    ada = desk.add_user("ada@example.com", "Ada", "Lovelace", manager_id=boss)
    group = desk.add_group("Book club", members=[boss, ada])
    assert "externalId" not in deskbird.get(f"/Users/{ada}").json()
    assert deskbird.get(f"/Users/{boss}").json()["externalId"] == "00ufOreignOkta"
    before = deskbird.get(f"/Users/{ada}").headers["etag"]
    desk.edit(
        ada,
        {
            "active": False,
            "name.familyName": "King",
            'emails[type eq "work"].value': "king@example.com",
        },
    )
    user = deskbird.get(f"/Users/{ada}")
    assert (user.json()["active"], user.json()["name"]["familyName"]) == (False, "King")
    assert user.json()["emails"][0]["value"] == "king@example.com"
    assert user.headers["etag"] != before
    desk.remove(boss)
    assert [member["value"] for member in deskbird.get(f"/Groups/{group}").json()["members"]] == [
        ada
    ]
    assert "manager" not in deskbird.get(f"/Users/{ada}").json().get(ENTERPRISE, {})
    assert deskbird.app.writes() == []


def test_many_are_seeded_at_once_with_managers_and_members_by_address():
    desk = Deskbird()
    bosses = [None, *["u0@example.com"] * 299]
    rows = [
        {**person, "manager_email": boss} for person, boss in zip(people(300), bosses, strict=True)
    ]
    ids = desk.seed(
        rows,
        [
            {
                "name": "All",
                "members": [row["email"] for row in rows],
                "hris_ref": "personio:team:1",
            }
        ],
    )
    assert len(desk.users()) == 300
    assert desk.user("U7@example.com")[ENTERPRISE]["manager"]["value"] == ids["u0@example.com"]
    assert len(desk.group("all")["members"]) == 300


def test_everything_survives_a_restart_of_the_server(tmp_path):
    path = tmp_path / "deskbird.sqlite"
    lists = []
    for storage in (path, path):
        app = deskbird_app(storage, requests_per_second=None)
        with serve(app, port=0) as server:
            deskbird = Company(app, server.url, Host="deskbird")
            if not lists:
                ada = deskbird.post_user("ada@example.com", externalId="personio:1").json()["id"]
                deskbird.patch(f"/Users/{ada}", {"op": "replace", "path": "active", "value": False})
                deskbird.post_group("Sales", ada)
            lists.append((deskbird.listed(), deskbird.listed("Groups")))
            deskbird.http.close()
        app.desk.close()
    assert lists[0] == lists[1]
    assert lists[0][0]["totalResults"] == 1


def test_requests_are_logged_and_writes_counted_in_python_and_over_http(company):
    deskbird = company()
    ada = deskbird.post_user("ada@example.com").json()["id"]
    deskbird.patch(f"/Users/{ada}", {"op": "replace", "path": "active", "value": False})
    deskbird.post_user("ada@example.com")
    deskbird.listed(count=1)
    expected = [
        ("POST", "/v2/scim/Users", 201),
        ("PATCH", f"/v2/scim/Users/{ada}", 204),
        ("POST", "/v2/scim/Users", 409),
    ]
    assert [(write.method, write.path, write.status) for write in deskbird.app.writes()] == expected
    root = str(deskbird.http.base_url).removesuffix(f"{PREFIX}/")
    logged = httpx.get(f"{root}/_sandbox/requests").json()
    assert [(entry["method"], entry["path"], entry["status"]) for entry in logged[:3]] == expected
    assert logged[3] == {
        "method": "GET",
        "path": "/v2/scim/Users",
        "query": "count=1",
        "status": 200,
    }


def test_c59_the_kth_write_fails_as_it_is_told_to_and_does_nothing(company):
    deskbird = company(faults=Faults(Fault("POST *", "status", after=1, value=503, retry_after=1)))
    assert deskbird.post_user("a@example.com").status_code == 201
    failed = deskbird.post_user("b@example.com")
    assert refused(failed, 503)
    assert failed.headers["retry-after"] == "1"
    assert deskbird.post_user("c@example.com").status_code == 201
    assert [user["userName"] for user in deskbird.desk.users()] == [
        "a@example.com",
        "c@example.com",
    ]


@pytest.mark.parametrize(("kind", "done"), [("reset", 0), ("answer_lost", 1)])
def test_c60_a_connection_breaks_before_or_after_the_work(company, kind, done):
    deskbird = company(faults=Faults(Fault("POST */Users", kind)))
    with pytest.raises(httpx.TransportError):
        deskbird.post_user("a@example.com")
    assert len(deskbird.desk.users()) == done


def test_a_gateway_may_answer_with_a_web_page(company):
    deskbird = company(faults=Faults(Fault("GET *", "html")))
    answer = deskbird.get("/Users")
    assert answer.headers["content-type"].startswith("text/html")


def ten(company, *faults):
    deskbird = company(faults=Faults(*faults))
    deskbird.desk.seed(people(10))
    return deskbird


def pages(deskbird, what="Users", size=4, total=10):
    return [
        deskbird.listed(what, startIndex=start, count=size) for start in range(1, total + 1, size)
    ]


def ids(read):
    return [entry["id"] for page in read for entry in page["Resources"]]


def test_c63_a_page_of_a_list_is_lost_and_the_total_stays(company):
    read = pages(ten(company, Fault("GET */Users", "drop_page", after=1)))
    assert [page["totalResults"] for page in read] == [10, 10, 10]
    assert [len(page["Resources"]) for page in read] == [4, 0, 2]


def test_c63_a_page_may_lose_only_some(company):
    read = pages(ten(company, Fault("GET */Users", "drop_page", after=1, value=1)))
    assert [page["itemsPerPage"] for page in read] == [4, 3, 2]


def test_some_come_twice_across_pages_and_others_never(company):
    read = pages(ten(company, Fault("GET */Users", "overlap", after=1)))
    assert [page["startIndex"] for page in read] == [1, 5, 9]
    assert len(ids(read)) == 10
    assert len(set(ids(read))) == 9


@pytest.mark.parametrize(("kind", "totals"), [("grow", [10, 11, 11]), ("shrink", [10, 9, 9])])
def test_a_list_changes_while_it_is_read(company, kind, totals):
    read = pages(ten(company, Fault("GET */Users", kind, after=1)))
    assert [page["totalResults"] for page in read] == totals
    if kind == "shrink":
        assert len(set(ids(read))) == 9  # one that was there all the time was skipped


@pytest.mark.parametrize("kind", ["grow", "shrink"])
def test_a_list_of_groups_changes_while_it_is_read(company, kind):
    deskbird = company(faults=Faults(Fault("GET */Groups", kind)))
    deskbird.desk.add_group("Sales")
    assert deskbird.listed("Groups")["totalResults"] == {"grow": 2, "shrink": 0}[kind]


def test_faults_of_lists_leave_single_reads_alone(company):
    deskbird = ten(company, Fault("GET *", "shrink", times=None))
    first = deskbird.desk.first("User")
    assert deskbird.get(f"/Users/{first}").status_code == 200


def test_okta_deactivates_without_a_path(company):
    deskbird = company()
    ada = deskbird.post_user("ada@example.com").json()["id"]
    assert (
        deskbird.patch(f"/Users/{ada}", {"op": "replace", "value": {"active": False}}).status_code
        == 204
    )
    assert deskbird.desk.user("ada@example.com")["active"] is False


def test_a_work_address_is_changed_by_its_path_and_names_by_dotted_keys(company):
    deskbird = company()
    ada = deskbird.post_user("ada@example.com").json()["id"]
    operations = [
        {"op": "replace", "path": 'emails[type eq "work"].value', "value": "king@example.com"},
        {
            "op": "replace",
            "value": {
                "name.familyName": "King",
                "displayName": "Ada King",
                "userName": "king@example.com",
            },
        },
    ]
    message = {"schemas": [PATCH], "Operations": operations}
    PatchOp[User[EnterpriseUser]].model_validate(message, scim_ctx=Context.RESOURCE_PATCH_REQUEST)
    assert deskbird.patch(f"/Users/{ada}", *operations).status_code == 204
    held = deskbird.desk.user("king@example.com")
    assert (held["name"]["familyName"], held["displayName"]) == ("King", "Ada King")
    assert held["emails"][0]["value"] == "king@example.com"


def test_a_manager_is_set_changed_and_cleared(company):
    deskbird = company()
    ada, first, second = (
        deskbird.post_user(f"{name}@example.com").json()["id"]
        for name in ("ada", "first", "second")
    )
    for boss in (first, second):
        assert (
            deskbird.patch(
                f"/Users/{ada}", {"op": "add", "path": MANAGER, "value": {"value": boss}}
            ).status_code
            == 204
        )
        manager = deskbird.get(f"/Users/{ada}").json()[ENTERPRISE]["manager"]
        assert manager == {"value": boss, "$ref": f"{deskbird.http.base_url}Users/{boss}"}
    assert deskbird.patch(f"/Users/{ada}", {"op": "remove", "path": MANAGER}).status_code == 204
    assert "manager" not in deskbird.get(f"/Users/{ada}").json().get(ENTERPRISE, {})


def test_what_a_caller_did_wrong_is_not_logged(company, caplog):
    caplog.set_level(0)
    deskbird = company()
    deskbird.post_user("ada@example.com")
    assert "ada@example.com" in deskbird.post_user("ada@example.com").json()["detail"].lower()
    logged = itertools.chain.from_iterable(
        (record.getMessage(), str(record.args)) for record in caplog.records
    )
    assert not [text for text in logged if "ada@example.com" in text.lower()]
