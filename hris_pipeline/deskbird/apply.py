"""Carrying out the writes of a plan: in stages, several at a time, each journalled, none sent twice
without looking first.

What can go wrong with one user or group, or a part of one, ends with that; what would go wrong with
every write (a refused token, a full disk, a deskbird that no longer answers) ends the run, and the
rest is ``skipped``. Whatever was going on when a run is killed, the journal and a fresh look at
deskbird tell what became of it.

Here stand the order and the workers. One write on its way is in ``delivery``, one request in
``exchange``, what is known of the dialects in ``forms``, whose a refusal is in ``refusals``, and
who joins a group before leaving another in ``moves``.
"""

import datetime as dt
import itertools
import threading
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterator, MutableMapping, MutableSet, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from queue import SimpleQueue
from typing import Literal

from hris_pipeline.contracts.writes import RECORD, Atom, ProblemCode, Result, Write
from hris_pipeline.deskbird.delivery import Delivery, Fate, feasible
from hris_pipeline.deskbird.exchange import Exchange
from hris_pipeline.deskbird.forms import Forms
from hris_pipeline.deskbird.journal import Journal
from hris_pipeline.deskbird.moves import Move, Step, in_order, joins, leaves
from hris_pipeline.deskbird.refusals import Refusals
from hris_pipeline.deskbird.scim import Progress, Service
from hris_pipeline.errors import WarehouseError

_ACTIVE: Atom = ("attribute", "active")
_WAITS: frozenset[ProblemCode | None] = frozenset(
    {"reference_missing", "manager_pending", "successor_refused"}
)
_MAY_PASS_LATER: frozenset[ProblemCode | None] = frozenset(
    {"refused_forbidden", "refused_payment", "refused_value", "refused_conflict", "shut_out"}
)


def carry_out(
    plan_id: str,
    writes: Sequence[Write],
    service: Service,
    journal: Journal,
    *,
    dialect: Literal["auto", "rfc", "entra"],
    remembered: MutableMapping[str, str],
    ids: MutableMapping[str, str],
    stop: Callable[[], bool | str],
    progress: Progress,
    now: Callable[[], dt.datetime],
    readable: Collection[str] = (),
    picture: Callable[[str, str], str | None] = lambda _hris_ref, _digest: None,
    evidence: MutableMapping[str, str] | None = None,
    doubts: MutableSet[str] | None = None,
    look: bool = True,
) -> Iterator[Result]:
    """Carry out writes, stage after stage; yields a result for each, as they come.

    Nothing is sent before the first result is asked for, and nothing more once nobody asks. A write
    that is tried once more, or that turns out to have been refused together with everything else,
    yields a second result that takes the place of its first.

    :param remembered: which dialect worked, by form; grows as canaries prove one
    :param ids: deskbird's ids of known users and groups by ``hris_ref``; grows with what is created
    :param stop: asked before each write and while waiting; once true, no further write is begun; a
    text says why, and a
        :class:`~hris_pipeline.contracts.writes.StopReason` also by which code
    :param readable: ``Observation.readable`` of the last read: what deskbird is known to give back
    :param picture: the data URI of a photo, by ``hris_ref`` and digest; None where it is not here
    any more. Asked for just
        before it is sent, by one worker at a time, so that memory holds a few pictures only
    :param evidence: grows with what proved a form in this run
    :param doubts: remembered forms to prove anew; shrinks and grows
    :param look: whether the first write of each known form is read back
    :raises WarehouseError: after the last result, if the journal could not be written
    """
    exchange = Exchange(
        plan_id, service, journal, ids=ids, stop=stop, now=now, readable=set(readable)
    )
    exchange.etags = (
        any(write.version for write in writes) and service.service_provider_config().etag.supported
    )
    forms = Forms(
        dialect,
        remembered,
        {} if evidence is None else evidence,
        set() if doubts is None else doubts,
        look=look,
    )
    run = _Run(exchange, forms, picture)
    done: set[int] = set()
    for result in run.results(writes):
        done.add(result.request)
        progress("writes", len(done), len(writes))
        yield result
    if run.broken:
        raise run.broken


class _Run:
    def __init__(
        self, exchange: Exchange, forms: Forms, picture: Callable[[str, str], str | None]
    ) -> None:
        self.exchange = exchange
        self.forms = forms
        self.refusals = Refusals(exchange)
        self.broken: WarehouseError | None = None
        self._picture = picture
        self._deliveries: dict[int, Delivery] = {}
        self._steps_left: Counter[int] = Counter()
        # who was to join a group of a kind: by request, whether they did
        self._decided: dict[Move, dict[int, bool]] = {}
        self._overturned: list[int] = []  # requests whose result is another by now
        self._freed = False  # somebody was deactivated
        self._lock = threading.Lock()
        self._pictures = threading.Lock()

    def results(self, writes: Sequence[Write]) -> Iterator[Result]:
        """Everything in turn, and at the end once more what may pass by then."""
        ordered = sorted(writes, key=lambda write: (write.stage, write.request))
        stages = [
            list(stage) for _, stage in itertools.groupby(ordered, key=lambda write: write.stage)
        ]
        waiting: list[Step] = []
        for number, stage in enumerate(stages):
            later = [
                write for following in stages[number + 1 :] for write in following if write.add
            ]
            rounds, deferred = (
                in_order(stage, later)
                if any(write.remove for write in stage)
                else (_as_one(stage), [])
            )
            for write, _ in [*(step for steps in rounds for step in steps), *deferred]:
                self._steps_left[write.request] += 1
            for steps in rounds:
                yield from self.stage(steps)
            waiting += deferred
            joining = set().union(*(joins(write) for write in later))
            due = [step for step in waiting if not leaves(step[0].only(step[1])).keys() & joining]
            waiting = [step for step in waiting if step not in due]
            if due:
                yield from self.stage(due)
        if self._freed and not self.exchange.halted:
            yield from self._once_more(ordered)
        self._overturned += self.refusals.all_refused()
        yield from self._overturn()

    def stage(self, steps: Sequence[Step]) -> Iterator[Result]:
        """Those that go alone one by one, then the others several at a time. Writes to the same
        record stay in order.
        """
        chains: dict[str, deque[Step]] = {}
        for step in steps:
            chains.setdefault(step[0].hris_ref, deque()).append(step)
        waiting, together = deque(chains.values()), deque[deque[Step]]()
        while waiting:
            chain = waiting.pop() if self.refusals.suspects(waiting[0][0][0]) else waiting.popleft()
            while chain and not self.exchange.halted and self._alone(chain[0]):
                if result := self.carry(chain.popleft()):
                    yield result
                yield from self._overturn()
            if chain:
                together.append(chain)
        yield from self._several_at_a_time(together)

    def _alone(self, step: Step) -> bool:
        write, atoms = step
        if self.refusals.suspects(write):
            return True
        return self.forms.alone(self._delivery(write).forms(write.only(atoms)))

    def _delivery(self, write: Write) -> Delivery:
        with self._lock:
            if write.request not in self._deliveries:
                self._deliveries[write.request] = Delivery(self.exchange, self.forms, write)
            return self._deliveries[write.request]

    def _overturn(self) -> Iterator[Result]:
        """Tell anew what was refused together with everything else of its kind."""
        with self._lock:
            requests, self._overturned = self._overturned, []
        for request in dict.fromkeys(requests):
            delivery = self._deliveries[request]
            if self._steps_left[request] == 0:
                yield replace(delivery.result(), problem_code="shut_out", parts=())

    def _several_at_a_time(self, chains: deque[deque[Step]]) -> Iterator[Result]:
        results: SimpleQueue[Result | BaseException | None] = SimpleQueue()
        expected = sum(len(chain) for chain in chains)

        def work() -> None:
            try:
                while chain := take():
                    for step in chain:
                        results.put(self.carry(step))
            except BaseException as problem:  # noqa: BLE001 - raised again where the results are read
                results.put(problem)

        def take() -> deque[Step] | None:
            with self._lock:
                if not chains:
                    return None
                return chains.pop() if self.refusals.suspects(chains[0][0][0]) else chains.popleft()

        workers = min(self.exchange.service.concurrency, len(chains))
        if not workers:
            return
        with ThreadPoolExecutor(workers, thread_name_prefix="deskbird") as pool:
            try:
                for _ in range(workers):
                    pool.submit(work)
                for result in (results.get() for _ in range(expected)):
                    if isinstance(result, BaseException):
                        raise result
                    yield from [result] if result else []
                    yield from self._overturn()
                expected = 0
            finally:
                if expected:  # nobody wants the rest
                    self.exchange.halt(
                        "The run was ended before it was this change's turn.", "halted"
                    )

    # --- one step ---

    def carry(self, step: Step) -> Result | None:
        """Carry out one step, whatever may become of it; the result of its write, once that has no
        more steps.
        """
        write, atoms = step
        delivery = self._delivery(write)
        if why := self.exchange.ends() or self.refusals.shut.get(write.kind):
            delivery.skip(atoms, why, why.code)
        else:
            self._carry(delivery, write.only(self._without_the_refused(delivery, step)))
        self._note(write, atoms, delivery)
        with self._lock:
            self._steps_left[write.request] -= 1
            if self._steps_left[write.request]:
                return None
        return delivery.result()

    def _carry(self, delivery: Delivery, part: Write) -> None:
        if not part.atoms:
            return
        if unmet := self._unmet(part):
            delivery.skip(part.atoms, unmet, "reference_missing")
            return
        try:
            photo = None
            if part.set.get("photo") and (photo := self._picture_of(part)) is None:
                problem = (
                    f"The picture of {part.what} is not here any more; the next night asks the HR "
                    "system for it again."
                )
                delivery.settle(part.atoms, Fate("failed", None, "picture_missing", problem))
                return
            delivery.carry(part, photo, whole=part.creates and self.refusals.hopeless(part))
        except WarehouseError as full:
            self.broken = full
            self.exchange.halt(str(full), "journal_unwritable")
            left = [atom for atom in part.atoms if atom not in delivery.fates]
            delivery.settle(left, Fate("failed", None, "journal_unwritable", str(full)))

    def _picture_of(self, write: Write) -> str | None:
        """The photo itself in the place of its digest."""
        with self._pictures:
            return self._picture(write.hris_ref, str(write.set["photo"]))

    def _unmet(self, part: Write) -> str | None:
        """Why a write cannot be sent at all."""
        if not part.creates and not self.exchange.target(part):
            return (
                f"{part.what} does not exist in deskbird, because it could not be created; the "
                "next run tries again."
            )
        sendable = feasible(part, self.exchange)
        if part.kind == "create_group" and part.add and not sendable.add:
            return (
                f"None of the members of {part.what} exists in deskbird yet, and an empty group is "
                "not created."
            )
        if not sendable.atoms:
            return (
                f"What {part.what} should refer to does not exist in deskbird yet; the next run "
                "tries again."
            )
        return None

    def _without_the_refused(self, delivery: Delivery, step: Step) -> frozenset[Atom]:
        """The atoms of a step without the removals of those whom the next group did not take."""
        write, atoms = step
        refused = {
            atom
            for move, atom in leaves(write).items()
            if atom in atoms and not all(self._decided.get(move, {}).values())
        }
        why = (
            "Not taken out of the group, because the next one of the same kind did not take the "
            "person."
        )
        delivery.settle(refused, Fate("skipped", None, "successor_refused", why))
        return frozenset(atoms - refused)

    def _note(self, write: Write, atoms: Collection[Atom], delivery: Delivery) -> None:
        """Keep what later writes and later judgements depend on."""
        fates = {atom: delivery.fates[atom] for atom in atoms if atom in delivery.fates}
        applied = [atom for atom, fate in fates.items() if fate.outcome == "applied"]
        with self._lock:
            for kind, ref in joins(write):
                if ("add", ref) in atoms:
                    self._decided.setdefault((kind, ref), {})[write.request] = (
                        "add",
                        ref,
                    ) in applied
            self._freed = self._freed or (write.set.get("active") is False and _ACTIVE in applied)
        if applied:
            self.refusals.taken(write)
        elif fates and delivery.attempts:
            refused = {
                atom: fate
                for atom, fate in fates.items()
                if fate.code and fate.code.startswith("refused_")
            }
            first = next(iter((refused or fates).values()))
            overturned = self.refusals.refused(
                write.only(refused or fates), first.code, first.status
            )
            with self._lock:
                self._overturned += overturned

    # --- once more ---

    def _once_more(self, writes: Sequence[Write]) -> Iterator[Result]:
        """Who was refused a seat, after the deactivations: one may be free now. Then what waited
        for those people.
        """
        again: list[Step] = []
        for write in writes:
            if write.kind == "create_user" and self._fate(write, RECORD) in _MAY_PASS_LATER:
                again.append((write, frozenset(write.atoms)))
            elif (
                write.kind == "update_user"
                and write.set.get("active") is True
                and self._fate(write, _ACTIVE) in _MAY_PASS_LATER
            ):
                again.append((write, frozenset({_ACTIVE})))
        for kind in {write.kind for write, _ in again}:
            self.refusals.reopen(kind)
        seated = False
        for write, atoms in again:
            self._delivery(write).begin_again(atoms)
            self._steps_left[write.request] += 1
            if result := self.carry((write, atoms)):
                seated = seated or result.outcome == "applied"
                yield result
        if seated:
            yield from self._waited(writes)

    def _waited(self, writes: Sequence[Write]) -> Iterator[Result]:
        for write in writes:
            delivery = self._delivery(write)
            atoms = {
                atom
                for atom in write.atoms
                if (fate := delivery.fates.get(atom)) and fate.code in _WAITS
            }
            part = write.only(atoms)
            if write.creates and RECORD not in atoms:
                part = replace(part, kind="update_user" if write.of_user else "update_group")
            if not atoms or self._unmet(part):
                continue
            delivery.begin_again(atoms)
            self._steps_left[write.request] += 1
            if result := self.carry((replace(write, kind=part.kind), frozenset(atoms))):
                yield result

    def _fate(self, write: Write, atom: Atom) -> ProblemCode | None:
        fate = self._delivery(write).fates.get(atom)
        return fate.code if fate else None


def _as_one(writes: Sequence[Write]) -> list[list[Step]]:
    return [[(write, frozenset(write.atoms)) for write in writes]]
