"""What `hris-pipeline sandbox` tells of each stand-in is what a company file needs to reach it."""

import pytest
import yaml

from hris_pipeline import settings
from hris_pipeline.hris.systems import connect
from hris_pipeline.sandbox import run, server
from hris_pipeline.sandbox.company import load_company

FILE = """
timezone: Europe/Berlin
deskbird: {scim_url: http://127.0.0.1:8172/v2/scim, scim_token: sandbox}
hris:
"""


@pytest.mark.parametrize("other", run.OTHERS, ids=lambda other: other.title)
def test_what_is_told_of_a_stand_in_reaches_the_whole_company(tmp_path, other):
    tenant = load_company()
    with server.serve(other.app(tenant)) as service:
        _, _, lines = run._told(other, service.url).partition("\n\n")
        (tmp_path / "acme.yaml").write_text(FILE + lines)
        company = settings.resolve(settings.load("acme", tmp_path), {})
        ((name, account),) = company.hris.items()
        account = account.model_copy(update={"options": account.options.model_copy(update={"requests_per_minute": 100_000})})
        employees, _ = connect(name, account, company.kinds_read).read(tmp_path, lambda *_: None)
    assert employees.records == len(tenant.snapshot.persons)
    assert yaml.safe_load(lines).keys() == {other.title.lower()}


def test_no_two_stand_ins_share_a_port():
    ports = [run.PERSONIO_PORT, run.DESKBIRD_PORT, *(other.port for other in run.OTHERS)]
    assert len(set(ports)) == len(ports)
