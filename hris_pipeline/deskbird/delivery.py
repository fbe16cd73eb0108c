"""Delivering one write: in few requests, taken apart where it is refused, read back where its forms
are not yet trusted.

A refused request is taken apart until what is refused stands alone: ``active`` first, then each
attribute, the manager, the members by halves. What is fine is carried out; what is not is told by
atom. Where a form is open, a refused or ignored atom is tried in the other dialect before it counts
as refused.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from hris_pipeline.contracts.change_kinds import Outcome
from hris_pipeline.contracts.writes import (
    MANAGER,
    RECORD,
    Atom,
    Kind,
    Part,
    ProblemCode,
    Result,
    UserRef,
    Write,
)
from hris_pipeline.deskbird.comparison import Seen, alike, collateral, differences, held_by
from hris_pipeline.deskbird.dialects import Dialect, Form, Request, requests_for
from hris_pipeline.deskbird.dialects import other as other_dialect
from hris_pipeline.deskbird.exchange import Answer, Exchange
from hris_pipeline.deskbird.forms import Evidence, Forms
from hris_pipeline.deskbird.paths import ELEMENTS
from hris_pipeline.deskbird.scim import Group
from hris_pipeline.errors import DeskbirdError

# when so many parts of one list of members are refused alike and none is taken, it is the group
# that is refused
_SUBLISTS = 16
_PENDING: frozenset[ProblemCode] = frozenset({"reference_missing", "manager_pending"})
_MARKER: Atom = ("attribute", "hris_ref")
_ADDRESS = ("email", "user_name")
_EMAIL: Atom = ("attribute", "email")


@dataclass(frozen=True)
class Fate:
    """What became of an atom."""

    outcome: Outcome
    status: int | None = None
    code: ProblemCode | None = None
    problem: str | None = None


def feasible(write: Write, exchange: Exchange) -> Write:
    """What can be sent of a write: without the references whose id is not known."""
    return replace(
        write,
        manager=write.manager if write.manager and exchange.id_of(write.manager) else None,
        add=tuple(ref for ref in write.add if exchange.id_of(ref)),
        remove=tuple(ref for ref in write.remove if exchange.id_of(ref)),
    )


class Delivery:
    """One write on its way; what became of its atoms stands in :attr:`fates`."""

    def __init__(self, exchange: Exchange, forms: Forms, write: Write) -> None:
        self.write = write
        self.fates: dict[Atom, Fate] = {}
        self.attempts = 0
        self.status: int | None = None
        self._exchange = exchange
        self._forms = forms
        self._whole = False
        self._over: Fate | None = None  # nothing more is sent to this record
        # accepted atoms, by the forms that carried them
        self._sent: dict[Atom, tuple[Form, ...]] = {}

    # --- the whole ---

    def carry(self, part: Write, photo: str | None = None, *, whole: bool = False) -> None:
        """Send a part of the write (all of it, most often); ``photo`` takes the place of its
        digest.

        ``whole``: a refused creation is not taken apart, because others were refused in every part.
        """
        self._whole = whole
        sendable = feasible(part, self._exchange)
        unknown = set(part.atoms) - set(sendable.atoms) - {MANAGER}
        self.settle(unknown, _missing_member())
        if part.manager and not sendable.manager:
            self.settle({MANAGER}, _pending_manager())
        if photo is not None:
            sendable = replace(sendable, set={**sendable.set, "photo": photo})
        try:
            if sendable.creates:
                self._create(sendable)
            elif sendable.kind == "delete_group":
                self._delete(sendable)
            elif sendable.atoms:
                self._update(sendable)
        except DeskbirdError:
            problem = (
                f"deskbird gave no usable answer when asked what became of {self.write.what}; the "
                "next run sees."
            )
            left = [atom for atom in sendable.atoms if atom not in self.fates]
            self.settle(left, Fate("failed", self.status, "no_answer", problem))

    def forms(self, part: Write) -> tuple[Form, ...]:
        """The forms that a part of the write would be sent in."""
        return _forms(
            requests_for(feasible(part, self._exchange), self._forms.dialect, self._exchange.id_of)
        )

    def settle(self, atoms: Iterable[Atom], fate: Fate) -> None:
        """Say what became of some atoms."""
        for atom in atoms:
            self.fates[atom] = fate

    def skip(self, atoms: Iterable[Atom], why: str, code: ProblemCode) -> None:
        """Send nothing of these."""
        self.settle(atoms, Fate("skipped", None, code, str(why)))

    def begin_again(self, atoms: Iterable[Atom]) -> None:
        """Forget what became of these: they are tried once more."""
        self._over = None
        for atom in atoms:
            self.fates.pop(atom, None)
            self._sent.pop(atom, None)

    def _applied(self, part: Write) -> Write:
        return part.only(
            {
                atom
                for atom in part.atoms
                if (fate := self.fates.get(atom)) and fate.outcome == "applied"
            }
        )

    # --- changes ---

    def _update(self, part: Write) -> None:
        forms = self.forms(part)
        look = self._forms.alone(forms)
        before = self._read() if look else None
        self._send(part)
        if look:
            self._look(part, before)

    def _delete(self, part: Write) -> None:
        forms = self.forms(part)
        look = self._forms.alone(forms)
        self._send(part)
        if not look or not self._is_applied(RECORD):
            return
        self._forms.looked(forms)
        if self._exchange.read(self.write) is None:
            for form in forms:
                self._forms.prove(form, "read_back")
            return
        self._forms.unproven([form for form in forms if self._forms.is_open(form)])
        self._forms.doubt([form for form in forms if not self._forms.is_open(form)])
        problem = f"deskbird accepted the deletion of {self.write.what} but still shows it."
        self.settle({RECORD}, Fate("failed", self.status, "not_retained", problem))

    def _read(self) -> Seen | None:
        try:
            return self._exchange.read(self.write)
        except DeskbirdError:
            return None

    def _requests(self, part: Write, flips: Collection[Form] = ()) -> list[Request]:
        def spoken(form: Form) -> Dialect:
            dialect = self._forms.dialect(form)
            return other_dialect(dialect) if form in flips else dialect

        return requests_for(part, spoken, self._exchange.id_of)

    def _send(self, part: Write) -> None:
        """Send a part; where it is refused, its own parts."""
        for request in self._requests(part):
            mine = part.only(request.atoms)
            if self._over:
                self.settle(request.atoms, self._over)
            elif wrong := [form for form in request.forms if self._forms.is_wrong(form)]:
                self._send_without(part, request, wrong)
            else:
                answer = self._ask(mine, request)
                if answer.verdict == "refused":
                    self._apart(mine, request, answer)
                else:
                    self._take(request, answer)

    def _send_without(self, part: Write, request: Request, wrong: Collection[Form]) -> None:
        """Leave out what would be sent in a form that does something else than asked."""
        bad = {atom for form in wrong for atom in request.carries[form]}
        problem = (
            "Not sent: deskbird does something else than asked with changes of this kind "
            f"({_words(bad)}), as an earlier change of this run has shown."
        )
        self.settle(bad, Fate("failed", None, "did_something_else", problem))
        if rest := request.atoms - bad:
            self._send(part.only(rest))

    def _ask(self, part: Write, request: Request) -> Answer:
        """Send one request; its answer, where an element of a list that deskbird lacks is added
        instead of replaced.
        """
        answer = self._exchange.send(part, request)
        self._count(answer)
        lacking = [
            name
            for name in ("email", *ELEMENTS)
            if name in part.set and part.before.get(name, True) is not None
        ]
        if answer.no_target and lacking:
            added = replace(part, before={**part.before, **dict.fromkeys(lacking)})
            for again in self._requests(added):
                answer = self._exchange.send(added, again)
                self._count(answer)
                if not answer.accepted:
                    break
        return answer

    def _count(self, answer: Answer) -> None:
        self.attempts += answer.attempts
        self.status = answer.status if answer.status is not None else self.status

    def _take(self, request: Request, answer: Answer) -> None:
        """Settle what a request carried, by an answer that is no refusal."""
        if answer.accepted:
            self.settle(request.atoms, Fate("applied", answer.status))
            self._forms.accepted(request.forms)
            for form, atoms in request.carries.items():
                for atom in atoms:
                    self._sent[atom] = (*self._sent.get(atom, ()), form)
            return
        outcome: Outcome = "stale" if answer.verdict == "stale" else "failed"
        self._over = Fate(outcome, answer.status, answer.code, answer.problem)
        self.settle(request.atoms, self._over)

    # --- refusals ---

    def _apart(self, part: Write, request: Request, answer: Answer) -> None:
        """Take a refused request apart: what of it is fine, and what exactly is not."""
        pieces = _pieces(part)
        if len(pieces) > 1:
            for piece in pieces:
                self._send(piece)
            several = [form for form in request.forms if form.endswith(".several")]
            if several and all(
                self._is_applied(atom) for form in several for atom in request.carries[form]
            ):
                self._forms.learn_apart(several)
            return
        if self._flipped(
            part,
            [form for form in request.forms if self._forms.may_flip(form, of_form=answer.of_form)],
        ):
            return
        members = len(part.add) + len(part.remove)
        if members > 1:
            self._halves(part)
        else:
            self.settle(part.atoms, self._refused(part.atoms, answer))

    def _flipped(self, part: Write, flips: Collection[Form]) -> bool:
        """Try a refused part with some forms in the other dialect; whether that was taken."""
        for tried in self._wider(part, flips):
            requests = self._requests(part, tried)
            answers: list[Answer] = []
            while len(answers) < len(requests) and all(answer.accepted for answer in answers):
                request = requests[len(answers)]
                answers.append(self._ask(part.only(request.atoms), request))
            if all(answer.accepted for answer in answers):
                self._forms.adopt(tried)
                for request, answer in zip(requests, answers, strict=True):
                    self._take(request, answer)
                # several, taken one by one: there is no more to see of it
                for form in tried - set(_forms(requests)):
                    self._forms.prove(form, "read_back")
                return True
        return False

    def _wider(self, part: Write, flips: Collection[Form]) -> Iterator[set[Form]]:
        """These forms in the other dialect; then each of them alone; then also those that come
        instead of them, such as one by one for several.
        """
        tried = set(flips)
        if not tried:
            return
        yield tried
        if len(tried) > 1:
            yield from ({form} for form in sorted(tried))
        asked = set(_forms(self._requests(part)))
        instead = [
            form for form in _forms(self._requests(part, tried)) if form not in tried | asked
        ]
        if more := {form for form in instead if self._forms.may_flip(form, of_form=True)}:
            yield tried | more

    def _halves(self, part: Write) -> None:
        """Find the refused members of a list, level by level."""
        level = [part]
        while level:
            refused: list[tuple[Write, Answer]] = []
            taken = False
            for half in [half for whole in level for half in _halved(whole)]:
                for request in self._requests(half):
                    if self._over:
                        self.settle(request.atoms, self._over)
                        continue
                    answer = self._ask(half, request)
                    flips = [
                        form
                        for form in request.forms
                        if self._forms.may_flip(form, of_form=answer.of_form)
                    ]
                    if answer.verdict != "refused":
                        self._take(request, answer)
                        taken = taken or answer.accepted
                    elif self._flipped(half, flips):
                        taken = True
                    elif len(half.add) + len(half.remove) == 1:
                        self.settle(half.atoms, self._refused(half.atoms, answer))
                    else:
                        refused.append((half, answer))
            alike = len({answer.status for _, answer in refused}) == 1
            if len(refused) >= _SUBLISTS and not taken and alike:
                for half, answer in refused:
                    self.settle(half.atoms, self._refused(half.atoms, answer))
                return
            level = [half for half, _ in refused]

    def _refused(self, atoms: Iterable[Atom], answer: Answer) -> Fate:
        what, why = _words(atoms), ""
        if answer.code == "refused_conflict" and any(
            atom[1] in _ADDRESS or atom[1] == "name" for atom in atoms
        ):
            why = (
                f": another one there has the {'address' if self.write.of_user else 'name'} already"
            )
        elif answer.code == "refused_payment":
            why = ": no seat is left there"
        others = set(self.write.atoms) - set(atoms) - {RECORD}
        then = " Everything else was carried out." if others and RECORD not in atoms else ""
        subject = self.write.what if what == "record" else f"{what} of {self.write.what}"
        problem = (
            "deskbird refused the "
            f"{'change' if not self.write.creates or what != 'record' else 'creation'} of "
            f"{subject} "
        )
        problem += f"({answer.problem or f'HTTP {answer.status}'}){why}.{then}"
        return Fate("failed", answer.status, answer.code, problem)

    def _is_applied(self, atom: Atom) -> bool:
        fate = self.fates.get(atom)
        return fate is not None and fate.outcome == "applied"

    # --- reading back ---

    def _look(self, part: Write, before: Seen | None) -> None:
        """Read a record back after one of the first writes of a form, and judge each form by it.

        What deskbird was never seen to give back cannot be told from what it ignores: the other
        dialect is tried once, and if it does not show either, acceptance counts.
        """
        forms = {form for atom in part.atoms for form in self._sent.get(atom, ())}
        carried = self._applied(part)
        untold = [
            form for form in self.forms(part) if self._forms.is_open(form) and form not in forms
        ]
        self._forms.unproven(untold)
        if not forms or not carried.atoms:
            return
        self._forms.looked(forms)
        after = self._read()
        if after is None:  # it was accepted; the next of its forms is the canary
            self._forms.unproven([form for form in forms if self._forms.is_open(form)])
            return
        if before is not None and (lost := collateral(part, before, after, self._exchange.id_of)):
            self._condemn(carried, lost)
            return
        wrong, hidden = differences(
            carried, after.record, self._exchange.id_of, self._exchange.readable
        )
        hidden = {
            atom
            for atom in hidden
            if any(self._forms.is_open(form) for form in self._sent.get(atom, ()))
        }
        if again := wrong | hidden:
            flips = {form for form in self._culprits(again, after) if self._forms.may_try(form)}
            still = self._tried_otherwise(carried.only(again), flips)
            wrong, hidden = wrong & still, hidden & still
        self._judge_forms(
            {form for atom in part.atoms for form in self._sent.get(atom, ())}, wrong, hidden
        )
        if wrong:
            problem = (
                f"deskbird accepted the change of {self.write.what} but does not hold it "
                f"afterwards: {_words(wrong)}."
            )
            self.settle(wrong, Fate("failed", self.status, "not_retained", problem))

    def _culprits(self, atoms: Iterable[Atom], after: Seen) -> set[Form]:
        """The forms that carried what is not there; an address goes in two, and one of them may
        have been heeded.
        """
        held, found = held_by(after.record), set()
        for atom in atoms:
            for form in self._sent.get(atom, ()):
                column = "email" if form.startswith("user_email") else "user_name"
                if atom != _EMAIL or not alike(
                    self.write.set.get(column, self.write.set["email"]), held[column]
                ):
                    found.add(form)
        return found

    def _judge_forms(self, forms: Iterable[Form], wrong: set[Atom], hidden: set[Atom]) -> None:
        for form in forms:
            carried = {atom for atom, sent in self._sent.items() if form in sent}
            if carried & wrong:
                if self._forms.is_open(form):
                    self._forms.unproven([form])
                else:
                    self._forms.doubt([form])
            else:
                self._forms.prove(form, "accepted" if carried & hidden else "read_back")

    def _tried_otherwise(self, part: Write, flips: Collection[Form]) -> set[Atom]:
        """Send what is not there in the other dialect; what is not there even then."""
        missing = set(part.atoms)
        for tried in self._wider(part, flips):
            rest = part.only(missing)
            requests = self._requests(rest, tried)
            taken = [
                request
                for request in requests
                if self._ask(rest.only(request.atoms), request).accepted
            ]
            after = self._read() if taken else None
            if after is None:
                continue
            wrong, hidden = differences(
                rest, after.record, self._exchange.id_of, self._exchange.readable
            )
            there = missing - wrong - hidden
            # what carried these before, and what carries them now: all of that is in the other
            # dialect from now on
            carried = {
                form
                for request in taken
                for form, atoms in request.carries.items()
                if set(atoms) & there
            }
            before = {form for atom in there for form in self._sent.get(atom, ())}
            changed = {form for form in tried if form in before | carried}
            self._forms.adopt(changed)
            for atom in there:
                self._sent[atom] = tuple(
                    form for r in taken for form, atoms in r.carries.items() if atom in atoms
                )
            for form in carried | changed:
                self._forms.prove(form, "read_back")
            missing -= there
            if not missing:
                break
        return missing

    def _condemn(self, carried: Write, lost: Collection[str]) -> None:
        forms = {form for atom in carried.atoms for form in self._sent.get(atom, ())}
        if "members" in lost and (
            of_members := {form for form in forms if form.startswith("members")}
        ):
            forms = of_members
        self._forms.condemn(forms)
        words = ", ".join(sorted(name.replace("_", " ") for name in lost))
        problem = (
            f"deskbird did something else than asked at the change of {self.write.what}: it also "
            f"changed {words}. Nothing more is sent in this form tonight; the next plan shows "
            "what has to be repaired."
        )
        bad = {atom for atom in carried.atoms if forms & set(self._sent.get(atom, ()))}
        self.settle(bad, Fate("failed", self.status, "did_something_else", problem))

    # --- creations ---

    def _create(self, write: Write) -> None:
        post = self._requests(write)[0]
        if wrong := [form for form in post.forms if self._forms.is_wrong(form)]:
            self._send_without_creating(write, wrong)
            return
        inside = post.atoms
        answer = self._post(write, write, post)
        of_seats = answer.code == "refused_payment" and write.of_user
        if answer.verdict == "refused" and not self._whole and not of_seats:
            post, answer = self._smaller(write, post, answer)
        if answer.verdict == "conflict":
            self._conflict(write, lost=answer.lost)
            return
        if not answer.accepted:
            fate = Fate("failed", answer.status, answer.code, answer.problem)
            if answer.verdict == "refused" and answer.code != "refused_conflict":
                fate = self._refused({RECORD}, answer)
            self.settle(write.atoms, fate)
            return
        self._take(post, answer)
        left = self._as_change(write.only(set(write.atoms) - post.atoms))
        if self._exchange.target(write) is None:
            self.settle(left.atoms, Fate("failed", answer.status, "reference_missing", _NOT_SHOWN))
            return
        if self._forms.alone(post.forms):
            self._look_at_creation(write, post)
        if left.atoms:
            self._update(left)
        later = [atom for atom in left.atoms if atom in inside and atom[0] in {"manager", "add"}]
        if later and all(self._is_applied(atom) for atom in later):
            # refused inside the POST, and taken as a change
            self._forms.learn_apart([_along(write)])

    def _post(self, write: Write, part: Write, post: Request) -> Answer:
        """Send a creation, or a smaller one. A conflict with nobody whom deskbird shows may be
        about a part: it is a refusal.
        """
        answer = self._exchange.send(part, post)
        self._count(answer)
        if answer.verdict != "conflict" or self._exchange.find(write) is not None:
            return answer
        problem = (
            f"deskbird says that {write.what} exists already, but shows nobody of this address or "
            "name."
        )
        return replace(answer, verdict="refused", problem=problem)

    def _send_without_creating(self, write: Write, wrong: Collection[Form]) -> None:
        problem = (
            "Not sent: deskbird does something else than asked with creations "
            f"({', '.join(sorted(wrong))})."
        )
        self.settle(write.atoms, Fate("failed", None, "did_something_else", problem))

    def _smaller(self, write: Write, post: Request, answer: Answer) -> tuple[Request, Answer]:
        """A refused creation once more with less inside: without its manager or members, then
        without names.
        """
        tries = []
        if any(atom[0] in {"manager", "add"} for atom in post.atoms):
            tries.append({atom for atom in write.atoms if atom[0] == "attribute"})
        bare: set[Atom] = {
            ("attribute", column) for column in ("hris_ref", *_ADDRESS, "active", "name")
        }
        if any(atom[0] == "attribute" and atom not in bare for atom in write.atoms):
            tries.append(bare)
        for smaller in tries:
            if answer.verdict == "refused":
                part = write.only(smaller)
                post = self._requests(part)[0]
                answer = self._post(write, part, post)
        return post, answer

    def _as_change(self, part: Write) -> Write:
        """What a creation left out, as a change of what is there now."""
        kind: Kind = "update_user" if part.of_user else "update_group"
        return replace(part, kind=kind, before=dict.fromkeys(part.set), version=None)

    def _look_at_creation(self, write: Write, post: Request) -> None:
        """Read a new record back. A manager or members that the POST was to bring, and that are not
        there, follow as a change.
        """
        self._forms.looked(post.forms)
        after = self._read()
        if after is None:
            self._forms.unproven([form for form in post.forms if self._forms.is_open(form)])
            return
        along = _along(write)
        inside = set(post.carries.get(along, ()))
        carried = write.only(post.atoms)
        wrong, hidden = differences(
            carried, after.record, self._exchange.id_of, self._exchange.readable
        )
        hidden = hidden & inside if self._forms.is_open(along) else set()
        ignored = (wrong & inside) | hidden
        evidence: Evidence = "accepted" if hidden else "read_back"
        if not ignored:
            if inside and self._forms.is_open(along):
                self._forms.prove(along, evidence)
        elif self._forms.may_try(along):
            still, taken = self._after_creation(self._as_change(carried.only(ignored)), hidden)
            if not still:
                self._forms.adopt([along])
                self._forms.prove(along, "read_back")
            elif still <= hidden:
                # nothing shows whether a creation keeps it; a change is what Entra ID sends, so
                # that is sent too
                if taken:
                    self._forms.adopt([along])
                self._forms.prove(along, evidence)
            else:
                self._forms.unproven([along])
            wrong = (wrong - ignored) | (still - hidden)
        for form in post.forms:
            # an attribute that a creation does not keep is the next night's change
            if form != along:
                self._forms.prove(form, "read_back")
        if wrong:
            problem = (
                f"deskbird accepted the creation of {write.what} but does not hold it afterwards: "
                f"{_words(wrong)}."
            )
            self.settle(wrong, Fate("failed", self.status, "not_retained", problem))

    def _after_creation(self, change: Write, hidden: Collection[Atom]) -> tuple[set[Atom], bool]:
        """Send what a creation ignored as a change: what is not shown even then, and whether the
        change was taken.

        Of what is hidden the POST's word counts.
        """
        for atom in change.atoms:
            self._sent.pop(atom, None)
        self._update(change)
        after = self._read()
        found = (
            differences(change, after.record, self._exchange.id_of, self._exchange.readable)
            if after
            else (set(), set())
        )
        refused = {atom for atom in change.atoms if not self._is_applied(atom)}
        still = found[0] | found[1] | refused
        self.settle(still & set(hidden), Fate("applied", self.status))
        return still, not refused

    def _conflict(self, write: Write, *, lost: bool) -> None:
        """A creation that met one of the same address or name: ours is adopted, a user of nobody
        too, any other is left alone.
        """
        status = 409
        found = self._exchange.find(write)
        if found is None:  # it was there a moment ago
            self.settle(
                write.atoms,
                Fate(
                    "failed",
                    status,
                    "gone",
                    f"{write.what} is gone in deskbird; the next run sees that.",
                ),
            )
            return
        record, ours = found
        if not ours and (record.external_id or isinstance(record, Group)):
            whose = (
                "belongs to another source (its externalId is not ours)"
                if record.external_id
                else "was made by hand"
            )
            problem = (
                f"deskbird has one with the address or name of {write.what} that {whose}; it was "
                "not touched."
            )
            self.settle(write.atoms, Fate("failed", status, "refused_conflict", problem))
            return
        held = held_by(record)
        update = replace(
            write,
            kind="update_user" if write.of_user else "update_group",
            deskbird_id=record.id,
            set={**write.set, "hris_ref": write.hris_ref},
            before={column: held.get(column) for column in {**write.set, "hris_ref": None}},
            version=None,
        )
        self._exchange.adopt(write, record.id)
        if ours and (lost or self._is_as(update)):
            self.settle(write.atoms, Fate("applied", status))
            return
        self._update(update)
        self.status = status
        taken = ours or self._is_applied(_MARKER)
        first = next((fate for fate in self.fates.values() if fate.outcome != "applied"), None)
        self.fates[RECORD] = Fate("applied", status) if taken or first is None else first

    def _is_as(self, update: Write) -> bool:
        seen = self._exchange.read(update)
        if seen is None:
            return False
        return not any(
            differences(update, seen.record, self._exchange.id_of, self._exchange.readable)
        )

    # --- the result ---

    def result(self) -> Result:
        """What became of the write, as the plan's rows want to know it."""
        write = self.write
        fates = {
            atom: self.fates.get(atom, Fate("skipped", None, "not_reached", _NOT_REACHED))
            for atom in write.atoms
        }
        other = {atom: fate for atom, fate in fates.items() if fate.outcome != "applied"}
        exists = RECORD not in fates or fates[RECORD].outcome == "applied"
        pending = [atom for atom, fate in other.items() if fate.code in _PENDING]
        left_out = (
            tuple(atom[1] for atom in pending if atom[0] in {"add", "remove"}) if exists else ()
        )
        worst = next((fate for fate in other.values() if fate.code not in _PENDING), None)
        if write.creates and not exists:
            worst = fates[RECORD]
        applied = any(fate.outcome == "applied" for fate in fates.values())
        outcome: Outcome = "applied"
        if worst is not None and not (write.creates and exists):
            outcome = worst.outcome
        elif not applied and other:
            outcome = "skipped"
        status = self.status
        if worst is not None and worst.status is not None and not (write.creates and exists):
            status = worst.status
        alike = len({(fate.outcome, fate.code) for fate in fates.values()}) == 1
        problem, code = self._told(other, worst, nothing=not applied)
        return Result(
            write.request,
            outcome,
            status,
            self.attempts,
            self._exchange.target(write),
            problem,
            unset_manager=exists and MANAGER in other and write.manager is not None,
            left_out=left_out,
            answered_at=self._exchange.now() if self.status is not None else None,
            problem_code=code,
            parts=(
                ()
                if alike
                else tuple(
                    Part(atom, fate.outcome, fate.status, fate.code, fate.problem)
                    for atom, fate in fates.items()
                )
            ),
        )

    def _told(
        self, other: dict[Atom, Fate], worst: Fate | None, *, nothing: bool
    ) -> tuple[str | None, ProblemCode | None]:
        if not other:
            return None, None
        if worst is not None:
            told = list(
                dict.fromkeys(
                    fate.problem
                    for fate in other.values()
                    if fate.problem and fate.code not in _PENDING
                )
            )
            more = f" And {len(told) - 3} more." if len(told) > 3 else ""
            return " ".join(told[:3]) + more, worst.code
        members = sum(atom[0] in {"add", "remove"} for atom in other)
        first = next(iter(other.values()))
        if nothing:
            return first.problem, first.code
        if not members:
            return None, first.code
        return (
            (
                f"{members} of the members of {self.write.what} could not be added; the next run "
                "tries again."
            ),
            first.code,
        )


_NOT_REACHED = "Not reached: the run ended before. The next run goes on from here."
_NOT_SHOWN = (
    "deskbird has created it but does not show it yet; the next run sees it by its marker and goes "
    "on from there."
)


def _along(write: Write) -> Form:
    """The form in which a POST brings a manager or members."""
    return "user_create.manager" if write.of_user else "group_create.members"


def _missing_member() -> Fate:
    return Fate(
        "failed",
        None,
        "reference_missing",
        "deskbird has no such user yet; the next run tries again.",
    )


def _pending_manager() -> Fate:
    return Fate(
        "failed",
        None,
        "manager_pending",
        "The manager is not in deskbird yet; it is set as soon as they are.",
    )


def _forms(requests: Iterable[Request]) -> tuple[Form, ...]:
    return tuple(dict.fromkeys(form for request in requests for form in request.forms))


def _pieces(part: Write) -> list[Write]:
    """The parts of a write that can be sent by themselves: ``active`` first; an address and its
    userName stay together.
    """
    columns = [column for column in part.set if column not in {"active", *_ADDRESS}]
    pieces: list[set[Atom]] = [{("attribute", "active")}] if "active" in part.set else []
    if address := {("attribute", column) for column in _ADDRESS if column in part.set}:
        pieces.append(address)  # type: ignore[arg-type]
    pieces += [{("attribute", column)} for column in columns]
    if part.manager or part.clear_manager:
        pieces.append({MANAGER})
    if part.add:
        pieces.append({("add", ref.hris_ref) for ref in part.add})
    if part.remove:
        pieces.append({("remove", ref.hris_ref) for ref in part.remove})
    return [part.only(piece) for piece in pieces]


def _halved(part: Write) -> list[Write]:
    """A list of members in two halves; it is of one kind, all come or all leave."""
    refs: tuple[UserRef, ...] = part.add or part.remove
    middle = (len(refs) + 1) // 2
    kind: Literal["add", "remove"] = "add" if part.add else "remove"
    return [
        part.only({(kind, ref.hris_ref) for ref in half})
        for half in (refs[:middle], refs[middle:])
        if half
    ]


def _words(atoms: Iterable[Atom]) -> str:
    """Atoms in words: attributes by name, members by their ``hris_ref``."""
    names = {
        f"member {name}" if kind in {"add", "remove"} else name.replace("_", " ") or kind
        for kind, name in atoms
    }
    ordered = sorted(names)
    return ", ".join(ordered[:5]) + (f" and {len(ordered) - 5} more" if len(ordered) > 5 else "")
