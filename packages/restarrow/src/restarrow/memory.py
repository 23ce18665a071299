"""Memory: when garbage is looked for, and what is given back to the system. A leaf."""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from functools import cache
from importlib import import_module
from typing import Any

__all__ = ["collect_rarely", "collect_young", "give_back"]


@contextmanager
def collect_rarely() -> Generator[None]:
    """Keep the garbage collector out, unless it is asked by `collect_young`.

    Decoded rows are objects by the hundred thousand, none of which is garbage until all of a batch
    are; looking through them again and again takes longer than decoding them.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def collect_young() -> None:
    """Collect the garbage that has come since the last time."""
    gc.collect(1)


def give_back() -> None:
    """Give back what allocators keep for later, as far as they can be told to.

    Pages come and go by the megabyte, in many threads. Without this, what each thread has freed
    stays with the process, several times what is in use.
    """
    pool: Any = import_module("pyarrow").default_memory_pool()
    pool.release_unused()
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> Any:
    """Return glibc's malloc_trim; None with another C library."""
    if not sys.platform.startswith("linux"):
        return None
    with suppress(OSError, AttributeError):
        return ctypes.CDLL("libc.so.6").malloc_trim
    return None
