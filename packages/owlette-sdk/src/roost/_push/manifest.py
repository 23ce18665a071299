"""The manifest of a version, and its id: the hash of the manifest in canonical JSON. A leaf.

The server makes the id of what `JSON.stringify` gives for the manifest with its keys sorted, so the
canonical form here is JavaScript's: keys by UTF-16 units, but those that are array indices first;
numbers as doubles; lone surrogates escaped.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, cast

__all__ = ["Entry", "canonical", "manifest_bytes", "version_id_of"]

MEDIA_TYPE = "application/vnd.owlette.version.v1+json"
SCHEMA_VERSION = 2
#: Files that are encoded at once: the encoder keeps all other threads waiting meanwhile.
_AT_ONCE = 500
_SURROGATE = re.compile("[\\ud800-\\udfff]")
_MOST_SAFE = 2**53
#: What may be an array index.
_INDEX = re.compile("0|[1-9][0-9]{0,9}")


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a version: path, size in bytes, and the hash and size of each chunk."""

    path: str
    size: int
    chunks: tuple[tuple[str, int], ...]


def manifest_bytes(entries: Iterable[Entry]) -> bytes:
    """Return the manifest of files in canonical JSON.

    It tells nothing but the files, so that the same files are the same version, whoever pushes
    them, when, and from where.
    """
    ordered = iter(sorted(entries, key=lambda each: each.path))
    files: list[bytes] = []
    while some := list(islice(ordered, _AT_ONCE)):
        rows = [
            {
                "chunks": [{"hash": digest, "size": size} for digest, size in entry.chunks],
                "path": entry.path,
                "size": entry.size,
            }
            for entry in some
        ]
        files.append(json.dumps(rows, ensure_ascii=False, separators=(",", ":"))[1:-1].encode())
    end = f'],"mediaType":"{MEDIA_TYPE}","schemaVersion":{SCHEMA_VERSION}}}'
    return b'{"config":{},"files":[' + b",".join(files) + end.encode()


def version_id_of(manifest: bytes | Mapping[str, Any]) -> str:
    """Return the id of a version: of its manifest, or of that in canonical JSON."""
    content = manifest if isinstance(manifest, bytes) else canonical(manifest)
    return hashlib.sha256(content).hexdigest()


def canonical(value: Any) -> bytes:
    """Return JSON as the server's `JSON.stringify` writes it, with keys sorted at every level."""
    return "".join(_pieces(value)).encode()


def _pieces(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        separator = "{"
        members = cast(dict[str, Any], value)
        for key in sorted(members, key=_rank):
            yield f"{separator}{_text(key)}:"
            yield from _pieces(members[key])
            separator = ","
        yield "}" if members else "{}"
    elif isinstance(value, (list, tuple)):
        separator = "["
        for item in cast(Iterable[Any], value):
            yield separator
            yield from _pieces(item)
            separator = ","
        yield "]" if separator == "," else "[]"
    elif isinstance(value, str):
        yield _text(value)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield _number(value)
    else:
        yield json.dumps(value)


def _rank(key: str) -> tuple[int, int, bytes]:
    """Return what keys are sorted by: array indices by number, the rest by UTF-16 units."""
    if _INDEX.fullmatch(key) and int(key) < 2**32 - 1:
        return 0, int(key), b""
    return 1, 0, key.encode("utf-16-be", "surrogatepass")


def _text(value: str) -> str:
    written = json.dumps(value, ensure_ascii=False)
    return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", written)


def _number(value: float) -> str:
    """Return a number as JavaScript writes it (ECMA-262, Number::toString)."""
    if isinstance(value, int) and abs(value) <= _MOST_SAFE:
        return str(value)
    try:
        double = float(value)
    except OverflowError:  # JavaScript reads it as infinity
        return "null"
    if not math.isfinite(double):
        return "null"
    return _fewest(double) if double else "0"


def _fewest(double: float) -> str:
    sign, digits, point = _shortest(double)
    if len(digits) <= point <= 21:
        return f"{sign}{digits}{'0' * (point - len(digits))}"
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    mantissa = f"{digits[0]}.{digits[1:]}" if len(digits) > 1 else digits
    return f"{sign}{mantissa}e{'+' if point > 0 else '-'}{abs(point - 1)}"


def _shortest(double: float) -> tuple[str, str, int]:
    """Return the sign, the fewest digits that tell a double, and where the point is in them."""
    mantissa, _, exponent = f"{double!r}e0".partition("e")
    whole, _, fraction = mantissa.lstrip("-").partition(".")
    power = int(exponent.removesuffix("e0") or 0)
    digits = (whole + fraction).lstrip("0")
    lost = len(whole + fraction) - len(digits)
    return "-" if double < 0 else "", digits.rstrip("0"), len(whole) - lost + power
