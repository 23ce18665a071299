"""Pushes when the storage or the API refuses: a clear error, and a roost as it was."""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import socket
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from push_cases import CHUNK, ROOST, once, options, texts
from small_owlette import TOKEN, Reply, Request, SmallOwlette, refusal

from roost import (
    QuotaExceededError,
    RequestDetails,
    RetryPolicy,
    Roost,
    RoostTransportError,
    ServerError,
    TransferError,
)
from roost._push.urls import UrlBook


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
        assert sent < 150, "most of them were not begun any more"
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


async def test_a_storage_that_hangs_is_given_up(owlette: SmallOwlette, root: Path) -> None:
    over = threading.Event()

    def fault(request: Request) -> None:
        if request.kind == "put":
            over.wait(10)

    owlette.faults.append(fault)
    try:
        async with Roost(
            token=TOKEN, api_url=owlette.url, timeout=1.0, retry=RetryPolicy(max_attempts=1)
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
