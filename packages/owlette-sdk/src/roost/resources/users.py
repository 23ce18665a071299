"""Users of the platform: `client.users`. Only superadmins may use it."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypedDict

from roost._model import Model
from roost._paging import next_token, page_query
from roost._paths import api_path
from roost.resources._resource import Resource

__all__ = [
    "AssignedSites",
    "DeletedUser",
    "PlatformUser",
    "PromoteRole",
    "RemovedSites",
    "RoleChange",
    "UserPage",
    "Users",
]

#: What a user can be promoted to.
PromoteRole = Literal["admin", "superadmin"] | str


@dataclass(slots=True)
class PlatformUser(Model):
    """A user. `created_at` is ISO 8601, `deleted_at` is milliseconds since 1970."""

    uid: str
    email: str | None = None
    role: str | None = None
    sites: list[str] = field(default_factory=list[str])
    display_name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    created_at: str | None = None
    deleted_at: int | None = None


class UserPage(TypedDict):
    """Some users, and the token of those that follow; None at the end."""

    users: list[PlatformUser]
    next_page_token: str | None


class RoleChange(TypedDict):
    """What a user is now, and was before."""

    uid: str
    role: str
    previousRole: str
    changed: bool


class AssignedSites(TypedDict):
    """The sites that a user may see in addition."""

    uid: str
    assignedSiteIds: list[str]


class RemovedSites(TypedDict):
    """The sites that a user may not see any more."""

    uid: str
    removedSiteIds: list[str]
    cancelledCommandCount: int


class DeletedUser(TypedDict):
    """A user who was deleted, and what became of theirs."""

    uid: str
    alreadyDeleted: bool
    deletedAt: int
    transferredSites: list[str]
    revokedKeyIds: list[str]
    authDisabled: bool


class Users(Resource):
    """Users of the platform."""

    async def list(
        self,
        *,
        role: str | None = None,
        site: str | None = None,
        include_deleted: bool = False,
        page_size: int | None = None,
        page_token: str | None = None,
    ) -> UserPage:
        """Return some users.

        Args:
            role: only those who are this.
            site: only those who may see this site.
            include_deleted: whether to return deleted ones, too.
            page_size: rows of a page, up to 100; 20 by default.
            page_token: where to begin: `next_page_token` of the page before.
        """
        answer = await self._ask(
            api_path("users"),
            query={
                "role": role,
                "site": site,
                "includeDeleted": True if include_deleted else None,
                **page_query(page_size, page_token, None),
            },
        )
        rows = PlatformUser.list_of(answer.data, "users", "items")
        return {"users": rows, "next_page_token": next_token(answer.data)}

    async def get(self, uid: str) -> PlatformUser:
        """Return one user.

        Raises:
            NotFoundError: there is none.
        """
        return PlatformUser.from_json((await self._ask(api_path("users", uid))).data)

    async def promote(
        self, uid: str, role: PromoteRole, *, idempotency_key: str | None = None
    ) -> RoleChange:
        """Make a user an admin, or more."""
        answer = await self._ask(
            api_path("users", uid, "promote"),
            method="POST",
            body={"role": role},
            idempotency_key=idempotency_key,
        )
        change: RoleChange = answer.data
        return change

    async def demote(self, uid: str, *, idempotency_key: str | None = None) -> RoleChange:
        """Make a user a member.

        Raises:
            ConflictError: there would be no superadmin left (`last_superadmin`).
        """
        answer = await self._ask(
            api_path("users", uid, "demote"),
            method="POST",
            body={},
            idempotency_key=idempotency_key,
        )
        change: RoleChange = answer.data
        return change

    async def assign_sites(
        self, uid: str, site_ids: Sequence[str], *, idempotency_key: str | None = None
    ) -> AssignedSites:
        """Let a user see sites.

        Raises:
            ValueError: there are none.
            InvalidRequestError: one is not there (`unknown_site`).
        """
        answer = await self._ask(
            api_path("users", uid, "assign-sites"),
            method="POST",
            body={"siteIds": _sites(site_ids)},
            idempotency_key=idempotency_key,
        )
        assigned: AssignedSites = answer.data
        return assigned

    async def remove_sites(
        self, uid: str, site_ids: Sequence[str], *, idempotency_key: str | None = None
    ) -> RemovedSites:
        """Let a user not see sites any more.

        Raises:
            ValueError: there are none.
        """
        answer = await self._ask(
            api_path("users", uid, "remove-sites"),
            method="POST",
            body={"siteIds": _sites(site_ids)},
            idempotency_key=idempotency_key,
        )
        removed: RemovedSites = answer.data
        return removed

    async def delete(
        self, uid: str, *, successor_uid: str | None = None, idempotency_key: str | None = None
    ) -> DeletedUser:
        """Delete a user; somebody else gets their sites.

        Args:
            uid: the user.
            successor_uid: who gets their sites.
            idempotency_key: sent as it is; the server does not heed it here.

        Raises:
            ConflictError: sites would belong to nobody (`orphan_sites`).
            InvalidRequestError: the successor cannot have them (`successor_invalid`).
        """
        answer = await self._ask(
            api_path("users", uid),
            method="DELETE",
            query={"successorUid": successor_uid},
            idempotency_key=idempotency_key,
            key_prefix="py-sdk-users-delete-",
        )
        deleted: DeletedUser = answer.data
        return deleted


def _sites(site_ids: Sequence[str]) -> builtins.list[str]:
    if isinstance(site_ids, str):
        msg = f"sites are given as a list of ids, not as one text: {site_ids!r}"
        raise TypeError(msg)
    if not site_ids:
        msg = "site_ids must not be empty"
        raise ValueError(msg)
    return [*site_ids]
