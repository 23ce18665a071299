"""`agent_tokens` without asyncio. Made by `scripts/generate_sync.py`: do not edit."""

from __future__ import annotations

import builtins

from roost._portal import Portal
from roost.resources.agent_tokens import AgentToken, AgentTokens, RevokedTokens

__all__ = ["AgentTokensSync"]


class AgentTokensSync:
    """Agent tokens of one site. Only superadmins may use it."""

    def __init__(self, group: AgentTokens, portal: Portal) -> None:
        self._group = group
        self._portal = portal

    def list(self) -> builtins.list[AgentToken]:
        """Return all tokens.

        For the rest, see `AgentTokens.list`.
        """
        return self._portal.run(self._group.list())

    def revoke(
        self,
        *,
        token_id: str | None = None,
        machine_id: str | None = None,
        everything: bool = False,
        idempotency_key: str | None = None,
    ) -> RevokedTokens:
        """Make tokens useless: one, those of a machine, or all of the site.

        For the rest, see `AgentTokens.revoke`.
        """
        return self._portal.run(
            self._group.revoke(
                token_id=token_id,
                machine_id=machine_id,
                everything=everything,
                idempotency_key=idempotency_key,
            )
        )
