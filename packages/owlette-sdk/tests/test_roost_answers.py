"""What is made of answers, as the contract has them: nothing of them is lost."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from roost import ApiKeyScope, DeployOptions, RollbackOptions, Roost, RoostApiError
from roost.testing import RecordedTransport, answer

#: Makes a call.
Call = Callable[[Roost], Awaitable[Any]]

V = {
    "versionId": "vrs_1",
    "versionNumber": 1,
    "description": "first",
    "versionUrl": "https://store.example/v1",
    "createdAt": "2026-01-01T00:00:00.000Z",
    "createdBy": "u1",
    "totalSize": 22,
    "totalFiles": 2,
    "parentVersionId": None,
}
ROOST = {
    "roostId": "rst_abc",
    "siteId": "site-1",
    "name": "lobby",
    "targets": ["m-1"],
    "extractPath": r"C:\lobby",
    "currentVersionId": "vrs_1",
    "previousVersionId": None,
    "versionCounter": 1,
    "createdAt": "2026-01-01T00:00:00.000Z",
    "updatedAt": "2026-01-02T00:00:00.000Z",
    "deletedAt": None,
    "tombstoneExpiresAt": None,
    "fieldOfTomorrow": {"x": 1},
}


async def _ask(data: Any, call: Call, status: int = 200) -> Any:
    transport = RecordedTransport(answer(data, status))
    async with Roost(token="owk_test_x", transport=transport) as client:
        return await call(client)


async def test_whoami() -> None:
    key = {
        "keyId": "k1",
        "name": "ci",
        "keyPrefix": "owk_live_abcdef",
        "scopes": [{"resource": "site", "id": "site-1", "permissions": ["read"]}],
        "environment": "live",
        "expiresAt": 1_800_000_000_000,
        "lastUsedAt": None,
        "isLegacy": False,
    }
    data = {
        "userId": "u1",
        "email": "a@example.com",
        "role": "member",
        "primarySiteId": "site-1",
        "key": key,
        "rateLimit": {"tier": "api", "limitPerMinute": 600},
        "quota": {"siteId": "site-1", "tier": "pro", "usedBytes": 5, "limitBytes": None},
    }
    me = await _ask(data, lambda c: c.account.whoami())
    assert (me.user_id, me.email, me.role, me.primary_site_id) == (
        "u1",
        "a@example.com",
        "member",
        "site-1",
    )
    assert me.key.key_prefix == "owk_live_abcdef"
    assert me.key.scopes == [ApiKeyScope("site", "site-1", ["read"])]
    assert (me.key.expires_at, me.key.last_used_at, me.key.is_legacy) == (
        1_800_000_000_000,
        None,
        False,
    )
    assert me.rate_limit["limitPerMinute"] == 600
    assert (me.quota.used_bytes, me.quota.limit_bytes) == (5, None)
    assert me.raw == data
    bare = await _ask({**data, "key": None, "quota": None}, lambda c: c.account.whoami())
    assert (bare.key, bare.quota) == (None, None)


async def test_the_version_of_the_api() -> None:
    told = await _ask(
        {"current": "2026-04-22", "supported": ["2026-04-22"]}, lambda c: c.account.version()
    )
    assert (told.current, told.supported) == ("2026-04-22", ["2026-04-22"])
    assert (told.deprecated, told.retired) == ([], [])


async def test_keys() -> None:
    row = {
        "id": "k1",
        "name": "ci",
        "keyPrefix": "owk_live_abcdef",
        "environment": "live",
        "scopes": [{"resource": "galaxy", "id": "*", "permissions": ["read", "fly"]}],
        "expiresAt": 1,
        "createdAt": 2,
        "lastUsedAt": 3,
        "rotatedAt": 4,
        "rotatedFromKeyId": "k0",
        "retiresAt": 5,
        "revokedAt": 6,
    }
    calls: list[Call] = [lambda c: c.keys.list(), lambda c: c.account.api_keys.list()]
    for call in calls:
        (key,) = await _ask({"success": True, "keys": [row]}, call)
        assert (key.id, key.key_prefix, key.environment) == ("k1", "owk_live_abcdef", "live")
        assert key.scopes[0].resource == "galaxy"
        assert (key.expires_at, key.created_at, key.last_used_at) == (1, 2, 3)
        assert (key.rotated_at, key.rotated_from_key_id) == (4, "k0")
        assert (key.retires_at, key.revoked_at) == (5, 6)


async def test_a_new_key_has_its_id_under_both_names() -> None:
    data = {"success": True, "key": "owk_live_x", "keyId": "k1", "expiresAt": 1}
    calls: list[Call] = [
        lambda c: c.keys.create(name="n", scopes=[]),
        lambda c: c.keys.rotate("k0"),
    ]
    for call in calls:
        created = await _ask(data, call)
        assert created["id"] == created["keyId"] == "k1"
        assert created["key"] == "owk_live_x"
    assert await _ask(data, lambda c: c.account.api_keys.create()) == data
    assert await _ask({"success": True}, lambda c: c.keys.revoke("k1")) is None
    assert await _ask(None, lambda c: c.account.api_keys.revoke("k1"), 204) is None


async def test_roosts() -> None:
    rows, cursor = await _ask(
        {"roosts": [ROOST], "next_page_token": "", "nextPageToken": ""},
        lambda c: c.roosts.list_page(site_id="site-1"),
    )
    assert cursor is None
    (row,) = rows
    assert (row.roost_id, row.site_id, row.name, row.targets) == (
        "rst_abc",
        "site-1",
        "lobby",
        ["m-1"],
    )
    assert (row.extract_path, row.version_counter) == (r"C:\lobby", 1)
    assert row.raw["fieldOfTomorrow"] == {"x": 1}
    detail = await _ask(
        {
            **ROOST,
            "schemaVersion": 2,
            "createdBy": "u1",
            "currentVersion": V,
            "previousVersion": None,
        },
        lambda c: c.roosts.get("rst_abc", site_id="site-1"),
    )
    assert detail.current_version.version_id == "vrs_1"
    assert detail.current_version.total_size == 22
    assert detail.previous_version is None
    assert (detail.schema_version, detail.created_by) == (2, "u1")


async def test_a_roost_that_was_made_has_no_times_yet() -> None:
    data: dict[str, Any] = {"roostId": "rst_1", "siteId": "s", "name": "n", "targets": []}
    made = await _ask(data, lambda c: c.roosts.create(site_id="s", name="n"), 201)
    assert (made.roost_id, made.created_at, made.current_version_id) == ("rst_1", None, None)


async def test_rollback_and_deploy() -> None:
    back = await _ask(
        {
            "ok": True,
            "roostId": "rst_abc",
            "siteId": "site-1",
            "currentVersionId": "vrs_1",
            "currentVersionNumber": 1,
            "previousVersionId": "vrs_3",
        },
        lambda c: c.roosts.rollback("rst_abc", RollbackOptions("site-1", "first")),
    )
    assert (back.current_version_id, back.current_version_number) == ("vrs_1", 1)
    assert back.previous_version_id == "vrs_3"
    rollout = await _ask(
        {
            "rolloutId": "ab",
            "versionId": "ab",
            "siteId": "site-1",
            "roostId": "rst_abc",
            "stage": "canary",
            "canary": ["m-1"],
            "fleet": ["m-2"],
            "extractRoot": "~/Documents/Owlette",
            "versionUrl": "https://x",
            "alreadyRunning": True,
        },
        lambda c: c.roosts.deploy("rst_abc", DeployOptions("site-1")),
    )
    assert (rollout.rollout_id, rollout.stage) == ("ab", "canary")
    assert (rollout.canary, rollout.fleet) == (["m-1"], ["m-2"])
    assert (rollout.already_running, rollout.dry_run, rollout.scheduled) == (True, False, None)


async def test_chunks() -> None:
    assert await _ask({"missing": ["b"]}, lambda c: c.chunks.check("s", ["a", "b"])) == ["b"]
    urls = {"urls": {"a": "https://store.example/a?sig=1"}, "expiresAt": "2026-01-01T01:00:00Z"}
    assert await _ask(urls, lambda c: c.chunks.upload_urls("s", ["a"])) == urls
    mounted = {"digest": "a", "from": "r1", "to": "r2", "mounted": True, "zeroByte": True}
    made = await _ask(
        mounted,
        lambda c: c.chunks.mount("a", site_id="s", from_roost="r1", to_roost="r2"),
        201,
    )
    assert made == mounted


async def test_more_hashes_than_the_server_takes() -> None:
    hashes = [f"{number:064x}" for number in range(2500)]
    transport = RecordedTransport(
        answer({"missing": hashes[:1]}), answer({"missing": []}), answer({"missing": hashes[-1:]})
    )
    async with Roost(token="owk_test_x", transport=transport) as client:
        assert await client.chunks.check("s", hashes) == [hashes[0], hashes[-1]]
    assert [len(each.body["hashes"]) for each in transport.asked] == [1000, 1000, 500]
    transport = RecordedTransport(
        answer({"urls": {"a": "1"}, "expiresAt": "2026-01-01T02:00:00Z"}),
        answer({"urls": {"b": "2"}, "expiresAt": "2026-01-01T01:00:00Z"}),
        answer({"urls": {"c": "3"}, "expiresAt": "2026-01-01T03:00:00Z"}),
    )
    async with Roost(token="owk_test_x", transport=transport) as client:
        made = await client.chunks.download_urls("s", hashes)
    assert made == {"urls": {"a": "1", "b": "2", "c": "3"}, "expiresAt": "2026-01-01T01:00:00Z"}


@pytest.mark.parametrize("data", [[], {}, {"roosts": None}, {"roosts": {"x": 1}}])
async def test_lists_that_are_none_are_empty(data: Any) -> None:
    rows, cursor = await _ask(data, lambda c: c.roosts.list_page(site_id="s"))
    assert (rows, cursor) == ([], None)


@pytest.mark.parametrize("data", [None, "<html>log in</html>", 5])
async def test_an_answer_that_is_no_object_is_an_error(data: Any) -> None:
    with pytest.raises(RoostApiError, match="not a JSON object: is api_url right") as caught:
        await _ask(data, lambda c: c.versions.get("r", 1, site_id="s"))
    assert caught.value.status == 200
    assert caught.value.url == "https://owlette.app/api/roosts/r/versions/1"
