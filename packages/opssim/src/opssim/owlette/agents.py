"""Simulated machines: they take what they are sent, do it step by step, and report."""

from __future__ import annotations

import hashlib
import random
import struct
import zlib
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, Final

from opssim.core.store import JsonObject, decode
from opssim.owlette import installer_deployments
from opssim.owlette.chunks import chunk_key
from opssim.owlette.credentials import millis
from opssim.owlette.machines import screenshot_path
from opssim.owlette.rollouts import report
from opssim.owlette.versions import manifest_key
from opssim.owlette.world import SITES, World

#: Chunks that a machine fetches at each step.
_AT_ONCE: Final = 16
_HEARTBEAT_MS: Final = 5000
_WIDTH: Final = 64
_HEIGHT: Final = 36


class _FailedError(Exception):
    """What a machine was told to do did not work."""


@dataclass(slots=True)
class Agents:
    """All machines of all sites.

    Attributes:
        fail_rate: the part of pulls and installations that fail.
    """

    world: World
    fail_rate: float = 0.0
    seed: int = 7
    _doing: dict[tuple[str, str, str], Generator[None]] = field(
        default_factory=dict[tuple[str, str, str], Generator[None]]
    )
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(f"agents-{self.seed}")

    def step(self) -> bool:
        """Let every machine that is online do one step, and tell whether any did."""
        busy = False
        for site in self.world.database.documents(SITES):
            for machine in self.world.database.documents(f"{SITES}/{site['id']}/machines"):
                if machine["online"]:
                    busy = self._step(site["id"], machine) or busy
        return busy

    def _step(self, site_id: str, machine: JsonObject) -> bool:
        self._beat(site_id, machine)
        place = f"{SITES}/{site_id}/machines/{machine['id']}/pending"
        command = next(iter(self.world.database.documents(place)), None)
        if command is None:
            return False
        key = (site_id, machine["id"], command["commandId"])
        if key not in self._doing:  # new, or under way when the process was killed
            self._doing[key] = self._do(site_id, machine, command)
        with self.world.database.transaction():
            try:
                next(self._doing[key])
            except StopIteration:
                del self._doing[key]
        return True

    def _beat(self, site_id: str, machine: JsonObject) -> None:
        if millis(self.world.now()) - machine.get("beat", 0) < _HEARTBEAT_MS:
            return
        place = f"{SITES}/{site_id}/machines"
        with self.world.database.transaction():
            now = self.world.database.get(place, machine["id"])  # it may have changed, or gone
            if now is None:
                return
            now["beat"] = millis(self.world.now())
            now["lastHeartbeat"] = self.world.stamp()
            now["metrics"]["cpu"] = round(self._random.uniform(2, 60), 1)
            self.world.database.put(place, machine["id"], now)

    def _do(self, site_id: str, machine: JsonObject, command: JsonObject) -> Generator[None]:
        """Do what a command says, one step at a time, and put it to those that are done."""
        place = f"{SITES}/{site_id}/machines/{machine['id']}"
        self._put(f"{place}/pending", {**command, "status": "in_progress"})
        yield
        results: dict[str, Any] = {"status": "completed"}
        try:
            doing = self._handler(command["type"])(site_id, machine, command["payload"])
            results["result"] = yield from doing
        except _FailedError as failure:
            results = {"status": "failed", "error": str(failure)}
        if self.world.database.delete(f"{place}/pending", command["commandId"]):
            self._put(f"{place}/completed", {**command, **results})
        level = "info" if results["status"] == "completed" else "error"
        self.world.log(
            site_id,
            f"{command['type']}_{results['status']}",
            level,
            machineId=machine["id"],
            machineName=machine["name"],
            details=results.get("error"),
        )

    def _put(self, place: str, command: JsonObject) -> None:
        command["updatedAt"] = self.world.stamp()
        self.world.database.put(place, command["commandId"], command)

    def _handler(self, kind: str) -> Callable[..., Generator[None, None, Any]]:
        return {
            "sync_pull": self._pull,
            "install_software": self._install,
            "uninstall_software": self._uninstall,
            "capture_screenshot": self._screenshot,
            "start_process": self._start,
            "restart_process": self._start,
            "stop_process": self._end,
            "kill_process": self._end,
        }.get(kind, self._obey)

    def _obey(
        self, _site: str, machine: JsonObject, _payload: JsonObject
    ) -> Generator[None, None, Any]:
        yield
        return {"ok": True, "machine": machine["id"]}

    def _fails(self, site_id: str, machine: JsonObject) -> bool:
        now = self.world.database.get(f"{SITES}/{site_id}/machines", machine["id"]) or machine
        return bool(now.get("broken")) or self._random.random() < self.fail_rate

    # ---- versions

    def _pull(
        self, site_id: str, machine: JsonObject, order: JsonObject
    ) -> Generator[None, None, Any]:
        """Fetch a version chunk by chunk, put its files together, and report on the way."""
        roost_id, version_id = order["roost_id"], order["version_id"]

        def tell(status: str, **more: Any) -> None:
            report(self.world, site_id, roost_id, machine["id"], version_id, status, **more)

        tell("pending")
        yield
        try:
            yield from self._fetch(site_id, machine, order, tell)
        except _FailedError as failure:
            tell("failed", error=str(failure)[:500])
            raise
        return "synced"  # a text, which nobody gets to see

    def _fetch(
        self, site_id: str, machine: JsonObject, order: JsonObject, tell: Callable[..., None]
    ) -> Generator[None]:
        database = self.world.database
        roost_id, version_id = order["roost_id"], order["version_id"]
        raw = database.object(manifest_key(site_id, roost_id, version_id))
        if raw is None:
            msg = "the manifest is gone"
            raise _FailedError(msg)
        manifest = decode(raw)
        files: list[JsonObject] = manifest["files"]
        check_files(files)
        disk = f"{SITES}/{site_id}/machines/{machine['id']}/disk"
        before = database.get(disk, roost_id) or {"chunks": [], "files": []}
        wanted = list(dict.fromkeys(each["hash"] for file in files for each in file["chunks"]))
        held = set(before["chunks"])
        missing = [digest for digest in wanted if digest not in held]
        counts: dict[str, int] = {
            "chunks_total": len(wanted),
            "chunks_dedup": len(wanted) - len(missing),
            "files_total": len(files),
        }
        for at in range(0, len(missing), _AT_ONCE):
            tell("downloading", chunks_fetched=at, **counts)
            yield
            for digest in missing[at : at + _AT_ONCE]:
                body = database.object(chunk_key(site_id, digest))
                if body is None or hashlib.sha256(body).hexdigest() != digest:
                    msg = f"the chunk {digest[:12]} is missing or damaged"
                    raise _FailedError(msg)
        tell("assembling", chunks_fetched=len(missing), **counts)
        yield
        if self._fails(site_id, machine):
            msg = "the disk cannot be written"
            raise _FailedError(msg)
        kept = {
            "versionId": version_id,
            "chunks": wanted,
            "files": [each["path"] for each in files],
        }
        database.put(disk, roost_id, kept)
        tell("committed", chunks_fetched=len(missing), **counts)

    # ---- programs

    def _install(
        self, site_id: str, machine: JsonObject, order: JsonObject
    ) -> Generator[None, None, Any]:
        deployment_id = order["deployment_id"]
        for status in ("downloading", "installing"):
            installer_deployments.report(self.world, site_id, deployment_id, machine["id"], status)
            yield
        failed = self._fails(site_id, machine)
        more = {"error": "the installer ended with 1603"} if failed else {}
        status = "failed" if failed else "completed"
        installer_deployments.report(
            self.world, site_id, deployment_id, machine["id"], status, **more
        )
        if failed:
            raise _FailedError(more["error"])
        return {"installed": True}

    def _uninstall(
        self, site_id: str, machine: JsonObject, order: JsonObject
    ) -> Generator[None, None, Any]:
        yield
        if "deployment_id" in order:
            installer_deployments.report(
                self.world, site_id, order["deployment_id"], machine["id"], "uninstalled"
            )
        return {"uninstalled": True}

    # ---- the rest

    def _screenshot(
        self, site_id: str, machine: JsonObject, order: JsonObject
    ) -> Generator[None, None, Any]:
        yield
        picture = png(machine["id"])
        path = screenshot_path(site_id, machine["id"], millis(self.world.now()), "png")
        self.world.database.put_object(path, picture)
        place = f"{SITES}/{site_id}/machines/{machine['id']}/screenshots"
        self.world.database.put(place, path, {"storagePath": path})
        monitor = order.get("monitor", "all")
        return {
            "storage_path": path,
            "url": f"{self.world.urls.base}/{path}",
            "size_kb": max(1, len(picture) // 1024),
            "monitor": monitor if isinstance(monitor, int) else 0,
            "monitor_count": machine["monitors"],
        }

    def _start(
        self, site_id: str, machine: JsonObject, order: JsonObject
    ) -> Generator[None, None, Any]:
        yield
        running = {"status": "running", "pid": self._random.randrange(1000, 60_000)}
        return self._set_process(site_id, machine, order, {**running, "responsive": True})

    def _end(
        self, site_id: str, machine: JsonObject, order: JsonObject
    ) -> Generator[None, None, Any]:
        yield
        ended = {"status": "stopped", "pid": None, "responsive": None}
        return self._set_process(site_id, machine, order, ended)

    def _set_process(
        self, site_id: str, machine: JsonObject, order: JsonObject, now: JsonObject
    ) -> JsonObject:
        place = f"{SITES}/{site_id}/machines/{machine['id']}/processes"
        process_id = str(order.get("process_id", ""))
        process = self.world.database.get(place, process_id)
        if process is None:
            msg = f"there is no process {process_id}"
            raise _FailedError(msg)
        process |= {**now, "last_updated": self.world.stamp()}
        self.world.database.put(place, process_id, process)
        return {"process_id": process_id, "status": process["status"]}


def check_files(files: list[JsonObject]) -> None:
    """Refuse what an agent refuses to write: strange paths, paths that come twice, wrong sizes."""
    seen: set[str] = set()
    for file in files:
        path: str = file["path"]
        parts = path.replace("\\", "/").split("/")
        is_strange = any(each in {"", ".", ".."} for each in parts) or any(
            each in path for each in ":\0\r\n"
        )
        if is_strange or path in seen:
            msg = f"the path {path[:80]!r} cannot be written, or comes twice"
            raise _FailedError(msg)
        if sum(chunk["size"] for chunk in file["chunks"]) != file["size"]:
            msg = f"the chunks of {path[:80]!r} are not as long as the file"
            raise _FailedError(msg)
        seen.add(path)


def png(name: str) -> bytes:
    """Return a small picture, in a colour of its own for each name."""
    red, green, blue = hashlib.sha256(name.encode()).digest()[:3]
    rows = bytearray()
    for y in range(_HEIGHT):
        rows += b"\0" + bytes(
            value for x in range(_WIDTH) for value in (red, (green + x) % 256, (blue + y) % 256)
        )
    head = struct.pack(">IIBBBBB", _WIDTH, _HEIGHT, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(rows))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )
