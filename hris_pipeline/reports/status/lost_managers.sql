-- References to managers that lead to nobody, by connection, where they are too few for a guard.
-- Reads: state.arrivals.
select connection, of - came as lost, of
from state.arrivals
where kind = 'manager' and code is null and came < of
order by connection
