"""The registry of HR systems keeps what the company file and `hris-pipeline systems` are told."""

import json

import pytest
from pydantic import ValidationError

from hris_pipeline import settings
from hris_pipeline.contracts import STATUSES
from hris_pipeline.hris import merge
from hris_pipeline.hris.personio import RATES
from hris_pipeline.hris.systems import SYSTEMS, connect

EVERY = pytest.mark.parametrize("system", SYSTEMS.values(), ids=SYSTEMS)


@EVERY
def test_every_system_is_registered_by_its_own_name(system):
    assert SYSTEMS[system.name] is system
    assert system.default_base_url.startswith("https://")
    assert system.credentials


@EVERY
def test_every_status_word_is_lower_case_and_means_one_of_ours(system):
    assert all(word == word.lower() for word in system.statuses)
    assert set(system.statuses.values()) <= set(STATUSES)


@EVERY
def test_every_option_has_a_default_and_a_description_and_no_other_is_taken(system):
    system.options()
    assert all(field.description for field in system.options.model_fields.values())
    with pytest.raises(ValidationError):
        system.options.model_validate({"no_such_option": 1})


@EVERY
def test_the_capabilities_say_something_of_everything(system):
    for capabilities in (system.capabilities, *(variant.capabilities for variant in system.variants)):
        assert all(text for name, text in vars(capabilities).items() if name not in {"delivers", "lacks"})


@EVERY
def test_c82_a_connection_shows_no_secret(system):
    secrets = dict.fromkeys(system.credentials, "s3cret")
    connection = system.connect(
        "one", base_url=system.default_base_url, credentials=secrets, options=system.options(), kinds=("team", "unheard_of")
    )
    assert "s3cret" not in repr(connection)


def test_personio_stays_below_the_measured_limits_by_itself():
    assert SYSTEMS["personio"].options().api == "v2"
    assert RATES["v2"] < 30
    assert RATES["v1"] < 300 / 60


@pytest.mark.parametrize(("region", "address"), merge.ADDRESSES.items())
def test_merges_address_follows_the_region_unless_the_company_file_names_one(tmp_path, region, address):
    def base_url(**account):
        system = {"system": "merge", "api_key": "${KEY}", "account_token": "${TOKEN}", "options": {"region": region}, **account}
        file = {"timezone": "UTC", "deskbird": {"scim_token": "${SCIM}"}, "hris": {"hr": system}}
        (tmp_path / "acme.yaml").write_text(json.dumps(file))
        company = settings.resolve(settings.load("acme", tmp_path), {"KEY": "k", "TOKEN": "t", "SCIM": "s"})
        return connect("hr", company.hris["hr"], company.kinds_read).base_url

    assert base_url() == base_url(base_url=None) == address
    assert base_url(base_url="https://proxy.example/merge/api") == "https://proxy.example/merge/api"
