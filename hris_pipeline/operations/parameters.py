"""What the company file says, in the words of the core. The core itself reads no settings."""

from hris_pipeline import rules
from hris_pipeline.export import Choice, ExportRules
from hris_pipeline.hris.registry import SYSTEMS
from hris_pipeline.people import PeopleParameters
from hris_pipeline.plan import PlanParameters
from hris_pipeline.plan.arrivals import ATTRIBUTES, Expected
from hris_pipeline.settings import Company, OfficeRule, RoleRule


def scope(company: Company) -> rules.Scope:
    """Who is synced."""
    words, given = company.vocabulary, company.sync.scope
    include, exclude = (
        tuple(rules.parse(rule, words)[0] for rule in some)
        for some in (given.include, given.exclude)
    )
    return rules.Scope(include, exclude)


def export_rules(company: Company) -> ExportRules:
    """Whose role and main office are which."""

    def choice(given: RoleRule | OfficeRule) -> Choice:
        rule = (
            rules.Rule() if given.when is None else rules.parse(given.when, company.vocabulary)[0]
        )
        return Choice(rule, given.role if isinstance(given, RoleRule) else given.office)

    return ExportRules(
        tuple(map(choice, company.export.roles)),
        tuple(map(choice, company.export.main_office)),
        company.frozen if company.guards.frozen is not None else (),
    )


def people_rules(company: Company) -> PeopleParameters:
    """Whose midnight counts, how early people come, and what each HR system's words for a status
    mean.
    """
    return PeopleParameters(
        timezone=company.timezone,
        prehire_days=company.sync.prehire_days,
        kinds=company.sync.groups,
        statuses={
            name: SYSTEMS[account.system].statuses_of(account.options)
            for name, account in company.hris.items()
        },
        precedence={name: order for name, order in company.sync.precedence if order},
        timezones=company.sync.timezones,
        scope=scope(company),
    )


def plan_rules(company: Company) -> PlanParameters:
    """What may be changed in deskbird, and what a guard stops. ``company`` has the environment's
    values in.
    """
    return PlanParameters(
        company=company.name,
        connections=tuple(company.hris),
        kinds=company.sync.groups,
        name_pattern=company.sync.group_names.pattern,
        on_collision=company.sync.group_names.on_collision,
        managers=company.sync.managers,
        link_groups=company.sync.link_groups,
        delete_empty_groups=company.sync.empty_groups == "delete",
        take_over=company.deskbird.take_over,
        guards=company.guards.model_dump(),
        protected=company.protected,
        frozen=company.frozen,
        missing_reads=company.sync.missing.complete_reads,
        missing_hours=company.sync.missing.hours,
        cleared=company.sync.attributes_cleared,
        drift_kept=company.sync.drift_kept,
        photos=company.sync.photos,
        attributes=company.sync.attributes,
        expected={connection: expected(company, connection) for connection in company.hris},
        kinds_read=company.kinds_read,
    )


def expected(company: Company, connection: str) -> Expected:
    """What the company file maps of a connection, what of it the file names itself, and where each
    is switched on.
    """
    options = company.hris[connection].options
    system = SYSTEMS[company.hris[connection].system]
    kinds = system.kinds_of(options)
    mapped = system.mapped(options) if system.mapped else None
    named_by_us = [
        name for name in company.sync.attributes if name in system.attributes_of(options)
    ]
    attributes = [name for name in ATTRIBUTES if mapped is None or name in mapped] + named_by_us
    if system.omits_empty(options):  # then nobody has an end date once nobody is to leave
        attributes = [name for name in attributes if name != "end_date"]
    given = company.sync.model_fields_set
    named = [*(mapped or ()), *named_by_us, *(["manager"] if "managers" in given else ())]
    named += [
        kind
        for kind in company.sync.groups
        if "groups" in given or (mapped is not None and kind in kinds)
    ]
    return Expected(
        attributes=attributes,
        kinds=kinds,
        named=named,
        where={name: system.where_of(options, name) for name in (*attributes, *kinds)},
    )
