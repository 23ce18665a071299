"""Start a server, wait until it answers, and end it: it and no other."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

__all__ = ["EMULATORS", "free_port", "program", "running"]

#: Where scripts/install_emulators.sh puts them, each apart: their pins contradict dlt's.
EMULATORS = Path(__file__).parents[3] / ".emulators"
#: Seconds in which a server has to answer: machines of CI are slow.
_PATIENCE = 60


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def program(path: str) -> str:
    """Return a program of an emulator; one that is not there fails the test."""
    found = EMULATORS / path
    if not found.exists():
        pytest.fail(f"{found} is missing: run scripts/install_emulators.sh", pytrace=False)
    return str(found)


@contextmanager
def running(
    command: Sequence[str], port: int, settings: Mapping[str, str] | None = None
) -> Generator[None]:
    """Run a server for as long as the context lasts; one that does not come up fails the test."""
    with TemporaryDirectory(prefix="opsnest-server-") as folder:
        said = Path(folder) / "said"
        with said.open("wb") as log:
            server = subprocess.Popen(
                command,
                cwd=folder,
                env={**os.environ, **(settings or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            _wait(server, port, said)
            yield
        finally:
            server.terminate()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _wait(server: subprocess.Popen[bytes], port: int, said: Path) -> None:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until and server.poll() is None:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    words = said.read_text(errors="replace")[-2000:]
    pytest.fail(f"{server.args!r} did not come up:\n{words}", pytrace=False)
