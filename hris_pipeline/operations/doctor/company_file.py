"""What can be told without asking anybody: the company file, the environment, the URLs for
alerts.
"""

from collections.abc import Iterator, Sequence

from hris_pipeline import alerts, settings
from hris_pipeline.hris.registry import SYSTEMS
from hris_pipeline.operations.doctor.findings import FILE, Finding
from hris_pipeline.settings import Company
from hris_pipeline.settings.environment import Unusable


def configured(company: Company) -> Iterator[Finding]:
    """What the company file wants and its HR systems do not have; and what it is silent about."""
    systems = {name: SYSTEMS[account.system] for name, account in company.hris.items()}
    for kind in company.kinds_read:
        kinds = {
            name: system.kinds_of(company.hris[name].options) for name, system in systems.items()
        }
        without = [
            f"{name} ({system.title})"
            for name, system in systems.items()
            if kind not in kinds[name]
        ]
        if without:
            told = (
                f"{' and '.join(without)} {'does' if len(without) == 1 else 'do'} not deliver it."
            )
            remedy = f"Nothing to do, or take {kind} out of sync.groups."
            yield Finding("note", FILE, f"groups of kind {kind}", told, remedy)
    delivered = list(
        dict.fromkeys(
            kind for name in systems for kind in systems[name].kinds_of(company.hris[name].options)
        )
    )
    if company.sync.groups and not set(company.sync.groups) & set(delivered):
        told = f"No connection delivers any of {', '.join(company.sync.groups)}, so no group comes."
        remedy = (
            f"Set sync.groups to what they deliver: [{', '.join(delivered)}]."
            if delivered
            else "Set sync.groups to []."
        )
        yield Finding("missing", FILE, "sync.groups", told, remedy)
    offered = {name: system.offers(company.hris[name].options) for name, system in systems.items()}
    if company.sync.managers and all(can.manager == "no" for can in offered.values()):
        remedy = (
            "Set sync.managers to false, or choose another way to read it: `hris-pipeline systems`."
        )
        yield Finding("missing", FILE, "reporting lines", "No connection has managers.", remedy)
    if company.sync.nested_groups == "path":
        for name in (name for name, can in offered.items() if can.nested_groups == "no"):
            told = (
                f"{name} does not say which unit lies in which, so its groups keep their own names."
            )
            yield Finding(
                "note",
                FILE,
                "sync.nested_groups: path",
                told,
                "Nothing to do, or leave the key out.",
            )
    if company.changes_schedule:
        for name in (name for name, system in systems.items() if not system.reads_changes):
            told = (
                f"{name} ({systems[name].title}) cannot say what changed, so it is read in the "
                "nights only."
            )
            yield Finding(
                "note", FILE, "changes_schedule", told, "Nothing to do, or leave the key out."
            )
    if company.schedule is None:
        told = "schedule is null, so no night starts by itself."
        yield Finding(
            "note",
            FILE,
            "the schedule",
            told,
            'Set it, such as "30 4 * * *", when the first sync was right.',
        )
    if not company.alerts:
        told = "Nobody is told when a night fails or a guard holds something back."
        yield Finding(
            "note",
            FILE,
            "alerts",
            told,
            'Name a channel: alerts: ["${ALERT_URL}"], a URL in Apprise notation.',
        )


def environment(unset: Sequence[tuple[str, str, Unusable]]) -> Iterator[Finding]:
    """The variables that are not set, or hold what cannot be used."""
    for path, variable, code in unset:
        what, why = (
            f"the environment variable {variable}",
            f"{path} needs it, and it {settings.UNUSABLE[code][0]}.",
        )
        remedy = f"Set {variable} for whoever starts the command, and for the Dagster daemon."
        yield Finding("missing", FILE, what, why, remedy)
    if not unset:
        yield Finding("ok", FILE, "every environment variable that it needs is set")


def news(company: Company, unset: set[str]) -> Iterator[Finding]:
    """Whether the URLs for alerts are understood; nothing is sent."""
    for place, url in enumerate(company.alerts):
        if f"alerts[{place}]" in unset:
            continue
        if alerts.is_understood(url.get_secret_value()):
            yield Finding(
                "ok", FILE, f"alerts[{place}] is a URL that Apprise understands (nothing was sent)"
            )
        else:
            told = "It is no URL in Apprise notation, so no news would arrive."
            yield Finding(
                "missing",
                FILE,
                f"alerts[{place}]",
                told,
                "See https://github.com/caronc/apprise for how it is written.",
            )
