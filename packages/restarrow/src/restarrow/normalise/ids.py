"""Row ids: random ones for roots, or hashes of keys; hashes of parent and place for children."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable, Sequence
from hashlib import shake_128

#: An id is 10 bytes in base 64, which are 14 characters and two of padding.
_BYTES = 10
CHARACTERS = 14
#: So many characters of each are there while ids are still in one piece.
PADDED = 16


def random_ids(count: int) -> list[str]:
    """Return so many ids, each of 80 random bits."""
    return split(_encoded(os.urandom(count * _BYTES)))


def child_ids(parents: Iterable[str], table: str, positions: Iterable[int]) -> list[str]:
    """Return the ids of rows that are at these positions of lists in these parents."""
    return split(padded_child_ids(parents, table, positions))


def padded_child_ids(parents: Iterable[str], table: str, positions: Iterable[int]) -> bytes:
    """Return the same ids in one piece, which becomes a column without being texts first."""
    infix = f"_{table}_"
    digests = [
        shake_128(f"{parent}{infix}{position}".encode()).digest(_BYTES)
        for parent, position in zip(parents, positions, strict=True)
    ]
    return _encoded(b"".join(digests))


def key_ids(keys: Sequence[bytes]) -> list[str]:
    """Return the ids of rows that have these keys, each encoded as JSON."""
    return split(_encoded(b"".join(shake_128(key).digest(_BYTES) for key in keys)))


def pick(ids: Sequence[str], rows: Iterable[int]) -> list[str]:
    """Return the ids of rows, given by number."""
    return [ids[row] for row in rows]


def split(padded: bytes) -> list[str]:
    """Return ids that are in one piece, each as a text."""
    text = padded.decode("ascii")
    return [text[at : at + CHARACTERS] for at in range(0, len(text), PADDED)]


def _encoded(data: bytes) -> bytes:
    """Encode ids of 10 bytes, all at once.

    Two zero bytes after each make it a multiple of three, which base 64 does not pad.
    """
    padded = bytearray(len(data) // _BYTES * 12)
    for byte in range(_BYTES):
        padded[byte::12] = data[byte::_BYTES]
    return base64.b64encode(padded)
