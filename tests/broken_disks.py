"""Disks that are full or may not be written, for a while."""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

__all__ = ["limited_files", "read_only", "small_disk"]

#: The third version of Linux's capabilities, which are two words for each of three sets.
_CAPABILITIES: Final = 0x20080522
#: CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH, by which permissions do not hold for root.
_OVERRIDES: Final = 1 << 1 | 1 << 2


@contextmanager
def small_disk(folder: Path, size: str) -> Generator[None]:
    """Make a folder a disk of its own that is soon full, and large when the block ends.

    Skips where nobody may mount: `limited_files` makes the same faults without.
    """
    folder.mkdir(exist_ok=True)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"no disk can be mounted here: {done.stderr.strip()}")
    try:
        yield
        subprocess.run(["mount", "-o", "remount,size=64m", str(folder)], check=True)
    except BaseException:
        release(folder)
        raise


def release(folder: Path) -> None:
    """Remove a small disk."""
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def limited_files(length: int) -> Generator[None]:
    """Let no file of this process become longer until the block ends."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (length, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def read_only(path: Path) -> Generator[None]:
    """Let nobody write a file, or into a folder, until the block ends; not even root."""
    mode = path.stat().st_mode
    path.chmod(mode & ~0o222)
    before = _capabilities()
    try:
        if os.geteuid() == 0:
            _set_capabilities(before, without=_OVERRIDES)
        assert not os.access(path, os.W_OK, effective_ids=True)
        yield
    finally:
        if os.geteuid() == 0:
            _set_capabilities(before)
        path.chmod(mode)


def _capabilities() -> list[int]:
    """Return what this thread may do: effective, permitted and inheritable, of each half."""
    words = (ctypes.c_uint32 * 6)()
    _call("capget", words)
    return list(words)


def _set_capabilities(words: list[int], *, without: int = 0) -> None:
    _call("capset", (ctypes.c_uint32 * 6)(words[0] & ~without, *words[1:]))


def _call(name: str, words: ctypes.Array[ctypes.c_uint32]) -> None:
    head = (ctypes.c_uint32 * 2)(_CAPABILITIES, 0)
    if getattr(ctypes.CDLL(None, use_errno=True), name)(head, words):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
