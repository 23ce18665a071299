"""Values of a bot's variables, which a Control Room writes with their type."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from opsnest.errors import ConfigurationError
from opsnest.json_values import is_list, is_object

__all__ = ["BotValue", "from_bot", "to_bot"]

#: What an input variable can be given.
BotValue = str | int | float | bool


def to_bot(values: Mapping[str, BotValue]) -> dict[str, dict[str, Any]]:
    """Write values with their types, such as `{"type": "STRING", "string": "EMEA"}`.

    Raises:
        ConfigurationError: a value is neither text nor a number nor a boolean.
    """
    return {name: _to_bot(name, value) for name, value in values.items()}


def _to_bot(name: str, value: object) -> dict[str, Any]:
    match value:
        case bool():  # which is an int, too
            return {"type": "BOOLEAN", "boolean": value}
        case str():
            return {"type": "STRING", "string": value}
        case int() | float() if math.isfinite(value):
            return {"type": "NUMBER", "number": value}
        case _:
            # the value is not quoted: it may be a secret
            message = (
                f"the input {name!r} is a {type(value).__name__} that a bot cannot be given.\n"
                "  Give text, a finite number or a boolean."
            )
            raise ConfigurationError(message)


def from_bot(variable: Any) -> Any:
    """Return the value of a variable; one of a type that is not known here stays as it is."""
    match variable:
        case {"type": "NUMBER", "number": str(number)}:
            return _number(number)
        case {"type": "LIST", "list": items} if is_list(items):
            return [from_bot(item) for item in items]
        case {"type": "DICTIONARY", "dictionary": entries} if is_list(entries):
            return {
                str(entry.get("key")): from_bot(entry.get("value"))
                for entry in entries
                if is_object(entry)
            }
        case {"type": str(kind), **rest}:  # a DATETIME is in `string`
            return rest.get(kind.lower(), rest.get("string", variable))
        case _:
            return variable


def _number(written: str) -> int | float | str:
    for read in (int, float):
        try:
            return read(written)
        except ValueError:
            continue
    return written
