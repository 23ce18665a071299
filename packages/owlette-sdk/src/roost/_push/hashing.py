"""Files into chunks and their hashes: what the hashing threads do."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import FileIO

from roost._constants import CHUNK_SIZE_BYTES
from roost._errors import UnreadableError
from roost._push.leases import Leases
from roost._push.rules import shown
from roost._push.walk import LocalFile, stamp_of

__all__ = [
    "Budget",
    "ChangedError",
    "Hashed",
    "Span",
    "chunk_count",
    "chunk_size",
    "hash_spans",
    "pieces_of",
    "read_chunk",
    "spans_of",
]

#: Chunks of one file that a thread hashes in one go: large files are shared between threads.
_CHUNKS_OF_SPAN = 8
#: Bytes and files of small files that a thread hashes in one go.
_BYTES_OF_JOB = CHUNK_SIZE_BYTES
_FILES_OF_JOB = 64
#: Bytes that are read and hashed at a time: as many as stay in the cache of a processor's core.
_PIECE_BYTES = 256 * 1024
#: Bytes that are sent at a time.
_SENT_BYTES = 1024 * 1024


_OWN = threading.local()


class ChangedError(Exception):
    """A file is not what it was when the folder was walked."""


class Budget:
    """Bytes that may be kept in memory, shared by threads."""

    def __init__(self, most: int) -> None:
        self._left = most
        self._lock = threading.Lock()

    def take(self, count: int) -> bool:
        """Take so many bytes, if there are."""
        with self._lock:
            if count > self._left:
                return False
            self._left -= count
            return True

    def give_back(self, count: int) -> None:
        """Give back what was taken."""
        with self._lock:
            self._left += count


@dataclass(frozen=True, slots=True)
class Span:
    """Chunks of a file that follow each other: those from `first` to before `last`.

    `number` is the how-manieth file it is.
    """

    number: int
    file: LocalFile
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Hashed:
    """A span that was hashed: hashes, and bytes where there was room to keep them.

    `changed` tells that the file has become another one; nothing else counts then.
    """

    span: Span
    digests: Sequence[str] = ()
    kept: Sequence[bytearray | None] = ()
    changed: bool = False


def chunk_count(size: int) -> int:
    """Return how many chunks a file of so many bytes has."""
    return -(-size // CHUNK_SIZE_BYTES)


def spans_of(files: Sequence[tuple[int, LocalFile]]) -> Iterator[list[Span]]:
    """Yield what is hashed in one go: a part of a large file, or several small ones.

    Args:
        files: the files, each with its number.
    """
    job: list[Span] = []
    size = 0
    for number, file in files:
        count = chunk_count(file.stamp.size)
        if job and (size + file.stamp.size > _BYTES_OF_JOB or len(job) == _FILES_OF_JOB):
            yield job
            job, size = [], 0
        if count > 1:
            for first in range(0, count, _CHUNKS_OF_SPAN):
                yield [Span(number, file, first, min(first + _CHUNKS_OF_SPAN, count))]
        else:
            job.append(Span(number, file, 0, count))
            size += file.stamp.size
    if job:
        yield job


def hash_spans(
    spans: Sequence[Span], budget: Budget, leases: Leases, stop: threading.Event
) -> list[Hashed]:
    """Hash what belongs to one go. Runs in a thread.

    Args:
        spans: what to hash.
        budget: what may be kept of the bytes.
        leases: where files that are more than one chunk get a lease.
        stop: ends it early, when it is set; what is returned then is of no use.

    Raises:
        UnreadableError: a file cannot be read.
    """
    return [_hashed(span, budget, leases, stop) for span in spans]


def _hashed(span: Span, budget: Budget, leases: Leases, stop: threading.Event) -> Hashed:
    digests: list[str] = []
    kept: list[bytearray | None] = []
    if span.file.stamp.size > CHUNK_SIZE_BYTES:
        leases.take(span.file)
    try:
        with _opened(span.file) as file:
            for number in range(span.first, span.last):
                if stop.is_set():
                    break
                size = chunk_size(span.file, number)
                own = bytearray(size) if budget.take(size) else None
                kept.append(own)
                room = memoryview(_own_buffer())[:_PIECE_BYTES] if own is None else memoryview(own)
                digests.append(_digest(_pieces(file, span.file, number, room)))
            _check(span.file, os.fstat(file.fileno()))
    except (ChangedError, FileNotFoundError):
        budget.give_back(sum(len(buffer) for buffer in kept if buffer is not None))
        return Hashed(span, changed=True)
    except OSError as error:
        why = error.strerror or str(error)
        raise UnreadableError({shown(span.file.path): why}) from error
    return Hashed(span, digests, kept)


def chunk_size(file: LocalFile, number: int) -> int:
    """Return how many bytes a chunk of a file has."""
    return min(CHUNK_SIZE_BYTES, file.stamp.size - number * CHUNK_SIZE_BYTES)


def read_chunk(file: LocalFile, number: int, digest: str, leases: Leases) -> Iterable[memoryview]:
    """Read a chunk again, and prove that it is what it was. Runs in a thread.

    Under a lease, pieces are given as they are read, and the last of them only if it is held still;
    else all are proven before the first. They are good until the same thread reads again: a new
    buffer each time would cost a good part of what hashing costs.

    Raises:
        ChangedError: it is not, also while pieces are given.
        UnreadableError: the file cannot be read any more, also while pieces are given.
    """
    if leases.holds(file):
        return _read_held(file, number, leases)
    chunk = memoryview(_own_buffer())[: chunk_size(file, number)]
    with _opened_again(file) as opened:
        for _ in _pieces(opened, file, number, chunk):
            pass
    if _digest([chunk]) != digest:
        raise ChangedError
    return pieces_of(chunk)


def _read_held(file: LocalFile, number: int, leases: Leases) -> Iterator[memoryview]:
    """Yield what is read while the lease is held."""
    room = memoryview(_own_buffer())[:_SENT_BYTES]
    left = chunk_size(file, number)
    with _opened_again(file) as opened:
        for piece in _pieces(opened, file, number, room, _SENT_BYTES):
            left -= len(piece)
            if not left and not leases.holds(file):
                raise ChangedError
            yield piece


def pieces_of(chunk: bytearray | memoryview) -> Iterator[memoryview]:
    """Yield the bytes of a chunk as they are sent: each piece is to go within the timeout."""
    view = memoryview(chunk)
    for at in range(0, len(view), _SENT_BYTES):
        yield view[at : at + _SENT_BYTES]


@contextmanager
def _opened_again(file: LocalFile) -> Generator[FileIO, None, None]:
    """Open a file that was hashed; what goes wrong with it is told as of that file."""
    try:
        with _opened(file) as opened:
            yield opened
    except FileNotFoundError as error:
        raise ChangedError from error
    except OSError as error:
        why = error.strerror or str(error)
        raise UnreadableError({shown(file.path): why}) from error


def _own_buffer() -> bytearray:
    """Return the buffer of this thread."""
    try:
        buffer: bytearray = _OWN.buffer
    except AttributeError:
        buffer = _OWN.buffer = bytearray(CHUNK_SIZE_BYTES)
    return buffer


def _opened(file: LocalFile) -> FileIO:
    """Open a file, and check that it is the one that was found."""
    opened = FileIO(file.where)
    try:
        _check(file, os.fstat(opened.fileno()))
    except ChangedError:
        opened.close()
        raise
    return opened


def _check(file: LocalFile, status: os.stat_result) -> None:
    if stamp_of(status) != file.stamp:
        raise ChangedError


def _pieces(
    opened: FileIO, file: LocalFile, number: int, room: memoryview, most: int = _PIECE_BYTES
) -> Iterator[memoryview]:
    """Read a chunk, and yield what comes, piece by piece; when the room is full, from its start."""
    left, at = chunk_size(file, number), 0
    opened.seek(number * CHUNK_SIZE_BYTES)
    while left:
        at = at if at < len(room) else 0
        piece = room[at : at + min(left, most)]
        count = opened.readinto(piece)
        if not count:
            raise ChangedError  # it is shorter than it was
        yield piece[:count]
        at, left = at + count, left - count


def _digest(pieces: Iterable[memoryview]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()
