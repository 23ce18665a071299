"""What is made of answers, as the contract has them: nothing of them is lost."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from roost import ApiKeyScope, DeployOptions, RollbackOptions, Roost, RoostApiError
from roost.resources.quotas import QuotaHistoryDay
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


async def test_sites_and_machines() -> None:
    site = {"id": "site-1", "name": "Lobby", "plan": "pro", "tier": "pro", "owner": "u1"}
    (one,) = await _ask({"sites": [site]}, lambda c: c.sites.list())
    assert one == await _ask(site, lambda c: c.sites.get("site-1"))
    assert (one.id, one.name, one.tier, one.timezone) == ("site-1", "Lobby", "pro", None)
    assert await _ask({"sites": []}, lambda c: c.sites.list()) == []
    machine = {
        "id": "m-1",
        "name": "Wall",
        "online": True,
        "lastHeartbeat": "2026-01-01T00:00:00.000Z",
        "agentVersion": "2.1",
        "os": "Windows 11",
        "currentRoosts": [{"roostId": "rst_abc", "name": "lobby", "versionCounter": 3}],
    }
    (row,) = await _ask({"machines": [machine]}, lambda c: c.machines.list("site-1"))
    assert (row.id, row.online, row.last_heartbeat) == ("m-1", True, "2026-01-01T00:00:00.000Z")
    assert row.current_roosts[0].version_counter == 3
    detail = await _ask(
        {
            **machine,
            "siteId": "site-1",
            "hostname": "WALL",
            "metrics": {"cpu": 5},
            "processes": [{}],
        },
        lambda c: c.machines.get("site-1", "m-1"),
    )
    assert (detail.site_id, detail.hostname, detail.metrics) == ("site-1", "WALL", {"cpu": 5})
    (deployment,) = await _ask(
        {"siteId": "s", "deployments": [{"roostId": "r", "reportedStatus": "committed"}]},
        lambda c: c.machines.deployments("site-1", "m-1"),
    )
    assert (deployment.roost_id, deployment.reported_status) == ("r", "committed")


async def test_commands() -> None:
    sent = await _ask(
        {"ok": True, "data": {"commandId": "cmd_1", "status": "queued"}},
        lambda c: c.machines.dispatch_command("s", "m", "anything_new"),
        202,
    )
    assert sent == {"commandId": "cmd_1", "status": "queued"}


async def test_webhooks() -> None:
    row: dict[str, Any] = {
        "id": "wh_1",
        "url": "https://example.com",
        "events": ["version.published"],
        "paused": False,
        "failureCount": 2,
        "lastDeliveryStatus": "failed",
    }
    (hook,) = await _ask({"webhooks": [row]}, lambda c: c.webhooks.list("site-1"))
    assert (hook.id, hook.url, hook.events) == (
        "wh_1",
        "https://example.com",
        ["version.published"],
    )
    assert (hook.failure_count, hook.last_delivery_status) == (2, "failed")
    created = {**row, "signingSecret": "whsec_1"}
    assert (
        await _ask(created, lambda c: c.webhooks.subscribe("s", "https://example.com", ["x"]), 201)
        == created
    )
    page = {"deliveries": [{"id": "d1", "state": "failed"}], "nextPageToken": ""}
    assert await _ask(page, lambda c: c.webhooks.deliveries("wh_1", "s")) == page


async def test_quotas() -> None:
    data = {
        "siteId": "site-1",
        "tier": "pro",
        "usedBytes": 80,
        "pendingBytes": 5,
        "committedBytes": 85,
        "limitBytes": 100,
        "fractionUsed": 0.85,
        "unlimited": False,
        "lastAlarmLevel": 0.8,
        "alarms": [{"id": "a", "threshold": 0.8, "firedAt": "2026-01-01T00:00:00.000Z"}],
    }
    quota = await _ask(data, lambda c: c.quotas.current("site-1"))
    assert (quota.used_bytes, quota.limit_bytes, quota.committed_bytes) == (80, 100, 85)
    assert (quota.last_alarm_level, quota.fraction_used) == (0.8, 0.85)
    assert quota.alarms[0].threshold == 0.8
    day = {"date": "2026-01-01", "storageBytesAvg": 1, "classAOps": 2, "classBOps": 3}
    history = await _ask({"period": "30d", "daily": [day]}, lambda c: c.quotas.history("site-1"))
    (read,) = QuotaHistoryDay.list_of(history["daily"])
    assert (read.date, read.storage_bytes_avg, read.class_a_ops) == ("2026-01-01", 1, 2)


async def test_installers() -> None:
    item = {
        "id": "deploy-1",
        "name": "player",
        "installer_name": "player.exe",
        "silent_flags": "/S",
        "parallel_install": True,
        "targets": [{"machineId": "m-1", "status": "failed", "error": "no space"}],
        "status": "partial_failed",
        "createdAt": "2026-01-01T00:00:00.000Z",
    }
    page = await _ask(
        {"items": [item], "next_page_token": "deploy-1"},
        lambda c: c.installer_deployments.list("site-1"),
    )
    assert page["next_page_token"] == "deploy-1"
    (row,) = page["items"]
    assert (row.id, row.installer_name, row.parallel_install) == ("deploy-1", "player.exe", True)
    assert row.targets[0].error == "no space"
    detail = await _ask(
        {**item, "siteId": "site-1"}, lambda c: c.installer_deployments.get("site-1", "deploy-1")
    )
    assert (detail.site_id, detail.created_at) == ("site-1", "2026-01-01T00:00:00.000Z")
    version = {"version": "1.2.3", "download_url": "https://x", "file_size": 9, "uploaded_at": 7}
    versions = await _ask(
        {"versions": [version], "nextPageToken": ""}, lambda c: c.installer.list()
    )
    assert versions["next_page_token"] is None
    latest = await _ask(version, lambda c: c.installer.latest())
    assert versions["versions"] == [latest]
    assert (latest.version, latest.file_size, latest.uploaded_at) == ("1.2.3", 9, 7)


async def test_processes() -> None:
    row = {
        "processId": "p-1",
        "name": "player",
        "exe_path": "p.exe",
        "time_delay": "0",
        "schedulePresetId": None,
        "status": "running",
        "pid": 42,
        "responsive": True,
        "last_updated": 5,
    }
    (one,) = await _ask(
        {"ok": True, "data": {"processes": [row], "nextPageToken": None}},
        lambda c: c.processes("s", "m").list(),
    )
    other = await _ask({"ok": True, "data": row}, lambda c: c.processes("s", "m").get("p-1"))
    assert one == other
    assert (one.process_id, one.exe_path, one.pid, one.last_updated) == ("p-1", "p.exe", 42, 5)
    made = await _ask(
        {"ok": True, "data": {"processId": "p-2"}},
        lambda c: c.processes("s", "m").create(name="n", exe_path="e"),
        201,
    )
    assert made == {"processId": "p-2"}


async def test_conversations_users_and_members() -> None:
    begun = {"conversationId": "conv_1", "title": "untitled chat", "messageCount": 0}
    assert await _ask({"ok": True, "data": begun}, lambda c: c.chat.new(), 201) == begun
    page = await _ask(
        {"ok": True, "data": {"conversations": [begun], "nextPageToken": "conv_1"}},
        lambda c: c.chat.list(),
    )
    assert page["next_page_token"] == "conv_1"
    assert page["conversations"][0].conversation_id == "conv_1"
    user = {"uid": "u1", "role": "admin", "sites": ["s"], "firstName": "A", "deletedAt": None}
    users = await _ask({"users": [user], "next_page_token": ""}, lambda c: c.users.list())
    assert users["users"] == [await _ask(user, lambda c: c.users.get("u1"))]
    assert (users["users"][0].first_name, users["next_page_token"]) == ("A", None)
    member = {"uid": "u1", "role": "owner", "globalRole": "superadmin", "sites": ["s"]}
    odd = {"uid": "u2", "role": "emperor"}
    one, two = await _ask({"members": [member, odd]}, lambda c: c.members("s").list())
    assert (one.role, one.global_role, one.sites) == ("owner", "superadmin", ["s"])
    assert (two.role, two.raw["role"]) == ("member", "emperor")


async def test_logs_and_the_audit_log() -> None:
    row = {"id": "l1", "siteId": "s", "level": "fatal", "details": {"a": 1}, "machineName": "Wall"}
    rows, cursor = await _ask(
        {"logs": [row], "next_page_token": "l1"}, lambda c: c.logs("s").list_page()
    )
    assert (rows[0].id, rows[0].level, rows[0].machine_name) == ("l1", "fatal", "Wall")
    assert cursor == "l1"
    assert rows[0] == await _ask(row, lambda c: c.logs("s").get("l1"))
    record = {"hash": "ab", "kind": "roost_mutated", "occurredAt": 5, "attributes": {"verb": "x"}}
    records, _ = await _ask({"records": [record]}, lambda c: c.audit_log("s").list_page())
    assert (records[0].hash, records[0].occurred_at) == ("ab", 5)
    detail = await _ask(
        {
            "hash": "ab",
            "previousHash": None,
            "event": record,
            "verification": {"ok": False, "hashValid": True, "linkageValid": False, "reason": "r"},
        },
        lambda c: c.audit_log("s").get("ab"),
    )
    assert detail.event.attributes == {"verb": "x"}
    assert (detail.verification.ok, detail.verification.hash_valid) == (False, True)


async def test_presets_and_agent_tokens() -> None:
    preset = {"id": "p1", "name": "night"}
    assert await _ask({"items": [preset]}, lambda c: c.presets("s").schedule.list()) == [preset]
    assert await _ask(None, lambda c: c.presets("s").schedule.delete("p1"), 204) is None
    (token,) = await _ask(
        {"tokens": [{"id": "t1", "machineId": "m"}], "count": 1},
        lambda c: c.agent_tokens("s").list(),
    )
    assert (token.id, token.machine_id, token.last_used) == ("t1", "m", None)


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
