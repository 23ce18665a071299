"""`members` without asyncio. Made by `scripts/generate_sync.py`: do not edit."""

from __future__ import annotations

import builtins

from roost._portal import Portal
from roost.resources.members import AddedMember, AddRole, Member, Members, RemovedMember

__all__ = ["MembersSync"]


class MembersSync:
    """Members of one site."""

    def __init__(self, group: Members, portal: Portal) -> None:
        self._group = group
        self._portal = portal

    def list(self) -> builtins.list[Member]:
        """Return all members.

        For the rest, see `Members.list`.
        """
        return self._portal.run(self._group.list())

    def add(
        self, uid: str, *, role: AddRole = "member", idempotency_key: str | None = None
    ) -> AddedMember:
        """Let a user see the site.

        For the rest, see `Members.add`.
        """
        return self._portal.run(self._group.add(uid, role=role, idempotency_key=idempotency_key))

    def remove(self, uid: str, *, idempotency_key: str | None = None) -> RemovedMember:
        """Let a user not see the site any more.

        For the rest, see `Members.remove`.
        """
        return self._portal.run(self._group.remove(uid, idempotency_key=idempotency_key))
