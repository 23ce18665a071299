"""Every method: the request that it sends, to the letter, and what it makes of the answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from roost import ApiKeyScope, DeployOptions, RollbackOptions, Roost
from roost.testing import RecordedTransport, answer

Call = Callable[[Roost], Awaitable[Any]]
HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_S = "siteId=site-1"

#: A call, and the request that it has to send: method, target and body.
CASES: dict[str, tuple[Call, str, str, Any]] = {
    # account
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
    # roosts
    "roosts.list_page": (
        lambda c: c.roosts.list_page(site_id="site-1", page_size=20),
        "GET",
        f"/api/roosts?{_S}&page_size=20",
        None,
    ),
    "roosts.list_page, deleted ones too": (
        lambda c: c.roosts.list_page(site_id="site-1", cursor="rst_a", include_deleted=True),
        "GET",
        f"/api/roosts?{_S}&page_size=50&page_token=rst_a&includeDeleted=true",
        None,
    ),
    "roosts.get": (
        lambda c: c.roosts.get("rst_abc", site_id="site-1"),
        "GET",
        f"/api/roosts/rst_abc?{_S}",
        None,
    ),
    "roosts.create": (
        lambda c: c.roosts.create(
            site_id="site-1",
            name="lobby touchdesigner",
            targets=["machine-a7f3"],
            extract_path=r"C:\Projects\lobby",
            roost_id="rst_lobby_td",
        ),
        "POST",
        "/api/roosts",
        {
            "siteId": "site-1",
            "name": "lobby touchdesigner",
            "targets": ["machine-a7f3"],
            "extractPath": r"C:\Projects\lobby",
            "roostId": "rst_lobby_td",
        },
    ),
    "roosts.create, no more than a name": (
        lambda c: c.roosts.create(site_id="site-1", name="lobby"),
        "POST",
        "/api/roosts",
        {"siteId": "site-1", "name": "lobby"},
    ),
    "roosts.patch": (
        lambda c: c.roosts.patch("rst_abc", site_id="site-1", name="lobby (v2)"),
        "PATCH",
        "/api/roosts/rst_abc",
        {"siteId": "site-1", "name": "lobby (v2)"},
    ),
    "roosts.patch, without targets and path": (
        lambda c: c.roosts.patch("rst_abc", site_id="site-1", targets=[], extract_path=""),
        "PATCH",
        "/api/roosts/rst_abc",
        {"siteId": "site-1", "targets": [], "extractPath": ""},
    ),
    "roosts.remove": (
        lambda c: c.roosts.remove("rst_abc", site_id="site-1"),
        "DELETE",
        f"/api/roosts/rst_abc?{_S}",
        None,
    ),
    "roosts.rollback": (
        lambda c: c.roosts.rollback("rst_abc", RollbackOptions(site_id="site-1", target_version=3)),
        "POST",
        "/api/roosts/rst_abc/rollback",
        {"siteId": "site-1", "targetVersion": 3},
    ),
    "roosts.rollback, as it is written": (
        lambda c: c.roosts.rollback(
            "rst_abc", RollbackOptions(site_id="site-1", target_version="#3")
        ),
        "POST",
        "/api/roosts/rst_abc/rollback",
        {"siteId": "site-1", "targetVersion": "#3"},
    ),
    "roosts.rollback, by one": (
        lambda c: c.roosts.rollback("rst_abc", RollbackOptions(site_id="site-1")),
        "POST",
        "/api/roosts/rst_abc/rollback",
        {"siteId": "site-1"},
    ),
    "roosts.deploy": (
        lambda c: c.roosts.deploy(
            "rst_abc",
            DeployOptions(
                site_id="site-1",
                version_id="vrs_1",
                machines=["machine-a7f3"],
                schedule_at="2026-04-25T03:00:00Z",
                dry_run=True,
            ),
        ),
        "POST",
        "/api/roosts/rst_abc/deploy",
        {
            "siteId": "site-1",
            "versionId": "vrs_1",
            "machines": ["machine-a7f3"],
            "scheduleAt": "2026-04-25T03:00:00Z",
            "dryRun": True,
        },
    ),
    "roosts.deploy, to all": (
        lambda c: c.roosts.deploy("rst_abc", DeployOptions(site_id="site-1")),
        "POST",
        "/api/roosts/rst_abc/deploy",
        {"siteId": "site-1"},
    ),
    # chunks
    "chunks.check": (
        lambda c: c.chunks.check(site_id="site-1", hashes=[HASH]),
        "POST",
        "/api/chunks/check",
        {"siteId": "site-1", "hashes": [HASH]},
    ),
    "chunks.upload_urls": (
        lambda c: c.chunks.upload_urls("site-1", [HASH]),
        "POST",
        "/api/chunks/upload-urls",
        {"siteId": "site-1", "hashes": [HASH]},
    ),
    "chunks.download_urls": (
        lambda c: c.chunks.download_urls(site_id="site-1", hashes=[HASH]),
        "POST",
        "/api/chunks/download-urls",
        {"siteId": "site-1", "hashes": [HASH]},
    ),
    "chunks.mount": (
        lambda c: c.chunks.mount(HASH, site_id="site-1", from_roost="rst_a", to_roost="rst_b"),
        "POST",
        f"/api/chunks/{HASH}/mount?{_S}&from=rst_a&to=rst_b",
        None,
    ),
    # versions
    "versions.list_page": (
        lambda c: c.versions.list_page("rst_abc", site_id="site-1", page_token="t"),
        "GET",
        f"/api/roosts/rst_abc/versions?{_S}&page_size=20&page_token=t",
        None,
    ),
    "versions.get": (
        lambda c: c.versions.get("rst_abc", "current", site_id="site-1"),
        "GET",
        f"/api/roosts/rst_abc/versions/current?{_S}",
        None,
    ),
    "versions.get, by number": (
        lambda c: c.versions.get("rst_abc", 3, site_id="site-1"),
        "GET",
        f"/api/roosts/rst_abc/versions/3?{_S}",
        None,
    ),
    "versions.get, by number sign": (
        lambda c: c.versions.get("rst_abc", "#3", site_id="site-1"),
        "GET",
        f"/api/roosts/rst_abc/versions/%233?{_S}",
        None,
    ),
    "versions.patch": (
        lambda c: c.versions.patch(
            "rst_abc", "vrs_1", site_id="site-1", description="updated release notes"
        ),
        "PATCH",
        "/api/roosts/rst_abc/versions/vrs_1",
        {"siteId": "site-1", "description": "updated release notes"},
    ),
    "versions.patch, without a description": (
        lambda c: c.versions.patch("rst_abc", "vrs_1", site_id="site-1", description=None),
        "PATCH",
        "/api/roosts/rst_abc/versions/vrs_1",
        {"siteId": "site-1", "description": None},
    ),
    "versions.diff": (
        lambda c: c.versions.diff("rst_abc", "current", site_id="site-1", against="previous"),
        "GET",
        f"/api/roosts/rst_abc/versions/current/diff?{_S}&against=previous",
        None,
    ),
    "versions.diff, by the older names": (
        lambda c: c.versions.diff("rst_abc", site_id="site-1", from_version=2, to_version="#3"),
        "GET",
        f"/api/roosts/rst_abc/versions/%233/diff?{_S}&against=2",
        None,
    ),
    # deployments
    "deployments.list_page": (
        lambda c: c.deployments.list_page("rst_abc", site_id="site-1", stage="canary"),
        "GET",
        f"/api/roosts/rst_abc/deployments?{_S}&stage=canary&page_size=20",
        None,
    ),
    "deployments.get": (
        lambda c: c.deployments.get("rst_abc", "ab12", site_id="site-1"),
        "GET",
        f"/api/roosts/rst_abc/deployments/ab12?{_S}",
        None,
    ),
    # keys
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
    # webhooks
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
    # sites, machines
    "sites.list": (lambda c: c.sites.list(), "GET", "/api/sites", None),
    "sites.get": (lambda c: c.sites.get("site-1"), "GET", "/api/sites/site-1", None),
    "machines.list": (
        lambda c: c.machines.list("site-1"),
        "GET",
        "/api/sites/site-1/machines",
        None,
    ),
    "machines.get": (
        lambda c: c.machines.get("site-1", "m ä"),
        "GET",
        "/api/sites/site-1/machines/m%20%C3%A4",
        None,
    ),
    "machines.deployments": (
        lambda c: c.machines.deployments("site-1", "m-1"),
        "GET",
        "/api/sites/site-1/machines/m-1/deployments",
        None,
    ),
    "machines.dispatch_command": (
        lambda c: c.machines.dispatch_command("site-1", "m-1", "reboot_machine"),
        "POST",
        "/api/sites/site-1/machines/m-1/commands",
        {"type": "reboot_machine", "params": {}},
    ),
    "machines.dispatch_command, with all": (
        lambda c: c.machines.dispatch_command(
            "site-1", "m-1", "capture_screenshot", {"monitor": 0}, timeout_seconds=9
        ),
        "POST",
        "/api/sites/site-1/machines/m-1/commands",
        {"type": "capture_screenshot", "params": {"monitor": 0}, "timeout_seconds": 9},
    ),
    "machines.get_command": (
        lambda c: c.machines.get_command("site-1", "m-1", "cmd_1"),
        "GET",
        "/api/sites/site-1/machines/m-1/commands/cmd_1",
        None,
    ),
    # installers
    "installer_deployments.list": (
        lambda c: c.installer_deployments.list("site-1", page_size=10, page_token="deploy-1"),
        "GET",
        "/api/sites/site-1/deployments?page_size=10&page_token=deploy-1",
        None,
    ),
    "installer_deployments.get": (
        lambda c: c.installer_deployments.get("site-1", "deploy-1"),
        "GET",
        "/api/sites/site-1/deployments/deploy-1",
        None,
    ),
    "installer_deployments.create": (
        lambda c: c.installer_deployments.create(
            "site-1",
            name="player",
            installer_name="player.exe",
            installer_url="https://example.com/player.exe",
            silent_flags="/S",
            machines=["m-1"],
            verify_path=r"C:\player.exe",
            sha256_checksum=HASH,
            close_processes=["old.exe"],
            suppress_projects=["p"],
            parallel_install=True,
        ),
        "POST",
        "/api/sites/site-1/deployments",
        {
            "name": "player",
            "installer_name": "player.exe",
            "installer_url": "https://example.com/player.exe",
            "silent_flags": "/S",
            "machines": ["m-1"],
            "verify_path": r"C:\player.exe",
            "sha256_checksum": HASH,
            "close_processes": ["old.exe"],
            "suppress_projects": ["p"],
            "parallel_install": True,
        },
    ),
    "installer_deployments.retry": (
        lambda c: c.installer_deployments.retry("site-1", "deploy-1"),
        "POST",
        "/api/sites/site-1/deployments/deploy-1/retry",
        {},
    ),
    "installer_deployments.cancel": (
        lambda c: c.installer_deployments.cancel("site-1", "deploy-1"),
        "POST",
        "/api/sites/site-1/deployments/deploy-1/cancel",
        {},
    ),
    "installer_deployments.uninstall": (
        lambda c: c.installer_deployments.uninstall("site-1", "deploy-1"),
        "POST",
        "/api/sites/site-1/deployments/deploy-1/uninstall",
        {},
    ),
    "installer_deployments.delete": (
        lambda c: c.installer_deployments.delete("site-1", "deploy-1"),
        "DELETE",
        "/api/sites/site-1/deployments/deploy-1",
        {},
    ),
    "installer.list": (
        lambda c: c.installer.list(include_deleted=True, page_size=5),
        "GET",
        "/api/installer?includeDeleted=true&page_size=5",
        None,
    ),
    "installer.latest": (lambda c: c.installer.latest(), "GET", "/api/installer/latest", None),
    "installer.set_latest": (
        lambda c: c.installer.set_latest("1.2.3"),
        "POST",
        "/api/installer/1.2.3/set-latest",
        {},
    ),
    "installer.delete": (
        lambda c: c.installer.delete("1.2.3"),
        "DELETE",
        "/api/installer/1.2.3",
        None,
    ),
    # processes
    "processes.list": (
        lambda c: c.processes("site-1", "m-1").list(),
        "GET",
        "/api/sites/site-1/machines/m-1/processes",
        None,
    ),
    "processes.get": (
        lambda c: c.processes("site-1", "m-1").get("p-1"),
        "GET",
        "/api/sites/site-1/machines/m-1/processes/p-1",
        None,
    ),
    "processes.create": (
        lambda c: c.processes("site-1", "m-1").create(
            name="player",
            exe_path=r"C:\player.exe",
            cwd="C:\\",
            priority="high",
            visibility="normal",
            launch_mode="scheduled",
            file_path="a.toe",
            time_delay="1",
            time_to_init="10",
            relaunch_attempts="3",
            schedules=[{"days": ["mon"], "ranges": [{"start": "08:00", "stop": "18:00"}]}],
            schedule_preset_id="preset-1",
        ),
        "POST",
        "/api/sites/site-1/machines/m-1/processes",
        {
            "name": "player",
            "exe_path": r"C:\player.exe",
            "cwd": "C:\\",
            "priority": "high",
            "visibility": "normal",
            "launch_mode": "scheduled",
            "file_path": "a.toe",
            "time_delay": "1",
            "time_to_init": "10",
            "relaunch_attempts": "3",
            "schedules": [{"days": ["mon"], "ranges": [{"start": "08:00", "stop": "18:00"}]}],
            "schedulePresetId": "preset-1",
        },
    ),
    "processes.update": (
        lambda c: c.processes("site-1", "m-1").update("p-1", priority="low"),
        "PATCH",
        "/api/sites/site-1/machines/m-1/processes/p-1",
        {"priority": "low"},
    ),
    "processes.delete": (
        lambda c: c.processes("site-1", "m-1").delete("p-1"),
        "DELETE",
        "/api/sites/site-1/machines/m-1/processes/p-1",
        None,
    ),
    "processes.kill": (
        lambda c: c.processes("site-1", "m-1").kill("p-1"),
        "POST",
        "/api/sites/site-1/machines/m-1/processes/p-1/kill",
        None,
    ),
    "processes.start": (
        lambda c: c.processes("site-1", "m-1").start("p-1"),
        "POST",
        "/api/sites/site-1/machines/m-1/processes/p-1/start",
        None,
    ),
    "processes.stop": (
        lambda c: c.processes("site-1", "m-1").stop("p-1"),
        "POST",
        "/api/sites/site-1/machines/m-1/processes/p-1/stop",
        None,
    ),
    "processes.restart": (
        lambda c: c.processes("site-1", "m-1").restart("p-1"),
        "POST",
        "/api/sites/site-1/machines/m-1/processes/p-1/restart",
        None,
    ),
    "processes.schedule": (
        lambda c: c.processes("site-1", "m-1").schedule("p-1", mode="off"),
        "POST",
        "/api/sites/site-1/machines/m-1/processes/p-1/schedule",
        {"mode": "off"},
    ),
    "processes.schedule, in blocks": (
        lambda c: c.processes("site-1", "m-1").schedule(
            "p-1",
            mode="scheduled",
            blocks=[{"days": ["mon"], "ranges": [{"start": "08:00", "stop": "18:00"}]}],
        ),
        "POST",
        "/api/sites/site-1/machines/m-1/processes/p-1/schedule",
        {
            "mode": "scheduled",
            "blocks": [{"days": ["mon"], "ranges": [{"start": "08:00", "stop": "18:00"}]}],
        },
    ),
    "processes.set_launch_mode": (
        lambda c: c.processes("site-1", "m-1").set_launch_mode("p-1", "always"),
        "PATCH",
        "/api/sites/site-1/machines/m-1/processes/p-1/launch-mode",
        {"mode": "always"},
    ),
    # chat
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
    # users, members, quotas
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
    # anything else
    "http.request": (
        lambda c: c.http.request("/api/x", query={"a": None, "b": True, "c": ["1", "2"]}),
        "GET",
        "/api/x?b=true&c=1&c=2",
        None,
    ),
}


@pytest.mark.parametrize("name", CASES)
async def test_the_request(name: str) -> None:
    call, method, target, body = CASES[name]
    transport = RecordedTransport(answer({}))
    async with Roost(token="owk_test_secret", transport=transport) as client:
        await call(client)
    assert len(transport.asked) == 1
    asked = transport.last
    assert (asked.method, asked.target, asked.body) == (method, target, body)
    assert str(asked.url).startswith("https://owlette.app/api/")
    assert asked.headers["authorization"] == "Bearer owk_test_secret"
    assert asked.headers["roost-version"] == "2026-04-22"
    assert asked.headers["user-agent"].startswith("owlette-sdk-python/")
    assert asked.headers["accept"] == "application/json"
    assert ("idempotency-key" in asked.headers) == (method != "GET")
    assert ("content-type" in asked.headers) == (body is not None)
    assert transport.is_closed


PREFIXES = {
    "chat.delete": "py-sdk-chat-delete-",
    "installer.delete": "py-sdk-installer-delete-",
    "members.remove": "py-sdk-members-remove-",
    "users.delete": "py-sdk-users-delete-",
    "roosts.create": "py-sdk-",
}


@pytest.mark.parametrize("name", PREFIXES)
async def test_how_the_keys_of_calls_begin(name: str) -> None:
    transport = RecordedTransport()
    async with Roost(token="owk_test_secret", transport=transport) as client:
        await CASES[name][0](client)
        await CASES[name][0](client)
    one, other = (each.headers["idempotency-key"] for each in transport.asked)
    assert one != other
    assert one.startswith(PREFIXES[name])
    assert len(one) == len(PREFIXES[name]) + 36


def test_every_method_of_the_page_is_here() -> None:
    tested = {name.partition(",")[0] for name in CASES}
    page = {
        "account": "whoami version api_keys.list api_keys.create api_keys.revoke",
        "roosts": "list_page get create patch remove rollback deploy",
        "chunks": "check upload_urls download_urls mount",
        "versions": "list_page get patch diff",
        "deployments": "list_page get",
        "keys": "create list rotate revoke",
        "webhooks": "subscribe list get update remove rotate_secret deliveries delivery "
        "retry_delivery probe",
        "sites": "list get",
        "machines": "list get deployments dispatch_command get_command",
        "installer_deployments": "list get create retry cancel uninstall delete",
        "installer": "list latest set_latest delete",
        "processes": "list get create update delete kill start stop schedule",
        "chat": "new list rename delete",
        "users": "list get promote demote assign_sites remove_sites delete",
        "members": "list add remove",
        "quotas": "current history",
        "http": "request",
    }
    wanted = {f"{noun}.{verb}" for noun, verbs in page.items() for verb in verbs.split()}
    assert wanted - tested == set()  # what streams or takes several requests has tests of its own


NONSENSE: list[tuple[Call, str]] = [
    (lambda c: c.roosts.get("", site_id="s"), "an id in the path"),
    (lambda c: c.roosts.get("..", site_id="s"), "an id in the path"),
    (lambda c: c.versions.get("rst_abc", True, site_id="s"), "version"),
    (lambda c: c.versions.get("rst_abc", " ", site_id="s"), "version"),
    (lambda c: c.versions.diff("rst_abc", "current", site_id="s"), "requires version_ref and"),
    (lambda c: c.roosts.rollback("r", RollbackOptions("s", "")), "version"),
    (lambda c: c.processes("s", "m").update("p"), "at least one field"),
    (lambda c: c.processes("s", "m").schedule("p", mode="scheduled"), "blocks"),
    (lambda c: c.processes("s", "m").set_launch_mode("p", "scheduled"), "schedules"),
    (lambda c: c.users.assign_sites("u", []), "must not be empty"),
    (lambda c: c.users.remove_sites("u", []), "must not be empty"),
    (lambda c: c.roosts.list_page(site_id="s", page_token="a", cursor="b"), "page_token"),
    (lambda c: c.http.request("https://elsewhere.example/api/sites"), "get the key"),
]


@pytest.mark.parametrize(("call", "message"), NONSENSE)
async def test_what_makes_no_sense_is_not_sent(call: Call, message: str) -> None:
    transport = RecordedTransport()
    async with Roost(token="owk_test_secret", transport=transport) as client:
        with pytest.raises(ValueError, match=message):
            await call(client)
    assert transport.asked == []


TEXTS: list[Call] = [
    lambda c: c.roosts.create(site_id="s", name="n", targets="m-1"),
    lambda c: c.webhooks.subscribe("s", "https://example.com", "version.published"),
    lambda c: c.users.assign_sites("u", "site-1"),
]


@pytest.mark.parametrize("call", TEXTS)
async def test_a_text_is_no_list(call: Call) -> None:
    async with Roost(token="owk_test_secret", transport=RecordedTransport()) as client:
        with pytest.raises(TypeError, match="not as one text"):
            await call(client)
