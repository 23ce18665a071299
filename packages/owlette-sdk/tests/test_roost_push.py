"""Pushes as they should go: what is sent, which way, and what is published."""

from __future__ import annotations

import hashlib
import inspect
import os
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest
from push_cases import CHUNK, ROOST, files_in, old, options
from small_owlette import SITE, TOKEN, SmallOwlette

import roost._push.cache
from roost import NotFoundError, PullOptions, RetryPolicy, Roost, RoostSync
from roost.resources.roosts import PushProgressEvent

# ---- the first push, and the next


async def test_the_first_push(owlette: SmallOwlette, client: Roost, dist: Path) -> None:
    async with client:
        result = await client.roosts.push(dist, ROOST, options(description="first"))
    assert owlette.files(ROOST) == files_in(dist)
    assert result.version_id == result.current_version_id == owlette.roosts[ROOST].head
    assert (result.version_number, result.previous_version_id) == (1, None)
    stats = result.stats
    assert (stats.file_count, stats.total_chunks, stats.unique_chunks) == (3, 7, 4)
    assert stats.uploaded_chunks == 4
    assert stats.total_bytes == sum(map(len, files_in(dist).values()))
    assert owlette.kinds() == ["head", "check", "mint", *["put"] * 4, "publish"]


async def test_what_is_sent(owlette: SmallOwlette, client: Roost, dist: Path) -> None:
    told = {"name": "Lobby", "targets": ["m-1"], "extract_path": "C:\\Lobby", "description": "ü"}
    async with client:
        result = await client.roosts.push(str(dist), ROOST, options(**told))
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
    owlette: SmallOwlette, client: Roost, dist: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old(dist, monkeypatch)
    async with client:
        first = await client.roosts.push(dist, ROOST, options())
        owlette.asked.clear()
        second = await client.roosts.push(dist, ROOST, options())
        # nothing is read, nothing is asked about: the server looks at the chunks itself
        assert owlette.kinds() == ["head", "publish"]
        assert (second.version_id, second.version_number) == (first.version_id, 1)
        assert second.stats.uploaded_chunks == 0
        assert second.stats.unique_chunks == first.stats.unique_chunks
        owlette.asked.clear()
        third = await client.roosts.push(dist, ROOST, options(cache=False))
        assert owlette.kinds() == ["head", "check", "publish"]
        assert third.version_id == first.version_id


async def test_only_what_changed_is_uploaded(
    owlette: SmallOwlette, client: Roost, dist: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old(dist, monkeypatch)
    async with client:
        first = await client.roosts.push(dist, ROOST, options())
        with (dist / "sub" / "big.bin").open("r+b") as file:
            file.seek(CHUNK)
            file.write(b"other")
        result = await client.roosts.push(dist, ROOST, options())
    assert result.stats.uploaded_chunks == 1
    assert (result.version_number, result.previous_version_id) == (2, first.version_id)
    assert owlette.files(ROOST) == files_in(dist)


async def test_empty_files_if_they_are_wanted(
    owlette: SmallOwlette, client: Roost, dist: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with client:
        await client.roosts.push(dist, ROOST, options())
        assert "1 empty files are left out" in caplog.text
        result = await client.roosts.push(dist, ROOST, options(include_empty=True))
    assert owlette.files(ROOST) == files_in(dist, empty=True)
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
    owlette: SmallOwlette, client: Roost, dist: Path, wrong: dict[str, Any]
) -> None:
    async with client:
        with pytest.raises(ValueError, match=r"concurrency|description"):
            await client.roosts.push(dist, ROOST, options(**wrong))
    assert owlette.asked == []


async def test_patterns_leave_files_out(owlette: SmallOwlette, client: Roost, dist: Path) -> None:
    async with client:
        await client.roosts.push(dist, ROOST, options(ignore=["*.bin"]))
    assert set(owlette.files(ROOST)) == {"a.txt"}


async def test_names_that_cannot_be_are_refused_before_anything_is_sent(
    owlette: SmallOwlette, client: Roost, dist: Path
) -> None:
    (dist / "aux.txt").write_text("x")
    async with client:
        with pytest.raises(ValueError, match=r"aux\.txt: Windows keeps the name"):
            await client.roosts.push(dist, ROOST, options())
    assert owlette.asked == []


# ---- ways that the bytes go


async def test_through_a_transport_of_the_callers(owlette: SmallOwlette, dist: Path) -> None:
    seen: list[str] = []

    class Watching(httpx.AsyncHTTPTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            seen.append(request.method)
            return await super().handle_async_request(request)

    async with Roost(token=TOKEN, api_url=owlette.url, transport=Watching()) as client:
        await client.roosts.push(dist, ROOST, options())
        await client.roosts.push(dist, ROOST, options())
    assert seen.count("PUT") == 4
    assert len(seen) == len(owlette.asked)
    assert owlette.files(ROOST) == files_in(dist)


async def test_through_the_proxy_of_the_environment(
    owlette: SmallOwlette, client: Roost, dist: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # nobody listens there: what goes by way of the proxy fails
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", owlette.url.removeprefix("http://"))
    async with Roost(token=TOKEN, api_url=owlette.url) as proxied:
        quick = proxied.with_options(retry=RetryPolicy(max_attempts=1))
        with pytest.raises(OSError, match="PUT"):
            await quick.roosts.push(dist, ROOST, options())
    assert "put" not in owlette.kinds()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with client:
        await client.roosts.push(dist, ROOST, options())
    assert owlette.files(ROOST) == files_in(dist)


def test_without_asyncio(owlette: SmallOwlette, dist: Path) -> None:
    told: list[PushProgressEvent] = []
    with RoostSync(token=TOKEN, api_url=owlette.url) as client:
        client.roosts.push(dist, ROOST, options(on_progress=told.append))
    assert owlette.files(ROOST) == files_in(dist)
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


# ---- the plan


async def test_a_plan_tells_and_does_nothing(
    owlette: SmallOwlette, client: Roost, dist: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old(dist, monkeypatch)
    if hasattr(os, "symlink"):
        (dist / "link").symlink_to("/")
    async with client:
        plan = await client.roosts.plan(dist, ROOST, options())
        assert owlette.kinds() == ["head", "check"]
        assert (plan.is_current, plan.calls) == (False, 4)
        assert plan.stats.uploaded_chunks == 4
        assert plan.upload_bytes == 2 * CHUNK + 3 + 11
        assert plan.new == ["a.txt", "sub/big.bin", "sub/copy.bin"]
        assert plan.skipped == {"link": "a link that leads out of the folder"}
        before = len(owlette.asked)
        result = await client.roosts.push(dist, ROOST, options())
        made = [each.kind for each in owlette.asked[before:] if each.kind != "put"]
        assert len(made) == plan.calls
        assert result.version_id == plan.version_id
        plan = await client.roosts.plan(dist, ROOST, options())
        assert (plan.is_current, plan.upload_bytes, plan.new, plan.calls) == (True, 0, [], 2)
        (dist / "a.txt").write_text("another")
        plan = await client.roosts.plan(dist, ROOST, options())
        assert (plan.is_current, plan.new, plan.upload_bytes) == (False, ["a.txt"], 7)


# ---- the loop


async def test_nothing_blocks_the_loop(
    owlette: SmallOwlette, client: Roost, dist: Path, monkeypatch: pytest.MonkeyPatch
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
        with pytest.raises(NotFoundError):  # the first request imports what it needs
            await client.roosts.get(ROOST, site_id=SITE)
        for name in ("scandir", "stat", "replace", "makedirs", "fsync"):
            watching(os, name)
        watching(roost._push.cache.HashCache, "load")
        watching(roost._push.cache.HashCache, "save")
        watching(hashlib, "sha256")
        await client.roosts.push(dist, ROOST, options())
        await client.roosts.pull(ROOST, "current", dist / "out", PullOptions(SITE))
    assert [each for each in caught if "/roost/" in each] == []
