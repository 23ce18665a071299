"""The filter trees and sorts of the list protocol, compiled to functions over rows."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from opssim.cloud_bot.errors import ApiError, as_list, as_object, bad_request
from opssim.core.store import Row, encode

#: How the values of a field compare: as they stand, as whole numbers (which the API sends as
#: strings in most places), as points in time, or as true and false.
Kind = Literal["text", "number", "date", "flag"]
Kinds = Mapping[str, Kind]
Predicate = Callable[[Row], bool]

_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "lt": operator.lt,
    "le": operator.le,
    "eq": operator.eq,
    "ne": operator.ne,
    "ge": operator.ge,
    "gt": operator.gt,
}
_DEEPEST = 20
_USUAL_ORDER = {"field": "id", "direction": "desc"}
_STAMP = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:?\d\d)?)?"
)


def instant(text: str) -> int:
    """Return the nanoseconds from 1970 to an ISO-8601 time stamp; UTC unless it has an offset.

    Raises:
        ValueError: `text` is not an ISO-8601 time stamp.
    """
    stamp = _STAMP.fullmatch(text)
    if stamp is None:
        message = f"not an ISO-8601 time stamp: {text!r}"
        raise ValueError(message)
    day, time, fraction, zone = stamp.groups()
    seconds = datetime.fromisoformat(f"{day}T{time or '00:00'}{zone or 'Z'}").timestamp()
    return int(seconds) * 10**9 + int((fraction or "0").ljust(9, "0"))


def comparable(kind: Kind, value: Any) -> Any:
    """Return a row's value in the form that it is compared in; None if there is none."""
    if value is None or value == "":
        return None
    if kind == "date":
        return instant(value)
    return int(value) if kind == "number" else value


def comparable_fields(kinds: Kinds) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """Return the function that reads the given fields of a row for comparison."""
    pairs = tuple(kinds.items())

    def read(data: Mapping[str, Any]) -> dict[str, Any]:
        return {name: comparable(kind, data.get(name)) for name, kind in pairs}

    return read


def compile_filter(tree: Any, kinds: Kinds, depth: int = 0) -> Predicate | None:
    """Return the predicate of a filter tree; None if it lets all rows through.

    Raises:
        ApiError: the tree is malformed, or names a field that cannot be filtered on.
    """
    if tree is None or tree == {}:
        return None
    node = as_object(tree) or {}
    name = node.get("operator")
    if not isinstance(name, str) or depth > _DEEPEST:
        msg = "a filter is an object with an operator, and not nested too deeply"
        raise _bad_filter(msg)
    if name == "NONE":
        return None
    if name in {"and", "or", "not"}:
        return _combination(name, as_list(node.get("operands")), kinds, depth)
    if name in _COMPARISONS or name == "substring":
        return _leaf(name, node.get("field"), node.get("value"), kinds)
    msg = f"unknown operator {name!r}"
    raise _bad_filter(msg)


def _combination(
    name: str, operands: Sequence[Any] | None, kinds: Kinds, depth: int
) -> Predicate | None:
    if not operands:
        msg = f"operator {name!r} needs operands"
        raise _bad_filter(msg)
    parts = [compile_filter(operand, kinds, depth + 1) for operand in operands]
    predicates = [part or _everything for part in parts]
    if name == "and":
        return lambda row: all(predicate(row) for predicate in predicates)
    if name == "or":
        return lambda row: any(predicate(row) for predicate in predicates)
    if len(predicates) != 1:
        msg = "operator 'not' needs exactly one operand"
        raise _bad_filter(msg)
    negated = predicates[0]
    return lambda row: not negated(row)


def _leaf(name: str, field: Any, value: Any, kinds: Kinds) -> Predicate:
    kind = kinds.get(field) if isinstance(field, str) else None
    if kind is None:
        msg = f"cannot filter on field {field!r}"
        raise _bad_filter(msg)
    if name == "substring":
        if kind != "text" or not isinstance(value, str):
            msg = f"operator 'substring' needs text, and field {field!r} has none"
            raise _bad_filter(msg)
        part = value.lower()
        return lambda row: part in (row.fields[field] or "").lower()
    wanted = _wanted(field, kind, value)
    compare = _COMPARISONS[name]
    if name == "ne":
        return lambda row: bool(row.fields[field] != wanted)

    def matches(row: Row) -> bool:
        found = row.fields[field]
        return found is not None and compare(found, wanted)

    return matches


def _wanted(field: str, kind: Kind, value: Any) -> Any:
    """Read the value of a filter, which the protocol says is a string; bare ones pass too."""
    msg = f"value {value!r} does not fit field {field!r} ({kind})"
    if not isinstance(value, str | int | float):  # a `bool` is an `int`
        raise _bad_filter(msg)
    text = value if isinstance(value, str) else encode(value).decode()
    try:
        if kind == "date":
            return instant(text)
        if kind == "number":
            return int(text)
        if kind == "flag":
            return {"true": True, "false": False}[text.lower()]
    except (ValueError, KeyError):
        raise _bad_filter(msg) from None
    return text


def compile_sort(sort: Any, kinds: Kinds) -> Callable[[list[Row]], None]:
    """Return the function that orders rows; the order is id desc unless another is asked for.

    Raises:
        ApiError: the sort is malformed, or names a field that cannot be sorted by.
    """
    entries = as_list([_USUAL_ORDER] if sort in (None, []) else sort)
    if entries is None:
        msg = "sort is a list of fields and directions"
        raise bad_request(msg, code="invalid.sort")
    keys = [_sort_key(entry, kinds) for entry in entries]

    def order(rows: list[Row]) -> None:
        # sorting is stable: the last key first, the first key last
        for field, descending in reversed(keys):
            rows[:] = _sorted(rows, field, descending=descending)

    return order


def _sorted(rows: list[Row], field: str, *, descending: bool) -> list[Row]:
    """Sort by one field. Rows without a value count as those with the lowest."""
    missing = [row for row in rows if row.fields[field] is None]
    present = [row for row in rows if row.fields[field] is not None]
    present.sort(key=lambda row: row.fields[field], reverse=descending)
    return present + missing if descending else missing + present


def _sort_key(entry: Any, kinds: Kinds) -> tuple[str, bool]:
    wanted = as_object(entry) or {}
    field, direction = wanted.get("field"), wanted.get("direction", "asc")
    if not isinstance(field, str) or field not in kinds:
        msg = f"cannot sort by field {field!r}"
        raise bad_request(msg, code="invalid.sort")
    if direction not in ("asc", "desc"):
        msg = f"unknown sort direction {direction!r}"
        raise bad_request(msg, code="invalid.sort")
    return field, direction == "desc"


def _everything(_row: Row) -> bool:
    return True


def _bad_filter(message: str) -> ApiError:
    return bad_request(message, code="invalid.filter")
