"""Profile photos, where the company file wants them: read after the people, because only who is to
be a user is asked about.

There is no such asset where ``sync.photos`` is off, and nothing that goes wrong with a picture
fails a night.
"""

import contextlib
from collections import Counter
from itertools import islice
from typing import cast

import dagster as dg

from hris_pipeline import photos as kept
from hris_pipeline.contracts.photos import PhotoSource
from hris_pipeline.contracts.tables import PEOPLE, PHOTOS, Table
from hris_pipeline.errors import HrisError
from hris_pipeline.hris.registry import SYSTEMS
from hris_pipeline.orchestration import checks
from hris_pipeline.orchestration.assets.core import require_people
from hris_pipeline.orchestration.assets.hris import source
from hris_pipeline.orchestration.step import Events, Step, assets
from hris_pipeline.orchestration.tables import code_version, key, result, spec
from hris_pipeline.settings import Company

TOGETHER = 50
"""Pictures written in one transaction: what a run holds in memory, and at most loses when it is
killed.
"""


def pictures(company: Company) -> list[Table]:
    """The tables of the connections whose photos are carried over."""
    return [
        PHOTOS.at(f"hris_{name}")
        for name, account in company.hris.items()
        if company.sync.photos and SYSTEMS[account.system].photos
    ]


def photos(company: Company) -> list[dg.AssetsDefinition]:
    """``hris_<connection>.photos`` of each of them."""
    return [
        _photos(company, table.schema.removeprefix("hris_"), table) for table in pictures(company)
    ]


def _photos(company: Company, connection: str, table: Table) -> dg.AssetsDefinition:
    code = code_version(company, "photos", "hris", "http.py", "contracts")
    deps = [source(company, connection).key, key(company.name, PEOPLE)]

    @assets(
        company,
        name=f"{table.schema}__photos",
        description=(
            f"Asks connection '{connection}' for the profile photos of those who are to be users: "
            "what may be new only."
        ),
        specs=[
            spec(
                company,
                table,
                deps=deps,
                stage="photos",
                kinds={company.hris[connection].system, "duckdb"},
                code=code,
            )
        ],
        checks=[checks.check(company.name, table, checks.PHOTOS_WERE_READ)],
    )
    def read_photos(here: Step) -> Events:
        with here.warehouse.write((connection,)) as con:
            require_people(con, company)
            kept.tidy(con, (connection,))
            asked = kept.due(con, connection, here.now)
        came: Counter[str] = Counter()
        problem: HrisError | None = None
        try:
            source_of_photos = cast("PhotoSource", here.connections.open(here.resolved, connection))
            with contextlib.closing(source_of_photos.photos(asked)) as answers:
                while some := list(islice(answers, TOGETHER)):
                    with here.warehouse.write((connection,)) as con:
                        kept.keep(con, connection, some, here.now)
                    came.update(one.outcome for one in some)
                    here.progress("photos", came.total(), len(asked))
        except HrisError as none:
            problem = none
        with here.warehouse.write((connection,)) as con:
            kept.tidy(con, (connection,))
            counts = {
                "asked": len(asked),
                "not_known": len(asked) - came.total() + came["no_answer"],
                **kept.counts(con, connection),
            }
            published = result(con, company, table, counts)
        yield published
        yield checks.verdict(
            company.name,
            table,
            checks.PHOTOS_WERE_READ,
            passed=not (
                counts["not_known"]
                or counts["too_large"]
                or counts["not_an_image"]
                or counts["refused"]
            ),
            severity=checks.WARN,
            why=_why(counts, problem),
            counts=counts,
        )

    return read_photos


def _why(counts: dict[str, int], problem: HrisError | None) -> str | None:
    if problem is not None:
        return f"{problem} Photos alone are concerned: people and groups are synced all the same."
    not_carried = {
        "could not be read, and are asked for again tomorrow": counts["not_known"],
        "are larger than a megabyte": counts["too_large"],
        "are no picture (PNG, JPEG, GIF or WebP)": counts["not_an_image"],
        "were refused by deskbird": counts["refused"],
    }
    told = [f"{number} {what}" for what, number in not_carried.items() if number]
    return (
        f"Of the photos {', '.join(told)}. They are left as they are in deskbird." if told else None
    )
