"""The types of columns: which one a value has, and what becomes of a value of another one."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from restarrow.errors import UnsupportedError
from restarrow.nesting import DEEP, depth_of
from restarrow.normalise.timestamps import is_moment, moment_of_number, moment_of_text

#: The types of columns that this package makes; a column of any other type is dlt's business.
SUPPORTED = frozenset({"text", "bigint", "double", "bool", "timestamp", "json"})

#: What JSON's objects and lists are decoded to.
OBJECT: type[Any] = dict
LIST_TYPE: type[Any] = list
#: The type that a JSON value has by itself.
KINDS: dict[type, str] = {
    str: "text",
    int: "bigint",
    float: "double",
    bool: "bool",
    dict: "json",
    list: "json",
}

_Number = TypeVar("_Number", int, float)

_TRUE = frozenset({"yes", "true", "t", "y", "1"})
_FALSE = frozenset({"no", "false", "f", "n", "0"})
_INT64 = 2**63
_UINT64 = 2**64
#: dlt marks typed values in its own files with these characters, so a text that starts so is
#: taken for one.
_MARKS = ("\uf026", "\uf027", "\uf028", "\uf029", "\uf02a", "\uf02b", "\uf02c", "\uf02d")
_MARKED = re.compile("[\uf026-\uf02d]")
#: In an encoded value, what may be a number that the two encoders write in different ways, or
#: that dlt's cannot write.
_DOUBTFUL_NUMBER = re.compile(rb"[0-9][eE][0-9]|[0-9]{19}")
#: A text that can be no JSON, whoever parses it.
_NO_JSON = re.compile(r'[ \t\n\r]*(?:[^ \t\n\r\[{"0-9tfn-]|\Z)')
#: In a text that may be JSON, where parsers differ: long numbers, exponents, escaped surrogates,
#: control characters.
_DOUBTFUL_JSON = re.compile(r"[0-9]{15}|[0-9.][eE]|\\u[dD]|[\ud800-\udfff\x00-\x1f]")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the live schema.

    Attributes:
        data_type: dlt's name of the type; None if it is declared but its type is not known yet.
        nullable: whether rows may lack it.
        variant: whether it takes the values of another column that do not fit there.
    """

    data_type: str | None = None
    nullable: bool = True
    variant: bool = False


class MisfitError(ValueError):
    """A value that its column does not take: it goes to a variant of the column."""


def kind_of(value: object) -> str:
    """Return the type of a column that holds values such as this.

    Raises:
        UnsupportedError: if this comes from no JSON.
    """
    python_type = type(value)
    kind = KINDS.get(python_type)
    if kind is None:
        msg = f"values of {python_type.__name__} are not JSON"
        raise UnsupportedError(msg)
    return kind


def infer(value: Any) -> str:
    """Return the type of a column whose first value is this."""
    kind = kind_of(value)
    return "timestamp" if kind == "text" and is_moment(value) else kind


def coerce(data_type: str, value: Any) -> Any:
    """Fit a value, which is not None, into a column; JSON is returned as its text.

    Raises:
        MisfitError: if the value belongs into a variant column.
        UnsupportedError: if dlt would store or do something that this does not reproduce.
    """
    kind = kind_of(value)
    _check(kind, value)
    if kind == data_type:
        return json_text(value) if kind == "json" else value
    coercion = _COERCIONS.get((data_type, kind))
    if coercion is None:
        raise MisfitError(data_type, kind)
    try:
        result = coercion(value)
    except (ValueError, OverflowError) as error:
        raise MisfitError(data_type, kind) from error
    _check(data_type, result)
    return result


def json_text(value: Any) -> str:
    """Write a value as JSON, with neither spaces nor escapes that need not be.

    Raises:
        UnsupportedError: for what dlt's encoder does not write, or takes for a marked value.
    """
    data = _encode(value)
    may_be_deep = len(data) > 2 * DEEP and data.count(b"{") + data.count(b"[") > DEEP
    if may_be_deep and depth_of(value) > DEEP:
        msg = f"a JSON value is nested more than {DEEP} levels deep"
        raise UnsupportedError(msg)
    if _DOUBTFUL_NUMBER.search(data):
        data = _encode_slowly(value).encode()
    text = data.decode()
    if not text.isascii() and _MARKED.search(text):
        msg = "a text in a JSON value may hold one of dlt's type marks"
        raise UnsupportedError(msg)
    return text


def is_marked(text: str) -> bool:
    """Tell whether dlt takes a text for a value of another type that it has written itself."""
    return text.startswith(_MARKS)


def _check(data_type: str, value: Any) -> None:
    """Refuse what dlt, or the Arrow type of the column, cannot hold."""
    if data_type == "text":
        if is_marked(value):
            msg = "a text starts with one of dlt's type marks"
            raise UnsupportedError(msg)
    elif data_type == "bigint":
        if not -_INT64 <= value < _INT64:
            msg = "an integer has more than 64 bits"
            raise UnsupportedError(msg)
    elif data_type == "double" and not math.isfinite(value):
        msg = "a number is infinite or not a number"
        raise UnsupportedError(msg)


_encode = msgspec.json.Encoder().encode


def _encode_slowly(value: Any) -> str:
    if type(value) is OBJECT:
        members = (f"{_encode_slowly(key)}:{_encode_slowly(item)}" for key, item in value.items())
        return f"{{{','.join(members)}}}"
    if type(value) is LIST_TYPE:
        return f"[{','.join(map(_encode_slowly, value))}]"
    if isinstance(value, int) and not -_INT64 <= value < _UINT64:
        msg = "an integer has more than 64 bits"
        raise UnsupportedError(msg)
    text = _encode(value).decode()
    if isinstance(value, float) and "e" in text and "e-" not in text:
        return text.replace("e", "e+")
    return text


def _bigint_of_text(text: str) -> int:
    return _integer(text.strip(), int)


def _integer(text: str, number: Callable[[str], _Number]) -> _Number | int:
    if not text.startswith("0x"):
        return number(text)
    digits = text[2:]
    return int(digits, 16)


def _bigint_of_double(number: float) -> int:
    if number % 1 != 0:
        raise ValueError(number)
    return int(number)


def _double_of_text(text: str) -> float:
    return float(_integer(text.strip(), float))


def _bool_of_text(text: str) -> bool:
    word = text.lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError(text)


def _json_of_text(text: str) -> str | None:
    if _NO_JSON.match(text):
        raise ValueError(text)
    if _DOUBTFUL_JSON.search(text):
        msg = "a text in a column of JSON holds numbers or escapes that parsers read differently"
        raise UnsupportedError(msg)
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise ValueError(text) from error
    if isinstance(value, str):
        msg = "a text in a column of JSON is a string in quotes"
        raise UnsupportedError(msg)
    return None if value is None else json_text(value)


_COERCIONS: dict[tuple[str, str], Callable[[Any], Any]] = {
    ("text", "bigint"): str,
    ("text", "double"): str,
    ("text", "bool"): str,
    ("text", "json"): json_text,
    ("bigint", "text"): _bigint_of_text,
    ("bigint", "double"): _bigint_of_double,
    ("double", "text"): _double_of_text,
    ("double", "bigint"): float,
    ("bool", "text"): _bool_of_text,
    ("bool", "bigint"): bool,
    ("bool", "double"): bool,
    ("json", "text"): _json_of_text,
    ("timestamp", "text"): moment_of_text,
    ("timestamp", "bigint"): moment_of_number,
    ("timestamp", "double"): moment_of_number,
}
