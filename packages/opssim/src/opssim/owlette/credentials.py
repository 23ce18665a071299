"""Who asks: API keys with their scopes, and the users that they act for."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from opssim.core.store import JsonObject
from opssim.owlette.database import Database
from opssim.owlette.grammar import new_id
from opssim.owlette.problems import Problem

KEYS: Final = "keys"
USERS: Final = "users"
_PREFIX_LENGTH: Final = 15
#: How often the use of a key is written down.
_NOTED_MS: Final = 60_000

PERMISSIONS: Final = ("read", "write", "deploy", "rollback", "admin")
RESOURCES: Final = ("roost", "site", "machine", "chat", "deploy", "process", "user", "installer")
#: Scopes for everything that there is.
EVERYTHING: Final[Sequence[JsonObject]] = tuple(
    {"resource": resource, "id": "*", "permissions": list(PERMISSIONS)} for resource in RESOURCES
)

_SUPERADMIN_ONLY: Final = frozenset(
    {"USER_ROLE_MANAGE", "USER_DELETE", "GLOBAL_SETTINGS_WRITE", "INSTALLER_MANAGE"}
)
_MEMBERS: Final = frozenset({"MACHINE_VIEW"})


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks.

    Attributes:
        user: the user's document.
        key: the API key's document; without its scopes it is one from before there were any.
        kept_as: where the key is kept.
    """

    user: JsonObject
    key: JsonObject
    kept_as: str = ""

    @property
    def uid(self) -> str:
        """The user's id."""
        return str(self.user["uid"])

    @property
    def is_superadmin(self) -> bool:
        """Whether the user may do anything."""
        return bool(self.user["role"] == "superadmin")

    def may_enter(self, site: JsonObject) -> bool:
        """Tell whether the user belongs to a site."""
        mine = site["owner"] == self.uid or site["id"] in self.user["sites"]
        return mine or self.is_superadmin

    def is_capable(self, capability: str, site: JsonObject | None) -> bool:
        """Tell whether the user's role, or owning the site, is enough for something."""
        role = self.user["role"]
        if role == "superadmin" or (site is not None and site["owner"] == self.uid):
            return True
        if role == "admin":
            return capability not in _SUPERADMIN_ONLY
        return capability in _MEMBERS

    def has_scope(self, resource: str, target: str, permission: str) -> bool:
        """Tell whether the key's scopes cover something. No permission implies another."""
        scopes: Sequence[Mapping[str, Any]] | None = self.key.get("scopes")
        if scopes is None:
            return True
        return any(
            scope["resource"] == resource
            and scope["id"] in {"*", target}
            and permission in scope["permissions"]
            for scope in scopes
        )


@dataclass(slots=True)
class NewKey:
    """A key that was just made, the only time that its text is known."""

    text: str = field(repr=False)
    document: JsonObject


def make_key(  # noqa: PLR0913 - all that a key has
    database: Database,
    uid: str,
    *,
    name: str,
    scopes: Sequence[JsonObject] | None,
    now: datetime,
    days: int = 90,
    environment: str = "live",
    text: str | None = None,
    rotated_from: str | None = None,
) -> NewKey:
    """Make an API key of a user."""
    text = text or f"owk_{environment}_{secrets.token_urlsafe(32)}"
    document: JsonObject = {
        "id": new_id("key_"),
        "uid": uid,
        "name": name,
        "keyPrefix": text[:_PREFIX_LENGTH],
        "environment": environment,
        "scopes": None if scopes is None else list(scopes),
        "createdAt": millis(now),
        "expiresAt": millis(now + timedelta(days=days)),
        "lastUsedAt": None,
        "rotatedAt": None,
        "rotatedFromKeyId": rotated_from,
        "retiresAt": None,
        "revokedAt": None,
    }
    database.put(KEYS, hash_of(text), document)
    return NewKey(text, document)


def caller_of(database: Database, text: str, now: datetime) -> Caller:
    """Return who a key belongs to.

    Raises:
        Problem: 401 or 403.
    """
    if not text:
        raise Problem(401, "unauthorized", "no credential: send Authorization: Bearer owk_...")
    key = database.get(KEYS, hash_of(text))
    moment = millis(now)
    if key is None or key["revokedAt"] is not None:
        raise Problem(401, "unauthorized", "the API key is unknown or revoked")
    if key["retiresAt"] is not None and key["retiresAt"] <= moment:
        raise Problem(401, "unauthorized", "the API key was rotated, and its grace period is over")
    if key["expiresAt"] <= moment:
        msg = "the API key has expired"
        raise Problem(401, "token_expired", msg, expiredAt=key["expiresAt"])
    user = database.get(USERS, key["uid"])
    if user is None or user.get("deletedAt") is not None:
        raise Problem(403, "forbidden", "the user is not active", reason="user_inactive")
    return Caller(user, key, hash_of(text))


def note_use(database: Database, caller: Caller, now: datetime) -> None:
    """Write down that a key was used, once a minute at most."""
    if millis(now) - (caller.key["lastUsedAt"] or 0) >= _NOTED_MS:
        caller.key["lastUsedAt"] = millis(now)
        database.put(KEYS, caller.kept_as, caller.key)


def key_of_id(database: Database, key_id: str) -> tuple[str, JsonObject] | None:
    """Return where a key is kept, and its document, by its id."""
    return next(((kept, key) for kept, key in database.items(KEYS) if key["id"] == key_id), None)


def hash_of(text: str) -> str:
    """Return what a key is kept as."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def millis(moment: datetime) -> int:
    """Return milliseconds since 1970."""
    return int(moment.timestamp() * 1000)
