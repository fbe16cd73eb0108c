"""The guards: what makes a change wait for a person (design, "Guards, exactly").

Each guard looks at the draft of the plan and appends its name to the rows it would block. It counts people or groups, not rows. A
tripped guard blocks its own type only; a change that needs a blocked one is blocked with it and not counted.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from hris_pipeline.contracts.attributes import ATTRIBUTES, SUBJECTS
from hris_pipeline.plan import arrivals
from hris_pipeline.plan.integrity import SEALED
from hris_pipeline.plan.sentences import GuardVerdict, LimitCode
from hris_pipeline.texts import email_key
from hris_pipeline.warehouse import run

_HERE = Path(__file__).parent
_LISTED, _LOST_RULES, _UNDONE_ATTRIBUTES, _UNDONE = (
    (_HERE / f"{name}.sql").read_text(encoding="utf-8") for name in ("listed", "lost_rules", "undone_attributes", "undone")
)
Limits = Mapping[str, Mapping[str, float | None] | None]
"""By guard: its numbers as in the company file; None where it is switched off."""

ORDER = (
    "frozen",
    "protected",
    "undone",
    "first_contact",
    "incomplete_extract",
    "scope_lost",
    "attribute_vanished",
    "deactivate_user",
    "create_user",
    "link_user",
    "update_attribute",
    "group_members",
)
"""How guards are ordered on a change: what is never released first, what concerns everything before one type."""
MANAGED = "active and owner is not null"
"""SQL for who of ``owned_users`` is managed (design, section 3)."""
# not the people that are only being linked tonight
_OURS = "(select hris_ref from user_matches where rule in ('link', 'marker', 'decision'))"
# what is frozen, protected or undone is not carried out
_COUNTED = "not list_has_any(guards, ['frozen', 'protected', 'undone'])"
_ATTRIBUTE = "case object when 'manager' then 'manager' else string_split(coalesce(group_ref, hris_ref), ':')[2] end"


class Judged(NamedTuple):
    """Whether a count exceeds a guard's limits: those limits in words, and the one that it exceeds."""

    over: bool
    limit: str
    code: LimitCode = "other"
    max_count: float | None = None
    max_percent: float | None = None
    days: int | None = None
    in_window: int | None = None


@dataclass(frozen=True)
class Situation:
    """What the guards need to know beyond the draft."""

    base: int  # managed users when the last night ended in line; 0 if none ever did
    first_run: bool  # no night ever ended in line
    now: dt.datetime
    kinds: Sequence[str]
    silent: Sequence[arrivals.Silent] = ()  # what the HR systems give for nobody
    where: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # by connection and attribute: where it is switched on


@dataclass
class Judgement:
    """Runs the guards over the temp table ``draft``."""

    con: duckdb.DuckDBPyConnection
    limits: Limits
    situation: Situation
    verdicts: list[GuardVerdict] = field(default_factory=list)

    def trips(self, guard: str, count: int, *, extra: int = 0) -> Judged:
        """Whether ``count`` exceeds the guard's limits, and which; ``extra`` was applied in the window.

        It trips when the count exceeds ``max_count`` and ``max_percent`` of the base, when it exceeds ``max_hard``, or when
        the window's sum exceeds ``window_percent`` of the base and ``max_count``. Below ``from_size`` it is off.
        """
        limit = self.limits.get(guard)
        if limit is None:
            return Judged(False, "switched off")
        base = self.situation.base
        max_count, max_percent = limit.get("max_count") or 0, limit.get("max_percent")
        hard, window, days = limit.get("max_hard"), limit.get("window_percent"), int(limit.get("window_days") or 7)
        words = [f"{max_count:g} and {max_percent:g} %"] if max_percent is not None else []
        if hard is not None:
            words.append(f"never more than {hard:g}")
        if window is not None:
            words.append(f"{window:g} % in {days} days")
        said = "; ".join(words)
        if base < (limit.get("from_size") or 0):
            return Judged(False, f"off below {limit.get('from_size'):g} people")
        if max_percent is not None and count > max_count and count * 100 > max_percent * base:
            return Judged(True, said, "share", max_count, max_percent)
        if hard is not None and count > hard:
            return Judged(True, said, "hard", hard)
        if window is not None and count > 0 and count + extra > max_count and (count + extra) * 100 > window * base:
            return Judged(True, said, "window", max_count, window, days, extra)
        return Judged(False, said)

    def block(self, guard: str, condition: str) -> None:
        """Append the guard's name to the rows that meet the condition."""
        self.con.execute(
            f"""update draft set guards = list_append(guards, '{guard}')
                where not list_contains(guards, '{guard}') and ({condition})"""
        )

    def number(self, query: str) -> int:
        """The one number that the query yields."""
        row = self.con.execute(query).fetchone()
        return int(row[0]) if row and row[0] is not None else 0

    def people(self, condition: str) -> int:
        """How many people the condition concerns."""
        return self.number(f"select count(distinct hris_ref) from draft where ({condition}) and {_COUNTED}")

    def by_attribute(self, condition: str) -> dict[str, int]:
        """How many people the condition concerns, by kind of group, or ``manager``."""
        query = f"select {_ATTRIBUTE}, count(distinct hris_ref) from draft where ({condition}) and {_COUNTED} group by all"
        return dict(self.con.execute(query).fetchall())

    def say(
        self, guard: str, subject: str, count: int, limit: str | Judged, *, tripped: bool, base: int | None = None, **more: Any
    ) -> None:
        """Record a verdict; ``more`` are further fields of it."""
        of = self.situation.base if base is None else base
        if isinstance(limit, Judged):
            words, fields = limit.limit, limit._asdict()
            more = {name: value for name, value in fields.items() if name not in ("over", "limit")} | more
        else:
            words = limit
        self.verdicts.append(GuardVerdict(guard, subject, count, of, words, tripped, **more))

    # --- the guards -----------------------------------------------------------------------------------------------------------

    def undone_attributes(self) -> None:
        """``undone`` for the attributes of users: found before the rows are made, because one row may hold several."""
        self.con.execute("set variable undone_is_on = ?", [self.limits.get("undone", {}) is not None])
        run(self.con, _UNDONE_ATTRIBUTES)

    def attributes(self, frozen: Sequence[str]) -> None:
        """``update_attribute`` for the attributes of users: judged before the rows are made, because one row may hold several.

        A userName is the e-mail address too. What comes with a link is judged by ``link_user``, and not counted here; nor is
        what was undone.
        """
        self.con.execute("create or replace temp table tripped_attributes (attribute varchar, connection varchar, guard varchar)")
        for one in self._silent:  # without a first name the display name is another one
            of_it = [attribute.name for attribute in ATTRIBUTES if one.subject in attribute.made_of]
            if one.code == "vanished" and of_it:
                held = [(name, one.connection, "attribute_vanished") for name in of_it]
                self.con.executemany("insert into tripped_attributes values (?, ?, ?)", held)
        self._stage_listed("frozen", frozen)
        counts = dict(
            self.con.execute(
                f"""select a.subject, count(distinct hris_ref)
                    from wanted_differences semi join {_OURS} using (hris_ref) join user_attributes a on a.name = attribute
                    anti join undone_attributes using (hris_ref, attribute) anti join listed using (hris_ref)
                    group by all"""
            ).fetchall()
        )
        for subject in SUBJECTS:
            if self._attribute(subject, counts.get(subject, 0)):
                names = [attribute.name for attribute in ATTRIBUTES if attribute.subject == subject]
                self.con.execute("insert into tripped_attributes select unnest(?::varchar[]), null, 'update_attribute'", [names])

    @property
    def _silent(self) -> Sequence[arrivals.Silent]:
        return () if self.limits.get("attribute_vanished", {}) is None else self.situation.silent

    def _attribute(self, attribute: str, count: int) -> bool:
        judged = self.trips("update_attribute", count)
        if count:
            self.say("update_attribute", attribute, count, judged, tripped=judged.over)
        return judged.over

    def run(
        self, frozen: Sequence[str], protected: Sequence[str], unproven: Sequence[str], *, undoes: bool = False
    ) -> list[GuardVerdict]:
        """All the other guards, once the draft is complete.

        ``unproven`` names connections whose latest extract is not proven. A plan that ``undoes`` another may do again what was
        undone.
        """
        if not undoes:
            self._undone()
        self._listed("frozen", frozen, "true")
        self._listed("protected", protected, "object = 'user' and action = 'deactivate'")
        self._first_contact()
        self._incomplete_extract(unproven)
        self._scope_lost()
        self._attribute_vanished()
        self._counted()
        self._group_members()
        self._what_needs_blocked()
        return self.verdicts

    def _stage_listed(self, guard: str, people: Sequence[str]) -> bool:
        """Make the temp table ``listed``: whom the company file's list means; False, and nobody, where there is none."""
        self.con.execute("create or replace temp table listed (hris_ref varchar)")
        if not people or self.limits.get(guard, {}) is None:
            return False
        keys = [email_key(each) for each in people if "@" in each]  # however its domain is written
        self.con.execute("set variable listed = ?", [[*people, *keys]])
        run(self.con, _LISTED)
        return True

    def _listed(self, guard: str, people: Sequence[str], condition: str) -> None:
        if not self._stage_listed(guard, people):
            return
        condition = f"({condition}) and object <> 'group' and hris_ref in (from listed)"
        count = self.number(f"select count(distinct hris_ref) from draft where {condition}")
        self.block(guard, condition)
        if count:
            self.say(guard, "people", count, "never", tripped=True)

    def _undone(self) -> None:
        if self.limits.get("undone", {}) is None or not self.number("select count(*) from state.undone"):
            return
        run(self.con, _UNDONE)
        for subject, of in (("people", "object <> 'group'"), ("groups", "object = 'group'")):
            count = self.number(f"select count(distinct hris_ref) from draft where {of} and list_contains(guards, 'undone')")
            if count:
                self.say("undone", subject, count, "none, until the HR system says otherwise", tripped=True)

    def _first_contact(self) -> None:
        if not self.situation.first_run or self.limits.get("first_contact", {}) is None:
            return
        approved = self.number(
            "select count(*) from state.approvals where decision = 'approved' and list_contains(guards, 'first_contact') "
            f"and {SEALED}"
        )
        strangers = self.number(
            "select count(*) from owned_users where active and owner is null "
            "and deskbird_id not in (select deskbird_id from user_matches where rule = 'decision')"
        )
        allowed = (self.limits.get("link_user") or {}).get("max_count")
        allowed = 25 if allowed is None else allowed
        if strangers > allowed and not approved:
            self.block("first_contact", "true")
            self.say("first_contact", "users that are not ours", strangers, f"{allowed:g}", tripped=True, code="strangers")
        else:
            condition = "(object = 'user' and action = 'deactivate') or (object = 'group' and action = 'delete')"
            count = self.people(condition)
            self.block("first_contact", condition)
            if count:
                self.say("first_contact", "deactivations on a first run", count, "none", tripped=True, code="first_run")

    def _incomplete_extract(self, unproven: Sequence[str]) -> None:
        if self.limits.get("incomplete_extract", {}) is None:
            return
        for connection in unproven:
            condition = (
                f"string_split(hris_ref, ':')[1] = '{connection}' and (action in ('deactivate', 'remove', 'clear', 'delete') "
                "or (object = 'user' and action = 'update' and after->>(json_keys(after)[1]) is null))"
            )
            count = self.people(condition)
            self.block("incomplete_extract", condition)
            if count:
                self.say("incomplete_extract", connection, count, "needs a proven extract", tripped=True)

    def unread_records(self) -> None:
        """``incomplete_extract`` on deskbird's side: nobody is created who could be a record that cannot be read (case 114)."""
        if self.limits.get("incomplete_extract", {}) is None:
            return
        unknown = "from state.unreadable_records where hris_ref is null and resource"
        same_address = f"hash(email_key(after->>'email')) in (select address_hash {unknown} = 'users')"
        anybody = f"exists ({unknown} = 'users' and address_hash is null)"
        for resource, condition in (
            ("users", f"object = 'user' and action = 'create' and ({anybody} or {same_address})"),
            ("groups", f"object = 'group' and action = 'create' and exists ({unknown} = 'groups')"),
        ):
            count = self.people(condition)
            self.block("incomplete_extract", condition)
            if count:
                self.say("incomplete_extract", f"deskbird {resource}", count, "needs every record to be read", tripped=True)

    def _scope_lost(self) -> None:
        base = self.situation.base
        if not base or self.limits.get("scope_lost", {}) is None:
            return
        if self.number("select exists (from core.people where wanted)"):
            self._lost_rules()
        elif self.number(f"select exists (from owned_users where {MANAGED})"):  # else all have left, as somebody approved
            self.block("scope_lost", "true")
            self.say("scope_lost", "people", 0, f"0 of {base} people are left", tripped=True, code="nobody_left")

    def _lost_rules(self) -> None:
        """Nobody is taken away on the strength of a scope rule that suddenly means something else (case 76)."""
        fallen_out = """object = 'user' and action = 'deactivate'
            and hris_ref in (select hris_ref from core.people where not in_scope and status <> 'ended')"""
        count = self.people(fallen_out)
        if not count:
            return
        self.con.execute("set variable base = ?", [self.situation.base])
        for rule, of in self.con.execute(_LOST_RULES).fetchall():
            self.block("scope_lost", fallen_out)
            words = "at least one person matches it" if of == "include" else "at most half of the users match it"
            self.say("scope_lost", rule, count, words, tripped=True, code="rule_lost")

    def _attribute_vanished(self) -> None:
        """What comes for nobody is not taken away; it is told also where no change is wanted (cases 11, 101, 103)."""
        if self.limits.get("attribute_vanished", {}) is None:
            return
        taken_away = "(object, action) in (('membership', 'remove'), ('group', 'delete'), ('manager', 'clear'))"
        left = {
            kind: f"select exists (from core.memberships where string_split(group_ref, ':')[2] = '{kind}')"
            for kind in self.situation.kinds
        }
        left["manager"] = "select exists (from core.people where wanted and manager_ref is not null)"
        counts = self.by_attribute(taken_away)
        told = {one.subject for one in self._silent if one.code == "vanished"}
        for attribute, somebody_has_it in left.items():
            count = counts.get(attribute, 0)
            if count and attribute not in told and not self.number(somebody_has_it):
                self.block("attribute_vanished", f"{taken_away} and {_ATTRIBUTE} = '{attribute}'")
                self.say("attribute_vanished", attribute, count, "at least one person has it", tripped=True)
        for one in self._silent:
            self._vanished(one, taken_away)

    def _vanished(self, one: arrivals.Silent, taken_away: str) -> None:
        if one.code == "vanished":
            of_it = f"string_split(coalesce(group_ref, hris_ref), ':')[1] = '{one.connection}'"
            if one.subject in arrivals.DATES:
                self.block("attribute_vanished", f"object = 'user' and action in ('create', 'reactivate') and {of_it}")
            elif one.subject == "manager" or one.kind in ("group_kind", "list"):
                self.block("attribute_vanished", f"{taken_away} and {_ATTRIBUTE} = '{one.subject}' and {of_it}")
        # of references it is tonight's that count, of what vanished those that had it
        count, base = (one.last_came, one.last_of) if one.code == "vanished" else (one.of - one.came, one.of)
        self.say(
            "attribute_vanished",
            f"{one.subject} names" if one.kind == "list" else one.subject,
            count,
            "at least one person has it",
            tripped=True,
            base=base,
            code=one.code,
            connection=one.connection,
            since=one.since,
            remedy=self.situation.where.get(one.connection, {}).get(one.subject),
        )

    def _counted(self) -> None:
        for guard, subject, condition in (
            ("deactivate_user", "deactivations", "object = 'user' and action = 'deactivate'"),
            ("create_user", "creations", "object = 'user' and action = 'create'"),
            ("link_user", "links", "object = 'user' and action = 'link' and evidence->>'rule' in ('email', 'successor')"),
        ):
            count = self.people(condition)
            judged = self.trips(guard, count, extra=self._in_window() if guard == "deactivate_user" else 0)
            if count:
                self.say(guard, subject, count, judged, tripped=judged.over)
            if judged.over:
                self.block(guard, condition)
        values = "object in ('membership', 'manager')"
        counts = self.by_attribute(f"{values} and hris_ref in {_OURS}")
        for attribute in (*self.situation.kinds, "manager"):
            if self._attribute(attribute, counts.get(attribute, 0)):
                existing = "hris_ref in (select hris_ref from user_matches)"
                self.block("update_attribute", f"{values} and {_ATTRIBUTE} = '{attribute}' and {existing}")

    def _in_window(self) -> int:
        limit = self.limits.get("deactivate_user") or {}
        since = self.situation.now - dt.timedelta(days=limit.get("window_days") or 7)
        row = self.con.execute(
            """select count(distinct hris_ref) from state.outcomes
               where object = 'user' and action = 'deactivate' and outcome = 'applied' and applied_at > ?""",
            [since],
        ).fetchone()
        return int(row[0]) if row else 0

    def _group_members(self) -> None:
        limit = self.limits.get("group_members")
        removals = "object = 'membership' and action = 'remove'"
        if limit is None or not self.number(f"select count(*) from draft where {removals}"):
            return
        self.con.execute(
            f"""create or replace temp table emptying as
                with inside as materialized (
                    from present_members where group_deskbird_id in (select group_deskbird_id from draft where {removals})
                )
                select d.group_ref, count(*) as leaving, any_value(m.members) as members
                from draft d
                join (select group_deskbird_id, count(*) as members
                      from inside join deskbird.users u on u.deskbird_id = user_deskbird_id and u.active
                      group by all) m using (group_deskbird_id)
                where {removals}
                group by d.group_ref
                having any_value(m.members) >= {limit.get("from_size") or 0}
                    and count(*) * 100 > {limit.get("max_loss_percent") or 0} * any_value(m.members)"""
        )
        for group, leaving, members in self.con.execute("from emptying order by all").fetchall():
            allowed = limit.get("max_loss_percent") or 0
            judged = Judged(True, f"{allowed:g} % of its members", "loss", max_percent=allowed)
            self.say("group_members", group, leaving, judged, tripped=True, base=members)
        self.block("group_members", f"{removals} and group_ref in (select group_ref from emptying)")

    def _what_needs_blocked(self) -> None:
        """What needs a blocked change is blocked with it, under the same guard's name."""
        if not self.number("select count(*) from draft where len(guards) > 0"):
            return
        # an address or a name is not free while the change that would free it is held back, and so on along the chain
        self.con.execute(
            """update draft set guards = list_concat(draft.guards, b.guards)
               from (
                   with recursive held as (
                       select d.request_key, d.guards from draft d semi join moves m on m.request_key = d.request_key
                       where len(d.guards) > 0
                         and (d.action = 'link' or json_exists(d.after, '$.email') or json_exists(d.after, '$.name'))
                       union
                       select t.request_key, h.guards
                       from held h join moves g on g.request_key = h.request_key
                       join moves t on t.takes = g.gives and t.request_key <> g.request_key
                   )
                   select request_key, flatten(list(guards)) as guards from held group by all
               ) b
               where draft.request_key in (b.request_key, b.request_key || ':aside') and draft.object in ('user', 'group')
                 and (json_exists(draft.after, '$.email') or json_exists(draft.after, '$.name'))"""
        )
        self.con.execute(
            """create or replace temp table blocked_people as
               select hris_ref, any_value(guards) as guards, bool_or(action = 'create') as is_new from draft
               where object = 'user' and len(guards) > 0
                 and (action = 'create' or (action = 'link' and evidence->>'rule' not in ('link', 'marker'))) group by hris_ref"""
        )
        self.con.execute(
            """update draft set guards = list_concat(draft.guards, b.guards) from blocked_people b
               where b.hris_ref = draft.hris_ref and draft.object in ('user', 'membership', 'manager')"""
        )
        self.con.execute(
            """update draft set guards = list_concat(draft.guards, b.guards) from blocked_people b
               where draft.object = 'manager' and draft.action = 'set' and b.is_new
                 and b.hris_ref = draft.after->>'manager_ref'"""
        )
        self.con.execute(
            """update draft set guards = list_concat(draft.guards, m.guards)
               from (select group_ref, flatten(list(guards)) as guards, bool_and(len(guards) > 0) as all_blocked from draft
                     where object = 'membership' and action = 'add' group by group_ref) m
               where draft.object = 'group' and draft.action = 'create' and m.group_ref = draft.hris_ref and m.all_blocked"""
        )
        self.con.execute(
            """update draft set guards = list_concat(draft.guards, g.guards)
               from (select hris_ref, guards from draft where object = 'group' and action = 'create' and len(guards) > 0) g
               where draft.object = 'membership' and draft.group_ref = g.hris_ref"""
        )
        # a group is not ours before it is linked
        self.con.execute(
            """update draft set guards = list_concat(draft.guards, g.guards)
               from (select deskbird_id, flatten(list(guards)) as guards from draft
                     where object = 'group' and action in ('link', 'rename') and len(guards) > 0
                       and json_exists(after, '$.hris_ref') and evidence->>'rule' in ('rule', 'members') group by all) g
               where case draft.object when 'membership' then draft.group_deskbird_id
                               when 'group' then case when draft.action in ('link', 'rename') then draft.deskbird_id end end
                   = g.deskbird_id"""
        )
        # a group is not deleted while somebody stays in it
        self.con.execute(
            """update draft set guards = list_concat(draft.guards, b.guards)
               from (
                   select group_deskbird_id, flatten(list(guards)) as guards
                   from (
                       select group_deskbird_id, guards from draft where object = 'membership' and len(guards) > 0
                       union all
                       select m.group_deskbird_id, d.guards
                       from draft d join present_members m on m.user_deskbird_id = d.deskbird_id
                       where d.object = 'user' and d.action = 'deactivate' and len(d.guards) > 0
                         and m.group_deskbird_id in (select deskbird_id from draft where object = 'group' and action = 'delete')
                   ) group by all
               ) b
               where draft.object = 'group' and draft.action = 'delete' and draft.deskbird_id = b.group_deskbird_id"""
        )
        self.con.execute(
            f"""update draft set guards = list_filter({list(ORDER)}, lambda guard: list_contains(draft.guards, guard))
                where len(guards) > 1"""
        )
