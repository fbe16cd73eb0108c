"""deskbird: its probes, and what earlier nights have learnt of it."""

from collections.abc import Iterator

from hris_pipeline import settings
from hris_pipeline.deskbird.probes import probes
from hris_pipeline.deskbird.scim import Service
from hris_pipeline.errors import WarehouseError
from hris_pipeline.operations import pause
from hris_pipeline.operations.doctor.findings import DESKBIRD, Finding, tried
from hris_pipeline.plan import dialects
from hris_pipeline.settings import Company
from hris_pipeline.warehouse import Warehouse


def asked(company: Company) -> Iterator[Finding]:
    """The probes, and which form of which write has worked."""
    paused = pause.in_force(settings.data_folder(), company.name) is not None
    with Service(
        company.deskbird.scim_url,
        company.deskbird.scim_token.get_secret_value(),
        requests_per_second=company.deskbird.requests_per_second,
        concurrency=1,
    ) as service:
        for probe in probes(service, company.deskbird.scim_dialect, patch=not paused):
            yield tried(probe, DESKBIRD, company)
    yield from _learnt(company)


def _learnt(company: Company) -> Iterator[Finding]:
    """Which form of which write worked in earlier nights, as the company's own warehouse remembers
    it; only read.
    """
    warehouse = Warehouse(settings.data_folder(), company.name, patience=2.0)
    if not warehouse.path.exists():
        return
    try:
        with warehouse.read() as con:
            found = dialects.known(con)
            marked = con.execute(
                "select count(*) from deskbird.users where active and external_id is not null and "
                "hris_ref is null"
            ).fetchone()
    except WarehouseError as problem:
        yield Finding("note", DESKBIRD, "what earlier nights have learnt of it", str(problem))
        return
    if marked and marked[0] and not company.deskbird.take_over:
        yield Finding(
            "note",
            DESKBIRD,
            f"active users that another system has marked at the last read: {marked[0]:,}",
            "None of them is linked to a person unless somebody decides.",
            "If the company moves from an identity provider: run `hris-pipeline link "
            f"{company.name} --all-by-email --because TEXT`, or set deskbird.take_over: true.",
        )
    if doubted := [form.form for form in found if form.doubts]:
        yield Finding("note", DESKBIRD, f"forms of write in doubt: {', '.join(doubted)}", _DOUBTED)
    proven = [form for form in found if not form.doubts]
    if proven:
        words = "; ".join(
            f"{form.form} in {form.dialect} since {form.learnt_at:%Y-%m-%d}{_PROOF[form.evidence]}"
            for form in proven
        )
        yield Finding("ok", DESKBIRD, f"forms of write that worked in earlier nights: {words}")


_PROOF = {
    "read_back": " (read back)",
    "accepted": " (accepted; deskbird does not show it)",
    "untried": " (to be tried: the other dialect did something else than asked)",
    None: "",
}
_DOUBTED = (
    "A value sent like this was refused, lost, or changed something else. The next write of each "
    "is read back."
)
