"""The company file: what a user writes, checked as a whole before anything runs.

:func:`load` checks ``companies/<company>.yaml`` without a single environment variable: a
``${NAME}`` stays a reference, so that the asset graph can be built anywhere. :func:`resolve` puts
the environment's values in when a run starts. Every mistake becomes one line that names the file,
the key's path and what would be right. A value that may be secret or personal is never part of
that line, nor of a model's ``repr``.

Each section is a file of this package. The HR systems are handed in, so nothing here knows one;
:mod:`hris_pipeline.operations.companies` loads a company with those that are installed.
"""

from hris_pipeline.settings.accounts import HrisAccount, HrSystem, HrSystems
from hris_pipeline.settings.base import Settings
from hris_pipeline.settings.company import Company
from hris_pipeline.settings.environment import alert_urls, resolve, unusable_variables
from hris_pipeline.settings.export import OfficeRule, RoleRule
from hris_pipeline.settings.folders import (
    COMPANIES_VARIABLE,
    DATA_VARIABLE,
    companies_folder,
    company_names,
    data_folder,
    project_root,
)
from hris_pipeline.settings.loading import check, load, load_to_run
from hris_pipeline.settings.mistakes import KeyPath, mistake, refuse
from hris_pipeline.settings.names import not_a_name
from hris_pipeline.settings.values import REFERENCE, Text, seconds_of

__all__ = [
    "COMPANIES_VARIABLE",
    "DATA_VARIABLE",
    "REFERENCE",
    "Company",
    "HrSystem",
    "HrSystems",
    "HrisAccount",
    "KeyPath",
    "OfficeRule",
    "RoleRule",
    "Settings",
    "Text",
    "alert_urls",
    "check",
    "companies_folder",
    "company_names",
    "data_folder",
    "load",
    "load_to_run",
    "mistake",
    "not_a_name",
    "project_root",
    "refuse",
    "resolve",
    "seconds_of",
    "unusable_variables",
]
