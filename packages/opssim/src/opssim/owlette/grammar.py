"""The shapes of ids, and how versions are named."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import Final

from opssim.owlette.problems import Problem, invalid

_ID: Final = re.compile(r"[A-Za-z0-9_-]{8,64}", re.ASCII)
_LENIENT: Final = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)
_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_COMMAND: Final = re.compile(r"cmd_[A-Za-z0-9_-]{1,80}", re.ASCII)
_NUMBER: Final = re.compile(r"[#vV]?([1-9][0-9]{0,8})", re.ASCII)

#: The shape of what a path or a body names, by the name; other names have no shape.
_SHAPES: Final = {
    "siteId": _LENIENT,
    "roostId": _ID,
    "webhookId": _ID,
    "rolloutId": _ID,
    "deliveryId": _ID,
    "versionId": _ID,
    "digest": _DIGEST,
    "commandId": _COMMAND,
}


def check_id(name: str, value: str, *, where: str, lenient: bool) -> None:
    """Refuse an id that is not of the shape that its name asks for.

    Raises:
        Problem: 400.
    """
    shape = _SHAPES.get(name)
    if shape is _ID and lenient:
        shape = _LENIENT
    if shape is not None and not shape.fullmatch(value):
        raise invalid({f"{where}.{name}": [f"must match ^{shape.pattern}$"]})


def is_digest(value: object) -> bool:
    """Tell whether something is a chunk's hash: 64 lower-case hexadecimal digits."""
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None


@dataclass(frozen=True, slots=True)
class VersionRef:
    """A version as a client names it: by word, by number, or by id."""

    word: str = ""
    number: int = 0
    version_id: str = ""


def version_ref(text: str, *, lenient: bool) -> VersionRef:
    """Read the name of a version.

    Raises:
        Problem: 400 `version_ref_malformed`.
    """
    text = text.strip()
    if text in {"current", "previous", "first"}:
        return VersionRef(word=text)
    if found := _NUMBER.fullmatch(text):
        return VersionRef(number=int(found[1]))
    if _DIGEST.fullmatch(text.removeprefix("vrs_")) or (lenient and text.startswith("vrs_")):
        return VersionRef(version_id=text)
    msg = f"{text[:80]!r} names no version: current, previous, first, #3, v3, an id"
    raise Problem(400, "version_ref_malformed", msg)


def new_id(prefix: str, digits: int = 18) -> str:
    """Return a new id: a prefix and so many hexadecimal digits."""
    return prefix + secrets.token_hex(digits // 2)
