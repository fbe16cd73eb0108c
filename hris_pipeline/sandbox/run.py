"""All stand-ins together, with the sample company: what ``hris-pipeline sandbox``, ``make demo`` and ``make ui`` start."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from textwrap import indent

from hris_pipeline.errors import PipelineError
from hris_pipeline.sandbox import merge, personio, server
from hris_pipeline.sandbox.company import SAMPLE, Tenant, days_of, load_company
from hris_pipeline.sandbox.deskbird import TOKEN, DeskbirdApp, deskbird_app
from hris_pipeline.sandbox.server import App

PERSONIO_PORT, DESKBIRD_PORT = 8171, 8172


@dataclass(frozen=True)
class StandIn:
    """Another way to reach the sample company's HR system, and what a company file says to take it."""

    title: str
    port: int
    app: Callable[[Tenant], App]
    account: str  # of the company file: the lines below the connection's name; {url} is the stand-in's


OTHERS = (
    StandIn(
        "Merge",
        8173,
        merge.merge_app,
        f"system: merge\nbase_url: {{url}}/api\napi_key: {merge.API_KEY}\naccount_token: {merge.ACCOUNT_TOKEN}",
    ),
)
"""What `hris-pipeline sandbox` serves besides Personio and deskbird; one line more for each stand-in more."""


def deskbird_file(data: Path) -> Path:
    """Where the sandbox's deskbird keeps what it holds, so that it survives a restart."""
    return data / "sandbox_deskbird.sqlite"


@dataclass(frozen=True)
class Sandbox:
    """The sample company's Personio and deskbird; the servers are entered by whoever runs them."""

    tenant: Tenant
    deskbird: DeskbirdApp
    servers: tuple[server.Server, server.Server]  # Personio's, deskbird's


def build(data: Path, *, day: int = 1, personio_port: int = PERSONIO_PORT, deskbird_port: int = DESKBIRD_PORT) -> Sandbox:
    """The stand-ins, not started yet; :class:`~hris_pipeline.errors.PipelineError` where the company has no such day."""
    days = days_of(SAMPLE)
    if not 1 <= day <= days:
        raise PipelineError(f"The sample company has days 1 to {days}, not {day}. The sandbox did not start.")
    tenant = load_company(SAMPLE, day)
    data.mkdir(parents=True, exist_ok=True)
    deskbird = deskbird_app(deskbird_file(data))
    servers = server.serve(personio.personio_app(tenant), port=personio_port), server.serve(deskbird, port=deskbird_port)
    return Sandbox(tenant, deskbird, servers)


_REACHED = """\
The sample company on day {day} of its life, {date}. A company file reaches it like this, as companies/demo.yaml does:

hris:
  personio:
    system: personio
    base_url: {personio}
    client_id: {client_id}
    client_secret: {client_secret}
deskbird:
  scim_url: {deskbird}/v2/scim
  scim_token: {token}

{others}
What deskbird holds lies in {file}; delete that file to empty it. Ctrl-C stops the sandbox.
In another terminal, for example: hris-pipeline sync demo --dry-run --as-of {date}T04:30:00+01:00"""


def _told(other: StandIn, url: str) -> str:
    lines = indent(other.account.format(url=url), "    ")
    return (
        f"The same company through {other.title}; in the place of what stands below hris:\n\n  {other.title.lower()}:\n{lines}\n"
    )


def serve(data: Path, *, day: int = 1, say: Callable[[str], None]) -> None:
    """Serve on the default ports until Ctrl-C; ``say`` gets what a company file needs to reach the stand-ins."""
    sandbox = build(data, day=day)
    hris, deskbird = sandbox.servers
    others = {other: server.serve(other.app(sandbox.tenant), port=other.port) for other in OTHERS}
    told = {
        "personio": hris.url,
        "client_id": personio.CREDENTIAL.client_id,
        "client_secret": personio.CREDENTIAL.client_secret,
        "others": "\n".join(_told(other, each.url) for other, each in others.items()),
        "deskbird": deskbird.url,
        "token": TOKEN,
        "file": deskbird_file(data),
        "day": day,
        "date": sandbox.tenant.snapshot.date,
    }
    try:
        server.run_until_interrupted(hris, deskbird, *others.values(), ready=lambda: say(_REACHED.format(**told)))
    finally:
        sandbox.deskbird.desk.close()
