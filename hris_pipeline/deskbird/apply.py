"""Carrying out the writes of a plan: in stages, several at a time, each journalled, none sent twice without looking first.

What can go wrong with one user or group ends with that one; what would go wrong with every write (a refused token, a full disk,
a deskbird that no longer answers) ends the run, and the rest is ``skipped``. Whatever was going on when a run is killed, the
journal and a fresh look at deskbird tell what became of it.

In dialect ``auto`` the first write of each kind is a canary: sent alone, in the RFC's dialect, and read back. A form that is
refused, or accepted and then not there, is tried in the other dialect; what worked is remembered.
"""

import datetime as dt
import itertools
import threading
import time
import unicodedata
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from queue import SimpleQueue
from typing import Literal, get_args

import httpx  # noqa: TID251 - an edge
import msgspec

from hris_pipeline.deskbird.dialects import ALIKE, Dialect, Kind, Request, kind_of, kinds_of, other, requests_for
from hris_pipeline.deskbird.journal import Entry, Journal
from hris_pipeline.deskbird.scim import Group, Progress, Service, User, is_web_page, segment
from hris_pipeline.errors import DeskbirdError, WarehouseError
from hris_pipeline.http import RETRIED, STOPPED, NoAnswer
from hris_pipeline.plan.writes import Outcome, Result, UserRef, Write

# words of NoAnswer: nobody can have carried it out
_NEVER_SENT = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout", STOPPED})
_FORM = frozenset({"invalidValue", "invalidSyntax", "invalidPath"})  # scimTypes that speak of the form, not of the matter
_SCIM_TYPES = _FORM | {"invalidFilter", "tooMany", "uniqueness", "mutability", "noTarget", "invalidVers", "sensitive"}
_CANARIES = 3  # writes of one kind that may fail to prove a dialect before the run goes on without proof
_SILENCES = 3  # writes in a row that got no answer in all their tries before deskbird counts as down


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
) -> Iterator[Result]:
    """Carry out writes, stage after stage; yields one result for each, as they come.

    Nothing is sent before the first result is asked for, and nothing more once nobody asks.

    :param remembered: which dialect worked, by kind; grows as canaries prove one
    :param ids: deskbird's ids of known users and groups by ``hris_ref``; grows with what is created
    :param stop: asked before each write and while waiting; once true, no further write is begun; a text says why
    :param readable: ``Observation.readable`` of the last read: what deskbird is known to give back
    :param picture: the data URI of a photo, by ``hris_ref`` and digest; None where it is not here any more. Asked for just
        before it is sent, by one worker at a time, so that memory holds a few pictures only
    :raises WarehouseError: after the last result, if the journal could not be written
    """
    run = _Run(plan_id, service, journal, ids, stop, now, set(readable), remembered, picture)
    run.etags = any(write.version for write in writes) and service.service_provider_config().etag.supported
    kinds: tuple[Kind, ...] = get_args(Kind)
    run.settled = {kind: _dialect(remembered.get(kind)) for kind in kinds if kind in remembered}
    if dialect != "auto":
        run.settled = dict.fromkeys(kinds, dialect)
    done = itertools.count(1)
    ordered = sorted(writes, key=lambda write: (write.stage, write.request))
    for _, stage in itertools.groupby(ordered, key=lambda write: write.stage):
        for result in run.stage(list(stage)):
            progress("writes", next(done), len(writes))
            yield result
    if run.broken:
        raise run.broken


def _dialect(word: str | None) -> Dialect:
    return "entra" if word == "entra" else "rfc"


@dataclass
class _Sent:
    """What became of the requests of one write so far."""

    status: int | None = None
    attempts: int = 0
    done: list[Kind] = field(default_factory=list)  # kinds that deskbird accepted
    outcome: Outcome = "applied"
    problem: str | None = None
    refused: bool = False  # for its form, so that the other dialect may do
    no_target: bool = False

    @property
    def ok(self) -> bool:
        return self.outcome == "applied"

    def then(self, later: "_Sent") -> "_Sent":
        """This, and then what followed."""
        return replace(later, attempts=self.attempts + later.attempts, done=self.done + later.done)


class _Id(msgspec.Struct):
    id: str


class _Error(msgspec.Struct):
    scim_type: str | None = msgspec.field(name="scimType", default=None)


@dataclass
class _Run:
    plan_id: str
    service: Service
    journal: Journal
    ids: MutableMapping[str, str]
    stop: Callable[[], bool | str]
    now: Callable[[], dt.datetime]
    readable: set[str]
    remembered: MutableMapping[str, str]
    picture: Callable[[str, str], str | None]
    etags: bool = False
    settled: dict[Kind, Dialect] = field(default_factory=dict)
    halted: str | None = None  # why nothing more is sent
    broken: WarehouseError | None = None

    def __post_init__(self) -> None:
        self._touched: set[str] = set()  # written in this run, so that the planned version is of the past
        self._unproven: Counter[Kind] = Counter()
        self._silences = 0
        self._lock = threading.Lock()
        self._pictures = threading.Lock()

    def stage(self, writes: list[Write]) -> Iterator[Result]:
        """The canaries among the writes of one stage one by one, then the others several at a time.

        Writes to the same user or group stay in order.
        """
        chains: dict[str, deque[Write]] = {}
        for write in writes:
            chains.setdefault(write.hris_ref, deque()).append(write)
        for chain in chains.values():
            while not self.halted and any(
                kind not in self.settled for write in chain for kind in kinds_of(self._feasible(write))
            ):
                yield self.carry(chain.popleft())
        yield from self._several_at_a_time(deque(chain for chain in chains.values() if chain))

    def _several_at_a_time(self, chains: deque[deque[Write]]) -> Iterator[Result]:
        results: SimpleQueue[Result | BaseException] = SimpleQueue()
        expected = sum(len(chain) for chain in chains)

        def work() -> None:
            try:
                while chain := take():
                    for write in chain:
                        results.put(self.carry(write))
            except BaseException as problem:  # noqa: BLE001 - raised again where the results are read
                results.put(problem)

        def take() -> deque[Write] | None:
            with self._lock:
                return chains.popleft() if chains else None

        workers = min(self.service.concurrency, len(chains))
        if not workers:
            return
        with ThreadPoolExecutor(workers, thread_name_prefix="deskbird") as pool:
            try:
                for _ in range(workers):
                    pool.submit(work)
                for _ in range(expected):
                    result = results.get()
                    if isinstance(result, BaseException):
                        raise result
                    yield result
                expected = 0
            finally:
                if expected:  # nobody wants the rest
                    self.halt("The run was ended before it was this change's turn.")

    def halt(self, why: str) -> None:
        """Send nothing more; the first reason counts."""
        with self._lock:
            self.halted = self.halted or why

    def carry(self, write: Write) -> Result:
        """Carry out one write, whatever may become of it."""
        if not self.halted and (why := self.stop()):
            asked = "The run was asked to stop before it was this change's turn; the next run goes on."
            self.halt(why if isinstance(why, str) else asked)
        if self.halted:
            return Result(write.request, "skipped", problem=self.halted)
        feasible = self._feasible(write)
        gone = tuple(ref.hris_ref for ref in (*write.add, *write.remove) if self.id_of(ref) is None)
        unset = write.manager is not None and feasible.manager is None
        if unmet := self._unmet(write, feasible):
            return Result(write.request, "skipped", problem=unmet, unset_manager=unset, left_out=gone)
        try:
            if write.set.get("photo") and (feasible := self._with_picture(feasible)).set["photo"] is None:
                problem = f"The picture of {_what(write)} is not here any more; the next night asks the HR system for it again."
                return Result(write.request, "failed", problem=problem)
            sent = self._deliver(feasible)
        except WarehouseError as full:
            self.broken = full
            self.halt(str(full))
            return Result(write.request, "failed", problem=str(full))
        except DeskbirdError:
            problem = f"deskbird gave no usable answer when asked what became of {_what(write)}; the next run sees."
            sent = _Sent(outcome="failed", problem=problem)
        return self._result(feasible, sent, unset=unset, gone=gone)

    def _feasible(self, write: Write) -> Write:
        """What can be sent of a write: without the references whose id is not known."""
        return replace(
            write,
            manager=write.manager if write.manager and self.id_of(write.manager) else None,
            add=tuple(ref for ref in write.add if self.id_of(ref)),
            remove=tuple(ref for ref in write.remove if self.id_of(ref)),
        )

    def _with_picture(self, write: Write) -> Write:
        """The photo itself in the place of its digest."""
        with self._pictures:
            found = self.picture(write.hris_ref, str(write.set["photo"]))
        return replace(write, set={**write.set, "photo": found})

    def id_of(self, ref: UserRef) -> str | None:
        """deskbird's id of a user, None while it is not known."""
        return ref.deskbird_id or self.ids.get(ref.hris_ref)

    def _unmet(self, write: Write, feasible: Write) -> str | None:
        """Why a write cannot be sent at all."""
        if not _creates(write) and not self._target(write):
            return f"{_what(write)} does not exist in deskbird, because it could not be created; the next run tries again."
        if write.kind == "create_group" and write.add and not feasible.add:
            return f"None of the members of {_what(write)} exists in deskbird yet, and an empty group is not created."
        if not kinds_of(feasible):
            return f"What {_what(write)} should refer to does not exist in deskbird yet; the next run tries again."
        return None

    def _target(self, write: Write) -> str | None:
        return write.deskbird_id or self.ids.get(write.hris_ref)

    def _result(self, write: Write, sent: _Sent, *, unset: bool, gone: tuple[str, ...]) -> Result:
        outcome, problem = sent.outcome, sent.problem
        if _creates(write) and kinds_of(write)[0] in sent.done:
            # it exists; what could not be added to it is said apart, and never stands in its way
            outcome = "applied"
            unset = unset or (write.manager is not None and "manager" not in sent.done)
            if "members_add" not in sent.done:
                gone += tuple(ref.hris_ref for ref in write.add)
        if outcome == "applied" and gone and not problem:
            problem = f"{len(gone)} of the members of {_what(write)} could not be added; the next run tries again."
        return Result(
            write.request,
            outcome,
            sent.status,
            sent.attempts,
            self._target(write),
            problem,
            unset_manager=unset,
            left_out=gone,
            answered_at=self.now() if sent.status is not None else None,
        )

    # --- one write: in the dialects that are known to work, or as a canary ---

    def _deliver(self, write: Write) -> _Sent:
        kinds = kinds_of(write)
        spoken: dict[Kind, Dialect] = {kind: self.settled.get(kind, "rfc") for kind in kinds}
        doubtful = [kind for kind in kinds if kind not in self.settled]
        sent = self._send_all(write, spoken)
        if not doubtful:
            return sent
        if sent.refused:
            sent = self._one_by_one(write, kinds, spoken, doubtful, sent)
        wrong = self._prove(write, spoken, [kind for kind in doubtful if kind in sent.done])
        self._settle(doubtful)
        if not wrong:
            return sent
        lost = ", ".join(sorted(itertools.chain.from_iterable(wrong.values())))
        problem = f"deskbird accepted the change of {_what(write)} but does not hold it afterwards: {lost}."
        # what was not kept of a creation does not undo it
        done = [kind for kind in sent.done if kind not in wrong or kind in {"user_create", "group_create"}]
        return replace(sent, outcome="failed", problem=problem, done=done)

    def _one_by_one(
        self, write: Write, kinds: Sequence[Kind], spoken: dict[Kind, Dialect], doubtful: Sequence[Kind], sent: _Sent
    ) -> _Sent:
        """Find out which part of a refused write is refused, and try that in the other dialect; ``spoken`` says what worked."""
        first, sent = sent, _Sent(attempts=sent.attempts, done=sent.done)
        for kind in kinds:
            if kind in sent.done:
                continue
            # alone it would be what was just refused
            part = self._send_all(write, spoken, only=(kind,)) if len(kinds) > 1 else replace(first, attempts=0, done=[])
            if part.refused and kind in doubtful and kind not in ALIKE:
                part = part.then(self._send_all(write, {**spoken, kind: other(spoken[kind])}, only=(kind,)))
                if part.ok:
                    spoken[kind] = other(spoken[kind])
            sent = sent.then(part)
            if not part.ok:
                break
        return sent

    def _prove(self, write: Write, spoken: dict[Kind, Dialect], accepted: Sequence[Kind]) -> dict[Kind, set[str]]:
        """Read back what was accepted, try the other dialect for what is not there, and remember what worked.

        What deskbird was never seen to give back cannot be told from what it ignores: the other dialect is tried once, and if it
        does not show either, acceptance counts. Returns what does not stick: columns by kind.
        """
        if not accepted:
            return {}
        try:
            wrong, hidden = self._compare(write)
            for kind in accepted:
                if kind in ALIKE or kind not in wrong.keys() | hidden:
                    continue
                if self._send_all(write, {**spoken, kind: other(spoken[kind])}, only=(kind,)).ok:
                    still_wrong, still_hidden = self._compare(write)
                    if kind not in still_wrong.keys() | still_hidden:
                        spoken[kind] = other(spoken[kind])
                        wrong.pop(kind, None)
        except DeskbirdError:
            return {}  # it was accepted; the next of its kind is the canary
        for kind in accepted:
            if kind not in wrong:
                self.settled[kind] = self.remembered[kind] = spoken[kind]
        return {kind: columns for kind, columns in wrong.items() if kind in accepted}

    def _settle(self, doubtful: Iterable[Kind]) -> None:
        """Stop looking for proof of a kind that several writes could not give, so that the night ends."""
        for kind in doubtful:
            self._unproven[kind] += 1
            if self._unproven[kind] >= _CANARIES:
                self.settled.setdefault(kind, "rfc")

    def _compare(self, write: Write) -> tuple[dict[Kind, set[str]], set[Kind]]:
        """Read a written user or group: what is not as wanted, and what deskbird does not show."""
        target = self._target(write) or ""
        record = self.service.read_user(target) if _of_user(write) else self.service.read_group(target)
        if record is None:
            return {}, set()
        self.readable.update(_shown(record))
        return differences(write, record, self.id_of, self.readable)

    def _send_all(self, write: Write, spoken: dict[Kind, Dialect], only: Collection[Kind] | None = None) -> _Sent:
        """The requests of a write, up to the first that fails."""
        sent = _Sent()
        for request in requests_for(write, spoken, self.id_of, only):
            sent = sent.then(self._send(write, request))
            if sent.no_target and "email" in write.set and write.before.get("email", True) is not None:
                # the e-mail that deskbird shows is not of type work, so there was none to replace: add one
                without = replace(write, before={**write.before, "email": None})
                sent = sent.then(self._send_all(without, spoken, request.kinds))
            if not sent.ok:
                break
        return sent

    # --- one request ---

    def _send(self, write: Write, request: Request) -> _Sent:
        """Send a request until it is answered with something else than a passing fault."""
        client = self.service.client
        target = None if request.method == "POST" else self._target(write)
        url = self.service.url + request.path.replace("{id}", segment(target or ""))
        headers = {}
        if self.etags and target and write.version and target not in self._touched:
            headers["If-Match"] = write.version
        body = msgspec.json.encode(request.body) if request.body is not None else None
        started, lost = time.monotonic(), False
        for attempt in itertools.count(1):
            entry = self._entry(write, request, target, attempt)
            self.journal.write(entry)
            response, word = None, ""
            try:
                response = client.once(request.method, url, content=body, headers=headers)
            except NoAnswer as problem:
                word = str(problem)
            if response is not None:
                created = _id_in(response) if request.method == "POST" else target
                self.journal.write(_answered(entry, response.status_code, created, self.now()))
                if response.status_code not in RETRIED:
                    self._silences = 0
                    judged = self._judge(write, request, response, lost=lost)
                    return replace(judged, attempts=attempt + judged.attempts)
            status = response.status_code if response is not None else None
            lost = lost or (word not in _NEVER_SENT if status is None else status != HTTPStatus.TOO_MANY_REQUESTS)
            wait = client.hold_back(response, attempt)
            tries = attempt // 50 if status == HTTPStatus.TOO_MANY_REQUESTS else attempt
            over = tries >= client.patience.tries or time.monotonic() - started + wait > client.patience.in_all
            over = over or not self._wait(wait)
            try:
                if lost and request.method == "POST" and self._look_up(write):
                    self.journal.write(_answered(entry, status, self._target(write), self.now()))
                    return _Sent(status, attempt, list(request.kinds))
            except DeskbirdError:  # it cannot even be read
                over = True
            if over:
                return self._silence(write, status, word, attempt)
        raise AssertionError  # the count never ends

    def _entry(self, write: Write, request: Request, target: str | None, attempt: int) -> Entry:
        moment = self.now().isoformat()
        return Entry(self.plan_id, write.request, request.kind, write.hris_ref, target, "sent", attempt, moment)

    def _wait(self, seconds: float) -> bool:
        """Wait; False as soon as the run is to end."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if self.halted or self.stop():
                return False
            time.sleep(min(left, 0.2))
        return True

    def _silence(self, write: Write, status: int | None, word: str, attempts: int) -> _Sent:
        why = f"HTTP {status}" if status is not None else f"no answer, {word}"
        with self._lock:
            self._silences += 1
            down = self._silences >= _SILENCES
        if down:
            self.halt(f"deskbird no longer answers ({why}); this change was not sent. The next run goes on.")
        problem = (
            f"deskbird did not answer the change of {_what(write)} ({why}, {attempts} tries); whether it was carried out, "
            "the next run sees."
        )
        return _Sent(status, attempts, outcome="failed", problem=problem)

    def _judge(self, write: Write, request: Request, response: httpx.Response, *, lost: bool) -> _Sent:
        """What an answer means."""
        status = response.status_code
        if response.is_success and not is_web_page(response):
            return self._accepted(write, request, response)
        if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            return self._shut_out(write, status)
        if request.method == "DELETE" and status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE} and not is_web_page(response):
            return _Sent(status, done=list(request.kinds))  # somebody else deleted it, or we did and the answer was lost
        if status == HTTPStatus.CONFLICT and request.method == "POST":
            return self._conflict(write, request, lost=lost)
        if status == HTTPStatus.PRECONDITION_FAILED:
            if lost and not any(self._compare(write)):  # it was us who changed it
                return _Sent(status, done=list(request.kinds))
            problem = f"{_what(write)} was changed in deskbird since the plan was made; the next run plans anew."
            return _Sent(status, outcome="stale", problem=problem)
        return self._refusal(write, response)

    def _accepted(self, write: Write, request: Request, response: httpx.Response) -> _Sent:
        sent = _Sent(response.status_code, done=list(request.kinds))
        if request.method != "POST":
            self._touched.add(self._target(write) or "")
            return sent
        if created := _id_in(response):
            self._touched.add(created)
            self.ids[write.hris_ref] = created
        elif not self._look_up(write):
            return _failed(sent.status, f"deskbird answered the creation of {_what(write)} without an id and does not show it.")
        return sent

    def _refusal(self, write: Write, response: httpx.Response) -> _Sent:
        status, scim_type = response.status_code, _scim_type(response)
        if response.is_success:
            return _failed(status, f"Something else than deskbird answered the change of {_what(write)} with a web page.")
        word = f" {scim_type}" if scim_type in _SCIM_TYPES else ""
        why = f"deskbird refused the change of {_what(write)} (HTTP {status}{word})"
        if status == HTTPStatus.CONFLICT and write.kind != "delete_group":
            taken = "address" if _of_user(write) else "name"
            return _failed(status, f"{why}: another one there has the {taken} already.")
        if status == HTTPStatus.NOT_FOUND:
            return _failed(status, f"{_what(write)} is gone in deskbird; the next run sees that.")
        bad = status == HTTPStatus.BAD_REQUEST
        return replace(
            _failed(status, f"{why}. The others are not affected."),
            refused=bad and (scim_type is None or scim_type in _FORM),
            no_target=bad and scim_type == "noTarget",
        )

    def _shut_out(self, write: Write, status: int) -> _Sent:
        why = (
            "refused the SCIM token" if status == HTTPStatus.UNAUTHORIZED else "says that the SCIM token lacks the right to write"
        )
        then = "Check deskbird.scim_token (deskbird: Admin > API keys), then run again."
        self.halt(f"deskbird {why} (HTTP {status}); this change was not sent. {then}")
        return _failed(status, f"deskbird {why} (HTTP {status}) at the change of {_what(write)}. {then}")

    # --- creations that deskbird may know already ---

    def _find(self, write: Write) -> tuple[User | Group, bool] | None:
        if _of_user(write):
            return self.service.find_user(write.hris_ref, str(write.set.get("email") or ""))
        return self.service.find_group(write.hris_ref, str(write.set.get("name") or ""))

    def _look_up(self, write: Write) -> bool:
        """Whether a creation whose answer was lost was carried out all the same; then its id is known."""
        found = self._find(write)
        if found is None or not found[1]:
            return False
        self.ids[write.hris_ref] = found[0].id
        self._touched.add(found[0].id)
        return True

    def _conflict(self, write: Write, request: Request, *, lost: bool) -> _Sent:
        """A creation that met one of the same address or name: ours is adopted, a user of nobody too, any other is left alone."""
        status = int(HTTPStatus.CONFLICT)
        found = self._find(write)
        if found is None:
            return _failed(status, f"deskbird says that {_what(write)} exists already, but shows nobody of this address or name.")
        record, ours = found
        if not ours and (record.external_id or isinstance(record, Group)):
            whose = "belongs to another source (its externalId is not ours)" if record.external_id else "was made by hand"
            return _failed(
                status, f"deskbird has one with the address or name of {_what(write)} that {whose}; it was not touched."
            )
        held = {**record.values(), "hris_ref": record.external_id}
        update = replace(
            write,
            kind="update_user" if _of_user(write) else "update_group",
            deskbird_id=record.id,
            set={**write.set, "hris_ref": write.hris_ref},
            before={column: held.get(column) for column in {**write.set, "hris_ref": None}},
            version=None,
        )
        self.ids[write.hris_ref] = record.id
        self._touched.add(record.id)
        adopted = _Sent(status, done=list(request.kinds))
        if ours and (lost or not any(self._compare(update))):
            return adopted
        patched = self._deliver(update)
        return replace(patched, done=adopted.done) if patched.ok else patched


def differences(
    write: Write, record: User | Group, ids: Callable[[UserRef], str | None], readable: Collection[str]
) -> tuple[dict[Kind, set[str]], set[Kind]]:
    """What of a write deskbird's record does not hold, by kind; and the kinds that the record says nothing about.

    Something that is wanted, not shown, and not known to be ``readable`` is hidden, not wrong.
    """
    if write.kind == "delete_group":
        return {"group_delete": {"its deletion"}}, set()
    wrong: dict[Kind, set[str]] = {}
    hidden: set[Kind] = {"user_photo"} if _photo_is_hidden(write, record) else set()

    def judge(kind: Kind, name: str, wanted: object, shown: object, read_as: str) -> None:
        if _alike(wanted, shown):
            return
        if shown in {None, ""} and read_as not in readable:
            hidden.add(kind)
        else:
            wrong.setdefault(kind, set()).add(name)

    held = {**record.values(), "hris_ref": record.external_id}
    for column in write.set.keys() - {"photo"}:
        value = write.set[column]
        judge(kind_of(column, write), column, value, held[column], "external_id" if column == "hris_ref" else column)
    if isinstance(record, User):
        if "email" in write.set:
            wanted_name = write.set.get("user_name", write.set["email"])
            judge(kind_of("email", write), "user_name", wanted_name, record.user_name, "user_name")
        if write.manager or write.clear_manager:
            wanted = ids(write.manager) if write.manager else None
            judge("manager", "manager", wanted, record.manager_id, "manager_deskbird_id")
    else:
        members = set(record.member_ids)
        if write.add and not any(ids(ref) in members for ref in write.add):  # a group may show its first members only
            judge("members_add", "members", wanted=True, shown="some" if members else None, read_as="members")
        if any(ids(ref) in members for ref in write.remove):
            wrong["members_remove"] = {"members"}
    return wrong, hidden - wrong.keys()


def _photo_is_hidden(write: Write, record: User | Group) -> bool:
    """Whether the record does not show what was done to the photo. Which photo it is nobody compares."""
    return "photo" in write.set and isinstance(record, User) and record.has_photo != (write.set["photo"] is not None)


def _alike(wanted: object, shown: object) -> bool:
    """Whether deskbird holds what was sent: Unicode's two ways to write an umlaut and the case of an address do not count."""
    if isinstance(wanted, str) and isinstance(shown, str):
        one, two = (unicodedata.normalize("NFC", text).strip() for text in (wanted, shown))
        return one == two or ("@" in one and one.casefold() == two.casefold())
    return wanted == shown or (not wanted and not shown and not isinstance(wanted, bool))


def _shown(record: User | Group) -> set[str]:
    columns = {column for column, value in record.values().items() if value not in {None, ""}}
    return columns | {"members"} if isinstance(record, Group) and record.member_ids else columns


def _creates(write: Write) -> bool:
    return write.kind in {"create_user", "create_group"}


def _of_user(write: Write) -> bool:
    return write.kind in {"create_user", "update_user"}


def _what(write: Write) -> str:
    return f"{'user' if _of_user(write) else 'group'} {write.hris_ref}"


def _failed(status: int | None, problem: str) -> _Sent:
    return _Sent(status, outcome="failed", problem=problem)


def _answered(entry: Entry, status: int | None, deskbird_id: str | None, moment: dt.datetime) -> Entry:
    return msgspec.structs.replace(entry, phase="answered", status=status, deskbird_id=deskbird_id, time=moment.isoformat())


def _id_in(response: httpx.Response) -> str | None:
    try:
        return msgspec.json.decode(response.content, type=_Id).id if response.is_success else None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _scim_type(response: httpx.Response) -> str | None:
    try:
        return msgspec.json.decode(response.content, type=_Error).scim_type
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
