"""What ``hris-pipeline doctor`` tries of Merge: the two credentials, Merge's own syncs, and one record of each list."""

from collections.abc import Callable, Iterator, Sequence

import msgspec

from hris_pipeline.errors import HrisError
from hris_pipeline.hris.extract import Trial
from hris_pipeline.hris.merge import people, syncs, units
from hris_pipeline.hris.merge.service import DASHBOARD, Page, Record, Service

RECORDS = msgspec.json.Decoder(Page[Record])
CREDENTIALS = f"API key and account token (GET {syncs.ACCOUNT})"


def trials(service: Service, kinds: Sequence[str], judge: syncs.Judge) -> Iterator[Trial]:
    """The credentials and the link; then Merge's syncs; then a record of each list that is read. Nothing of a record is kept."""
    link: list[str] = []
    credentials = _attempt(CREDENTIALS, lambda: link.extend(syncs.link_doubts(service)))
    if credentials.problem:
        yield credentials
        return
    yield Trial(CREDENTIALS, _sentence(link), f"Relink the account under {DASHBOARD}." if link else None, needed=False)
    lists = units.lists_of(kinds)
    yield _try_syncs(service, ["Employee", *(source.model for source in lists)], judge)
    yield _try_list(service, "people", people.PATH, "Employee", needed=True)
    for source in lists:
        yield _try_list(service, f"{source.model.lower()}s", source.path, source.model, needed=False)


def _try_syncs(service: Service, models: Sequence[str], judge: syncs.Judge) -> Trial:
    what, found = f"Merge's own syncs (GET {syncs.SYNCS})", {}
    trial = _attempt(what, lambda: found.update(syncs.syncs(service)))
    if trial.problem:
        return trial
    doubts = judge.models(models, found)
    remedy = "Until this is mended people are created and changed, but nobody is deactivated." if doubts else None
    return Trial(what, _sentence(doubts), remedy, needed=False)


def _try_list(service: Service, what: str, path: str, model: str, *, needed: bool) -> Trial:
    def ask() -> None:
        response = service.get(path, where=path, model=model, query={"page_size": 1}, accept={404})
        if response.status_code == 404:
            raise service.api.error(
                f"has no {path} for this account (HTTP 404)",
                f"See under {DASHBOARD} whether the integration has the model {model}, and the account its scope.",
            )
        service.api.read(response, RECORDS, path)

    return _attempt(f"{what} (GET {path})", ask, needed=needed)


def _sentence(doubts: Sequence[str]) -> str | None:
    text = "; ".join(doubts)
    return f"{text[0].upper()}{text[1:]}." if text else None


def _attempt(what: str, ask: Callable[[], object], *, needed: bool = True) -> Trial:
    try:
        ask()
    except HrisError as refusal:
        problem, _, remedy = str(refusal).partition(" Nothing of this extract is used; deskbird is left as it is. ")
        return Trial(what, problem, remedy or None, needed)
    return Trial(what, needed=needed)
