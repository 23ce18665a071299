"""Pulls that end early: files are whole or as they were, and the next pull goes on."""

from __future__ import annotations

import asyncio
import errno
import itertools
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from push_cases import CHUNK, ROOST, files_in, pushed
from small_owlette import SITE, TOKEN, Reply, Request, SmallOwlette

from roost import (
    PullError,
    PullOptions,
    Roost,
    RoostTransportError,
    TransferError,
)
from roost._push import assembly

OPTIONS = PullOptions(SITE)


async def test_a_full_disk(
    owlette: SmallOwlette,
    client: Roost,
    tree: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    room = [2 * CHUNK + 50]
    real = assembly._write_all  # pyright: ignore[reportPrivateUsage]

    def write(file: Any, at: int, content: bytes) -> None:
        room[0] -= len(content)
        if room[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device", file.name)
        real(file, at, content)

    monkeypatch.setattr(assembly, "_write_all", write)
    async with client:
        await pushed(client, tree)
        with pytest.raises(PullError, match="make some and pull again"):
            await client.roosts.pull(ROOST, 1, tmp_path / "there", PullOptions(SITE, concurrency=1))
        for path, content in files_in(tmp_path / "there", empty=True).items():
            assert path.startswith(".roost-pull/") or content == files_in(tree, empty=True)[path]
        room[0] = 99 * CHUNK
        owlette.asked.clear()
        await client.roosts.pull(ROOST, 1, tmp_path / "there", OPTIONS)
    assert files_in(tmp_path / "there", empty=True) == files_in(tree, empty=True)
    assert owlette.kinds().count("get") < 5, "what had been fetched was kept"


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits of processes")
async def test_a_file_that_is_too_large_for_the_system(
    owlette: SmallOwlette, client: Roost, tree: Path, tmp_path: Path
) -> None:
    async with client:
        await pushed(client, tree)
    code = (
        "import resource, signal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({CHUNK}, {CHUNK}))\n{PULL}"
    )
    done = await asyncio.to_thread(_run, code, owlette, tmp_path / "there")
    assert "PullError: there is no room for" in done.stderr
    done = await asyncio.to_thread(_run, PULL, owlette, tmp_path / "there")
    assert done.returncode == 0, done.stderr
    assert files_in(tmp_path / "there", empty=True) == files_in(tree, empty=True)


PULL = """
import asyncio, sys
from roost import PullOptions, Roost

async def main():
    async with Roost(token=sys.argv[1], api_url=sys.argv[2]) as client:
        await client.roosts.pull("rst_abc", 1, sys.argv[3], PullOptions("site-1"))

asyncio.run(main())
"""


def _run(code: str, owlette: SmallOwlette, there: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, TOKEN, owlette.url, str(there)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("often", [10, pytest.param(50, marks=pytest.mark.long)])
async def test_killed_at_any_moment_it_goes_on(
    owlette: SmallOwlette, client: Roost, tmp_path: Path, often: int
) -> None:
    """Kills, from the first request to the last file: files are whole or as they were."""
    chance = random.Random(7)
    tree, there = tmp_path / "dist", tmp_path / "there"
    old = {f"{number:02}.bin": chance.randbytes(1000) for number in range(20)}
    tree.mkdir()
    for number in range(40):
        (tree / f"{number:02}.bin").write_bytes(chance.randbytes(chance.randrange(1, 300_000)))
    (tree / "big.bin").write_bytes(chance.randbytes(3 * CHUNK))
    async with client:
        await pushed(client, tree)
    wanted = files_in(tree, empty=True)
    owlette.faults.append(_slowly)
    kills = rounds = 0
    while kills < often:
        rounds += 1
        if (there / "big.bin").exists() or not there.exists():
            subprocess.run(["rm", "-rf", str(there)], check=True)
            there.mkdir()
            for name, content in old.items():
                (there / name).write_bytes(content)
        command = [sys.executable, "-c", PULL, TOKEN, owlette.url, str(there)]
        seen = len(owlette.asked)
        process = subprocess.Popen(command)
        end = time.monotonic() + 30
        # from when it has begun, which takes as long as Python takes
        while len(owlette.asked) == seen and time.monotonic() < end:
            await asyncio.sleep(0.002)
        await asyncio.sleep(chance.random() * 0.25)
        kills += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
        for name, content in files_in(there, empty=True).items():
            if not name.startswith(".roost-pull/"):
                assert content in {wanted[name], old.get(name)}, f"{name} is torn"
    owlette.faults.clear()
    done = await asyncio.to_thread(_run, PULL, owlette, there)
    assert done.returncode == 0, done.stderr
    assert files_in(there, empty=True) == wanted
    async with Roost(token=TOKEN, api_url=owlette.url) as again:
        assert (await again.roosts.verify(ROOST, 1, there, OPTIONS)).is_equal


def _slowly(request: Request) -> None:
    if request.kind == "get":
        time.sleep(0.02)


async def test_what_was_fetched_is_not_fetched_again(
    owlette: SmallOwlette, client: Roost, tree: Path, tmp_path: Path
) -> None:
    count = itertools.count()

    def fault(request: Request) -> Reply | None:
        return Reply(400) if request.kind == "get" and next(count) == 3 else None

    owlette.faults.append(fault)
    there = tmp_path / "there"
    async with client:
        await pushed(client, tree)
        with pytest.raises(TransferError, match="GET with 400"):
            await client.roosts.pull(ROOST, 1, there, PullOptions(SITE, concurrency=1))
        owlette.asked.clear()
        result = await client.roosts.pull(ROOST, 1, there, OPTIONS)
    assert result.fetched_chunks == owlette.kinds().count("get") == 2
    assert files_in(there, empty=True) == files_in(tree, empty=True)


@pytest.mark.parametrize("own_transport", [False, True])
async def test_cancelling_leaves_no_thread_and_no_connection(
    owlette: SmallOwlette, client: Roost, tree: Path, tmp_path: Path, *, own_transport: bool
) -> None:
    async with client:
        await pushed(client, tree)
    reached, over = threading.Event(), threading.Event()

    def fault(request: Request) -> None:
        if request.kind == "get":
            reached.set()
            over.wait(10)

    owlette.faults.append(fault)
    transport = httpx.AsyncHTTPTransport() if own_transport else None
    async with Roost(token=TOKEN, api_url=owlette.url, transport=transport) as other:
        pulling = asyncio.ensure_future(other.roosts.pull(ROOST, 1, tmp_path / "there", OPTIONS))
        await asyncio.to_thread(reached.wait, 10)
        pulling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await pulling
    over.set()
    assert not [each for each in threading.enumerate() if each.name.startswith("roost-")]
    assert await asyncio.to_thread(owlette.is_left)


async def test_no_answer(client: Roost, owlette: SmallOwlette, tree: Path, tmp_path: Path) -> None:
    async with client:
        await pushed(client, tree)
        owlette.storage_url = "http://127.0.0.1:9"
        with pytest.raises(RoostTransportError, match="GET"):
            await client.roosts.pull(ROOST, 1, tmp_path / "there", OPTIONS)
