"""Personio's pictures over real HTTP: what each answer means, and what is not asked."""

import dataclasses
from collections.abc import Sequence
from contextlib import closing

import pytest

from hris_pipeline.contracts.photos import LARGEST, Asked, Photo, photo
from hris_pipeline.errors import HrisError
from hris_pipeline.hris.registry import SYSTEMS
from hris_pipeline.hris.systems.personio.pictures import FAULTS_IN_A_ROW
from hris_pipeline.http import RetryPolicy
from hris_pipeline.sandbox.company import generate
from hris_pipeline.sandbox.hris.personio import ATTRIBUTES, SCOPES, picture

BOTH = pytest.mark.parametrize("api", ["v1", "v2"])
PICTURES = "/v1/company/employees/*/profile-picture/*"


@pytest.fixture
def account(personio):
    """Forty people, of whom those with an even number have a picture."""
    tenant = generate(40)
    tenant.add(
        *(
            dataclasses.replace(one, photo=1)
            for one in tenant.snapshot.persons.values()
            if one.id % 2 == 0
        )
    )
    return personio(tenant)


def pictures(account, asked: Sequence[Asked | int], api: str = "v1") -> list[Photo]:
    system = SYSTEMS["personio"]
    connection = system.connect(
        "personio",
        base_url=account.url,
        credentials=account.credentials,
        options=system.options(
            api=api, concurrency=4, **({"requests_per_second": 5000} if api == "v1" else {})
        ),
        kinds=(),
        patience=RetryPolicy(
            tries=3, first_wait=0.001, longest_wait=0.01, longest_retry_after=0.05, in_all=20
        ),
    )
    with closing(
        connection.photos([one if isinstance(one, Asked) else Asked(str(one)) for one in asked])
    ) as answers:
        return list(answers)


@BOTH
def test_each_is_answered_in_order_by_the_picture_or_by_there_being_none(account, api):
    found = pictures(account, [2, 3, 4, 99], api)
    persons = account.tenant.snapshot.persons
    assert [(one.id, one.outcome) for one in found] == [
        ("2", "picture"),
        ("3", "none"),
        ("4", "picture"),
        ("99", "none"),
    ]
    assert (found[0].content, found[0].media_type) == (picture(persons[2], 256), "image/png")
    assert found[0].digest.startswith("sha256:")
    assert found[0].digest != found[2].digest
    assert "PNG" not in repr(found)


def test_nobody_asked_about_is_no_request_at_all(account):
    assert pictures(account, []) == []
    assert account.faults.requests() == []


def test_one_that_fails_is_not_known_and_the_others_come(account):
    account.fault("/v1/company/employees/4/profile-picture/*", "status", value=500, times=None)
    account.fault("/v1/company/employees/6/profile-picture/*", "reset", times=None)
    # a passing fault
    account.fault("/v1/company/employees/8/profile-picture/*", "status", value=503)
    account.fault("/v1/company/employees/10/profile-picture/*", "html")
    account.fault("/v1/company/employees/12/profile-picture/*", "large_picture", value=LARGEST + 1)
    account.fault("/v1/company/employees/14/profile-picture/*", "large_picture", value=LARGEST)
    found = [(int(one.id), one.outcome) for one in pictures(account, range(2, 15, 2))]
    assert found[:4] == [(2, "picture"), (4, "no_answer"), (6, "no_answer"), (8, "picture")]
    assert found[4:] == [(10, "not_an_image"), (12, "too_large"), (14, "picture")]


def test_a_404_that_is_not_personios_own_says_nothing_about_the_picture(scripted):
    account = scripted(
        {
            "/v1/company/employees/attributes": {
                "success": True,
                "data": [{"key": "profile_picture"}],
            }
        }
    )
    assert [one.outcome for one in pictures(account, [1])] == ["no_answer"]


def test_after_ten_faults_in_a_row_no_more_is_asked_tonight(account):
    account.fault(PICTURES, "status", value=500, times=None)
    found = pictures(account, range(1, 41))
    assert {one.outcome for one in found} == {"no_answer"}
    assert len(found) == 40
    waiting = 4 * 4  # what the workers had taken already
    assert (
        FAULTS_IN_A_ROW * 2
        <= len(account.faults.requests(PICTURES))
        <= (FAULTS_IN_A_ROW + waiting) * 2
    )


def test_faults_that_are_not_in_a_row_stop_nothing(account):
    for id_ in range(1, 41, 3):
        account.fault(
            f"/v1/company/employees/{id_}/profile-picture/*", "status", value=500, times=None
        )
    assert [one.outcome for one in pictures(account, range(1, 41))].count("no_answer") == 14


@BOTH
def test_a_credential_that_may_not_read_the_attribute_is_told_where_to_tick_it(personio, api):
    account = personio(
        generate(3), attributes=tuple(name for name in ATTRIBUTES if name != "profile_picture")
    )
    with pytest.raises(
        HrisError,
        match="Tick Profile Picture among the readable attributes under Settings > Integrations",
    ):
        pictures(account, [1, 2], api)
    assert account.faults.requests(PICTURES) == []


def test_a_credential_that_may_not_read_employees_is_told_which_right_it_lacks(personio):
    account = personio(generate(3), scopes=SCOPES - {"employees:read"})
    with pytest.raises(
        HrisError,
        match="Switch on the right to read Employees, with the attribute Profile Picture,",
    ):
        pictures(account, [1], "v2")


def test_a_validator_saves_the_body_and_a_304_to_nobody_who_sent_one_is_no_answer(personio):
    tenant = generate(3)
    tenant.change(2, photo=1)
    account = personio(tenant, picture_etags=True)
    (first,) = pictures(account, [2])
    assert [
        one.outcome for one in pictures(account, [Asked("2", first.etag), Asked("2", '"another"')])
    ] == [
        "unchanged",
        "picture",
    ]
    account.fault(PICTURES, "status", value=304)
    assert [one.outcome for one in pictures(account, [2])] == ["no_answer"]


def test_a_token_that_ends_meanwhile_is_renewed_once(account):
    account.fault(PICTURES, "tokens_expired", after=1)
    assert [one.outcome for one in pictures(account, [2, 4, 6])] == ["picture"] * 3


@pytest.mark.parametrize(
    ("begins", "media_type"),
    [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF87a", "image/gif"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\x10\0\0\0WEBP", "image/webp"),
        (b"RIFF\x10\0\0\0WAVE", None),
        (b"<svg xmlns=", None),
        (b"%PDF-1.7", None),
        (b"", None),
    ],
)
def test_a_picture_is_known_by_its_first_bytes(begins, media_type):
    found = photo("1", begins + b"...")
    assert (found.media_type, found.outcome) == (
        media_type,
        "picture" if media_type else "not_an_image",
    )
