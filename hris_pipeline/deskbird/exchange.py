"""One request that writes: journalled, sent until it is answered, looked up where its answer was
lost, and what the answer means.

What a refusal is worth (a part of the record, the record, everything) is not decided here.
"""

import contextlib
import datetime as dt
import itertools
import threading
import time
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal
from urllib.parse import unquote, urlsplit

import httpx  # noqa: TID251 - an edge
import msgspec

from hris_pipeline.contracts.writes import ProblemCode, StopReason, UserRef, Write
from hris_pipeline.deskbird import records
from hris_pipeline.deskbird.comparison import Seen, as_held, differences, same_tag, shown
from hris_pipeline.deskbird.dialects import Request
from hris_pipeline.deskbird.journal import Entry, Journal
from hris_pipeline.deskbird.scim import Group, Service, User, is_web_page, segment
from hris_pipeline.errors import DeskbirdError
from hris_pipeline.http import RETRIED, STOPPED, NoAnswer, Unanswered

# words of NoAnswer: nobody can have carried it out
_NEVER_SENT = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout", STOPPED})
# scimTypes that speak of the form, not of the matter
_OF_FORM = frozenset({"invalidValue", "invalidSyntax", "invalidPath"})
_SCIM_TYPES = _OF_FORM | {
    "invalidFilter",
    "tooMany",
    "uniqueness",
    "mutability",
    "noTarget",
    "invalidVers",
    "sensitive",
}
_NOT_UNDERSTOOD = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.METHOD_NOT_ALLOWED,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        HTTPStatus.NOT_IMPLEMENTED,
    }
)
# writes in a row that got no answer in all their tries before deskbird counts as down
_SILENCES = 3
_BOM = b"\xef\xbb\xbf"

Verdict = Literal["accepted", "refused", "failed", "stale", "conflict"]


@dataclass(frozen=True)
class Answer:
    """What came of one request.

    ``refused``: deskbird does not take it, and may take a part of it; ``failed``: nothing more can
    be said to this record now; ``conflict``: a creation met one of the same address or name.
    """

    verdict: Verdict
    status: int | None = None
    attempts: int = 0
    code: ProblemCode | None = None
    problem: str = ""
    of_form: bool = False  # the refusal may be about the form, so that the other dialect may do
    no_target: bool = False
    lost: bool = False  # an earlier answer never came

    @property
    def accepted(self) -> bool:
        """Whether deskbird took it."""
        return self.verdict == "accepted"


class _Id(msgspec.Struct):
    id: str | int


class _Error(msgspec.Struct):
    scim_type: str | None = msgspec.field(name="scimType", default=None)


class Exchange:
    """The requests of one run."""

    def __init__(
        self,
        plan_id: str,
        service: Service,
        journal: Journal,
        *,
        ids: MutableMapping[str, str],
        stop: Callable[[], bool | str],
        now: Callable[[], dt.datetime],
        readable: set[str],
    ) -> None:
        self.service = service
        self.readable = readable
        self.ids = ids
        self.etags = False
        self.halted: StopReason | None = None  # why nothing more is sent
        self.now = now
        self._plan_id = plan_id
        self._journal = journal
        self._stop = stop
        # written in this run, so that the planned version is of the past
        self._touched: set[str] = set()
        self._silences = 0
        self._lock = threading.Lock()

    # --- the end of a run ---

    def halt(self, why: str, code: ProblemCode) -> None:
        """Send nothing more; the first reason counts."""
        with self._lock:
            self.halted = self.halted or StopReason(why, code)

    def ends(self) -> StopReason | None:
        """Why nothing more is to be sent, asking whether somebody wants the run to end."""
        if not self.halted and (why := self._stop()):
            asked = (
                "The run was asked to stop before it was this change's turn; the next run goes on."
            )
            code: ProblemCode = why.code if isinstance(why, StopReason) else "halted"
            self.halt(why if isinstance(why, str) else asked, code)
        return self.halted

    # --- who is who ---

    def id_of(self, ref: UserRef) -> str | None:
        """deskbird's id of a user, None while it is not known."""
        return ref.deskbird_id or self.ids.get(ref.hris_ref)

    def target(self, write: Write) -> str | None:
        """deskbird's id of what a write is about, None while it is not known."""
        return write.deskbird_id or self.ids.get(write.hris_ref)

    # --- reading one record ---

    def read(self, write: Write) -> Seen | None:
        """The record that a write is about; None where there is none. Raises
        :class:`DeskbirdError`.
        """
        endpoint = "/Users/" if write.of_user else "/Groups/"
        try:
            response = self.service.client.ask(
                "GET", self.service.url + endpoint + segment(self.target(write) or "")
            )
        except Unanswered as problem:
            raise DeskbirdError(
                f"deskbird did not answer when asked for a record: {problem}."
            ) from None
        if response.status_code in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
            return None
        if response.status_code != HTTPStatus.OK:
            raise DeskbirdError(f"deskbird did not give a record (HTTP {response.status_code}).")
        content, form = response.content, response.headers.get("content-type", "")
        try:
            record: User | Group = (
                records.one(content, form, User)
                if write.of_user
                else records.one(content, form, Group)
            )
            whole = records.whole(content, form)
        except records.NotScimError:
            raise DeskbirdError("deskbird gave something that is no record.") from None
        self.readable.update(shown(record))
        return Seen(record, whole)

    def may_read(self) -> bool:
        """Whether the token still reads anything at all."""
        try:
            response = self.service.client.ask(
                "GET", f"{self.service.url}/Users", params={"startIndex": 1, "count": 1}
            )
        except Unanswered:
            return True  # that says nothing of the token
        return response.status_code not in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}

    # --- writing ---

    def send(self, write: Write, request: Request) -> Answer:
        """Send a request until it is answered with something else than a passing fault."""
        client = self.service.client
        target = None if request.method == "POST" else self.target(write)
        url = self.service.url + request.path.replace("{id}", segment(target or ""))
        headers = {}
        if self.etags and target and write.version and target not in self._touched:
            headers["If-Match"] = write.version
        body = msgspec.json.encode(request.body) if request.body is not None else None
        started, lost = time.monotonic(), False
        for attempt in itertools.count(1):
            entry = self._entry(write, request, target, attempt)
            self._journal.write(entry)
            response, word = None, ""
            try:
                response = client.once(request.method, url, content=body, headers=headers)
            except NoAnswer as problem:
                word = str(problem)
            if response is not None:
                created = created_id(response) if request.method == "POST" else target
                self._journal.write(_answered(entry, response.status_code, created, self.now()))
                if response.status_code == HTTPStatus.PRECONDITION_FAILED and headers:
                    settled = self._precondition(write, lost=lost)
                    if settled is None:
                        headers = {}
                        continue
                    return _with(settled, attempt, lost)
                if response.status_code not in RETRIED:
                    self._silences = 0
                    return _with(self._judge(write, request, response), attempt, lost)
            status = response.status_code if response is not None else None
            lost = lost or (
                word not in _NEVER_SENT
                if status is None
                else status != HTTPStatus.TOO_MANY_REQUESTS
            )
            wait = client.hold_back(response, attempt)
            tries = attempt // 50 if status == HTTPStatus.TOO_MANY_REQUESTS else attempt
            over = (
                tries >= client.patience.tries
                or time.monotonic() - started + wait > client.patience.in_all
            )
            over = over or not self._wait(wait)
            try:
                if lost and request.method == "POST" and self.look_up(write):
                    self._journal.write(_answered(entry, status, self.target(write), self.now()))
                    return Answer("accepted", status, attempt, lost=True)
            except DeskbirdError:  # it cannot even be read
                over = True
            if over:
                return self._silence(write, status, word, attempt)
        raise AssertionError  # the count never ends

    def _entry(self, write: Write, request: Request, target: str | None, attempt: int) -> Entry:
        moment = self.now().isoformat()
        return Entry(
            self._plan_id,
            write.request,
            request.kind,
            write.hris_ref,
            target,
            "sent",
            attempt,
            moment,
        )

    def _wait(self, seconds: float) -> bool:
        """Wait; False as soon as the run is to end."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if self.halted or self._stop():
                return False
            time.sleep(min(left, 0.2))
        return True

    def _silence(self, write: Write, status: int | None, word: str, attempts: int) -> Answer:
        why = f"HTTP {status}" if status is not None else f"no answer, {word}"
        with self._lock:
            self._silences += 1
            down = self._silences >= _SILENCES
        if down:
            self.halt(
                f"deskbird no longer answers ({why}); this change was not sent. The next run "
                "goes on.",
                "no_answer",
            )
        problem = (
            f"deskbird did not answer the change of {write.what} ({why}, {attempts} tries); "
            "whether it was carried out, the next run sees."
        )
        return Answer("failed", status, attempts, "no_answer", problem)

    # --- what an answer means ---

    def _judge(self, write: Write, request: Request, response: httpx.Response) -> Answer:
        status = response.status_code
        if response.is_success and is_web_page(response):
            problem = (
                f"Something else than deskbird answered the change of {write.what} with a web page."
            )
            return Answer("failed", status, 0, "web_page", problem)
        if response.is_success:
            return self._accepted(write, request, response)
        absent = status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}
        if request.method == "DELETE" and absent and not is_web_page(response):
            # somebody else deleted it, or we did and the answer was lost
            return Answer("accepted", status)
        if absent and request.method != "POST" and not self._is_there(write):
            return Answer(
                "failed",
                status,
                0,
                "gone",
                f"{write.what} is gone in deskbird; the next run sees that.",
            )
        if status == HTTPStatus.CONFLICT and request.method == "POST":
            return Answer("conflict", status, 0, "refused_conflict")
        if status == HTTPStatus.UNAUTHORIZED and not self.may_read():
            then = "Check deskbird.scim_token (deskbird: Admin > API keys), then run again."
            self.halt(
                f"deskbird refused the SCIM token (HTTP {status}); this change was not sent. "
                f"{then}",
                "shut_out",
            )
            problem = (
                f"deskbird refused the SCIM token (HTTP {status}) at the change of {write.what}. "
                f"{then}"
            )
            return Answer("failed", status, 0, "shut_out", problem)
        return _refusal(response)

    def _is_there(self, write: Write) -> bool:
        """Whether a 404 is about a part of the change, or somebody whom it refers to, and not about
        the record itself.
        """
        try:
            return self.read(write) is not None
        except DeskbirdError:
            return False

    def _accepted(self, write: Write, request: Request, response: httpx.Response) -> Answer:
        answer = Answer("accepted", response.status_code)
        if request.method != "POST":
            self._touched.add(self.target(write) or "")
        elif created := created_id(response):
            self._touched.add(created)
            self.ids[write.hris_ref] = created
        else:
            with contextlib.suppress(DeskbirdError):
                # where it is not shown yet, the next run finds it by its marker
                self.look_up(write)
        return answer

    def _precondition(self, write: Write, *, lost: bool) -> Answer | None:
        """After a 412: read again. None where nothing has changed: tags cannot be relied upon, and
        are used no more.
        """
        try:
            seen = self.read(write)
        except DeskbirdError:
            return _stale(write)
        if seen is None:
            return Answer(
                "failed",
                int(HTTPStatus.PRECONDITION_FAILED),
                0,
                "gone",
                f"{write.what} is gone in deskbird.",
            )
        # it was us who changed it
        if lost and not any(differences(write, seen.record, self.id_of, self.readable)):
            return Answer("accepted", int(HTTPStatus.PRECONDITION_FAILED))
        version = seen.record.meta.version if seen.record.meta else None
        unchanged = same_tag(version, write.version) or (
            write.held is not None and as_held(write.held, seen.record)
        )
        if not unchanged or not self._as_planned(write, seen):
            return _stale(write)
        self.etags = False
        return None

    def _as_planned(self, write: Write, seen: Seen) -> bool:
        """Whether a record still holds what the plan says it holds, as far as it shows it."""
        before = write.only(
            {atom for atom in write.atoms if atom[0] == "attribute" and atom[1] in write.before}
        )
        was = {column: value for column, value in before.before.items() if column != "photo"}
        return as_held(
            {
                "external_id" if column == "hris_ref" else column: value
                for column, value in was.items()
            },
            seen.record,
        )

    # --- creations that deskbird may know already ---

    def find(self, write: Write) -> tuple[User | Group, bool] | None:
        """The record that a creation is about, and whether it bears our marker."""
        if write.of_user:
            return self.service.find_user(write.hris_ref, str(write.set.get("email") or ""))
        return self.service.find_group(write.hris_ref, str(write.set.get("name") or ""))

    def look_up(self, write: Write) -> bool:
        """Whether a creation whose answer was lost was carried out all the same; then its id is
        known.
        """
        found = self.find(write)
        if found is None or not found[1]:
            return False
        self.adopt(write, found[0].id)
        return True

    def adopt(self, write: Write, deskbird_id: str) -> None:
        """Take a record for the one that a write is about; it is not what was planned against."""
        self.ids[write.hris_ref] = deskbird_id
        self._touched.add(deskbird_id)


def _with(answer: Answer, attempts: int, lost: bool) -> Answer:
    return Answer(
        answer.verdict,
        answer.status,
        attempts,
        answer.code,
        answer.problem,
        answer.of_form,
        answer.no_target,
        lost or answer.lost,
    )


def _stale(write: Write) -> Answer:
    problem = (
        f"{write.what} was changed in deskbird since the plan was made; the next run plans anew."
    )
    return Answer("stale", int(HTTPStatus.PRECONDITION_FAILED), 0, "changed_meanwhile", problem)


def _refusal(response: httpx.Response) -> Answer:
    status, scim_type = response.status_code, _scim_type(response)
    code: ProblemCode = "refused_value"
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        code = "refused_forbidden"
    elif status == HTTPStatus.PAYMENT_REQUIRED:
        code = "refused_payment"
    elif status == HTTPStatus.CONFLICT:
        code = "refused_conflict"
    word = f" {scim_type}" if scim_type in _SCIM_TYPES else ""
    of_form = status in _NOT_UNDERSTOOD and (scim_type not in _SCIM_TYPES or scim_type in _OF_FORM)
    no_target = status == HTTPStatus.BAD_REQUEST and scim_type == "noTarget"
    return Answer("refused", status, 0, code, f"HTTP {status}{word}", of_form, no_target)


def created_id(response: httpx.Response) -> str | None:
    """The id of what was created: from the body, else from where ``Location`` points."""
    if not response.is_success:
        return None
    try:
        return str(msgspec.json.decode(response.content.removeprefix(_BOM), type=_Id).id)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    if is_web_page(response):
        return None
    *folders, last = urlsplit(response.headers.get("location", "")).path.rstrip("/").split("/")
    return unquote(last) or None if folders and folders[-1].lower() in {"users", "groups"} else None


def _answered(
    entry: Entry, status: int | None, deskbird_id: str | None, moment: dt.datetime
) -> Entry:
    return msgspec.structs.replace(
        entry, phase="answered", status=status, deskbird_id=deskbird_id, time=moment.isoformat()
    )


def _scim_type(response: httpx.Response) -> str | None:
    try:
        return msgspec.json.decode(response.content.removeprefix(_BOM), type=_Error).scim_type
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
