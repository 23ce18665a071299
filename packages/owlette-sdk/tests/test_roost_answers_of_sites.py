"""What is made of answers about sites, their machines and people: nothing of them is lost."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from roost import Roost
from roost.resources.quotas import QuotaHistoryDay
from roost.testing import RecordedTransport, answer

#: Makes a call.
Call = Callable[[Roost], Awaitable[Any]]


async def _ask(data: Any, call: Call, status: int = 200) -> Any:
    transport = RecordedTransport(answer(data, status))
    async with Roost(token="owk_test_x", transport=transport) as client:
        return await call(client)


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
