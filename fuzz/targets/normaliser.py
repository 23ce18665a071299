"""Rows become the tables that dlt's own normaliser makes of them, cell by cell, or are refused."""

from __future__ import annotations

import itertools
import json
from typing import Any
from unittest import mock

import msgspec
from packages.restarrow.tests.normalise_cases import (
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
    """Normalise rows, one a line, in batches of three, as bytes and as values."""
    taker = Taker(data)
    settings, raw = taker.choice(SETTINGS), taker.byte() % 2 == 0
    rows: list[bytes] = []
    while taker.left:
        line = taker.line()
        try:
            msgspec.json.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            continue
        # as `RowReader` has them: only what is a whole value, with nothing around it
        rows.append(bytes(msgspec.json.decode(line, type=msgspec.Raw)).strip())
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
