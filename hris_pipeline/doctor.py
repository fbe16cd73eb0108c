"""What is missing before a company goes live, and where it is switched on: `hris-pipeline doctor`.

It tries every credential and permission, reads the HR systems once into a warehouse of its own that is thrown away, and tries on
nothing that exists whether deskbird understands what would be sent. It changes nothing in deskbird and nothing of the company's.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import duckdb

from hris_pipeline import alerts, groups, managers, pause, people, settings
from hris_pipeline.contracts.extracts import Extract, Progress
from hris_pipeline.contracts.tables import RULES
from hris_pipeline.contracts.trials import Trial
from hris_pipeline.deskbird.scim import Service
from hris_pipeline.deskbird.trials import trials as deskbird_trials
from hris_pipeline.errors import HrisError, PipelineError, SettingsError, WarehouseError
from hris_pipeline.hris.registry import SYSTEMS, connect
from hris_pipeline.operations import companies
from hris_pipeline.operations.parameters import expected, people_rules
from hris_pipeline.plan import arrivals, dialects
from hris_pipeline.settings import Company
from hris_pipeline.warehouse import Warehouse, loading, scratch, stage

State = Literal["ok", "missing", "note"]
FILE, PEOPLE, DESKBIRD = "company file", "people", "deskbird"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: in order, missing, or worth knowing."""

    state: State
    area: str  # the company file, a connection, people, deskbird
    what: str
    problem: str | None = None
    remedy: str | None = None


@dataclass(frozen=True)
class Diagnosis:
    """All findings, in the order in which they were made, and what the complete read would come to."""

    company: str
    offline: bool
    findings: tuple[Finding, ...]
    counts: dict[str, Any] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """1 where something is missing, else 0."""
        return int(any(finding.state == "missing" for finding in self.findings))


def diagnose(name: str, *, now: dt.datetime, offline: bool = False, progress: Progress) -> Diagnosis:
    """Look at everything of a company; what goes wrong is a finding. ``offline`` asks nobody."""
    counts: dict[str, Any] = {}
    return Diagnosis(name, offline, tuple(_findings(name, now, progress, counts, offline=offline)), counts)


def _findings(name: str, now: dt.datetime, progress: Progress, counts: dict[str, Any], *, offline: bool) -> Iterator[Finding]:
    try:
        company = companies.load(name)
    except SettingsError as problem:
        there = name in settings.company_names()
        remedy = (
            "Correct it there; companies/example.yaml.txt shows every key."
            if there
            else f"`hris-pipeline init {name}` writes one."
        )
        yield from _lines(problem, "the company file", remedy)
        return
    yield Finding("ok", FILE, f"{company.file} is valid")
    yield from _configured(company)
    unset = settings.unusable_variables(company)
    for path, variable, code in unset:
        remedy = f"Set {variable} for whoever starts the command, and for the Dagster daemon."
        yield Finding(
            "missing",
            FILE,
            f"the environment variable {variable}",
            f"{path} needs it, and it {settings.UNUSABLE[code][0]}.",
            remedy,
        )
    if not unset:
        yield Finding("ok", FILE, "every environment variable that it needs is set")
    if offline:
        yield Finding("note", FILE, "the HR systems and deskbird", "They were not asked, because of --offline.")
        return
    try:
        resolved = companies.resolve(company, stand_in=_STAND_IN)
    except SettingsError as problem:
        yield from _lines(problem, "what the environment variables hold", "Correct the variable.")
        return
    yield from _news(resolved, {path for path, _, _ in unset})
    silent = {DESKBIRD, *(f"hris.{connection}" for connection in company.hris)}
    silent = {who for who in silent if any(path.startswith(f"{who}.") for path, _, _ in unset)}
    yield from _hris(resolved, now, progress, counts, silent)
    if DESKBIRD in silent:
        yield Finding("note", DESKBIRD, "deskbird", _NOT_ASKED)
    else:
        yield from _deskbird(resolved)


def _news(company: Company, unset: set[str]) -> Iterator[Finding]:
    """Whether the URLs for alerts are understood; nothing is sent."""
    for place, url in enumerate(company.alerts):
        if f"alerts[{place}]" in unset:
            continue
        if alerts.is_understood(url.get_secret_value()):
            yield Finding("ok", FILE, f"alerts[{place}] is a URL that Apprise understands (nothing was sent)")
        else:
            told = "It is no URL in Apprise notation, so no news would arrive."
            yield Finding(
                "missing", FILE, f"alerts[{place}]", told, "See https://github.com/caronc/apprise for how it is written."
            )


_STAND_IN = "https://unset.invalid"  # for what is not set; whoever needs it is not asked
_NOT_ASKED = "It was not asked, because a variable that it needs is not set."


def _lines(problem: SettingsError, what: str, remedy: str) -> Iterator[Finding]:
    for line in str(problem).splitlines():
        yield Finding("missing", FILE, what, line, remedy)


# --- what can be told without asking anybody ------------------------------------------------------------------------------------


def _configured(company: Company) -> Iterator[Finding]:
    """What the company file wants and its HR systems do not have; and what it is silent about."""
    systems = {name: SYSTEMS[account.system] for name, account in company.hris.items()}
    for kind in company.kinds_read:
        kinds = {name: system.kinds_of(company.hris[name].options) for name, system in systems.items()}
        without = [f"{name} ({system.title})" for name, system in systems.items() if kind not in kinds[name]]
        if without:
            told = f"{' and '.join(without)} {'does' if len(without) == 1 else 'do'} not deliver it."
            remedy = f"Nothing to do, or take {kind} out of sync.groups."
            yield Finding("note", FILE, f"groups of kind {kind}", told, remedy)
    delivered = list(dict.fromkeys(kind for name in systems for kind in systems[name].kinds_of(company.hris[name].options)))
    if company.sync.groups and not set(company.sync.groups) & set(delivered):
        told = f"No connection delivers any of {', '.join(company.sync.groups)}, so no group comes."
        remedy = f"Set sync.groups to what they deliver: [{', '.join(delivered)}]." if delivered else "Set sync.groups to []."
        yield Finding("missing", FILE, "sync.groups", told, remedy)
    offered = {name: system.offers(company.hris[name].options) for name, system in systems.items()}
    if company.sync.managers and all(can.manager == "no" for can in offered.values()):
        remedy = "Set sync.managers to false, or choose another way to read it: `hris-pipeline systems`."
        yield Finding("missing", FILE, "reporting lines", "No connection has managers.", remedy)
    if company.sync.nested_groups == "path":
        for name in (name for name, can in offered.items() if can.nested_groups == "no"):
            told = f"{name} does not say which unit lies in which, so its groups keep their own names."
            yield Finding("note", FILE, "sync.nested_groups: path", told, "Nothing to do, or leave the key out.")
    if company.changes_schedule:
        for name in (name for name, system in systems.items() if not system.reads_changes):
            told = f"{name} ({systems[name].title}) cannot say what changed, so it is read in the nights only."
            yield Finding("note", FILE, "changes_schedule", told, "Nothing to do, or leave the key out.")
    if company.schedule is None:
        told = "schedule is null, so no night starts by itself."
        yield Finding("note", FILE, "the schedule", told, 'Set it, such as "30 4 * * *", when the first sync was right.')
    if not company.alerts:
        told = "Nobody is told when a night fails or a guard holds something back."
        yield Finding("note", FILE, "alerts", told, 'Name a channel: alerts: ["${ALERT_URL}"], a URL in Apprise notation.')


# --- the HR systems -------------------------------------------------------------------------------------------------------------


def _hris(company: Company, now: dt.datetime, progress: Progress, counts: dict[str, Any], silent: set[str]) -> Iterator[Finding]:
    """Each connection's trials, then everybody, as a night would read them; ``silent`` are those that cannot be asked."""
    told: dict[str, set[str]] = {}
    refused = False
    for name, account in company.hris.items():
        told[name] = set()
        if f"hris.{name}" in silent:
            refused = True
            yield Finding("note", name, SYSTEMS[account.system].title, _NOT_ASKED)
            continue
        for trial in connect(name, account, company.kinds_read, company.sync.attributes, timezone=company.timezone).trials():
            finding = _tried(trial, name, company)
            refused = refused or (trial.needed and trial.problem is not None)
            if trial.problem and trial.attribute:
                told[name].add(trial.attribute)
            yield finding
    if refused:
        yield Finding("note", PEOPLE, "people", "Nobody was read, because something without which no night works is missing.")
        return
    try:
        yield from _rehearsed(company, now, progress, told, counts)
    except WarehouseError as problem:
        yield Finding("missing", PEOPLE, "room for reading everybody once", str(problem))


def _tried(trial: Trial, area: str, company: Company) -> Finding:
    if trial.problem is None:
        return Finding("ok", area, trial.what)
    missing = trial.needed or (trial.attribute is not None and _wanted(company, trial.attribute))
    return Finding("missing" if missing else "note", area, trial.what, trial.problem, trial.remedy)


def _wanted(company: Company, attribute: str) -> bool:
    """Whether the company file wants something that nobody has without this attribute."""
    return attribute in company.kinds_read or (attribute == "manager_id" and company.sync.managers)


def _rehearsed(
    company: Company, now: dt.datetime, progress: Progress, told: dict[str, set[str]], counts: dict[str, Any]
) -> Iterator[Finding]:
    """A complete read into a warehouse that is thrown away, and what a night would make of it."""
    earlier = _earlier_arrivals(company)
    with scratch(settings.data_folder().absolute() / f".{company.name}.doctor") as folder:
        warehouse, names = Warehouse(folder, company.name), tuple(company.hris)
        for name, account in company.hris.items():
            try:
                extracts = connect(name, account, company.kinds_read, company.sync.attributes, timezone=company.timezone).read(
                    folder, progress
                )
            except HrisError as problem:
                yield Finding("missing", name, "everybody, read to the last page", problem.problem, problem.remedy)
                return
            with warehouse.write(names) as con:
                loading.publish_extracts(con, name, extracts, now)
            for extract in extracts:
                extract.path.unlink()
            yield from _read(company, name, extracts, told[name])
            told[name].update(attribute for extract in extracts for attribute in extract.vanished)
        try:
            with warehouse.write(names) as con:
                found = people.build(con, people_rules(company), now)
            with warehouse.write(names) as con:
                made = groups.build(con, names, company.sync.groups, nested=company.sync.nested_groups)
                peopled = con.execute("select distinct kind from core.groups where member_count > 0").fetchall()
            with warehouse.write(names) as con:
                lines = managers.build(con)
            with warehouse.write(names) as con:
                lost = _lost_managers(con, company, earlier, now)
        except PipelineError as problem:
            yield Finding("missing", PEOPLE, "what a night would make of it", str(problem), "Please report it with this line.")
            return
    counts |= {
        "people": found.people,
        "in_scope": found.wanted,
        "quarantined": found.quarantined,
        "by_rule": dict(found.by_rule),
        "groups": made.groups,
        "reporting_lines": lines.people,
    }
    yield from _scope(company, found)
    yield from _quarantine(found)
    by_kind = ", ".join(f"{number:,} of kind {kind}" for kind, number in made.by_kind.items()) or "none"
    yield Finding("ok", PEOPLE, f"groups: {by_kind}")
    if found.wanted:
        yield from _empty_kinds(company, {kind for (kind,) in peopled}.union(*told.values()))
    if company.sync.managers and found.managers_resolved:
        what = f"{found.managers_resolved:,} managers are found by an id that is written otherwise"
        told_of = "Zeros at its beginning are missing, it ends in .0, or a name stands beside it; exactly one record fits."
        yield Finding("note", PEOPLE, what, told_of, "Nothing to do, or have it written as in the manager's own record.")
    for one in lost:
        where = SYSTEMS[company.hris[one.connection].system].where_of(company.hris[one.connection].options, "manager")
        told_of = f"{one.of:,} people name a manager, and {one.of - one.came:,} of these references lead to nobody. "
        told_of += "Their managers in deskbird stay, and guard attribute_vanished trips every night until they are found again."
        remedy = f"{where}; or set sync.managers to false."
        yield Finding("missing", PEOPLE, f"manager references of connection {one.connection}", told_of, remedy)
    if company.sync.managers and lines.problems:
        unsound = ", ".join(f"{number:,} {problem}" for problem, number in lines.problems.items())
        told_of = f"Some are unsound ({unsound}). A cycle is carried over as it is; of the others deskbird keeps what it has."
        yield Finding("note", PEOPLE, "reporting lines", told_of, "Correct the manager in the HR system.")


def _lost_managers(
    con: duckdb.DuckDBPyConnection, company: Company, earlier: Sequence[tuple[Any, ...]], now: dt.datetime
) -> list[arrivals.Silent]:
    """Whose manager references lead to nobody, or to far fewer than in the last nights, as a night would judge it (case 101)."""
    if company.guards.attribute_vanished is None:
        return []
    stage(con, "state.arrivals", arrivals.COLUMNS, earlier)
    limit = company.guards.update_attribute
    arrivals.refresh(
        con,
        {connection: expected(company, connection) for connection in company.hris},
        company.kinds_read,
        managers=company.sync.managers,
        from_size=(limit and limit.from_size) or arrivals.FROM_SIZE,
        now=now,
    )
    return [one for one in arrivals.silent(con, company.sync.groups) if one.kind == "manager"]


def _earlier_arrivals(company: Company) -> list[tuple[Any, ...]]:
    """What came in the company's earlier nights. Its warehouse is only read; one that cannot be read is told with deskbird."""
    warehouse = Warehouse(settings.data_folder(), company.name, patience=2.0)
    if not warehouse.path.exists():
        return []
    try:
        with warehouse.read() as con:
            return con.execute(f"select {', '.join(arrivals.COLUMNS)} from state.arrivals").fetchall()
    except (WarehouseError, duckdb.Error):
        return []


def _read(company: Company, name: str, extracts: Sequence[Extract], told: set[str]) -> Iterator[Finding]:
    """How complete a read is, and which attributes came for nobody."""
    system = SYSTEMS[company.hris[name].system]
    for extract in extracts:
        what = f"{extract.resource.replace('_', ' ')}: {extract.records:,} read"
        if extract.proof == "proven":
            yield Finding("ok", name, f"{what}. {extract.why}")
        else:
            remedy = "Run it again; while it stays so, a night creates and changes, but takes nothing away."
            yield Finding("note", name, what, f"The read is not proven complete. {extract.why}", remedy)
    for attribute in dict.fromkeys(attribute for extract in extracts for attribute in extract.vanished):
        if attribute in told:
            continue
        word = system.words.get(attribute, attribute.replace("_", " "))
        state: State = "missing" if _wanted(company, attribute) else "note"
        where = "sync.managers to false" if attribute == "manager_id" else f"{attribute} aside in sync.groups"
        choice = f", else set {where}" if state == "missing" else ""
        where_to_look = system.where_of(company.hris[name].options, "manager" if attribute == "manager_id" else attribute)
        remedy = f"{where_to_look}; if nobody has one there, all is well{choice}."
        yield Finding(state, name, f"the attribute '{word}'", f"It came for nobody in {system.title}.", remedy)


def _empty_kinds(company: Company, explained: set[str]) -> Iterator[Finding]:
    """Kinds of group that are to be synced and delivered, and that nobody is in."""
    for kind in company.sync.groups:
        delivered = any(kind in SYSTEMS[account.system].kinds_of(account.options) for account in company.hris.values())
        if delivered and kind not in explained:
            able = [each for each in company.hris.values() if kind in SYSTEMS[each.system].kinds_of(each.options)]
            where = SYSTEMS[able[0].system].where_of(able[0].options, kind)
            remedy = f"{where}, or take {kind} out of sync.groups."
            yield Finding("missing", PEOPLE, f"groups of kind {kind}", "Nobody is in one.", remedy)


def _scope(company: Company, found: people.PeopleCounts) -> Iterator[Finding]:
    what = f"{found.wanted:,} of {found.people:,} people would be in deskbird tonight"
    rest = {"have left": found.ended, "start later": found.upcoming, "are out of scope": found.scope.out_of_scope}
    detail = ", ".join(f"{number:,} {words}" for words, number in rest.items() if number)
    if found.people and not found.wanted:
        remedy = "Look at sync.scope in the company file." if company.sync.scope.include else "Look at who is active there."
        yield Finding("missing", PEOPLE, what, f"Nobody is in scope ({detail or 'no rule of the scope matches'}).", remedy)
    else:
        yield Finding("ok", PEOPLE, what + (f"; {detail}" if detail else ""))
    for rule in found.scope.matching_nobody:
        yield Finding(
            "note", PEOPLE, f"rule {rule} of sync.scope", "It matches nobody.", "See whether it is spelt as in the HR system."
        )


def _quarantine(found: people.PeopleCounts) -> Iterator[Finding]:
    """How many records each rule would hold back."""
    rules = {rule.name: rule for rule in RULES}
    for name, number in sorted(found.by_rule.items(), key=lambda pair: -pair[1]):
        what = f"{number:,} {'record' if number == 1 else 'records'} would be held back by rule {name}"
        holds = f"The rule: {rules[name].doc}. " if name in rules else ""
        remedy = "Correct them in the HR system; after `sync --dry-run` the table core.quarantine says which."
        yield Finding("note", PEOPLE, what, f"{holds}They keep whatever deskbird has; the rest is synced.", remedy)
    if not found.by_rule:
        yield Finding("ok", PEOPLE, "no record breaks a rule of the data")


# --- deskbird -------------------------------------------------------------------------------------------------------------------


def _deskbird(company: Company) -> Iterator[Finding]:
    paused = pause.in_force(settings.data_folder(), company.name) is not None
    with Service(
        company.deskbird.scim_url,
        company.deskbird.scim_token.get_secret_value(),
        requests_per_second=company.deskbird.requests_per_second,
        concurrency=1,
    ) as service:
        for trial in deskbird_trials(service, company.deskbird.scim_dialect, patch=not paused):
            yield _tried(trial, DESKBIRD, company)
    yield from _learnt(company)


def _learnt(company: Company) -> Iterator[Finding]:
    """Which form of which write worked in earlier nights, as the company's own warehouse remembers it; only read."""
    warehouse = Warehouse(settings.data_folder(), company.name, patience=2.0)
    if not warehouse.path.exists():
        return
    try:
        with warehouse.read() as con:
            found = dialects.known(con)
            marked = con.execute(
                "select count(*) from deskbird.users where active and external_id is not null and hris_ref is null"
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
            "If the company moves from an identity provider: run "
            f"`hris-pipeline link {company.name} --all-by-email --because TEXT`, or set deskbird.take_over: true.",
        )
    if doubted := [form.form for form in found if form.doubts]:
        yield Finding("note", DESKBIRD, f"forms of write in doubt: {', '.join(doubted)}", _DOUBTED)
    proven = [form for form in found if not form.doubts]
    if proven:
        words = "; ".join(
            f"{form.form} in {form.dialect} since {form.learnt_at:%Y-%m-%d}{_PROOF[form.evidence]}" for form in proven
        )
        yield Finding("ok", DESKBIRD, f"forms of write that worked in earlier nights: {words}")


_PROOF = {
    "read_back": " (read back)",
    "accepted": " (accepted; deskbird does not show it)",
    "untried": " (to be tried: the other dialect did something else than asked)",
    None: "",
}
_DOUBTED = "A value sent like this was refused, lost, or changed something else. The next write of each is read back."
