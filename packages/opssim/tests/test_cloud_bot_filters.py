"""Filter trees, sorts and time stamps of the list protocol."""

from __future__ import annotations

from typing import Any

import pytest

from opssim.cloud_bot.errors import ApiError
from opssim.cloud_bot.filters import (
    Kinds,
    comparable_fields,
    compile_filter,
    compile_sort,
    instant,
)
from opssim.core.store import Row

KINDS: Kinds = {"id": "number", "name": "text", "on": "flag", "at": "date"}
ROWS: list[dict[str, Any]] = [
    {"id": "9", "name": "Straße", "on": True, "at": "2026-07-01T00:00:00.000Z"},
    {"id": "10", "name": "street", "on": False, "at": "2026-07-01T02:00:00.000000001+02:00"},
    {"id": "11", "name": "請求書 Street", "on": False, "at": "2026-06-30T23:59:59.999999999Z"},
    {"id": "100", "name": None, "on": True, "at": ""},
]


def rows() -> list[Row]:
    read = comparable_fields(KINDS)
    return [Row(key=data["id"], fields=read(data), body=b"") for data in ROWS]


def matching(tree: Any) -> list[str]:
    predicate = compile_filter(tree, KINDS)
    return [row.key for row in rows() if predicate is None or predicate(row)]


def ordered(sort: Any) -> list[str]:
    listed = rows()
    compile_sort(sort, KINDS)(listed)
    return [row.key for row in listed]


def leaf(operator: str, field: str, value: Any) -> dict[str, Any]:
    return {"operator": operator, "field": field, "value": value}


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:01.000000001Z", 1_000_000_001),
        ("1970-01-01T00:00:00.5Z", 500_000_000),
        ("1970-01-01T00:00:00.1234567891Z", 123_456_789),
        ("1970-01-01T02:00:00+02:00", 0),
        ("1970-01-01T02:00:00.000+0200", 0),
        ("1970-01-01T00:01:00", 60 * 10**9),
        ("1970-01-01T00:01Z", 60 * 10**9),
        ("1970-01-02", 86_400 * 10**9),
        ("1969-12-31T23:59:59.250Z", -750_000_000),
    ],
)
def test_instants_are_exact_to_the_nanosecond(text: str, nanoseconds: int) -> None:
    assert instant(text) == nanoseconds


@pytest.mark.parametrize(
    "text", ["", "now", "1782864000000", "2026-13-01T00:00:00Z", "2026-07-01 00:00", "2026-07-01T"]
)
def test_what_is_no_time_stamp_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        instant(text)


@pytest.mark.parametrize("tree", [None, {}, {"operator": "NONE"}])
def test_no_filter_lets_everything_through(tree: Any) -> None:
    assert matching(tree) == ["9", "10", "11", "100"]


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        ("lt", ["9"]),
        ("le", ["9", "10"]),
        ("eq", ["10"]),
        ("ne", ["9", "11", "100"]),
        ("ge", ["10", "11", "100"]),
        ("gt", ["11", "100"]),
    ],
)
def test_numbers_compare_as_numbers_although_they_are_strings(
    operator: str, expected: list[str]
) -> None:
    assert matching(leaf(operator, "id", "10")) == expected
    assert matching(leaf(operator, "id", 10)) == expected


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        ("lt", ["11"]),
        ("le", ["9", "11"]),
        ("eq", ["9"]),
        ("ge", ["9", "10"]),
        ("gt", ["10"]),
    ],
)
def test_dates_compare_as_points_in_time(operator: str, expected: list[str]) -> None:
    for same_moment in ("2026-07-01T00:00:00Z", "2026-06-30T17:00:00.000-07:00", "2026-07-01"):
        assert matching(leaf(operator, "at", same_moment)) == expected


def test_a_missing_value_differs_from_every_value_and_compares_with_none() -> None:
    assert "100" in matching(leaf("ne", "at", "2026-07-01"))
    assert "100" in matching(leaf("ne", "name", "street"))
    for operator in ("lt", "le", "ge", "gt", "eq"):
        assert "100" not in matching(leaf(operator, "at", "2020-01-01"))


def test_text_compares_exactly_and_substrings_in_any_case() -> None:
    assert matching(leaf("eq", "name", "street")) == ["10"]
    assert matching(leaf("eq", "name", "Street")) == []
    assert matching(leaf("substring", "name", "STREET")) == ["10", "11"]
    assert matching(leaf("substring", "name", "請求")) == ["11"]


@pytest.mark.parametrize("value", ["true", "True", True])
def test_flags(value: Any) -> None:
    assert matching(leaf("eq", "on", value)) == ["9", "100"]
    assert matching(leaf("ne", "on", value)) == ["10", "11"]


def test_trees() -> None:
    low, on = leaf("lt", "id", "11"), leaf("eq", "on", "true")
    assert matching({"operator": "and", "operands": [low, on]}) == ["9"]
    assert matching({"operator": "or", "operands": [low, on]}) == ["9", "10", "100"]
    assert matching({"operator": "not", "operands": [low]}) == ["11", "100"]
    either = {"operator": "or", "operands": [leaf("eq", "id", "9"), leaf("eq", "id", "11")]}
    both = {"operator": "and", "operands": [either, {"operator": "not", "operands": [on]}]}
    assert matching(both) == ["11"]
    assert matching({"operator": "and", "operands": [{"operator": "NONE"}, on]}) == ["9", "100"]


def deep(levels: int) -> dict[str, Any]:
    tree = leaf("eq", "id", "9")
    for _ in range(levels):
        tree = {"operator": "not", "operands": [tree]}
    return tree


def test_trees_may_be_deep_but_not_endless() -> None:
    assert matching(deep(20)) == ["9"]
    with pytest.raises(ApiError):
        matching(deep(21))


@pytest.mark.parametrize(
    "tree",
    [
        leaf("GREATER_THAN_EQUALS", "id", "1"),
        leaf("eq", "unknown", "1"),
        leaf("eq", "id", "one"),
        leaf("eq", "id", None),
        leaf("eq", "name", None),
        leaf("eq", "name", ["street"]),
        leaf("eq", "on", "maybe"),
        leaf("ge", "at", "1782864000000"),
        leaf("ge", "at", {"value": "2026-07-01"}),
        leaf("substring", "at", "2026"),
        leaf("substring", "name", 7),
        {"operator": "eq", "value": "1"},
        {"operator": "eq", "field": ["id"], "value": "1"},
        {"operator": "and"},
        {"operator": "and", "operands": []},
        {"operator": "and", "operands": {}},
        {"operator": "not", "operands": [{"operator": "NONE"}, {"operator": "NONE"}]},
        {"operator": "and", "operands": ["x"]},
        {"operator": 7},
        {"field": "id"},
        "id eq 1",
        [],
    ],
)
def test_malformed_filters_are_refused(tree: Any) -> None:
    with pytest.raises(ApiError) as refusal:
        matching(tree)
    assert (refusal.value.status, refusal.value.code) == (400, "invalid.filter")


@pytest.mark.parametrize("sort", [None, []])
def test_the_usual_order_is_id_descending(sort: Any) -> None:
    assert ordered(sort) == ["100", "11", "10", "9"]


def test_sorting_by_several_fields() -> None:
    by_flag = {"field": "on", "direction": "asc"}
    assert ordered([by_flag, {"field": "id", "direction": "desc"}]) == ["11", "10", "100", "9"]
    assert ordered([by_flag, {"field": "id"}]) == ["10", "11", "9", "100"]
    assert ordered([{"field": "on", "direction": "desc"}, {"field": "id"}])[:2] == ["9", "100"]


def test_sorting_by_time_puts_missing_ones_first() -> None:
    assert ordered([{"field": "at", "direction": "asc"}]) == ["100", "11", "9", "10"]
    assert ordered([{"field": "at", "direction": "desc"}]) == ["10", "9", "11", "100"]


@pytest.mark.parametrize(
    "sort",
    [
        [{"field": "unknown"}],
        [{"field": "id", "direction": "up"}],
        [{"field": "id", "direction": ["asc"]}],
        [{"direction": "asc"}],
        [{"field": {"name": "id"}}],
        ["id"],
        {"field": "id"},
        "id",
    ],
)
def test_malformed_sorts_are_refused(sort: Any) -> None:
    with pytest.raises(ApiError) as refusal:
        ordered(sort)
    assert (refusal.value.status, refusal.value.code) == (400, "invalid.sort")
