"""A storage for scim2-server that survives a restart and stays quick with thousands of users and
with groups of thousands.

It is the package's own in-memory storage, which does all the answering, with a SQLite file behind
it that is read once at the start and written at every change. The package copies a whole resource
several times for every request; where that costs (a page of a list, a change of a large group) this
storage copies only what is asked for.
"""

import datetime as dt
import itertools
import sqlite3
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pydantic
from scim2_models import (
    Meta,
    Resource,
    ResourceType,
    ResponseParameters,
    ScimProvider,
    SearchRequest,
)
from scim2_server.memory import InMemoryStorage, utcnow
from scim2_server.storage import SearchPage
from scim2_server.utils import load_default_provider

from hris_pipeline.errors import PipelineError

_TABLES = """
create table if not exists resource (
    type text, id text, body text not null, primary key (type, id)
) without rowid;
create table if not exists member (owner text not null, value text, body text not null);
create index if not exists member_of on member (owner, value);
"""


def clone(value: Any) -> Any:
    """A deep copy of a resource, or of a part of one, far quicker than ``model_copy(deep=True)``:
    plain values are shared.
    """
    if isinstance(value, pydantic.BaseModel):
        twin = value.__copy__()
        held = twin.__dict__
        for name, item in held.items():
            if isinstance(item, (pydantic.BaseModel, list)):
                held[name] = clone(item)
        return twin
    if isinstance(value, list):
        return [clone(item) for item in value]
    return value


def has_members(resource: Resource[Any]) -> bool:
    """Whether it is a group rather than a user."""
    return "members" in type(resource).model_fields


def _with_members(resource: Resource[Any], members: list[Any]) -> Resource[Any]:
    """A shallow copy with other members, which are not judged again: they were when they came
    in.
    """
    twin = resource.__copy__()
    twin.__dict__["members"] = members or None
    twin.__pydantic_fields_set__.add("members")
    return twin


def _leaves_members_out(parameters: ResponseParameters[Any] | None) -> bool:
    excluded = parameters.excluded_attributes if parameters is not None else None
    bindings = [path.resolve() for path in excluded or ()]
    return any(
        binding is not None and binding.field_name == "members" and binding.sub_field_name is None
        for binding in bindings
    )


class SqliteStorage(InMemoryStorage):
    """A :class:`~scim2_server.storage.ScimStorage` in memory and, with a ``path``, in a SQLite file
    too.

    ``path`` None or ``":memory:"`` keeps everything in memory only. ``provider`` names the models
    that the file is read with. :class:`~hris_pipeline.errors.PipelineError` where the file cannot
    be used.
    """

    def __init__(
        self,
        path: Path | str | None = None,
        provider: ScimProvider | None = None,
        clock: Callable[[], dt.datetime] = utcnow,
    ) -> None:
        super().__init__(clock)
        self.provider = provider if provider is not None else load_default_provider()
        self.path = None if path is None or str(path) == ":memory:" else Path(path)
        # sorted, by resource type; dropped when one comes or goes
        self._ids: dict[str | None, list[str]] = {}
        # of a plain list, where that is another than by id
        self.order: Callable[[list[str]], list[str]] | None = None
        self._open = 0
        self._file: sqlite3.Connection | None = None
        if self.path is not None:
            try:
                self._file = self._connect(self.path)
                self._load(self._file)
            except (sqlite3.Error, OSError, pydantic.ValidationError):
                self.close()
                raise PipelineError(
                    f"The sandbox's file {self.path} could not be read as a deskbird. Nothing was "
                    "started. Delete it to begin with an empty one."
                ) from None

    @staticmethod
    def _connect(path: Path) -> sqlite3.Connection:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        file = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        file.execute("pragma journal_mode = wal")
        # survives the death of the process at any point
        file.execute("pragma synchronous = normal")
        file.executescript(_TABLES)
        return file

    def _load(self, file: sqlite3.Connection) -> None:
        """Read everything back, and go on counting versions where the last process ended."""
        types = {kind.name: kind for kind in self.provider.resource_types}
        members: dict[str, list[str]] = {}
        for owner, body in file.execute("select owner, body from member order by rowid"):
            members.setdefault(owner, []).append(body)
        last = 0
        with self.provider:
            for name, key, body in file.execute("select type, id, body from resource"):
                model: Any = self.provider.model_for(types[name])
                joined = f',"members":[{",".join(members[key])}]' if key in members else ""
                resource = model.model_validate_json(f"{body[:-1]}{joined}}}")
                self._store(resource, self._values_of(resource))
                last = max(last, int(resource.meta.version.strip('W/"')))
        self.versions = itertools.count(last + 1)

    def close(self) -> None:
        """Close the file; what was written stays."""
        with self.lock:
            if self._file is not None:
                self._file.close()
                self._file = None

    @contextmanager
    def operation(self) -> Generator[None]:
        """Hold the lock, and write to the file in one transaction: what makes thousands of
        creations quick.
        """
        with self.lock:
            outermost = self._open == 0 and self._file is not None
            self._open += 1
            try:
                if outermost and self._file is not None:
                    self._file.execute("begin")
                yield
            finally:
                self._open -= 1
                if outermost and self._file is not None:
                    # after an error too: memory keeps what was done before it
                    self._file.execute("commit")

    def get(
        self,
        resource_type: ResourceType,
        resource_id: str,
        *,
        response_parameters: ResponseParameters[Any] | None = None,
    ) -> Resource[Any]:
        """A copy of a resource; of a group without its members where the answer leaves them out."""
        with self.lock:
            stored = self._stored(resource_type, resource_id)
            if has_members(stored) and _leaves_members_out(response_parameters):
                stored = _with_members(stored, [])
            copy: Resource[Any] = clone(stored)
            return copy

    def search(
        self,
        resource_types: list[ResourceType],
        search_request: SearchRequest[Any],
        *,
        position: Any = None,
    ) -> SearchPage:
        """One page; of a plain list of one type without looking at the others, in the order of the
        ids, as the package has it.
        """
        plain = (
            search_request.filter is None
            and search_request.sort_by is None
            and search_request.cursor is None
        )
        if not plain or len(resource_types) != 1:
            return super().search(resource_types, search_request, position=position)
        with self.lock:
            name = resource_types[0].name
            held = self._resources.get(name, {})
            if name not in self._ids:
                self._ids[name] = sorted(held)
            start = search_request.start_index_0 or 0
            stop = None if search_request.count is None else start + search_request.count
            ids = self.order(self._ids[name]) if self.order is not None else self._ids[name]
            found = [held[key] for key in ids[start:stop]]
            if _leaves_members_out(search_request):
                found = [
                    _with_members(resource, []) if has_members(resource) else resource
                    for resource in found
                ]
            return SearchPage(len(held), clone(found))

    def create(self, resource_type: ResourceType, resource: Resource[Any]) -> Resource[Any]:
        """Store a new resource."""
        with self.operation():
            created: Resource[Any] = clone(resource)
            created.id = self.generate_id(resource_type, resource)
            now = self.clock()
            created.meta = Meta(
                resource_type=resource_type.name,
                created=now,
                last_modified=now,
                version=self.next_version(),
            )
            values = self._values_of(created)
            self._check_uniqueness(created, values)
            self._store(created, values)
            self._ids.pop(resource_type.name, None)
            self._write(created)
            copy: Resource[Any] = clone(created)
            return copy

    def update(
        self,
        resource_type: ResourceType,
        resource: Resource[Any],
        *,
        expected_version: str | None = None,
    ) -> Resource[Any]:
        """Replace a stored resource."""
        with self.operation():
            updated = super().update(resource_type, resource, expected_version=expected_version)
            self._write(updated)
            return updated

    def part(
        self, resource_type: ResourceType, resource_id: str, members: Iterable[str]
    ) -> Resource[Any]:
        """A copy of a group with only those of its members whose ids are given: enough for a change
        that names no others.
        """
        with self.lock:
            stored = self._stored(resource_type, resource_id)
            wanted = set(members)
            held = stored.__dict__.get("members") or []
            copy: Resource[Any] = clone(
                _with_members(stored, [member for member in held if member.value in wanted])
            )
            return copy

    def update_part(
        self,
        resource_type: ResourceType,
        part: Resource[Any],
        members: Iterable[str],
        *,
        expected_version: str | None = None,
    ) -> Resource[Any]:
        """Store what :meth:`part` gave, changed: the members that were not given stay as they are.
        The stored part comes back.
        """
        with self.operation():
            wanted = set(members)
            held = self._stored(resource_type, part.id).__dict__.get("members") or []
            updated = super().update(resource_type, part, expected_version=expected_version)
            kept = [member for member in held if member.value not in wanted]
            stored = self._stored(resource_type, part.id)
            whole = _with_members(stored, kept + (stored.__dict__.get("members") or []))
            self._store(whole, self._values_of(whole))
            self._write(updated, wanted)
            return updated

    def delete(
        self, resource_type: ResourceType, resource_id: str, *, expected_version: str | None = None
    ) -> None:
        """Delete a resource for good."""
        with self.operation():
            super().delete(resource_type, resource_id, expected_version=expected_version)
            self._ids.pop(resource_type.name, None)
            if self._file is not None:
                self._file.execute(
                    "delete from resource where type = ? and id = ?",
                    (resource_type.name, resource_id),
                )
                self._file.execute("delete from member where owner = ?", (resource_id,))

    def _write(self, resource: Resource[Any], members: set[str] | None = None) -> None:
        """Write a resource to the file: all of its members, or those alone that may have
        changed.
        """
        file, meta = self._file, resource.meta
        if file is None or meta is None:
            return
        held: list[Any] = resource.__dict__.get("members") or []
        body = (_with_members(resource, []) if held else resource).model_dump_json()
        file.execute(
            "insert or replace into resource values (?, ?, ?)",
            (meta.resource_type, resource.id, body),
        )
        if members is None:
            file.execute("delete from member where owner = ?", (resource.id,))
        else:
            file.executemany(
                "delete from member where owner = ? and value = ?",
                [(resource.id, value) for value in members],
            )
        file.executemany(
            "insert into member values (?, ?, ?)",
            [(resource.id, member.value, member.model_dump_json()) for member in held],
        )
