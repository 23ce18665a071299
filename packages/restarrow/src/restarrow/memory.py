"""Memory: when garbage is looked for, and what is given back to the system. A leaf."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from functools import cache
from importlib import import_module
from typing import Any

__all__ = ["allocate_within_reach", "collect_rarely", "collect_young", "give_back"]


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


@cache
def allocate_within_reach() -> None:
    """Let Arrow take its memory from the system, from where `give_back` can have it given back.

    Its own allocators keep some of what each thread has freed, whatever they are told. Nothing is
    changed where the user has chosen one, by `ARROW_DEFAULT_MEMORY_POOL`.
    """
    if _trim() is not None and "ARROW_DEFAULT_MEMORY_POOL" not in os.environ:
        arrow: Any = import_module("pyarrow")
        arrow.set_memory_pool(arrow.system_memory_pool())


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
