"""The credentials of the sandbox's Personio: what each may read, in Personio's own words."""

from dataclasses import dataclass, field

SCOPES = frozenset(
    {
        "personio:persons:read",
        "personio:org-units:read",
        "personio:cost-centers:read",
        "personio:workplaces:read",
        "personio:legal-entities:read",
        "employees:read",
    }
)
OTHER_SCOPES = frozenset(
    {
        "personio:absences:read",
        "personio:attendances:read",
        "personio:webhooks:read",
        "absences:read",
    }
)
PHONE = "dynamic_30512"
"""The account's own attribute for the phone at work."""
# v1's names; key, label, type
STANDARD = (
    ("id", "ID", "integer"),
    ("first_name", "First name", "standard"),
    ("last_name", "Last name", "standard"),
    ("preferred_name", "Name (preferred)", "standard"),
    ("email", "Email", "standard"),
    ("gender", "Gender", "standard"),
    ("status", "Status", "standard"),
    ("position", "Position", "standard"),
    ("supervisor", "Supervisor", "standard"),
    ("employment_type", "Employment type", "standard"),
    ("weekly_working_hours", "Weekly hours", "standard"),
    ("hire_date", "Hire date", "date"),
    ("contract_end_date", "Contract ends", "date"),
    ("termination_date", "Termination date", "date"),
    ("last_working_day", "Last day of work", "date"),
    ("created_at", "Created at", "date"),
    ("last_modified_at", "Last modified", "date"),
    ("subcompany", "Subcompany", "standard"),
    ("office", "Office", "standard"),
    ("department", "Department", "standard"),
    ("team", "Team", "standard"),
    ("cost_centers", "Cost center", "standard"),
    ("profile_picture", "Profile Picture", "standard"),
    ("dynamic_24407", "Personnel number", "standard"),
    (PHONE, "Work phone", "standard"),
)
ATTRIBUTES = tuple(key for key, _, _ in STANDARD)


@dataclass(frozen=True)
class Credential:
    """An API credential of the tenant and the rights ticked for it."""

    client_id: str = "papi-11111111-sandbox"
    client_secret: str = field(default="sandbox-secret", repr=False)
    scopes: frozenset[str] = SCOPES


CREDENTIAL = Credential()
