"""Rows for the normaliser's tests, and what dlt and ours are to agree on about them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any
from unittest import mock

import msgspec
import pytest
from hypothesis import strategies as st
from packages.restarrow.tests.normalise_reference import LOAD_ID, TABLE, Reference

from restarrow.errors import UnsupportedError
from restarrow.normalise import Batch, Column, Normaliser, Options, Raws, normaliser

KEYS = [
    *("a", "b", "c", "Id", "id", "ID", "a__b", "A", "é", "日本", "camelCase", "HTTPServer", "1abc"),
    *(
        "x-y",
        "x y",
        "",
        "  ",
        "v",
        "v__v_text",
        "v__v_double",
        "value",
        "list",
        "trailing_",
        "tr__",
    ),
    *("@at", "+", "a|b", "very_long_key_" * 4, "_x", "9", "٣"),
]
PLAIN_KEYS = ["a", "b", "c", "d", "e", "f", "g_h", "camelCase", "value", "x__y"]
TEXTS = [
    *(
        "",
        "x",
        "abc",
        "1",
        "2",
        "1.5",
        "0x10",
        " 12 ",
        "true",
        "no",
        "Y",
        "nan",
        "1_000",
        "-5",
        "1e3",
    ),
    *("2024-01-01", "2024-01-01T00:00:00Z", "2024-05-06T07:08:09.123456+02:00", "2024"),
    *("2024-05-06 07:08:09", "2024-01-01T10:00:00.123456789Z", "1704067200", "20240101T000000Z"),
    *("2024/01/01 10:00:00", "10:00", "12:", "2024-W01-1T10:00", "2024-01-01T10:00:00-08:00"),
    *('{"a":1}', "[1,2]", "null", "日本", "\x00", 'é\n"\\/\t', "9" * 25, "\U0001f600", "\ue000x"),
]
INTEGERS = [0, 1, -1, 7, 2**31, 2**53 + 1, 1_704_067_200, -(2**63), 2**63 - 1]
NUMBERS = [0.0, -0.0, 1.5, 2.0, 1e16, 1e-7, 1e300, 1_704_067_200.25, 0.1, -3.0, 1e22, 123_456.125]
#: What must be refused, wherever it ends up.
HOSTILE = [2**63, 2**64, "\uf026x", "\uf02d1", "\uf026"]

Make = Callable[[], Any]


def scalar(chance: Random) -> Any:
    """Make a value that is neither object nor list."""
    which = chance.random()
    if which < 0.2:
        return None
    if which < 0.45:
        return chance.choice(TEXTS)
    if which < 0.65:
        return chance.choice(INTEGERS)
    if which < 0.8:
        return chance.choice(NUMBERS)
    return chance.random() < 0.5 if which < 0.98 else chance.choice(HOSTILE)


def wild(chance: Random, depth: int, keys: list[str]) -> Any:
    """Make any JSON."""
    which = chance.random()
    if depth <= 0 or which < 0.6:
        return scalar(chance)
    if which < 0.8:
        return {
            chance.choice(keys): wild(chance, depth - 1, keys) for _ in range(chance.randrange(4))
        }
    return [wild(chance, depth - 1, keys) for _ in range(chance.randrange(4))]


def maker(chance: Random, depth: int, keys: list[str]) -> Make:
    """Make something that makes JSON of one kind, more or less."""
    which = chance.random()
    if depth <= 0 or which < 0.55:
        pool = [scalar(chance) for _ in range(chance.choice([1, 1, 2, 2, 3, 3]))]
        if chance.random() < 0.6:
            pool = [value for value in pool if type(value) is type(pool[0])]
        if chance.random() < 0.4:
            pool.append(None)
        return lambda: chance.choice(pool)
    if which < 0.8:
        fields = {
            chance.choice(keys): maker(chance, depth - 1, keys)
            for _ in range(chance.randrange(1, 5))
        }
        missing = chance.choice([0, 0, 0.2, 0.5])
        return lambda: {key: make() for key, make in fields.items() if chance.random() >= missing}
    item = maker(chance, depth - 1, keys)
    return lambda: [item() for _ in range(chance.randrange(4))]


@dataclass(frozen=True, slots=True)
class Settings:
    max_nesting: int | None = None
    root_key: bool = False
    max_length: int | None = None
    merge_key: bool = False
    columns: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    settings: Settings
    batches: list[list[Any]]
    raw: bool = False


@dataclass(slots=True)
class Outcome:
    """How far a case came: the lanes of the batches that were equal, and why it ended early."""

    lanes: list[str] = field(default_factory=list[str])
    refused: str = ""


@st.composite
def cases(draw: st.DrawFn, *, raw: bool = False) -> Case:
    """Make two batches, or three of raw rows; from the second one on, the shape may change."""
    chance = draw(st.randoms(use_true_random=False))
    merge_key = chance.random() < 0.15
    settings = Settings(
        max_nesting=draw(st.sampled_from([None, None, None, 0, 1, 2, 3])),
        root_key=draw(st.booleans()),
        max_length=draw(st.sampled_from([None, None, None, 30, 24])),
        merge_key=merge_key,
        columns=_declared(chance, merge_key=merge_key),
    )
    keys = chance.sample(KEYS, chance.randrange(2, 9))
    if chance.random() < 0.4:
        keys = chance.sample(PLAIN_KEYS, 6)
    makers = {key: maker(chance, 3, keys) for key in keys}
    wildness = chance.choice([0, 0, 0.02, 0.2, 1])
    batches: list[list[Any]] = []
    for number in range(3 if raw else 2):
        if number and chance.random() < 0.6:
            makers[chance.choice(keys)] = maker(chance, 3, keys)
        rows: list[Any] = [_row(chance, makers, wildness) for _ in range(chance.randrange(1, 9))]
        if raw and number and chance.random() < 0.5:
            rows = batches[-1]
        if merge_key:
            rows = [{**row, "a": chance.randrange(100)} for row in rows]
        elif chance.random() < 0.02:
            rows = [*rows, chance.choice([1, "x", None])]
        batches.append(rows)
    return Case(settings, batches, raw)


def _row(chance: Random, makers: dict[str, Make], wildness: float) -> dict[str, Any]:
    if chance.random() < wildness:
        row = wild(chance, 4, list(makers))
        return row if isinstance(row, dict) else {"a": row}  # pyright: ignore[reportUnknownVariableType]
    return {key: make() for key, make in makers.items() if chance.random() < 0.9}


def _declared(chance: Random, *, merge_key: bool) -> tuple[dict[str, Any], ...]:
    declared: list[dict[str, Any]] = []
    if merge_key:
        declared.append({"name": "a", "primary_key": True, "nullable": False})
    elif chance.random() < 0.2:
        data_type = chance.choice(["text", "bigint", "double", "bool", "timestamp", "json"])
        declared.append({"name": "a", "data_type": data_type, "nullable": chance.random() < 0.8})
    if chance.random() < 0.2:
        declared.append({"name": "b", "nullable": chance.random() < 0.8})
    return tuple(declared)


def ours(settings: Settings) -> Normaliser:
    """Make our normaliser, to do as `Reference` does with these settings."""
    columns = {
        column["name"]: Column(column.get("data_type"), nullable=column.get("nullable", True))
        for column in settings.columns
    }
    keys = tuple(column["name"] for column in settings.columns if column.get("primary_key"))
    options = Options(
        load_id=LOAD_ID,
        max_nesting=1000 if settings.max_nesting is None else settings.max_nesting,
        root_key=settings.root_key or settings.merge_key,
        row_ids="key_hash" if settings.merge_key else "random",
        primary_key=keys,
        max_length=settings.max_length,
    )
    return Normaliser(TABLE, columns={TABLE: columns}, options=options)


def theirs(settings: Settings) -> Reference:
    """Make dlt's."""
    return Reference(
        max_nesting=settings.max_nesting,
        root_key=settings.root_key,
        columns=settings.columns,
        merge_key=settings.merge_key,
        max_length=settings.max_length,
    )


def compare(case: Case) -> Outcome:
    """Normalise the batches with both, until ours refuses one, and compare all that comes out."""
    reference, normalise = theirs(case.settings), ours(case.settings)
    outcome = Outcome()
    numbers = itertools.count()

    def ids(count: int) -> list[str]:
        return [f"root-{next(numbers):09}" for _ in range(count)]

    with mock.patch.object(normaliser, "random_ids", ids):
        for rows in case.batches:
            try:
                batch = normalise.normalise(_as_raws(rows) if case.raw else _copy(rows))
            except UnsupportedError as error:
                outcome.refused = error.reason
                return outcome
            try:
                expected = reference.normalise(_copy(rows))
            except TypeError as error:
                if "64-bit" not in str(error):
                    raise
                # A hostile integer was hidden behind another key of the same name.
                return outcome
            assert_same(expected, batch)
            assert_same_schema(reference, normalise)
            outcome.lanes += sorted({lane.split(":")[0] for lane in batch.lanes.values()})
    return outcome


def assert_same(expected: dict[str, Any], batch: Batch) -> None:
    """Compare tables: names, columns, order, types, nullability, and every cell."""
    assert set(batch.tables) == set(expected)
    for name, table in expected.items():
        assert batch.tables[name].schema.equals(table.schema), name
        # repr() tells 1 from 1.0 from True, and 0.0 from -0.0
        assert repr(batch.tables[name].to_pylist()) == repr(table.to_pylist()), name


def assert_same_schema(reference: Reference, normalise: Normaliser) -> None:
    """Compare the live schema: tables in order, columns in order, and their parents."""
    expected = {
        table: [
            (
                name,
                column.get("data_type"),
                column.get("nullable", True),
                column.get("variant", False),
            )
            for name, column in columns.items()
        ]
        for table, columns in reference.columns().items()
    }
    actual = {
        table: [
            (name, column.data_type, column.nullable, column.variant)
            for name, column in columns.items()
        ]
        for table, columns in normalise.columns.items()
    }
    assert list(actual) == list(expected)
    assert actual == expected
    for table, parent in normalise.parents.items():
        assert reference.schema.tables[table].get("parent") == parent


def refusal(rows: list[Any], settings: Settings | None = None) -> str:
    """Return why ours refuses rows."""
    with pytest.raises(UnsupportedError) as caught:
        ours(settings or Settings()).normalise(rows)
    return caught.value.reason


def _as_raws(rows: list[Any]) -> Raws:
    return Raws(
        [
            msgspec.Raw(json.dumps(row, ensure_ascii=number % 2 == 0).encode())
            for number, row in enumerate(rows)
        ]
    )


def _copy(rows: list[Any]) -> list[Any]:
    copied: list[Any] = json.loads(json.dumps(rows))
    return copied
