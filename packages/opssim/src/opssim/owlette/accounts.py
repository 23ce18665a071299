"""Who the caller is, and the API keys that callers make for others."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Final, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, to_builtins

from opssim.core.store import JsonObject
from opssim.owlette import credentials
from opssim.owlette.credentials import KEYS, NewKey, make_key, millis
from opssim.owlette.endpoint import VERSION, Answer, Body, Call, Endpoint
from opssim.owlette.problems import Problem, conflict, invalid, not_found
from opssim.owlette.quotas import quota_of

_ROTATION: Final = timedelta(hours=24)
_DAYS: Final = 90


class Scope(Struct):
    """What a key may do, and to what."""

    resource: Literal["roost", "site", "machine", "chat", "deploy", "process", "user", "installer"]
    id: Annotated[str, Meta(min_length=1, max_length=128)]
    permissions: Annotated[
        list[Literal["read", "write", "deploy", "rollback", "admin"]], Meta(min_length=1)
    ]


Days = Annotated[int, Meta(ge=1, le=365)]


class NewKeyBody(Body):
    """A key to make."""

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    scopes: Annotated[list[Scope], Meta(min_length=1, max_length=50)]
    ttl_days: Days = _DAYS
    environment: Literal["live", "test"] = "live"


class Rotation(Body):
    """How long the new key is to live."""

    ttl_days: Days = _DAYS


class AccountKey(Body):
    """What the key is to be called."""

    name: Annotated[str, Meta(max_length=100)] | UnsetType | None = UNSET


def whoami(call: Call) -> Answer:
    """Return the user and the key that a request has."""
    user, key = call.caller.user, call.caller.key
    site_id = _primary_site(user, key["scopes"] or ())
    site = call.world.site(site_id) if site_id else None
    shown = (*_KEY_OF_WHOAMI,)
    limit = {"tier": "api", "limitPerMinute": 600, "note": "see the headers of each answer"}
    quota = None
    if site is not None:
        found = quota_of(call.world, site)
        names = ("siteId", "tier", "usedBytes", "pendingBytes", "limitBytes")
        quota = {name: found[name] for name in names}
    return Answer(
        {
            "userId": user["uid"],
            "email": user["email"],
            "role": user["role"],
            "primarySiteId": site_id,
            "key": {
                "keyId": key["id"],
                **{name: key[name] for name in shown},
                "isLegacy": key["scopes"] is None,
            },
            "rateLimit": limit,
            "quota": quota,
        }
    )


_KEY_OF_WHOAMI: Final = ("name", "keyPrefix", "scopes", "environment", "expiresAt", "lastUsedAt")
_KEY_OF_ACCOUNT: Final = (
    "id",
    "name",
    "keyPrefix",
    "environment",
    "scopes",
    "expiresAt",
    "createdAt",
    "lastUsedAt",
)
_KEY_OF_LIST: Final = (
    *_KEY_OF_ACCOUNT,
    "rotatedAt",
    "rotatedFromKeyId",
    "retiresAt",
    "revokedAt",
)


def _primary_site(user: JsonObject, scopes: Sequence[JsonObject]) -> str | None:
    named = (each["id"] for each in scopes if each["resource"] == "site" and each["id"] != "*")
    return next(named, None) or next(iter(user["sites"]), None)


def version(_: Call) -> Answer:
    """Return the API's versions."""
    return Answer({"current": VERSION, "supported": [VERSION]})


def _keys(call: Call) -> list[JsonObject]:
    every = call.world.database.documents(KEYS)
    return [key for key in every if key["uid"] == call.caller.uid]


def list_account_keys(call: Call) -> Answer:
    """List the keys of the user that are not revoked."""
    keys = [key for key in _keys(call) if key["revokedAt"] is None]
    rows = [{name: key[name] for name in _KEY_OF_ACCOUNT} for key in keys]
    return Answer({"success": True, "keys": rows})


def create_account_key(call: Call) -> Answer:
    """Make a key with the scopes of the one that asks."""
    name = call.body.name if isinstance(call.body.name, str) else ""
    made = make_key(
        call.world.database,
        call.caller.uid,
        name=name or "api key",
        scopes=call.caller.key["scopes"],
        now=call.world.now(),
    )
    return Answer(_created(made))


def _created(made: NewKey) -> JsonObject:
    key = made.document
    names = ("name", "environment", "scopes", "expiresAt", "keyPrefix")
    shown = {name: key[name] for name in names}
    # `id` is what the SDK's page reads
    return {"success": True, "key": made.text, "keyId": key["id"], "id": key["id"], **shown}


def revoke(call: Call) -> Answer:
    """Make a key useless."""
    kept_as, key = _named(call)
    key["revokedAt"] = millis(call.world.now())
    call.world.database.put(KEYS, kept_as, key)
    return Answer({"success": True})


def _named(call: Call) -> tuple[str, JsonObject]:
    found = credentials.key_of_id(call.world.database, call.path["keyId"])
    if found is None or found[1]["uid"] != call.caller.uid:
        raise not_found("key")
    return found


def list_keys(call: Call) -> Answer:
    """List all keys of the user, those that are revoked among them."""
    see_session(call)
    rows = [{name: key[name] for name in _KEY_OF_LIST} for key in _keys(call)]
    return Answer({"success": True, "keys": rows})


def create_key(call: Call) -> Answer:
    """Make a key with its own scopes."""
    see_session(call)
    body: NewKeyBody = call.body
    scopes: list[JsonObject] = to_builtins(body.scopes)
    for scope in scopes:
        if scope["resource"] in {"user", "installer"}:
            if not call.caller.is_superadmin:
                msg = f"only superadmins may give scopes on {scope['resource']}"
                raise Problem(403, "forbidden", msg)
            if scope["id"] != "*":
                raise invalid({"body.scopes": [f"the id of {scope['resource']} must be *"]})
    made = make_key(
        call.world.database,
        call.caller.uid,
        name=body.name,
        scopes=scopes,
        now=call.world.now(),
        days=body.ttl_days,
        environment=body.environment,
    )
    return Answer(_created(made))


def rotate_key(call: Call) -> Answer:
    """Make a key that takes the place of another, which is good for a day more."""
    see_session(call)
    kept_as, old = _named(call)
    if old["revokedAt"] is not None or old["rotatedAt"] is not None:
        raise conflict("the key is revoked, or was rotated already")
    now = call.world.now()
    made = make_key(
        call.world.database,
        call.caller.uid,
        name=old["name"],
        scopes=old["scopes"],
        now=now,
        days=call.body.ttl_days,
        environment=old["environment"],
        rotated_from=old["id"],
    )
    old["rotatedAt"], old["retiresAt"] = millis(now), millis(now + _ROTATION)
    call.world.database.put(KEYS, kept_as, old)
    previous = {"keyId": old["id"], "retiresAt": old["retiresAt"]}
    return Answer({**_created(made), "rotatedFromKeyId": old["id"], "previousKey": previous})


def revoke_key(call: Call) -> Answer:
    """Make a key useless."""
    see_session(call)
    return revoke(call)


def see_session(call: Call) -> None:
    """Refuse an API key where somebody has to be signed in, unless the habits allow it.

    Raises:
        Problem: 401.
    """
    if not call.world.habits.keys_by_key:
        raise Problem(401, "unauthorized", "API keys cannot manage keys: sign in")


_ACCOUNT: Final = "/api/account/api-keys"
_SETTINGS: Final = "GLOBAL_SETTINGS_WRITE"

ENDPOINTS: Final = (
    Endpoint(method="GET", path="/api/whoami", handler=whoami, does="Tell who the caller is"),
    Endpoint(
        method="GET",
        path="/api/version",
        handler=version,
        does="Tell the versions of the API",
        is_open=True,
    ),
    Endpoint(
        method="GET",
        path=_ACCOUNT,
        handler=list_account_keys,
        does="List the keys of the account",
        scope=("user", "admin"),
        capability=_SETTINGS,
        counted=True,
    ),
    Endpoint(
        method="POST",
        path=_ACCOUNT,
        handler=create_account_key,
        does="Make a key of the account",
        scope=("user", "admin"),
        capability=_SETTINGS,
        counted=True,
        body=AccountKey,
    ),
    Endpoint(
        method="DELETE",
        path=f"{_ACCOUNT}/{{keyId}}",
        handler=revoke,
        does="Revoke a key of the account",
        scope=("user", "admin"),
        capability=_SETTINGS,
        counted=True,
    ),
    Endpoint(method="GET", path="/api/keys", handler=list_keys, does="List keys", counted=True),
    Endpoint(
        method="POST",
        path="/api/keys",
        handler=create_key,
        does="Make a key",
        counted=True,
        body=NewKeyBody,
    ),
    Endpoint(
        method="POST",
        path="/api/keys/{keyId}/rotate",
        handler=rotate_key,
        does="Make a key that takes the place of another",
        counted=True,
        body=Rotation,
        refuses=(409,),
    ),
    Endpoint(
        method="DELETE",
        path="/api/keys/{keyId}",
        handler=revoke_key,
        does="Revoke a key",
        counted=True,
    ),
)
