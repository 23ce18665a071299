"""What the agents on machines authenticate with: `client.agent_tokens(site_id)`."""

from __future__ import annotations

import builtins
from dataclasses import dataclass
from typing import TypedDict

from roost._model import Model
from roost._paths import api_path
from roost.client import RoostClient
from roost.resources._resource import Resource, given

__all__ = ["AgentToken", "AgentTokens", "RevokedTokens"]


@dataclass(slots=True)
class AgentToken(Model):
    """A token of an agent, without itself. Times are ISO 8601, in UTC."""

    id: str
    machine_id: str | None = None
    version: str | None = None
    created_by: str | None = None
    created_at: str | None = None
    last_used: str | None = None
    expires_at: str | None = None
    agent_uid: str | None = None


class RevokedTokens(TypedDict):
    """How many tokens are useless now."""

    success: bool
    revokedCount: int
    message: str


class AgentTokens(Resource):
    """Agent tokens of one site. Only superadmins may use it."""

    __slots__ = ("_site_id",)

    def __init__(self, http: RoostClient, site_id: str) -> None:
        super().__init__(http)
        self._site_id = site_id

    async def list(self) -> builtins.list[AgentToken]:
        """Return all tokens."""
        answer = await self._ask(api_path("sites", self._site_id, "agent-tokens"))
        return AgentToken.list_of(answer.data, "tokens", "items")

    async def revoke(
        self,
        *,
        token_id: str | None = None,
        machine_id: str | None = None,
        everything: bool = False,
        idempotency_key: str | None = None,
    ) -> RevokedTokens:
        """Make tokens useless: one, those of a machine, or all of the site.

        Raises:
            ValueError: not exactly one of the three is given.
        """
        body = given(tokenId=token_id, machineId=machine_id, all=everything or None)
        if len(body) != 1:
            msg = "give one of token_id, machine_id and everything=True"
            raise ValueError(msg)
        answer = await self._ask(
            api_path("sites", self._site_id, "agent-tokens", "revoke"),
            method="POST",
            body=body,
            idempotency_key=idempotency_key,
        )
        revoked: RevokedTokens = answer.data
        return revoked
