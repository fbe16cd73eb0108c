"""What the service keeps: users, groups, members and managers, and an administrator's own hand."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

from scim2_models import (
    InvalidValueException,
    NotFoundException,
    Resource,
    ResourceType,
    UniquenessException,
)
from scim2_models import Path as ScimPath
from scim2_server.utils import parametrize

from hris_pipeline.sandbox.deskbird.provider import provider
from hris_pipeline.sandbox.deskbird.storage import SqliteStorage, clone, has_members

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


class Deskbird(SqliteStorage):
    """What one deskbird company holds, and an administrator's hands on it.

    ``path`` is a SQLite file, or None for memory only. The methods that an administrator has
    (``add_...``, ``seed``, ``edit``, ``remove``) may be called from any thread while it is being
    served, and are neither logged as requests nor limited in rate.
    """

    def __init__(self, path: Path | str | None = None) -> None:
        super().__init__(path, provider())

    # -- rules ----------------------------------------------------------

    def create(self, resource_type: ResourceType, resource: Resource[Any]) -> Resource[Any]:
        """Store a new user or group; one without ``active`` is active."""
        with self.lock:
            return super().create(resource_type, self._admitted(resource))

    def update(
        self,
        resource_type: ResourceType,
        resource: Resource[Any],
        *,
        expected_version: str | None = None,
    ) -> Resource[Any]:
        """Replace a user or group."""
        with self.lock:
            return super().update(
                resource_type, self._admitted(resource), expected_version=expected_version
            )

    def update_part(
        self,
        resource_type: ResourceType,
        part: Resource[Any],
        members: Iterable[str],
        *,
        expected_version: str | None = None,
    ) -> Resource[Any]:
        """Change a group and those of its members that are given."""
        with self.lock:
            return super().update_part(
                resource_type, self._admitted(part), members, expected_version=expected_version
            )

    @staticmethod
    def _member_ids(resource: Resource[Any]) -> set[str]:
        return {member.value for member in resource.__dict__.get("members") or ()}

    def _admitted(self, resource: Resource[Any]) -> Resource[Any]:
        """A copy in deskbird's own form: references point at users it has, nobody is a member
        twice.
        """
        copy = clone(resource)
        users = self._resources.get("User", {})
        if has_members(copy):
            members = list(dict.fromkeys(member.value for member in copy.members or ()))
            if not all(value in users for value in members):
                raise InvalidValueException(
                    detail="members: each must be a user of this company; groups cannot be members"
                )
            copy.members = [
                {"value": value, "$ref": f"Users/{value}", "type": "User"} for value in members
            ] or None
        else:
            if copy.active is None:
                copy.active = True
            manager = manager_of(copy)
            if manager is not None:
                if manager.value not in users:
                    raise InvalidValueException(detail="manager: must be a user of this company")
                manager.ref = f"Users/{manager.value}"
        return cast("Resource[Any]", copy)

    def _check_uniqueness(self, resource: Resource[Any], values: dict[str, Any]) -> None:
        try:
            super()._check_uniqueness(resource, values)
        except UniquenessException:
            # services quote the value, so a client that prints this text prints an address: ours
            # must not
            raise UniquenessException(
                detail=f"already taken: {', '.join(map(str, values.values()))}"
            ) from None

    def delete(
        self, resource_type: ResourceType, resource_id: str, *, expected_version: str | None = None
    ) -> None:
        """Delete for good; a user leaves its groups and is nobody's manager any more."""
        with self.operation():
            super().delete(resource_type, resource_id, expected_version=expected_version)
            for resource in self.resources:
                if has_members(resource):
                    if resource_id in self._member_ids(resource):
                        part: Any = self.part(
                            self._kind(str(resource.id)), str(resource.id), [resource_id]
                        )
                        part.members = None
                        self.update_part(self._kind(part.id), part, [resource_id])
                elif (manager := manager_of(resource)) is not None and manager.value == resource_id:
                    self.edit(str(resource.id), {f"{ENTERPRISE}:manager": None})

    # -- an administrator's hands ---------------------------------------

    def add_user(
        self,
        email: str,
        given_name: str,
        family_name: str,
        *,
        active: bool = True,
        hris_ref: str | None = None,
        manager_id: str | None = None,
    ) -> str:
        """Make a user by hand (no ``hris_ref``: not ours; another system's mark: a foreign one);
        its id.
        """
        name = f"{given_name} {family_name}"
        user = {
            "userName": email,
            "externalId": hris_ref,
            "active": active,
            "displayName": name,
            "name": {"givenName": given_name, "familyName": family_name, "formatted": name},
            "emails": [{"value": email, "type": "work", "primary": True}],
        }
        return self._add(
            "User",
            user | ({ENTERPRISE: {"manager": {"value": manager_id}}} if manager_id else {}),
        )

    def add_group(
        self, name: str, *, members: Iterable[str] = (), hris_ref: str | None = None
    ) -> str:
        """Make a group by hand with the users of these ids; its id."""
        return self._add(
            "Group",
            {
                "displayName": name,
                "externalId": hris_ref,
                "members": [{"value": key} for key in members],
            },
        )

    def _add(self, name: str, body: Mapping[str, Any]) -> str:
        kind = next(kind for kind in self.provider.resource_types if kind.name == name)
        model = cast("type[Resource[Any]]", self.provider.model_for(kind))
        return str(self.create(kind, model.model_validate(body)).id)

    def seed(
        self, users: Iterable[Mapping[str, Any]], groups: Iterable[Mapping[str, Any]] = ()
    ) -> dict[str, str]:
        """Make many at once; the id of every user by e-mail.

        Users hold the arguments of :meth:`add_user`, ``manager_email`` (of somebody before them, or
        here already) in the place of ``manager_id``; groups those of :meth:`add_group`, with
        e-mails as ``members``.
        """
        with self.operation():
            ids = {str(user["userName"]): str(user["id"]) for user in self.users()}
            for user in users:
                row = dict(user)
                manager = row.pop("manager_email", None)
                ids[row["email"]] = self.add_user(
                    **row, manager_id=ids[manager] if manager else None
                )
            for group in groups:
                self.add_group(
                    **{**group, "members": [ids[email] for email in group.get("members", ())]}
                )
            return ids

    def edit(self, resource_id: str, changes: Mapping[str, Any]) -> None:
        """Change a user or group by hand: SCIM paths and their new values, None to clear one."""
        with self.operation():
            kind = self._kind(resource_id)
            resource = self.get(kind, resource_id)
            for path, value in changes.items():
                parametrize(ScimPath, type(resource))(path).set(resource, value)
            self.update(kind, resource)

    def remove(self, resource_id: str) -> None:
        """Delete a user or group for good."""
        self.delete(self._kind(resource_id), resource_id)

    def _kind(self, resource_id: str) -> ResourceType:
        for kind in self.provider.resource_types:
            if resource_id in self._resources.get(kind.name, {}):
                return kind
        raise NotFoundException(detail="no such user or group")

    def users(self) -> list[dict[str, Any]]:
        """All users as SCIM has them, unreadable attributes included, by ``userName``."""
        return self._held("User", "userName")

    def groups(self) -> list[dict[str, Any]]:
        """All groups as SCIM has them, unreadable attributes included, by ``displayName``."""
        return self._held("Group", "displayName")

    def _held(self, name: str, order: str) -> list[dict[str, Any]]:
        with self.lock:
            held = self._resources.get(name, {}).values()
            found: list[dict[str, Any]] = [
                json.loads(resource.model_dump_json()) for resource in held
            ]
        return sorted(found, key=lambda resource: str(resource[order]))

    def user(self, email: str) -> dict[str, Any]:
        """The user of this ``userName``, case aside; KeyError where there is none."""
        return {str(user["userName"]).lower(): user for user in self.users()}[email.lower()]

    def group(self, name: str) -> dict[str, Any]:
        """The group of this name, case aside; KeyError where there is none."""
        return {str(group["displayName"]).lower(): group for group in self.groups()}[name.lower()]

    def held(self, name: str) -> Mapping[str, Resource[Any]]:
        """Users or groups (``User``, ``Group``) by id, as they are stored: not to be changed."""
        return self._resources.get(name, {})

    def first(self, name: str) -> str | None:
        """The id of what a list of users or groups (``User``, ``Group``) begins with."""
        with self.lock:
            return min(self._resources.get(name, {}), default=None)


def manager_of(user: Any) -> Any:
    """The manager of a user, None where there is none."""
    extension = user[ENTERPRISE]
    return extension.manager if extension is not None else None
