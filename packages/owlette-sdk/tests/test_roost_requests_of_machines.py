"""Sites, machines, and what runs on them: the request that each method sends, to the letter."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from roost import Roost

#: A call, and the request that it has to send: method, target and body.
Case = tuple[Callable[[Roost], Awaitable[Any]], str, str, Any]
HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

CASES: dict[str, Case] = {
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
    "sites.create": (
        lambda c: c.sites.create("site-2", name="Foyer", timezone="Europe/Berlin"),
        "POST",
        "/api/sites",
        {"siteId": "site-2", "name": "Foyer", "timezone": "Europe/Berlin"},
    ),
    "sites.update": (
        lambda c: c.sites.update("site-2", time_format="24h"),
        "PATCH",
        "/api/sites/site-2",
        {"timeFormat": "24h"},
    ),
    "sites.delete": (lambda c: c.sites.delete("site-2"), "DELETE", "/api/sites/site-2", None),
    "machines.delete_screenshots": (
        lambda c: c.machines.delete_screenshots("site-1", "m-1"),
        "DELETE",
        "/api/sites/site-1/machines/m-1/screenshots",
        None,
    ),
    "logs.list_page": (
        lambda c: c.logs("site-1").list_page(
            action="process_crashed",
            machine_id="m-1",
            level="error",
            since="2026-01-01T00:00:00Z",
            page_size=5,
        ),
        "GET",
        (
            "/api/sites/site-1/logs?page_size=5&action=process_crashed&machineId=m-1&level=error"
            "&since=2026-01-01T00%3A00%3A00Z"
        ),
        None,
    ),
    "logs.get": (
        lambda c: c.logs("site-1").get("log-1"),
        "GET",
        "/api/sites/site-1/logs/log-1",
        None,
    ),
    "logs.delete": (
        lambda c: c.logs("site-1").delete(machine_id="m-1", until="2026-01-01"),
        "DELETE",
        "/api/sites/site-1/logs",
        {"machineId": "m-1", "until": "2026-01-01"},
    ),
    "logs.delete, all": (
        lambda c: c.logs("site-1").delete(everything=True),
        "DELETE",
        "/api/sites/site-1/logs",
        {"all": True},
    ),
    "presets.list": (
        lambda c: c.presets("site-1").schedule.list(),
        "GET",
        "/api/sites/site-1/presets/schedule",
        None,
    ),
    "presets.get": (
        lambda c: c.presets("site-1").reboot.get("p-1"),
        "GET",
        "/api/sites/site-1/presets/reboot/p-1",
        None,
    ),
    "presets.create": (
        lambda c: c.presets("site-1").deployment_template.create({"name": "player"}),
        "POST",
        "/api/sites/site-1/presets/deployment-template",
        {"name": "player"},
    ),
    "presets.update": (
        lambda c: c.presets("site-1").distribution.update("p-1", {"name": "files"}),
        "PATCH",
        "/api/sites/site-1/presets/distribution/p-1",
        {"name": "files"},
    ),
    "presets.delete": (
        lambda c: c.presets("site-1").schedule.delete("p-1"),
        "DELETE",
        "/api/sites/site-1/presets/schedule/p-1",
        None,
    ),
    "agent_tokens.list": (
        lambda c: c.agent_tokens("site-1").list(),
        "GET",
        "/api/sites/site-1/agent-tokens",
        None,
    ),
    "agent_tokens.revoke": (
        lambda c: c.agent_tokens("site-1").revoke(machine_id="m-1"),
        "POST",
        "/api/sites/site-1/agent-tokens/revoke",
        {"machineId": "m-1"},
    ),
}
#: The methods that the reference of the SDK has, but those that stream or take several requests.
PAGE = {
    "sites": "list get",
    "machines": "list get deployments dispatch_command get_command",
    "processes": "list get create update delete kill start stop schedule",
    "installer_deployments": "list get create retry cancel uninstall delete",
    "installer": "list latest set_latest delete",
}


@pytest.mark.parametrize("name", CASES)
async def test_the_request(name: str, sends: Callable[[Case], Awaitable[None]]) -> None:
    await sends(CASES[name])


def test_every_method_of_the_page_is_here() -> None:
    tested = {name.partition(",")[0] for name in CASES}
    wanted = {f"{noun}.{verb}" for noun, verbs in PAGE.items() for verb in verbs.split()}
    assert wanted - tested == set()
