"""Answers of Cortex as they come: both forms, cut anywhere, and what ends them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost import NotFoundError, Roost, RoostTransportError, StreamError
from roost._streaming import ChatParser, EventParser
from roost.testing import Pieces, RecordedTransport, Reply, refusal

LINES = b'0:"Hello, "\n9:{"tool":1}\n0:"w\xc3\xb6rld \\u2603"\nnonsense\n0:{bad\nd:{"x":1}\n'
EVENTS = (
    b'data: {"type":"start"}\n\ndata: {"type":"text-start","id":"1"}\n\n'
    b'data: {"type":"text-delta","id":"1","delta":"Hello, "}\r\n\r\n'
    b'data: {"type":"tool-input-start"}\n\n: comment\n\ndata: {bad\n\n'
    b'data: {"type":"text-delta","id":"1","delta":"w\xc3\xb6rld \\u2603"}\n\n'
    b'data: {"type":"text-end"}\n\ndata: {"type":"finish"}\n\ndata: [DONE]\n\n'
)
SAID = ["Hello, ", "wörld ☃"]


async def _hear(items: AsyncIterator[Any], heard: list[Any]) -> None:
    """Keep what comes, so that it is there after an error as well."""
    async for each in items:
        heard.append(each)  # noqa: PERF401


def _parsed(*pieces: bytes) -> list[str]:
    parser = ChatParser()
    said = [text for piece in pieces for text in parser.feed(piece)]
    return said + list(parser.close())


@pytest.mark.parametrize("stream", [LINES, EVENTS, LINES.rstrip(), EVENTS.rstrip()])
def test_both_forms(stream: bytes) -> None:
    assert _parsed(stream) == SAID


@given(st.sampled_from([LINES, EVENTS]), st.lists(st.integers(0, 500), max_size=6))
def test_wherever_it_is_cut(stream: bytes, cuts: list[int]) -> None:
    places = [0, *sorted(min(each, len(stream)) for each in cuts), len(stream)]
    pieces = [stream[a:b] for a, b in pairwise(places)]
    assert _parsed(*pieces) == SAID
    assert _parsed(*(bytes([each]) for each in stream)) == SAID


@given(st.lists(st.text(), max_size=5), st.booleans())
def test_any_text_comes_through(texts: list[str], as_events: bool) -> None:
    lines = [
        f"data: {json.dumps({'type': 'text-delta', 'delta': text})}\n\n"
        if as_events
        else f"0:{json.dumps(text)}\n"
        for text in texts
    ]
    assert _parsed("".join(lines).encode()) == texts


@given(st.binary(max_size=300))
def test_garbage_does_no_harm(garbage: bytes) -> None:
    try:
        said = _parsed(garbage)
    except StreamError:
        return
    assert all(isinstance(each, str) for each in said)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'3:"rate limit reached"\n', "rate limit reached"),
        (b'3:"cut off"', "cut off"),
        (b'3:{"code":1}\n', '{"code": 1}'),
        (b'data: {"type":"error","errorText":"rate limit reached"}\n\n', "rate limit reached"),
        (b'data: {"type":"error"}\n\n', "ended with an error"),
    ],
)
async def test_what_came_before_an_error_is_good(line: bytes, message: str) -> None:
    body = Pieces(b'0:"a"\n0:"b"\n' + line)
    transport = RecordedTransport(lambda _: httpx.Response(200, stream=body))
    said: list[str] = []
    async with Roost(token="owk_test_x", transport=transport) as client:
        with pytest.raises(RuntimeError, match=message):
            await _hear(client.chat.send("conv_1", "hello"), said)
    assert said == ["a", "b"]
    assert body.is_closed


async def test_what_is_sent() -> None:
    transport = RecordedTransport(lambda _: httpx.Response(200, content=LINES))
    async with Roost(token="owk_test_x", transport=transport) as client:
        said = [each async for each in client.chat.send("conv/1", "summarize machine health")]
    assert said == SAID
    asked = transport.last
    assert (asked.method, asked.target) == ("POST", "/api/cortex/conversations/conv%2F1")
    assert asked.body == {"role": "user", "content": "summarize machine health"}
    assert asked.headers["idempotency-key"].startswith("py-sdk-chat-send-")


async def test_a_refusal_is_an_error_and_is_not_repeated() -> None:
    transport = RecordedTransport(refusal(404, "conversation_not_found"))
    async with Roost(token="owk_test_x", transport=transport) as client:
        with pytest.raises(NotFoundError):
            [each async for each in client.chat.send("conv_1", "hello")]
    assert len(transport.asked) == 1


async def test_an_answer_that_breaks_off() -> None:
    body = Pieces(b'0:"a"\n', httpx.ReadError("cut"))
    transport = RecordedTransport(lambda _: httpx.Response(200, stream=body))
    said: list[str] = []
    async with Roost(token="owk_test_x", transport=transport) as client:
        with pytest.raises(RoostTransportError, match="cut"):
            await _hear(client.chat.send("conv_1", "hello"), said)
    assert said == ["a"]
    assert len(transport.asked) == 1


async def test_who_has_heard_enough_closes_the_connection() -> None:
    body = Pieces(b'0:"a"\n', b'0:"b"\n')
    transport = RecordedTransport(lambda _: httpx.Response(200, stream=body))
    async with Roost(token="owk_test_x", transport=transport) as client:
        answers = client.chat.send("conv_1", "hello")
        async for _ in answers:
            break
        await answers.aclose()
        assert body.is_closed


# ---- the event stream


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_server_sent_events(size: int) -> None:
    stream = (
        b': ping\n\nevent: connected\ndata: {"siteId":"s",\ndata: "transportOnly":true}\nid: 1\n\n'
        b"data:plain\r\nretry: 1500\r\n\r\nevent: empty\n\nid\ndata\n\ndata: cut off"
    )
    parser = EventParser()
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
    one, two, three = [event for piece in pieces for event in parser.feed(piece)]
    assert (one.event, one.data, one.id) == (
        "connected",
        {"siteId": "s", "transportOnly": True},
        "1",
    )
    assert (two.event, two.data, two.retry_ms) == ("message", "plain", 1500)
    assert (three.event, three.data, three.id) == ("message", "", "")


def test_a_wait_that_is_no_number_is_none() -> None:
    (event,) = EventParser().feed(b"retry: " + b"9" * 5000 + b"\ndata: 1\n\n")
    assert event.retry_ms is None


async def test_the_stream_is_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    event = b'event: machine.offline\ndata: {"machineId":"m"}\n\nevent: keepalive\ndata: {}\n\n'
    replies: list[Reply] = [
        lambda _: httpx.Response(200, stream=Pieces(event, b"event: closing\ndata: {}\n\n")),
        httpx.ConnectError("refused"),
        refusal(503),
        lambda _: httpx.Response(200, stream=Pieces(event, httpx.ReadError("cut"))),
        refusal(404, "not_found"),
    ]
    transport = RecordedTransport(*replies)
    seen: list[Any] = []
    async with Roost(token="owk_test_x", transport=transport) as client:
        with pytest.raises(NotFoundError):
            await _hear(client.events.stream("s", ["machine.offline", "machine.online"]), seen)
    assert [each.data for each in seen] == [{"machineId": "m"}] * 2
    assert waits == [1.0, 2.0, 4.0, 1.0]
    asked = transport.asked[0]
    assert asked.target == "/api/events/stream?siteId=s&events=machine.offline%2Cmachine.online"
    assert asked.headers["accept"] == "text/event-stream"


async def test_once_is_enough_if_told_so() -> None:
    stream = b"event: keepalive\ndata: {}\n\n"
    transport = RecordedTransport(lambda _: httpx.Response(200, content=stream))
    async with Roost(token="owk_test_x", transport=transport) as client:
        events = [
            each async for each in client.events.stream("s", reconnect=False, keepalives=True)
        ]
    assert [each.event for each in events] == ["keepalive"]
    transport = RecordedTransport(httpx.ConnectError("refused"))
    async with Roost(token="owk_test_x", transport=transport) as client:
        with pytest.raises(RoostTransportError):
            [each async for each in client.events.stream("s", reconnect=False)]


@pytest.mark.parametrize(("told", "wait"), [(3000, 3.0), (0, 0.1)])
async def test_the_server_says_how_long_to_stay_away(
    told: int, wait: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    first = f"retry: {told}\ndata: {{}}\n\ndata: {{}}\n\n".encode()
    transport = RecordedTransport(
        lambda _: httpx.Response(200, content=first),
        lambda _: httpx.Response(200, content=b"data: {}\n\n"),
        refusal(404, "not_found"),
    )
    async with Roost(token="owk_test_x", transport=transport) as client:
        with pytest.raises(NotFoundError):
            await _hear(client.events.stream("s"), [])
    assert waits == [wait, wait]
