"""The sandbox's SCIM storage: the package's own tests of a storage, and what ours adds to them."""

import json
import threading
from pathlib import Path

import pytest
from scim2_models import SearchRequest
from scim2_server.testing import ScimStorageContract
from scim2_server.utils import load_default_provider

from hris_pipeline.errors import PipelineError
from hris_pipeline.sandbox.deskbird.storage import SqliteStorage, clone

PROVIDER = load_default_provider()


class TestInMemory(ScimStorageContract):
    @pytest.fixture
    def provider(self):
        return PROVIDER  # made once: the package's own fixture makes one for each test

    @pytest.fixture
    def storage(self):
        return SqliteStorage(provider=PROVIDER)


class TestInAFile(ScimStorageContract):
    @pytest.fixture
    def provider(self):
        return PROVIDER

    @pytest.fixture
    def storage(self, tmp_path):
        storage = SqliteStorage(tmp_path / "deskbird.sqlite", PROVIDER)
        yield storage
        storage.close()


USER_TYPE = next(kind for kind in PROVIDER.resource_types if kind.id == "User")
GROUP_TYPE = next(kind for kind in PROVIDER.resource_types if kind.id == "Group")
USER = PROVIDER.model_for(USER_TYPE)
GROUP = PROVIDER.model_for(GROUP_TYPE)
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


def a_group(storage, *values, name="Sales"):
    body = {"displayName": name, "members": [{"value": value} for value in values]}
    return storage.create(GROUP_TYPE, GROUP.model_validate(body))


def values_of(group):
    return [member.value for member in group.members or []]


@pytest.fixture(params=["memory", "file"])
def storage(request, tmp_path):
    storage = SqliteStorage(
        None if request.param == "memory" else tmp_path / "deskbird.sqlite", PROVIDER
    )
    yield storage
    storage.close()


def test_everything_survives_a_restart(tmp_path):
    path = tmp_path / "deeper" / "deskbird.sqlite"
    first = SqliteStorage(path, PROVIDER)
    body = {
        "userName": "zoë@example.com",
        "externalId": "personio:1",
        "active": False,
        "emails": [{"type": "work", "primary": True, "value": "zoë@example.com"}],
        "name": {"givenName": "Zoë", "familyName": "Ångström"},
        ENTERPRISE: {"manager": {"value": "42"}},
    }
    user = first.create(USER_TYPE, USER.model_validate(body))
    gone = first.create(USER_TYPE, USER(user_name="gone@example.com"))
    group = a_group(first, user.id, gone.id, "3")
    part = first.part(GROUP_TYPE, group.id, [gone.id])
    part.members = None
    first.update_part(GROUP_TYPE, part, [gone.id])
    first.delete(USER_TYPE, gone.id)
    before = {resource.id: json.loads(resource.model_dump_json()) for resource in first.resources}
    first.close()

    second = SqliteStorage(path, PROVIDER)
    assert {
        resource.id: json.loads(resource.model_dump_json()) for resource in second.resources
    } == before
    assert values_of(second.get(GROUP_TYPE, group.id)) == [user.id, "3"]
    later = second.update(USER_TYPE, second.get(USER_TYPE, user.id))
    assert later.meta.version not in {resource["meta"]["version"] for resource in before.values()}
    second.close()


def test_what_one_process_wrote_is_in_the_file_without_closing_it(tmp_path):
    writer = SqliteStorage(tmp_path / "deskbird.sqlite")
    writer.create(USER_TYPE, USER(user_name="a@example.com"))
    reader = SqliteStorage(tmp_path / "deskbird.sqlite")
    assert [user.user_name for user in reader.resources] == ["a@example.com"]
    reader.close()
    writer.close()


def test_a_file_of_something_else_is_refused_in_one_sentence(tmp_path):
    path = tmp_path / "deskbird.sqlite"
    path.write_text(
        "a letter to grandmother, long enough to be taken for anything but an empty file\n" * 20
    )
    with pytest.raises(PipelineError, match="Delete it to begin with an empty one"):
        SqliteStorage(path)


def test_memory_by_name_makes_no_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    SqliteStorage(":memory:").create(USER_TYPE, USER(user_name="a@example.com"))
    assert not list(Path().iterdir())


def test_a_part_of_a_group_holds_only_the_members_asked_for(storage):
    group = a_group(storage, "1", "2", "3")
    assert values_of(storage.part(GROUP_TYPE, group.id, ["2", "9"])) == ["2"]
    assert values_of(storage.get(GROUP_TYPE, group.id)) == ["1", "2", "3"]


def test_storing_a_part_keeps_the_other_members(storage):
    group = a_group(storage, "1", "2", "3")
    part = storage.part(GROUP_TYPE, group.id, ["2", "4"])
    part.members = [GROUP.model_validate({"members": [{"value": "4"}]}).members[0]]
    part.display_name = "Sales and more"
    updated = storage.update_part(GROUP_TYPE, part, ["2", "4"], expected_version=group.meta.version)
    stored = storage.get(GROUP_TYPE, group.id)
    assert values_of(stored) == ["1", "3", "4"]
    assert stored.display_name == "Sales and more"
    assert stored.meta.version == updated.meta.version != group.meta.version


def test_a_part_that_leaves_nobody_empties_the_group(storage):
    group = a_group(storage, "1")
    part = storage.part(GROUP_TYPE, group.id, ["1"])
    part.members = None
    storage.update_part(GROUP_TYPE, part, ["1"])
    assert values_of(storage.get(GROUP_TYPE, group.id)) == []


def test_changing_a_part_does_not_change_the_stored_group(storage):
    group = a_group(storage, "1", "2")
    part = storage.part(GROUP_TYPE, group.id, ["1"])
    part.members[0].display = "changed"
    assert storage.get(GROUP_TYPE, group.id).members[0].display is None


def test_a_clone_equals_its_original_and_shares_no_part_that_can_change():
    body = {
        "userName": "a",
        "emails": [{"value": "a@example.com"}],
        "name": {"givenName": "A"},
        ENTERPRISE: {"department": "D"},
    }
    user = USER.model_validate(body)
    twin = clone(user)
    assert twin == user
    twin.emails[0].value = "b@example.com"
    twin.name.given_name = "B"
    twin[ENTERPRISE].department = "E"
    assert (user.emails[0].value, user.name.given_name, user[ENTERPRISE].department) == (
        "a@example.com",
        "A",
        "D",
    )


def test_pages_of_a_plain_list_hold_everybody_once_also_after_comings_and_goings(storage):
    for n in range(25):
        storage.create(USER_TYPE, USER(user_name=f"u{n}"))
    first = storage.search([USER_TYPE], SearchRequest[USER](start_index=1, count=10)).resources
    storage.delete(USER_TYPE, first[0].id)
    assert storage.search([USER_TYPE], SearchRequest[USER](start_index=1, count=10)).total == 24
    storage.create(USER_TYPE, USER(user_name="new"))
    pages = [
        storage.search([USER_TYPE], SearchRequest[USER](start_index=start, count=10))
        for start in (1, 11, 21)
    ]
    assert [page.total for page in pages] == [25, 25, 25]
    names = [user.user_name for page in pages for user in page.resources]
    assert sorted(names) == sorted({user.user_name for user in storage.resources})


def test_members_left_out_of_the_answer_are_not_copied_at_all(storage):
    group = a_group(storage, "1", "2")
    request = SearchRequest[GROUP](excluded_attributes=["members"])
    assert storage.search([GROUP_TYPE], request).resources[0].members is None
    assert storage.get(GROUP_TYPE, group.id, response_parameters=request).members is None
    assert values_of(storage.get(GROUP_TYPE, group.id)) == ["1", "2"]


def test_many_threads_may_write_at_once(storage):
    def create(worker):
        for n in range(20):
            storage.create(USER_TYPE, USER(user_name=f"{worker}-{n}"))

    threads = [threading.Thread(target=create, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({user.user_name for user in storage.resources}) == 80
    assert len({user.meta.version for user in storage.resources}) == 80
