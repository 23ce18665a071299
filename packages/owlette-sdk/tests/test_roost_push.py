"""Pushes as they should go: what is sent, what is told, what is published, what is remembered."""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from small_owlette import SITE, TOKEN, SmallOwlette

import roost._push
import roost._push.cache
from roost import PushOptions, Roost, RoostSync
from roost.resources.roosts import PushProgressEvent

CHUNK = 4 * 1024 * 1024
ROOST = "rst_abc"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "dist"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.txt").write_bytes(b"hello world")
    (folder / "sub" / "big.bin").write_bytes(os.urandom(CHUNK) + os.urandom(CHUNK) + b"end")
    (folder / "sub" / "copy.bin").write_bytes((folder / "sub" / "big.bin").read_bytes())
    (folder / "empty.txt").touch()
    return folder


def options(**more: Any) -> PushOptions:
    return PushOptions(site_id=SITE, **more)


def files_in(root: Path, *, empty: bool = False) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): content
        for path in root.rglob("*")
        if path.is_file() and ((content := path.read_bytes()) or empty)
    }


def old(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all files be old enough to be remembered."""
    latest = max(max(each.stat().st_mtime_ns, each.stat().st_ctime_ns) for each in root.rglob("*"))
    ahead = latest + roost._push.cache.GRAIN_NS + 1 - time.time_ns()
    real = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: real() + max(0, ahead) + 10**9)


# ---- the first push, and the next


async def test_the_first_push(owlette: SmallOwlette, client: Roost, root: Path) -> None:
    async with client:
        result = await client.roosts.push(root, ROOST, options(description="first"))
    assert owlette.files(ROOST) == files_in(root)
    assert result.version_id == result.current_version_id == owlette.roosts[ROOST].head
    assert (result.version_number, result.previous_version_id) == (1, None)
    stats = result.stats
    assert (stats.file_count, stats.total_chunks, stats.unique_chunks) == (3, 7, 4)
    assert stats.uploaded_chunks == 4
    assert stats.total_bytes == sum(map(len, files_in(root).values()))
    assert owlette.kinds() == ["head", "check", "mint", *["put"] * 4, "publish"]


async def test_what_is_sent(owlette: SmallOwlette, client: Roost, root: Path) -> None:
    told = {"name": "Lobby", "targets": ["m-1"], "extract_path": "C:\\Lobby", "description": "ü"}
    async with client:
        result = await client.roosts.push(str(root), ROOST, options(**told))
    head, check, mint, *puts, publish = owlette.asked
    assert (head.path, head.query) == ("/api/roosts/rst_abc", {"siteId": SITE})
    assert check.json == {"siteId": SITE, "hashes": check.json["hashes"]}
    assert mint.json == check.json
    for put in puts:
        names = {"host", "accept-encoding", "content-type", "content-length"}
        assert set(put.headers) == names
        assert put.headers["content-type"] == "application/octet-stream"
        assert put.query["sig"] == "sEcReTsIgNaTuRe/="  # as it was signed
    body = publish.json
    assert publish.headers["idempotency-key"].startswith("py-sdk-push-")
    version = body.pop("version")
    assert body == {
        "siteId": SITE,
        "expectedCurrentVersionId": None,
        "name": "Lobby",
        "targets": ["m-1"],
        "extractPath": "C:\\Lobby",
        "description": "ü",
    }
    assert set(version) == {"schemaVersion", "mediaType", "config", "files"}
    assert version["config"] == {}
    assert [each["path"] for each in version["files"]] == ["a.txt", "sub/big.bin", "sub/copy.bin"]
    assert result.version_id == owlette.roosts[ROOST].head


async def test_the_same_folder_again_is_the_same_version(
    owlette: SmallOwlette, client: Roost, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old(root, monkeypatch)
    async with client:
        first = await client.roosts.push(root, ROOST, options())
        owlette.asked.clear()
        second = await client.roosts.push(root, ROOST, options())
        # nothing is read, nothing is asked about: the server looks at the chunks itself
        assert owlette.kinds() == ["head", "publish"]
        assert (second.version_id, second.version_number) == (first.version_id, 1)
        assert second.stats.uploaded_chunks == 0
        assert second.stats.unique_chunks == first.stats.unique_chunks
        owlette.asked.clear()
        third = await client.roosts.push(root, ROOST, options(cache=False))
        assert owlette.kinds() == ["head", "check", "publish"]
        assert third.version_id == first.version_id


async def test_only_what_changed_is_uploaded(
    owlette: SmallOwlette, client: Roost, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old(root, monkeypatch)
    async with client:
        first = await client.roosts.push(root, ROOST, options())
        with (root / "sub" / "big.bin").open("r+b") as file:
            file.seek(CHUNK)
            file.write(b"other")
        result = await client.roosts.push(root, ROOST, options())
    assert result.stats.uploaded_chunks == 1
    assert (result.version_number, result.previous_version_id) == (2, first.version_id)
    assert owlette.files(ROOST) == files_in(root)


async def test_empty_files_if_they_are_wanted(
    owlette: SmallOwlette, client: Roost, root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with client:
        await client.roosts.push(root, ROOST, options())
        assert "1 empty files are left out" in caplog.text
        result = await client.roosts.push(root, ROOST, options(include_empty=True))
    assert owlette.files(ROOST) == files_in(root, empty=True)
    assert result.stats.file_count == 4


async def test_a_folder_without_anything(client: Roost, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    async with client:
        with pytest.raises(ValueError, match="no non-empty files found under"):
            await client.roosts.push(tmp_path / "nothing", ROOST, options())
        (tmp_path / "nothing" / "empty").touch()
        with pytest.raises(ValueError, match="no non-empty files found under"):
            await client.roosts.push(tmp_path / "nothing", ROOST, options())
        result = await client.roosts.push(tmp_path / "nothing", ROOST, options(include_empty=True))
        assert result.stats.total_chunks == 0
        with pytest.raises(FileNotFoundError):
            await client.roosts.push(tmp_path / "nowhere", ROOST, options())


@pytest.mark.parametrize("wrong", [{"concurrency": 0}, {"description": "x" * 501}])
async def test_options_that_make_no_sense(
    owlette: SmallOwlette, client: Roost, root: Path, wrong: dict[str, Any]
) -> None:
    async with client:
        with pytest.raises(ValueError, match=r"concurrency|description"):
            await client.roosts.push(root, ROOST, options(**wrong))
    assert owlette.asked == []


async def test_patterns_leave_files_out(owlette: SmallOwlette, client: Roost, root: Path) -> None:
    async with client:
        await client.roosts.push(root, ROOST, options(ignore=["*.bin"]))
    assert set(owlette.files(ROOST)) == {"a.txt"}


async def test_names_that_cannot_be_are_refused_before_anything_is_sent(
    owlette: SmallOwlette, client: Roost, root: Path
) -> None:
    (root / "aux.txt").write_text("x")
    async with client:
        with pytest.raises(ValueError, match=r"aux\.txt: Windows keeps the name"):
            await client.roosts.push(root, ROOST, options())
    assert owlette.asked == []


# ---- ways that the bytes go


async def test_through_a_transport_of_the_callers(owlette: SmallOwlette, root: Path) -> None:
    seen: list[str] = []

    class Watching(httpx.AsyncHTTPTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            seen.append(request.method)
            return await super().handle_async_request(request)

    async with Roost(token=TOKEN, api_url=owlette.url, transport=Watching()) as client:
        await client.roosts.push(root, ROOST, options())
        await client.roosts.push(root, ROOST, options())
    assert seen.count("PUT") == 4
    assert len(seen) == len(owlette.asked)
    assert owlette.files(ROOST) == files_in(root)


async def test_through_the_proxy_of_the_environment(
    owlette: SmallOwlette, client: Roost, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the storage stands for a proxy: what goes by way of it has the whole URL for a path
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", owlette.url.removeprefix("http://"))
    async with Roost(token=TOKEN, api_url=owlette.url) as proxied:
        quick = proxied.with_options(retry=roost.RetryPolicy(max_attempts=1))
        with pytest.raises(OSError, match="PUT"):
            await quick.roosts.push(root, ROOST, options())
    assert "put" not in owlette.kinds()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with client:
        await client.roosts.push(root, ROOST, options())
    assert owlette.files(ROOST) == files_in(root)


def test_without_asyncio(owlette: SmallOwlette, root: Path) -> None:
    told: list[PushProgressEvent] = []
    with RoostSync(token=TOKEN, api_url=owlette.url) as client:
        client.roosts.push(root, ROOST, options(on_progress=told.append))
    assert owlette.files(ROOST) == files_in(root)
    assert told


@pytest.mark.parametrize("unique", [1, 999, 1000, 1001, 2500])
async def test_calls_of_the_api(
    owlette: SmallOwlette, client: Roost, tmp_path: Path, unique: int
) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(unique):
        (folder / str(number)).write_text(f"content {number}")
    async with client:
        result = await client.roosts.push(folder, ROOST, options())
    assert result.stats.unique_chunks == result.stats.uploaded_chunks == unique
    calls = sum(each.kind != "put" for each in owlette.asked)
    assert calls <= 2 * -(-unique // 1000) + 3
    assert owlette.kinds().count("put") == unique


# ---- what is told


async def test_events_are_told_in_order(owlette: SmallOwlette, client: Roost, root: Path) -> None:
    told: list[Any] = []
    async with client:
        await client.roosts.push(root, ROOST, options(on_progress=told.append))
    size = sum(map(len, files_in(root).values()))
    shown = [
        (
            each.phase,
            *[getattr(each, name) for name in each.__dataclass_fields__ if name != "phase"],
        )
        for each in told
    ]
    big = 2 * CHUNK + 3
    assert shown == [
        ("discover", 3, size),
        ("hash", "a.txt", 0, 3, 0, size),
        ("hash", "sub/big.bin", 1, 3, 11, size),
        ("hash", "sub/copy.bin", 2, 3, 11 + big, size),
        ("hash", "", 3, 3, size, size),
        ("check-missing", 4, 4),
        ("upload", 4, 4),
    ]


async def test_uploads_are_told_of_every_four_chunks(
    owlette: SmallOwlette, client: Roost, tmp_path: Path
) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(10):
        (folder / str(number)).write_text(str(number))
    told: list[Any] = []
    async with client:
        await client.roosts.push(folder, ROOST, options(on_progress=told.append, concurrency=1))
    uploads = [(each.uploaded, each.total) for each in told if each.phase == "upload"]
    assert uploads[-1] == (10, 10)
    assert uploads in ([(4, 10), (8, 10), (10, 10)], [(1, 10), (4, 10), (8, 10), (10, 10)])


def _sync(seen: list[str]) -> Callable[[PushProgressEvent], object]:
    return lambda event: seen.append(event.phase)


def _async(seen: list[str]) -> Callable[[PushProgressEvent], object]:
    async def told(event: PushProgressEvent) -> None:
        await asyncio.sleep(0.001)
        seen.append(event.phase)

    return told


def _object(seen: list[str]) -> Callable[[PushProgressEvent], object]:
    class Telling:
        async def __call__(self, event: PushProgressEvent) -> None:
            await asyncio.sleep(0)
            seen.append(event.phase)

    return Telling()


@pytest.mark.parametrize("make", [_sync, _async, _object])
async def test_callbacks_of_every_kind(
    owlette: SmallOwlette,
    client: Roost,
    root: Path,
    make: Callable[[list[str]], Callable[[PushProgressEvent], Any]],
) -> None:
    seen: list[str] = []
    async with client:
        await client.roosts.push(root, ROOST, options(on_progress=make(seen)))
    assert seen == ["discover", "hash", "hash", "hash", "hash", "check-missing", "upload"]


@pytest.mark.parametrize("phase", ["discover", "hash", "check-missing", "upload"])
@pytest.mark.parametrize("waits", [False, True])
async def test_what_a_callback_raises_ends_the_push(
    owlette: SmallOwlette, client: Roost, root: Path, phase: str, *, waits: bool
) -> None:
    def told(event: PushProgressEvent) -> None:
        if event.phase == phase:
            raise ZeroDivisionError

    async def told_later(event: PushProgressEvent) -> None:
        await asyncio.sleep(0)
        told(event)

    async with client:
        with pytest.raises(ZeroDivisionError):
            await client.roosts.push(
                root, ROOST, options(on_progress=told_later if waits else told)
            )
    assert "publish" not in owlette.kinds()


# ---- the plan


async def test_a_plan_tells_and_does_nothing(
    owlette: SmallOwlette, client: Roost, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old(root, monkeypatch)
    if hasattr(os, "symlink"):
        (root / "link").symlink_to("/")
    async with client:
        plan = await client.roosts.plan(root, ROOST, options())
        assert owlette.kinds() == ["head", "check"]
        assert (plan.is_current, plan.calls) == (False, 4)
        assert plan.stats.uploaded_chunks == 4
        assert plan.upload_bytes == 2 * CHUNK + 3 + 11
        assert plan.new == ["a.txt", "sub/big.bin", "sub/copy.bin"]
        assert plan.skipped == {"link": "a link that leads out of the folder"}
        before = len(owlette.asked)
        result = await client.roosts.push(root, ROOST, options())
        made = [each.kind for each in owlette.asked[before:] if each.kind != "put"]
        assert len(made) == plan.calls
        assert result.version_id == plan.version_id
        plan = await client.roosts.plan(root, ROOST, options())
        assert (plan.is_current, plan.upload_bytes, plan.new, plan.calls) == (True, 0, [], 2)
        (root / "a.txt").write_text("another")
        plan = await client.roosts.plan(root, ROOST, options())
        assert (plan.is_current, plan.new, plan.upload_bytes) == (False, ["a.txt"], 7)


# ---- what is remembered


async def test_files_that_are_too_young_are_not_remembered(
    owlette: SmallOwlette, client: Roost, root: Path
) -> None:
    async with client:
        await client.roosts.push(root, ROOST, options())
        # within the same tick of a clock: as large, and as old
        before = (root / "a.txt").stat()
        (root / "a.txt").write_bytes(b"HELLO WORLD")
        os.utime(root / "a.txt", ns=(before.st_atime_ns, before.st_mtime_ns))
        await client.roosts.push(root, ROOST, options())
    assert owlette.files(ROOST)["a.txt"] == b"HELLO WORLD"


async def test_a_file_that_looks_the_same_is_read_if_its_inode_was_changed(
    owlette: SmallOwlette, client: Roost, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old(root, monkeypatch)
    async with client:
        await client.roosts.push(root, ROOST, options())
        before = (root / "a.txt").stat()
        await asyncio.sleep(0.02)
        (root / "a.txt").write_bytes(b"HELLO WORLD")
        os.utime(root / "a.txt", ns=(before.st_atime_ns, before.st_mtime_ns))
        await client.roosts.push(root, ROOST, options())
    assert owlette.files(ROOST)["a.txt"] == b"HELLO WORLD"


@pytest.mark.parametrize("damage", [b"", b"nonsense" * 1000, None])
async def test_a_damaged_cache_is_done_without(
    owlette: SmallOwlette,
    client: Roost,
    root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    damage: bytes | None,
) -> None:
    old(root, monkeypatch)
    cache = tmp_path / "cache.sqlite"
    async with client:
        await client.roosts.push(root, ROOST, options(cache=cache))
        content = cache.read_bytes()
        cache.write_bytes(content[: len(content) // 2] if damage is None else damage)
        for _ in range(2):
            await client.roosts.push(root, ROOST, options(cache=cache))
            assert owlette.files(ROOST) == files_in(root)
        assert owlette.kinds()[-2:] == ["head", "publish"], "it was made anew"


async def test_a_cache_that_cannot_be_written(
    owlette: SmallOwlette, client: Roost, root: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    async with client:
        await client.roosts.push(root, ROOST, options(cache=tmp_path / "file" / "x.sqlite"))
    assert owlette.files(ROOST) == files_in(root)


async def test_the_cache_is_in_the_users_folder_and_can_be_left_out(
    owlette: SmallOwlette,
    client: Roost,
    root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    old(root, monkeypatch)
    async with client:
        await client.roosts.push(root, ROOST, options(cache=False))
        assert not (tmp_path / "cache").exists()
        await client.roosts.push(root, ROOST, options())
    assert roost._push.cache.default_path().exists()
    assert TOKEN.encode() not in roost._push.cache.default_path().read_bytes()


# ---- the loop


async def test_nothing_blocks_the_loop(
    owlette: SmallOwlette, client: Roost, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files are touched in threads only: what touches one in the loop is caught."""
    loop_thread = threading.get_ident()
    caught: list[str] = []

    def watching(module: Any, name: str) -> None:
        real = getattr(module, name)

        def watched(*args: Any, **options: Any) -> Any:
            if threading.get_ident() == loop_thread:
                caught.append(f"{name}{args} by {inspect.stack()[1].filename}")
            return real(*args, **options)

        monkeypatch.setattr(module, name, watched)

    async with client:
        with pytest.raises(roost.NotFoundError):  # the first request imports what it needs
            await client.roosts.get(ROOST, site_id=SITE)
        for name in ("scandir", "stat", "replace", "makedirs", "fsync"):
            watching(os, name)
        watching(roost._push.cache.HashCache, "load")
        watching(roost._push.cache.HashCache, "save")
        watching(hashlib, "sha256")
        await client.roosts.push(root, ROOST, options())
        await client.roosts.pull(ROOST, "current", root / "out", roost.PullOptions(SITE))
    assert [each for each in caught if "/roost/" in each] == []
