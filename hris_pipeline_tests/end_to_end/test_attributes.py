"""Title and phone, which a company file has to name, from every HR system to deskbird."""

import pytest

from hris_pipeline.sandbox.company import load_company
from hris_pipeline.sandbox.deskbird.behaviour import Refusal
from hris_pipeline.sandbox.hris import bamboohr, files, merge
from hris_pipeline.sandbox.hris.personio import PHONE
from hris_pipeline.sandbox.server import serve
from hris_pipeline_tests.end_to_end.deployment import deployed

SYNC = {"sync": {"attributes": ["title", "phone"], "groups": ["team", "department"]}}
PERSONIO = {"attributes": {"phone": PHONE}}
ACCOUNTS = {
    "bamboohr": (bamboohr.bamboohr_app, {"system": "bamboohr", "api_key": bamboohr.API_KEY}, ""),
    "merge": (
        merge.merge_app,
        {
            "system": "merge",
            "api_key": merge.API_KEY,
            "account_token": merge.ACCOUNT_TOKEN,
            "options": {"requests_per_minute": 100_000},
        },
        "/api",
    ),
}


@pytest.mark.parametrize("system", ["v1", "v2", "bamboohr", "merge", "files"])
def test_every_system_delivers_them(tmp_path, system):
    with deployed(tmp_path, load_company(), options=PERSONIO, more=SYNC) as company:
        if system in ACCOUNTS:
            app, account, path = ACCOUNTS[system]
            with serve(app(company.tenant)) as other:
                company.more["hris"] = {"personio": {**account, "base_url": other.url + path}}
                company.write_file()
                ended = company.sync("--dry-run")
        else:
            if system == "files":
                files.write_csv(company.tenant, tmp_path / "people.csv")
                options = {
                    **files.OPTIONS,
                    "path": str(tmp_path / "people.csv"),
                    "settle_seconds": 0,
                    "max_age_hours": None,
                }
                company.more["hris"] = {"personio": {"system": "files", "options": options}}
            company.write_file(**({"api": system} if system in {"v1", "v2"} else {}))
            ended = company.sync("--dry-run")
        assert ended.code == 2, ended.err
        found = dict(company.ask("select hris_ref, attributes from core.people"))
        people = {
            f"personio:{person.id}": person for person in company.tenant.snapshot.persons.values()
        }
        assert len(found) > 200
        for ref, attributes in found.items():
            # Merge knows no status of it
            job = people[ref].recent_first[0] if system == "merge" else people[ref].current
            expected = {"title": job.position, "phone": people[ref].phone}
            assert (ref, attributes) == (
                ref,
                {name: value for name, value in expected.items() if value},
            )


def test_nobody_is_asked_for_what_the_company_file_does_not_name(tmp_path):
    with deployed(tmp_path, options=PERSONIO) as company:
        assert company.sync().code == 0
        asked = "".join(request.query for request in company.personio.requests())
        assert "position" not in asked
        assert PHONE not in asked
        assert not any(
            user.get("title") or user.get("phoneNumbers") for user in company.deskbird.desk.users()
        )
        assert company.ask("select count(*) from core.people where attributes is not null") == [
            (0,)
        ]


def test_a_service_that_refuses_one_of_them_gets_all_the_rest(tmp_path):
    with deployed(tmp_path, options=PERSONIO, more=SYNC) as company:
        people = list(company.tenant.snapshot.persons)[:4]
        for person in people:
            company.tenant.change(person, phone=f"+49 40 66969 {person % 1000:03}")
        company.deskbird.behave(refusals=(Refusal(who="*", what="phoneNumbers"),))
        # of the first only what a creation went without, which is the next one's change
        for night in range(4):
            assert company.sync(night=night).code == 1
        assert not any(user.get("phoneNumbers") for user in company.deskbird.desk.users())
        assert company.user(people[0])["title"] == "Specialist"
        company.forget_requests()
        assert company.sync(night=4).code == 0
        assert company.writes() == []
        assert company.ask("select distinct attribute, why from state.ignored_drift") == [
            ("phone", "refused")
        ]
