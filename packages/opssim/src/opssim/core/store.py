"""Where the simulated rows live: as JSON ready to send, beside the fields that filters need.

A row is kept as encoded bytes, because a list endpoint sends most rows unchanged and a
benchmark must measure the client, not this server. `fields` holds the few values that filters
and sorts look at; anything else is decoded when somebody asks.
"""

from __future__ import annotations

import random
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

JsonObject = dict[str, Any]

encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(JsonObject).decode

#: Views (a filter and an order over a table) kept at a time. A client reads one or two at once.
_VIEWS_KEPT = 16


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its key, the values that filters and sorts use, and its JSON."""

    key: str
    fields: Mapping[str, Any]
    body: bytes

    def data(self) -> JsonObject:
        """Return a fresh decoded copy, which the caller may change."""
        return decode(self.body)


class Table:
    """The rows of one list. Safe to read and change from several threads.

    Args:
        name: what the API calls the list.
        key: how to read a row's key, a string.
        fields: how to read the values that filters and sorts of this list use.
        form: what is to be made of a row before it is kept.
    """

    def __init__(
        self,
        name: str,
        *,
        key: Callable[[JsonObject], str],
        fields: Callable[[JsonObject], Mapping[str, Any]],
        form: Callable[[JsonObject], JsonObject] | None = None,
    ) -> None:
        self.name = name
        self._key = key
        self._fields = fields
        self._form = form
        self._rows: dict[str, Row] = {}
        self._views: OrderedDict[Hashable, tuple[int, list[Row]]] = OrderedDict()
        self._version = 0
        self._lock = threading.RLock()

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Row]:
        with self._lock:
            return iter(list(self._rows.values()))

    def __contains__(self, key: object) -> bool:
        return key in self._rows

    def keys(self) -> list[str]:
        """Return the keys in the order of insertion."""
        with self._lock:
            return list(self._rows)

    def get(self, key: str) -> Row | None:
        """Return the row with this key, or None."""
        return self._rows.get(key)

    def insert(self, data: JsonObject) -> Row:
        """Add a row, or replace the one that has its key."""
        if self._form is not None:
            data = self._form(data)
        row = Row(key=self._key(data), fields=self._fields(data), body=encode(data))
        with self._lock:
            self._rows[row.key] = row
            self._version += 1
        return row

    def extend(self, rows: Iterable[JsonObject]) -> None:
        """Add many rows."""
        for data in rows:
            self.insert(data)

    def update(self, key: str, change: Callable[[JsonObject], None]) -> Row:
        """Change a row in place: `change` is given its decoded data.

        Raises:
            KeyError: there is no such row.
        """
        with self._lock:
            data = self._rows[key].data()
            change(data)
            return self.insert(data)

    def delete(self, key: str) -> None:
        """Remove a row.

        Raises:
            KeyError: there is no such row.
        """
        with self._lock:
            del self._rows[key]
            self._version += 1

    def view(
        self,
        name: Hashable,
        *,
        where: Callable[[Row], bool] | None = None,
        order: Callable[[list[Row]], None] | None = None,
    ) -> list[Row]:
        """Return the rows that match, in order; the caller must not change the list.

        The answer is kept until the table changes: give each filter and order its own `name`.
        `order` sorts the list it is given.
        """
        with self._lock:
            kept = self._views.get(name)
            if kept is not None and kept[0] == self._version:
                self._views.move_to_end(name)
                return kept[1]
            rows = [row for row in self._rows.values() if where is None or where(row)]
            if order is not None:
                order(rows)
            self._views[name] = (self._version, rows)
            self._views.move_to_end(name)
            while len(self._views) > _VIEWS_KEPT:
                self._views.popitem(last=False)
            return rows


def chosen(rng: random.Random, keys: Sequence[str], count: int) -> list[str]:
    """Choose that many of the keys, or all of them if there are fewer."""
    return rng.sample(keys, min(count, len(keys)))
