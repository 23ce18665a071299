"""Whether bytes are valid UTF-8, found out many times quicker than by decoding them. A leaf."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["is_utf8"]

#: Below, it is quicker to decode them.
_SMALL = 4096


def is_utf8(data: bytes) -> bool:
    """Tell whether bytes are valid UTF-8."""
    if data.isascii():
        return True
    if len(data) > _SMALL:
        return _is_utf8(data)
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_utf8(data: bytes) -> bool:
    pa: Any = import_module("pyarrow")  # slow to import, and without types
    ends = len(data).to_bytes(8, "little")
    offsets = pa.py_buffer(bytes(8) + ends)
    whole = pa.Array.from_buffers(pa.large_binary(), 1, [None, offsets, pa.py_buffer(data)])
    try:
        whole.cast(pa.large_string())
    except pa.ArrowInvalid:
        return False
    return True
