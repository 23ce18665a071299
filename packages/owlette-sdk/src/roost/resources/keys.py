"""API keys with scopes of their own: for callers with a session or an ID token, not with a key."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, TypedDict, cast

from roost._constants import Environment
from roost._model import Model
from roost._paths import api_path
from roost.resources._resource import Resource, given

__all__ = ["ApiKeyRecord", "ApiKeyScope", "CreatedKey", "Keys", "RotatedKey"]


@dataclass(slots=True)
class ApiKeyScope(Model):
    """What a key may do with what.

    Attributes:
        resource: `roost`, `site`, `machine`, `chat`, `deploy`, `process`, `user` or `installer`.
        id: the id of one, or `*`.
        permissions: `read`, `write`, `deploy`, `rollback`, `admin`. None of them implies another. A
            push needs `write` on the site and on the roost.
    """

    resource: str
    id: str
    permissions: list[str] = field(default_factory=list[str])


@dataclass(slots=True)
class ApiKeyRecord(Model):
    """A key, without itself. Times are milliseconds since 1970."""

    id: str = field(metadata={"keys": ("id", "keyId")})
    name: str | None = None
    key_prefix: str | None = None
    environment: Environment | str | None = None
    scopes: list[ApiKeyScope] | None = None
    expires_at: int | None = None
    created_at: int | None = None
    last_used_at: int | None = None
    last_used_ip: str | None = None
    rotated_at: int | None = None
    rotated_from_key_id: str | None = None
    retires_at: int | None = None
    revoked_at: int | None = None
    expired: bool | None = None
    retired: bool | None = None


class CreatedKey(TypedDict):
    """A key that was just made: `key` is shown this once. Times are milliseconds since 1970.

    `id` and `keyId` are the same: the server sends the latter, its documents read the former.
    """

    success: bool
    id: str
    key: str
    keyId: str
    name: str
    environment: str
    scopes: list[dict[str, Any]]
    expiresAt: int
    keyPrefix: str


class RotatedKey(CreatedKey):
    """A key that takes the place of another, and until when that one is valid."""

    rotatedFromKeyId: str
    previousKey: dict[str, Any]


class Keys(Resource):
    """Keys with scopes of their own: `client.keys`. An API key is refused here."""

    async def create(
        self,
        *,
        name: str,
        scopes: Iterable[ApiKeyScope],
        environment: Environment | None = None,
        ttl_days: int | None = None,
        idempotency_key: str | None = None,
    ) -> CreatedKey:
        """Make a key.

        Args:
            name: what it is called, up to 100 characters.
            scopes: what it may do, up to 50.
            environment: what it is for.
            ttl_days: days until it expires, up to 365; 90 by default.
            idempotency_key: sent as it is; the server does not heed it here.
        """
        body = given(
            name=name,
            scopes=[_scope(each) for each in scopes],
            environment=environment,
            ttlDays=ttl_days,
        )
        answer = await self._ask(
            api_path("keys"),
            method="POST",
            body=body,
            idempotency_key=idempotency_key,
            repeatable=False,
        )
        return _with_id(answer.data)

    async def list(self) -> list[ApiKeyRecord]:
        """Return all keys of the account, revoked ones included."""
        answer = await self._ask(api_path("keys"))
        return ApiKeyRecord.list_of(answer.data, "keys", "items")

    async def rotate(self, key_id: str, *, ttl_days: int | None = 90) -> RotatedKey:
        """Make a key in the place of another, which stays valid for 24 hours.

        Args:
            key_id: the key to replace.
            ttl_days: days until the new one expires.

        Raises:
            ConflictError: it was revoked or rotated before.
        """
        answer = await self._ask(
            api_path("keys", key_id, "rotate"),
            method="POST",
            body=given(ttlDays=ttl_days),
            repeatable=False,
        )
        return cast(RotatedKey, _with_id(answer.data))

    async def revoke(self, key_id: str) -> None:
        """Make a key useless, at once and for good."""
        await self._http.request(api_path("keys", key_id), method="DELETE")


def _scope(scope: ApiKeyScope) -> dict[str, Any]:
    return {
        "resource": scope.resource,
        "id": scope.id,
        "permissions": [*scope.permissions],
    }


def _with_id(created: Any) -> CreatedKey:
    made = cast(CreatedKey, dict(created))
    if "keyId" in made:
        made.setdefault("id", made["keyId"])
    return made
