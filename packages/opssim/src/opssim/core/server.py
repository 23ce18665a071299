"""Run simulators on loopback: in a thread for tests and demos, or in the foreground."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Generator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from opssim.core.faults import TRANSPORT
from opssim.core.simulator import Simulator

_HOST = "127.0.0.1"
#: Seconds to wait for a server thread to start or to stop before giving up on it.
_PATIENCE = 10.0

S = TypeVar("S", bound=Simulator)


class _Protocol(HttpToolsProtocol):
    """The protocol of uvicorn, with the connection handed to requests so that faults can cut it."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope.setdefault("state", {})[TRANSPORT] = self.transport


class _Server(uvicorn.Server):
    """The server of uvicorn, which looks ten times as often whether it is to stop: tests wait."""

    async def main_loop(self) -> None:
        tick = 0
        while not await self.on_tick(tick // 10):
            tick += 1
            await asyncio.sleep(0.01)


@dataclass(frozen=True, slots=True)
class Running(Generic[S]):
    """A simulator that answers at `url`."""

    simulator: S
    url: str

    @property
    def configuration(self) -> dict[str, str]:
        """The environment variables that point a dlt source at this simulator."""
        return dict(self.simulator.configuration(self.url))


def listen(port: int = 0) -> socket.socket:
    """Bind a loopback port, a free one unless `port` names it.

    Raises:
        OSError: the port is taken.
    """
    # asyncio turns off the delay of small writes for sockets that say they are TCP
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((_HOST, port))
    except OSError:
        listener.close()
        raise
    return listener


def url_of(listener: socket.socket) -> str:
    """Return the base URL of a bound port."""
    return f"http://{_HOST}:{listener.getsockname()[1]}"


def server_for(app: ASGIApp) -> uvicorn.Server:
    """Make the server of one application."""
    return _Server(
        uvicorn.Config(
            app,
            http=_Protocol,
            lifespan="off",
            access_log=False,
            log_level="critical",  # a fault that was asked for is no news
            timeout_graceful_shutdown=1,
            backlog=512,
        )
    )


@contextmanager
def serve(simulator: S, port: int = 0) -> Generator[Running[S]]:
    """Serve a simulator from a thread until the block ends.

    Example:
        with serve(RootlySimulator(incidents=500)) as rootly:
            requests.get(f"{rootly.url}/v1/incidents")
    """
    stop = threading.Event()
    with ExitStack() as running:
        listener = running.enter_context(closing(listen(port)))
        companions = {
            name: (app, running.enter_context(closing(listen())))
            for name, app in simulator.companions().items()
        }
        simulator.serving({name: url_of(bound) for name, (_, bound) in companions.items()})
        for name, (app, bound) in companions.items():
            running.enter_context(_served(app, bound, f"opssim-{simulator.name}-{name}"))
        running.enter_context(_served(simulator.app, listener, f"opssim-{simulator.name}"))
        name = f"opssim-{simulator.name}-work"
        worker = threading.Thread(target=simulator.work, args=(stop,), name=name, daemon=True)
        worker.start()
        try:
            yield Running(simulator, url_of(listener))
        finally:
            stop.set()
            worker.join(_PATIENCE)


@contextmanager
def _served(app: ASGIApp, listener: socket.socket, name: str) -> Generator[None]:
    """Serve an application from a thread until the block ends."""
    server = server_for(app)
    thread = threading.Thread(
        target=lambda: asyncio.run(server.serve(sockets=[listener])), name=name, daemon=True
    )
    thread.start()
    try:
        _await_start(server, thread)
        yield
    finally:
        server.should_exit = True
        thread.join(_PATIENCE)


def _await_start(server: uvicorn.Server, thread: threading.Thread) -> None:
    deadline = threading.Event()
    for _ in range(int(_PATIENCE / 0.01)):
        if server.started:
            return
        if not thread.is_alive():
            break
        deadline.wait(0.01)
    message = "the simulator's server did not start"
    raise RuntimeError(message)
