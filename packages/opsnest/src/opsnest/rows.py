"""What is done to a row before dlt sees it: times in UTC, sentinels to null, secrets out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from opsnest.json_values import is_list, is_object, look_up
from restarrow.nesting import depth_of

__all__ = ["DEEP", "Cleaning", "cleaner", "drop", "from_text", "to_utc"]

Row = dict[str, Any]

#: Levels that no row of these platforms has: answers with more are refused.
DEEP = 100


@dataclass(frozen=True, slots=True)
class Cleaning:
    """What the rows of one resource need. Paths are dotted.

    Nulls are left out, bar those inside of JSON columns: dlt makes no column of them anyway, and on
    its own path would list the dozens of fields that an organisation does not use in a warning at
    each load.

    Attributes:
        changed: the time of the last change. It is written in UTC with microseconds, because it is
            compared as text, and the offset of an organisation moves with daylight saving.
        json: what is loaded as it is, into a JSON column.
        json_text: columns that hold JSON in a string: they become the JSON. What is not JSON stays
            text; where there are `secrets` in it, only an object is loaded.
        secrets: what is left out. In a path, `[]` means each item of a list, and `[secret]` each
            item whose `secret` is true.
        nulls: for a column, the values that stand for "none yet" and become null.
        renamed: for a column, the name that it gets instead.
        nulls_within: how many levels of objects nulls are left out of. For long lists it is one:
            each level costs time for every row.
    """

    changed: str | None = None
    json_text: tuple[str, ...] = ()
    json: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    nulls: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    renamed: Mapping[str, str] = field(default_factory=dict[str, str])
    nulls_within: int = 1


def cleaner(cleaning: Cleaning) -> Callable[[Row], Row]:
    """Return the function that cleans a row in place and returns it."""
    as_it_is = frozenset((*cleaning.json, *cleaning.json_text))
    hiding = {path.partition(".")[0] for path in cleaning.secrets}

    def clean(row: Row) -> Row:
        for column in cleaning.json_text:
            if isinstance(row.get(column), str):
                decoded = from_text(row[column])
                # in anything but an object it cannot be told what is secret
                row[column] = None if column in hiding and not is_object(decoded) else decoded
        for path in cleaning.secrets:
            drop(row, path.split("."))
        for column, sentinels in cleaning.nulls.items():
            if row.get(column) in sentinels:
                row[column] = None
        for column, name in cleaning.renamed.items():
            if column in row:
                row[name] = row.pop(column)
        if cleaning.changed:
            change(row, cleaning.changed, to_utc)
        leave_out_nulls(row, as_it_is, cleaning.nulls_within)
        return row

    return clean


def change(row: Row, path: str, how: Callable[[str], str]) -> None:
    """Change the text that `path` (dotted) points at, if there is one."""
    above, _, name = path.rpartition(".")
    holder = look_up(row, above) if above else row
    if is_object(holder) and isinstance(holder.get(name), str):
        holder[name] = how(holder[name])


def leave_out_nulls(data: Row, keep: frozenset[str], levels: int, above: str = "") -> None:
    """Remove what is null from an object and from what it holds, bar the paths in `keep`.

    Args:
        data: the object.
        keep: paths of what stays as it is.
        levels: how many levels of objects and lists within to look into.
        above: the path of the object, with a dot behind it.
    """
    for name in [name for name, value in data.items() if value is None]:
        del data[name]
    if levels == 0:
        return
    for name, value in data.items():
        if f"{above}{name}" in keep:
            continue
        if is_object(value):
            leave_out_nulls(value, keep, levels - 1, f"{above}{name}.")
        elif levels > 1 and is_list(value):
            for item in value:
                if is_object(item):
                    leave_out_nulls(item, keep, levels - 1, f"{above}{name}.")


def to_utc(text: str) -> str:
    """Write an ISO-8601 time as `2026-07-01T10:10:00.000000Z`; leave anything else as it is.

    All have the same width, so that they compare as text. What is finer than a microsecond is cut
    off, as dlt does it.
    """
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):  # the latter: in the first or last hours of the calendar
        return text
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def from_text(text: str) -> Any:
    """Decode JSON that came in a string; an empty string is null, and other text stays text.

    So does JSON that is nested too deeply.
    """
    if not text:
        return None
    try:
        decoded = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return decoded if depth_of(decoded) <= DEEP else text


def drop(data: object, path: list[str]) -> None:
    """Remove what `path` points at, as far as it is there."""
    name, *rest = path
    wanted = None
    if name.endswith("]"):
        name, _, wanted = name[:-1].partition("[")
    if not is_object(data) or name not in data:
        return
    inner: object = data[name]
    if not rest and wanted is None:
        del data[name]
    elif wanted is None:
        drop(inner, rest)
    elif is_list(inner):
        for item in list(inner):
            if wanted and not (is_object(item) and item.get(wanted)):
                continue
            if rest:
                drop(item, rest)
            else:
                inner.remove(item)
