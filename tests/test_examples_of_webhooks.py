"""The receivers of webhooks in `examples/webhooks`, each served by a server of its framework."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import socket
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
import uvicorn
from aiohttp import web
from werkzeug.serving import make_server

from roost import WebhookEvent, sign_body

FOLDER = Path(__file__).parents[1] / "examples" / "webhooks"
SECRET = "whsec_of_the_tests"
BODY = json.dumps({"event": "version.published", "siteId": "site-1", "data": {"n": 7}}).encode()


# ---- a server for each framework


@contextmanager
def by_uvicorn(app: Any) -> Generator[str]:
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", lifespan="off")
    server = uvicorn.Server(config)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            _wait_until(lambda: server.started)
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)


@contextmanager
def by_werkzeug(app: Any) -> Generator[str]:
    server = make_server("127.0.0.1", 0, app)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


@contextmanager
def by_aiohttp(app: web.Application) -> Generator[str]:
    ports: list[int] = []
    ended = threading.Event()

    async def serve() -> None:
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        ports.append(runner.addresses[0][1])
        await asyncio.to_thread(ended.wait)
        await runner.cleanup()

    thread = threading.Thread(target=partial(asyncio.run, serve()))
    thread.start()
    try:
        _wait_until(lambda: bool(ports))
        yield f"http://127.0.0.1:{ports[0]}"
    finally:
        ended.set()
        thread.join(10)


SERVERS = {
    "with_fastapi": by_uvicorn,
    "with_starlette": by_uvicorn,
    "with_flask": by_werkzeug,
    "with_django": by_werkzeug,
    "with_aiohttp": by_aiohttp,
}


def _wait_until(told: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not told():
        assert time.monotonic() < end, "the server did not start"
        time.sleep(0.01)


# ---- the examples


@pytest.fixture(scope="module", params=sorted(SERVERS))
def served(request: pytest.FixtureRequest) -> Iterator[tuple[ModuleType, str]]:
    """Serve an example: the module, and the address of its hook."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WEBHOOK_SECRET", SECRET)
        # Django looks the routes up by the module's name
        spec = importlib.util.spec_from_file_location(request.param, FOLDER / f"{request.param}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        patch.setitem(__import__("sys").modules, request.param, module)
        spec.loader.exec_module(module)
        with SERVERS[request.param](module.app) as url:
            yield module, f"{url}/hooks/roost"


def told(url: str, delivery: str, *, body: bytes = BODY, secret: str = SECRET) -> httpx.Response:
    signature = sign_body(body, secret)
    headers = {"Roost-Signature": signature, "Roost-Delivery": delivery}
    return httpx.post(url, content=body, headers=headers, trust_env=False)


def test_every_example_is_tried() -> None:
    assert {each.stem for each in FOLDER.glob("*.py")} == set(SERVERS)


def test_an_event_is_handled_once(
    served: tuple[ModuleType, str], capsys: pytest.CaptureFixture[str]
) -> None:
    _, url = served
    assert told(url, "once").status_code == 200
    assert capsys.readouterr().out.splitlines() == ["version.published site-1 {'n': 7}"]
    again = told(url, "once")
    assert again.status_code == 200
    assert "told before" in again.text
    assert capsys.readouterr().out == ""


def test_what_is_signed_by_another_is_refused(
    served: tuple[ModuleType, str], capsys: pytest.CaptureFixture[str]
) -> None:
    _, url = served
    refused = told(url, "forged", secret="whsec_another")
    assert refused.status_code == 401
    assert "bad_signature" in refused.text
    unsigned = httpx.post(url, content=BODY, trust_env=False)
    assert unsigned.status_code == 401
    assert "missing_header" in unsigned.text
    assert capsys.readouterr().out == ""


def test_what_is_signed_but_no_event_is_refused(served: tuple[ModuleType, str]) -> None:
    _, url = served
    assert told(url, "no event", body=b"[1]").status_code == 400


def test_what_fails_is_handled_when_it_is_told_again(
    served: tuple[ModuleType, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    module, url = served

    def failing(event: WebhookEvent) -> None:
        msg = f"the database is away: {event.event}"
        raise RuntimeError(msg)

    with monkeypatch.context() as patch:
        patch.setattr(module, "handle", failing)
        assert told(url, "failing").status_code == 500
    assert told(url, "failing").status_code == 200
    assert capsys.readouterr().out.splitlines() == ["version.published site-1 {'n': 7}"]
