"""Warehouses of the company ``acme``, with and without the hand-made plan, and its folders."""

import pytest

from hris_pipeline import settings
from hris_pipeline.warehouse import Warehouse
from hris_pipeline_tests.presentation.hand_made_plan import fill, rows

FILE = """
timezone: Europe/Berlin
hris: {p: {system: personio, client_id: x, client_secret: "${PERSONIO_SECRET}"}}
deskbird: {scim_token: "${DESKBIRD_TOKEN}"}
"""


@pytest.fixture
def warehouse(tmp_path):
    """An empty warehouse of company ``acme``."""
    return Warehouse(tmp_path, "acme")


@pytest.fixture
def planned(warehouse):
    """The same with the hand-made plan in it."""
    with warehouse.write() as con:
        fill(con, rows())
    return warehouse


@pytest.fixture
def data(tmp_path, monkeypatch):
    """The data folder of company ``acme``, which the command line knows, with connection ``p`` and
    without credentials.
    """
    (tmp_path / "companies").mkdir()
    (tmp_path / "companies" / "acme.yaml").write_text(FILE)
    monkeypatch.setenv(settings.COMPANIES_VARIABLE, str(tmp_path / "companies"))
    monkeypatch.setenv(settings.DATA_VARIABLE, str(tmp_path / "data"))
    monkeypatch.setenv("HRIS_PIPELINE_NOW", "2026-03-03T04:00:00Z")
    for name in ("PERSONIO_SECRET", "DESKBIRD_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "data"
