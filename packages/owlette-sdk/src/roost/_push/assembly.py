"""Files put together from chunks on the disk: what the threads of a pull do.

Whatever is read is proven by its hash, so that it does not matter what an earlier pull has left.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from collections.abc import Iterator
from io import FileIO
from typing import NamedTuple

from roost._errors import PullError
from roost._push.manifest import Entry
from roost._push.rules import shown

__all__ = [
    "WORK_FOLDER",
    "Lacking",
    "clear",
    "equal_chunks",
    "finish",
    "is_equal",
    "place_of",
    "prepare",
    "survey",
    "write_piece",
]

#: Where files are put together: in the folder itself, so that each takes its place in one step.
WORK_FOLDER = ".roost-pull"


class Lacking(NamedTuple):
    """A chunk that has to be fetched, and where in its file it belongs."""

    digest: str
    at: int
    size: int


def place_of(root: str, path: str) -> str:
    """Return where a file belongs."""
    return os.path.join(root, *path.split("/"))


def _work_of(root: str, entry: Entry) -> str:
    """Return where a file is put together: under a name that every file system takes."""
    return os.path.join(root, WORK_FOLDER, hashlib.sha256(entry.path.encode()).hexdigest()[:40])


def prepare(root: str) -> None:
    """Make the folder, and the one to work in.

    Raises:
        PullError: that one is a link to somewhere else.
    """
    work = os.path.join(root, WORK_FOLDER)
    if os.path.islink(work):
        msg = f"{work} is a link: remove it, it is where files are put together"
        raise PullError(msg)
    os.makedirs(work, exist_ok=True)


def clear(root: str) -> None:
    """Remove the folder to work in."""
    shutil.rmtree(os.path.join(root, WORK_FOLDER), ignore_errors=True)


def survey(root: str, entry: Entry, stop: threading.Event) -> list[Lacking] | None:
    """Put together what is there of a file, and return which chunks are not; None if it is whole.

    Raises:
        PullError: it would be written to somewhere else, or something is in its way.
    """
    place = place_of(root, entry.path)
    _check_parents(root, entry)
    if os.path.isdir(place):
        msg = f"a folder is where a file has to be: move {shown(place)} away"
        raise PullError(msg)
    try:
        if is_equal(place, entry, stop):
            return None
    except FileNotFoundError:
        there = set[int]()
    else:
        there = equal_chunks(place, entry, stop)
    work = _work_of(root, entry)
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)
    with FileIO(os.open(work, flags, 0o666), "r+") as target:
        done = equal_chunks(work, entry, stop)
        lacking: list[Lacking] = []
        for number, (at, size, digest) in enumerate(_pieces(entry)):
            if number in done:
                continue
            content = _proven(place, at, size, digest) if number in there else None
            if content is None:
                lacking.append(Lacking(digest, at, size))
            else:
                _write_all(target, at, content)
    return lacking


def _check_parents(root: str, entry: Entry) -> None:
    real = os.path.realpath(root)
    folder = root
    for part in entry.path.split("/")[:-1]:
        folder = os.path.join(folder, part)
        if not os.path.lexists(folder):
            return
        if not os.path.isdir(folder):
            msg = f"a file is where a folder has to be: move {shown(folder)} away"
            raise PullError(msg)
        inside = os.path.realpath(folder)
        if os.path.islink(folder) and not inside.startswith(real.rstrip(os.sep) + os.sep):
            msg = f"{shown(folder)} leads out of the folder: {shown(entry.path)} is not written"
            raise PullError(msg)


def is_equal(where: str, entry: Entry, stop: threading.Event) -> bool:
    """Tell whether a file is what a version has.

    Raises:
        OSError: it cannot be read; `FileNotFoundError` if it is not there.
    """
    if os.stat(where).st_size != entry.size:
        return False
    return len(equal_chunks(where, entry, stop)) == len(entry.chunks)


def equal_chunks(where: str, entry: Entry, stop: threading.Event) -> set[int]:
    """Return the numbers of the chunks that a file has where a version has them.

    Raises:
        OSError: it cannot be read.
    """
    equal: set[int] = set()
    with FileIO(where) as file:
        for number, (at, size, digest) in enumerate(_pieces(entry)):
            if stop.is_set():
                break
            if (content := _read(file, at, size)) is None:
                break  # it ends here
            if hashlib.sha256(content).hexdigest() == digest:
                equal.add(number)
    return equal


def write_piece(root: str, entry: Entry, at: int, content: bytes | bytearray) -> None:
    """Write a chunk to where it belongs in the file that is put together."""
    with FileIO(_work_of(root, entry), "r+") as file:
        _write_all(file, at, content)


def finish(root: str, entry: Entry) -> None:
    """Let a file that is whole take its place."""
    work, place = _work_of(root, entry), place_of(root, entry.path)
    with FileIO(work, "r+") as file:
        file.truncate(entry.size)
        os.fsync(file.fileno())
    os.makedirs(os.path.dirname(place), exist_ok=True)
    _check_parents(root, entry)
    os.replace(work, place)


def _pieces(entry: Entry) -> Iterator[tuple[int, int, str]]:
    """Yield where each chunk begins, its size and its hash."""
    at = 0
    for digest, size in entry.chunks:
        yield at, size, digest
        at += size


def _proven(where: str, at: int, size: int, digest: str) -> bytearray | None:
    """Return the bytes of a chunk; None if they are not there any more."""
    try:
        with FileIO(where) as file:
            content = _read(file, at, size)
    except FileNotFoundError:
        return None
    return content if content and hashlib.sha256(content).hexdigest() == digest else None


def _read(file: FileIO, at: int, size: int) -> bytearray | None:
    """Return bytes of a file; None if it has not as many."""
    content = bytearray(size)
    view = memoryview(content)
    file.seek(at)
    filled = 0
    while filled < size:
        count = file.readinto(view[filled:])
        if not count:
            return None
        filled += count
    return content


def _write_all(file: FileIO, at: int, content: bytes | bytearray) -> None:
    file.seek(at)
    view = memoryview(content)
    while view:
        view = view[file.write(view) or 0 :]
