"""Taking a fuzzer's bytes apart: into choices, numbers, texts and JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, TypeVar

__all__ = ["Taker"]

Item = TypeVar("Item")


class Taker:
    """Takes from the front of some bytes; where they have ended, there are zeros.

    Args:
        data: the bytes.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        """How many bytes there are still."""
        return max(0, len(self._data) - self._at)

    def byte(self) -> int:
        """Take one byte."""
        self._at += 1
        return self._data[self._at - 1] if self._at <= len(self._data) else 0

    def below(self, end: int) -> int:
        """Take a number from 0 on, below `end`, of two bytes."""
        return (self.byte() * 256 + self.byte()) % end

    def choice(self, items: Sequence[Item]) -> Item:
        """Take one of some items, by one byte."""
        return items[self.byte() % len(items)]

    def some(self, count: int) -> bytes:
        """Take so many bytes, or what there is."""
        taken = self._data[self._at : self._at + count]
        self._at += count
        return taken

    def rest(self) -> bytes:
        """Take all that is left."""
        return self.some(self.left)

    def line(self) -> bytes:
        """Take what is before the next line end."""
        end = self._data.find(b"\n", self._at)
        taken = self.some((end if end >= 0 else len(self._data)) - self._at)
        self._at += 1
        return taken

    def text(self) -> str:
        """Take all that is left, as a text."""
        return self.rest().decode("utf-8", "replace")

    def json(self) -> Any:
        """Take a line as JSON; what is none is taken as a text."""
        line = self.line().decode("utf-8", "replace")
        try:
            return json.loads(line)
        except (ValueError, RecursionError):
            return line
