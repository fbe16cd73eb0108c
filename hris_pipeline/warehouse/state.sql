-- What outlives a night. Links can be rebuilt from deskbird's markers; nothing else here can.
-- No primary keys on what grows with the company: their index would cost more than the tables.
create schema if not exists core;
create schema if not exists deskbird;
create schema if not exists state;

create table if not exists state.schema_version (version integer not null);

-- Which record is which user or group in deskbird, and by which rule we know.
create table if not exists state.links (
    hris_ref varchar not null, deskbird_id varchar not null, rule varchar not null,
    linked_at timestamptz not null);
create table if not exists state.group_links (
    hris_ref varchar not null, deskbird_id varchar not null, rule varchar not null,
    linked_at timestamptz not null);

-- Every extract that was published, with its proof.
create table if not exists state.extracts (
    connection varchar not null, resource varchar not null, extracted_at timestamptz not null,
    pages bigint not null, records bigint not null,
    expected bigint, proof varchar not null, why varchar not null, vanished varchar[] not null);

-- Since when each source has given exactly what it gives now; the digest is of all its rows, in
-- whatever order they came.
create table if not exists state.source_changes (
    connection varchar not null, resource varchar not null, digest ubigint not null,
    changed_at timestamptz not null,
    primary key (connection, resource));

-- What the last complete read of deskbird showed it to give back at all, and the run that made it.
create table if not exists state.observations (
    resource varchar primary key, observed_at timestamptz not null, run_id varchar not null,
    pages bigint not null, records bigint not null,
    readable varchar[] not null);

-- The last value deskbird acknowledged, for what it does not give back.
create table if not exists state.acknowledged_values (
    deskbird_id varchar not null, attribute varchar not null, value varchar
);
-- "Is possible": acknowledged under an id that the group or the user no longer has. Whoever is
-- wanted is added again, whoever is not is removed.
create table if not exists state.acknowledged_members (
    group_deskbird_id varchar not null, user_deskbird_id varchar not null,
    is_possible boolean not null default false);

-- Ours in deskbird, but in no record of the HRIS any more: listed, never deactivated for that
-- alone.
create table if not exists state.missing (
    hris_ref varchar primary key, deskbird_id varchar not null, missing_since timestamptz not null,
    complete_reads bigint not null,
    last_read timestamptz not null);

-- What waits for a person to decide: the record, why, and the users it might be.
create table if not exists state.review (
    hris_ref varchar not null, rule varchar not null, deskbird_id varchar,
    since timestamptz not null, candidates varchar[], primary key (hris_ref, rule));

-- Groups of ours that nobody is in any more, and that are kept.
create table if not exists state.empty_groups (
    hris_ref varchar not null, deskbird_id varchar not null, since timestamptz not null
);

-- Plans, their changes and what became of them. A night is in line when nothing was left but what a
-- guard holds back. "Undoes" names the plan whose inverse a plan is.
create table if not exists state.plans (
    plan_id varchar primary key, number bigint not null, made_at timestamptz not null,
    run_id varchar not null, after_plan varchar not null, changes bigint not null,
    blocked bigint not null, written boolean not null default false, as_of timestamptz not null,
    undoes varchar,
    -- of this row and of all rows of the plan: what is carried out must be what was planned
    judgement_digest varchar);
create table if not exists state.plan_changes (
    plan_id varchar not null, seq bigint not null, request bigint not null, stage integer not null,
    object varchar not null, action varchar not null,
    hris_ref varchar, deskbird_id varchar, group_ref varchar, group_deskbird_id varchar,
    before json not null, after json not null,
    reason varchar not null, evidence json not null, verdict varchar not null, guard varchar,
    guards varchar[] not null, content varchar not null,
    row_digest varchar, reason_code varchar);
create table if not exists state.outcomes (
    plan_id varchar not null, seq bigint not null, object varchar not null, action varchar not null,
    hris_ref varchar, outcome varchar not null,
    http_status integer, attempts integer not null, applied_at timestamptz, problem varchar,
    run_id varchar not null,
    -- "parts": what of a row was not carried out, and why, where the rest of it was: attribute to
    -- code
    problem_code varchar, parts json);
create table if not exists state.nights (
    plan_id varchar not null, ended_at timestamptz not null, managed bigint not null,
    in_line boolean not null, run_id varchar not null);
create table if not exists state.guard_verdicts (
    plan_id varchar not null, guard varchar not null, subject varchar not null,
    count bigint not null, base bigint not null, limit_text varchar not null,
    tripped boolean not null, code varchar not null default 'other', in_window bigint,
    max_count double, max_percent double, days bigint,
    connection varchar, since timestamptz, remedy varchar);
create table if not exists state.approvals (
    plan_id varchar not null, content varchar not null, guards varchar[] not null,
    decision varchar not null, because varchar, decided_by varchar not null,
    decided_at timestamptz not null, expires_at timestamptz not null, digest varchar);

-- What was undone, and is not done again until the HRIS says otherwise: whose, which attribute (or
-- `active`, `manager`, `member`), and the value that the HRIS wants all the same.
create table if not exists state.undone (
    object varchar not null, hris_ref varchar not null, group_ref varchar,
    attribute varchar not null, value varchar, plan_id varchar not null,
    undone_at timestamptz not null);
-- What a plan that undoes another cannot undo: why (a word), whose, and which attribute.
create table if not exists state.not_undone (
    plan_id varchar not null, why varchar not null, hris_ref varchar, attribute varchar
);

-- Every write that was sent, folded from the journal: ids only.
create table if not exists state.ledger (
    plan_id varchar not null, request bigint not null, kind varchar not null, hris_ref varchar,
    deskbird_id varchar, phase varchar not null,
    status integer, attempt integer not null, happened_at timestamptz not null);

-- The dialect that worked, by form of write (deskbird/dialects.py names them), since when, and what
-- proved it: "read_back" or "accepted". A form that is doubted is proven anew by its next write.
create table if not exists state.dialects (
    form varchar primary key, dialect varchar not null, learnt_at timestamptz not null,
    evidence varchar, doubts integer not null default 0);

-- Which person a record belongs to: the id stays when another of the person's records becomes the
-- primary one.
create table if not exists state.persons (
    hris_ref varchar not null, person_id varchar not null, since timestamptz not null
);

-- What people decided: "link" (this record is that user) or "separate" (it is not, whatever else
-- says so). The latest on a pair counts; "replaced" is a link whose place a later one took.
create table if not exists state.decisions (
    hris_ref varchar not null, deskbird_id varchar not null, decision varchar not null,
    because varchar, decided_by varchar not null,
    decided_at timestamptz not null);

-- What a person's row in core.people was before it became another one, from the night on which it
-- had become so; without values from the night on which the person was gone. Read it with what is
-- there now, as state.people_history.
create table if not exists state.people_past (
    person_id varchar not null, seen_at timestamptz not null, gone boolean not null,
    attributes json);
-- Since when each person's row is what it is; of those it does not name, since the first night,
-- whose row names nobody.
create table if not exists state.people_since (person_id varchar, since timestamptz not null);

-- How many people each scope rule matched, each night; the digest is of what the rule says, so that
-- an edited rule is another one.
create table if not exists state.rule_matches (
    rule varchar not null, matched bigint not null, counted_at timestamptz not null,
    digest varchar not null
);

-- What the last CSV that was written for deskbird's import said of each person: role and main
-- office, which cannot be read back.
create table if not exists state.exports (
    hris_ref varchar not null, attributes json not null, exported_at timestamptz not null
);

-- What somebody else has changed in deskbird, and what it was before; until that is so again, or
-- wanted otherwise. "attribute" is a column's name, or in a membership the user's id; there "was"
-- says what would make it so again: add or remove.
create table if not exists state.external_changes (
    object varchar not null, deskbird_id varchar not null, attribute varchar not null, was varchar,
    since timestamptz not null);
-- What deskbird acknowledged and then did not hold ("not_retained"), or refused ("refused_..."): on
-- how many nights in a row. From the third on it is left alone until something else is wanted.
-- Attribute "record" is a creation that was refused, "deskbird_id" its hris_ref; it is tried again
-- every night.
create table if not exists state.not_retained (
    object varchar not null, deskbird_id varchar not null, attribute varchar not null,
    wanted varchar, hris_ref varchar, nights bigint not null,
    since timestamptz not null, last_night timestamptz not null,
    code varchar not null default 'not_retained');
-- What differs and is left alone: "kept" by the company file's sync.drift, or because deskbird has
-- "not_retained" or "refused" it (then "code" says how).
create table if not exists state.ignored_drift (
    hris_ref varchar, object varchar not null, deskbird_id varchar not null,
    attribute varchar not null, group_ref varchar, why varchar not null,
    since timestamptz not null, code varchar);

-- Records of deskbird's lists of which it cannot be told whose they are (or whether a user is
-- active): left alone, and nobody is created who could be it. "hris_ref": ours by its marker or
-- link; "address_hash": of a user's address, where that can be told. No value of the record is
-- kept.
create table if not exists state.unreadable_records (
    resource varchar not null, deskbird_id varchar, page bigint not null, position bigint not null,
    code varchar not null, hris_ref varchar,
    address_hash ubigint, first_seen timestamptz not null, last_seen timestamptz not null);
-- What is odd about a list of deskbird that was read to its own end all the same, in codes
-- (deskbird/listing.py).
create table if not exists state.list_notes (
    resource varchar not null, note varchar not null, noted_at timestamptz not null
);
-- Groups of which deskbird shows only a part of the members; who else is in them stands in
-- state.acknowledged_members.
create table if not exists state.partial_groups (
    group_deskbird_id varchar not null, shown bigint not null, since timestamptz not null
);

-- What differed, after a read-back, from what a run left: what deskbird did beside what was asked,
-- or somebody changed meanwhile. "Expected" is what should be there; of a membership "was" says
-- what would make it so again: add or remove. It ends once no change repairs it any more.
create table if not exists state.damage (
    plan_id varchar not null, run_id varchar not null, seen_at timestamptz not null,
    object varchar not null, deskbird_id varchar not null,
    attribute varchar not null, hris_ref varchar, was varchar, is_now varchar, expected varchar,
    is_written boolean not null, ended_at timestamptz);
-- The plan before whose writes state.users_before, groups_before and members_before were kept; they
-- are there until its read-back.
create table if not exists state.before_writes (
    plan_id varchar not null, kept_at timestamptz not null
);

-- What each HR system gives: for how many records an attribute, a kind of group, the names of units
-- ("list") or a manager reference came tonight and when it last did, and what is wrong with that (a
-- code, see plan/arrivals.sql); since when.
create table if not exists state.arrivals (
    connection varchar not null, subject varchar not null, kind varchar not null,
    came bigint not null, of bigint not null, is_named boolean not null,
    is_offered boolean not null, code varchar, last_came bigint, last_of bigint,
    last_came_at timestamptz, silent_since timestamptz);
-- How an e-mail address that was read can be written in another way: "domain", one in ASCII (xn--)
-- and its letters; "signs", apostrophes or dots of print occur. No address stands here, only
-- domains.
create table if not exists state.address_forms (
    kind varchar not null, written varchar not null, letters varchar not null,
    primary key (kind, written)
);

-- Whose status and days in the HR system do not go together: which way (a code), what it says (the
-- word as one of our statuses), and what the person counts as all the same.
create table if not exists state.contradictions (
    hris_ref varchar not null, code varchar not null, first_day date, last_day date,
    word varchar not null, decided varchar not null,
    first_seen timestamptz not null, last_seen timestamptz not null);
