"""What the 16 HR systems that deskbird reaches through Merge give there, as facts.

Which fields come is taken from the coverage that Merge publishes with its specification (state of
August 2026; a test compares them where that document is there); how each system is linked, from
Merge's and the vendors' help pages, and less sure.
"""

from dataclasses import dataclass

from hris_pipeline.hris.system import Answer, Capabilities, Variant

EMPLOYEE_FIELDS = ("manager", "avatar", "start_date", "termination_date", "work_location")
GROUP_FIELDS = ("type", "parent_group", "is_commonly_used_as_team", "remote_id")
TIME_OFF_FIELDS = ("amount", "request_type", "end_time")

_ALL_OF_EMPLOYEE = " ".join(EMPLOYEE_FIELDS)
_WITHOUT_PHOTO = "manager start_date termination_date work_location"
_FLAT_GROUPS = "type is_commonly_used_as_team remote_id"
_ALL_OF_GROUP = " ".join(GROUP_FIELDS)
_ALL_OF_TIME_OFF = " ".join(TIME_OFF_FIELDS)


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """One HR system as Merge gives it: of the fields above those that come, with spaces between."""

    title: str
    links_with: str
    employee: str = _ALL_OF_EMPLOYEE
    group: str = _FLAT_GROUPS
    time_off: str | None = _ALL_OF_TIME_OFF  # None: no absences at all
    tells_deletions: bool = False  # of employees, without Merge's paid add-on
    # the type of those groups that Merge says are used as teams (its help, 7170465)
    used_as_team: str | None = None
    half_days: bool = False  # deskbird's help names the systems whose half days it takes
    beware: str | None = None


COVERAGE = {
    "adp-decidium": Coverage(
        title="ADP Decidium",
        links_with="not documented; probably credentials of an ADP partner",
        employee=_WITHOUT_PHOTO,
        group="type parent_group remote_id",
        time_off="end_time",
    ),
    "adp-workforce-now": Coverage(
        title="ADP Workforce Now",
        links_with="consent in ADP's Marketplace, or a service user with access to reports",
        used_as_team="DEPARTMENT",
    ),
    "bamboohr": Coverage(
        title="BambooHR",
        links_with="subdomain and API key, or OAuth",
        group="type is_commonly_used_as_team",
        tells_deletions=True,
        used_as_team="DEPARTMENT",
        beware=(
            "the key must belong to somebody who sees all employees, or people are missing without "
            "a word"
        ),
    ),
    "breathe": Coverage(title="Breathe", links_with="API key", used_as_team="DEPARTMENT"),
    "charlie": Coverage(
        title="Charlie", links_with="client id and secret, or API token", used_as_team="TEAM"
    ),
    "darwinbox": Coverage(
        title="Darwinbox",
        links_with="subdomain, user name and password, API key",
        employee=_WITHOUT_PHOTO,
        group="type remote_id",
        time_off=None,
    ),
    "factorial": Coverage(
        title="Factorial", links_with="OAuth", employee=_WITHOUT_PHOTO, used_as_team="TEAM"
    ),
    "hibob": Coverage(
        title="HiBob",
        links_with="id and token of a service user, or OAuth",
        used_as_team="DEPARTMENT",
        half_days=True,
        beware="the service user needs the right to Lifecycle, or nobody has a status",
    ),
    "hr-works": Coverage(
        title="HRworks", links_with="access key and secret key", group="parent_group remote_id"
    ),
    "lucca": Coverage(
        title="Lucca",
        links_with="tenant's address and API key",
        group=_ALL_OF_GROUP,
        used_as_team="DEPARTMENT",
        beware=(
            'the key\'s role needs "see future employees" and "see former employees", or joiners '
            "and leavers vanish"
        ),
    ),
    "peoplehr": Coverage(
        title="People HR",
        links_with="API key of an HR administrator",
        group="type is_commonly_used_as_team",
        used_as_team="DEPARTMENT",
    ),
    "personio": Coverage(
        title="Personio",
        links_with="client id and secret of an API credential",
        employee=_WITHOUT_PHOTO,
        group=_ALL_OF_GROUP,
        used_as_team="TEAM",
        half_days=True,
        beware="each attribute must be ticked for the credential, Status and Supervisor too",
    ),
    "sage-hr": Coverage(
        title="Sage HR",
        links_with="subdomain and API key; API access must be switched on",
        employee="manager avatar start_date termination_date",
        beware="leavers come without a work e-mail",
    ),
    "sap-successfactors": Coverage(
        title="SAP SuccessFactors",
        links_with=(
            "address of the API server, user name, company id, OAuth client with a certificate"
        ),
        employee=_WITHOUT_PHOTO,
        group=_ALL_OF_GROUP,
        beware="where addresses are restricted, Merge's own must be allowed",
    ),
    "ukg-pro-wfm": Coverage(
        title="UKG Pro Workforce Management",
        links_with="subdomain, client id and secret, API-only user and password",
        employee="manager work_location",
        group="type remote_id",
    ),
    "workday": Coverage(
        title="Workday",
        links_with=(
            "tenant, address of its services, and an integration system user or an OAuth client"
        ),
        group=_ALL_OF_GROUP,
        time_off="amount request_type",
    ),
}
"""By Merge's integration."""


def _capabilities(it: Coverage) -> Capabilities:
    employee, group, time_off = it.employee.split(), it.group.split(), (it.time_off or "").split()
    typed = "type" in group
    return Capabilities(
        authentication=(
            "Merge's API key and the account token of the linked account, which is linked with: "
            f"{it.links_with}"
        )
        + (f"; {it.beware}" if it.beware else ""),
        leavers=_leavers(it, dated="termination_date" in employee),
        completeness=(
            "Merge gives no total: a read is complete when every page came and Merge had finished "
            "its own sync"
        ),
        rate="100, 400 or 600 requests a minute for each linked account, by Merge's plan",
        manager="yes" if "manager" in employee else "no",
        team=_kind("TEAM", it, typed=typed),
        department=_kind("DEPARTMENT", it, typed=typed),
        cost_center="unknown" if typed else "no",
        nested_groups="yes" if "parent_group" in group else "no",
        photo="yes" if "avatar" in employee else "no",
        absences=(
            "no"
            if it.time_off is None
            else "yes"
            if {"amount", "end_time"} <= set(time_off)
            else "partly"
        ),
        half_days="yes" if it.half_days else "unknown" if "amount" in time_off else "no",
        changed_since="yes",
        evidence="specification",
        lacks=tuple(_lacks(employee, group)),
    )


def _kind(kind: str, it: Coverage, *, typed: bool) -> Answer:
    """Types of group are the integration's; of those used as teams Merge says which type they
    have.
    """
    if not typed:
        return "no"
    return "yes" if it.used_as_team == kind else "unknown"


def _leavers(it: Coverage, *, dated: bool) -> str:
    ended = "status INACTIVE" + (" and a termination date" if dated else ", without a date")
    deleted = (
        "deleted people are marked"
        if it.tells_deletions
        else "deleted people are marked with a paid add-on only"
    )
    return f"{ended}; {deleted}"


def _lacks(employee: list[str], group: list[str]) -> list[str]:
    found = {
        "start dates": "start_date" not in employee,
        "work locations": "work_location" not in employee,
        "ids of groups": "remote_id" not in group,
        "types of groups, so that teams, departments and cost centres cannot be told apart": (
            "type" not in group
        ),
    }
    return [what for what, missing in found.items() if missing]


THROUGH_MERGE = tuple(
    Variant(name, it.title, "system: merge", _capabilities(it)) for name, it in COVERAGE.items()
)
