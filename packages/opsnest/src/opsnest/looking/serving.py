"""Opening a marimo notebook in a browser: for this machine alone, and only with a token.

Whoever opens a notebook runs code, if only queries: other users of the machine, and pages of the
browser that guess the port, are kept out by a token that is made anew each time.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import secrets
import socket
import threading
import time
import webbrowser
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Final

from opsnest.errors import ConfigurationError

__all__ = ["serve"]

HOST: Final = "127.0.0.1"
#: That of marimo, and those after it.
_PORTS: Final = range(2718, 2818)
#: Seconds for a server to answer: it may have to import marimo first.
_PATIENCE: Final = 60.0


def serve(
    notebook: Path,
    arguments: Sequence[str] = (),
    *,
    port: int | None = None,
    browser: bool = True,
    ready: Callable[[str], None],
) -> None:
    """Serve a notebook as an app, until it is interrupted.

    Args:
        notebook: its file.
        arguments: what it finds in `mo.cli_args()`.
        port: the port; None for one that is free.
        browser: whether to open it in the browser.
        ready: called with the URL once it can be opened.

    Raises:
        ConfigurationError: marimo is not installed, or the port is taken.
    """
    run = _marimo()
    port = _free(port)
    token = secrets.token_urlsafe(16)
    url = f"http://{HOST}:{port}/?access_token={token}"
    os.environ["MARIMO_SKIP_UPDATE_CHECK"] = "1"
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    threading.Thread(target=_tell, args=(url, port, browser, ready), daemon=True).start()
    options = ["--host", HOST, "--port", str(port), "--token-password", token]
    command = ["--quiet", "run", str(notebook), *options, "--headless", "--no-check"]
    # uvicorn takes it for a fault that Ctrl-C cancels what waits, and prints a traceback
    logging.getLogger("uvicorn.error").addFilter(_is_a_fault)
    from click import Abort  # noqa: PLC0415 - marimo brings it

    with suppress(KeyboardInterrupt, Abort):  # that is how it ends
        run([*command, "--no-sandbox", "--", *arguments], standalone_mode=False)


def _marimo() -> Callable[..., Any]:
    """Return marimo's command line, to run in this process: so nothing is left when it ends."""
    if importlib.util.find_spec("marimo") is None:
        message = "notebooks need marimo.\n  pip install 'opsnest[show]'"
        raise ConfigurationError(message)
    (script,) = entry_points(group="console_scripts", name="marimo")
    command: Callable[..., Any] = script.load()
    return command


def _is_a_fault(record: logging.LogRecord) -> bool:
    return "CancelledError" not in record.getMessage()


def _free(port: int | None) -> int:
    for each in _PORTS if port is None else [port]:
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind((HOST, each))
            except OSError:
                continue
            return each
    taken = f"port {port} is" if port else f"ports {_PORTS[0]} to {_PORTS[-1]} are"
    message = f"{taken} taken, or may not be used.\n  Give another one: --port"
    raise ConfigurationError(message)


def _tell(url: str, port: int, browser: bool, ready: Callable[[str], None]) -> None:  # noqa: FBT001
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        with socket.socket() as trial:
            if trial.connect_ex((HOST, port)) == 0:
                break
        time.sleep(0.05)
    else:
        return
    ready(url)
    if browser:
        webbrowser.open(url)
