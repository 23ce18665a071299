"""Members of a site: `client.members(site_id)`."""

from __future__ import annotations

import builtins
from dataclasses import dataclass, field
from typing import Literal, TypedDict

from roost._model import Model
from roost._paths import api_path
from roost.client import RoostClient
from roost.resources._resource import Resource

__all__ = ["AddRole", "AddedMember", "Member", "Members", "PerSiteRole", "RemovedMember"]

#: What somebody can be added as.
AddRole = Literal["member", "admin"]
#: What somebody can be on a site.
PerSiteRole = Literal["owner", "admin", "member"]


@dataclass(slots=True)
class Member(Model):
    """Somebody who may see a site.

    Attributes:
        role: what they are on this site; `member` if the server says something that is not known.
        global_role: what they are on the platform.
        sites: all sites that they may see.
    """

    uid: str
    email: str | None = None
    role: PerSiteRole = "member"
    display_name: str | None = None
    global_role: str | None = None
    sites: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        if self.role not in ("owner", "admin", "member"):
            self.role = "member"


class AddedMember(TypedDict):
    """Somebody who was added: `roleHonored` tells whether with the role that was asked for."""

    uid: str
    siteId: str
    requestedRole: str
    roleHonored: bool
    globalRole: str


class RemovedMember(TypedDict):
    """Somebody who is not a member any more, or never was."""

    siteId: str
    uid: str
    wasMember: bool


class Members(Resource):
    """Members of one site."""

    __slots__ = ("_site_id",)

    def __init__(self, http: RoostClient, site_id: str) -> None:
        super().__init__(http)
        self._site_id = site_id

    async def list(self) -> builtins.list[Member]:
        """Return all members."""
        answer = await self._ask(api_path("sites", self._site_id, "members"))
        return Member.list_of(answer.data, "members", "items")

    async def add(
        self, uid: str, *, role: AddRole = "member", idempotency_key: str | None = None
    ) -> AddedMember:
        """Let a user see the site."""
        answer = await self._ask(
            api_path("sites", self._site_id, "members"),
            method="POST",
            body={"uid": uid, "role": role},
            idempotency_key=idempotency_key,
        )
        added: AddedMember = answer.data
        return added

    async def remove(self, uid: str, *, idempotency_key: str | None = None) -> RemovedMember:
        """Let a user not see the site any more.

        Raises:
            ConflictError: it is theirs (`cannot_remove_owner`).
        """
        answer = await self._ask(
            api_path("sites", self._site_id, "members", uid),
            method="DELETE",
            idempotency_key=idempotency_key,
            key_prefix="py-sdk-members-remove-",
        )
        removed: RemovedMember = answer.data
        return removed
