"""Secrets in texts are masked by every pass, wherever they stand; the quick pass misses none."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from fuzz.taking import Taker
from opsnest.secret_scan import SecretScan, holds, mask, may_hold

ALLOWED: tuple[type[Exception], ...] = ()

#: What is planted, put together here so that no secret is written in this file. The last ones are
#: told by what is said of them, the others by their shape.
_WORD = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
PLANTED = (
    ("gh" + "p_" + _WORD, "{}"),
    ("gl" + "pat-" + _WORD[:20], "{}"),
    ("sk" + "-ant-" + _WORD, "{}"),
    ("rootly" + "_" + "0123456789abcdef" * 4, "{}"),
    ("ow" + "k_" + _WORD, "{}"),
    ("ey" + "J" + _WORD + "." + _WORD + "." + _WORD, "{}"),
    (_WORD[:12], "password={}"),
    (_WORD[:12], '"password": "{}"'),
    (_WORD[:20], "api_key: '{}'"),
    (_WORD, "Authorization: Bearer {}"),
    (_WORD[:12], "https://u:{}@h/x"),
)


def one(data: bytes) -> None:
    """Plant a secret in a text, and mask it; and let both passes look at anything."""
    taker = Taker(data)
    secret, said = taker.choice(PLANTED)
    levels = taker.byte() % 3
    blank = taker.choice(" \n\t\f\v\r\b\x00\x1f")
    before, after = taker.json(), taker.text()
    _agree(before)
    _agree(after)
    if said == "{}" and (_ends_word(after[:1]) or after[:1] == "."):
        after = " " + after  # behind a letter of its own it is another word
    text = f"{_before(before)}{blank}{said.replace(' ', blank, 1).format(secret)}{after}"
    if '"' not in said and "'" not in said:
        after = " " + after
        text = f"{_before(before)}{blank}{said.replace(' ', blank, 1).format(secret)}{after}"
    for _ in range(levels):
        text = json.dumps({"a": text})
    masked = mask(text)
    assert secret not in masked, text
    assert all(may_hold([text.encode("utf-8", "surrogatepass"), json.dumps(text).encode()])), text
    rows = [{"id": "1", "text": text}]
    SecretScan("a source", "a list", key=("id",)).all_rows(rows)
    assert secret not in json.dumps(rows), text


def _before(value: Any) -> str:
    """Return a text that cannot take the secret into what it says itself."""
    text = value if isinstance(value, str) else json.dumps(value)
    return "".join(each for each in text if each.isalnum() or each in " \n,.{}[]") + " "


def _ends_word(character: str) -> bool:
    return character.isalnum() or character in {"_", "-", "="}


def _agree(value: Any) -> None:
    """What the exact pass finds in a value, the quick one has not passed by."""
    masked = mask(value)
    if repr(masked) == repr(value):
        return
    for encoded in (json.dumps(value).encode(), _quick(value)):
        assert may_hold([encoded]) == [True], value
    assert holds(value), value
    assert repr(mask(masked)) == repr(masked), value


def _quick(value: Any) -> bytes:
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return json.dumps(value).encode()
