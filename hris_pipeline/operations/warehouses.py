"""A company's warehouse, for an operation that is about to change something in it."""

from hris_pipeline import settings
from hris_pipeline.settings import Company
from hris_pipeline.warehouse import Warehouse


def warehouse_of(company: Company) -> Warehouse:
    """The company's; an error that says what to do where there is no data yet."""
    warehouse = Warehouse(settings.data_folder(), company.name)
    with warehouse.read():
        pass
    return warehouse
