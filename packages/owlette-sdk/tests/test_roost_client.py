"""The client as a whole: options, transports, connections, and calls that are given up."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from roost import ApiResponse, RetryPolicy, Roost, RoostTransportError
from roost._hooks import shown_url
from roost.testing import Pieces, RecordedTransport, answer


async def test_connections_are_closed_in_the_end() -> None:
    transport = RecordedTransport()
    async with Roost(token="owk_test_x", transport=transport):
        states = [transport.is_closed]
    states.append(transport.is_closed)
    assert states == [False, True]
    other = Roost(token="owk_test_x", transport=RecordedTransport())
    await other.close()


async def test_settings_of_the_client() -> None:
    transport = RecordedTransport(answer({"sites": []}))
    async with Roost(
        token="owk_test_x",
        api_url="http://127.0.0.1:1/owlette/",
        roost_version="2027-01-01",
        transport=transport,
    ) as client:
        await client.sites.list()
        assert client.http.api_url == "http://127.0.0.1:1/owlette"
        assert repr(client) == "Roost(RoostClient(api_url='http://127.0.0.1:1/owlette'))"
    assert str(transport.last.url) == "http://127.0.0.1:1/owlette/api/sites"
    assert transport.last.headers["roost-version"] == "2027-01-01"


async def test_options_of_calls() -> None:
    transport = RecordedTransport(answer({}))
    async with Roost(token="owk_test_x", transport=transport, timeout=30) as client:
        special = client.with_options(headers={"X-Trace": "1"}, idempotency_key="mine", timeout=1)
        await special.roosts.patch("r", site_id="s", name="n")
        await special.members("s").add("u")
        await special.roosts.remove("r", site_id="s", idempotency_key="other")
        await client.roosts.patch("r", site_id="s", name="n")
    one, two, three, four = transport.asked
    assert (one.headers["x-trace"], one.headers["idempotency-key"]) == ("1", "mine")
    assert two.headers["idempotency-key"] == "mine"
    assert three.headers["idempotency-key"] == "other"
    assert "x-trace" not in four.headers
    assert four.headers["idempotency-key"].startswith("py-sdk-")


async def test_any_request() -> None:
    transport = RecordedTransport(
        lambda _: httpx.Response(207, text="plain", headers={"X-One": "1"}), answer(None, 204)
    )
    async with Roost(token="owk_test_x", transport=transport) as client:
        answered = await client.http.request(
            "api/x?a=1",
            method="put",
            query={"b": False},
            body=["ü"],
            headers={"Accept": "text/plain", "Idempotency-Key": "mine"},
        )
        empty = await client.http.request("/api/x", method="DELETE", idempotency_key="")
    assert isinstance(answered, ApiResponse)
    assert (answered.status, answered.data, answered.headers["x-one"]) == (207, "plain", "1")
    assert (empty.status, empty.data) == (204, None)
    put, delete = transport.asked
    assert (put.method, put.target, put.body) == ("PUT", "/api/x?a=1&b=false", ["ü"])
    assert (put.headers["accept"], put.headers["idempotency-key"]) == ("text/plain", "mine")
    assert "idempotency-key" not in delete.headers


async def test_a_mock_transport_of_httpx() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/api/sites"
        assert request.headers["authorization"].startswith("Bearer owk_")
        return httpx.Response(200, json={"sites": []})

    async with Roost(token="owk_test_...", transport=httpx.MockTransport(handler)) as client:
        assert (await client.sites.list()) == []


async def test_timeouts_reach_httpx() -> None:
    seen: list[Any] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.extensions["timeout"])
        return httpx.Response(200, json={})

    transport = httpx.MockTransport(handler)
    async with Roost(token="owk_test_x", transport=transport, timeout=7) as client:
        await client.sites.list()
        await client.with_options(timeout=2.5).sites.list()
        await client.http.request("/api/x", timeout=1)
        [each async for each in client.chat.send("c", "m")]
    assert [each["read"] for each in seen] == [7, 2.5, 1, 300.0]
    assert [each["connect"] for each in seen] == [7, 2.5, 1, 7]


# ---- over real connections


@contextmanager
def _server(serve: Callable[[socket.socket], None]) -> Generator[str]:
    """Serve one connection after the other, each in a thread of its own."""
    listening = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def accept() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=serve, args=(connection,), daemon=True))
            threads[-1].start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        accepting.join(5)
        for each in threads:
            each.join(5)


class Hanging:
    """Reads a request, sends so much of an answer, and waits until the client is gone.

    Attributes:
        asked: set when a request has come.
        gone: set when the client has closed the connection.
    """

    def __init__(self, sent: bytes) -> None:
        self._sent = sent
        self.asked = threading.Event()
        self.gone = threading.Event()

    def __call__(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(10)
            connection.recv(65536)
            if self._sent:
                connection.sendall(self._sent)
            self.asked.set()
            while connection.recv(65536):
                pass
            self.gone.set()


_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
_CHUNKED = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n0:"a"\n\r\n'
#: What the server has sent when the call is given up.
PHASES = {
    "nothing": b"",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-",
    "head": _HEAD,
    "half a body": _HEAD + b'{"sites"',
}


async def _until(event: threading.Event) -> None:
    assert await asyncio.to_thread(event.wait, 5)


@pytest.mark.parametrize("phase", PHASES)
async def test_a_call_that_is_given_up_leaves_no_connection(phase: str) -> None:
    hanging = Hanging(PHASES[phase])
    with _server(hanging) as url:
        async with Roost(token="owk_test_x", api_url=url) as client:
            call = asyncio.create_task(client.sites.list())
            await _until(hanging.asked)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            await _until(hanging.gone)  # at once, not only when the client is closed


async def test_a_list_that_is_given_up_leaves_no_connection() -> None:
    hanging = Hanging(b"")
    with _server(hanging) as url:
        async with Roost(token="owk_test_x", api_url=url) as client:

            async def rows() -> None:
                async for _ in client.roosts.list(site_id="s"):
                    pass

            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(rows(), 0.2)
            await _until(hanging.gone)


async def test_a_chat_that_is_given_up_leaves_no_connection() -> None:
    hanging = Hanging(_CHUNKED)
    said: list[str] = []
    with _server(hanging) as url:
        async with Roost(token="owk_test_x", api_url=url) as client:

            async def hear() -> None:
                async for text in client.chat.send("c", "m"):
                    said.append(text)  # noqa: PERF401 - looked at from outside

            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(hear(), 0.3)
            await _until(hanging.gone)
    assert said == ["a"]


async def test_a_wait_for_another_attempt_can_be_given_up() -> None:
    transport = RecordedTransport(lambda _: httpx.Response(503, headers={"retry-after": "60"}))
    async with Roost(token="owk_test_x", transport=transport) as client:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(client.sites.list(), 0.05)
    assert len(transport.asked) == 1


async def test_a_server_that_does_not_answer_in_time() -> None:
    hanging = Hanging(b"")
    with _server(hanging) as url:
        options: Any = {"timeout": 0.1, "retry": RetryPolicy(max_attempts=1)}
        async with Roost(token="owk_test_x", api_url=url, **options) as client:
            with pytest.raises(RoostTransportError, match="ReadTimeout"):
                await client.sites.list()


async def test_a_body_that_is_cut_is_read_again() -> None:
    body = Pieces(b'{"si', httpx.ReadError("cut"))
    transport = RecordedTransport(lambda _: httpx.Response(200, stream=body), answer({"sites": []}))
    retry = RetryPolicy(base_delay_s=0.0)
    async with Roost(token="owk_test_x", transport=transport, retry=retry) as client:
        assert await client.sites.list() == []
    assert len(transport.asked) == 2


@pytest.mark.parametrize(
    "url",
    [
        "https://u:hunter2@h/x",
        "https://h/to/https://u:hunter2@x/y",
        "https://h/to/https%3A%2F%2Fu%3ahunter2%40x/y",
        "https://h/?next=https://u:hunter2@x/",
        "//u:hunter2@h/x",
    ],
)
def test_a_url_is_shown_without_the_passwords_in_it(url: str) -> None:
    shown = shown_url(url)
    assert "hunter2" not in shown
    assert "h/" in shown
