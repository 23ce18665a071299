"""`users` without asyncio. Made by `scripts/generate_sync.py`: do not edit."""

from __future__ import annotations

from collections.abc import Sequence

from roost._portal import Portal
from roost.resources.users import (
    AssignedSites,
    DeletedUser,
    PlatformUser,
    PromoteRole,
    RemovedSites,
    RoleChange,
    UserPage,
    Users,
)

__all__ = ["UsersSync"]


class UsersSync:
    """Users of the platform."""

    def __init__(self, group: Users, portal: Portal) -> None:
        self._group = group
        self._portal = portal

    def list(
        self,
        *,
        role: str | None = None,
        site: str | None = None,
        include_deleted: bool = False,
        page_size: int | None = None,
        page_token: str | None = None,
    ) -> UserPage:
        """Return some users.

        For the rest, see `Users.list`.
        """
        return self._portal.run(
            self._group.list(
                role=role,
                site=site,
                include_deleted=include_deleted,
                page_size=page_size,
                page_token=page_token,
            )
        )

    def get(self, uid: str) -> PlatformUser:
        """Return one user.

        For the rest, see `Users.get`.
        """
        return self._portal.run(self._group.get(uid))

    def promote(
        self, uid: str, role: PromoteRole, *, idempotency_key: str | None = None
    ) -> RoleChange:
        """Make a user an admin, or more.

        For the rest, see `Users.promote`.
        """
        return self._portal.run(self._group.promote(uid, role, idempotency_key=idempotency_key))

    def demote(self, uid: str, *, idempotency_key: str | None = None) -> RoleChange:
        """Make a user a member.

        For the rest, see `Users.demote`.
        """
        return self._portal.run(self._group.demote(uid, idempotency_key=idempotency_key))

    def assign_sites(
        self, uid: str, site_ids: Sequence[str], *, idempotency_key: str | None = None
    ) -> AssignedSites:
        """Let a user see sites.

        For the rest, see `Users.assign_sites`.
        """
        return self._portal.run(
            self._group.assign_sites(uid, site_ids, idempotency_key=idempotency_key)
        )

    def remove_sites(
        self, uid: str, site_ids: Sequence[str], *, idempotency_key: str | None = None
    ) -> RemovedSites:
        """Let a user not see sites any more.

        For the rest, see `Users.remove_sites`.
        """
        return self._portal.run(
            self._group.remove_sites(uid, site_ids, idempotency_key=idempotency_key)
        )

    def delete(
        self, uid: str, *, successor_uid: str | None = None, idempotency_key: str | None = None
    ) -> DeletedUser:
        """Delete a user; somebody else gets their sites.

        For the rest, see `Users.delete`.
        """
        return self._portal.run(
            self._group.delete(uid, successor_uid=successor_uid, idempotency_key=idempotency_key)
        )
