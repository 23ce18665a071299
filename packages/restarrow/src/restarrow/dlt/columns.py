"""Tables that become very wide: a map of many keys makes a column of each, which is seldom meant.

The tables stay what dlt makes them. What is said is how many columns there are, where they come
from, and which hint keeps the map in one column.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from restarrow.normalise.naming import SEPARATOR, Naming
from restarrow.normalise.types import OBJECT

__all__ = ["ColumnWatch"]

log = logging.getLogger("restarrow.dlt")


class ColumnWatch:
    """Warns once for each table of a resource that gets more new columns than expected.

    Args:
        resource: the resource.
        root: the name of its table.
        known: the columns that its tables have already, or that are declared.
        as_json: columns of the root table that stay JSON.
        most: so many new columns are expected.
        levels: how deep objects are taken apart.
        max_length: the longest name that the destination takes.
    """

    def __init__(
        self,
        resource: str,
        root: str,
        known: Mapping[str, Iterable[str]],
        *,
        as_json: Iterable[str] = (),
        most: int,
        levels: int = 1000,
        max_length: int | None = None,
    ) -> None:
        self._resource = resource
        self._root = root
        self._known = {table: frozenset(columns) for table, columns in known.items()}
        self._as_json = frozenset(as_json)
        self._most = most
        self._levels = levels
        self._naming = Naming(max_length)
        self._warned: set[str] = set()
        self._paths: set[tuple[str, ...]] = set()
        self._names: set[str] = set()

    def look(self, table: str, columns: Mapping[str, Any]) -> None:
        """Look at all the columns that a table has now."""
        known = self._known.get(table, frozenset[str]())
        if table in self._warned or len(columns) - len(known) <= self._most:
            return
        new = [name for name in columns if name not in known]
        if len(new) > self._most:
            self._warned.add(table)
            self._warn(table, new)

    def look_at_rows(self, rows: Iterable[Any]) -> None:
        """Look at rows that dlt will take apart."""
        if self._root in self._warned:
            return
        before = len(self._names)
        for row in rows:
            if type(row) is OBJECT:
                self._note(row)
        if len(self._names) > before:
            self.look(self._root, dict.fromkeys(self._names))

    def _note(self, row: Mapping[str, Any]) -> None:
        stack: list[tuple[tuple[str, ...], Mapping[str, Any]]] = [((), row)]
        while stack:
            above, members = stack.pop()
            for key, value in members.items():
                path = (*above, str(key))
                is_taken_apart = type(value) is OBJECT and len(above) < self._levels
                if is_taken_apart and self._name(path) not in self._as_json:
                    stack.append((path, value))
                elif path not in self._paths and value is not None:
                    self._paths.add(path)
                    self._names.add(self._name(path))

    def _name(self, path: Sequence[str]) -> str:
        return self._naming.join(*map(self._naming.column, path))

    def _warn(self, table: str, new: Sequence[str]) -> None:
        held, count = widest(new)
        if held:
            advice = (
                f"{count:,} of them from the keys of {held!r}. If that is a map, keep it in one "
                f'column: source.resources["{self._resource}"].apply_hints('
                f"{self._hint(table, held)})"
            )
        else:
            advice = (
                "from the keys of the rows themselves. If a row is a map, make a row of each pair "
                "of key and value instead, in a step of your own"
            )
        log.warning(
            "%s: the table %s gets %s new columns, %s. This is said from %s new columns on "
            "(restarrow.max_new_columns)",
            self._resource,
            table,
            f"{len(new):,}",
            advice,
            f"{self._most + 1:,}",
        )

    def _hint(self, table: str, column: str) -> str:
        """Write down the hint that keeps a column of a table as JSON."""
        if table == self._root:
            return f'columns={{"{column}": {{"data_type": "json"}}}}'
        path = table.removeprefix(f"{self._root}{SEPARATOR}").split(SEPARATOR)
        nested = path[0] if len(path) == 1 else tuple(path)
        hint = {"columns": {column: {"name": column, "data_type": "json"}}}  # dlt needs the name
        return f"nested_hints={{{nested!r}: {hint!r}}}".replace("'", '"')


def widest(names: Sequence[str]) -> tuple[str, int]:
    """Return the longest prefix that half of the names have, and how many have it; "" if none."""
    found: Counter[str] = Counter()
    for name in names:
        parts = name.split(SEPARATOR)
        found.update(SEPARATOR.join(parts[:count]) for count in range(1, len(parts)))
    half = [(prefix, count) for prefix, count in found.items() if 2 * count >= len(names)]
    return max(half, key=lambda each: len(each[0]), default=("", 0))
