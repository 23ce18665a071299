"""Rows become the tables that dlt's own normaliser makes of them, cell by cell, or are refused."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any
from unittest import mock

import msgspec
from packages.restarrow.tests.normalise_cases import (
    INTEGERS,
    KEYS,
    NUMBERS,
    PLAIN_KEYS,
    TEXTS,
    Settings,
    assert_same,
    assert_same_schema,
    ours,
    theirs,
)

from fuzz.taking import Taker
from restarrow.errors import UnsupportedError
from restarrow.normalise import Raws, normaliser

ALLOWED = (UnsupportedError,)

SCALARS: tuple[Any, ...] = (None, True, False, *INTEGERS, *NUMBERS, *TEXTS)
#: Lines in a batch.
_BATCH = 3
SETTINGS = (
    Settings(),
    Settings(root_key=True),
    Settings(max_nesting=0),
    Settings(max_nesting=1),
    Settings(max_length=20),
)


def one(data: bytes) -> None:
    """Normalise rows in batches of three, as bytes and as values."""
    taker = Taker(data)
    settings, how = taker.choice(SETTINGS), taker.byte() % 4
    raw = how % 2 == 0
    rows = list(_lines(taker) if how < 2 else _made(taker))
    if not rows:
        return
    reference, normalise = theirs(settings), ours(settings)
    numbers = itertools.count()

    def ids(count: int) -> list[str]:
        return [f"root-{next(numbers):09}" for _ in range(count)]

    with mock.patch.object(normaliser, "random_ids", ids):
        for at in range(0, len(rows), _BATCH):
            batch = rows[at : at + _BATCH]
            values: list[Any] = [json.loads(row) for row in batch]
            try:
                made = normalise.normalise(Raws(batch) if raw else values)
            except ALLOWED:
                return
            try:
                expected = reference.normalise([json.loads(row) for row in batch])
            except TypeError as error:
                # an integer that nobody has room for was hidden behind a key of the same name
                if "64-bit" not in str(error):
                    raise
                return
            assert_same(expected, made)
            assert_same_schema(reference, normalise)


def _lines(taker: Taker) -> Iterator[bytes]:
    """Yield rows that are JSON, one a line, as they are written."""
    while taker.left:
        line = taker.line()
        try:
            # as `RowReader` has them: a whole value, with nothing around it
            row = bytes(msgspec.json.decode(line, type=msgspec.Raw)).strip()
            msgspec.json.decode(row)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            continue
        yield row


def _made(taker: Taker) -> Iterator[bytes]:
    """Yield rows that are made of what is known to be odd."""
    while taker.left:
        row = {taker.choice(KEYS): _value(taker, 3) for _ in range(taker.byte() % 6)}
        yield json.dumps(row, ensure_ascii=False).encode()


def _value(taker: Taker, levels: int) -> Any:
    kind = taker.byte() % (4 if levels else 2)
    if kind == 3:
        return [_value(taker, levels - 1) for _ in range(taker.byte() % 4)]
    if kind == 2:
        keys = [taker.choice(PLAIN_KEYS) for _ in range(taker.byte() % 4)]
        return {key: _value(taker, levels - 1) for key in keys}
    return taker.choice(SCALARS)
