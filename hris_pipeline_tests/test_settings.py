"""The company file: every mistake ends in one sentence that says where it is and what would be
right.
"""

import copy
import dataclasses
import functools
import re
import types
import typing
from collections.abc import Mapping
from pathlib import Path

import pydantic
import pytest
import yaml
from dagster import DefaultScheduleStatus, ScheduleDefinition
from hypothesis import given
from hypothesis import strategies as st

from hris_pipeline import settings
from hris_pipeline.errors import SettingsError
from hris_pipeline.operations import companies
from hris_pipeline.sandbox.deskbird import TOKEN
from hris_pipeline.sandbox.hris.personio import CREDENTIAL
from hris_pipeline.settings import Company, company_names, load, resolve
from hris_pipeline.settings.guards import Guards, Limit
from hris_pipeline.settings.mistakes import STAND_IN

REPOSITORY = Path(__file__).resolve().parents[1]

GOOD = """\
timezone: Europe/Berlin
hris:
  main:
    system: paper
    client_id: ${PAPER_ID}
    client_secret: ${PAPER_SECRET}
deskbird:
  scim_token: ${SCIM_TOKEN}
"""
ENVIRONMENT = {"PAPER_ID": "an-id", "PAPER_SECRET": "s3cr3t-paper", "SCIM_TOKEN": "s3cr3t-scim"}


class PaperOptions(settings.Settings):
    drawer: typing.Literal["upper", "lower"] = "upper"
    pages: int = pydantic.Field(default=1, ge=1)


@dataclasses.dataclass(frozen=True)
class System:
    """What a company file needs to know of an HR system."""

    name: str
    credentials: tuple[str, ...]
    options: type[settings.Settings]
    group_kinds: tuple[str, ...]
    default_base_url: str | None
    photos: bool = False
    optional_credentials: tuple[str, ...] = ()
    address: typing.Any = None
    mistakes: typing.Any = lambda account: ()

    def kinds_of(self, options: settings.Settings) -> tuple[str, ...]:
        return self.group_kinds

    def attributes_of(self, options: settings.Settings) -> tuple[str, ...]:
        return ("title",)


SYSTEMS = {
    "paper": System(
        "paper",
        ("client_id", "client_secret"),
        PaperOptions,
        ("team", "drawer"),
        "https://paper.example",
    ),
    "plain": System("plain", ("api_key",), PaperOptions, ("team",), None, photos=True),
    "tenanted": System(
        "tenanted", ("api_key",), PaperOptions, ("team",), "https://{company}.paper.example"
    ),
}


def write(folder: Path, text: str, name: str = "acme") -> Path:
    (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


def check(folder: Path, text: str) -> Company:
    return load("acme", SYSTEMS, write(folder, text))


def refusal(folder: Path, text: str) -> str:
    """The whole text of the error, the folder left out."""
    with pytest.raises(SettingsError) as caught:
        check(folder, text)
    assert caught.value.__suppress_context__ or not caught.value.__context__, (
        "a library's exception carries values"
    )
    return str(caught.value).replace(f"{folder}/", "")


def with_(*lines: str) -> str:
    """The good file, with a line after it or, ``section: line``, at the end of that section."""
    text = GOOD
    for line in lines:
        section, _, rest = line.partition(" > ")
        text = (
            text.replace(f"{section}:\n", f"{section}:\n{rest}\n", 1) if rest else f"{text}{line}\n"
        )
    return text


class Mistake(typing.NamedTuple):
    """A company file, and what is said of it after its name."""

    text: str
    sentence: str


SECRET = (
    "must be written as ${NAME} and set in the environment, because a secret has no place in a "
    "file."
)
CRON = 'must be five fields, minute hour day month weekday, such as "30 4 * * *", or null for none'

MISTAKES: dict[str, Mistake] = {
    "unknown key at the top": Mistake(
        with_("time_zone: Europe/Berlin"),
        "time_zone is not a known key. Did you mean timezone? Known here: timezone, schedule, "
        "schedule_on, changes_schedule, deadline, hris, deskbird, sync, guards, approvals, "
        "export, protected, frozen, alerts, heartbeat_url.",
    ),
    "unknown key in a section": Mistake(
        with_("sync: {absences: {enable: false}}"),
        "sync.absences.enable is not a known key. Did you mean enabled? Known here: enabled, "
        "types, past_days, half_days.",
    ),
    "misspelt required key": Mistake(
        GOOD.replace("scim_token", "scim_tokn"),
        "deskbird.scim_tokn is not a known key. Did you mean scim_token? Known here: scim_url, "
        "scim_token, scim_dialect, api_url, api_key, requests_per_second, concurrency, "
        "take_over.",
    ),
    "misspelt credential": Mistake(
        GOOD.replace("client_secret", "client_sekret"),
        "hris.main.client_sekret is not a known key. Did you mean client_secret? Known here: "
        "system, base_url, quiet_days, options, client_id, client_secret.",
    ),
    "credential of another system": Mistake(
        GOOD.replace("client_secret:", "account_token:"),
        "hris.main.account_token is not a known key. Known here: system, base_url, quiet_days, "
        "options, client_id, client_secret.\nacme.yaml: hris.main.client_secret is missing: the "
        "client_secret of the API credential, as ${NAME}.",
    ),
    "unknown key in a guard without limits": Mistake(
        with_("guards: {frozen: {max_count: 3}}"),
        "guards.frozen.max_count is not a known key. There are no keys here.",
    ),
    "unknown guard": Mistake(
        with_("guards: {delete_user: null}"),
        "guards.delete_user is not a known key. Did you mean create_user? Known here: "
        "deactivate_user, create_user, link_user, update_attribute, group_members, "
        "incomplete_extract, first_contact, scope_lost, attribute_vanished, protected, frozen, "
        "undone.",
    ),
    "drift of what nobody can change": Mistake(
        with_("sync: {drift: {default: keep, famly_name: repair}}"),
        "sync.drift.famly_name names nothing that can be changed by hand. Did you mean "
        "family_name? Known: default, email, given_name, family_name, display_name, active, "
        "manager, group_names, team, department, cost_center.",
    ),
    "another word for drift": Mistake(
        with_("sync: {drift: {manager: leave}}"), "sync.drift.manager must be 'repair' or 'keep'."
    ),
    "approvals that never last": Mistake(
        with_("approvals: {expire_hours: 0}"), "approvals.expire_hours must be at least 1."
    ),
    "unknown option": Mistake(
        with_("main > \n    options: {drawr: upper}"),
        "hris.main.options.drawr is not a known key. Did you mean drawer? Known here: drawer, "
        "pages.",
    ),
    "bad option": Mistake(
        with_("main > \n    options: {drawer: middle}"),
        "hris.main.options.drawer must be 'upper' or 'lower'.",
    ),
    "the name as a key": Mistake(
        with_("name: acme"),
        "name is not a known key, because a company's name is the name of its file.",
    ),
    "no hris": Mistake(
        "deskbird:\n  scim_token: ${SCIM_TOKEN}\n",
        "hris is missing: one entry for each HR system's account, by the connection's name.",
    ),
    "no accounts": Mistake(
        "hris: {}\ndeskbird:\n  scim_token: ${SCIM_TOKEN}\n",
        "hris must hold at least one account, by its connection's name, such as personio.",
    ),
    "no deskbird": Mistake(
        GOOD.partition("deskbird")[0],
        "deskbird is missing: the company's deskbird: scim_token at least.",
    ),
    "deskbird without a token": Mistake(
        GOOD.replace("scim_token: ${SCIM_TOKEN}", "concurrency: 2"),
        "deskbird.scim_token is missing: the SCIM bearer token, as ${NAME}; Admin > API keys in "
        "deskbird.",
    ),
    "credential missing": Mistake(
        GOOD.replace("    client_secret: ${PAPER_SECRET}\n", ""),
        "hris.main.client_secret is missing: the client_secret of the API credential, as ${NAME}.",
    ),
    "system missing": Mistake(
        GOOD.replace("    system: paper\n", ""),
        "hris.main.system is missing: the HR system's name. Known: paper, plain, tenanted.",
    ),
    "unknown system": Mistake(
        GOOD.replace("system: paper", "system: papre"),
        "hris.main.system names no HR system that is known. Did you mean paper? Known: paper, "
        "plain, tenanted.",
    ),
    "account without keys": Mistake(
        "hris:\n  main:\ndeskbird:\n  scim_token: ${SCIM_TOKEN}\n",
        "hris.main must hold keys of its own, indented below it: system, its credentials, "
        "base_url, options.",
    ),
    "connection with capitals": Mistake(
        GOOD.replace("main:", "Main:"),
        "hris.Main is not a connection name: use a-z, 0-9 and _, a letter first.",
    ),
    "connection with a dash": Mistake(
        GOOD.replace("main:", "my-hr:"),
        "hris.my-hr is not a connection name: use a-z, 0-9 and _, a letter first.",
    ),
    **{
        f"connection {name}": Mistake(
            GOOD.replace("main:", f"{name}:"),
            f"hris.{name} cannot be a connection name, because the pipeline uses it itself; so are "
            "core, deskbird, state and hris_...",
        )
        for name in ("core", "deskbird", "state", "hris_main")
    },
    "literal secret": Mistake(
        GOOD.replace("${PAPER_SECRET}", "s3cr3t-paper"),
        f"hris.main.client_secret {SECRET}",
    ),
    "literal secret around a reference": Mistake(
        GOOD.replace("${PAPER_SECRET}", "s3cr3t-${PAPER_SECRET}"),
        f"hris.main.client_secret {SECRET}",
    ),
    "default in a reference": Mistake(
        GOOD.replace("${PAPER_SECRET}", '"${PAPER_SECRET:-s3cr3t}"'),
        f"hris.main.client_secret {SECRET}",
    ),
    "half a reference to a sandbox's secret": Mistake(
        GOOD.replace("${PAPER_SECRET}", "my-${PAPER_SECRET}\n    base_url: http://127.0.0.1:1"),
        f"hris.main.client_secret {SECRET}",
    ),
    "an id that is half a reference": Mistake(
        GOOD.replace("${PAPER_ID}", '"${PAPER ID}"'),
        "hris.main.client_id must be written as ${NAME}, or be the id itself.",
    ),
    "an empty secret": Mistake(
        GOOD.replace("${PAPER_SECRET}", '""'), f"hris.main.client_secret {SECRET}"
    ),
    "a secret that is a number": Mistake(
        GOOD.replace("${PAPER_SECRET}", "12345"),
        "hris.main.client_secret must be text; put it in quotes.",
    ),
    "literal token": Mistake(
        GOOD.replace("${SCIM_TOKEN}", "s3cr3t-scim"),
        f"deskbird.scim_token {SECRET}",
    ),
    "literal API key beside a loopback SCIM address": Mistake(
        with_("deskbird > \n  scim_url: http://127.0.0.1:1/scim\n  api_key: s3cr3t"),
        f"deskbird.api_key {SECRET}",
    ),
    "literal secret for an address that only looks like loopback": Mistake(
        GOOD.replace("${SCIM_TOKEN}", "s3cr3t\n  scim_url: https://localhost.example.com/scim"),
        f"deskbird.scim_token {SECRET}",
    ),
    "literal secret for an address that is not known yet": Mistake(
        GOOD.replace("${SCIM_TOKEN}", "s3cr3t\n  scim_url: ${SCIM_URL}"),
        f"deskbird.scim_token {SECRET}",
    ),
    "http": Mistake(
        with_("deskbird > \n  scim_url: http://api.example.com/scim"),
        "deskbird.scim_url must begin with https://; http:// is for 127.0.0.1, ::1 and localhost "
        "only.",
    ),
    "http behind a loopback user name": Mistake(
        with_("deskbird > \n  scim_url: http://127.0.0.1@example.com/scim"),
        "deskbird.scim_url must be a URL without user name, password, ? and #: credentials have "
        "keys of their own.",
    ),
    "no URL": Mistake(
        with_("main > \n    base_url: paper.example"),
        "hris.main.base_url must be a whole URL, such as https://api.example.com.",
    ),
    "a port that is none": Mistake(
        with_("main > \n    base_url: https://paper.example:port"),
        "hris.main.base_url must be a whole URL, such as https://api.example.com.",
    ),
    "an unreadable reference": Mistake(
        with_("main > \n    base_url: https://${the host}"),
        "hris.main.base_url holds a reference that cannot be read: write it as ${NAME}, with "
        "letters, digits and _ only.",
    ),
    "unknown time zone": Mistake(
        GOOD.replace("Europe/Berlin", "Europe/Berln"),
        "timezone must be a time zone such as Europe/Berlin. Did you mean Europe/Berlin?",
    ),
    "a time zone from the environment": Mistake(
        GOOD.replace("Europe/Berlin", "${TZ}"),
        "timezone must be a time zone such as Europe/Berlin.",
    ),
    "a switch from the environment": Mistake(
        with_("sync: {managers: '${MANAGERS}'}"),
        "sync.managers cannot be a reference, because it is needed before a run starts: write the "
        "value itself.",
    ),
    "four cron fields": Mistake(
        with_('schedule: "30 4 * *"'),
        f"schedule {CRON}; it has 4.",
    ),
    "a cron nickname": Mistake(
        with_('schedule: "@daily"'),
        f"schedule {CRON}; it has 1.",
    ),
    "minute 60": Mistake(
        with_('schedule: "60 4 * * *"'),
        f"schedule {CRON}; the minute must lie between 0 and 59.",
    ),
    "hour 24": Mistake(
        with_('schedule: "0 24 * * *"'),
        f"schedule {CRON}; the hour must lie between 0 and 23.",
    ),
    "an unknown weekday": Mistake(
        with_('schedule: "0 4 * * mo"'),
        f"schedule {CRON}; the day of the week must lie between 0 and 7.",
    ),
    "a step of nothing": Mistake(
        with_('schedule: "*/0 4 * * *"'),
        f"schedule {CRON}; the minute must lie between 0 and 59.",
    ),
    "a step without a range": Mistake(
        with_('schedule: "5/15 4 * * *"'),
        f"schedule {CRON}; the minute must lie between 0 and 59.",
    ),
    "a step too wide": Mistake(
        with_('schedule: "*/90 4 * * *"'),
        f"schedule {CRON}; the minute must lie between 0 and 59.",
    ),
    "a range backwards": Mistake(
        with_('schedule: "0 4 * * fri-mon"'),
        f"schedule {CRON}; the day of the week must lie between 0 and 7.",
    ),
    "30 February": Mistake(
        with_('schedule: "0 4 30 2 *"'), "schedule names a day that no month of it has."
    ),
    "a switch that is text": Mistake(
        with_('sync: {managers: "no"}'), "sync.managers must be true or false."
    ),
    "a number that is text": Mistake(
        with_('sync: {prehire_days: "3"}'),
        "sync.prehire_days must be a whole number.",
    ),
    "half a day": Mistake(
        with_("sync: {prehire_days: 1.5}"), "sync.prehire_days must be a whole number."
    ),
    "less than nothing": Mistake(
        with_("sync: {prehire_days: -1}"), "sync.prehire_days must be at least 0."
    ),
    "a list that is text": Mistake(with_("sync: {groups: team}"), "sync.groups must be a list."),
    "an empty section": Mistake(
        with_("sync:"), "sync must hold keys of its own, indented below it."
    ),
    "unquoted braces": Mistake(
        with_("sync: {group_names: {pattern: {name}}}"),
        "sync.group_names.pattern must be text; put it in quotes.",
    ),
    "unknown group kind": Mistake(
        with_("sync: {groups: [team, departments]}"),
        "sync.groups[1] is no kind of group that the company's HR systems deliver. paper delivers "
        "team, drawer.",
    ),
    "a misspelt kind of group": Mistake(
        with_("sync: {groups: [drawr, team]}"),
        "sync.groups[0] is no kind of group that the company's HR systems deliver. Did you mean "
        "drawer? paper delivers team, drawer.",
    ),
    "photos that no system has": Mistake(
        with_("sync: {photos: true}"),
        "sync.photos must be false, because no HR system of the company delivers photos. Those "
        "that do: plain.",
    ),
    "an attribute that there is not": Mistake(
        with_("sync: {attributes: [titel]}"),
        "sync.attributes[0] is no attribute that can be named here. Did you mean title? Known: "
        "title, phone.",
    ),
    "an attribute twice": Mistake(
        with_("sync: {attributes: [title, title]}"), "sync.attributes[1] is there twice."
    ),
    "an attribute that no system has": Mistake(
        with_("sync: {attributes: [title, phone]}"),
        "sync.attributes[1] is delivered by none of the company's HR systems with the options that "
        "they have.",
    ),
    "what is cleared and not carried over": Mistake(
        with_("sync: {attributes: [title], cleared: {phone: clear}}"),
        "sync.cleared.phone names nothing that can be empty. Did you mean photo? "
        "Known: given_name, family_name, photo, title, manager, "
        "team, department, cost_center.",
    ),
    "photos as a word": Mistake(
        with_('sync: {photos: "yes"}'), "sync.photos must be true or false."
    ),
    "a rule for a unit of no kind": Mistake(
        with_('sync: {link_groups: {"Sales": "Sales"}}'),
        "sync.link_groups.Sales must begin with a kind of sync.groups or be an hris_ref, such as "
        '"team:Sales" or "main:team:12".',
    ),
    "a rule for a kind that is not synced": Mistake(
        with_('sync: {groups: [team], link_groups: {"department:Sales": "Sales"}}'),
        "sync.link_groups.department:Sales must begin with a kind of sync.groups or be an "
        'hris_ref, such as "team:Sales" or "main:team:12".',
    ),
    "a rule without a group": Mistake(
        with_('sync: {link_groups: {"team:Sales": " "}}'),
        "sync.link_groups.team:Sales must be the name or the id of a group in deskbird, without a "
        "reference.",
    ),
    "another way to nest": Mistake(
        with_("sync: {nested_groups: tree}"), "sync.nested_groups must be 'flat' or 'path'."
    ),
    "a kind twice": Mistake(
        with_("sync: {groups: [team, team]}"),
        "sync.groups[1] is there twice: each kind has one place in the order.",
    ),
    "a name without the name": Mistake(
        with_('sync: {group_names: {pattern: "{kind}"}}'),
        "sync.group_names.pattern must contain {name}, else different groups get one name.",
    ),
    "a collision that stays one": Mistake(
        with_('sync: {group_names: {on_collision: "{name} (2)"}}'),
        "sync.group_names.on_collision must contain {kind}, else different groups get one name.",
    ),
    "a name that reaches into Python": Mistake(
        with_('sync: {group_names: {pattern: "{name.__class__}"}}'),
        "sync.group_names.pattern may hold {name} and {kind} in braces, nothing else.",
    ),
    "an open brace": Mistake(
        with_('sync: {group_names: {pattern: "{name"}}'),
        "sync.group_names.pattern may hold {name} and {kind} in braces, nothing else.",
    ),
    "absences": Mistake(
        with_("sync: {absences: {enabled: true}}"),
        "sync.absences.enabled must be false, because absences are not carried over yet.",
    ),
    "a misspelt key in a scope rule": Mistake(
        with_("sync: {scope: {include: [{team: A}, {drawr: B}]}}"),
        "sync.scope.include[1].drawr is nothing that rules can ask for. Did you mean drawer? "
        "Known: hris_ref, connection, email, email_domain, status, start_date, end_date, team, "
        "drawer.",
    ),
    "an empty scope rule": Mistake(
        with_("sync: {scope: {exclude: [{}]}}"),
        "sync.scope.exclude[0] must hold at least one condition, such as {department: Sales}: "
        "empty, it would be about everybody.",
    ),
    "a scope rule that is no list": Mistake(
        with_("sync: {scope: {include: {team: A}}}"), "sync.scope.include must be a list."
    ),
    "a date in a scope rule": Mistake(
        with_("sync: {scope: {exclude: [{status: [active], start_date: 'after 2027-02-30'}]}}"),
        "sync.scope.exclude[0].start_date holds a day that the calendar does not have; a date is "
        "written year-month-day.",
    ),
    "a scope rule about somebody who may not be named": Mistake(
        with_("sync: {scope: {exclude: [{hris_ref: ['s3cr3t:1']}]}}"),
        "sync.scope.exclude[0].hris_ref[0] must be an hris_ref, <connection>:<id>, such as "
        "main:1234.",
    ),
    "a role that deskbird does not have": Mistake(
        with_("export: {roles: [{role: Admin}], main_office: [{office: HQ}]}"),
        "export.roles[0].role must be 'user', 'groupManager', 'manager', 'officeAdmin' or 'admin'.",
    ),
    "roles without main offices": Mistake(
        with_("export: {roles: [{role: user}]}"),
        "export.main_office must hold a rule too: deskbird's import wants both columns filled, and "
        "roles has rules.",
    ),
    "a role rule that is never reached": Mistake(
        with_(
            "export: {roles: [{role: user}, {when: {team: A}, role: admin}], main_office: "
            "[{office: HQ}]}"
        ),
        "export.roles[0] is about everybody, so that no rule after it is ever reached: put it "
        "last.",
    ),
    "an office on two lines": Mistake(
        with_('export: {roles: [{role: user}], main_office: [{office: "Berlin\\nHQ"}]}'),
        "export.main_office[0].office must be an office's name as deskbird has it, on one line and "
        "without a reference.",
    ),
    "a mistake in a rule of the export": Mistake(
        with_(
            "export: {roles: [{when: {team: [A, 3]}, role: user}], main_office: [{when: {}, "
            "office: HQ}]}"
        ),
        "export.roles[0].when.team[1] must be text or a list of texts; put it in "
        "quotes.\nacme.yaml: export.main_office[0].when must hold at least one condition, such as "
        "{department: Sales}: empty, it would be about everybody.",
    ),
    "c68 more than 100 percent": Mistake(
        with_("guards: {deactivate_user: {max_percent: 101}}"),
        "guards.deactivate_user.max_percent must be at most 100.",
    ),
    "c68 less than 0 percent": Mistake(
        with_("guards: {group_members: {max_loss_percent: -0.5}}"),
        "guards.group_members.max_loss_percent must be at least 0.",
    ),
    "c68 a count below 0": Mistake(
        with_("guards: {create_user: {max_count: -1}}"),
        "guards.create_user.max_count must be at least 0.",
    ),
    "c68 not a number": Mistake(
        with_("guards: {link_user: {max_percent: .nan}}"),
        "guards.link_user.max_percent must be a number.",
    ),
    "c68 a window of no days": Mistake(
        with_("guards: {deactivate_user: {window_days: 0}}"),
        "guards.deactivate_user.window_days must be at least 1.",
    ),
    "c68 a guard that is false": Mistake(
        with_("guards: {deactivate_user: false}"),
        "guards.deactivate_user must hold keys of its own, indented below it.",
    ),
    "a protected name": Mistake(
        with_("protected: [Ada Lovelace]"),
        "protected[0] must be an e-mail address or an hris_ref, <connection>:<id>, such as "
        "main:1234.",
    ),
    "a frozen hris_ref of no connection": Mistake(
        with_("frozen: ['ada@example.com', 'mian:7']"),
        "frozen[1] must be an e-mail address or an hris_ref, <connection>:<id>, such as main:1234.",
    ),
    "a literal alert": Mistake(
        with_("alerts: ['slack://s3cr3t/token/here']"),
        "alerts[0] must be written as ${NAME} and set in the environment, because such a URL holds "
        "a secret.",
    ),
    "an alert to a mail address": Mistake(
        with_("alerts: ['ops@example.com']"),
        "alerts[0] must be a URL in Apprise notation, such as mailtos://... or slack://..., by "
        "reference: ${ALERT_URL}.",
    ),
    "a literal heartbeat": Mistake(
        with_("heartbeat_url: https://hc.example.com/s3cr3t"),
        "heartbeat_url must be written as ${NAME} and set in the environment, because such a URL "
        "holds a secret.",
    ),
    "a dialect that is none": Mistake(
        with_("deskbird > \n  scim_dialect: okta"),
        "deskbird.scim_dialect must be 'auto', 'rfc' or 'entra'.",
    ),
    "no requests": Mistake(
        with_("deskbird > \n  requests_per_second: 0"),
        "deskbird.requests_per_second must be more than 0.",
    ),
    "nobody at work": Mistake(
        with_("deskbird > \n  concurrency: 0"), "deskbird.concurrency must be at least 1."
    ),
    "an empty file": Mistake(
        "", "acme.yaml is empty. It needs hris and deskbird; example.yaml.txt shows every key."
    ),
    "only a comment": Mistake(
        "# later\n",
        "acme.yaml is empty. It needs hris and deskbird; example.yaml.txt shows every key.",
    ),
    "a list": Mistake(
        "- hris\n",
        "acme.yaml must hold keys such as timezone, hris and deskbird, each at the beginning of a "
        "line.",
    ),
    "a key twice": Mistake(
        with_("timezone: Europe/Paris"),
        "acme.yaml, line 9: timezone is already in line 1. Keep one of them.",
    ),
    "a connection twice": Mistake(
        GOOD.replace("deskbird:", "  main:\n    system: paper\ndeskbird:"),
        "acme.yaml, line 7: main is already in line 3. Keep one of them.",
    ),
    "a key that YAML takes for a switch": Mistake(
        with_("sync: {on: true}"),
        "acme.yaml, line 9: a key must be plain text. Put it in quotes.",
    ),
    "a tab": Mistake(
        GOOD.replace("  main", "\tmain"),
        "acme.yaml, line 3: this is not valid YAML. Indent with spaces, not with tabs.",
    ),
    "a reference in brackets without quotes": Mistake(
        with_("alerts: [${S3CR3T}]"),
        "acme.yaml, line 9: this is not valid YAML. Inside [ ] or { } a reference needs quotes: "
        '"${NAME}".',
    ),
    "an unquoted cron": Mistake(
        with_("schedule: * 4 * * *"),
        "acme.yaml, line 9: this is not valid YAML. Text that begins with *, &, @, % or a quote, "
        "or that holds ': ' or ' #', needs quotes around it.",
    ),
    "an open quote": Mistake(
        with_("schedule: 'every s3cr3t", "#"),
        "acme.yaml, line 11: this is not valid YAML. The cause can also lie in the lines above.",
    ),
    "a Python object": Mistake(
        with_("sync: !!python/name:os.system x"),
        "acme.yaml, line 9: this is not valid YAML. Text that begins with *, &, @, % or a quote, "
        "or that holds ': ' or ' #', needs quotes around it.",
    ),
    "a control character": Mistake(
        with_("timezone: \x07"),
        "acme.yaml, it holds characters that YAML does not allow. Save it as plain UTF-8 text.",
    ),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_each_mistake_has_its_sentence(tmp_path: Path, case: str) -> None:
    said = refusal(tmp_path, MISTAKES[case].text)
    assert said.removeprefix("acme.yaml: ") == MISTAKES[case].sentence
    assert "s3cr3t" not in said.lower()


def test_the_good_file_is_good(tmp_path: Path) -> None:
    """Else the mistakes above would not be the only ones."""
    company = check(tmp_path, GOOD)
    assert (company.name, company.file) == ("acme", str(tmp_path / "acme.yaml"))


MANY = """\
timezone: Europe/Berln
schedule: "61 4 * * *"
hris:
  main:
    system: paper
    client_id: ${PAPER_ID}
    client_secret: s3cr3t-paper
    options: {drawer: middle, sheet: 3}
  second:
    system: plan
    api_key: s3cr3t-plain
deskbird:
  scim_tokn: s3cr3t-scim
  scim_url: http://api.example.com/scim
  concurrency: many
sync:
  groups: [team, drawers]
  precedence: {email: [third]}
  prehire_days: -1
  scope: {include: [{team: A, start_date: tomorrow}]}
guards: {delete_user: null, create_user: {max_percent: 101}}
export: {roles: [{role: user}]}
protected: [Ada Lovelace]
name: acme
name: globex
alerts: ["slack://s3cr3t/token/here"]
"""


def test_every_mistake_of_a_file_is_told_at_once(tmp_path: Path) -> None:
    said = refusal(tmp_path, MANY)
    assert "s3cr3t" not in said
    assert "Lovelace" not in said
    assert [
        line.split(" must ")[0].split(" is not ")[0].split(" names ")[0]
        for line in said.splitlines()
    ] == [
        "acme.yaml, line 25: name is already in line 24. Keep one of them.",
        "acme.yaml: name",
        "acme.yaml: timezone",
        "acme.yaml: schedule",
        "acme.yaml: hris.main.options.sheet",
        "acme.yaml: hris.main.options.drawer",
        "acme.yaml: hris.second.system",
        "acme.yaml: hris.main.client_secret",
        "acme.yaml: hris.second.api_key",
        "acme.yaml: deskbird.scim_tokn",
        "acme.yaml: deskbird.scim_url",
        "acme.yaml: deskbird.concurrency",
        "acme.yaml: deskbird.scim_token",
        "acme.yaml: sync.prehire_days",
        "acme.yaml: sync.precedence.email[0]",
        "acme.yaml: guards.delete_user",
        "acme.yaml: guards.create_user.max_percent",
        "acme.yaml: export.main_office",
        "acme.yaml: protected[0]",
        "acme.yaml: alerts[0]",
    ]


def test_what_rests_on_something_mistaken_waits_until_that_is_right(tmp_path: Path) -> None:
    """The kinds of group and the rules of the scope are those of the systems, and one of them is
    not known yet.
    """
    right = MANY.replace("system: plan\n", "system: plain\n").replace(
        "drawer: middle", "drawer: upper"
    )
    said = refusal(tmp_path, right)
    assert "sync.groups[1] is no kind of group" in said
    assert "sync.scope.include[0].start_date" in said


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (with_("sync: {groups: team, cleared: {drawer: clear}}"), ["sync.groups must be a list."]),
        (
            with_(
                "sync: {groups: [s3cr3t], cleared: {team: keep}, drift: {team: keep}, link_groups: "
                "{'team:Sales': Sales}}"
            ),
            ["sync.groups[0] is no kind of group"],
        ),
        (
            with_("export: {roles: [{role: Admin}], main_office: [{office: HQ}]}", "frozen: 7"),
            ["export.roles[0].role", "frozen"],
        ),
        (
            with_("protected: [7, 'main:1', ada]"),
            ["protected[0] must be text", "protected[2] must be an e-mail address"],
        ),
        (
            GOOD.replace("main:", "Main:") + "protected: ['Main:1']\n",
            ["hris.Main is not a connection name"],
        ),
        (
            "hris: 3\ndeskbird: 4\nsync: {photos: true}\n",
            ["hris must hold keys", "deskbird must hold keys"],
        ),
        ("tz: 1\n", ["tz is not a known key", "hris is missing", "deskbird is missing"]),
        (
            GOOD.replace("system:", "sytem:"),
            ["hris.main.sytem is not a known key. Did you mean system?"],
        ),
        (
            GOOD.replace("system: paper", "system: nothing") + "frozen: [ada]\n",
            ["hris.main.system names no HR system", "frozen[0] must be"],
        ),
        (
            GOOD.replace("${PAPER_SECRET}", "s3cr3t\n    base_url: 127.0.0.1:8171"),
            ["hris.main.base_url must be a whole URL"],
        ),
        (
            GOOD.replace("timezone:", "3: 4\n3: 5\ntimezone:"),
            ["line 1: a key must", "line 2: a key must"],
        ),
    ],
)
def test_a_mistake_makes_no_other_one(tmp_path: Path, text: str, lines: list[str]) -> None:
    said = [re.sub(r"^acme\.yaml[:,] ", "", line) for line in refusal(tmp_path, text).splitlines()]
    assert len(said) == len(lines), said
    assert all(line.startswith(beginning) for line, beginning in zip(said, lines, strict=True)), (
        said
    )


FULL = yaml.safe_load(
    with_(
        "sync: {groups: [team], precedence: {email: [main]}, drift: {team: keep}, scope: {include: "
        "[{team: A}]}}"
    )
) | {
    "export": {"roles": [{"role": "user"}], "main_office": [{"office": "HQ"}]},
    "guards": {"create_user": {"max_count": 3}, "frozen": {}},
    "protected": ["main:1"],
    "alerts": ["${ALERT}"],
}


def places(
    value: typing.Any, place: tuple[typing.Any, ...] = ()
) -> typing.Iterator[tuple[typing.Any, ...]]:
    """Where everything in a document stands."""
    steps = (
        value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    )
    for step in steps:
        yield (*place, step)
        yield from places(value[step], (*place, step))


@given(
    st.lists(
        st.tuples(
            st.sampled_from(list(places(FULL))),
            st.sampled_from(
                [
                    None,
                    7,
                    -1.5,
                    True,
                    "",
                    "s3cr3t",
                    "${X}",
                    [],
                    [7],
                    {},
                    {"s": 1},
                    [[]],
                    [{"role": "user"}],
                ]
            ),
            st.sampled_from(["value", "gone", "key"]),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_whatever_is_wrong_the_answer_is_a_list_of_sentences_and_no_mistake_is_lost(
    changes: list[tuple[tuple[typing.Any, ...], typing.Any, str]],
) -> None:
    document = copy.deepcopy(FULL)
    for (*above, last), value, what in changes:
        try:
            holder = functools.reduce(lambda part, step: part[step], above, document)
            kept = holder.pop(last)
        except (KeyError, IndexError, TypeError, AttributeError):
            continue
        if what != "gone" and isinstance(holder, dict):
            holder[last if what == "value" else f"{last}x"] = value if what == "value" else kept
        elif what != "gone":
            holder.insert(last, value)
    try:
        Company.model_validate({**document, "name": "acme"}, context={"systems": SYSTEMS})
    except pydantic.ValidationError as problem:
        at_first = len({error["loc"] for error in problem.errors()})
        with pytest.raises(SettingsError) as caught:
            settings.check("acme", yaml.safe_dump(document), "acme.yaml", SYSTEMS)
        lines = str(caught.value).splitlines()
        assert len(lines) >= at_first
        assert len(set(lines)) == len(lines)
        assert not [line for line in lines if "s3cr3t" in line or STAND_IN in line]


def test_missing_variables_stand_in_the_same_list(tmp_path: Path) -> None:
    write(tmp_path, GOOD.replace("Europe/Berlin", "Nowhere") + "heartbeat_url: ${BEAT}\n")
    with pytest.raises(SettingsError) as caught:
        load(
            "acme",
            SYSTEMS,
            tmp_path,
            environment={"PAPER_ID": "x", "PAPER_SECRET": "x", "SCIM_TOKEN": "a\nb"},
        )
    assert [
        line.partition(": ")[2].partition(" Nothing was")[0]
        for line in str(caught.value).splitlines()
    ] == [
        "timezone must be a time zone such as Europe/Berlin.",
        (
            "deskbird.scim_token needs the environment variable SCIM_TOKEN, which holds a line "
            "break or the like."
        ),
        "heartbeat_url needs the environment variable BEAT, which is not set.",
    ]
    write(tmp_path, GOOD)
    assert load("acme", SYSTEMS, tmp_path, environment=ENVIRONMENT).name == "acme"
    write(tmp_path, with_("deskbird > \n  api_key: ${NOT_NEEDED}", "tz: 1"))
    with pytest.raises(SettingsError) as caught:
        load("acme", SYSTEMS, tmp_path, environment=ENVIRONMENT)
    assert "NOT_NEEDED" not in str(caught.value)


def test_values_from_the_environment_are_all_judged_at_once(tmp_path: Path) -> None:
    company = check(
        tmp_path,
        with_(
            "deskbird > \n  scim_url: ${URL}",
            "heartbeat_url: ${BEAT}",
            'protected: ["${A}", "${B}"]',
        ),
    )
    with pytest.raises(SettingsError) as caught:
        resolve(company, SYSTEMS, ENVIRONMENT | {"URL": "http://s3cr3t.example", "A": "s3cr3t"})
    assert [line.partition(": ")[2].split(" ")[0] for line in str(caught.value).splitlines()] == [
        "protected[1]",
        "heartbeat_url",
        "deskbird.scim_url",
        "protected[0]",
    ]
    assert "s3cr3t" not in str(caught.value)


def test_two_mistakes_are_two_lines(tmp_path: Path) -> None:
    said = refusal(tmp_path, with_("sync: {managers: 3, prehire_days: -1}", "frozen: 7"))
    assert said.splitlines() == [
        "acme.yaml: sync.prehire_days must be at least 0.",
        "acme.yaml: sync.managers must be true or false.",
        "acme.yaml: frozen must be a list.",
    ]


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "acme.yaml").write_bytes("timezone: Zürich".encode("latin-1"))
    with pytest.raises(SettingsError, match=r"acme\.yaml is not UTF-8 text\. Save it as UTF-8\.$"):
        load("acme", SYSTEMS, tmp_path)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "acme.yaml").mkdir()
    with pytest.raises(SettingsError, match=r"acme\.yaml cannot be read: Is a directory\.$"):
        load("acme", SYSTEMS, tmp_path)


def test_a_file_that_is_not_there_lists_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"acme\.yaml does not exist\. Companies here: none\.$"):
        load("acme", SYSTEMS, tmp_path / "nowhere")
    write(tmp_path, GOOD, "globex")
    write(tmp_path, GOOD, "initech")
    with pytest.raises(
        SettingsError, match=r"acme\.yaml does not exist\. Companies here: globex, initech\.$"
    ):
        load("acme", SYSTEMS, tmp_path)
    (tmp_path / "acme.yml").write_text(GOOD)
    with pytest.raises(SettingsError, match=r"acme\.yml is there: its name must end in \.yaml\."):
        load("acme", SYSTEMS, tmp_path)


@pytest.mark.parametrize("name", ["Acme", "9lives", "acme-corp", "../acme", "", "acme\n", "ácme"])
def test_a_company_name_with_wrong_characters_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(
        SettingsError, match=r"is not a company name: use a-z, 0-9 and _, a letter first\."
    ):
        load(name, SYSTEMS, tmp_path)


@pytest.mark.parametrize("name", ["core", "deskbird", "state", "hris_acme"])
def test_a_company_name_that_the_pipeline_uses_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(
        SettingsError, match=r"cannot be a company name, because the pipeline uses it itself"
    ):
        load(name, SYSTEMS, write(tmp_path, GOOD, name))


def test_companies_are_the_yaml_files_sorted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("globex", "acme", ".hidden"):
        write(tmp_path, GOOD, name)
    (tmp_path / "example.yaml.txt").write_text("")
    monkeypatch.setenv("HRIS_PIPELINE_COMPANIES", str(tmp_path))
    assert company_names() == ("acme", "globex")
    assert load("globex", SYSTEMS).name == "globex"


def test_folders_are_those_of_the_environment_else_of_the_working_directory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("HRIS_PIPELINE_COMPANIES", raising=False)
    monkeypatch.delenv("HRIS_PIPELINE_DATA", raising=False)
    assert (settings.companies_folder(), settings.data_folder()) == (
        Path("companies"),
        Path("data"),
    )
    monkeypatch.setenv("HRIS_PIPELINE_DATA", "/srv/hris")
    assert settings.data_folder() == Path("/srv/hris")


def test_the_project_root_holds_workspace_yaml(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    with pytest.raises(SettingsError, match=r"Set DAGSTER_HOME"):
        settings.project_root(tmp_path / "package")
    (tmp_path / "workspace.yaml").touch()
    assert settings.project_root(tmp_path / "package") == tmp_path.resolve()


# --- defaults -------------------------------------------------------------------------------------


def test_a_key_left_out_has_its_documented_default(tmp_path: Path) -> None:
    company = check(tmp_path, GOOD)
    assert company.schedule == "30 4 * * *"
    assert company.hris["main"].base_url == "https://paper.example"
    assert company.hris["main"].options == PaperOptions(drawer="upper")
    bird = company.deskbird
    assert (bird.scim_url, bird.api_url) == (
        "https://api.deskbird.app/v2/scim",
        "https://connect.deskbird.com",
    )
    assert (bird.scim_dialect, bird.api_key, bird.requests_per_second, bird.concurrency) == (
        "auto",
        None,
        10,
        8,
    )
    assert bird.take_over is False
    sync = company.sync
    assert (sync.scope.include, sync.scope.exclude, sync.prehire_days, sync.managers) == (
        (),
        (),
        0,
        True,
    )
    assert sync.groups == ("team", "department", "cost_center")
    assert (sync.group_names.pattern, sync.group_names.on_collision) == (
        "{name}",
        "{name} ({kind})",
    )
    assert sync.absences.model_dump() == {
        "enabled": False,
        "types": {},
        "past_days": 90,
        "half_days": True,
    }
    assert sync.missing.model_dump() == {"complete_reads": 3, "hours": 60}
    assert (company.protected, company.frozen, company.alerts, company.heartbeat_url) == (
        (),
        (),
        (),
        None,
    )


def test_guards_have_their_documented_limits(tmp_path: Path) -> None:
    limits = check(tmp_path, GOOD).guards.model_dump()
    off = {"max_hard": None, "window_days": 7, "window_percent": None}
    assert limits["deactivate_user"] == {
        "max_percent": 5, "max_count": 5, "from_size": 0, "max_hard": 100, "window_days": 7,
        "window_percent": 10,
    }  # fmt: skip
    assert limits["create_user"] == {"max_percent": 20, "max_count": 25, "from_size": 10, **off}
    assert limits["link_user"] == {"max_percent": 20, "max_count": 25, "from_size": 0, **off}
    assert limits["update_attribute"] == {
        "max_percent": 30,
        "max_count": 0,
        "from_size": 10,
        **off,
    }
    assert limits["group_members"] == {"max_loss_percent": 50, "from_size": 10}
    assert [name for name, limit in limits.items() if limit == {}] == [
        "incomplete_extract", "first_contact", "scope_lost", "attribute_vanished", "protected",
        "frozen", "undone",
    ]  # fmt: skip


def test_a_guard_changed_in_part_keeps_the_rest(tmp_path: Path) -> None:
    guards = check(
        tmp_path, with_("guards: {deactivate_user: {max_count: 9}, create_user: null}")
    ).guards
    assert guards.deactivate_user is not None
    assert (
        guards.deactivate_user.max_count,
        guards.deactivate_user.max_percent,
        guards.deactivate_user.max_hard,
    ) == (9, 5, 100)
    assert guards.create_user is None
    assert guards.link_user is not None


@pytest.mark.parametrize("name", Guards.model_fields)
def test_null_switches_any_guard_off(tmp_path: Path, name: str) -> None:
    guards = check(tmp_path, with_(f"guards: {{{name}: null}}")).guards
    assert [other for other in Guards.model_fields if getattr(guards, other) is None] == [name]


@pytest.mark.parametrize("percent", [0, 100, 2.5])
def test_c68_the_ends_of_a_limit_are_valid(tmp_path: Path, percent: float) -> None:
    guards = check(
        tmp_path,
        with_(
            f"guards: {{deactivate_user: {{max_percent: {percent}, max_count: 0, max_hard: null}}}}"
        ),
    ).guards
    assert guards.deactivate_user is not None
    assert (guards.deactivate_user.max_percent, guards.deactivate_user.max_hard) == (percent, None)


# --- the schedule ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cron",
    [
        "30 4 * * *",
        "0 0 29 2 *",
        "*/15 4-6 * * mon-fri",
        "0,30 4 1,15 jan,JUL *",
        "5 4 * * 0",
        "5 4 * * fri-sun",
        "0 4 1-31/7 * *",
    ],
)
def test_a_good_cron_is_one_for_dagster_too(tmp_path: Path, cron: str) -> None:
    company = check(tmp_path, with_(f'schedule: "{cron}"'))
    assert company.schedule == cron
    schedule = ScheduleDefinition(
        name="s",
        job_name="j",
        cron_schedule=cron,
        execution_timezone=company.timezone,
        default_status=DefaultScheduleStatus.RUNNING,
    )
    assert schedule.cron_schedule == cron


def test_null_is_no_schedule(tmp_path: Path) -> None:
    assert check(tmp_path, with_("schedule: null")).schedule is None


# --- secrets and the environment ------------------------------------------------------------------


def test_loading_needs_no_environment_and_keeps_references(tmp_path: Path) -> None:
    company = check(tmp_path, with_("heartbeat_url: ${BEAT}", 'alerts: ["${ALERT}"]'))
    assert company.hris["main"].credentials["client_secret"].get_secret_value() == "${PAPER_SECRET}"
    assert company.deskbird.scim_token.get_secret_value() == "${SCIM_TOKEN}"


def test_resolving_puts_the_values_in(tmp_path: Path) -> None:
    text = with_(
        "main > \n    base_url: https://${HOST}/hr/",
        "heartbeat_url: ${BEAT}",
        'alerts: ["slack://${A}/${B}/c"]',
    )
    more = {
        "HOST": "eu.paper.example",
        "BEAT": "https://hc.example.com/s3cr3t",
        "A": "s3cr3t-a",
        "B": "s3cr3t-b",
    }
    loaded = check(tmp_path, text)
    company = resolve(loaded, SYSTEMS, ENVIRONMENT | more)
    account = company.hris["main"]
    assert {key: value.get_secret_value() for key, value in account.credentials.items()} == {
        "client_id": "an-id",
        "client_secret": "s3cr3t-paper",
    }
    assert account.base_url == "https://eu.paper.example/hr"
    assert company.deskbird.scim_token.get_secret_value() == "s3cr3t-scim"
    assert [url.get_secret_value() for url in company.alerts] == ["slack://s3cr3t-a/s3cr3t-b/c"]
    assert company.heartbeat_url is not None
    assert company.heartbeat_url.get_secret_value() == "https://hc.example.com/s3cr3t"
    assert company.file == loaded.file
    assert company.guards == loaded.guards
    assert resolve(company, SYSTEMS, {}) == company


def test_resolving_reads_the_process_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    assert (
        resolve(check(tmp_path, GOOD), SYSTEMS).deskbird.scim_token.get_secret_value()
        == "s3cr3t-scim"
    )


@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_missing_variable_is_named_with_its_file_and_key(
    tmp_path: Path, value: str | None
) -> None:
    environment = {
        key: text
        for key, text in (ENVIRONMENT | {"PAPER_SECRET": value}).items()
        if text is not None
    }
    company = check(tmp_path, GOOD)
    with pytest.raises(SettingsError) as caught:
        resolve(company, SYSTEMS, environment)
    assert (
        str(caught.value)
        == f"{tmp_path}/acme.yaml: hris.main.client_secret needs the environment variable "
        "PAPER_SECRET, which is not set. Nothing was read or written; set it and start again."
    )


def test_a_variable_with_a_line_break_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        SettingsError,
        match=(
            r"deskbird.scim_token needs the environment variable SCIM_TOKEN, which holds a line"
            r" break"
        ),
    ):
        resolve(check(tmp_path, GOOD), SYSTEMS, ENVIRONMENT | {"SCIM_TOKEN": "s3cr3t\n"})


@pytest.mark.parametrize(
    ("line", "variable", "value", "sentence"),
    [
        (
            "deskbird > \n  scim_url: ${V}",
            "V",
            "http://s3cr3t.example",
            "deskbird.scim_url must begin with https://; http:// is for",
        ),
        (
            "heartbeat_url: ${V}",
            "V",
            "http://s3cr3t.example",
            "heartbeat_url must begin with https://",
        ),
        ("heartbeat_url: ${V}", "V", "ping://s3cr3t", "heartbeat_url must be a whole URL"),
        ('alerts: ["${V}"]', "V", "s3cr3t", "alerts[0] must be a URL in Apprise notation"),
        ('protected: ["${V}"]', "V", "s3cr3t", "protected[0] must be an e-mail address"),
    ],
)
def test_a_value_from_the_environment_is_judged_too(
    tmp_path: Path, line: str, variable: str, value: str, sentence: str
) -> None:
    company = check(tmp_path, with_(line))
    with pytest.raises(SettingsError) as caught:
        resolve(company, SYSTEMS, ENVIRONMENT | {variable: value})
    assert sentence in str(caught.value)
    assert "s3cr3t" not in str(caught.value)


def test_an_api_key_for_absences_is_not_needed_without_them(tmp_path: Path) -> None:
    company = resolve(
        check(tmp_path, with_("deskbird > \n  api_key: ${NOT_SET}")), SYSTEMS, ENVIRONMENT
    )
    assert company.deskbird.api_key is None


def test_alerts_need_no_other_variable_than_their_own(tmp_path: Path) -> None:
    company = check(tmp_path, with_('alerts: ["slack://${A}/${B}/c", "json://localhost/"]'))
    urls = settings.alert_urls(company, {"A": "s3cr3t-a", "B": "s3cr3t-b"})
    assert urls == ("slack://s3cr3t-a/s3cr3t-b/c", "json://localhost/")
    with pytest.raises(
        SettingsError,
        match=r"acme\.yaml: alerts needs the environment variable B, which is not set\.",
    ):
        settings.alert_urls(company, {"A": "s3cr3t-a", "B": " "})


@pytest.mark.parametrize("host", ["127.0.0.1:8172", "localhost", "[::1]:8172"])
def test_a_sandbox_on_this_machine_may_have_its_credentials_in_the_file(
    tmp_path: Path, host: str
) -> None:
    text = GOOD.replace("${PAPER_SECRET}", f"public\n    base_url: http://{host}").replace(
        "${SCIM_TOKEN}", f"public\n  scim_url: http://{host}/scim"
    )
    text += f"alerts: ['json://{host}/', 'syslog://']\nheartbeat_url: http://{host}/beat\n"
    company = resolve(check(tmp_path, text), SYSTEMS, {"PAPER_ID": "x"})
    assert company.deskbird.scim_token.get_secret_value() == "public"


def test_c82_secrets_and_people_are_in_no_repr_dump_or_description(tmp_path: Path) -> None:
    text = with_(
        "protected: [ada@s3cr3t.example]",
        "frozen: ['main:7']",
        'alerts: ["${ALERT}"]',
        "heartbeat_url: ${BEAT}",
    )
    environment = ENVIRONMENT | {
        "ALERT": "slack://s3cr3t",
        "BEAT": "https://hc.example.com/s3cr3t",
    }
    company = resolve(check(tmp_path, text), SYSTEMS, environment)
    shown = [
        repr(company),
        str(company),
        f"{company}",
        str(company.describe()),
        repr(company.hris),
        repr(company.deskbird),
    ]
    assert not [place for place, text in enumerate(shown) if "s3cr3t" in text]
    assert "s3cr3t-" not in company.model_dump_json()
    assert company.describe()["protected"] == 1
    assert company.describe()["hris"]["main"]["client_secret"] == "***"


def test_rules_that_name_people_are_in_no_repr_or_description_and_change_the_fingerprint(
    tmp_path: Path,
) -> None:
    def company(name: str) -> Company:
        rules = f"[{{email: {name}@s3cr3t.example}}, {{start_date: 2027-01-31}}]"
        roles = f"[{{when: {{email: {name}@s3cr3t.example}}, role: admin}}]"
        scope = f"sync: {{scope: {{include: {rules}, exclude: {rules}}}}}"
        return check(
            tmp_path, with_(scope, f"export: {{roles: {roles}, main_office: [{{office: HQ}}]}}")
        )

    shown = [
        repr(company("ada")),
        str(company("ada").describe()),
        repr(company("ada").sync.scope),
        repr(company("ada").export),
    ]
    assert not [place for place, text in enumerate(shown) if "s3cr3t" in text]
    assert (
        company("ada").fingerprint() == company("ada").fingerprint() != company("bob").fingerprint()
    )
    assert resolve(company("ada"), SYSTEMS, ENVIRONMENT).sync == company("ada").sync


def test_kinds_that_only_rules_speak_of_are_read_too(tmp_path: Path) -> None:
    scope, roles = "[{drawer: A, status: active}]", "[{when: {team: A}, role: user}]"
    company = check(
        tmp_path,
        with_(
            f"sync: {{groups: [], scope: {{exclude: {scope}}}}}",
            f"export: {{roles: {roles}, main_office: [{{office: HQ}}]}}",
        ),
    )
    assert company.kinds_read == ("drawer", "team")


def test_the_fingerprint_changes_with_the_settings_but_not_with_secrets(tmp_path: Path) -> None:
    loaded = check(tmp_path, GOOD)
    resolved = resolve(loaded, SYSTEMS, ENVIRONMENT)
    assert re.fullmatch(r"[0-9a-f]{16}", loaded.fingerprint())
    assert loaded.fingerprint() == resolved.fingerprint() == check(tmp_path, GOOD).fingerprint()
    assert check(tmp_path, with_("sync: {prehire_days: 3}")).fingerprint() != loaded.fingerprint()


def test_a_company_is_not_changed_after_loading(tmp_path: Path) -> None:
    company = check(tmp_path, GOOD)
    with pytest.raises(pydantic.ValidationError):
        company.timezone = "UTC"


def test_a_system_without_an_address_of_its_own_needs_none(tmp_path: Path) -> None:
    text = (
        "hris: {main: {system: plain, api_key: '${K}', base_url: null}}\ndeskbird: {scim_token: "
        "'${T}'}\n"
    )
    assert check(tmp_path, text).hris["main"].base_url is None


def test_a_system_that_gives_each_account_an_address_of_its_own_has_to_be_told_it(
    tmp_path: Path,
) -> None:
    text = "hris: {main: {system: tenanted, api_key: '${K}'%s}}\ndeskbird: {scim_token: '${T}'}\n"
    own = "the account's own address, https://{company}.paper.example."
    assert refusal(tmp_path, text % "") == f"acme.yaml: hris.main.base_url is missing: {own}"
    assert (
        refusal(tmp_path, text % ", base_url: null")
        == f"acme.yaml: hris.main.base_url must be {own}"
    )
    company = check(tmp_path, text % ", base_url: 'https://acme.paper.example/'")
    assert company.hris["main"].base_url == "https://acme.paper.example"


# --- the files that come with the project ---------------------------------------------------------


def keys_of_models(model: type[pydantic.BaseModel], path: str = "") -> set[str]:
    """Every key of the company file by its path, accounts of HR systems left out."""
    found = set()
    for name, field in model.model_fields.items():
        if path == "" and name == "name":
            continue
        here = f"{path}.{name}" if path else name
        found.add(here)
        for kind in (field.annotation, *typing.get_args(field.annotation)):
            if (
                isinstance(kind, type)
                and not isinstance(kind, types.GenericAlias)
                and issubclass(kind, pydantic.BaseModel)
            ):
                found |= keys_of_models(kind, here)
    return found


def keys_of_document(document: Mapping[str, object], path: str = "") -> set[str]:
    found = set()
    for name, value in document.items():
        here = f"{path}.{name}" if path else name
        found.add(here)
        if isinstance(value, Mapping) and here != "hris":
            found |= keys_of_document(value, here)
    return found


def test_the_example_shows_every_key_and_no_other() -> None:
    document = yaml.safe_load(
        (REPOSITORY / "companies/example.yaml.txt").read_text(encoding="utf-8")
    )
    assert keys_of_document(document) == keys_of_models(Company)
    assert set(settings.HrisAccount.model_fields) <= set(document["hris"]["personio"])


def test_the_example_loads_and_shows_the_defaults(tmp_path: Path) -> None:
    write(tmp_path, (REPOSITORY / "companies/example.yaml.txt").read_text(encoding="utf-8"))
    example = companies.load("acme", tmp_path)
    values = {
        name: f"value-of-{name}"
        for name in ("PERSONIO_CLIENT_ID", "PERSONIO_CLIENT_SECRET", "DESKBIRD_SCIM_TOKEN")
    }
    assert (
        companies.resolve(example, values).deskbird.scim_token.get_secret_value()
        == "value-of-DESKBIRD_SCIM_TOKEN"
    )
    least = """\
timezone: Europe/Berlin
hris:
  personio:
    system: personio
    client_id: "${PERSONIO_CLIENT_ID}"
    client_secret: "${PERSONIO_CLIENT_SECRET}"
deskbird: {scim_token: "${DESKBIRD_SCIM_TOKEN}", api_key: "${DESKBIRD_API_KEY}"}
"""
    assert companies.load("acme", write(tmp_path, least)) == example


def test_the_demo_works_without_any_environment() -> None:
    demo = companies.resolve(companies.load("demo", REPOSITORY / "companies"), {})
    assert (demo.schedule, demo.schedule_on) == ("30 4 * * *", False)  # there, and stopped
    assert demo.hris["personio"].base_url == "http://127.0.0.1:8171"
    assert demo.deskbird.scim_url == "http://127.0.0.1:8172/v2/scim"
    credentials = {
        key: value.get_secret_value() for key, value in demo.hris["personio"].credentials.items()
    }
    assert credentials == {
        "client_id": CREDENTIAL.client_id,
        "client_secret": CREDENTIAL.client_secret,
    }
    assert demo.deskbird.scim_token.get_secret_value() == TOKEN


def test_every_key_has_a_description_and_a_default_or_is_required_by_name() -> None:
    required = set()

    def walk(model: type[pydantic.BaseModel], path: str) -> None:
        for name, field in model.model_fields.items():
            assert field.description or model.__base__ is Limit, f"{path}.{name}"
            if field.is_required():
                required.add(f"{path}.{name}".strip("."))
            for kind in (field.annotation, *typing.get_args(field.annotation)):
                if (
                    isinstance(kind, type)
                    and not isinstance(kind, types.GenericAlias)
                    and issubclass(kind, settings.Settings)
                ):
                    walk(kind, f"{path}.{name}")

    walk(Company, "")
    assert required == {"name", "hris", "deskbird", "deskbird.scim_token"}


def test_one_system_that_has_photos_will_do_and_they_are_kept_unless_they_are_to_be_cleared(
    tmp_path: Path,
) -> None:
    second = (
        "  second: {system: plain, base_url: https://plain.example, api_key: '${PAPER_SECRET}'}"
    )
    company = check(tmp_path, with_(f"hris > {second}", "sync: {photos: true}"))
    assert company.sync.photos
    assert "photo" not in company.sync.attributes_cleared
    assert not check(tmp_path, with_()).sync.photos
    assert (
        "photo" in check(tmp_path, with_("sync: {cleared: {photo: clear}}")).sync.attributes_cleared
    )
