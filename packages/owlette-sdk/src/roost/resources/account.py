"""Who the key belongs to, which API answers, and keys like the one in use."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypedDict

from roost._constants import Environment
from roost._model import Model
from roost._paths import api_path
from roost.client import RoostClient
from roost.resources._resource import Resource, given
from roost.resources.keys import ApiKeyRecord, ApiKeyScope

__all__ = [
    "Account",
    "AccountApiKeys",
    "AccountKeyContext",
    "AccountQuota",
    "ApiVersionResponse",
    "CreatedAccountKey",
    "WhoamiResponse",
]


@dataclass(slots=True)
class AccountKeyContext(Model):
    """The key that is in use. Times are milliseconds since 1970."""

    key_id: str
    name: str | None = None
    key_prefix: str | None = None
    scopes: list[ApiKeyScope] | None = None
    environment: Environment | str | None = None
    expires_at: int | None = None
    last_used_at: int | None = None
    is_legacy: bool = False


@dataclass(slots=True)
class AccountQuota(Model):
    """How much of the storage of the primary site is used, in bytes."""

    site_id: str
    tier: str | None = None
    used_bytes: int = 0
    pending_bytes: int = 0
    limit_bytes: int | None = None


@dataclass(slots=True)
class WhoamiResponse(Model):
    """Who the caller is.

    Attributes:
        primary_site_id: the first site that the key is for, or else the user's first.
        rate_limit: what the server says of limits; the real ones differ, see the headers.
    """

    user_id: str
    email: str | None = None
    role: str | None = None
    primary_site_id: str | None = None
    key: AccountKeyContext | None = None
    rate_limit: dict[str, Any] | None = None
    quota: AccountQuota | None = None


@dataclass(slots=True)
class ApiVersionResponse(Model):
    """The dates of the API that the server knows."""

    current: str
    supported: list[str] = field(default_factory=list[str])
    deprecated: list[str] = field(default_factory=list[str])
    retired: list[str] = field(default_factory=list[str])


class CreatedAccountKey(TypedDict):
    """A key that was just made: `key` is shown this once. Times are milliseconds since 1970."""

    success: bool
    key: str
    keyId: str
    name: str
    environment: str
    scopes: list[dict[str, Any]]
    expiresAt: int
    keyPrefix: str


class AccountApiKeys(Resource):
    """Keys with the scopes of the one in use: `client.account.api_keys`."""

    async def list(self) -> list[ApiKeyRecord]:
        """Return all keys of the account."""
        answer = await self._ask(api_path("account", "api-keys"))
        return ApiKeyRecord.list_of(answer.data, "keys", "items")

    async def create(self, *, name: str | None = None) -> CreatedAccountKey:
        """Make a key, which has the scopes of the one in use, for 90 days.

        Args:
            name: what it is called.
        """
        answer = await self._ask(
            api_path("account", "api-keys"), method="POST", body=given(name=name), repeatable=False
        )
        created: CreatedAccountKey = answer.data
        return created

    async def revoke(self, key_id: str) -> None:
        """Make a key useless, at once and for good."""
        await self._http.request(api_path("account", "api-keys", key_id), method="DELETE")


class Account(Resource):
    """The caller and the API: `client.account`.

    Attributes:
        api_keys: keys with the scopes of the one in use.
    """

    __slots__ = ("api_keys",)

    def __init__(self, http: RoostClient) -> None:
        super().__init__(http)
        self.api_keys: AccountApiKeys = AccountApiKeys(http)

    async def whoami(self) -> WhoamiResponse:
        """Return who the key belongs to, and what it may do."""
        return WhoamiResponse.from_json((await self._ask(api_path("whoami"))).data)

    async def version(self) -> ApiVersionResponse:
        """Return the dates of the API that the server knows. It needs no valid key."""
        return ApiVersionResponse.from_json((await self._ask(api_path("version"))).data)
