"""What a person is tonight: one rule for every HR system, from the word, the days and what the
person was the night before.

The rule is ``status.sql``. This is the whole of it; each line stands for every combination that it
names, and a test expands them all. *Word* is the HR system's word as one of ours; *here* is
``active`` or ``on_leave``, *left* is ``ended`` or ``not_active``. The days are seen from today in
the person's time zone; *not ahead* is unknown, past or today. A last day is inclusive. *No day* is
a day up to 1980-01-01, as 1900-01-01 or 1753-01-01 for "none": it does not count, whatever the
first day is. *Early* is a last day before the first day: over, today or ahead. *Before* is the
status of the night before; *away* is anything but here.

============= ============ ================= ====== ============ ====== =========================
word          first day    last day          before status       counts listed
============= ============ ================= ====== ============ ====== =========================
unknown       any          any               any    unknown      any    -
here          not_ahead    none today ahead  any    word         yes    -
here          unknown      no_day            any    word         no     last_day_is_no_day
here          past today   no_day early      any    word         no     last_day_before_first_day
here          unknown past yesterday         any    ended        yes    -
here          unknown past past              any    ended        yes    active_after_last_day
here          ahead        none ahead        any    upcoming     yes    -
upcoming      unknown      none today ahead  any    upcoming     yes    -
upcoming      unknown      no_day            any    upcoming     no     last_day_is_no_day
upcoming      past today   none today ahead  any    active       yes    -
upcoming      past today   no_day            any    active       no     last_day_before_first_day
upcoming      past today   early             here   before       no     last_day_before_first_day
upcoming      past today   early             away   ended        yes    last_day_before_first_day
upcoming      unknown past yesterday past    any    ended        yes    -
upcoming      ahead        none ahead        any    upcoming     yes    -
here upcoming ahead        no_day            any    upcoming     no     last_day_is_no_day
here upcoming ahead        early_today       here   before       yes    last_day_before_first_day
here upcoming ahead        early_ahead       here   before       yes    last_day_before_first_day
here upcoming ahead        early_today       away   ended        yes    -
here upcoming ahead        early_ahead       away   ended        yes    -
any_known     ahead        early             any    ended        yes    -
left          unknown past none no_day past  any    ended        yes    -
left          unknown past yesterday         any    ended        yes    -
left          past         early             any    ended        yes    -
left          not_ahead    today             any    active       yes    -
left          unknown past ahead             any    ended        yes    ended_before_last_day
left          today        none no_day ahead any    before/ended yes    ended_on_first_day
left          today        early             here   before       no     ended_on_first_day
left          today        early             away   before/ended yes    ended_on_first_day
left          ahead        none no_day ahead here   before       yes    ended_before_first_day
ended         ahead        none no_day ahead away   ended        yes    -
not_active    ahead        none no_day ahead away   upcoming     yes    -
left          ahead        early_today       here   before       yes    last_day_before_first_day
left          ahead        early_ahead       here   ended        yes    ended_before_last_day
left          ahead        early_today       away   ended        yes    -
left          ahead        early_ahead       away   ended        yes    -
============= ============ ================= ====== ============ ====== =========================

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
