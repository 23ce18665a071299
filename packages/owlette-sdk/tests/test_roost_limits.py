"""Answers that are larger than they look: read in steps, up to what any answer of the API has."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
import zlib

import httpx
import pytest

from roost import RetryPolicy, Roost, RoostTransportError, _transport
from roost._inflating import Inflater

LIMIT = 1024 * 1024
#: What the bombs become, if nobody stops them.
SIZE = 128 * LIMIT


def bomb(window: int = 31) -> bytes:
    packer = zlib.compressobj(9, wbits=window)
    parts = [packer.compress(b" " * LIMIT) for _ in range(SIZE // LIMIT)]
    return b"".join([*parts, packer.flush()])


class Sent(httpx.AsyncByteStream):
    """A body as it comes from a socket."""

    def __init__(self, body: bytes) -> None:
        self._left = body

    def __aiter__(self) -> Sent:
        return self

    async def __anext__(self) -> bytes:
        if not self._left:
            raise StopAsyncIteration
        piece, self._left = self._left[:65_536], self._left[65_536:]
        return piece


def client(body: bytes, encoding: str = "", status: int = 200) -> tuple[Roost, list[httpx.Request]]:
    """Return a client all of whose requests get this body."""
    asked: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        headers = {"content-encoding": encoding} if encoding else {}
        return httpx.Response(status, headers=headers, stream=Sent(body))

    return Roost(token="owk_test_x", transport=httpx.MockTransport(handler)), asked


@pytest.fixture(autouse=True)
def _limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_transport, "MOST_BYTES", LIMIT)


@pytest.mark.parametrize("status", [200, 422])
@pytest.mark.parametrize(("encoding", "window"), [("gzip", 31), ("deflate", 15), ("deflate", -15)])
async def test_a_bomb_is_stopped_at_the_limit(encoding: str, window: int, status: int) -> None:
    packed = bomb(window)
    made, asked = client(packed, encoding, status)
    async with made as roost:
        tracemalloc.start()
        try:
            with pytest.raises(RoostTransportError, match=f"has more than {LIMIT:,} bytes"):
                await roost.http.request("/api/sites")
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 4 * LIMIT
    assert len(asked) == 1  # it would be as large again


async def test_what_is_as_large_as_may_be_is_read() -> None:
    body = b'{"sites": [], "x": "' + b"x" * (LIMIT - 22) + b'"}'
    for sent, encoding in (
        (body, ""),
        (gzip.compress(body), "gzip"),
        (zlib.compress(body), "deflate"),
    ):
        made, _ = client(sent, encoding)
        async with made as roost:
            assert (await roost.http.request("/api/sites")).data["sites"] == []


async def test_only_what_can_be_bounded_is_offered() -> None:
    made, asked = client(b"{}", "br")
    async with made as roost:
        with pytest.raises(
            RoostTransportError, match="compressed with 'br', which was not offered"
        ):
            await roost.http.request("/api/sites")
    assert [each.headers["accept-encoding"] for each in asked] == ["gzip, deflate"]


async def test_a_stream_comes_in_pieces_of_bounded_size() -> None:
    made, _ = client(bomb(), "gzip")
    async with made as roost, roost.http.stream("/api/events") as answer:
        sizes = [len(piece) async for piece in answer.chunks()]
    assert sum(sizes) == SIZE
    assert max(sizes) <= 65_536


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"{}", "cannot be decompressed as gzip"),
        (gzip.compress(b"{}")[:-9], "ends in the middle of its gzip stream"),
    ],
    ids=["plain", "cut"],  # gzip has the time in it
)
async def test_what_is_not_compressed_as_it_says_is_asked_for_again(body: bytes, what: str) -> None:
    made, asked = client(body, "gzip")
    async with made as roost:
        with pytest.raises(RoostTransportError, match=what):
            await roost.http.request(
                "/api/sites", retry=RetryPolicy(max_attempts=2, base_delay_s=0)
            )
    assert len(asked) == 2
    await asyncio.sleep(0.01)  # httpx leaves it to the loop to end its generators


def test_members_that_follow_each_other_and_padding() -> None:
    inflater = Inflater("gzip")
    packed = gzip.compress(b"one") + gzip.compress(b"two") + b"\0\0"
    found = b"".join(
        part for at in range(len(packed)) for part in inflater.feed(packed[at : at + 1])
    )
    inflater.close()
    assert found == b"onetwo"
