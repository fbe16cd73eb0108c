"""What the company file says, in the words of the core. The core itself reads no settings."""

from hris_pipeline.hris.systems import SYSTEMS
from hris_pipeline.people import PeopleRules
from hris_pipeline.plan import PlanRules
from hris_pipeline.settings import Company


def people_rules(company: Company) -> PeopleRules:
    """Whose midnight counts, how early people come, and what each HR system's words for a status mean."""
    return PeopleRules(
        timezone=company.timezone,
        prehire_days=company.sync.prehire_days,
        kinds=company.sync.groups,
        statuses={name: SYSTEMS[account.system].statuses for name, account in company.hris.items()},
    )


def plan_rules(company: Company) -> PlanRules:
    """What may be changed in deskbird, and what a guard stops. ``company`` has the environment's values in."""
    return PlanRules(
        company=company.name,
        connections=tuple(company.hris),
        kinds=company.sync.groups,
        name_pattern=company.sync.group_names.pattern,
        on_collision=company.sync.group_names.on_collision,
        managers=company.sync.managers,
        take_over=company.deskbird.take_over,
        guards=company.guards.model_dump(),
        protected=company.protected,
        frozen=company.frozen,
    )
