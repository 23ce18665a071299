"""What is done to a row of a Control Room: no times to null, ids to text, secrets out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from opsnest.catalogue import Entry
from opsnest.json_values import is_list, is_object
from opsnest.rows import DEEP, Cleaning, cleaner

__all__ = ["NOT_YET", "cleaner_of"]

Row = dict[str, Any]

#: How a time that has not come says so.
NOT_YET: Final = frozenset(
    {"", "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z", "1970-01-01T00:00:00.000000000Z"}
)


def cleaner_of(entry: Entry) -> Callable[[Row], Row]:
    """Return the function that cleans a row of a list, and returns it."""
    clean = cleaner(
        Cleaning(
            changed=entry.cursor,
            nulls=dict.fromkeys(entry.times, NOT_YET),
            secrets=entry.secrets,
            json=entry.json,
            # runs are long lists, and errors are all that they nest
            nulls_within=1 if entry.paging == "keyset" else DEEP,
        )
    )
    paths = [path.split(".") for path in entry.text]

    def clean_row(row: Row) -> Row:
        for path in paths:
            _as_text(row, path)
        return clean(row)

    return clean_row


def _as_text(data: object, path: list[str]) -> None:
    """Write the whole number that a path points at as text, as other releases send it."""
    name, *rest = path
    name, each, _ = name.partition("[]")
    if not is_object(data):
        return
    value: object = data.get(name)
    if rest:
        items = value if each and is_list(value) else [value]
        for item in items:
            _as_text(item, rest)
    elif isinstance(value, int) and not isinstance(value, bool):
        data[name] = str(value)
