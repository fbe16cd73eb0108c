"""What a run knows of each form of write: which dialect deskbird takes it in, since when, and by
what evidence.

A form that nothing is known of is *open*: its first write is a canary, sent alone and read back,
and tried in the other dialect where it is refused or ignored. A form that is known is looked at
once a run, at its first write, so that a deskbird that has changed is noticed after one write. A
form that does something else than asked is *wrong*, and is not sent again in this run.
"""

import threading
from collections import Counter
from collections.abc import Collection, Iterable, MutableMapping, MutableSet
from typing import Literal

from hris_pipeline.deskbird.dialects import ALIKE, FORMS, Dialect, Form, other

# writes of one form that may fail to prove a dialect before the run goes on without proof
CANARIES = 3

Evidence = Literal["read_back", "accepted", "untried"]
"""What is known of a form: the record shows the values; it was accepted, and the record shows
nothing of the kind to anybody; or the other dialect did something else than asked, and this one is
to be tried.
"""


class Forms:
    """What is known, learnt and doubted. Safe to use from several threads.

    :param setting: ``deskbird.scim_dialect``; anything but ``auto`` settles every form
    :param remembered: the dialect that worked, by form; grows
    :param evidence: what proved it, of forms that are proven in this run
    :param doubts: remembered forms that are to be proven anew; grows with those that this run has
    reason to doubt :param look: whether the first write of each form is read back
    """

    def __init__(
        self,
        setting: Literal["auto", "rfc", "entra"],
        remembered: MutableMapping[str, str],
        evidence: MutableMapping[str, str],
        doubts: MutableSet[str],
        *,
        look: bool = True,
    ) -> None:
        self._setting = setting
        self._remembered = remembered
        self._evidence = evidence
        self._doubts = doubts
        self._look = look
        self._dialects: dict[Form, Dialect] = {}
        self._settled: set[Form] = set(FORMS) if setting != "auto" else set()
        for form in FORMS:
            if setting != "auto":
                self._dialects[form] = setting
            elif form in remembered:
                self._dialects[form] = "entra" if remembered[form] == "entra" else "rfc"
                if form not in doubts:
                    self._settled.add(form)
        self._looked: set[Form] = set()
        self._accepted: set[Form] = set()
        self._wrong: set[Form] = set()
        self._unproven: Counter[Form] = Counter()
        self._lock = threading.RLock()

    def dialect(self, form: Form) -> Dialect:
        """The dialect to send a form in."""
        return self._dialects.get(form, "rfc")

    def is_wrong(self, form: Form) -> bool:
        """Whether a form did something else than asked in this run."""
        return form in self._wrong

    def is_open(self, form: Form) -> bool:
        """Whether nothing is known of a form."""
        return form not in self._settled

    def alone(self, forms: Iterable[Form]) -> bool:
        """Whether a write of these forms is to go alone, and to be read back."""
        return any(
            self.is_open(form) or (self._look and form not in self._looked) for form in forms
        )

    def may_flip(self, form: Form, *, of_form: bool) -> bool:
        """Whether to try the other dialect after a refusal; ``of_form``: one that may be about the
        form.

        What was taken in this run already is understood: then it is the value.
        """
        doubtful = self.is_open(form) or form not in self._accepted
        return of_form and doubtful and self._may_change(form) and form not in self._wrong

    def may_try(self, form: Form) -> bool:
        """Whether to try the other dialect of a form whose value is not there afterwards."""
        return self._may_change(form) and form not in self._wrong

    def _may_change(self, form: Form) -> bool:
        return self._setting == "auto" and form not in ALIKE

    def adopt(self, forms: Iterable[Form]) -> None:
        """Send these in the other dialect from now on: it was taken. Nothing is proven yet."""
        with self._lock:
            for form in forms:
                self._dialects[form] = other(self.dialect(form))
                self._settled.discard(form)

    def learn_apart(self, forms: Iterable[Form]) -> None:
        """What was refused together was taken apart: several attributes one by one, a manager or
        members after the POST.
        """
        for form in forms:
            if self._may_change(form) and self.dialect(form) == "rfc":
                self.adopt([form])
                self.prove(form, "read_back")

    def accepted(self, forms: Iterable[Form]) -> None:
        """deskbird took a request of these forms."""
        with self._lock:
            self._accepted.update(forms)

    def looked(self, forms: Iterable[Form]) -> None:
        """The first write of these was looked at."""
        with self._lock:
            self._looked.update(forms)

    def prove(self, form: Form, evidence: Evidence) -> None:
        """A form works, as it was sent."""
        with self._lock:
            if self._setting != "auto":
                return
            spoken = self.dialect(form)
            if self.is_open(form) or self._remembered.get(form) != spoken:
                self._evidence[form] = evidence
            self._dialects[form] = self._remembered[form] = spoken
            self._settled.add(form)
            self._doubts.discard(form)

    def unproven(self, forms: Collection[Form]) -> None:
        """A canary could not prove these. After a few, the run goes on without proof, so that the
        night ends.
        """
        with self._lock:
            for form in forms:
                self._unproven[form] += 1
                if self._unproven[form] >= CANARIES:
                    self._settled.add(form)

    def doubt(self, forms: Iterable[Form]) -> None:
        """Let the next run prove these anew."""
        with self._lock:
            self._doubts |= {form for form in forms if form in self._remembered}

    def condemn(self, forms: Iterable[Form]) -> None:
        """These did something else than asked: they are not sent again in this run.

        The next run tries the other dialect, by one write that it looks at.
        """
        with self._lock:
            for form in forms:
                self._wrong.add(form)
                if self._may_change(form):
                    self._remembered[form] = other(self.dialect(form))
                    self._evidence[form] = "untried"
                    self._doubts.add(form)
