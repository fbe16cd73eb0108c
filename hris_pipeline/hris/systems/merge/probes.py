"""What ``hris-pipeline doctor`` tries of Merge: the two credentials, Merge's own syncs, and one
record of each list.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import msgspec

from hris_pipeline.contracts.probes import Probe
from hris_pipeline.hris.api import probed
from hris_pipeline.hris.systems.merge import people, syncs, units
from hris_pipeline.hris.systems.merge.service import DASHBOARD, Page, Record, Service

RECORDS = msgspec.json.Decoder(Page[Record])


def probes(service: Service, kinds: Sequence[str], stale_hours: float) -> Iterator[Probe]:
    """The credentials and the link; then Merge's syncs; then a record of each list that is read.
    Nothing of a record is kept.
    """
    links: list[syncs.Link] = []
    yield probed(
        f"API key and account token (GET {syncs.ACCOUNT})",
        lambda: links.append(syncs.link(service)),
    )
    if not links:
        return
    yield _doubtful(
        f"the linked account's link to the HR system (GET {syncs.ACCOUNT})", links[0].doubts
    )
    lists = units.lists_of(kinds)
    yield _try_syncs(
        service,
        ["Employee", *(source.model for source in lists)],
        syncs.Judge(links[0].now, stale_hours),
    )
    yield _try_list(service, people.PATH, "Employee")
    for source in lists:
        yield _try_list(service, source.path, source.model)


def _try_syncs(service: Service, models: Sequence[str], judge: syncs.Judge) -> Probe:
    found: dict[str, syncs.Sync] = {}

    def ask() -> None:
        found.update(syncs.syncs(service))
        syncs.refuse_first(service, found)

    probe = probed(f"Merge's own syncs (GET {syncs.SYNCS})", ask)
    return probe if probe.problem else _doubtful(probe.what, judge.models(models, found))


def _try_list(service: Service, path: str, model: str) -> Probe:
    """One record of a list. Without people there is no night; a list of units that is not there is
    done without.
    """
    statuses: list[int] = []

    def ask() -> None:
        response = service.get(path, where=path, model=model, query={"page_size": 1}, accept={404})
        statuses.append(response.status_code)
        if response.status_code == 404:
            raise service.api.error(
                f"has no {path} for this account (HTTP 404)",
                f"See under {DASHBOARD} whether the integration has the model {model}, and the "
                "account its scope.",
            )
        service.api.read(response, RECORDS, path)

    probe = probed(f"{path.rpartition('/')[2]} (GET {path})", ask)
    return replace(probe, needed=path == people.PATH or 404 not in statuses)


def _doubtful(what: str, doubts: Sequence[str]) -> Probe:
    """A probe of what does not stop a night, but keeps it from taking anything away."""
    if not doubts:
        return Probe(what, needed=False)
    text = "; ".join(doubts)
    remedy = (
        "Do what stands in brackets there. Until then people are created and changed, but nothing "
        "is taken away."
    )
    return Probe(what, f"{text[0].upper()}{text[1:]}.", remedy, needed=False)
