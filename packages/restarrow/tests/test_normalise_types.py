"""What becomes of a value in a column of another type: the same as in dlt."""

from __future__ import annotations

import json
import math
import struct
from datetime import datetime
from typing import Any

import orjson
import pytest
from dlt.common.data_types.type_helpers import coerce_value
from dlt.common.json import json as dlt_json
from dlt.common.time import normalize_timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from restarrow.errors import UnsupportedError
from restarrow.normalise.types import (
    SUPPORTED,
    MisfitError,
    coerce,
    infer,
    is_marked,
    json_text,
    kind_of,
)

TEXTS = st.one_of(
    st.text(max_size=6),
    st.sampled_from(
        ["0x1f", "0x", "0x-1", " 7 ", "+7", "1_0", "٣", "1e5", "yes", "N", "T", "-0", "1."]
    ),
    st.sampled_from(
        ["nan", "-inf", "9" * 20, "9" * 5000, "{}", "[1, 2]", " true", '{"a": 1}', "nul"]
    ),
    st.integers(-(2**70), 2**70).map(str),
    st.floats().map(repr),
)
VALUES = st.one_of(
    TEXTS,
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.lists(st.integers(0, 9), max_size=2),
    st.dictionaries(st.text(max_size=2), st.integers(0, 9), max_size=2),
)
JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**64 - 1),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=5),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


def dlt_coerces(data_type: str, value: Any) -> Any:
    try:
        kind = kind_of(value)
        result = coerce_value(data_type, kind, json.loads(json.dumps(value)))  # type: ignore[arg-type]
    except (ValueError, SyntaxError):
        return "misfit"
    if data_type == "timestamp":
        return normalize_timezone(result, timezone=True).isoformat()
    if data_type == "json" and result is not None and not isinstance(result, str):
        return dlt_json.dumps(result)
    return result


@settings(max_examples=500, deadline=None, database=None)
@given(st.sampled_from(sorted(SUPPORTED)), VALUES)
def test_every_type_in_every_column(data_type: str, value: Any) -> None:
    try:
        ours = coerce(data_type, value)
    except MisfitError:
        ours = "misfit"
    except UnsupportedError:
        return
    if isinstance(ours, datetime):
        ours = ours.isoformat()
    assert repr(ours) == repr(dlt_coerces(data_type, value))


@settings(max_examples=500, deadline=None, database=None)
@given(JSON)
def test_json_is_written_as_dlt_writes_it(value: Any) -> None:
    try:
        assert json_text(value) == dlt_json.dumps(value)
    except UnsupportedError:
        assert max(json.dumps(value, ensure_ascii=False)) >= "\uf026"


@settings(max_examples=700, deadline=None, database=None)
@given(st.binary(min_size=8, max_size=8))
def test_every_float_is_written_as_dlt_writes_it(data: bytes) -> None:
    (number,) = struct.unpack("<d", data)
    if math.isfinite(number):
        assert json_text([number]) == orjson.dumps([number]).decode()


def test_first_values_decide() -> None:
    values: list[Any] = ["x", "2024-01-01T00:00", 1, 1.0, True, {}, []]
    types = ["text", "timestamp", "bigint", "double", "bool", "json", "json"]
    assert list(map(infer, values)) == types


def test_only_json_has_a_type() -> None:
    with pytest.raises(UnsupportedError, match="complex"):
        kind_of(1j)


@pytest.mark.parametrize(
    ("data_type", "value", "why"),
    [
        ("bigint", 2**63, "64 bits"),
        ("text", 2**63, "64 bits"),
        ("bigint", 1e300, "64 bits"),
        ("bigint", "9" * 20, "64 bits"),
        ("double", "nan", "infinite"),
        ("double", math.inf, "infinite"),
        ("text", "\uf026x", "type mark"),
        ("bigint", "\uf0271", "type mark"),
        ("json", {"a": "\uf02dx"}, "type mark"),
        ("json", [2**64], "64 bits"),
        ("json", '"quoted"', "quotes"),
        ("json", "[1e5]", "differently"),
        ("timestamp", "10:", "stops"),
    ],
)
def test_what_is_refused(data_type: str, value: Any, why: str) -> None:
    with pytest.raises(UnsupportedError, match=why):
        coerce(data_type, value)


def test_only_the_first_character_marks() -> None:
    assert is_marked("\uf02dx")
    assert not is_marked("x\uf026")
    assert not is_marked("\uf02ex")
