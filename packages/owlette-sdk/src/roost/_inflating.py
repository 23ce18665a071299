"""Bodies, decompressed in steps of bounded size: httpx makes of each piece whatever it becomes."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

__all__ = ["ENCODINGS", "Inflater"]

#: What is asked for; httpx would also offer what other packages on the machine can decompress.
ENCODINGS: Final = "gzip, deflate"
#: Bytes that come out at a time, at most.
_STEP: Final = 64 * 1024
#: Recognises gzip and zlib by their heads.
_ANY_HEAD: Final = zlib.MAX_WBITS | 32


class Inflater:
    """Takes a body as it comes over the wire, and gives it decompressed, piece by piece.

    Args:
        encoding: its `Content-Encoding`.

    Raises:
        ValueError: it is compressed in a way that was not offered.
    """

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding.strip().lower()
        self._stream = None if self._encoding in {"", "identity"} else zlib.decompressobj(_ANY_HEAD)
        self._begun = False
        if self._encoding not in {"", "identity", "gzip", "x-gzip", "deflate"}:
            msg = f"is compressed with {self._encoding[:40]!r}, which was not offered"
            raise ValueError(msg)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what the next bytes become.

        Raises:
            ValueError: they cannot be decompressed.
        """
        if self._stream is None:
            yield data
            return
        if data and not self._begun:
            self._begun = True
            if self._encoding == "deflate" and data[0] & 0x0F != 8:
                self._stream = zlib.decompressobj(-zlib.MAX_WBITS)  # without its head
        while data:
            if self._stream.eof:  # one gzip member may follow another
                if data[0] != 0x1F:
                    return  # padding
                self._stream = zlib.decompressobj(_ANY_HEAD)
            try:
                piece = self._stream.decompress(data, _STEP)
            except zlib.error as error:
                msg = f"cannot be decompressed as {self._encoding} ({error})"
                raise ValueError(msg) from None
            if piece:
                yield piece
            data = self._stream.unconsumed_tail or self._stream.unused_data

    def close(self) -> None:
        """Say that the body has ended.

        Raises:
            ValueError: it ends in the middle of what is compressed.
        """
        if self._stream is not None and self._begun and not self._stream.eof:
            msg = f"ends in the middle of its {self._encoding} stream"
            raise ValueError(msg)
