"""Sites, and who belongs to them."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from msgspec import UNSET, Meta, UnsetType

from opssim.core.store import JsonObject
from opssim.owlette.credentials import USERS, millis
from opssim.owlette.endpoint import Answer, Body, Call, Endpoint
from opssim.owlette.grammar import check_id
from opssim.owlette.problems import conflict, invalid, not_found
from opssim.owlette.world import SITES

_LONGEST_NAME: Final = 200

Name = Annotated[str, Meta(min_length=1, max_length=_LONGEST_NAME)]


class NewSite(Body):
    """A site to make."""

    site_id: str
    name: Name
    timezone: str = "UTC"


class SitePatch(Body):
    """What to change of a site."""

    name: Name | UnsetType = UNSET
    timezone: str | UnsetType = UNSET
    time_format: Literal["12h", "24h"] | UnsetType = UNSET


class Alerts(Body):
    """All rules of a site."""

    rules: list[dict[str, Any]]


class NewMember(Body):
    """Who is to belong to a site, and as what."""

    uid: str
    role: Literal["owner", "admin", "member"]


def blank_site(site_id: str, name: str, *, owner: str, created: str) -> JsonObject:
    """Return a site that has nothing yet."""
    return {
        "id": site_id,
        "name": name,
        "plan": "pro",
        "tier": "pro",
        "quotaTier": "pro",
        "timezone": "UTC",
        "timeFormat": "24h",
        "owner": owner,
        "roostEnabled": True,
        "createdAt": created,
    }


def _row(site: JsonObject) -> JsonObject:
    names = ("id", "name", "plan", "tier", "timezone", "owner", "createdAt")
    return {name: site[name] for name in names}


def show_all(call: Call) -> Answer:
    """List the sites that the caller may read, by name."""
    rows = [
        _row(site)
        for site in call.world.database.documents(SITES)
        if call.caller.may_enter(site) and call.caller.has_scope("site", site["id"], "read")
    ]
    return Answer({"sites": sorted(rows, key=lambda row: (row["name"], row["id"]))})


def show(call: Call) -> Answer:
    """Return a site."""
    return Answer(_row(call.site))


def create(call: Call) -> Answer:
    """Make a site, which belongs to the caller."""
    body: NewSite = call.body
    check_id("siteId", body.site_id, where="body", lenient=False)
    if call.world.site(body.site_id) is not None:
        raise conflict(f"there is a site {body.site_id} already", "site_already_exists")
    now = call.world.now()
    site = blank_site(
        body.site_id, body.name.strip(), owner=call.caller.uid, created=call.world.stamp()
    )
    site["timezone"] = body.timezone
    call.world.database.put(SITES, body.site_id, site)
    user = call.caller.user
    user["sites"] = [*user["sites"], body.site_id]
    call.world.database.put(USERS, call.caller.uid, user)
    call.world.audit(body.site_id, call.caller.uid, "site_mutated", body.site_id, verb="create")
    names = ("name", "timezone", "owner", "tier")
    shown = {name: site[name] for name in names}
    return Answer({"siteId": body.site_id, **shown, "createdAt": millis(now)}, 201)


def patch(call: Call) -> Answer:
    """Change a site's name, time zone, or how it shows times."""
    given = call.body.given()
    if not given:
        raise invalid({"body": ["needs name, timezone or timeFormat"]})
    site = call.site
    updated = {name: value for name, value in given.items() if site[name] != value}
    call.world.database.put(SITES, call.site_id, {**site, **updated})
    call.audit("site_mutated", call.site_id, verb="update")
    return Answer({"siteId": call.site_id, "changed": bool(updated), "updated": updated})


def remove(call: Call) -> Answer:
    """Delete a site."""
    call.world.database.delete(SITES, call.site_id)
    for user in call.world.database.documents(USERS):
        if call.site_id in user["sites"]:
            user["sites"] = [each for each in user["sites"] if each != call.site_id]
            call.world.database.put(USERS, user["uid"], user)
    return Answer({"siteId": call.site_id, "deleted": True})


def set_alerts(call: Call) -> Answer:
    """Replace the rules by which a site raises alerts."""
    rules: list[JsonObject] = call.body.rules
    call.world.database.put(call.place("settings"), "alerts", {"rules": rules})
    call.audit("site_mutated", call.site_id, verb="alerts")
    return Answer({"siteId": call.site_id, "rules": rules})


def show_members(call: Call) -> Answer:
    """List who belongs to a site."""
    call.require("site", call.site_id, "read")
    roles = call.place("roles")
    rows: list[JsonObject] = []
    for user in call.world.database.documents(USERS):
        is_owner = user["uid"] == call.site["owner"]
        if user["deletedAt"] is not None or not (is_owner or call.site_id in user["sites"]):
            continue
        role = call.world.database.get(roles, user["uid"]) or {"role": "member"}
        rows.append(
            {
                "uid": user["uid"],
                "email": user["email"],
                "role": "owner" if is_owner else role["role"],
                "globalRole": user["role"],
                "sites": user["sites"],
                "displayName": user["displayName"],
            }
        )
    return Answer({"members": rows})


def add_member(call: Call) -> Answer:
    """Let a user belong to a site."""
    call.require("site", call.site_id, "write")
    body: NewMember = call.body
    user = _user(call, body.uid)
    if call.site_id not in user["sites"]:
        user["sites"] = [*user["sites"], call.site_id]
        call.world.database.put(USERS, body.uid, user)
    honored = body.role != "owner"
    if honored:
        call.world.database.put(call.place("roles"), body.uid, {"role": body.role})
    call.audit("site_member_mutated", body.uid, verb="add", role=body.role)
    return Answer(
        {
            "uid": body.uid,
            "siteId": call.site_id,
            "requestedRole": body.role,
            "roleHonored": honored,
            "globalRole": user["role"],
        }
    )


def remove_member(call: Call) -> Answer:
    """Let a user belong to a site no more."""
    call.require("site", call.site_id, "write")
    uid = call.path["uid"]
    if uid == call.site["owner"]:
        raise conflict("the owner of a site cannot leave it", "cannot_remove_owner")
    user = _user(call, uid)
    was_member = call.site_id in user["sites"]
    user["sites"] = [each for each in user["sites"] if each != call.site_id]
    call.world.database.put(USERS, uid, user)
    call.world.database.delete(call.place("roles"), uid)
    call.audit("site_member_mutated", uid, verb="remove")
    return Answer({"siteId": call.site_id, "uid": uid, "wasMember": was_member})


def _user(call: Call, uid: str) -> JsonObject:
    user = call.world.database.get(USERS, uid)
    if user is None or user["deletedAt"] is not None:
        raise not_found("user")
    return user


_ONE: Final = "/api/sites/{siteId}"
_MEMBERS: Final = f"{_ONE}/members"

ENDPOINTS: Final = (
    Endpoint(method="GET", path="/api/sites", handler=show_all, does="List sites"),
    Endpoint(
        method="POST",
        path="/api/sites",
        handler=create,
        does="Make a site",
        counted=True,
        body=NewSite,
        answers=(201,),
        refuses=(409,),
    ),
    Endpoint(
        method="GET",
        path=_ONE,
        handler=show,
        does="Get a site",
        site="path",
        scope=("site", "read"),
    ),
    Endpoint(
        method="PATCH",
        path=_ONE,
        handler=patch,
        does="Change a site",
        site="path",
        scope=("site", "write"),
        capability="SITE_MANAGE",
        idempotency="required",
        body=SitePatch,
    ),
    Endpoint(
        method="DELETE",
        path=_ONE,
        handler=remove,
        does="Delete a site",
        site="path",
        scope=("site", "admin"),
        capability="SITE_MANAGE",
        idempotency="required",
    ),
    Endpoint(
        method="PUT",
        path=f"{_ONE}/alerts",
        handler=set_alerts,
        does="Replace the rules for alerts",
        site="path",
        scope=("site", "write"),
        capability="SITE_MANAGE",
        body=Alerts,
    ),
    Endpoint(
        method="GET",
        path=_MEMBERS,
        handler=show_members,
        does="List who belongs to a site",
        site="path",
        scope=("site", "admin"),
        capability="SITE_MEMBER_MANAGE",
    ),
    Endpoint(
        method="POST",
        path=_MEMBERS,
        handler=add_member,
        does="Let a user belong to a site",
        site="path",
        scope=("site", "admin"),
        capability="SITE_MEMBER_MANAGE",
        idempotency="optional",
        body=NewMember,
    ),
    Endpoint(
        method="DELETE",
        path=f"{_MEMBERS}/{{uid}}",
        handler=remove_member,
        does="Let a user belong to a site no more",
        site="path",
        scope=("site", "admin"),
        capability="SITE_MEMBER_MANAGE",
        idempotency="optional",
        refuses=(409,),
    ),
)
