"""What is done to a row of Roost.ai, and the rows that are within others."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, Final

from opsnest.catalogue import Entry
from opsnest.json_values import is_list, is_object, look_up
from opsnest.rows import Cleaning, cleaner, from_text

__all__ = ["cleaner_of", "files_of", "log_rows", "method_rows"]

Row = dict[str, Any]

#: What a method of a report has; by the first three it is known to be one.
_NAMES_OF_METHODS: Final = ("methodName", "testFilePath", "status")
_TEXTS: Final = frozenset({*_NAMES_OF_METHODS, "csvFilePath", "description", "arguments"})
_LISTS: Final = frozenset({"existingTestCase", "feedback"})


def cleaner_of(entry: Entry) -> Callable[[Row], Row]:
    """Return the function that cleans a row of a list, and returns it."""
    clean = cleaner(
        Cleaning(
            changed=entry.cursor,
            secrets=entry.secrets,
            json=entry.json,
            json_text=entry.json_text,
        )
    )

    def clean_row(row: Row) -> Row:
        timeout: object = row.get("test_timeout")
        if isinstance(timeout, int):  # in hours, and some are whole numbers
            row["test_timeout"] = float(timeout)
        return clean(row)

    return clean_row


def log_rows(logs: object) -> list[Row]:
    """Turn the logs, whose shape is not documented, into rows of one line each."""
    if is_object(logs):
        logs = logs.get("logs", logs.get("data", logs))
    if logs is None:
        return []
    if isinstance(logs, str):
        logs = logs.splitlines()
    entries = logs if is_list(logs) else [logs]
    return [
        {"line": line, **(entry if is_object(entry) else {"message": entry})}
        for line, entry in enumerate(entries, start=1)
    ]


def files_of(event: Row) -> list[str]:
    """Return the paths of the test files that the report of an event names."""
    paths = (method.get("testFilePath") for _, method in _methods_of(event))
    return sorted({path for path in paths if isinstance(path, str) and path})


def method_rows(event: Row) -> Iterator[Row]:
    """Yield a row for each method that the report of an event tells of.

    They are in `advancedDetails`, an object of files of paths of methods: names that anybody may
    have chosen, so that they are values of these rows, not columns.
    """
    for trail, method in _methods_of(event):
        file, *between = trail[:-1] or ("",)
        other = {name: value for name, value in method.items() if name not in _TEXTS | _LISTS}
        yield {
            "event_id": str(event["id"]),
            "file": file,
            # where there are more levels than usual, none is lost
            "path": " > ".join(between),
            "method_key": trail[-1] if trail else "",
            **{name: _text(value) for name, value in method.items() if name in _TEXTS},
            **{name: _list(value) for name, value in method.items() if name in _LISTS},
            "other": other or None,
        }


def _text(value: object) -> str | None:
    """Return a value as text, whatever it is: a column has one type."""
    return value if value is None or isinstance(value, str) else json.dumps(value)


def _list(value: object) -> object:
    return value if value is None or is_list(value) or is_object(value) else [value]


def _methods_of(event: Row) -> Iterator[tuple[tuple[str, ...], Row]]:
    """Yield the methods of a report, each behind the names that lead to it."""
    report: object = event.get("test_report")
    decoded = from_text(report) if isinstance(report, str) else report
    yield from _below(look_up(decoded, "advancedDetails"), ())


def _below(details: object, trail: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Row]]:
    if is_list(details):
        details = {str(at): inner for at, inner in enumerate(details)}
    if not is_object(details):
        return
    if any(isinstance(details.get(name), str) for name in _NAMES_OF_METHODS):
        yield trail, details
        return
    for name, inner in details.items():
        yield from _below(inner, (*trail, name))
