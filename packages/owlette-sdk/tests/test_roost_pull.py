"""Pulls and comparisons: equal byte for byte, nothing outside, and whole files or none."""

from __future__ import annotations

import asyncio
import errno
import itertools
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from small_owlette import SITE, TOKEN, Reply, Request, SmallOwlette

from roost import (
    NotFoundError,
    PullError,
    PullOptions,
    PullProgress,
    PushOptions,
    Roost,
    RoostTransportError,
    TransferError,
)
from roost._push import assembly

CHUNK = 4 * 1024 * 1024
ROOST = "rst_abc"
OPTIONS = PullOptions(SITE)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "dist"
    (folder / "sub" / "deep").mkdir(parents=True)
    (folder / "a.txt").write_bytes(b"hello world")
    (folder / "empty").touch()
    (folder / "sub" / "big.bin").write_bytes(os.urandom(2 * CHUNK + 99))
    (folder / "sub" / "deep" / "copy.bin").write_bytes((folder / "sub" / "big.bin").read_bytes())
    (folder / "ü b.txt").write_text("ü")
    return folder


async def pushed(client: Roost, root: Path) -> str:
    options = PushOptions(site_id=SITE, include_empty=True, cache=False)
    return (await client.roosts.push(root, ROOST, options)).version_id


def files_in(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }


async def test_a_pull_and_a_comparison(
    owlette: SmallOwlette, client: Roost, root: Path, tmp_path: Path
) -> None:
    there = tmp_path / "new" / "there"
    told: list[PullProgress] = []
    async with client:
        version_id = await pushed(client, root)
        owlette.asked.clear()
        options = PullOptions(SITE, on_progress=told.append)
        result = await client.roosts.pull(ROOST, "current", there, options)
        assert owlette.kinds() == ["version", "mint", *["get"] * 5]
        assert owlette.asked[1].path == "/api/chunks/download-urls"
        assert files_in(there) == files_in(root)
        assert result.version_id == version_id
        assert (result.version_number, result.unchanged, result.fetched_chunks) == (1, 0, 5)
        assert result.written == sorted(files_in(root))
        assert result.fetched_bytes == 2 * CHUNK + 99 + 11 + 2
        last = told[-1]
        assert (last.files_done, last.files_total) == (5, 5)
        assert last.bytes_done == last.bytes_total == sum(map(len, files_in(root).values()))
        assert sorted(each.file for each in told) == result.written
        verified = await client.roosts.verify(ROOST, 1, there, OPTIONS)
        assert verified.is_equal
        assert [*verified.missing, *verified.changed, *verified.extra] == []
    assert not (there / ".roost-pull").exists()


async def test_a_second_pull_fetches_nothing(
    owlette: SmallOwlette, client: Roost, root: Path
) -> None:
    async with client:
        await pushed(client, root)
        owlette.asked.clear()
        stamps = {each: each.stat().st_mtime_ns for each in root.rglob("*")}
        result = await client.roosts.pull(ROOST, 1, root, OPTIONS)
    assert owlette.kinds() == ["version"]
    assert (result.written, result.unchanged, result.fetched_chunks) == ([], 5, 0)
    assert all(
        each.stat().st_mtime_ns == before for each, before in stamps.items() if each.is_file()
    )


async def test_only_what_differs_is_fetched(
    owlette: SmallOwlette, client: Roost, root: Path
) -> None:
    async with client:
        await pushed(client, root)
        expected = files_in(root)
        with (root / "sub" / "big.bin").open("r+b") as file:
            file.seek(CHUNK + 5)
            file.write(b"other")
        with (root / "sub" / "deep" / "copy.bin").open("ab") as file:
            file.write(b"longer")
        (root / "a.txt").unlink()
        (root / "extra.txt").write_text("mine")
        before = await client.roosts.verify(ROOST, 1, root, OPTIONS)
        assert before.missing == ["a.txt"]
        assert before.changed == ["sub/big.bin", "sub/deep/copy.bin"]
        assert before.extra == ["extra.txt"]
        assert not before.is_equal
        result = await client.roosts.pull(ROOST, 1, root, OPTIONS)
        after = await client.roosts.verify(ROOST, 1, root, OPTIONS)
    assert result.fetched_chunks == 2
    assert files_in(root) == {**expected, "extra.txt": b"mine"}
    assert after.is_equal
    assert after.extra == ["extra.txt"]


async def test_through_a_transport_of_the_callers(
    owlette: SmallOwlette, root: Path, tmp_path: Path
) -> None:
    transport = httpx.AsyncHTTPTransport()
    async with Roost(token=TOKEN, api_url=owlette.url, transport=transport) as client:
        await pushed(client, root)
        await client.roosts.pull(ROOST, 1, tmp_path / "there", OPTIONS)
    assert files_in(tmp_path / "there") == files_in(root)


async def test_what_is_not_there(client: Roost, root: Path, tmp_path: Path) -> None:
    async with client:
        with pytest.raises(NotFoundError):
            await client.roosts.pull(ROOST, 1, tmp_path / "there", OPTIONS)
        await pushed(client, root)
        with pytest.raises(FileNotFoundError):
            await client.roosts.verify(ROOST, 1, tmp_path / "nowhere", OPTIONS)
        with pytest.raises(ValueError, match="at least 1: 0"):
            await client.roosts.pull(ROOST, 1, root, PullOptions(SITE, concurrency=0))


# ---- what the storage and the server may do


async def test_a_chunk_that_the_storage_has_lost(
    owlette: SmallOwlette, client: Roost, root: Path, tmp_path: Path
) -> None:
    async with client:
        await pushed(client, root)
        digest = next(each for each, content in owlette.chunks.items() if content == b"hello world")
        del owlette.chunks[digest]
        with pytest.raises(TransferError, match=rf"{digest}: the storage does not have it"):
            await client.roosts.pull(ROOST, 1, tmp_path / "there", OPTIONS)
    assert not (tmp_path / "there" / "a.txt").exists()


@pytest.mark.parametrize("content", [b"HELLO WORLD", b"hello", b"hello world!", b""])
async def test_a_chunk_that_is_another_one(
    owlette: SmallOwlette, client: Roost, root: Path, tmp_path: Path, content: bytes
) -> None:
    async with client:
        await pushed(client, root)
        digest = next(each for each, have in owlette.chunks.items() if have == b"hello world")
        owlette.chunks[digest] = content
        with pytest.raises(TransferError, match="other bytes under this hash"):
            await client.roosts.pull(ROOST, 1, tmp_path / "there", OPTIONS)
    assert not (tmp_path / "there" / "a.txt").exists()


async def test_urls_are_renewed_and_failures_are_tried_again(
    owlette: SmallOwlette, client: Roost, root: Path, tmp_path: Path
) -> None:
    replies = iter([Reply(503), Reply(403), Reply(drops=True)])
    owlette.faults.append(lambda request: next(replies, None) if request.kind == "get" else None)
    async with client:
        await pushed(client, root)
        await client.roosts.pull(ROOST, 1, tmp_path / "there", OPTIONS)
    assert files_in(tmp_path / "there") == files_in(root)


def _tamper(change: Callable[[dict[str, Any]], object], *, id_too: bool) -> Any:
    """Let the server tell of a manifest that is another one."""

    def fault(owlette: SmallOwlette, request: Request) -> Reply | None:
        if request.kind != "version":
            return None
        reply = owlette._version(request)  # pyright: ignore[reportPrivateUsage]
        change(reply.data["version"])
        if id_too:
            reply.data["versionId"] = "vrs_of_another_server"
        return reply

    return fault


async def test_a_manifest_that_is_not_what_its_id_says(
    owlette: SmallOwlette, client: Roost, root: Path, tmp_path: Path
) -> None:
    fault = _tamper(lambda version: version["files"].pop(), id_too=False)
    owlette.faults.append(lambda request: fault(owlette, request))
    async with client:
        await pushed(client, root)
        with pytest.raises(PullError, match="not the one that was published"):
            await client.roosts.pull(ROOST, 1, tmp_path / "there", OPTIONS)
    assert not (tmp_path / "there").exists()


@pytest.mark.parametrize(
    "path",
    ["../out", "/etc/out", "a/../../out", "C:\\out", "a\\..\\..\\out", "", ".roost-pull/x", "sub"],
)
async def test_paths_that_lead_elsewhere_are_refused_before_anything_is_written(
    owlette: SmallOwlette, client: Roost, root: Path, tmp_path: Path, path: str
) -> None:
    fault = _tamper(lambda version: version["files"][0].update(path=path), id_too=True)
    owlette.faults.append(lambda request: fault(owlette, request))
    async with client:
        await pushed(client, root)
        with pytest.raises(PullError, match="cannot be written to a folder"):
            await client.roosts.pull(ROOST, 1, tmp_path / "there", OPTIONS)
    assert not (tmp_path / "there").exists()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"size": 10}, "not as large as it is"),
        ({"chunks": [{"hash": "ab" * 32, "size": 0}]}, "no bytes"),
        ({"chunks": [{"hash": "ab" * 32, "size": 2**40}]}, "or more than"),
    ],
)
async def test_manifests_that_make_no_sense(
    owlette: SmallOwlette,
    client: Roost,
    root: Path,
    tmp_path: Path,
    change: dict[str, Any],
    why: str,
) -> None:
    fault = _tamper(lambda version: version["files"][0].update(change), id_too=True)
    owlette.faults.append(lambda request: fault(owlette, request))
    async with client:
        await pushed(client, root)
        with pytest.raises(PullError, match=why):
            await client.roosts.pull(ROOST, 1, tmp_path / "there", OPTIONS)


# ---- what may be in the folder


async def test_links_that_lead_out_are_not_followed(
    client: Roost, root: Path, tmp_path: Path
) -> None:
    there, outside = tmp_path / "there", tmp_path / "outside"
    there.mkdir()
    (outside / "deep").mkdir(parents=True)
    (there / "sub").symlink_to(outside)
    async with client:
        await pushed(client, root)
        with pytest.raises(PullError, match="leads out of the folder"):
            await client.roosts.pull(ROOST, 1, there, OPTIONS)
        (there / "sub").unlink()
        (there / "inside").mkdir()
        (there / "sub").symlink_to("inside")
        (there / "a.txt").symlink_to(outside / "a.txt")
        await client.roosts.pull(ROOST, 1, there, OPTIONS)
    assert (there / "inside" / "big.bin").read_bytes() == (root / "sub" / "big.bin").read_bytes()
    assert not (there / "a.txt").is_symlink(), "the link is replaced, not what it leads to"
    assert list(outside.iterdir()) == [outside / "deep"]


async def test_a_link_where_the_work_is_done(client: Roost, root: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    (tmp_path / "outside").mkdir()
    (there / ".roost-pull").symlink_to("../outside")
    async with client:
        await pushed(client, root)
        with pytest.raises(PullError, match=r"\.roost-pull is a link"):
            await client.roosts.pull(ROOST, 1, there, OPTIONS)


async def test_something_in_the_way(client: Roost, root: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    async with client:
        await pushed(client, root)
        (there / "a.txt").mkdir(parents=True)
        with pytest.raises(PullError, match="a folder is where a file has to be"):
            await client.roosts.pull(ROOST, 1, there, OPTIONS)
        (there / "a.txt").rmdir()
        (there / "sub").write_text("a file")
        with pytest.raises(PullError, match="a file is where a folder has to be"):
            await client.roosts.pull(ROOST, 1, there, OPTIONS)
        with pytest.raises(PullError, match="cannot be written"):
            await client.roosts.pull(ROOST, 1, root / "a.txt", OPTIONS)


async def test_a_full_disk(
    owlette: SmallOwlette,
    client: Roost,
    root: Path,
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
        await pushed(client, root)
        with pytest.raises(PullError, match="make some and pull again"):
            await client.roosts.pull(ROOST, 1, tmp_path / "there", PullOptions(SITE, concurrency=1))
        for path, content in files_in(tmp_path / "there").items():
            assert path.startswith(".roost-pull/") or content == files_in(root)[path]
        room[0] = 99 * CHUNK
        owlette.asked.clear()
        await client.roosts.pull(ROOST, 1, tmp_path / "there", OPTIONS)
    assert files_in(tmp_path / "there") == files_in(root)
    assert owlette.kinds().count("get") < 5, "what had been fetched was kept"


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits of processes")
async def test_a_file_that_is_too_large_for_the_system(
    owlette: SmallOwlette, client: Roost, root: Path, tmp_path: Path
) -> None:
    async with client:
        await pushed(client, root)
    code = (
        "import resource, signal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({CHUNK}, {CHUNK}))\n{PULL}"
    )
    done = await asyncio.to_thread(_run, code, owlette, tmp_path / "there")
    assert "PullError: there is no room for" in done.stderr
    done = await asyncio.to_thread(_run, PULL, owlette, tmp_path / "there")
    assert done.returncode == 0, done.stderr
    assert files_in(tmp_path / "there") == files_in(root)


# ---- being cut off


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
async def test_killed_at_any_moment_it_goes_on(
    owlette: SmallOwlette, client: Roost, tmp_path: Path
) -> None:
    """Fifty kills, from the first request to the last file: files are whole or as they were."""
    chance = random.Random(7)
    root, there = tmp_path / "dist", tmp_path / "there"
    old = {f"{number:02}.bin": chance.randbytes(1000) for number in range(20)}
    root.mkdir()
    for number in range(40):
        (root / f"{number:02}.bin").write_bytes(chance.randbytes(chance.randrange(1, 300_000)))
    (root / "big.bin").write_bytes(chance.randbytes(3 * CHUNK))
    async with client:
        await pushed(client, root)
    wanted = files_in(root)
    owlette.faults.append(_slowly)
    kills = rounds = 0
    while kills < 50:
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
        for name, content in files_in(there).items():
            if not name.startswith(".roost-pull/"):
                assert content in {wanted[name], old.get(name)}, f"{name} is torn"
    owlette.faults.clear()
    done = await asyncio.to_thread(_run, PULL, owlette, there)
    assert done.returncode == 0, done.stderr
    assert files_in(there) == wanted
    async with Roost(token=TOKEN, api_url=owlette.url) as again:
        assert (await again.roosts.verify(ROOST, 1, there, OPTIONS)).is_equal


def _slowly(request: Request) -> None:
    if request.kind == "get":
        time.sleep(0.02)


async def test_what_was_fetched_is_not_fetched_again(
    owlette: SmallOwlette, client: Roost, root: Path, tmp_path: Path
) -> None:
    count = itertools.count()

    def fault(request: Request) -> Reply | None:
        return Reply(400) if request.kind == "get" and next(count) == 3 else None

    owlette.faults.append(fault)
    there = tmp_path / "there"
    async with client:
        await pushed(client, root)
        with pytest.raises(TransferError, match="GET with 400"):
            await client.roosts.pull(ROOST, 1, there, PullOptions(SITE, concurrency=1))
        owlette.asked.clear()
        result = await client.roosts.pull(ROOST, 1, there, OPTIONS)
    assert result.fetched_chunks == owlette.kinds().count("get") == 2
    assert files_in(there) == files_in(root)


@pytest.mark.parametrize("own_transport", [False, True])
async def test_cancelling_leaves_no_thread_and_no_connection(
    owlette: SmallOwlette, client: Roost, root: Path, tmp_path: Path, *, own_transport: bool
) -> None:
    async with client:
        await pushed(client, root)
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


async def test_no_answer(client: Roost, owlette: SmallOwlette, root: Path, tmp_path: Path) -> None:
    async with client:
        await pushed(client, root)
        owlette.storage_url = "http://127.0.0.1:9"
        with pytest.raises(RoostTransportError, match="GET"):
            await client.roosts.pull(ROOST, 1, tmp_path / "there", OPTIONS)
