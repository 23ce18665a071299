"""One run at a time: of two runs of one pipeline at once, dlt would load the same rows twice.

The lock is the operating system's, on an open file: it ends with the process that holds it, however
that ends. A file beside it says who that is.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from filelock import FileLock

from opsnest.errors import ConfigurationError, RunningError

if TYPE_CHECKING:
    from dlt import Pipeline

__all__ = ["IfRunning", "held", "is_running", "lock_of", "one_run"]

log = logging.getLogger("opsnest")

#: What a run does where another one of its pipeline has not ended: wait for it, or end at once.
IfRunning = Literal["wait", "leave"]

#: How often a lock is looked at, in seconds.
_LOOK: Final = 0.2
#: dlt has one active pipeline to a process, whichever thread it is in.
_alone: Final = threading.RLock()


def lock_of(folder: Path, pipeline: str) -> Path:
    """Return the file that a run of a pipeline locks.

    Args:
        folder: where dlt keeps its pipelines.
        pipeline: the name of the pipeline.
    """
    return folder / f".{pipeline}.lock"


@contextmanager
def one_run(pipeline: Pipeline, *, if_running: IfRunning = "wait") -> Generator[None]:
    """Let no other process of this machine run a pipeline until the block ends.

    Raises:
        RunningError: another run has not ended, and this one is not to wait for it.
        ConfigurationError: `if_running` is neither `wait` nor `leave`.
    """
    if if_running not in get_args(IfRunning):
        message = f"if_running={if_running!r} is not known.\n  Use 'wait' or 'leave'."
        raise ConfigurationError(message)
    lock = lock_of(Path(pipeline.pipelines_dir), pipeline.pipeline_name)
    with _alone, held(lock, pipeline.pipeline_name, if_running=if_running):
        yield


@contextmanager
def held(path: Path, what: str, *, if_running: IfRunning = "wait") -> Generator[None]:
    """Hold a lock until the block ends.

    Args:
        path: the file to lock.
        what: what it stands for, for messages.
        if_running: what to do where it is held already.

    Raises:
        RunningError: it is held, and nobody is to wait.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except TimeoutError:
        by = _told(path)
        if if_running == "leave":
            message = (
                f"{what} is being loaded {by}.\n"
                "  Nothing was done. Let that run end, or wait for it with --if-running wait."
            )
            raise RunningError(message) from None
        log.warning("%s is being loaded %s: waiting for it to end.", what, by)
        lock.acquire(poll_interval=_LOOK)
    try:
        _tell(path)
        yield
    finally:
        with suppress(OSError):
            _holder(path).unlink(missing_ok=True)
        lock.release()


def is_running(folder: Path, pipeline: str) -> bool:
    """Tell whether a run of a pipeline has not ended, without getting into the way of one."""
    return _lives(_read(lock_of(folder, pipeline)))


def _holder(lock: Path) -> Path:
    """Return the file that says who holds a lock: to open the lock itself would empty it."""
    return lock.with_suffix(".holder")


def _tell(lock: Path) -> None:
    """Write down who holds a lock. It is for people: that it cannot be written is no fault."""
    holder = {
        "process": os.getpid(),
        "host": socket.gethostname(),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
        "program": Path(sys.argv[0]).name,
    }
    new = _holder(lock).with_suffix(f".{os.getpid()}")
    try:
        new.write_text(json.dumps(holder))
        new.replace(_holder(lock))
    except OSError:
        with suppress(OSError):
            new.unlink(missing_ok=True)


def _read(lock: Path) -> dict[str, Any]:
    try:
        told: dict[str, Any] = json.loads(_holder(lock).read_text())
    except (OSError, ValueError):  # it has just begun, or just ended
        return {}
    return told


def _told(lock: Path) -> str:
    told = _read(lock)
    if not told:
        return "by another process"
    program = f" ({told.get('program')})" if told.get("program") else ""
    where = f"process {told.get('process')} on {told.get('host')}{program}"
    return f"by {where}, since {told.get('since')}"


def _lives(told: dict[str, Any]) -> bool:
    process = told.get("process")
    if not isinstance(process, int) or told.get("host") != socket.gethostname():
        return False
    try:
        os.kill(process, 0)
    except PermissionError:
        return True
    except OSError:
        return False
    return True
