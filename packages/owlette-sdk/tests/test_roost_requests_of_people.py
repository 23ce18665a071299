"""Keys, users, webhooks, chats and the rest: the request that each method sends, to the letter."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from roost import ApiKeyScope, Roost

#: A call, and the request that it has to send: method, target and body.
Case = tuple[Callable[[Roost], Awaitable[Any]], str, str, Any]
_S = "siteId=site-1"

CASES: dict[str, Case] = {
    "account.whoami": (lambda c: c.account.whoami(), "GET", "/api/whoami", None),
    "account.version": (lambda c: c.account.version(), "GET", "/api/version", None),
    "account.api_keys.list": (
        lambda c: c.account.api_keys.list(),
        "GET",
        "/api/account/api-keys",
        None,
    ),
    "account.api_keys.create": (
        lambda c: c.account.api_keys.create(name="preview publisher"),
        "POST",
        "/api/account/api-keys",
        {"name": "preview publisher"},
    ),
    "account.api_keys.create, without a name": (
        lambda c: c.account.api_keys.create(),
        "POST",
        "/api/account/api-keys",
        {},
    ),
    "account.api_keys.revoke": (
        lambda c: c.account.api_keys.revoke("key/1"),
        "DELETE",
        "/api/account/api-keys/key%2F1",
        None,
    ),
    "keys.create": (
        lambda c: c.keys.create(
            name="ci publisher",
            environment="live",
            scopes=[ApiKeyScope(resource="roost", id="*", permissions=["read", "write"])],
            ttl_days=90,
        ),
        "POST",
        "/api/keys",
        {
            "name": "ci publisher",
            "scopes": [{"resource": "roost", "id": "*", "permissions": ["read", "write"]}],
            "environment": "live",
            "ttlDays": 90,
        },
    ),
    "keys.list": (lambda c: c.keys.list(), "GET", "/api/keys", None),
    "keys.rotate": (
        lambda c: c.keys.rotate("key_1", ttl_days=30),
        "POST",
        "/api/keys/key_1/rotate",
        {"ttlDays": 30},
    ),
    "keys.rotate, as it is": (
        lambda c: c.keys.rotate("key_1"),
        "POST",
        "/api/keys/key_1/rotate",
        {"ttlDays": 90},
    ),
    "keys.revoke": (lambda c: c.keys.revoke("key_1"), "DELETE", "/api/keys/key_1", None),
    "webhooks.subscribe": (
        lambda c: c.webhooks.subscribe(
            site_id="site-1",
            url="https://example.com/hooks/roost",
            events=["version.published", "deployment.failed"],
        ),
        "POST",
        f"/api/webhooks?{_S}",
        {
            "url": "https://example.com/hooks/roost",
            "events": ["version.published", "deployment.failed"],
        },
    ),
    "webhooks.subscribe, by position": (
        lambda c: c.webhooks.subscribe("site-1", "https://example.com", ["x"], "for tests"),
        "POST",
        f"/api/webhooks?{_S}",
        {"url": "https://example.com", "events": ["x"], "description": "for tests"},
    ),
    "webhooks.list": (lambda c: c.webhooks.list("site-1"), "GET", f"/api/webhooks?{_S}", None),
    "webhooks.get": (
        lambda c: c.webhooks.get("wh_1", "site-1"),
        "GET",
        f"/api/webhooks/wh_1?{_S}",
        None,
    ),
    "webhooks.update": (
        lambda c: c.webhooks.update(
            "wh_1", site_id="site-1", events=["version.published"], paused=False
        ),
        "PATCH",
        f"/api/webhooks/wh_1?{_S}",
        {"events": ["version.published"], "paused": False},
    ),
    "webhooks.update, without a description": (
        lambda c: c.webhooks.update("wh_1", "site-1", description=None),
        "PATCH",
        f"/api/webhooks/wh_1?{_S}",
        {"description": None},
    ),
    "webhooks.remove": (
        lambda c: c.webhooks.remove("wh_1", site_id="site-1"),
        "DELETE",
        f"/api/webhooks/wh_1?{_S}",
        None,
    ),
    "webhooks.rotate_secret": (
        lambda c: c.webhooks.rotate_secret("wh_1", site_id="site-1"),
        "POST",
        f"/api/webhooks/wh_1/rotate-secret?{_S}",
        {},
    ),
    "webhooks.deliveries": (
        lambda c: c.webhooks.deliveries("wh_1", "site-1"),
        "GET",
        f"/api/webhooks/wh_1/deliveries?{_S}",
        None,
    ),
    "webhooks.deliveries, a page": (
        lambda c: c.webhooks.deliveries("wh_1", "site-1", page_size=5, page_token="d 1"),
        "GET",
        f"/api/webhooks/wh_1/deliveries?{_S}&page_size=5&page_token=d+1",
        None,
    ),
    "webhooks.delivery": (
        lambda c: c.webhooks.delivery("wh_1", "d_1", "site-1"),
        "GET",
        f"/api/webhooks/wh_1/deliveries/d_1?{_S}",
        None,
    ),
    "webhooks.retry_delivery": (
        lambda c: c.webhooks.retry_delivery("wh_1", "d_1", "site-1"),
        "POST",
        f"/api/webhooks/wh_1/deliveries/d_1/retry?{_S}",
        {},
    ),
    "webhooks.probe": (
        lambda c: c.webhooks.probe(
            "site-1",
            "version.published",
            url="https://example.com/hooks/roost",
            payload={"roostId": "rst_abc", "versionNumber": 7},
        ),
        "POST",
        f"/api/webhooks/probe?{_S}",
        {
            "url": "https://example.com/hooks/roost",
            "event": "version.published",
            "payload": {"roostId": "rst_abc", "versionNumber": 7},
        },
    ),
    "chat.new": (
        lambda c: c.chat.new(site_id="site-1", machine_id="machine-a7f3", title="diagnostics"),
        "POST",
        "/api/cortex/conversations",
        {"siteId": "site-1", "machineId": "machine-a7f3", "title": "diagnostics"},
    ),
    "chat.list": (
        lambda c: c.chat.list(site_id="site-1", page_size=10),
        "GET",
        f"/api/cortex/conversations?{_S}&page_size=10",
        None,
    ),
    "chat.rename": (
        lambda c: c.chat.rename("conv_1", "nightly"),
        "PATCH",
        "/api/cortex/conversations/conv_1",
        {"title": "nightly"},
    ),
    "chat.delete": (
        lambda c: c.chat.delete("conv_1"),
        "DELETE",
        "/api/cortex/conversations/conv_1",
        None,
    ),
    "users.list": (
        lambda c: c.users.list(role="admin", site="site-1", include_deleted=True, page_token="u"),
        "GET",
        "/api/users?role=admin&site=site-1&includeDeleted=true&page_token=u",
        None,
    ),
    "users.get": (lambda c: c.users.get("u@1"), "GET", "/api/users/u%401", None),
    "users.promote": (
        lambda c: c.users.promote("u1", "admin"),
        "POST",
        "/api/users/u1/promote",
        {"role": "admin"},
    ),
    "users.demote": (lambda c: c.users.demote("u1"), "POST", "/api/users/u1/demote", {}),
    "users.assign_sites": (
        lambda c: c.users.assign_sites("u1", ["site-1"]),
        "POST",
        "/api/users/u1/assign-sites",
        {"siteIds": ["site-1"]},
    ),
    "users.remove_sites": (
        lambda c: c.users.remove_sites("u1", ["site-1"]),
        "POST",
        "/api/users/u1/remove-sites",
        {"siteIds": ["site-1"]},
    ),
    "users.delete": (
        lambda c: c.users.delete("u1", successor_uid="u2"),
        "DELETE",
        "/api/users/u1?successorUid=u2",
        None,
    ),
    "members.list": (
        lambda c: c.members("site-1").list(),
        "GET",
        "/api/sites/site-1/members",
        None,
    ),
    "members.add": (
        lambda c: c.members("site-1").add("u1", role="admin"),
        "POST",
        "/api/sites/site-1/members",
        {"uid": "u1", "role": "admin"},
    ),
    "members.remove": (
        lambda c: c.members("site-1").remove("u1"),
        "DELETE",
        "/api/sites/site-1/members/u1",
        None,
    ),
    "quotas.current": (
        lambda c: c.quotas.current("site-1"),
        "GET",
        "/api/sites/site-1/quota",
        None,
    ),
    "quotas.history": (
        lambda c: c.quotas.history("site-1", period="7d"),
        "GET",
        "/api/sites/site-1/quota/history?period=7d",
        None,
    ),
    "audit_log.list_page": (
        lambda c: c.audit_log("site-1").list_page(kind="roost_mutated", actor="u1", since=5),
        "GET",
        "/api/sites/site-1/audit-log?kind=roost_mutated&actor=u1&since=5",
        None,
    ),
    "audit_log.get": (
        lambda c: c.audit_log("site-1").get("ab12"),
        "GET",
        "/api/sites/site-1/audit-log/ab12",
        None,
    ),
    "http.request": (
        lambda c: c.http.request("/api/x", query={"a": None, "b": True, "c": ["1", "2"]}),
        "GET",
        "/api/x?b=true&c=1&c=2",
        None,
    ),
}
#: The methods that the reference of the SDK has, but those that stream or take several requests.
PAGE = {
    "account": "whoami version api_keys.list api_keys.create api_keys.revoke",
    "keys": "create list rotate revoke",
    "webhooks": (
        "subscribe list get update remove rotate_secret deliveries delivery retry_delivery probe"
    ),
    "chat": "new list rename delete",
    "users": "list get promote demote assign_sites remove_sites delete",
    "members": "list add remove",
    "quotas": "current history",
    "http": "request",
}


@pytest.mark.parametrize("name", CASES)
async def test_the_request(name: str, sends: Callable[[Case], Awaitable[None]]) -> None:
    await sends(CASES[name])


def test_every_method_of_the_page_is_here() -> None:
    tested = {name.partition(",")[0] for name in CASES}
    wanted = {f"{noun}.{verb}" for noun, verbs in PAGE.items() for verb in verbs.split()}
    assert wanted - tested == set()
