"""Manifests in the one notation that their ids are made of: that of `JSON.stringify`."""

from __future__ import annotations

import hashlib
import json
import math
import re
from typing import Any, Final

#: Keys that JavaScript takes for places in an array, and puts first, by number.
_PLACE: Final = re.compile(r"(?:0|[1-9][0-9]{0,9})", re.ASCII)
_LAST_PLACE: Final = 2**32 - 2
#: Numbers from here on are written with an exponent, and below the other one.
_HUGE: Final = 1e21
_TINY: Final = 1e-6
_EXACT: Final = 2**53


def canonical_json(value: object) -> str:
    """Return a value as JavaScript would write it, its keys in order, without spaces."""
    if isinstance(value, dict):
        members: dict[str, Any] = value  # pyright: ignore[reportUnknownVariableType]
        parts = (
            f"{_text(key)}:{canonical_json(members[key])}" for key in sorted(members, key=_turn)
        )
        return f"{{{','.join(parts)}}}"
    if isinstance(value, list):
        items: list[Any] = value  # pyright: ignore[reportUnknownVariableType]
        return f"[{','.join(map(canonical_json, items))}]"
    if isinstance(value, str):
        return _text(value)
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    assert isinstance(value, int | float)  # noqa: S101 - there is nothing else in JSON
    return _number(value)


def version_id_of(manifest: object) -> str:
    """Return the id of a manifest: the hash of its canonical JSON."""
    return hashlib.sha256(canonical_json(manifest).encode()).hexdigest()


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _turn(key: str) -> tuple[int, int, bytes]:
    """Return when a key's turn is: first those that are places, then by UTF-16."""
    if _PLACE.fullmatch(key) and int(key) <= _LAST_PLACE:
        return 0, int(key), b""
    return 1, 0, key.encode("utf-16-be", "surrogatepass")


def _number(value: float) -> str:  # noqa: PLR0911 - as many as there are notations
    """Return a number as JavaScript would write it, which has floats only."""
    number = float(value)
    if not math.isfinite(number):
        return "null"
    if number == 0:
        return "0"
    if number.is_integer() and abs(number) < _EXACT:
        return str(int(number))
    mantissa, _, exponent = f"{number!r}".partition("e")
    digits = mantissa.replace(".", "").replace("-", "").lstrip("0")
    shift = int(exponent or 0) - (len(mantissa.partition(".")[2]) if "." in mantissa else 0)
    stripped = digits.rstrip("0")
    point = len(digits) + shift  # the value is 0.digits * 10**point
    sign = "-" if number < 0 else ""
    if _TINY <= abs(number) < _HUGE:
        if point >= len(stripped):
            return sign + stripped.ljust(point, "0")
        if point > 0:
            return f"{sign}{stripped[:point]}.{stripped[point:]}"
        return f"{sign}0.{'0' * -point}{stripped}"
    rest = f".{stripped[1:]}" if len(stripped) > 1 else ""
    power = point - 1
    return f"{sign}{stripped[0]}{rest}e{'+' if power >= 0 else '-'}{abs(power)}"
