-- How many people should be in deskbird, and how many users are active there.
-- Reads: core.people, deskbird.users.
select
    (select count(*) from core.people where wanted) as people,
    (select count(*) from deskbird.users where active) as users
