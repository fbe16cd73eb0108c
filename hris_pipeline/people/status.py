"""What a person is tonight: one rule for every HR system, from the word, the days and what the
person was the night before.

The rule is ``status.sql``. This is the whole of it; each line stands for every combination that it
names, and a test expands them all. *Word* is the HR system's word as one of ours. The days are seen
from today in the person's time zone. A last day is inclusive. *No day* is a day up to 1980-01-01,
as 1900-01-01 or 1753-01-01 for "none": it does not count, whatever the first day is. *Before first*
is a last day before the first day: over, today or ahead. *Before* is the status of the night
before.

===================  ==================  ===================  ===============  ===============
======  ========================= word                 first day           last day
before           status           counts  listed ===================  ==================
===================  ===============  ===============  ======  ========================= unknown
any                 any                  any              unknown          any     - active on_leave
unknown past today  none today ahead     any              word             yes     - active on_leave
unknown             no_day               any              word             no
last_day_is_no_day active on_leave      past today          no_day before_first  any
word             no      last_day_before_first_day active on_leave      unknown past
yesterday            any              ended            yes     - active on_leave      unknown past
past                 any              ended            yes     active_after_last_day active on_leave
ahead               none ahead           any              upcoming         yes     - upcoming
unknown             none today ahead     any              upcoming         yes     - upcoming
unknown             no_day               any              upcoming         no
last_day_is_no_day upcoming             past today          none today ahead     any
active           yes     - upcoming             past today          no_day               any
active           no      last_day_before_first_day upcoming             past today
before_first         active on_leave  before           no      last_day_before_first_day upcoming
past today          before_first         none up. ended   ended            yes
last_day_before_first_day upcoming             unknown past        yesterday past       any
ended            yes     - upcoming             ahead               none ahead           any
upcoming         yes     - active on_leave up.  ahead               no_day               any
upcoming         no      last_day_is_no_day active on_leave up.  ahead
before_first_today   active on_leave  before           yes     last_day_before_first_day active
on_leave up.  ahead               before_first_ahead   active on_leave  before           yes
last_day_before_first_day active on_leave up.  ahead               before_first_today   none up.
ended   ended            yes     - active on_leave up.  ahead               before_first_ahead
none up. ended   ended            yes     - any_known            ahead               before_first
any              ended            yes     - ended not_active     unknown past        none no_day
past     any              ended            yes     - ended not_active     unknown past
yesterday            any              ended            yes     - ended not_active     past
before_first         any              ended            yes     - ended not_active     unknown past
today  today                any              active           yes     - ended not_active     unknown
past        ahead                any              ended            yes     ended_before_last_day
ended not_active     today               none no_day ahead    any              before_or_ended  yes
ended_on_first_day ended not_active     today               before_first         active on_leave
before           no      ended_on_first_day ended not_active     today               before_first
none up. ended   before_or_ended  yes     ended_on_first_day ended not_active     ahead
none no_day ahead    active on_leave  before           yes     ended_before_first_day ended
ahead               none no_day ahead    none up. ended   ended            yes     - not_active
ahead               none no_day ahead    none up. ended   upcoming         yes     - ended
not_active     ahead               before_first_today   active on_leave  before           yes
last_day_before_first_day ended not_active     ahead               before_first_ahead   active
on_leave  ended            yes     ended_before_last_day ended not_active     ahead
before_first_today   none up. ended   ended            yes     - ended not_active     ahead
before_first_ahead   none up. ended   ended            yes     - ===================
==================  ===================  ===============  ===============  ======
=========================

Why it is so:

* The HR system's own "ended" acts at once, except on the last day itself and on the first day: an
  HR system turns its word at its own midnight, which may come hours before or after the person's
  (cases 35 and 90). ``not_active`` is the word of a system that has one for those who left and
  those who are still to come: it means the latter while the first day is ahead.
* Who was to leave before the first day does not come at all, while that day is ahead (case 34).
  Once it has come and the word says that the person works here, the last day is that of an earlier
  employment, or none, and does not count (case 89).
* Somebody who is here and whose record shows the next first day already stays until the last day.
* Where the word and the days agree that somebody is not here, nothing is listed: nothing depends on
  it.
* ``active_after_last_day`` is listed only of a system that has other words too: a file without a
  status says it of everybody.
"""

from collections.abc import Mapping
from pathlib import Path

SQL = (Path(__file__).parent / "status.sql").read_text(encoding="utf-8")

CONTRADICTIONS: Mapping[str, str] = {
    "last_day_before_first_day": (
        "The last day lies before the first day. Correct or clear the last day, or correct the "
        "first."
    ),
    "last_day_is_no_day": (
        "The last day is a date of long ago, as systems write it for none. Clear the last day; for "
        "a file, name the date under options.open_ended in the company file."
    ),
    "active_after_last_day": (
        "The status says that the person works here, after the last day. Correct the status or the "
        "last day."
    ),
    "ended_before_last_day": (
        "The status says that the person left, before the last day. Correct the last day or the "
        "status."
    ),
    "ended_on_first_day": (
        "The status says that the person is not here, on the first day. Where the status turns "
        "later that day, nothing is to be done; else correct the status or the first day."
    ),
    "ended_before_first_day": (
        "The status says that somebody who was here is not, and the first day is still to come. "
        "Enter the last day of the employment that ended, or correct the status or the first day."
    ),
}
"""Where the word and the days do not go together, by code: what is wrong, and which field the HR
department corrects.
"""
