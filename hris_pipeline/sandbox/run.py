"""All stand-ins together, with the sample company: what ``hris-pipeline sandbox``, ``make demo``
and ``make ui`` start.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hris_pipeline.errors import PipelineError
from hris_pipeline.sandbox import server
from hris_pipeline.sandbox.company import SAMPLE, Tenant, days_of, load_company
from hris_pipeline.sandbox.deskbird import TOKEN, DeskbirdApp, behaviour, deskbird_app
from hris_pipeline.sandbox.hris import bamboohr, merge
from hris_pipeline.sandbox.hris.personio import CREDENTIAL, personio_app

PERSONIO_PORT, DESKBIRD_PORT = 8171, 8172


@dataclass(frozen=True)
class StandIn:
    """A stand-in of another HR system with the same sample company."""

    app: Callable[[Tenant], server.App]
    port: int
    account: Mapping[str, str]  # what a company file says of it beside its address
    path: str = ""  # of the address

    def line(self, name: str, url: str) -> str:
        """The account in a company file, below ``hris:``."""
        keys = {"system": name, "base_url": url + self.path, **self.account}
        return f"  {name}: {{{', '.join(f'{key}: {value}' for key, value in keys.items())}}}"


OTHERS = {
    "merge": StandIn(
        merge.merge_app,
        8173,
        {"api_key": merge.API_KEY, "account_token": merge.ACCOUNT_TOKEN},
        "/api",
    ),
    "bamboohr": StandIn(bamboohr.bamboohr_app, 8174, {"api_key": bamboohr.API_KEY}),
}
"""By the system's name; only ``hris-pipeline sandbox`` starts them."""


def deskbird_file(data: Path) -> Path:
    """Where the sandbox's deskbird keeps what it holds, so that it survives a restart."""
    return data / "sandbox_deskbird.sqlite"


@dataclass(frozen=True)
class Sandbox:
    """The sample company's Personio and deskbird; the servers are entered by whoever runs them."""

    tenant: Tenant
    deskbird: DeskbirdApp
    servers: tuple[server.Server, server.Server]  # Personio's, deskbird's


def build(
    data: Path,
    *,
    day: int = 1,
    deskbird: str = "rfc",
    personio_port: int = PERSONIO_PORT,
    deskbird_port: int = DESKBIRD_PORT,
) -> Sandbox:
    """The stand-ins, not started yet; ``deskbird`` says how it behaves, see
    :func:`~hris_pipeline.sandbox.deskbird.behaviour.named`.

    :class:`~hris_pipeline.errors.PipelineError` where the company has no such day, or deskbird no
    such behaviour.
    """
    days = days_of(SAMPLE)
    if not 1 <= day <= days:
        raise PipelineError(
            f"The sample company has days 1 to {days}, not {day}. The sandbox did not start."
        )
    try:
        behaves = behaviour.named(deskbird)
    except ValueError as problem:
        raise PipelineError(f"The sandbox did not start: {problem}.") from None
    tenant = load_company(SAMPLE, day)
    data.mkdir(parents=True, exist_ok=True)
    app = deskbird_app(deskbird_file(data), behaviour=behaves)
    servers = (
        server.serve(personio_app(tenant), port=personio_port),
        server.serve(app, port=deskbird_port),
    )
    return Sandbox(tenant, app, servers)


_REACHED = """\
The sample company on day {day} of its life, {date}. A company file reaches it like this,
as companies/demo.yaml does:

hris:
  personio:
    system: personio
    base_url: {personio}
    client_id: {client_id}
    client_secret: {client_secret}
deskbird:
  scim_url: {deskbird}/v2/scim
  scim_token: {token}

The same company is in these HR systems too; the line takes the place of the one below hris:
{others}

What deskbird holds lies in {file}; delete that file to empty it. Ctrl-C stops the sandbox.
In another terminal, for example: hris-pipeline sync demo --dry-run --as-of {date}T04:30:00+01:00"""


def serve(data: Path, *, day: int = 1, deskbird: str = "rfc", say: Callable[[str], None]) -> None:
    """Serve on the default ports until Ctrl-C; ``say`` gets what a company file needs to reach the
    stand-ins.
    """
    sandbox = build(data, day=day, deskbird=deskbird)
    personio, service = sandbox.servers
    others = {
        name: server.serve(one.app(sandbox.tenant), port=one.port) for name, one in OTHERS.items()
    }
    told = {
        "personio": personio.url,
        "client_id": CREDENTIAL.client_id,
        "client_secret": CREDENTIAL.client_secret,
        "deskbird": service.url,
        "token": TOKEN,
        "others": "\n".join(OTHERS[name].line(name, other.url) for name, other in others.items()),
        "file": deskbird_file(data),
        "day": day,
        "date": sandbox.tenant.snapshot.date,
    }
    try:
        server.run_until_interrupted(
            personio, service, *others.values(), ready=lambda: say(_REACHED.format(**told))
        )
    finally:
        sandbox.deskbird.desk.close()
