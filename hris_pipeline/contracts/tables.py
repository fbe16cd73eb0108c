"""The contract of every table: the one place that knows column names, types and rules.

A :class:`Table` is three things at once: the DDL the warehouse creates it with, the column schema
shown in the Dagster UI, and the pandera schema its rows are judged by. Rules bear names that are
facts (``email_is_valid``); a record of ``core.people`` that breaks one goes to ``core.quarantine``
under that name, and a derived table that breaks one is not published.
"""

from dataclasses import dataclass, replace

from hris_pipeline.contracts.change_kinds import ACTIONS, OBJECTS, OUTCOMES, REASON_CODES, VERDICTS
from hris_pipeline.texts import UNSEEN_IN_ADDRESSES


@dataclass(frozen=True)
class Column:
    """One column: DuckDB type, what it means, and whether it may hold personal data."""

    name: str
    type: str
    doc: str
    nullable: bool = True
    personal: bool = False
    values: tuple[str, ...] | None = None  # the only values it may take
    # "schema.table.column" it is derived from: the column lineage in the UI
    comes_from: tuple[str, ...] = ()


@dataclass(frozen=True)
class RowRule:
    """One rule of one column, named as a fact: a value must be there, or must look like a
    pattern.
    """

    name: str
    column: str
    doc: str
    pattern: str | None = None  # whole-value regular expression; None: a value must be there


@dataclass(frozen=True)
class Table:
    """One table: ``schema.name``, what a row is, its columns, its key and the rules of its rows."""

    schema: str
    name: str
    row: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    rules: tuple[RowRule, ...] = ()

    @property
    def qualified(self) -> str:
        """``"schema"."name"``, quoted, as SQL wants it."""
        return f'"{self.schema}"."{self.name}"'

    @property
    def names(self) -> tuple[str, ...]:
        """The column names in order."""
        return tuple(column.name for column in self.columns)

    def ddl(self, qualified: str | None = None) -> str:
        """``create table if not exists`` for this table."""
        lines = [f'"{c.name}" {c.type}{"" if c.nullable else " not null"}' for c in self.columns]
        return f"create table if not exists {qualified or self.qualified} ({', '.join(lines)})"

    def at(self, schema: str) -> "Table":
        """The same contract in another schema (one per HRIS connection)."""
        return replace(self, schema=schema)


# --- what an HRIS gave: the same shape for every system, mapped attributes only -------------------

EMPLOYEES = Table(
    "hris",
    "employees",
    "one record of a person's employment as the HRIS gave it; a person with parallel employments "
    "has one row for each",
    (
        Column("id", "VARCHAR", "the person's id in that HRIS", nullable=False),
        Column(
            "employment_id",
            "VARCHAR",
            "the employment's id, where the HRIS tells employments apart",
        ),
        Column("email", "VARCHAR", "work e-mail as given", personal=True),
        Column("given_name", "VARCHAR", "first name as given", personal=True),
        Column("family_name", "VARCHAR", "last name as given", personal=True),
        Column("status", "VARCHAR", "status in the HRIS's own word"),
        Column("start_date", "VARCHAR", "first day of the employment as given"),
        Column("end_date", "VARCHAR", "last day of the employment as given"),
        Column("manager_id", "VARCHAR", "id of the manager in that HRIS"),
        Column(
            "groups",
            "STRUCT(kind VARCHAR, id VARCHAR)[]",
            "groups the person is in: kind and id in that HRIS",
        ),
        Column(
            "absent",
            "VARCHAR[]",
            "mapped attributes whose key was not in the record at all: unknown, which is not empty",
        ),
        Column("updated_at", "VARCHAR", "when the HRIS last changed the record, as given"),
        Column(
            "attributes",
            "MAP(VARCHAR, VARCHAR)",
            "what sync.attributes names, as given",
            personal=True,
        ),
    ),
)

ORG_UNITS = Table(
    "hris",
    "org_units",
    "one organisational unit (team, department, cost centre, location, legal entity, ...) as the "
    "HRIS gave it",
    (
        Column(
            "kind",
            "VARCHAR",
            "team, department, cost_center, or another kind that the system offers",
            nullable=False,
        ),
        Column(
            "id", "VARCHAR", "the unit's id in that HRIS, unique within its kind", nullable=False
        ),
        Column("name", "VARCHAR", "the unit's name as given"),
        Column(
            "parent_id",
            "VARCHAR",
            "id of the unit of the same kind above it, where the HRIS nests them",
        ),
    ),
    key=("kind", "id"),
)

PHOTOS = Table(
    "hris",
    "photos",
    "what is known of the profile photo of one person who is to be a user; the bytes only until "
    "deskbird has them",
    (
        Column("id", "VARCHAR", "the person's id in that HRIS", nullable=False),
        Column(
            "digest",
            "VARCHAR",
            "sha256: of the picture; null: has none, or it is not carried over",
        ),
        Column(
            "media_type",
            "VARCHAR",
            "image/png, image/jpeg, image/gif or image/webp, by its first bytes",
        ),
        Column("content", "BLOB", "the picture, until deskbird has acknowledged it", personal=True),
        Column("etag", "VARCHAR", "the validator that came with it, where the HRIS gives any"),
        Column(
            "record_updated_at",
            "VARCHAR",
            "when the HRIS had last changed the record when it was asked, as given",
        ),
        Column(
            "asked_at", "TIMESTAMPTZ", "when the HRIS was last asked and answered", nullable=False
        ),
        Column(
            "problem",
            "VARCHAR",
            "why it is not carried over: too_large, not_an_image, or refused by deskbird",
        ),
    ),
    key=("id",),
)

# --- what should be true: the core ----------------------------------------------------------------

# As characters, so that pandas has Arrow match them and not Python.
_NOT_IN_ADDRESSES = f'@. ,;:<>"()\\[\\]\\\\{UNSEEN_IN_ADDRESSES}'
_ATOM = f"[^{_NOT_IN_ADDRESSES}]+"
_IN_LABEL = f"[^{_NOT_IN_ADDRESSES}!#$%&'*+/=?^_`{{|}}~-]"
_LABEL = f"{_IN_LABEL}+(-+{_IN_LABEL}+)*"
STATUSES = ("upcoming", "active", "on_leave", "ended")
PROBLEMS = ("cycle", "missing", "inactive", "self")
SCOPE_CODES = (
    "included",
    "excluded",
    "not_included",
    "not_excluded",
    "not_known",
    "not_known_yet",
)

PEOPLE = Table(
    "core",
    "people",
    "one person: everybody who was read and is not quarantined, leavers included",
    (
        Column(
            "person_id",
            "VARCHAR",
            "stable id of the person, the same through renames and changed e-mails",
            nullable=False,
            comes_from=("hris.employees.id",),
        ),
        Column(
            "hris_ref",
            "VARCHAR",
            "primary record: `<connection>:<id in that HRIS>`",
            nullable=False,
            comes_from=("hris.employees.id",),
        ),
        Column(
            "email",
            "VARCHAR",
            "work e-mail, trimmed, lower case, NFC; null for some who left",
            personal=True,
            comes_from=("hris.employees.email",),
        ),
        Column(
            "given_name",
            "VARCHAR",
            "first name, NFC, without control and zero-width characters",
            personal=True,
            comes_from=("hris.employees.given_name",),
        ),
        Column(
            "family_name",
            "VARCHAR",
            "last name, likewise",
            personal=True,
            comes_from=("hris.employees.family_name",),
        ),
        Column(
            "display_name",
            "VARCHAR",
            "given and family name",
            personal=True,
            comes_from=("hris.employees.given_name", "hris.employees.family_name"),
        ),
        Column(
            "status",
            "VARCHAR",
            "upcoming, active, on_leave, ended: derived from the HRIS's word and the dates",
            nullable=False,
            values=STATUSES,
            comes_from=(
                "hris.employees.status",
                "hris.employees.start_date",
                "hris.employees.end_date",
            ),
        ),
        Column("start_date", "DATE", "first day", comes_from=("hris.employees.start_date",)),
        Column(
            "end_date",
            "DATE",
            "last day, inclusive: the person is active until it ends in the person's time zone",
            comes_from=("hris.employees.end_date",),
        ),
        Column(
            "manager_ref",
            "VARCHAR",
            "the manager's primary hris_ref",
            comes_from=("hris.employees.manager_id",),
        ),
        Column("timezone", "VARCHAR", "whose midnight ends the last day", nullable=False),
        Column(
            "in_scope",
            "BOOLEAN",
            "whether the company file's scope covers the person",
            nullable=False,
        ),
        Column(
            "scope_rule",
            "VARCHAR",
            "the rule that decided: include or exclude and its place in the company file, from 1; "
            "null without rules",
        ),
        Column(
            "scope_code", "VARCHAR", "the same as a word; null without rules", values=SCOPE_CODES
        ),
        Column(
            "wanted",
            "BOOLEAN",
            "whether the person should be an active user in deskbird now",
            nullable=False,
            comes_from=(
                "hris.employees.status",
                "hris.employees.start_date",
                "hris.employees.end_date",
            ),
        ),
        Column(
            "unknown",
            "VARCHAR[]",
            "attributes the HRIS did not deliver: nothing is concluded from them",
            nullable=False,
            comes_from=("hris.employees.absent",),
        ),
        Column(
            "group_refs",
            "VARCHAR[]",
            "the groups the person's current records name, as hris_refs, each once",
            nullable=False,
            comes_from=("hris.employees.groups",),
        ),
        Column(
            "other_refs",
            "VARCHAR[]",
            "the person's other records: ended, parallel, or of another connection",
            nullable=False,
            comes_from=("hris.employees.id",),
        ),
        Column(
            "attributes",
            "MAP(VARCHAR, VARCHAR)",
            "what sync.attributes names and the person has, clean; null for nothing",
            personal=True,
            comes_from=("hris.employees.attributes",),
        ),
    ),
    key=("person_id",),
    # for people who have not left: someone who left needs no address to be deactivated
    rules=(
        RowRule("status_is_known", "status", "the HRIS's word for the status is one we know"),
        RowRule("email_is_present", "email", "there is a work e-mail"),
        RowRule(
            "email_is_valid",
            "email",
            "the work e-mail has one @, a domain with a dot, and nothing that no address can hold",
            f"{_ATOM}(\\.{_ATOM})*@{_LABEL}(\\.{_LABEL})+",
        ),
        RowRule("name_is_present", "display_name", "there is a first or a last name"),
        RowRule("dates_are_readable", "dates", "first and last day are dates or empty"),
        RowRule(
            "rows_agree",
            "rows",
            "the rows that one contract has are the same but for their groups",
        ),
    ),
)

EMAIL_IS_UNIQUE = RowRule(
    "email_is_unique", "email", "no two people who have not left share a work e-mail"
)
"""By :func:`email_key`."""


OTHER_RECORDS_ARE_SOUND = RowRule(
    "other_records_are_sound",
    "hris_ref",
    "a person of whom only ended records are sound has no current one that is held back",
)
UNIT_HAS_A_NAME = RowRule(
    "unit_has_a_name", "name", "an organisational unit that people are in has a name"
)

QUARANTINE = Table(
    "core",
    "quarantine",
    "one record held back, by the rule it breaks; the person keeps whatever deskbird has",
    (
        Column(
            "hris_ref",
            "VARCHAR",
            "the record",
            nullable=False,
            comes_from=("hris.employees.id", "hris.org_units.id"),
        ),
        Column("table", "VARCHAR", "the table it was held back from", nullable=False),
        Column("rule", "VARCHAR", "the name of the rule it breaks", nullable=False),
        Column("first_seen", "TIMESTAMPTZ", "the first night it broke the rule", nullable=False),
        Column("last_seen", "TIMESTAMPTZ", "the latest night", nullable=False),
    ),
    key=("hris_ref", "table", "rule"),
)

GROUPS = Table(
    "core",
    "groups",
    "one group of a kind that the company file syncs, named by at least one record",
    (
        Column(
            "hris_ref",
            "VARCHAR",
            "`<connection>:<kind>:<id in that HRIS>`",
            nullable=False,
            comes_from=("hris.org_units.kind", "hris.org_units.id"),
        ),
        Column(
            "kind",
            "VARCHAR",
            "team, department, cost_center, or another kind that the system offers",
            nullable=False,
            comes_from=("hris.org_units.kind",),
        ),
        Column(
            "name",
            "VARCHAR",
            "the name in the HRIS, trimmed, NFC; the path of a nested unit where the company file "
            "asks for it",
            nullable=False,
            comes_from=("hris.org_units.name", "hris.org_units.parent_id"),
        ),
        Column(
            "parent_ref",
            "VARCHAR",
            "the group above it, where the HRIS nests groups; in deskbird they are flat",
            comes_from=("hris.org_units.parent_id",),
        ),
        Column(
            "member_count",
            "BIGINT",
            "people in it who are to be active in deskbird",
            nullable=False,
            comes_from=("core.people.group_refs", "core.people.wanted"),
        ),
    ),
    key=("hris_ref",),
)

MEMBERSHIPS = Table(
    "core",
    "memberships",
    "one person in one group; people whose employment ended are left out",
    (
        Column(
            "group_ref",
            "VARCHAR",
            "the group",
            nullable=False,
            comes_from=("core.people.group_refs",),
        ),
        Column(
            "person_id",
            "VARCHAR",
            "the person",
            nullable=False,
            comes_from=("core.people.person_id",),
        ),
    ),
    key=("group_ref", "person_id"),
)

MANAGER_GRAPH = Table(
    "core",
    "manager_graph",
    "one reporting line: a person who has not left, their manager, and where that leads",
    (
        Column(
            "person_id",
            "VARCHAR",
            "the person",
            nullable=False,
            comes_from=("core.people.person_id",),
        ),
        Column(
            "manager_id",
            "VARCHAR",
            "the manager's person_id; null at the top and where the manager is not known",
            comes_from=("core.people.manager_ref",),
        ),
        Column(
            "depth",
            "INTEGER",
            "reporting lines up to the top: 0 at the top, null within or below a cycle",
            comes_from=("core.people.manager_ref",),
        ),
        Column(
            "chain",
            "VARCHAR[]",
            "person_ids from the manager up to the top; null within or below a cycle",
            comes_from=("core.people.manager_ref",),
        ),
        Column(
            "direct_reports",
            "BIGINT",
            "people who report to this person",
            nullable=False,
            comes_from=("core.people.manager_ref",),
        ),
        Column(
            "all_reports",
            "BIGINT",
            "people below this person, however far; null within or above a cycle",
            comes_from=("core.people.manager_ref",),
        ),
        Column(
            "problem",
            "VARCHAR",
            "cycle, missing, inactive, self: what is wrong with the reporting line",
            values=PROBLEMS,
            comes_from=("core.people.manager_ref", "core.people.status"),
        ),
    ),
    key=("person_id",),
)

# --- what deskbird holds: observed, never assumed -------------------------------------------------

DESKBIRD_USERS = Table(
    "deskbird",
    "users",
    "one user that deskbird holds",
    (
        Column("deskbird_id", "VARCHAR", "the user's id in deskbird", nullable=False),
        Column("hris_ref", "VARCHAR", "our marker or link; null where the user is not ours"),
        Column("user_name", "VARCHAR", "userName as deskbird gives it", personal=True),
        Column("email", "VARCHAR", "work e-mail as deskbird gives it", personal=True),
        Column("given_name", "VARCHAR", "name.givenName", personal=True),
        Column("family_name", "VARCHAR", "name.familyName", personal=True),
        Column("display_name", "VARCHAR", "displayName", personal=True),
        Column("active", "BOOLEAN", "whether the user can log in and book", nullable=False),
        Column(
            "manager_deskbird_id",
            "VARCHAR",
            "the manager's id in deskbird; null where there is none or deskbird does not say",
        ),
        Column(
            "external_id",
            "VARCHAR",
            "externalId as deskbird gives it: ours, an identity provider's, or null",
        ),
        Column("version", "VARCHAR", "etag, where deskbird announces them"),
        Column(
            "attributes",
            "MAP(VARCHAR, VARCHAR)",
            "what sync.attributes names, as deskbird gives it",
            personal=True,
        ),
    ),
    key=("deskbird_id",),
)

DESKBIRD_GROUPS = Table(
    "deskbird",
    "groups",
    "one group that deskbird holds",
    (
        Column("deskbird_id", "VARCHAR", "the group's id in deskbird", nullable=False),
        Column("hris_ref", "VARCHAR", "our marker or link; null where the group is not ours"),
        Column("name", "VARCHAR", "displayName"),
        Column("external_id", "VARCHAR", "externalId as deskbird gives it"),
        Column("version", "VARCHAR", "etag, where deskbird announces them"),
    ),
    key=("deskbird_id",),
)

DESKBIRD_GROUP_MEMBERS = Table(
    "deskbird",
    "group_members",
    "one user in one group, as deskbird holds it",
    (
        Column("group_deskbird_id", "VARCHAR", "the group", nullable=False),
        Column("user_deskbird_id", "VARCHAR", "the user", nullable=False),
    ),
    key=("group_deskbird_id", "user_deskbird_id"),
)

# --- the plan and what became of it ---------------------------------------------------------------

CHANGES = Table(
    "deskbird",
    "changes",
    "the plan: one change to one thing in deskbird, with what is there, what is wanted and why",
    (
        Column("plan_id", "VARCHAR", "digest of the plan's content", nullable=False),
        Column("seq", "BIGINT", "order of carrying out", nullable=False),
        Column(
            "request",
            "BIGINT",
            "changes that share one HTTP write share this number",
            nullable=False,
        ),
        Column(
            "object",
            "VARCHAR",
            "user, group, membership, manager, absence",
            nullable=False,
            values=OBJECTS,
        ),
        Column(
            "action",
            "VARCHAR",
            "create, link, update, rename, reactivate, deactivate, delete, add, remove, set, clear",
            nullable=False,
            values=ACTIONS,
        ),
        Column(
            "hris_ref",
            "VARCHAR",
            "the person (user, membership, manager) or the group",
            comes_from=("core.people.hris_ref", "core.groups.hris_ref"),
        ),
        Column(
            "deskbird_id",
            "VARCHAR",
            "the user's or group's id in deskbird; null until it is created",
            comes_from=("deskbird.users.deskbird_id", "deskbird.groups.deskbird_id"),
        ),
        Column(
            "group_ref",
            "VARCHAR",
            "memberships: the group",
            comes_from=("core.memberships.group_ref",),
        ),
        Column(
            "group_deskbird_id",
            "VARCHAR",
            "memberships: the group's id in deskbird; null until it is created",
            comes_from=("deskbird.groups.deskbird_id",),
        ),
        Column(
            "before",
            "JSON",
            "what deskbird holds, keyed by column names",
            nullable=False,
            personal=True,
            comes_from=(
                "deskbird.users.email",
                "deskbird.users.given_name",
                "deskbird.users.family_name",
                "deskbird.users.display_name",
                "deskbird.users.attributes",
                "deskbird.users.active",
                "deskbird.users.external_id",
                "deskbird.users.manager_deskbird_id",
                "deskbird.groups.name",
                "deskbird.group_members.user_deskbird_id",
            ),
        ),
        Column(
            "after",
            "JSON",
            "what is wanted, likewise",
            nullable=False,
            personal=True,
            comes_from=(
                "core.people.email",
                "core.people.given_name",
                "core.people.family_name",
                "core.people.display_name",
                "core.people.attributes",
                "core.people.wanted",
                "core.manager_graph.manager_id",
                "core.groups.name",
                "core.memberships.person_id",
            ),
        ),
        Column("reason", "VARCHAR", "one plain sentence", nullable=False),
        Column(
            "reason_code",
            "VARCHAR",
            "the same as a word, which is decided by",
            values=REASON_CODES,
        ),
        Column("evidence", "JSON", "the facts it rests on", nullable=False),
        Column("verdict", "VARCHAR", "planned or blocked", nullable=False, values=VERDICTS),
        Column("guard", "VARCHAR", "the guard that blocks it"),
        Column(
            "stage",
            "INTEGER",
            "requests of one stage do not depend on each other; a later stage waits for the "
            "earlier ones",
            nullable=False,
        ),
        Column(
            "content",
            "VARCHAR",
            "digest of this change alone: what an approval belongs to",
            nullable=False,
        ),
    ),
    key=("seq",),
)

APPLIED_CHANGES = Table(
    "deskbird",
    "applied_changes",
    "what became of each change of the plan",
    (
        Column(
            "plan_id",
            "VARCHAR",
            "the plan",
            nullable=False,
            comes_from=("deskbird.changes.plan_id",),
        ),
        Column("seq", "BIGINT", "the change", nullable=False, comes_from=("deskbird.changes.seq",)),
        Column(
            "object",
            "VARCHAR",
            "as in the plan",
            nullable=False,
            comes_from=("deskbird.changes.object",),
        ),
        Column(
            "action",
            "VARCHAR",
            "as in the plan",
            nullable=False,
            comes_from=("deskbird.changes.action",),
        ),
        Column(
            "outcome",
            "VARCHAR",
            "applied, failed, blocked, skipped, stale",
            nullable=False,
            values=OUTCOMES,
        ),
        Column(
            "http_status",
            "INTEGER",
            "the last answer's status; null where no request was made or none was answered",
        ),
        Column("attempts", "INTEGER", "requests sent for it", nullable=False),
        Column("applied_at", "TIMESTAMPTZ", "when the answer came"),
        Column("problem", "VARCHAR", "what went wrong, in words, without personal data"),
        Column(
            "problem_code", "VARCHAR", "the same as a word: refused_value, gone, not_retained, ..."
        ),
    ),
    key=("plan_id", "seq"),
)

RULES = (*PEOPLE.rules, EMAIL_IS_UNIQUE, OTHER_RECORDS_ARE_SOUND, UNIT_HAS_A_NAME)
"""Every rule that holds a record back."""

CORE = (PEOPLE, QUARANTINE, GROUPS, MEMBERSHIPS, MANAGER_GRAPH)
DESKBIRD = (DESKBIRD_USERS, DESKBIRD_GROUPS, DESKBIRD_GROUP_MEMBERS, CHANGES, APPLIED_CHANGES)
