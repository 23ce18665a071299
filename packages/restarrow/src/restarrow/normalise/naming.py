"""Names of tables and columns from the keys of JSON objects, in dlt's snake case.

A path of names is joined by `__`. What does not fit a destination's limit keeps its head and
tail, with a tag in the middle that is derived from the whole name.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence

SEPARATOR = "__"
#: The column of a key that is empty or blank.
EMPTY = "_empty"
#: Names that dlt keeps for its own columns.
RESERVED_PREFIX = "_dlt_"

#: Signs that have a letter (or an underscore) of their own; all other signs become underscores.
_LETTERS = str.maketrans("+-*@|", "x_xal")
_NOT_IN_NAMES = re.compile(r"[^a-zA-Z\d_]+")
_BEFORE_WORD = re.compile(r"([^_])([A-Z][a-z]+)")
_BEFORE_CAPITAL = re.compile(r"([a-z0-9])([A-Z])")
_UNDERSCORES = re.compile(r"__+")
#: Makes it improbable (1 in 1000) that two of 2**n names get one tag.
_TAG_BYTES = 4


class Naming:
    """Turns keys into names, and remembers the names that it made.

    Args:
        max_length: the destination's limit, or None.
    """

    def __init__(self, max_length: int | None = None) -> None:
        self.max_length = max_length
        self._columns: dict[str, str] = {}
        self._paths: dict[str, str] = {}
        self._joined: dict[tuple[str, ...], str] = {}

    def column(self, key: str) -> str:
        """Return the name of a key's column, which may be `_empty`, or "" for underscores alone."""
        name = self._columns.get(key)
        if name is None:
            name = self._columns[key] = self.path(key) if key and not key.isspace() else EMPTY
        return name

    def path(self, key: str) -> str:
        """Return a name whose parts, between `__`, are each in snake case."""
        name = self._paths.get(key)
        if name is None:
            parts = [self._part(part) for part in key.split(SEPARATOR) if part.strip()]
            name = self._paths[key] = self._short(_join(parts), key)
        return name

    def join(self, *fragments: str) -> str:
        """Return the name of a path whose parts are names already."""
        name = self._joined.get(fragments)
        if name is None:
            whole = _join(fragments)
            name = self._joined[fragments] = self._short(whole, whole)
        return name

    def _part(self, part: str) -> str:
        part = part.strip()
        return self._short(_snake_case(part), part)

    def _short(self, name: str, original: str) -> str:
        if not self.max_length or len(name) <= self.max_length:
            return name
        tag = _tag(original)
        room = self.max_length - len(tag)
        tail = room // 2
        return name[: room - tail] + tag + name[len(name) - tail :]


def _join(parts: Sequence[str]) -> str:
    return SEPARATOR.join(part for part in parts if part.strip())


def _snake_case(text: str) -> str:
    text = _NOT_IN_NAMES.sub("_", text.translate(_LETTERS))
    text = _BEFORE_WORD.sub(r"\1_\2", text)
    text = _BEFORE_CAPITAL.sub(r"\1_\2", text).lower()
    if text[:1].isdecimal():
        text = "_" + text
    bare = text.rstrip("_")
    return _UNDERSCORES.sub("_", bare + "x" * (len(text) - len(bare)))


def _tag(text: str) -> str:
    digest = hashlib.shake_128(text.encode()).digest(_TAG_BYTES)
    return base64.b64encode(digest, b"ba").decode().rstrip("=").lower()
