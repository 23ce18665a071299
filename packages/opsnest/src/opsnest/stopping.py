"""Stop a command when it is told to: soon while it reads, at once when it is told again.

A program that was interrupted waits for its threads, and those for answers of an API, which may
take a minute. While lists are read nothing is written but the page journal, which can be cut off
anywhere.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType
from typing import Final, NoReturn

__all__ = ["STOPPED", "Terminated", "stopping"]

#: What is said to who stops a command.
STOPPED: Final = "Stopped. Nothing is half-loaded; run it again to go on."
#: Seconds in which answers that are on their way may come, and threads end.
_PATIENCE: Final = 1.5
_SHOW_CURSOR: Final = "\x1b[?25h"


class Terminated(KeyboardInterrupt):
    """SIGTERM, which a service manager or a container sends."""


@contextmanager
def stopping(*, patience: float = _PATIENCE) -> Generator[None]:
    """End the program soon after SIGINT or SIGTERM, and at once after a second one.

    For commands, in the main thread: a program of somebody else's is not to be ended. While dlt
    writes to a destination it has handlers of its own, which let what is being written end.
    """
    if threading.current_thread() is not threading.main_thread():  # it gets no signals
        yield
        return
    told = threading.Event()

    def stop(number: int, _frame: FrameType | None) -> None:
        if told.is_set():
            _leave(number)
        told.set()
        timer = threading.Timer(patience, _leave, (number,))
        timer.daemon = True
        timer.start()
        raise Terminated if number == signal.SIGTERM else KeyboardInterrupt

    before = {each: signal.signal(each, stop) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        if not told.is_set():
            for each, handler in before.items():
                signal.signal(each, handler)


def _leave(number: int) -> NoReturn:
    """End the program here, whatever its threads wait for."""
    if sys.stderr.isatty():
        sys.stderr.write(_SHOW_CURSOR)
    sys.stderr.write(f"\n{STOPPED}\n")
    sys.stderr.flush()
    os._exit(128 + number)
