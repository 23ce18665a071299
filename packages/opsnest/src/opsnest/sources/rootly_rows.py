"""What is done to a row of Rootly: one shape for what comes in several, secrets out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from opsnest.catalogue import Entry
from opsnest.json_values import is_list, is_object
from opsnest.rows import DEEP, Cleaning, cleaner

__all__ = ["cleaner_of", "same_shapes"]

Row = dict[str, Any]

#: What an incident is linked to, which comes as `[{data}]`, as `{data: [...]}`, or only in
#: `relationships`.
_LINKED: Final = ("environments", "functionalities", "groups", "incident_types", "services")


def cleaner_of(entry: Entry) -> Callable[[Row], Row]:
    """Return the function that cleans a row of a list, and returns it."""
    clean = cleaner(
        Cleaning(
            changed=entry.cursor,
            secrets=entry.secrets,
            json=entry.json,
            # small lists can afford it; in long ones each level costs time for every row
            nulls_within=1 if entry.slices else DEEP,
        )
    )
    linked = _LINKED if entry.name == "incidents" else ()

    def clean_row(row: Row) -> Row:
        return clean(same_shapes(row, linked))

    return clean_row


def same_shapes(row: Row, linked: tuple[str, ...]) -> Row:
    """Give labels, and what a row is linked to, one shape whichever they came in.

    Labels become a list of key and value, both texts; links become a list of `{data}`.
    """
    attributes: object = row.get("attributes")
    if not is_object(attributes):
        return row
    if "labels" in attributes:
        attributes["labels"] = list(_labels(attributes["labels"]))
    for name in linked:
        attributes[name] = _links(row, attributes.get(name), name)
    return row


def _labels(labels: object) -> Iterator[dict[str, str]]:
    if is_object(labels):
        yield from ({"key": key, "value": _text(value)} for key, value in labels.items())
    elif is_list(labels):
        for label in labels:
            if is_object(label) and "key" in label:
                yield {"key": str(label["key"]), "value": _text(label.get("value"))}


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case _:
            return str(value)


def _links(row: Row, value: object, name: str) -> list[dict[str, Any]]:
    if is_list(value):
        return value
    data: object = value.get("data") if is_object(value) else None
    if not is_list(data):
        related: Any = row.get("relationships")
        related = related.get(name) if is_object(related) else None
        data = related.get("data") if is_object(related) else None
    return [{"data": each} for each in data] if is_list(data) else []
