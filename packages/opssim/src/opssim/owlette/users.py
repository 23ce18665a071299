"""The users of the platform, for superadmins."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final, Literal

from msgspec import Meta

from opssim.core.clock import iso_utc
from opssim.core.store import JsonObject
from opssim.owlette.credentials import KEYS, USERS, millis
from opssim.owlette.endpoint import Answer, Body, Call, Endpoint, Nothing
from opssim.owlette.paging import Paging, page_of
from opssim.owlette.problems import Problem, conflict, not_found
from opssim.owlette.world import SITES

_PAGES: Final = Paging()
_FEWEST_SUPERADMINS: Final = 1


class Promotion(Body):
    """The new role."""

    role: Literal["admin", "superadmin"]


class Bootstrap(Body):
    """Who signs in."""

    email: Annotated[str, Meta(min_length=3)]
    display_name: Annotated[str, Meta(max_length=200)] | None = None
    timezone: Annotated[str, Meta(max_length=100)] | None = None


class SiteIds(Body):
    """Which sites."""

    site_ids: Annotated[list[str], Meta(min_length=1)]


def blank_user(uid: str, email: str, role: str, *, created: str, name: str = "") -> JsonObject:
    """Return a user who belongs to no site."""
    first, _, last = name.partition(" ")
    return {
        "uid": uid,
        "email": email,
        "role": role,
        "sites": [],
        "displayName": name or None,
        "firstName": first or None,
        "lastName": last or None,
        "createdAt": created,
        "deletedAt": None,
    }


def show_all(call: Call) -> Answer:
    """List users."""
    role, site = call.query.get("role"), call.query.get("site")
    with_deleted = call.query.get("includeDeleted") == "true"
    rows = [
        user
        for user in call.world.database.documents(USERS)
        if (role is None or user["role"] == role)
        and (site is None or site in user["sites"])
        and (with_deleted or user["deletedAt"] is None)
    ]
    page, tokens = page_of(rows, call.query, _PAGES, lambda row: row["uid"])
    return Answer({"users": page, **tokens})


def show(call: Call) -> Answer:
    """Return a user."""
    return Answer(_user(call))


def promote(call: Call) -> Answer:
    """Give a user a higher role."""
    return _set_role(call, call.body.role)


def demote(call: Call) -> Answer:
    """Make a member of a user."""
    user = _user(call)
    if user["role"] == "superadmin" and _superadmins(call) <= _FEWEST_SUPERADMINS:
        raise _last_superadmin(call)
    return _set_role(call, "member")


def _set_role(call: Call, role: str) -> Answer:
    user = _user(call)
    before, user["role"] = user["role"], role
    _save(call, user)
    changed = before != role
    return Answer({"uid": user["uid"], "role": role, "previousRole": before, "changed": changed})


def assign_sites(call: Call) -> Answer:
    """Let a user belong to sites."""
    user = _user(call)
    for site_id in call.body.site_ids:
        if call.world.site(site_id) is None:
            raise Problem(400, "unknown_site", f"there is no site {site_id[:80]}")
    user["sites"] = list(dict.fromkeys([*user["sites"], *call.body.site_ids]))
    _save(call, user)
    return Answer({"uid": user["uid"], "assignedSiteIds": call.body.site_ids})


def remove_sites(call: Call) -> Answer:
    """Let a user belong to sites no more."""
    user = _user(call)
    gone = set(call.body.site_ids)
    user["sites"] = [each for each in user["sites"] if each not in gone]
    _save(call, user)
    removed = {"uid": user["uid"], "removedSiteIds": call.body.site_ids}
    return Answer({**removed, "cancelledCommandCount": 0})


def remove(call: Call) -> Answer:
    """Delete a user; sites that the user owns need a successor."""
    user = _user(call)
    uid = user["uid"]
    if user["deletedAt"] is not None:
        return Answer(_removed(user, [], [], already=True))
    if user["role"] == "superadmin" and _superadmins(call) <= _FEWEST_SUPERADMINS:
        raise _last_superadmin(call)
    database = call.world.database
    owned = [site for site in database.documents(SITES) if site["owner"] == uid]
    successor = call.query.get("successorUid")
    if owned and not successor:
        msg = "the user owns sites: name a successorUid"
        raise conflict(msg, "orphan_sites", ownedSites=[site["id"] for site in owned])
    if successor:
        heir = database.get(USERS, successor)
        if heir is None or heir["deletedAt"] is not None or successor == uid:
            msg = "the successor is no other user who is there"
            raise Problem(400, "successor_invalid", msg, reason="not_found")
    for site in owned:
        database.put(SITES, site["id"], {**site, "owner": successor})
    user["deletedAt"] = millis(call.world.now())
    user["deletedBy"] = call.caller.uid
    _save(call, user)
    revoked: list[str] = []
    for kept_as, key in list(database.items(KEYS)):
        if key["uid"] == uid and key["revokedAt"] is None:
            database.put(KEYS, kept_as, {**key, "revokedAt": user["deletedAt"]})
            revoked.append(key["id"])
    return Answer(_removed(user, [site["id"] for site in owned], revoked, already=False))


def remove_self(call: Call) -> Answer:
    """Refuse: nobody leaves by an API key."""
    msg = f"API keys cannot delete {call.caller.uid}: sign in"
    raise Problem(401, "unauthorized", msg)


def bootstrap(call: Call) -> Answer:
    """Return the user that there is: whoever has a key was here before."""
    user = call.caller.user
    shown = {name: user[name] for name in ("uid", "email", "displayName")}
    return Answer({**shown, "alreadyExists": True, "timezone": None, "createdAt": None})


def show_deletions(call: Call) -> Answer:
    """List who was deleted, the latest first."""
    gone = [user for user in call.world.database.documents(USERS) if user["deletedAt"]]
    rows = [
        {
            "id": f"del_{user['uid']}",
            "uid": user["uid"],
            "actorUid": user.get("deletedBy"),
            "capability": "USER_DELETE",
            "outcome": "allowed",
            "timestamp": iso_utc(datetime.fromtimestamp(user["deletedAt"] / 1000, UTC)),
        }
        for user in sorted(gone, key=lambda user: -user["deletedAt"])
    ]
    return Answer({"deletions": rows[: int(call.query.get("limit", "50"))]})


def _removed(user: JsonObject, sites: list[str], keys: list[str], *, already: bool) -> JsonObject:
    return {
        "uid": user["uid"],
        "alreadyDeleted": already,
        "deletedAt": user["deletedAt"],
        "transferredSites": sites,
        "revokedKeyIds": keys,
        "authDisabled": True,
    }


def _last_superadmin(call: Call) -> Problem:
    return conflict(
        "the last superadmin has to stay",
        "last_superadmin",
        minSuperadmins=_FEWEST_SUPERADMINS,
        currentActiveCount=_superadmins(call),
    )


def _superadmins(call: Call) -> int:
    users = call.world.database.documents(USERS)
    return sum(user["role"] == "superadmin" and user["deletedAt"] is None for user in users)


def _user(call: Call) -> JsonObject:
    user = call.world.database.get(USERS, call.path["uid"])
    if user is None:
        raise not_found("user")
    return user


def _save(call: Call, user: JsonObject) -> None:
    call.world.database.put(USERS, user["uid"], user)


_ONE: Final = "/api/users/{uid}"

ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path="/api/users",
        handler=show_all,
        does="List users",
        scope=("user", "read"),
        capability="USER_ROLE_MANAGE",
        limited=False,
        paging=_PAGES,
        query={
            "role": {"type": "string"},
            "site": {"type": "string"},
            "includeDeleted": {"type": "string"},
        },
    ),
    Endpoint(
        method="DELETE",
        path="/api/users/me",
        handler=remove_self,
        does="Leave: not by an API key",
        query={"dryRun": {"type": "string"}},
    ),
    Endpoint(
        method="POST",
        path="/api/users/bootstrap",
        handler=bootstrap,
        does="Make the user of whoever signs in first",
        body=Bootstrap,
    ),
    Endpoint(
        method="GET",
        path="/api/users/deletions",
        handler=show_deletions,
        does="List who was deleted",
        scope=("user", "read"),
        capability="USER_ROLE_MANAGE",
        limited=False,
        query={"limit": {"type": "string", "enum": [str(number) for number in range(1, 101)]}},
    ),
    Endpoint(
        method="GET",
        path=_ONE,
        handler=show,
        does="Get a user",
        scope=("user", "read"),
        capability="USER_ROLE_MANAGE",
        limited=False,
    ),
    Endpoint(
        method="POST",
        path=f"{_ONE}/promote",
        handler=promote,
        does="Give a user a higher role",
        scope=("user", "admin"),
        capability="USER_ROLE_MANAGE",
        idempotency="optional",
        body=Promotion,
    ),
    Endpoint(
        method="POST",
        path=f"{_ONE}/demote",
        handler=demote,
        does="Make a member of a user",
        scope=("user", "admin"),
        capability="USER_ROLE_MANAGE",
        idempotency="optional",
        body=Nothing,
        refuses=(409,),
    ),
    Endpoint(
        method="POST",
        path=f"{_ONE}/assign-sites",
        handler=assign_sites,
        does="Let a user belong to sites",
        scope=("user", "write"),
        capability="USER_ROLE_MANAGE",
        idempotency="optional",
        body=SiteIds,
    ),
    Endpoint(
        method="POST",
        path=f"{_ONE}/remove-sites",
        handler=remove_sites,
        does="Let a user belong to sites no more",
        scope=("user", "write"),
        capability="USER_ROLE_MANAGE",
        idempotency="optional",
        body=SiteIds,
    ),
    Endpoint(
        method="DELETE",
        path=_ONE,
        handler=remove,
        does="Delete a user",
        scope=("user", "admin"),
        capability="USER_DELETE",
        idempotency="optional",
        query={"successorUid": {"type": "string"}},
        refuses=(409,),
    ),
)
