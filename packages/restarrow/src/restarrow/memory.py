"""Memory that is free, given back to the system. A leaf."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress
from functools import cache
from importlib import import_module
from typing import Any

__all__ = ["give_back"]


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
