"""The file of a journal: records that are only ever appended, each with its checksum.

A record is its lengths and a CRC-32, then what it is about as JSON, then a body, compressed with
zstd. A run may be killed while it writes one: what is behind the last whole record is cut off.
"""

from __future__ import annotations

import json
import os
import struct
import threading
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from opsnest.json_values import is_object

__all__ = ["Record", "RecordFile"]

#: pyarrow has no types: it is imported as if it were data.
pa: Any = import_module("pyarrow")

#: The length of what it is about, of the compressed body, and of the body.
_LENGTHS: Final = struct.Struct("<III")
#: The CRC-32 of all else.
_CHECKSUM: Final = struct.Struct("<I")
_HEAD: Final = _LENGTHS.size + _CHECKSUM.size
#: No page is longer: what says so is damaged.
_LONGEST: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class Record:
    """A record, with where its body is.

    Attributes:
        about: what it is about.
        at: where the compressed body begins.
        packed: its length.
        length: the length of the body.
    """

    about: dict[str, Any]
    at: int
    packed: int
    length: int


class RecordFile:
    """A file of records, which several threads may append to.

    Args:
        path: the file; it is made if it is not there, for its owner alone.
        writable: whether it may be changed; otherwise it has to be there.

    Raises:
        OSError: it cannot be opened.
    """

    def __init__(self, path: Path, *, writable: bool = True) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._writable = writable
        how = os.O_RDWR | os.O_CREAT if writable else os.O_RDONLY
        self._file = os.open(path, how | os.O_CLOEXEC, 0o600)
        self.size = 0

    @property
    def closed(self) -> bool:
        """Whether nothing can be written any more."""
        return self._file < 0

    def close(self) -> None:
        """Close the file, which stays."""
        with self._lock:
            if not self.closed:
                os.close(self._file)
            self._file = -1

    def records(self) -> Iterator[Record]:
        """Yield the records that are whole, and cut off what is behind them."""
        length = os.fstat(self._file).st_size
        at = 0
        while found := self._read(at, length):
            yield found
            at = found.at + found.packed
        if self._writable:
            os.ftruncate(self._file, at)
        self.size = at

    def _read(self, at: int, length: int) -> Record | None:
        head = os.pread(self._file, _HEAD, at)
        if len(head) < _HEAD:
            return None
        about, packed, unpacked = _LENGTHS.unpack_from(head)
        start = at + _HEAD
        if unpacked > _LONGEST or start + about + packed > length:
            return None
        rest = os.pread(self._file, about + packed, start)
        if _CHECKSUM.pack(_sum(head[: _LENGTHS.size], rest)) != head[_LENGTHS.size :]:
            return None
        words = _object(rest[:about])
        return None if words is None else Record(words, start + about, packed, unpacked)

    def append(self, about: dict[str, Any], body: bytes = b"") -> None:
        """Write a record behind the others.

        Nothing is written to a file that was closed.

        Raises:
            OSError: it could not be written; what was written before stays whole.
        """
        words = json.dumps(about, separators=(",", ":")).encode()
        packed: bytes = pa.compress(body, codec="zstd", asbytes=True) if body else b""
        lengths = _LENGTHS.pack(len(words), len(packed), len(body))
        rest = words + packed
        record = lengths + _CHECKSUM.pack(_sum(lengths, rest)) + rest
        with self._lock:
            if self.closed:
                return
            written = 0
            try:
                while written < len(record):
                    written += os.pwrite(self._file, record[written:], self.size + written)
            except OSError:
                os.ftruncate(self._file, self.size)
                raise
            self.size += len(record)

    def body(self, record: Record) -> bytes:
        """Return the body of a record.

        Raises:
            OSError: it cannot be read, or is not what was written.
        """
        if not record.length:
            return b""
        packed = os.pread(self._file, record.packed, record.at)
        body: bytes = pa.decompress(packed, record.length, codec="zstd", asbytes=True)
        return body


def _object(words: bytes) -> dict[str, Any] | None:
    """Return what a record is about; None if no version of ours has written it."""
    try:
        about: object = json.loads(words)
    except (ValueError, RecursionError):
        return None
    return about if is_object(about) else None


def _sum(lengths: bytes, rest: bytes) -> int:
    return zlib.crc32(rest, zlib.crc32(lengths))
