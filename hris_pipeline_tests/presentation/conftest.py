"""Warehouses of the company ``acme``, with and without the hand-made plan."""

import pytest

from hris_pipeline.warehouse import Warehouse
from hris_pipeline_tests.presentation.hand_made_plan import fill, rows


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
