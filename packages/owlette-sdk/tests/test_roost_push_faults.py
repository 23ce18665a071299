"""Pushes when something goes wrong: the whole version, or a clear error and a roost as it was."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest
from small_owlette import SITE, TOKEN, Reply, Request, SmallOwlette, refusal

from roost import (
    FileChangedError,
    PreconditionFailedError,
    PushOptions,
    QuotaExceededError,
    RequestDetails,
    RetryPolicy,
    Roost,
    RoostTransportError,
    ServerError,
    TransferError,
    UnreadableError,
    VersionStaleError,
)
from roost._push import hashing, uploading
from roost._push.urls import UrlBook

CHUNK = 4 * 1024 * 1024
ROOST = "rst_abc"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "dist"
    folder.mkdir()
    for number in range(12):
        (folder / f"{number:02}.txt").write_text(f"content {number}")
    return folder


def options(**more: Any) -> PushOptions:
    return PushOptions(site_id=SITE, **more)


def texts(root: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in root.iterdir()}


def once(kind: str, reply: Reply, *, times: int = 1) -> Callable[[Request], Reply | None]:
    """Answer the first requests of a kind with something else."""
    count = itertools.count()
    return lambda request: reply if request.kind == kind and next(count) < times else None


# ---- the storage


@pytest.mark.parametrize("own_transport", [False, True])
async def test_the_key_never_goes_to_the_storage(
    owlette: SmallOwlette, root: Path, caplog: pytest.LogCaptureFixture, *, own_transport: bool
) -> None:
    caplog.set_level(logging.DEBUG)
    seen: list[RequestDetails] = []
    transport = httpx.AsyncHTTPTransport() if own_transport else None
    async with Roost(
        token=TOKEN, api_url=owlette.url, transport=transport, on_request=seen.append
    ) as client:
        await client.roosts.push(root, ROOST, options())
    puts = [each for each in owlette.asked if each.kind == "put"]
    assert len(puts) == 12
    for put in puts:
        assert TOKEN not in str(put.headers)
        assert not any(name.startswith(("authorization", "roost", "idem")) for name in put.headers)
    told = caplog.text + str(seen)
    assert [each.status for each in seen if each.method == "PUT"] == [200] * 12
    assert "sEcReTsIgNaTuRe" not in told
    assert ("HTTP Request: PUT" in told) == own_transport, "httpx logs URLs, too"
    assert TOKEN not in told


async def test_urls_that_have_expired_are_renewed(
    owlette: SmallOwlette, client: Roost, root: Path
) -> None:
    owlette.life_s = -1
    owlette.faults.append(lambda request: _mend(owlette, request))
    async with client:
        await client.roosts.push(root, ROOST, options())
    assert owlette.files(ROOST) == texts(root)
    assert owlette.kinds().count("mint") == 2


def _mend(owlette: SmallOwlette, request: Request) -> None:
    """Give URLs a life from the second time on."""
    if request.kind == "mint" and owlette.kinds().count("mint") > 1:
        owlette.life_s = 3600


@pytest.mark.parametrize("status", [401, 403])
async def test_urls_that_are_refused_again_and_again(
    owlette: SmallOwlette, client: Roost, root: Path, status: int
) -> None:
    refused = Reply(status, content=b"no")
    owlette.faults.append(lambda request: refused if request.kind == "put" else None)
    async with client:
        with pytest.raises(TransferError, match=f"answers PUT with {status}") as raised:
            await client.roosts.push(root, ROOST, options())
    assert raised.value.status == status
    assert "publish" not in owlette.kinds()


async def test_urls_are_renewed_before_they_expire(
    owlette: SmallOwlette, client: Roost, root: Path
) -> None:
    owlette.life_s = 121  # of which the last minute is not used
    clock = itertools.count(0, 40.0)

    class Hurried(UrlBook):
        def __init__(self, ask: Any, life_s: float) -> None:
            super().__init__(ask, life_s, clock=lambda: float(next(clock)))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("roost._push.UrlBook", Hurried)
        async with client:
            await client.roosts.push(root, ROOST, options(concurrency=1))
    assert owlette.kinds().count("mint") > 2
    assert owlette.files(ROOST) == texts(root)


@pytest.mark.parametrize(
    "reply", [Reply(503, content=b""), Reply(500, content=b"x"), Reply(429), Reply(drops=True)]
)
async def test_what_passes_is_tried_again(
    owlette: SmallOwlette, client: Roost, root: Path, reply: Reply
) -> None:
    owlette.faults.append(once("put", reply, times=2))
    async with client:
        result = await client.roosts.push(root, ROOST, options())
    assert owlette.files(ROOST) == texts(root)
    assert result.stats.uploaded_chunks == 12


async def test_a_worker_that_fails_stops_the_others(
    owlette: SmallOwlette, client: Roost, tmp_path: Path
) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(200):
        (folder / str(number)).write_text(f"content {number}")
    count = itertools.count()

    def fault(request: Request) -> Reply | None:
        if request.kind != "put":
            return None
        time.sleep(0.01)
        return Reply(400, content=b"bad") if next(count) == 20 else None

    owlette.faults.append(fault)
    async with client:
        with pytest.raises(TransferError, match="400"):
            await client.roosts.push(folder, ROOST, options())
        sent = owlette.kinds().count("put")
        assert sent < 60
        await asyncio.sleep(0.1)
        assert owlette.kinds().count("put") == sent
        assert "publish" not in owlette.kinds()
        owlette.faults.clear()
        result = await client.roosts.push(folder, ROOST, options())
    assert result.stats.uploaded_chunks < 200, "what was uploaded is found"


async def test_a_storage_that_is_not_there(
    client: Roost, owlette: SmallOwlette, root: Path
) -> None:
    owlette.storage_url = "http://127.0.0.1:9"
    async with client:
        with pytest.raises(
            RoostTransportError, match=r"PUT http://127\.0\.0\.1:9/site-1/"
        ) as raised:
            await client.roosts.push(root, ROOST, options())
    assert "sEcReT" not in str(raised.value)


async def test_no_urls_for_what_is_missing(
    client: Roost, owlette: SmallOwlette, root: Path
) -> None:
    owlette.faults.append(once("mint", Reply(data={"urls": {}, "expiresAt": "x"}), times=99))
    async with client:
        with pytest.raises(TransferError, match="gives no URL"):
            await client.roosts.push(root, ROOST, options())


@pytest.mark.parametrize(
    ("kind", "reply", "error"),
    [
        ("mint", refusal(402, "quota_exceeded"), QuotaExceededError),
        ("check", refusal(500, "internal_error"), ServerError),
        ("head", refusal(503, "service_unavailable"), ServerError),
        ("publish", refusal(503, "service_unavailable"), ServerError),
        ("check", Reply(drops=True), RoostTransportError),
    ],
)
async def test_calls_that_are_refused(
    client: Roost,
    owlette: SmallOwlette,
    root: Path,
    kind: str,
    reply: Reply,
    error: type[Exception],
) -> None:
    owlette.faults.append(once(kind, reply, times=99))
    async with client:
        with pytest.raises(error):
            await client.roosts.push(root, ROOST, options())
    assert ROOST not in owlette.roosts


# ---- files that change


def _changes(owlette: SmallOwlette, kind: str, times: int, change: Callable[[int], object]) -> None:
    """Let something happen when a request of a kind comes."""
    count = itertools.count(1)

    def fault(request: Request) -> None:
        if request.kind == kind and (turn := next(count)) <= times:
            change(turn)

    owlette.faults.append(fault)


@pytest.fixture
def large(root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A large file, of which nothing is kept in memory between hashing and sending."""
    monkeypatch.setattr(uploading, "_KEPT_BYTES", 0)
    file = root / "large.bin"
    with file.open("wb") as opened:
        for _ in range(20):
            opened.write(os.urandom(CHUNK))
    return file


@pytest.mark.parametrize("own_transport", [False, True])
async def test_a_file_that_changes_before_it_is_sent_is_read_again(
    owlette: SmallOwlette, client: Roost, root: Path, large: Path, *, own_transport: bool
) -> None:
    def change(_: int) -> None:
        with large.open("r+b") as opened:
            opened.seek(18 * CHUNK)
            opened.write(b"changed")

    _changes(owlette, "mint", 1, change)
    transport = httpx.AsyncHTTPTransport() if own_transport else None
    async with Roost(token=TOKEN, api_url=owlette.url, transport=transport) as other:
        await (other if own_transport else client).roosts.push(root, ROOST, options())
    await client.close()
    assert owlette.files(ROOST) == texts(root)
    assert all(_hash(content) == digest for digest, content in owlette.chunks.items())


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


async def test_bytes_that_change_with_all_times_as_they_were_are_noticed(
    owlette: SmallOwlette, client: Roost, root: Path, large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # as within a tick of a coarse clock, or through a mapping: no stamp tells of it
    def is_as_it_was(*_: object) -> None: ...

    monkeypatch.setattr(hashing, "_check", is_as_it_was)

    def change(_: int) -> None:
        with large.open("r+b") as opened:
            opened.seek(18 * CHUNK)
            opened.write(b"changed")

    _changes(owlette, "mint", 1, change)
    async with client:
        await client.roosts.push(root, ROOST, options())
    assert owlette.files(ROOST) == texts(root)
    assert all(_hash(content) == digest for digest, content in owlette.chunks.items())


async def test_a_file_that_becomes_shorter_is_read_again(
    owlette: SmallOwlette, client: Roost, root: Path, large: Path
) -> None:
    _changes(owlette, "mint", 1, lambda _: os.truncate(large, 18 * CHUNK + 5))
    async with client:
        await client.roosts.push(root, ROOST, options())
    assert owlette.files(ROOST) == texts(root)


async def test_a_file_that_changes_all_the_time_is_named(
    owlette: SmallOwlette, client: Roost, root: Path, large: Path
) -> None:
    turns: list[int] = []

    def change(turn: int) -> None:
        turns.append(turn)
        with large.open("r+b") as opened:
            opened.seek(19 * CHUNK)
            opened.write(os.urandom(9))

    _changes(owlette, "mint", 99, change)
    async with client:
        with pytest.raises(
            FileChangedError, match=r"^large\.bin changes while it is read"
        ) as raised:
            await client.roosts.push(root, ROOST, options())
    assert raised.value.path == "large.bin"
    assert len(turns) == 3
    assert "publish" not in owlette.kinds()


async def test_a_chunk_of_a_changed_file_is_sent_from_another_one(
    owlette: SmallOwlette, client: Roost, root: Path, large: Path
) -> None:
    (root / "zz copy.bin").write_bytes(large.read_bytes())

    def change(_: int) -> None:
        with large.open("wb") as opened:
            opened.write(b"something else")

    _changes(owlette, "mint", 1, change)
    async with client:
        await client.roosts.push(root, ROOST, options())
    assert owlette.files(ROOST) == texts(root)


async def test_a_file_that_is_gone_is_named(
    owlette: SmallOwlette, client: Roost, root: Path, large: Path
) -> None:
    _changes(owlette, "mint", 1, lambda _: large.unlink())
    async with client:
        with pytest.raises(UnreadableError, match=r"large\.bin: No such file"):
            await client.roosts.push(root, ROOST, options())
    assert "publish" not in owlette.kinds()


# ---- publishing


async def test_somebody_else_is_faster(owlette: SmallOwlette, client: Roost, root: Path) -> None:
    """The version follows theirs, by the head that the server tells of; nothing is sent again."""
    told: list[Any] = []
    other = root.parent / "other"
    other.mkdir()
    (other / "x.txt").write_text("theirs")

    async def meanwhile(event: Any) -> None:
        told.append(event)
        if event.phase == "check-missing":
            async with Roost(token=TOKEN, api_url=owlette.url) as theirs:
                await theirs.roosts.push(other, ROOST, options())

    async with client:
        result = await client.roosts.push(root, ROOST, options(on_progress=meanwhile))
    assert result.version_number == 2
    assert [each.attempt for each in told if each.phase == "publish"] == [1]
    assert owlette.head(ROOST)["parentVersionId"] == result.previous_version_id
    keys = [each.headers["idempotency-key"] for each in owlette.asked if each.kind == "publish"]
    assert len(set(keys)) == 3, "another body, another key"


async def test_somebody_else_is_faster_and_that_is_an_error(
    owlette: SmallOwlette, client: Roost, root: Path
) -> None:
    owlette.faults.append(
        once("publish", refusal(412, "version_stale", detail="current head (abc). re-read"))
    )
    async with client:
        with pytest.raises(VersionStaleError) as raised:
            await client.roosts.push(root, ROOST, options(on_conflict="raise"))
    assert raised.value.current_version_id == "abc"
    assert owlette.kinds().count("publish") == 1


@pytest.mark.parametrize("code", ["version_stale", None])
async def test_a_refusal_that_nothing_explains_is_given_up(
    owlette: SmallOwlette, client: Roost, root: Path, code: str | None
) -> None:
    owlette.faults.append(once("publish", refusal(412, code), times=99))
    async with client:
        with pytest.raises(PreconditionFailedError):
            await client.roosts.push(root, ROOST, options())
    assert owlette.kinds().count("publish") == 5


async def test_another_412_is_raised_at_once(
    owlette: SmallOwlette, client: Roost, root: Path
) -> None:
    owlette.faults.append(once("publish", refusal(412, "checksum_mismatch"), times=99))
    async with client:
        with pytest.raises(PreconditionFailedError):
            await client.roosts.push(root, ROOST, options())
    assert owlette.kinds().count("publish") == 1


async def test_chunks_that_vanish_are_uploaded_again(
    owlette: SmallOwlette, client: Roost, root: Path
) -> None:
    _changes(owlette, "publish", 1, lambda _: [owlette.chunks.popitem() for _ in range(3)])
    async with client:
        result = await client.roosts.push(root, ROOST, options())
    assert owlette.files(ROOST) == texts(root)
    assert result.stats.uploaded_chunks == 15
    keys = {each.headers["idempotency-key"] for each in owlette.asked if each.kind == "publish"}
    assert len(keys) == 1, "the same body, the same key"


async def test_chunks_that_vanish_for_ever(
    owlette: SmallOwlette, client: Roost, root: Path
) -> None:
    _changes(owlette, "publish", 99, lambda _: owlette.chunks.popitem())
    async with client:
        with pytest.raises(PreconditionFailedError) as raised:
            await client.roosts.push(root, ROOST, options())
    assert raised.value.code == "precondition_failed"
    assert owlette.kinds().count("publish") == 4


async def test_a_vanished_chunk_of_a_file_that_has_changed_since(
    owlette: SmallOwlette, client: Roost, root: Path
) -> None:
    def change(_: int) -> None:
        owlette.chunks.clear()
        (root / "00.txt").write_text("another content")

    _changes(owlette, "publish", 1, change)
    async with client:
        await client.roosts.push(root, ROOST, options())
    assert owlette.files(ROOST) == texts(root)


def _loses(owlette: SmallOwlette, *, forgets: bool) -> Callable[[Request], Reply | None]:
    """Publish, and lose the answer; and forget the key, as after a day."""
    count = itertools.count()

    def fault(request: Request) -> Reply | None:
        if request.kind != "publish" or next(count):
            return None
        if forgets:
            request.headers.pop("idempotency-key")
        owlette._publish(request)  # pyright: ignore[reportPrivateUsage]
        return Reply(drops=True)

    return fault


@pytest.mark.parametrize("forgets", [False, True])
@pytest.mark.parametrize("more", [{}, {"name": "Lobby"}])
async def test_an_answer_that_is_lost(
    owlette: SmallOwlette, client: Roost, root: Path, more: dict[str, Any], *, forgets: bool
) -> None:
    owlette.faults.append(_loses(owlette, forgets=forgets))
    async with client:
        result = await client.roosts.push(root, ROOST, options(**more))
    assert (result.version_number, result.version_id) == (1, owlette.roosts[ROOST].head)
    assert owlette.roosts[ROOST].counter == 1


@pytest.mark.parametrize("on_conflict", ["retry", "raise"])
async def test_a_head_that_may_not_be_read(
    owlette: SmallOwlette, client: Roost, root: Path, on_conflict: Literal["retry", "raise"]
) -> None:
    owlette.faults.append(once("head", refusal(403, "scope_insufficient"), times=99))
    async with client:
        pushing = client.roosts.push(root, ROOST, options(on_conflict=on_conflict))
        if on_conflict == "raise":
            with pytest.raises(Exception, match="scope_insufficient"):
                await pushing
            return
        await pushing
    assert "expectedCurrentVersionId" not in owlette.asked[-1].json


async def test_a_removed_roost_is_pointed_out(
    owlette: SmallOwlette, client: Roost, root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with client:
        await client.roosts.push(root, ROOST, options())
        owlette.roosts[ROOST].fields["deletedAt"] = "2026-01-01T00:00:00.000Z"
        await client.roosts.push(root, ROOST, options())
    assert "roost rst_abc was removed" in caplog.text


@pytest.mark.slow
async def test_twenty_writers_at_once(owlette: SmallOwlette, tmp_path: Path) -> None:
    folders: list[Path] = []
    for number in range(20):
        folder = tmp_path / f"folder {number}"
        folder.mkdir()
        (folder / "a.txt").write_text(f"by writer {number}")
        folders.append(folder)

    async def write(folder: Path) -> int:
        async with Roost(token=TOKEN, api_url=owlette.url, timeout=60) as client:
            return (await client.roosts.push(folder, ROOST, options())).version_number

    numbers = await asyncio.gather(*map(write, folders))
    assert sorted(numbers) == list(range(1, 21)), "no gaps, and nobody is lost"
    versions = sorted(
        owlette.roosts[ROOST].versions.items(), key=lambda each: each[1]["versionNumber"]
    )
    parents = [each["parentVersionId"] for _, each in versions]
    assert parents == [None, *(version_id for version_id, _ in versions[:-1])]


# ---- cancelling


@pytest.mark.parametrize("kind", ["head", "check", "mint", "put", "publish"])
@pytest.mark.parametrize("own_transport", [False, True])
async def test_cancelling_leaves_nothing_behind(
    owlette: SmallOwlette, root: Path, kind: str, *, own_transport: bool
) -> None:
    reached, over = threading.Event(), threading.Event()

    def fault(request: Request) -> Reply | None:
        if request.kind == kind:
            reached.set()
            over.wait(10)
        return None

    owlette.faults.append(fault)
    before = {each.name for each in threading.enumerate()}
    transport = httpx.AsyncHTTPTransport() if own_transport else None
    async with Roost(token=TOKEN, api_url=owlette.url, transport=transport) as client:
        pushing = asyncio.ensure_future(client.roosts.push(root, ROOST, options()))
        await asyncio.to_thread(reached.wait, 10)
        began = time.monotonic()
        pushing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await pushing
        assert time.monotonic() - began < 5, "what was on its way is not waited for"
    left = {each.name for each in threading.enumerate()} - before
    assert not [name for name in left if name.startswith("roost")]
    over.set()
    assert await asyncio.to_thread(owlette.is_left)
    assert kind == "publish" or ROOST not in owlette.roosts


async def test_cancelling_while_files_are_hashed(
    owlette: SmallOwlette, client: Roost, root: Path, large: Path
) -> None:
    async def told(event: Any) -> None:
        if event.phase == "hash" and event.file == "large.bin":
            await asyncio.sleep(60)

    async with client:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(
                client.roosts.push(root, ROOST, options(on_progress=told)), timeout=1
            )
    assert "put" not in owlette.kinds()


async def test_a_storage_that_hangs_is_given_up(owlette: SmallOwlette, root: Path) -> None:
    over = threading.Event()

    def fault(request: Request) -> None:
        if request.kind == "put":
            over.wait(10)

    owlette.faults.append(fault)
    try:
        async with Roost(
            token=TOKEN, api_url=owlette.url, timeout=0.2, retry=RetryPolicy(max_attempts=1)
        ) as client:
            with pytest.raises(RoostTransportError, match="timed out"):
                await client.roosts.push(root, ROOST, options())
    finally:
        over.set()


async def test_a_storage_that_answers_before_it_has_read_all(
    owlette: SmallOwlette, root: Path
) -> None:
    """As storages do that refuse: they say 403 and close, while the body is still coming."""
    (root / "big.bin").write_bytes(os.urandom(CHUNK))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        refusing = threading.Thread(target=_refuse_at_once, args=(listening,))
        refusing.start()
        owlette.storage_url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        async with Roost(token=TOKEN, api_url=owlette.url) as client:
            with pytest.raises(TransferError, match="403"):
                await client.roosts.push(root, ROOST, options(ignore=["*.txt"], concurrency=1))
        refusing.join(10)
    assert owlette.kinds().count("mint") == 4, "it was taken for a URL that has expired"


def _refuse_at_once(listening: socket.socket) -> None:
    for _ in range(4):
        connection, _ = listening.accept()
        with connection:
            connection.recv(1024)
            connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")
            connection.shutdown(socket.SHUT_WR)
            time.sleep(0.05)
