"""What `hris-pipeline sandbox` starts beside Personio and deskbird."""

import pytest

from hris_pipeline.hris.registry import connect
from hris_pipeline.operations import companies
from hris_pipeline.sandbox import run
from hris_pipeline.sandbox.company import generate
from hris_pipeline.sandbox.server import serve


@pytest.mark.parametrize("name", run.OTHERS)
def test_the_line_it_prints_for_another_system_is_one_that_a_company_file_takes_and_that_reads(
    tmp_path, name
):
    with serve(run.OTHERS[name].app(generate(5))) as server:
        text = (
            f"hris:\n{run.OTHERS[name].line(name, server.url)}\ndeskbird: {{scim_token: "
            "'${TOKEN}'}\n"
        )
        (tmp_path / "acme.yaml").write_text(text, encoding="utf-8")
        company = companies.resolve(companies.load("acme", tmp_path), {"TOKEN": "t"})
        people, _ = connect(name, company.hris[name], company.kinds_read).read(
            tmp_path, lambda *_: None
        )
    assert (people.records, people.proof) == (5, "proven")


def test_every_stand_in_has_a_port_of_its_own():
    ports = [run.PERSONIO_PORT, run.DESKBIRD_PORT, *(one.port for one in run.OTHERS.values())]
    assert len(set(ports)) == len(ports)
