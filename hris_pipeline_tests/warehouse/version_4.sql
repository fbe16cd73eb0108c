-- The warehouse of a small company as version 4 of this project left it: five people, one of whom
-- vanished and one who waits for a decision.
create schema core;
create schema deskbird;
create schema hris_p;
create schema state;
CREATE TABLE core."groups"(hris_ref VARCHAR, kind VARCHAR, "name" VARCHAR, parent_ref VARCHAR,
    member_count BIGINT);
insert into "core"."groups" values
    ('p:team:7', 'team', 'Sales', null, 3);
CREATE TABLE core.manager_graph(person_id VARCHAR, manager_id VARCHAR, depth INTEGER,
    "chain" VARCHAR[], direct_reports BIGINT, all_reports BIGINT, problem VARCHAR);
insert into "core"."manager_graph" values
    ('p:1', null, 0, [], 2, 2, null),
    ('p:2', 'p:1', 1, ['p:1'], 0, 0, null),
    ('p:3', 'p:1', 1, ['p:1'], 0, 0, null),
    ('p:5', null, 0, [], 0, 0, null);
CREATE TABLE core.memberships(group_ref VARCHAR, person_id VARCHAR);
insert into "core"."memberships" values
    ('p:team:7', 'p:1'),
    ('p:team:7', 'p:2'),
    ('p:team:7', 'p:3');
CREATE TABLE core.people(person_id VARCHAR, hris_ref VARCHAR, email VARCHAR, given_name VARCHAR,
    family_name VARCHAR, display_name VARCHAR, status VARCHAR, start_date DATE, end_date DATE,
    manager_ref VARCHAR, timezone VARCHAR, in_scope BOOLEAN, scope_rule VARCHAR, wanted BOOLEAN,
    "unknown" VARCHAR[], group_refs VARCHAR[], other_refs VARCHAR[]);
insert into "core"."people" values
    ('p:1', 'p:1', '1@acme.test', 'Given', 'Family', 'Given Family', 'active', '2020-01-01', null,
        null, 'Europe/Berlin', true, null, true, [], ['p:team:7'], []),
    ('p:2', 'p:2', '2@acme.test', 'Given', 'Family', 'Given Family', 'active', '2020-01-01', null,
        'p:1', 'Europe/Berlin', true, null, true, [], ['p:team:7'], []),
    ('p:3', 'p:3', '3@acme.test', 'Given', 'Married', 'Given Married', 'active', '2020-01-01', null,
        'p:1', 'Europe/Berlin', true, null, true, [], ['p:team:7'], []),
    ('p:5', 'p:5', '5@acme.test', 'Given', 'Family', 'Given Family', 'active', '2020-01-01', null,
        null, 'Europe/Berlin', true, null, true, [], [], []);
CREATE TABLE core.quarantine(hris_ref VARCHAR, "table" VARCHAR, "rule" VARCHAR,
    first_seen TIMESTAMP WITH TIME ZONE, last_seen TIMESTAMP WITH TIME ZONE);
CREATE TABLE deskbird.applied_changes(plan_id VARCHAR, seq BIGINT, "object" VARCHAR,
    "action" VARCHAR, outcome VARCHAR, http_status INTEGER, attempts INTEGER,
    applied_at TIMESTAMP WITH TIME ZONE, problem VARCHAR, problem_code VARCHAR);
insert into "deskbird"."applied_changes" values
    ('1be55b03667c46c8', 1, 'user', 'update', 'applied', 204, 1, '2026-03-03 12:00:00+00:00', null,
        null);
CREATE TABLE deskbird.changes(plan_id VARCHAR, seq BIGINT, request BIGINT, stage BIGINT,
    "object" VARCHAR, "action" VARCHAR, hris_ref VARCHAR, deskbird_id VARCHAR, group_ref VARCHAR,
    group_deskbird_id VARCHAR, "before" JSON, "after" JSON, reason VARCHAR, evidence JSON,
    verdict VARCHAR, guard VARCHAR, "content" VARCHAR);
CREATE TABLE deskbird.group_members(group_deskbird_id VARCHAR NOT NULL,
    user_deskbird_id VARCHAR NOT NULL);
insert into "deskbird"."group_members" values
    ('g6', 'u1'),
    ('g6', 'u3'),
    ('g6', 'u4'),
    ('g6', 'u5');
CREATE TABLE deskbird."groups"(deskbird_id VARCHAR NOT NULL, hris_ref VARCHAR, "name" VARCHAR,
    external_id VARCHAR, "version" VARCHAR);
insert into "deskbird"."groups" values
    ('g6', null, 'Sales', 'p:team:7', null);
CREATE TABLE deskbird.users(deskbird_id VARCHAR NOT NULL, hris_ref VARCHAR, user_name VARCHAR,
    email VARCHAR, given_name VARCHAR, family_name VARCHAR, display_name VARCHAR,
    active BOOLEAN NOT NULL, manager_deskbird_id VARCHAR, external_id VARCHAR, "version" VARCHAR);
insert into "deskbird"."users" values
    ('u1', null, '2@acme.test', '2@acme.test', 'Given', 'Family', 'Given Family', true, 'u3', 'p:2',
        null),
    ('u2', null, '5@acme.test', '5@acme.test', 'Given', 'Family', 'Given Family', true, null,
        'foreign:5', null),
    ('u3', null, '1@acme.test', '1@acme.test', 'Given', 'Family', 'Given Family', true, null, 'p:1',
        null),
    ('u4', null, '3@acme.test', '3@acme.test', 'Given', 'Married', 'Given Married', true, 'u3',
        'p:3', null),
    ('u5', null, '4@acme.test', '4@acme.test', 'Given', 'Family', 'Given Family', true, 'u3', 'p:4',
        null);
CREATE TABLE hris_p.employees(id VARCHAR NOT NULL, employment_id VARCHAR, email VARCHAR,
    given_name VARCHAR, family_name VARCHAR, status VARCHAR, start_date VARCHAR, end_date VARCHAR,
    manager_id VARCHAR, "groups" STRUCT(kind VARCHAR, id VARCHAR)[], absent VARCHAR[],
    updated_at VARCHAR);
insert into "hris_p"."employees" values
    ('1', null, '1@acme.test', 'Given', 'Family', 'active', '2020-01-01', null, null,
        [{'kind': 'team', 'id': '7'}], [], null),
    ('2', null, '2@acme.test', 'Given', 'Family', 'active', '2020-01-01', null, '1',
        [{'kind': 'team', 'id': '7'}], [], null),
    ('3', null, '3@acme.test', 'Given', 'Married', 'active', '2020-01-01', null, '1',
        [{'kind': 'team', 'id': '7'}], [], null),
    ('5', null, '5@acme.test', 'Given', 'Family', 'active', '2020-01-01', null, null, [], [], null);
CREATE TABLE hris_p.org_units(kind VARCHAR NOT NULL, id VARCHAR NOT NULL, "name" VARCHAR,
    parent_id VARCHAR);
insert into "hris_p"."org_units" values
    ('team', '7', 'Sales', null);
CREATE TABLE hris_p.photos(id VARCHAR NOT NULL, digest VARCHAR, media_type VARCHAR, "content" BLOB,
    etag VARCHAR, record_updated_at VARCHAR, asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    problem VARCHAR);
CREATE TABLE state.acknowledged_members(group_deskbird_id VARCHAR NOT NULL,
    user_deskbird_id VARCHAR NOT NULL);
CREATE TABLE state.acknowledged_values(deskbird_id VARCHAR NOT NULL, "attribute" VARCHAR NOT NULL,
    "value" VARCHAR);
CREATE TABLE state.address_forms(kind VARCHAR, written VARCHAR, letters VARCHAR NOT NULL,
    PRIMARY KEY(kind, written));
CREATE TABLE state.approvals(plan_id VARCHAR NOT NULL, "content" VARCHAR NOT NULL,
    guards VARCHAR[] NOT NULL, decision VARCHAR NOT NULL, because VARCHAR,
    decided_by VARCHAR NOT NULL, decided_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL, digest VARCHAR);
CREATE TABLE state.arrivals("connection" VARCHAR NOT NULL, subject VARCHAR NOT NULL,
    kind VARCHAR NOT NULL, came BIGINT NOT NULL, "of" BIGINT NOT NULL, is_named BOOLEAN NOT NULL,
    is_offered BOOLEAN NOT NULL, code VARCHAR, last_came BIGINT, last_of BIGINT,
    last_came_at TIMESTAMP WITH TIME ZONE, silent_since TIMESTAMP WITH TIME ZONE);
insert into "state"."arrivals" values
    ('p', 'cost_center', 'group_kind', 0, 4, false, true, 'not_given', null, null, null,
        '2026-03-02 12:00:00+00:00'),
    ('p', 'cost_center', 'list', 0, 0, false, true, null, null, null, null, null),
    ('p', 'department', 'group_kind', 0, 4, false, true, 'not_given', null, null, null,
        '2026-03-02 12:00:00+00:00'),
    ('p', 'department', 'list', 0, 0, false, true, null, null, null, null, null),
    ('p', 'email', 'attribute', 4, 4, false, true, null, 4, 4, '2026-03-04 12:00:00+00:00', null),
    ('p', 'end_date', 'attribute', 4, 4, false, true, null, 4, 4, '2026-03-04 12:00:00+00:00',
        null),
    ('p', 'family_name', 'attribute', 4, 4, false, true, null, 4, 4, '2026-03-04 12:00:00+00:00',
        null),
    ('p', 'given_name', 'attribute', 4, 4, false, true, null, 4, 4, '2026-03-04 12:00:00+00:00',
        null),
    ('p', 'manager', 'attribute', 2, 4, false, true, null, 2, 4, '2026-03-04 12:00:00+00:00', null),
    ('p', 'manager', 'manager', 2, 2, false, true, null, 2, 2, '2026-03-04 12:00:00+00:00', null),
    ('p', 'start_date', 'attribute', 4, 4, false, true, null, 4, 4, '2026-03-04 12:00:00+00:00',
        null),
    ('p', 'status', 'attribute', 4, 4, false, true, null, 4, 4, '2026-03-04 12:00:00+00:00', null),
    ('p', 'team', 'group_kind', 3, 4, false, true, null, 3, 4, '2026-03-04 12:00:00+00:00', null),
    ('p', 'team', 'list', 1, 1, false, true, null, 1, 1, '2026-03-04 12:00:00+00:00', null);
CREATE TABLE state.before_writes(plan_id VARCHAR NOT NULL,
    kept_at TIMESTAMP WITH TIME ZONE NOT NULL);
CREATE TABLE state.changed_by_hand("object" VARCHAR NOT NULL, deskbird_id VARCHAR NOT NULL,
    "attribute" VARCHAR NOT NULL, was VARCHAR, since TIMESTAMP WITH TIME ZONE NOT NULL);
CREATE TABLE state.contradictions(hris_ref VARCHAR NOT NULL, code VARCHAR NOT NULL, first_day DATE,
    last_day DATE, word VARCHAR NOT NULL, decided VARCHAR NOT NULL,
    first_seen TIMESTAMP WITH TIME ZONE NOT NULL, last_seen TIMESTAMP WITH TIME ZONE NOT NULL);
CREATE TABLE state.damage(plan_id VARCHAR NOT NULL, run_id VARCHAR NOT NULL,
    seen_at TIMESTAMP WITH TIME ZONE NOT NULL, "object" VARCHAR NOT NULL,
    deskbird_id VARCHAR NOT NULL, "attribute" VARCHAR NOT NULL, hris_ref VARCHAR, was VARCHAR,
    is_now VARCHAR, expected VARCHAR, is_written BOOLEAN NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE);
CREATE TABLE state.decisions(hris_ref VARCHAR NOT NULL, deskbird_id VARCHAR NOT NULL,
    decision VARCHAR NOT NULL, because VARCHAR, decided_by VARCHAR NOT NULL,
    decided_at TIMESTAMP WITH TIME ZONE NOT NULL);
CREATE TABLE state.dialects(form VARCHAR PRIMARY KEY, dialect VARCHAR NOT NULL,
    learnt_at TIMESTAMP WITH TIME ZONE NOT NULL, evidence VARCHAR,
    doubts INTEGER DEFAULT(0) NOT NULL);
CREATE TABLE state.empty_groups(hris_ref VARCHAR NOT NULL, deskbird_id VARCHAR NOT NULL,
    since TIMESTAMP WITH TIME ZONE NOT NULL);
CREATE TABLE state.exports(hris_ref VARCHAR NOT NULL, attributes JSON NOT NULL,
    exported_at TIMESTAMP WITH TIME ZONE NOT NULL);
CREATE TABLE state.extracts("connection" VARCHAR NOT NULL, "resource" VARCHAR NOT NULL,
    extracted_at TIMESTAMP WITH TIME ZONE NOT NULL, pages BIGINT NOT NULL, records BIGINT NOT NULL,
    expected BIGINT, proof VARCHAR NOT NULL, why VARCHAR NOT NULL, vanished VARCHAR[] NOT NULL);
insert into "state"."extracts" values
    ('p', 'employees', '2026-03-02 12:00:00+00:00', 1, 5, null, 'proven', 'by the test', []),
    ('p', 'employees', '2026-03-03 12:00:00+00:00', 1, 4, null, 'proven', 'by the test', []),
    ('p', 'employees', '2026-03-04 12:00:00+00:00', 1, 4, null, 'proven', 'by the test', []),
    ('p', 'org_units', '2026-03-02 12:00:00+00:00', 1, 5, null, 'proven', 'by the test', []),
    ('p', 'org_units', '2026-03-03 12:00:00+00:00', 1, 4, null, 'proven', 'by the test', []),
    ('p', 'org_units', '2026-03-04 12:00:00+00:00', 1, 4, null, 'proven', 'by the test', []);
CREATE TABLE state.group_links(hris_ref VARCHAR NOT NULL, deskbird_id VARCHAR NOT NULL,
    "rule" VARCHAR NOT NULL, linked_at TIMESTAMP WITH TIME ZONE NOT NULL);
insert into "state"."group_links" values
    ('p:team:7', 'g6', 'create', '2026-03-02 12:00:00+00:00');
CREATE TABLE state.guard_verdicts(plan_id VARCHAR NOT NULL, guard VARCHAR NOT NULL,
    subject VARCHAR NOT NULL, count BIGINT NOT NULL, base BIGINT NOT NULL,
    limit_text VARCHAR NOT NULL, tripped BOOLEAN NOT NULL, code VARCHAR DEFAULT('other') NOT NULL,
    in_window BIGINT, max_count DOUBLE, max_percent DOUBLE, "days" BIGINT, "connection" VARCHAR,
    since TIMESTAMP WITH TIME ZONE, remedy VARCHAR);
insert into "state"."guard_verdicts" values
    ('1be55b03667c46c8', 'update_attribute', 'display_name', 1, 4, 'off below 10 people', false,
        'other', null, null, null, null, null, null, null),
    ('1be55b03667c46c8', 'update_attribute', 'family_name', 1, 4, 'off below 10 people', false,
        'other', null, null, null, null, null, null, null),
    ('ab9485860d9cf3d4', 'create_user', 'creations', 3, 0, 'off below 10 people', false, 'other',
        null, null, null, null, null, null, null),
    ('ab9485860d9cf3d4', 'link_user', 'links', 1, 0, '25 and 20 %', false, 'other', null, null,
        null, null, null, null, null);
CREATE TABLE state.ledger(plan_id VARCHAR NOT NULL, request BIGINT NOT NULL, kind VARCHAR NOT NULL,
    hris_ref VARCHAR, deskbird_id VARCHAR, phase VARCHAR NOT NULL, status INTEGER,
    attempt INTEGER NOT NULL, happened_at TIMESTAMP WITH TIME ZONE NOT NULL);
insert into "state"."ledger" values
    ('1be55b03667c46c8', 1, 'user_update', 'p:3', 'u4', 'answered', 204, 1,
        '2026-03-03 12:00:00+00:00'),
    ('1be55b03667c46c8', 1, 'user_update', 'p:3', 'u4', 'sent', null, 1,
        '2026-03-03 12:00:00+00:00'),
    ('ab9485860d9cf3d4', 1, 'user_create+manager', 'p:1', 'u3', 'answered', 201, 1,
        '2026-03-02 12:00:00+00:00'),
    ('ab9485860d9cf3d4', 1, 'user_create+manager', 'p:1', null, 'sent', null, 1,
        '2026-03-02 12:00:00+00:00'),
    ('ab9485860d9cf3d4', 2, 'user_create+manager', 'p:3', 'u4', 'answered', 201, 1,
        '2026-03-02 12:00:00+00:00'),
    ('ab9485860d9cf3d4', 2, 'user_create+manager', 'p:3', null, 'sent', null, 1,
        '2026-03-02 12:00:00+00:00'),
    ('ab9485860d9cf3d4', 3, 'user_create+manager', 'p:4', 'u5', 'answered', 201, 1,
        '2026-03-02 12:00:00+00:00'),
    ('ab9485860d9cf3d4', 3, 'user_create+manager', 'p:4', null, 'sent', null, 1,
        '2026-03-02 12:00:00+00:00'),
    ('ab9485860d9cf3d4', 4, 'user_update', 'p:2', 'u1', 'answered', 204, 1,
        '2026-03-02 12:00:00+00:00'),
    ('ab9485860d9cf3d4', 4, 'user_update', 'p:2', 'u1', 'sent', null, 1,
        '2026-03-02 12:00:00+00:00'),
    ('ab9485860d9cf3d4', 5, 'group_create+members_add', 'p:team:7', 'g6', 'answered', 201, 1,
        '2026-03-02 12:00:00+00:00'),
    ('ab9485860d9cf3d4', 5, 'group_create+members_add', 'p:team:7', null, 'sent', null, 1,
        '2026-03-02 12:00:00+00:00');
CREATE TABLE state.left_alone(hris_ref VARCHAR, "object" VARCHAR NOT NULL,
    deskbird_id VARCHAR NOT NULL, "attribute" VARCHAR NOT NULL, group_ref VARCHAR,
    why VARCHAR NOT NULL, since TIMESTAMP WITH TIME ZONE NOT NULL, code VARCHAR);
CREATE TABLE state.links(hris_ref VARCHAR NOT NULL, deskbird_id VARCHAR NOT NULL,
    "rule" VARCHAR NOT NULL, linked_at TIMESTAMP WITH TIME ZONE NOT NULL);
insert into "state"."links" values
    ('p:1', 'u3', 'create', '2026-03-02 12:00:00+00:00'),
    ('p:2', 'u1', 'link', '2026-03-02 12:00:00+00:00'),
    ('p:3', 'u4', 'create', '2026-03-02 12:00:00+00:00'),
    ('p:4', 'u5', 'create', '2026-03-02 12:00:00+00:00');
CREATE TABLE state.list_notes("resource" VARCHAR NOT NULL, note VARCHAR NOT NULL,
    noted_at TIMESTAMP WITH TIME ZONE NOT NULL);
CREATE TABLE state.missing(hris_ref VARCHAR PRIMARY KEY, deskbird_id VARCHAR NOT NULL,
    missing_since TIMESTAMP WITH TIME ZONE NOT NULL, complete_reads BIGINT NOT NULL,
    last_read TIMESTAMP WITH TIME ZONE NOT NULL);
insert into "state"."missing" values
    ('p:4', 'u5', '2026-03-03 12:00:00+00:00', 2, '2026-03-04 12:00:00+00:00');
CREATE TABLE state.nights(plan_id VARCHAR NOT NULL, ended_at TIMESTAMP WITH TIME ZONE NOT NULL,
    managed BIGINT NOT NULL, in_line BOOLEAN NOT NULL, run_id VARCHAR NOT NULL);
insert into "state"."nights" values
    ('1be55b03667c46c8', '2026-03-03 12:00:00+00:00', 4, true, 'run'),
    ('ab9485860d9cf3d4', '2026-03-02 12:00:00+00:00', 4, true, 'run');
CREATE TABLE state.not_sticking("object" VARCHAR NOT NULL, deskbird_id VARCHAR NOT NULL,
    "attribute" VARCHAR NOT NULL, wanted VARCHAR, hris_ref VARCHAR, nights BIGINT NOT NULL,
    since TIMESTAMP WITH TIME ZONE NOT NULL, last_night TIMESTAMP WITH TIME ZONE NOT NULL,
    code VARCHAR DEFAULT('not_retained') NOT NULL);
CREATE TABLE state.not_undone(plan_id VARCHAR NOT NULL, why VARCHAR NOT NULL, hris_ref VARCHAR,
    "attribute" VARCHAR);
CREATE TABLE state.observations("resource" VARCHAR PRIMARY KEY,
    observed_at TIMESTAMP WITH TIME ZONE NOT NULL, run_id VARCHAR NOT NULL, pages BIGINT NOT NULL,
    records BIGINT NOT NULL, readable VARCHAR[] NOT NULL);
insert into "state"."observations" values
    ('groups', '2026-03-04 12:00:00+00:00', 'run', 1, 1, ['name', 'external_id', 'members']),
    ('users', '2026-03-04 12:00:00+00:00', 'run', 1, 1, ['email', 'given_name', 'family_name',
        'display_name', 'external_id', 'manager_deskbird_id']);
CREATE TABLE state.outcomes(plan_id VARCHAR NOT NULL, seq BIGINT NOT NULL,
    "object" VARCHAR NOT NULL, "action" VARCHAR NOT NULL, hris_ref VARCHAR,
    outcome VARCHAR NOT NULL, http_status INTEGER, attempts INTEGER NOT NULL,
    applied_at TIMESTAMP WITH TIME ZONE, problem VARCHAR, run_id VARCHAR NOT NULL,
    problem_code VARCHAR, parts JSON);
insert into "state"."outcomes" values
    ('1be55b03667c46c8', 1, 'user', 'update', 'p:3', 'applied', 204, 1, '2026-03-03 12:00:00+00:00',
        null, 'run', null, null),
    ('ab9485860d9cf3d4', 1, 'user', 'create', 'p:1', 'applied', 201, 1, '2026-03-02 12:00:00+00:00',
        null, 'run', null, null),
    ('ab9485860d9cf3d4', 2, 'user', 'create', 'p:3', 'applied', 201, 1, '2026-03-02 12:00:00+00:00',
        null, 'run', null, null),
    ('ab9485860d9cf3d4', 3, 'manager', 'set', 'p:3', 'applied', 201, 1, '2026-03-02 12:00:00+00:00',
        null, 'run', null, null),
    ('ab9485860d9cf3d4', 4, 'user', 'create', 'p:4', 'applied', 201, 1, '2026-03-02 12:00:00+00:00',
        null, 'run', null, null),
    ('ab9485860d9cf3d4', 5, 'manager', 'set', 'p:4', 'applied', 201, 1, '2026-03-02 12:00:00+00:00',
        null, 'run', null, null),
    ('ab9485860d9cf3d4', 6, 'user', 'link', 'p:2', 'applied', 204, 1, '2026-03-02 12:00:00+00:00',
        null, 'run', null, null),
    ('ab9485860d9cf3d4', 7, 'manager', 'set', 'p:2', 'applied', 204, 1, '2026-03-02 12:00:00+00:00',
        null, 'run', null, null),
    ('ab9485860d9cf3d4', 8, 'group', 'create', 'p:team:7', 'applied', 201, 1,
        '2026-03-02 12:00:00+00:00', null, 'run', null, null),
    ('ab9485860d9cf3d4', 9, 'membership', 'add', 'p:1', 'applied', 201, 1,
        '2026-03-02 12:00:00+00:00', null, 'run', null, null),
    ('ab9485860d9cf3d4', 10, 'membership', 'add', 'p:2', 'applied', 201, 1,
        '2026-03-02 12:00:00+00:00', null, 'run', null, null),
    ('ab9485860d9cf3d4', 11, 'membership', 'add', 'p:3', 'applied', 201, 1,
        '2026-03-02 12:00:00+00:00', null, 'run', null, null),
    ('ab9485860d9cf3d4', 12, 'membership', 'add', 'p:4', 'applied', 201, 1,
        '2026-03-02 12:00:00+00:00', null, 'run', null, null);
CREATE TABLE state.partial_groups(group_deskbird_id VARCHAR NOT NULL, shown BIGINT NOT NULL,
    since TIMESTAMP WITH TIME ZONE NOT NULL);
CREATE TABLE state.people_past(person_id VARCHAR NOT NULL,
    seen_at TIMESTAMP WITH TIME ZONE NOT NULL, gone BOOLEAN NOT NULL, attributes JSON);
insert into "state"."people_past" values
    ('p:3', '2026-03-02 12:00:00+00:00', false,
        '{"hris_ref":"p:3","email":"3@acme.test","given_name":"Given","family_name":"Family","status":"active","start_date":"2020-01-01","manager_ref":"p:1","timezone":"Europe/Berlin","in_scope":true,"wanted":true,"group_refs":["p:team:7"],"other_refs":[]}'),

    ('p:4', '2026-03-02 12:00:00+00:00', false,
        '{"hris_ref":"p:4","email":"4@acme.test","given_name":"Given","family_name":"Family","status":"active","start_date":"2020-01-01","manager_ref":"p:1","timezone":"Europe/Berlin","in_scope":true,"wanted":true,"group_refs":["p:team:7"],"other_refs":[]}'),

    ('p:4', '2026-03-03 12:00:00+00:00', true, null);
CREATE TABLE state.people_since(person_id VARCHAR, since TIMESTAMP WITH TIME ZONE NOT NULL);
insert into "state"."people_since" values
    ('p:3', '2026-03-03 12:00:00+00:00'),
    (null, '2026-03-02 12:00:00+00:00');
CREATE TABLE state.persons(hris_ref VARCHAR NOT NULL, person_id VARCHAR NOT NULL,
    since TIMESTAMP WITH TIME ZONE NOT NULL);
CREATE TABLE state.plan_changes(plan_id VARCHAR NOT NULL, seq BIGINT NOT NULL,
    request BIGINT NOT NULL, stage INTEGER NOT NULL, "object" VARCHAR NOT NULL,
    "action" VARCHAR NOT NULL, hris_ref VARCHAR, deskbird_id VARCHAR, group_ref VARCHAR,
    group_deskbird_id VARCHAR, "before" JSON NOT NULL, "after" JSON NOT NULL,
    reason VARCHAR NOT NULL, evidence JSON NOT NULL, verdict VARCHAR NOT NULL, guard VARCHAR,
    guards VARCHAR[] NOT NULL, "content" VARCHAR NOT NULL, row_digest VARCHAR);
insert into "state"."plan_changes" values
    ('1be55b03667c46c8', 1, 1, 1, 'user', 'update', 'p:3', 'u4', null, null,
        '{"display_name":"Given Family","family_name":"Family"}',
        '{"display_name":"Given Married","family_name":"Married"}',
        'The HRIS says otherwise than deskbird: display name, family name.', '{"rule":"link"}',
        'planned', null, [], '6206f5f62fa1b72d0f465958cde327c9cd98f6e4daaada2a295d618010b6df61',
        'a468f162e4f72c7f'),
    ('ab9485860d9cf3d4', 1, 1, 1, 'user', 'create', 'p:1', null, null, null, '{}',
        '{"hris_ref":"p:1","email":"1@acme.test","given_name":"Given","family_name":"Family","display_name":"Given Family","active":true}',
        'The person works here and deskbird has no user for them.',
        '{"rule":"no link, marker or e-mail matches","status":"active","start_date":"2020-01-01"}',
        'planned', null, [], 'cc0e1289168b94e88866590db649d74513f5721ba0d7490f00fca0752be7a420',
        '3a85882f5591ff81'),
    ('ab9485860d9cf3d4', 2, 2, 2, 'user', 'create', 'p:3', null, null, null, '{}',
        '{"hris_ref":"p:3","email":"3@acme.test","given_name":"Given","family_name":"Family","display_name":"Given Family","active":true}',
        'The person works here and deskbird has no user for them.',
        '{"rule":"no link, marker or e-mail matches","status":"active","start_date":"2020-01-01"}',
        'planned', null, [], '3a5d459931b41b6109d5bfb1c84bb90023ae973ed11f3a28aa5974a9dd89b4cc',
        '317fa20a55ab28ad'),
    ('ab9485860d9cf3d4', 3, 2, 2, 'manager', 'set', 'p:3', null, null, null, '{}',
        '{"manager_ref":"p:1","manager_deskbird_id":null}', 'The HRIS names this manager.',
        '{"problem":null}', 'planned', null, [],
        '8d3d437f643d44073401ba3ed707e1254becc661efbc29e84e124632e4d67d6e', 'c4a4bd547c0de781'),
    ('ab9485860d9cf3d4', 4, 3, 2, 'user', 'create', 'p:4', null, null, null, '{}',
        '{"hris_ref":"p:4","email":"4@acme.test","given_name":"Given","family_name":"Family","display_name":"Given Family","active":true}',
        'The person works here and deskbird has no user for them.',
        '{"rule":"no link, marker or e-mail matches","status":"active","start_date":"2020-01-01"}',
        'planned', null, [], '7a5fe47e22364ac8a580fc45939cfa9b0833fb5d39cbf6706e533299b500009b',
        '1ba791eaed283965'),
    ('ab9485860d9cf3d4', 5, 3, 2, 'manager', 'set', 'p:4', null, null, null, '{}',
        '{"manager_ref":"p:1","manager_deskbird_id":null}', 'The HRIS names this manager.',
        '{"problem":null}', 'planned', null, [],
        '37576b2fcfd13f0638bd3948d01a99b641db4979af1a409afa32b764ca2cd986', '5a92ac525ec247b5'),
    ('ab9485860d9cf3d4', 6, 4, 3, 'user', 'link', 'p:2', 'u1', null, null, '{"hris_ref":null}',
        '{"hris_ref":"p:2"}', 'A user with the same e-mail is there and belongs to nobody.',
        '{"rule":"email","agrees":["email","given_name","family_name"],"differs":[]}', 'planned',
        null, [], 'd85df01deb3ef2ae9c83573c345456c4b21d5f03243508ec2322ba92c61d9b0f',
        '3cc69e8378022128'),
    ('ab9485860d9cf3d4', 7, 4, 3, 'manager', 'set', 'p:2', 'u1', null, null, '{}',
        '{"manager_ref":"p:1","manager_deskbird_id":null}', 'The HRIS names this manager.',
        '{"problem":null}', 'planned', null, [],
        '352d751ceb4c9bffe9fff5826edabe5f30357f1263d7ce9417101cf5b6bd5c64', '1675cd6694bab796'),
    ('ab9485860d9cf3d4', 8, 5, 4, 'group', 'create', 'p:team:7', null, null, null, '{}',
        '{"hris_ref":"p:team:7","name":"Sales"}',
        'People are in it in the HRIS and deskbird has no such group.',
        '{"kind":"team","members":4}', 'planned', null, [],
        '400537641212d2c6e450d741e993be2d7826f705b053a9a31f772c4485cc2f3a', '118971e7702b4371'),
    ('ab9485860d9cf3d4', 9, 5, 4, 'membership', 'add', 'p:1', null, 'p:team:7', null, '{}',
        '{"group_ref":"p:team:7"}', 'The HRIS has the person in this group.', '{"kind":"team"}',
        'planned', null, [], '33fcc0c797e018c173bf2f37285eac7bd1025ec3707a07605035dbb83509a449',
        '22e88439f88adba5'),
    ('ab9485860d9cf3d4', 10, 5, 4, 'membership', 'add', 'p:2', 'u1', 'p:team:7', null, '{}',
        '{"group_ref":"p:team:7"}', 'The HRIS has the person in this group.', '{"kind":"team"}',
        'planned', null, [], 'd7a8a2c17bd717e79e19ae24edfc48aa937305e3afdb1dc1a5c01d70c8031a40',
        '0c239ca560baca5e'),
    ('ab9485860d9cf3d4', 11, 5, 4, 'membership', 'add', 'p:3', null, 'p:team:7', null, '{}',
        '{"group_ref":"p:team:7"}', 'The HRIS has the person in this group.', '{"kind":"team"}',
        'planned', null, [], '8abac63932912aea82fa45d5592085380ec95d65766b816797da1a15e1680ad0',
        '529f996f3e353001'),
    ('ab9485860d9cf3d4', 12, 5, 4, 'membership', 'add', 'p:4', null, 'p:team:7', null, '{}',
        '{"group_ref":"p:team:7"}', 'The HRIS has the person in this group.', '{"kind":"team"}',
        'planned', null, [], '23dcdeee9975d9745274f6b4bbe9653fc8de8294302ba722285a9173385011bf',
        '9b7333aeb316c55f');
CREATE TABLE state.plan_progress(plan_id VARCHAR, seq BIGINT, request BIGINT, stage INTEGER,
    "object" VARCHAR, "action" VARCHAR, hris_ref VARCHAR, group_ref VARCHAR, "before" JSON,
    "after" JSON, reason VARCHAR, evidence JSON, verdict VARCHAR, guard VARCHAR, guards VARCHAR[],
    "content" VARCHAR, row_digest VARCHAR, deskbird_id VARCHAR, group_deskbird_id VARCHAR,
    still_wanted BOOLEAN, held BOOLEAN, guard_now VARCHAR, outcome VARCHAR, problem VARCHAR,
    problem_code VARCHAR);
insert into "state"."plan_progress" values
    ('1be55b03667c46c8', 1, 1, 1, 'user', 'update', 'p:3', null,
        '{"display_name":"Given Family","family_name":"Family"}',
        '{"display_name":"Given Married","family_name":"Married"}',
        'The HRIS says otherwise than deskbird: display name, family name.', '{"rule":"link"}',
        'planned', null, [], '6206f5f62fa1b72d0f465958cde327c9cd98f6e4daaada2a295d618010b6df61',
        'a468f162e4f72c7f', 'u4', null, true, false, null, null, null, null);
CREATE TABLE state."plans"(plan_id VARCHAR PRIMARY KEY, number BIGINT NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE NOT NULL, run_id VARCHAR NOT NULL, after_plan VARCHAR NOT NULL,
    changes BIGINT NOT NULL, blocked BIGINT NOT NULL, written BOOLEAN DEFAULT(false) NOT NULL,
    as_of TIMESTAMP WITH TIME ZONE NOT NULL, undoes VARCHAR, judgement_digest VARCHAR);
insert into "state"."plans" values
    ('120ce8a27824612d', 3, '2026-03-04 12:00:00+00:00', 'run', '1be55b03667c46c8', 0, 0, false,
        '2026-03-04 12:00:00+00:00', null,
        '88473acc3fdde29bfe9066dc0a48a8298f31369efb4f95ba413dfe9b6798f6f6'),
    ('1be55b03667c46c8', 2, '2026-03-03 12:00:00+00:00', 'run', 'ab9485860d9cf3d4', 1, 0, true,
        '2026-03-03 12:00:00+00:00', null,
        '2b71d1fe72115c8e3f96830cbdc487536cf99911cb2653ffa5aeecdeab46fd6f'),
    ('ab9485860d9cf3d4', 1, '2026-03-02 12:00:00+00:00', 'run', '', 12, 0, true,
        '2026-03-02 12:00:00+00:00', null,
        '6fae984e70654a4d43e3978fc4164e9fbe0b25ad5cebaea026985b8b8f631e55');
CREATE TABLE state.review(hris_ref VARCHAR, "rule" VARCHAR, deskbird_id VARCHAR,
    since TIMESTAMP WITH TIME ZONE NOT NULL, candidates VARCHAR[], PRIMARY KEY(hris_ref, "rule"));
insert into "state"."review" values
    ('p:5', 'foreign_external_id', 'u2', '2026-03-02 12:00:00+00:00', ['u2']);
CREATE TABLE state.rule_matches("rule" VARCHAR NOT NULL, "matched" BIGINT NOT NULL,
    counted_at TIMESTAMP WITH TIME ZONE NOT NULL, digest VARCHAR NOT NULL);
CREATE TABLE state.schema_version("version" INTEGER NOT NULL);
insert into "state"."schema_version" values
    (4);
CREATE TABLE state.source_changes("connection" VARCHAR, "resource" VARCHAR, digest UBIGINT NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL, PRIMARY KEY("connection", "resource"));
CREATE TABLE state.undone("object" VARCHAR NOT NULL, hris_ref VARCHAR NOT NULL, group_ref VARCHAR,
    "attribute" VARCHAR NOT NULL, "value" VARCHAR, plan_id VARCHAR NOT NULL,
    undone_at TIMESTAMP WITH TIME ZONE NOT NULL);
CREATE TABLE state.unreadable_records("resource" VARCHAR NOT NULL, deskbird_id VARCHAR,
    page BIGINT NOT NULL, "position" BIGINT NOT NULL, code VARCHAR NOT NULL, hris_ref VARCHAR,
    address_hash UBIGINT, first_seen TIMESTAMP WITH TIME ZONE NOT NULL,
    last_seen TIMESTAMP WITH TIME ZONE NOT NULL);
-- What each person's row in core.people was, from some night on: the row of a night is the last one
-- until then. One without values: the person was gone.
-- Reads: state.people_past, state.people_since, core.people.
-- A patch takes out what is null. What is derived of the others (display_name) and what the HRIS
-- kept to itself (unknown) makes no other row.
create or replace macro state.person_row(p) as json_merge_patch(
    json_merge_patch('{}', to_json(p)),
        '{"person_id": null, "display_name": null, "unknown": null}');

create or replace view state.people_history as
select person_id, seen_at, gone, attributes from state.people_past
union all
select p.person_id, coalesce(s.since, first_night.since), false, state.person_row(p)
from core.people p
left join state.people_since s using (person_id)
cross join (select since from state.people_since where person_id is null) first_night;
