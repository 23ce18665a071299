"""What a new Owlette has: two sites with machines, people, a roost with two versions, and so on."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from opssim.core.store import JsonObject
from opssim.owlette import installer, installer_deployments, publishing, rollouts
from opssim.owlette.chunks import chunk_key
from opssim.owlette.credentials import EVERYTHING, KEYS, USERS, Caller, make_key
from opssim.owlette.endpoint import Body, Call
from opssim.owlette.machines import blank_machine
from opssim.owlette.processes import blank_process
from opssim.owlette.sites import blank_site
from opssim.owlette.telling import queue
from opssim.owlette.users import blank_user
from opssim.owlette.world import SITES, World

SITE: Final = "site-1"
SECOND_SITE: Final = "site-2"
ROOST: Final = "rst_lobby_wall"
OWNER: Final = "usr_owner"
_CHUNK: Final = 4 * 1024 * 1024
_PEOPLE: Final = (
    ("usr_admin", "ada@example.com", "admin", "Ada Admin"),
    ("usr_member", "max@example.com", "member", "Max Member"),
    ("usr_night", "nia@example.com", "member", "Nia Night"),
)
_PROGRAMS: Final = (
    ("player", "C:\\Player\\player.exe"),
    ("sensor bridge", "C:\\Tools\\bridge.exe"),
)


def fill(world: World, *, key: str, machines: int, seed: int) -> None:
    """Fill an Owlette that has nothing; the same seed fills it with the same."""
    rng = random.Random(f"owlette-sample-{seed}")
    caller = _people(world, key)
    for site_id, name, count in (
        (SITE, "Lobby and gallery", machines),
        (SECOND_SITE, "Warehouse", max(1, machines // 4)),
    ):
        world.database.put(
            SITES, site_id, blank_site(site_id, name, owner=OWNER, created=world.stamp())
        )
        _machines(world, site_id, count, rng)
        world.audit(site_id, OWNER, "site_mutated", site_id, verb="create")
    _roost(world, caller, rng)
    _installers(world, caller)
    _webhook(world)


def files(seed: int) -> Mapping[str, bytes]:
    """Return a small folder to push: paths and bytes."""
    rng = random.Random(f"owlette-folder-{seed}")
    return {
        "index.html": b"<!doctype html>\n<title>Lobby wall</title>\n<img src=media/loop.bin>\n",
        "settings.json": b'{"loop": true, "volume": 0.4}\n',
        "media/loop.bin": rng.randbytes(6_000_000),
        "media/still.bin": rng.randbytes(400_000),
    }


def write_folder(folder: Path, seed: int) -> None:
    """Write the small folder to push."""
    for path, body in files(seed).items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)


def _people(world: World, key: str) -> Caller:
    now = world.stamp()
    owner = blank_user(OWNER, "owner@example.com", "superadmin", created=now, name="Olga Owner")
    owner["sites"] = [SITE, SECOND_SITE]
    world.database.put(USERS, OWNER, owner)
    for uid, email, role, name in _PEOPLE:
        user = blank_user(uid, email, role, created=now, name=name)
        user["sites"] = [SITE]
        world.database.put(USERS, uid, user)
    made = make_key(
        world.database,
        OWNER,
        name="sandbox",
        scopes=EVERYTHING,
        now=world.now(),
        days=365,
        environment="test",
        text=key,
    )
    return Caller(owner, made.document)


def _machines(world: World, site_id: str, count: int, rng: random.Random) -> None:
    place = f"{SITES}/{site_id}/machines"
    for number in range(1, count + 1):
        machine_id = f"{'m' if site_id == SITE else 'w'}-{number:02}"
        machine = blank_machine(machine_id, site_id, f"screen {number:02}", now=world.stamp())
        world.database.put(place, machine_id, machine)
        world.log(site_id, "machine_online", machineId=machine_id, machineName=machine["name"])
        token: JsonObject = {
            "id": f"agt_{machine_id}",
            "machineId": machine_id,
            "version": machine["agentVersion"],
            "createdBy": OWNER,
            "createdAt": world.stamp(),
            "lastUsed": world.stamp(),
            "expiresAt": None,
            "agentUid": f"agent_{machine_id}",
        }
        world.database.put(f"{SITES}/{site_id}/agent-tokens", token["id"], token)
        for at, (name, path) in enumerate(_PROGRAMS):
            process = blank_process(f"proc_{machine_id}_{at}", name, path, now=world.stamp())
            process |= {
                "launch_mode": "always",
                "autolaunch": True,
                "status": "running",
                "pid": rng.randrange(1000, 60_000),
                "responsive": True,
            }
            world.database.put(f"{place}/{machine_id}/processes", process["processId"], process)


def _roost(world: World, caller: Caller, rng: random.Random) -> None:
    """Publish two versions to half of the machines; the second has one file more."""
    machines = [each["id"] for each in world.database.documents(f"{SITES}/{SITE}/machines")]
    targets = machines[: max(1, len(machines) // 2)]
    first = {"index.html": b"<!doctype html>\n<p>soon\n", "media/intro.bin": rng.randbytes(200_000)}
    second = {**first, "readme.txt": b"the wall in the lobby\n"}
    for number, content in enumerate((first, second), 1):
        settings = {"name": "Lobby wall", "targets": targets, "description": f"build {number}"}
        version_id = publish(world, caller, SITE, ROOST, content, **settings)
        for machine in targets:
            rollouts.report(world, SITE, ROOST, machine, version_id, "committed")
        for machine in targets:
            place = f"{SITES}/{SITE}/machines/{machine}/pending"
            for command in world.database.documents(place):
                world.database.delete(place, command["commandId"])


def publish(
    world: World,
    caller: Caller,
    site_id: str,
    roost_id: str,
    content: Mapping[str, bytes],
    **settings: Any,
) -> str:
    """Store files as chunks and publish them, as a client would, and return the version's id."""
    entries: list[JsonObject] = []
    for path, file in sorted(content.items()):
        chunks = _stored(world, site_id, file)
        entries.append({"path": path, "size": len(file), "chunks": chunks})
    sent: JsonObject = {
        "siteId": site_id,
        "version": {
            "schemaVersion": 2,
            "mediaType": "application/vnd.owlette.version.v1+json",
            "config": {},
            "files": entries,
        },
        **settings,
    }
    body: Body = msgspec.convert(sent, publishing.Publish)
    call = Call(world, {"roostId": roost_id}, {}, body, sent, caller, world.site(site_id))
    return str(publishing.publish(call).data["versionId"])


def publish_next(world: World) -> None:
    """Publish another build of the sample roost, as its owner would."""
    user = world.database.get(USERS, OWNER)
    number = world.database.count(f"{SITES}/{SITE}/roosts/{ROOST}/versions") + 1
    if user is None:
        msg = "the owner of the sample is gone"
        raise ValueError(msg)
    content = {"index.html": f"<!doctype html>\n<p>build {number}\n".encode()}
    caller = Caller(user, world.database.documents(KEYS)[0])
    publish(world, caller, SITE, ROOST, content, description=f"build {number}")


def _stored(world: World, site_id: str, body: bytes) -> Sequence[JsonObject]:
    chunks: list[JsonObject] = []
    for at in range(0, len(body), _CHUNK):
        part = body[at : at + _CHUNK]
        digest = hashlib.sha256(part).hexdigest()
        world.database.put_object(chunk_key(site_id, digest), part)
        chunks.append({"hash": digest, "size": len(part)})
    return chunks


def _installers(world: World, caller: Caller) -> None:
    for version in ("2.3.0", "2.4.0", "2.4.1"):
        document = installer.release(
            world, version, f"Owlette {version}".encode() * 64, by=OWNER, notes=f"Owlette {version}"
        )
    installer.promote(world, document, by=OWNER)
    sent = {
        "name": "codecs",
        "installer_name": "codecs.exe",
        "installer_url": "https://downloads.example.com/codecs.exe",
        "silent_flags": "/S",
        "machines": ["m-01"],
    }
    body = msgspec.convert(sent, installer_deployments.NewDeployment)
    call = Call(world, {}, {}, body, sent, caller, world.site(SITE))
    made = installer_deployments.create(call).data
    installer_deployments.report(world, SITE, made["deploymentId"], "m-01", "completed")
    place = f"{SITES}/{SITE}/machines/m-01/pending"
    for command in world.database.documents(place):
        world.database.delete(place, command["commandId"])


def _webhook(world: World) -> None:
    """Add a webhook that has been told of something once."""
    now = world.stamp()
    webhook: JsonObject = {
        "id": "wh_sample000000000001",
        "siteId": SITE,
        "url": "https://hooks.example.com/owlette",
        "events": ["version.published"],
        "description": "a sample, which is paused",
        "paused": True,
        "createdAt": now,
        "updatedAt": now,
        "lastDeliveryAt": now,
        "lastDeliveryStatus": "succeeded",
        "failureCount": 0,
        "deletedAt": None,
        "signingSecret": f"whsec_{hashlib.sha256(b'sample').hexdigest()}",
    }
    world.database.put(f"{SITES}/{SITE}/webhooks", webhook["id"], webhook)
    delivery = queue(world, webhook, "dlv_sample000000001", "version.published", b"{}")
    delivery |= {"state": "succeeded", "attempt": 1, "lastStatus": 200, "completedAt": now}
    delivery["nextAttemptAt"] = None
    place = f"{SITES}/{SITE}/webhooks/{webhook['id']}/deliveries"
    world.database.put(place, delivery["id"], delivery)
