"""What dataclasses of answers have in common: they take what is there, and keep the rest."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import cache, partial
from typing import Any, TypeVar, cast

__all__ = ["Model"]

_M = TypeVar("_M", bound="Model")
_HUMP = re.compile(r"_([a-z0-9])")
_EMPTY: Mapping[object, object] = {str: "", int: 0, float: 0.0, bool: False}


@dataclass(slots=True)
class Model:
    """An object of an answer.

    Fields that the answer lacks have their default, or are empty. Fields that are new to this
    package do no harm, nor do new values of enumerations.

    Attributes:
        raw: the object as it came, with all there is in it.
    """

    raw: dict[str, Any] = field(
        default_factory=dict[str, Any], repr=False, compare=False, kw_only=True
    )

    @classmethod
    def from_json(cls: type[_M], payload: object) -> _M:
        """Make one of the object of an answer, whose keys are in camel or snake case."""
        raw: dict[str, Any] = (
            {str(key): value for key, value in payload.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
            if isinstance(payload, Mapping)
            else {}
        )
        values: dict[str, Any] = {"raw": raw}
        kind: Any = cls
        for each in _plan(kind):
            key = next((key for key in each.keys if raw.get(key) is not None), None)
            if key is not None:
                values[each.name] = each.read(raw[key])
            elif each.is_required:
                values[each.name] = each.empty()
        return cls(**values)

    @classmethod
    def list_of(cls: type[_M], payload: object, *keys: str) -> list[_M]:
        """Make a list of them: of a list, or of the first of these members that is one."""
        found: Any = payload
        if isinstance(payload, Mapping):
            members = cast("Mapping[str, Any]", payload)
            lists = (members[key] for key in keys if isinstance(members.get(key), list))
            found = next(lists, None)
        return [cls.from_json(each) for each in _items(found)]


@dataclass(frozen=True)
class _Reader:
    name: str
    keys: tuple[str, ...]
    is_required: bool
    empty: Callable[[], object]
    read: Callable[[Any], object]


@cache
def _plan(kind: Any) -> tuple[_Reader, ...]:
    hints = typing.get_type_hints(kind)
    return tuple(
        _Reader(
            each.name,
            _keys(each.name, each.metadata),
            each.default is MISSING and each.default_factory is MISSING,
            _empty(hints[each.name]),
            _reader(hints[each.name]),
        )
        for each in fields(kind)
        if each.name != "raw"
    )


def _keys(name: str, metadata: Mapping[str, Any]) -> tuple[str, ...]:
    camel = _HUMP.sub(lambda found: found[1].upper(), name)
    return tuple(dict.fromkeys([*metadata.get("keys", ()), camel, name]))


def _empty(hint: Any) -> Callable[[], object]:
    origin: Any = typing.get_origin(hint) or hint
    if origin is list or origin is dict:
        return origin
    if isinstance(origin, type) and issubclass(origin, Model):
        return partial(origin.from_json, {})
    value = _EMPTY.get(hint)
    return lambda: value


def _reader(hint: Any) -> Callable[[Any], object]:
    """Return what turns a value of an answer, which is not null, into one of this type."""
    origin = typing.get_origin(hint)
    if origin in {typing.Union, types.UnionType}:
        (inner, *more) = (each for each in typing.get_args(hint) if each is not type(None))
        return _same if more else _reader(inner)
    if origin is list:
        item = _reader(typing.get_args(hint)[0])
        return lambda value: _each(item, value)
    if isinstance(hint, type) and issubclass(hint, Model):
        return hint.from_json
    return _same


def _each(read: Callable[[Any], object], value: Any) -> list[object]:
    return [read(each) for each in _items(value)]


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []  # pyright: ignore[reportUnknownVariableType]


def _same(value: Any) -> object:
    return value
