"""After a load: mark rows that are gone, and compare what is in the tables with what the API has.

APIs list what there is, and say nothing of what was deleted. So where a list was read whole, rows
of the table that were not in it get the time in `deleted_at`; they stay, with all that they hold.
Where only changes were read, the number of rows tells whether some have gone or were missed; then
that list is read whole once.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from opsnest.catalogue import DELETED, Entry
from opsnest.events import ListRead

if TYPE_CHECKING:
    from dlt import Pipeline, Schema
    from dlt.destinations.sql_client import SqlClientBase

__all__ = [
    "Difference",
    "forget",
    "is_counted",
    "known_differences",
    "mark_deleted",
    "remember_differences",
    "takes_marks",
    "unequal",
]

log = logging.getLogger("opsnest")

#: Where the state of a list has by how many rows its table differs, whatever is done.
_OFF: Final = "off"
#: Rows that one statement marks.
_AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True)
class Difference:
    """A table that has not as many rows as the API says that there are.

    Attributes:
        resource: the resource.
        rows: rows of the table, without those that are marked as deleted.
        total: rows that the API has.
    """

    resource: str
    rows: int
    total: int

    @property
    def by(self) -> int:
        """How many rows the table has too few; below zero, too many."""
        return self.total - self.rows

    def __str__(self) -> str:
        return f"{self.resource}: {self.rows:,} rows in the table, {self.total:,} at the API"


def takes_marks(pipeline: Pipeline) -> bool:
    """Tell whether rows at the destination can be changed and counted: whether it takes SQL."""
    from dlt.destinations.job_client_impl import SqlJobClientBase  # noqa: PLC0415 - slow to import

    with pipeline.destination_client() as client:
        return isinstance(client, SqlJobClientBase)


def mark_deleted(
    pipeline: Pipeline, entries: Mapping[str, Entry], lists: Iterable[ListRead]
) -> dict[str, int]:
    """Mark rows that lists which were read whole do not have any more, and what belonged to them.

    Args:
        pipeline: where the tables are.
        entries: the lists of the source, by name.
        lists: what was read.

    Returns:
        The number of rows that were marked, by resource, as far as there were any.
    """
    marked: Counter[str] = Counter()
    with _tables(pipeline) as table_of:
        for read in lists:
            entry = entries.get(read.resource)
            if entry is None or not read.complete or not entry.can_be_deleted:
                continue
            table = table_of(entry)
            if table is None:
                continue
            gone = [key for key in table.live_keys(read) if "\x1f".join(key) not in read.keys]
            if gone:
                table.mark(gone)
                marked[entry.name] += len(gone)
                _mark_children(entry, {key[-1] for key in gone}, entries, table_of, marked)
    return dict(marked)


def _mark_children(
    parent: Entry,
    gone: Set[str],
    entries: Mapping[str, Entry],
    table_of: Callable[[Entry], _Table | None],
    marked: Counter[str],
) -> None:
    """Mark the rows of parents that are gone: nobody asks for them any more."""
    for entry in entries.values():
        table = table_of(entry) if entry.parent == parent.name else None
        if table is None or not entry.can_be_deleted:
            continue
        orphans = [key for key in table.live_keys() if key[0] in gone]
        if orphans:
            table.mark(orphans)
            marked[entry.name] += len(orphans)
            _mark_children(entry, {key[-1] for key in orphans}, entries, table_of, marked)


def unequal(
    pipeline: Pipeline, entries: Mapping[str, Entry], lists: Iterable[ListRead]
) -> list[Difference]:
    """Return the tables that have not as many rows as the API says, where it says so truly."""
    differences: list[Difference] = []
    with _tables(pipeline) as table_of:
        for read in lists:
            entry = entries.get(read.resource)
            if entry is None or not is_counted(entry):
                continue
            total = read.total if read.total is not None else read.ask_total()
            table = table_of(entry)
            rows = table.count() if table else 0
            kept_longer = entry.strategy == "appended" and total is not None and rows > total
            if total is not None and rows != total and not kept_longer:
                differences.append(Difference(read.resource, rows, total))
    return differences


def is_counted(entry: Entry) -> bool:
    """Tell whether the API has a total that is the number of rows in the table."""
    # children are counted where each parent is asked, and tells how many it has
    counted = entry.parent is None or entry.strategy == "changed"
    return entry.total is not None and counted and entry.strategy != "windows"


def known_differences(pipeline: Pipeline, source: str) -> dict[str, int]:
    """Return by how many rows tables differed when reading the list whole had not helped."""
    return {
        name: int(state[_OFF])
        for name, state in _states(pipeline.state, source).items()
        if _OFF in state
    }


def remember_differences(
    pipeline: Pipeline, source: str, differences: Iterable[Difference]
) -> None:
    """Remember what reading the lists whole has not helped: it is not to be tried at each load."""
    with pipeline.managed_state() as state:
        states = _states(state, source)
        for difference in differences:
            states.setdefault(difference.resource, {})[_OFF] = difference.by


def forget(pipeline: Pipeline, source: str, resources: Iterable[str]) -> None:
    """Forget how far lists were read, so that the next load reads them whole."""
    with pipeline.managed_state() as state:
        states = _states(state, source)
        for name in resources:
            states.pop(name, None)


def _states(state: Any, source: str) -> dict[str, Any]:
    """Return what the resources of a source remember, by name."""
    states: dict[str, Any] = state.get("sources", {}).get(source, {}).get("resources", {})
    return states


class _Table:
    """The table of a list, in a database that takes SQL."""

    def __init__(self, schema: Schema, client: SqlClientBase[Any], entry: Entry) -> None:
        naming = schema.naming
        name = naming.normalize_tables_path(entry.name)
        self._client = client
        self._name = client.make_qualified_table_name(name)
        self._key = [self._column(naming.normalize_path(each)) for each in entry.key]
        self._window = [
            self._column(naming.normalize_path(path.replace(".", "__"))) for path in entry.window
        ]
        self._deleted = self._column(DELETED)
        marks = DELETED in schema.get_table_columns(name)
        self._live = f"{self._deleted} IS NULL" if marks else "1 = 1"

    def live_keys(self, read: ListRead | None = None) -> Iterator[tuple[str, ...]]:
        """Yield the keys of rows that are not marked: of those that a reading should have met."""
        where, values = self._live, list[Any]()
        if read is not None and read.window is not None:
            begins, ends = self._window
            where += f" AND {begins} < %s AND {ends} > %s"
            values = [read.window[1], read.window[0]]
        query = f"SELECT {', '.join(self._key)} FROM {self._name} WHERE {where}"  # noqa: S608 - names
        for row in self._client.execute_sql(query, *values) or ():
            key = tuple(str(value) for value in row)
            if (
                read is None
                or read.parents is None
                or key[0] in read.parents
                or (read.living is not None and key[0] not in read.living)
            ):
                yield key

    def count(self) -> int:
        """Return the number of rows that are not marked."""
        query = f"SELECT count(*) FROM {self._name} WHERE {self._live}"  # noqa: S608 - names
        rows = self._client.execute_sql(query)
        return int(rows[0][0]) if rows else 0

    def mark(self, keys: Sequence[tuple[str, ...]]) -> None:
        """Write the time into `deleted_at` of some rows."""
        one = " AND ".join(f"{name} = %s" for name in self._key)
        now = datetime.now(UTC)
        for at in range(0, len(keys), _AT_ONCE):
            some = keys[at : at + _AT_ONCE]
            which = " OR ".join(f"({one})" for _ in some)
            values = [now, *(value for key in some for value in key)]
            query = f"UPDATE {self._name} SET {self._deleted} = %s WHERE {which}"  # noqa: S608 - names
            self._client.execute_sql(query, *values)

    def _column(self, name: str) -> str:
        return str(self._client.escape_column_name(name))


@contextmanager
def _tables(pipeline: Pipeline) -> Generator[Callable[[Entry], _Table | None]]:
    """Return what finds the table of a list, None if it has never had a row."""
    schema = pipeline.default_schema
    seen = set(schema.data_table_names(seen_data_only=True))
    with pipeline.sql_client() as client:

        def find(entry: Entry) -> _Table | None:
            name = schema.naming.normalize_tables_path(entry.name)
            return _Table(schema, client, entry) if name in seen else None

        yield find
