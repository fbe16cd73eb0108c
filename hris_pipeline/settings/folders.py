"""Where company files lie, and where everything is written."""

import os
from pathlib import Path

from hris_pipeline.errors import SettingsError

COMPANIES_VARIABLE = "HRIS_PIPELINE_COMPANIES"
DATA_VARIABLE = "HRIS_PIPELINE_DATA"


def companies_folder() -> Path:
    """The folder of the company files: ``HRIS_PIPELINE_COMPANIES``, else ``companies`` in the
    working directory.
    """
    return Path(os.environ.get(COMPANIES_VARIABLE) or "companies")  # noqa: TID251


def data_folder() -> Path:
    """The folder of everything written: ``HRIS_PIPELINE_DATA``, else ``data`` in the working
    directory.
    """
    return Path(os.environ.get(DATA_VARIABLE) or "data")  # noqa: TID251


def project_root(package: Path = Path(__file__).parents[1]) -> Path:
    """The folder that holds the package and ``workspace.yaml`` beside it; a :class:`SettingsError`
    where there is none.
    """
    root = package.resolve().parent
    if not (root / "workspace.yaml").is_file():
        raise SettingsError(
            "workspace.yaml does not lie beside the package. Set DAGSTER_HOME to the folder with "
            "dagster.yaml."
        )
    return root


def company_names(folder: Path | None = None) -> tuple[str, ...]:
    """The companies that have a file, sorted; whether a file is in order, its name included, is for
    :func:`load` to say.
    """
    where = companies_folder() if folder is None else folder
    return tuple(
        sorted(path.stem for path in where.glob("*.yaml") if not path.name.startswith("."))
    )
