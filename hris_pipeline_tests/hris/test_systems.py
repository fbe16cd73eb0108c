"""The registry of HR systems keeps what the company file and `hris-pipeline systems` are told."""

import pytest
from pydantic import ValidationError

from hris_pipeline.contracts import STATUSES
from hris_pipeline.hris.personio import RATES
from hris_pipeline.hris.systems import SYSTEMS

NEEDED = {"files": {"path": "/srv/hr/people.csv", "columns": {"id": "ID", "email": "E-Mail", "family_name": "Name"}}}
"""The options that a system cannot do without."""

EVERY = pytest.mark.parametrize("system", SYSTEMS.values(), ids=SYSTEMS)


@EVERY
def test_every_system_is_registered_by_its_own_name(system):
    assert SYSTEMS[system.name] is system
    assert system.default_base_url is None or system.default_base_url.startswith("https://")
    assert system.credentials or system.optional_credentials


@EVERY
def test_every_status_word_is_lower_case_and_means_one_of_ours(system):
    assert all(word == word.lower() for word in system.statuses)
    assert set(system.statuses.values()) <= set(STATUSES)


@EVERY
def test_every_option_has_a_description_and_most_a_default_and_no_other_is_taken(system):
    given = NEEDED.get(system.name, {})
    system.options.model_validate(given)
    assert all(field.description for field in system.options.model_fields.values())
    with pytest.raises(ValidationError):
        system.options.model_validate({**given, "no_such_option": 1})


@EVERY
def test_the_capabilities_say_something_of_everything(system):
    assert all(vars(system.capabilities).values())


@EVERY
def test_c82_a_connection_shows_no_secret(system):
    secrets = dict.fromkeys(system.credentials, "s3cret")
    connection = system.connect(
        "one",
        base_url=system.default_base_url or "",
        credentials=secrets,
        options=system.options.model_validate(NEEDED.get(system.name, {})),
        kinds=("team", "unheard_of"),
    )
    assert "s3cret" not in repr(connection)


def test_personio_stays_below_the_measured_limits_by_itself():
    assert SYSTEMS["personio"].options().api == "v2"
    assert RATES["v2"] < 30
    assert RATES["v1"] < 300 / 60
