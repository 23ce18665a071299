"""Page journals, damaged anywhere: what is read was written, and is a beginning of it."""

from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fuzz.taking import Taker
from opsnest.errors import ReplayError
from opsnest.journal import Head, Journal, Replay
from opsnest.journal.file import RecordFile
from opsnest.journal.journal import identity
from opsnest.json_values import is_object
from restarrow.types import Request

ALLOWED = (ReplayError, OSError)

HEAD = Head("a_source", ("incidents",), {"since": "2026-03-01"}, "1")
ASKED = Request("GET", "v1/incidents")


def one(data: bytes) -> None:
    """Write a journal, damage it, and read it in every way there is."""
    taker = Taker(data)
    how, at, bit = taker.byte() % 4, taker.below(1 << 16), taker.byte() % 8
    with TemporaryDirectory() as folder:
        path = Path(folder) / "pages"
        if how == 3:
            path.write_bytes(taker.rest())
            written: list[tuple[Any, bytes]] = []
        else:
            written = _write(path, taker)
            content = bytearray(path.read_bytes())
            if how == 1:
                content = content[: at % len(content)]
            elif how == 2:
                content[at % len(content)] ^= 1 << bit
            path.write_bytes(content)
        read = _read(path)
        if how < 3:
            assert read == written[: len(read)]
            assert len(read) == len(written) or how > 0
        _replay(path)
        _go_on(path)


def _write(path: Path, taker: Taker) -> list[tuple[Any, bytes]]:
    """Write a head and records, of which some are about things that only others write."""
    Journal(path, HEAD).close()
    file = RecordFile(path)
    list(file.records())
    while taker.left:
        about = taker.json()
        body = taker.line()
        if isinstance(about, str):  # a page of ours
            about = {"by": "me", "of": identity("incidents", ASKED)}
            about |= {"more": {}} if len(body) % 2 else {}
        if is_object(about):
            file.append(about, body)
        else:
            words = json.dumps(about).encode() + body
            lengths = struct.pack("<III", len(words), 0, 0)
            checksum = struct.pack("<I", zlib.crc32(words, zlib.crc32(lengths)))
            with path.open("ab") as end:
                end.write(lengths + checksum + words)
            break  # what is behind it is not read
    file.close()
    return _read(path)


def _read(path: Path) -> list[tuple[Any, bytes]]:
    file = RecordFile(path, writable=False)
    found: list[tuple[Any, bytes]] = []
    for record in file.records():
        try:
            found.append((record.about, file.body(record)))
        except ALLOWED:
            break
    file.close()
    return found


def _replay(path: Path) -> None:
    try:
        pages = Replay(path)
    except ALLOWED:
        return
    try:
        while True:
            pages.take("me", "incidents", ASKED)
    except ALLOWED:
        pages.close()


def _go_on(path: Path) -> None:
    journal = Journal(path, HEAD)
    left = journal.left
    for _ in range(left):
        journal.take("me", "incidents", ASKED)
    journal.keep("me", "incidents", ASKED, b"more")
    journal.close()
    again = Journal(path, HEAD)
    assert again.left == left + 1, "what is written behind what was damaged is read"
    again.close()
