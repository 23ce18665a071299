"""The SDK against the simulated Owlette: every method once, and every answer of the promised type.

The simulator was written from the API's contract and knows nothing of the SDK, so that each is a
second reading of the other.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, get_type_hints, is_typeddict

import msgspec
import pytest

import opssim
from opssim.owlette import OwletteHabits, OwletteSimulator, sample
from roost import (
    ApiKeyScope,
    ConflictError,
    DeployOptions,
    NotFoundError,
    PermissionDeniedError,
    PullOptions,
    PushOptions,
    RetryPolicy,
    RollbackOptions,
    Roost,
    RoostApiError,
    WebhookReceiver,
)

P = ParamSpec("P")
T = TypeVar("T")
SITE = sample.SITE
ROOST = sample.ROOST
Running = opssim.Running[OwletteSimulator]


@pytest.fixture
def owlette() -> Generator[Running]:
    with opssim.serve(OwletteSimulator(pace_s=0.01, webhook_delay_s=0.05)) as running:
        yield running


def client_of(running: Running, token: str | None = None) -> Roost:
    """Return a client that does not wait long before it tries again."""
    retry = RetryPolicy(base_delay_s=0.01, max_delay_s=0.05)
    return Roost(token=token or running.simulator.key, api_url=running.url, retry=retry)


async def checked(method: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a method, and see to it that what it returns is what its annotation promises."""
    answer = await method(*args, **kwargs)
    promised = get_type_hints(method)["return"]
    if is_typeddict(promised):
        msgspec.convert(answer, promised)
    return answer


def run(running: Running, body: Callable[[Roost], Coroutine[Any, Any, None]]) -> None:
    """Run a test with a client."""

    async def main() -> None:
        async with client_of(running) as client:
            await body(client)

    asyncio.run(main())


def folder(tmp_path: Path) -> Path:
    """Return a folder to push."""
    made = tmp_path / "wall"
    sample.write_folder(made, 7)
    return made


def test_account_and_keys(owlette: Running) -> None:
    async def body(client: Roost) -> None:
        me = await client.account.whoami()
        assert (me.role, me.primary_site_id) == ("superadmin", SITE)
        assert me.key is not None
        assert (await client.account.version()).current == "2026-04-22"
        made = await checked(client.account.api_keys.create, name="ci")
        assert made["keyId"] in {key.id for key in await client.account.api_keys.list()}
        await client.account.api_keys.revoke(made["keyId"])
        key = await checked(
            client.keys.create, name="bot", scopes=[ApiKeyScope("site", SITE, ["read"])]
        )
        rotated = await checked(client.keys.rotate, key["id"])
        assert rotated["previousKey"]["keyId"] == key["id"]
        with pytest.raises(ConflictError):
            await client.keys.rotate(key["id"])
        await client.keys.revoke(rotated["keyId"])
        found = {each.id: each for each in await client.keys.list()}
        assert found[rotated["keyId"]].revoked_at is not None
        async with client_of(owlette, key["key"]) as other:
            assert [site.id for site in await other.sites.list()] == [SITE]
            with pytest.raises(PermissionDeniedError):
                await other.chunks.check(SITE, ["0" * 64])

    run(owlette, body)


def test_sites_members_users_and_quotas(owlette: Running) -> None:
    async def body(client: Roost) -> None:
        made = await checked(client.sites.create, "site-3", name="Third", timezone="UTC")
        assert made["owner"] == sample.OWNER
        assert (await checked(client.sites.update, "site-3", name="3rd"))["changed"]
        assert (await client.sites.get("site-3")).name == "3rd"
        members = client.members("site-3")
        await checked(members.add, "usr_member", role="admin")
        assert {each.uid: each.role for each in await members.list()} == {
            sample.OWNER: "owner",
            "usr_member": "admin",
        }
        assert (await checked(members.remove, "usr_member"))["wasMember"]
        await checked(client.sites.delete, "site-3")
        with pytest.raises(NotFoundError):
            await client.sites.get("site-3")
        users = await client.users.list(page_size=2)
        assert len(users["users"]) == 2
        assert users["next_page_token"]
        assert (await checked(client.users.promote, "usr_night", "admin"))["changed"]
        assert (await checked(client.users.demote, "usr_night"))["previousRole"] == "admin"
        await checked(client.users.assign_sites, "usr_night", ["site-2"])
        assert "site-2" in (await client.users.get("usr_night")).sites
        await checked(client.users.remove_sites, "usr_night", ["site-2"])
        assert (await checked(client.users.delete, "usr_night"))["alreadyDeleted"] is False
        assert (await client.quotas.current(SITE)).used_bytes > 0
        history = await checked(client.quotas.history, SITE, "7d")
        assert len(history["daily"]) == 7

    run(owlette, body)


def test_roosts_and_versions(owlette: Running, tmp_path: Path) -> None:
    async def body(client: Roost) -> None:
        made = await client.roosts.create(site_id=SITE, name="Door", targets=["m-01"])
        await checked(client.roosts.patch, made.roost_id, site_id=SITE, name="Front door")
        assert (await client.roosts.get(made.roost_id, site_id=SITE)).name == "Front door"
        await checked(client.roosts.remove, made.roost_id, site_id=SITE)
        names = [each.name async for each in client.roosts.list(site_id=SITE)]
        assert names == ["Lobby wall"]
        options = PushOptions(SITE, description="from here")
        plan = await client.roosts.plan(folder(tmp_path), ROOST, options)
        assert len(plan.new) == 4
        pushed = await client.roosts.push(folder(tmp_path), ROOST, options)
        assert pushed.version_number == 3
        again = await client.roosts.push(folder(tmp_path), ROOST, options)
        assert (again.version_id, again.stats.uploaded_chunks) == (pushed.version_id, 0)
        versions = [each async for each in client.versions.list(ROOST, site_id=SITE)]
        assert [each["versionNumber"] for each in versions] == [3, 2, 1]
        for ref in ("current", "#3", 3, "v3", pushed.version_id):
            found = await checked(client.versions.get, ROOST, ref, site_id=SITE)
            assert found["versionNumber"] == 3
        patched = await checked(
            client.versions.patch, ROOST, "#3", site_id=SITE, description="better"
        )
        assert patched["description"] == "better"
        files = [each async for each in client.versions.files(ROOST, 3, site_id=SITE, page_size=1)]
        assert len(files) == 4
        diff = await checked(client.versions.diff, ROOST, "current", site_id=SITE, against="first")
        assert diff["summary"]["hasChanges"]
        back = tmp_path / "back"
        await client.roosts.pull(ROOST, "current", back, PullOptions(SITE))
        compared = await client.roosts.verify(ROOST, "current", back, PullOptions(SITE))
        assert compared.is_equal
        assert (back / "media/loop.bin").read_bytes() == sample.files(7)["media/loop.bin"]
        await checked(client.roosts.version_url, ROOST, pushed.version_id, site_id=SITE)

    run(owlette, body)


def test_rollouts(owlette: Running, tmp_path: Path) -> None:
    async def body(client: Roost) -> None:
        options = PushOptions(SITE, targets=["m-01", "m-02", "m-03"])
        pushed = await client.roosts.push(folder(tmp_path), ROOST, options)
        done = await client.deployments.wait(
            ROOST, pushed.version_id, site_id=SITE, timeout=20, interval=0.02
        )
        assert done["stage"] == "complete"
        msgspec.convert(done, get_type_hints(client.deployments.wait)["return"])
        deployed = await client.roosts.deploy(ROOST, DeployOptions(SITE, machines=["m-04"]))
        assert (deployed.stage, deployed.canary) == ("canary", ["m-04"])
        back = await client.roosts.rollback(ROOST, RollbackOptions(SITE))
        assert back.current_version_number == 2
        assert (await checked(client.roosts.resync, ROOST, site_id=SITE))["resynced"] == 3
        held = await client.machines.deployments(SITE, "m-01")
        assert [each.roost_id for each in held] == [ROOST]

    run(owlette, body)


def test_chunks(owlette: Running, tmp_path: Path) -> None:
    async def body(client: Roost) -> None:
        await client.roosts.push(folder(tmp_path), "rst_other_one", PushOptions(SITE))
        manifest = await client.versions.get("rst_other_one", "current", site_id=SITE)
        digest = manifest["version"]["files"][0]["chunks"][0]["hash"]
        assert await client.chunks.check(SITE, [digest, "0" * 64]) == ["0" * 64]
        await checked(client.chunks.upload_urls, SITE, [digest])
        await checked(client.chunks.download_urls, SITE, [digest])
        await checked(
            client.chunks.mount, digest, site_id=SITE, from_roost="rst_other_one", to_roost=ROOST
        )
        found = [each async for each in client.chunks.referrers(digest, site_id=SITE)]
        assert {each["source"] for each in found} == {"version", "mount"}

    run(owlette, body)


def test_machines_and_processes(
    owlette: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("roost.resources.machines._PACE_S", 0.02)

    async def body(client: Roost) -> None:
        assert len(await client.machines.list(SITE)) == 8
        machine = await client.machines.get(SITE, "m-02")
        assert machine.online
        sent = await checked(client.machines.dispatch_command, SITE, "m-02", "reboot_machine")
        state = await client.machines.wait_for_command(SITE, "m-02", sent["commandId"])
        assert state["status"] == "completed"
        picture = await client.machines.capture_screenshot(
            SITE, "m-02", download_to=tmp_path / "screen.png"
        )
        assert picture.startswith(b"\x89PNG")
        assert (tmp_path / "screen.png").read_bytes() == picture
        assert (await checked(client.machines.delete_screenshots, SITE, "m-02"))["deleted"] == 1
        processes = client.processes(SITE, "m-02")
        made = await checked(processes.create, name="clock", exe_path="C:\\clock.exe")
        process_id = made["processId"]
        await processes.update(process_id, priority="High")
        block = {"days": ["mon"], "ranges": [{"start": "08:00", "stop": "18:00"}]}
        await checked(processes.schedule, process_id, mode="scheduled", blocks=[block])
        await processes.set_launch_mode(process_id, "always")
        for control in (processes.start, processes.restart, processes.stop, processes.kill):
            command = await checked(control, process_id)
            await client.machines.wait_for_command(SITE, "m-02", command["commandId"])
        assert (await processes.get(process_id)).status == "stopped"
        assert (await checked(processes.delete, process_id))["alreadyDeleted"] is False
        assert len(await processes.list()) == 2

    run(owlette, body)


def test_installers(owlette: Running, tmp_path: Path) -> None:
    setup = tmp_path / "Owlette-2.5.0.exe"
    setup.write_bytes(b"MZ" * 5000)

    async def body(client: Roost) -> None:
        uploaded = await checked(client.installer.upload, setup, version="2.5.0")
        assert uploaded["file_size"] == 10_000
        assert (await client.installer.latest()).version == "2.5.0"
        await checked(client.installer.set_latest, "2.4.1")
        await checked(client.installer.delete, "2.5.0")
        assert len((await client.installer.list())["versions"]) == 3
        deployments = client.installer_deployments
        owlette.simulator.break_machine("m-02")
        made = await checked(
            deployments.create,
            SITE,
            name="codecs",
            installer_name="codecs.exe",
            installer_url="https://downloads.example.com/codecs.exe",
            silent_flags="/S",
            machines=["m-01", "m-02"],
        )
        found = await deployments.get(SITE, made["deploymentId"])
        while found.status == "in_progress":
            await asyncio.sleep(0.02)
            found = await deployments.get(SITE, made["deploymentId"])
        assert found.status == "partial_failed"
        owlette.simulator.mend_machine("m-02")
        retried = await checked(deployments.retry, SITE, made["deploymentId"])
        assert retried.get("retried") == 1
        while (found := await deployments.get(SITE, made["deploymentId"])).status != "completed":
            await asyncio.sleep(0.02)
        queued = await checked(deployments.uninstall, SITE, made["deploymentId"])
        assert queued.get("queued") == 2
        while (found := await deployments.get(SITE, made["deploymentId"])).status != "uninstalled":
            await asyncio.sleep(0.02)
        await checked(deployments.delete, SITE, made["deploymentId"])
        assert len((await deployments.list(SITE))["items"]) == 1

    run(owlette, body)


class _Hook(BaseHTTPRequestHandler):
    """Keeps what it is told, and fails the first time."""

    told: list[tuple[dict[str, str], bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.told.append((dict(self.headers.items()), body))
        self.send_response(500 if len(self.told) == 1 else 200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002


def test_webhooks(owlette: Running, tmp_path: Path) -> None:
    class Hook(_Hook):
        told: list[tuple[dict[str, str], bytes]] = []  # noqa: RUF012 - of this test alone

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}/"

    async def body(client: Roost) -> None:
        made = await checked(client.webhooks.subscribe, SITE, url, ["version.published"], "here")
        await checked(client.webhooks.update, made["id"], SITE, description=None)
        rotated = await checked(client.webhooks.rotate_secret, made["id"], SITE)
        await client.roosts.push(folder(tmp_path), ROOST, PushOptions(SITE))
        page = await client.webhooks.deliveries(made["id"], SITE)
        while page["deliveries"][0]["state"] == "pending":
            await asyncio.sleep(0.02)
            page = await checked(client.webhooks.deliveries, made["id"], SITE)
        assert page["deliveries"][0]["attempt"] == 2
        receiver = WebhookReceiver([made["signingSecret"], rotated["signingSecret"]])
        event = receiver.receive(*Hook.told[0])
        assert event is not None
        assert (event.event, event.data["versionNumber"]) == ("version.published", 3)
        assert receiver.receive(*Hook.told[1]) is None  # the same, told again
        delivery_id = page["deliveries"][0]["id"]
        await checked(client.webhooks.delivery, made["id"], delivery_id, SITE)
        await checked(client.webhooks.retry_delivery, made["id"], delivery_id, SITE)
        probed = await checked(client.webhooks.probe, SITE, "machine.offline", url=url)
        assert probed["status"] == 200
        assert {each.id for each in await client.webhooks.list(SITE)} >= {made["id"]}
        await checked(client.webhooks.get, made["id"], SITE)
        await checked(client.webhooks.remove, made["id"], SITE)

    try:
        run(owlette, body)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize("ui_stream", [True, False])
def test_chat_and_events(ui_stream: bool) -> None:
    async def body(client: Roost) -> None:
        made = await checked(client.chat.new, site_id=SITE, title="How are you?")
        conversation = made["conversationId"]
        words = [word async for word in client.chat.send(conversation, "Who is online — wer?")]
        assert len(words) > 5
        assert "".join(words).startswith("You asked: Who is online — wer? 8 of 8 machines")
        await checked(client.chat.rename, conversation, "Then")
        (row,) = (await client.chat.list())["conversations"]
        assert (row.title, row.message_count) == ("Then", 2)
        await checked(client.chat.delete, conversation)
        stream: AsyncGenerator[Any, None] = client.events.stream(SITE, ["machine.offline"])
        first = await anext(stream)
        assert first.event == "connected"
        assert first.data["transportOnly"] is True
        await stream.aclose()

    habits = OwletteHabits(ui_stream=ui_stream)
    with opssim.serve(OwletteSimulator(habits=habits)) as running:
        run(running, body)


def test_logs_presets_and_tokens(owlette: Running) -> None:
    async def body(client: Roost) -> None:
        logs = client.logs(SITE)
        records = [each async for each in logs.list(page_size=3)]
        assert len(records) >= 8
        assert (await logs.get(records[0].id)).id == records[0].id
        deleted = await checked(logs.delete, machine_id="m-01")
        assert deleted["deletedCount"] >= 1
        audit = client.audit_log(SITE)
        entries = [each async for each in audit.list(kind="roost_mutated")]
        detail = await audit.get(entries[0].hash)
        assert detail.verification is not None
        assert detail.verification.ok
        presets = client.presets(SITE)
        for kind in (presets.schedule, presets.reboot):
            made = await kind.create({"name": "night"})
            await kind.update(made["presetId"], {"name": "day"})
            assert [each["name"] for each in await kind.list()] == ["day"]
            await kind.delete(made["presetId"])
        tokens = client.agent_tokens(SITE)
        assert len(await tokens.list()) == 8
        assert (await checked(tokens.revoke, machine_id="m-01"))["revokedCount"] == 1

    run(owlette, body)


def test_faults_are_survived(owlette: Running, tmp_path: Path) -> None:
    """A push goes through 503s, rate limits, URLs that are refused, and an answer that is lost."""
    faults = owlette.simulator.faults
    faults.add(opssim.Fault("/chunks/check", status=503, times=1))
    headers = {"Retry-After": "1"}
    faults.add(opssim.Fault("/chunks/upload-urls", status=429, times=1, headers=headers))
    faults.add(opssim.Fault("/versions$", method="POST", lose=True, times=1))

    async def body(client: Roost) -> None:
        pushed = await client.roosts.push(folder(tmp_path), ROOST, PushOptions(SITE))
        assert pushed.version_number == 3
        roost = await client.roosts.get(ROOST, site_id=SITE)
        assert (roost.current_version_id, roost.version_counter) == (pushed.version_id, 3)

    run(owlette, body)
    paths = owlette.simulator.requests.statuses(f"/api/roosts/{ROOST}/versions")
    assert paths[201] + paths[200] >= 1


def test_wrong_tokens_and_ids_are_clear_errors(owlette: Running) -> None:
    async def body(client: Roost) -> None:
        async with client_of(owlette, "owk_live_wrong") as stranger:
            with pytest.raises(RoostApiError) as raised:
                await stranger.account.whoami()
            assert (raised.value.status, raised.value.code) == (401, "unauthorized")
            assert raised.value.request_id
        with pytest.raises(NotFoundError, match="site not found or no access"):
            await client.machines.list("nowhere")

    run(owlette, body)
