"""`account` without asyncio. Made by `scripts/generate_sync.py`: do not edit."""

from __future__ import annotations

from roost._portal import Portal
from roost.resources.account import (
    Account,
    AccountApiKeys,
    ApiVersionResponse,
    CreatedAccountKey,
    WhoamiResponse,
)
from roost.resources.keys import ApiKeyRecord

__all__ = ["AccountApiKeysSync", "AccountSync"]


class AccountApiKeysSync:
    """Keys with the scopes of the one in use: `client.account.api_keys`."""

    def __init__(self, group: AccountApiKeys, portal: Portal) -> None:
        self._group = group
        self._portal = portal

    def list(self) -> list[ApiKeyRecord]:
        """Return all keys of the account.

        For the rest, see `AccountApiKeys.list`.
        """
        return self._portal.run(self._group.list())

    def create(self, *, name: str | None = None) -> CreatedAccountKey:
        """Make a key, which has the scopes of the one in use, for 90 days.

        For the rest, see `AccountApiKeys.create`.
        """
        return self._portal.run(self._group.create(name=name))

    def revoke(self, key_id: str) -> None:
        """Make a key useless, at once and for good.

        For the rest, see `AccountApiKeys.revoke`.
        """
        return self._portal.run(self._group.revoke(key_id))


class AccountSync:
    """The caller and the API: `client.account`."""

    def __init__(self, group: Account, portal: Portal) -> None:
        self._group = group
        self._portal = portal
        self.api_keys: AccountApiKeysSync = AccountApiKeysSync(group.api_keys, portal)

    def whoami(self) -> WhoamiResponse:
        """Return who the key belongs to, and what it may do.

        For the rest, see `Account.whoami`.
        """
        return self._portal.run(self._group.whoami())

    def version(self) -> ApiVersionResponse:
        """Return the dates of the API that the server knows. It needs no valid key.

        For the rest, see `Account.version`.
        """
        return self._portal.run(self._group.version())
