"""`keys` without asyncio. Made by `scripts/generate_sync.py`: do not edit."""

from __future__ import annotations

from collections.abc import Iterable

from roost._constants import Environment
from roost._portal import Portal
from roost.resources.keys import ApiKeyRecord, ApiKeyScope, CreatedKey, Keys, RotatedKey

__all__ = ["KeysSync"]


class KeysSync:
    """Keys with scopes of their own: `client.keys`. An API key is refused here."""

    def __init__(self, group: Keys, portal: Portal) -> None:
        self._group = group
        self._portal = portal

    def create(
        self,
        *,
        name: str,
        scopes: Iterable[ApiKeyScope],
        environment: Environment | None = None,
        ttl_days: int | None = None,
        idempotency_key: str | None = None,
    ) -> CreatedKey:
        """Make a key.

        For the rest, see `Keys.create`.
        """
        return self._portal.run(
            self._group.create(
                name=name,
                scopes=scopes,
                environment=environment,
                ttl_days=ttl_days,
                idempotency_key=idempotency_key,
            )
        )

    def list(self) -> list[ApiKeyRecord]:
        """Return all keys of the account, revoked ones included.

        For the rest, see `Keys.list`.
        """
        return self._portal.run(self._group.list())

    def rotate(self, key_id: str, *, ttl_days: int | None = 90) -> RotatedKey:
        """Make a key in the place of another, which stays valid for 24 hours.

        For the rest, see `Keys.rotate`.
        """
        return self._portal.run(self._group.rotate(key_id, ttl_days=ttl_days))

    def revoke(self, key_id: str) -> None:
        """Make a key useless, at once and for good.

        For the rest, see `Keys.revoke`.
        """
        return self._portal.run(self._group.revoke(key_id))
