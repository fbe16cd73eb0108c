-- From version 3. New tables are in state.sql; here is what existing ones gain or lose.
select 1;
