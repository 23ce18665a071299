"""The dlt resource of a list: its rows cleaned, what has not changed left out, the rest told."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import dlt

from opsnest.catalogue import Catalogue, Entry
from opsnest.errors import AccessError
from opsnest.events import ListRead, tell_list
from opsnest.reading.api import Api
from opsnest.reading.memory import Memory
from opsnest.reading.reading import Ask, Dialect, Reading, Row, key_of, stamp_of
from opsnest.reading.strategies import read
from restarrow.dlt import accelerate

if TYPE_CHECKING:
    from dlt.extract import DltResource

__all__ = ["DELETED", "Lists", "can_be_deleted"]

log = logging.getLogger("opsnest")

#: The column that tells when a row was found to be gone.
DELETED = "deleted_at"
#: Rows that are handed on at once: what a batch costs is a matter of columns, not of rows.
_BATCH = 2000


def can_be_deleted(entry: Entry) -> bool:
    """Tell whether rows of a list may go, and stay in the table with a mark."""
    return entry.strategy not in {"appended", "snapshot"}


class Lists:
    """The lists of one platform, as dlt resources.

    Args:
        catalogue: what there is.
        api: what is asked.
        dialect: how it is asked.
        clean: returns what cleans the rows of a list.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        api: Api,
        dialect: Dialect,
        clean: Callable[[Entry], Callable[[Row], Row]],
    ) -> None:
        self._catalogue = catalogue
        self._api = api
        self._dialect = dialect
        self._clean = clean
        self._ids: dict[str, list[str]] = {}
        self._reading: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def resource(self, entry: Entry) -> DltResource:
        """Return the resource of a list."""
        made: DltResource = dlt.resource(
            self._rows_of(entry),
            name=entry.name,
            primary_key=list(entry.key),
            write_disposition="replace" if entry.strategy == "snapshot" else "merge",
            columns=_columns(entry),
            selected=entry.selected,
            parallelized=True,
        )
        return accelerate(made)

    def _rows_of(self, entry: Entry) -> Callable[[], Iterator[list[Row]]]:
        clean = self._clean(entry)

        def rows() -> Iterator[list[Row]]:
            memory = Memory(dlt.current.resource_state(entry.name))
            with self._lock:
                self._ids.pop(entry.name, None)
            try:
                yield from self._read(entry, memory, clean)
            except AccessError as refusal:
                if not entry.optional or self._was_chosen():
                    raise
                log.warning("%s\n  It is left out, as it was not asked for by name.", refusal)

        return rows

    def _was_chosen(self) -> bool:
        """Tell whether whoever runs this load has named the resources."""
        usual = {entry.name for entry in self._catalogue.entries if entry.selected}
        return not usual <= set(dlt.current.source().selected_resources)

    def _read(
        self, entry: Entry, memory: Memory, clean: Callable[[Row], Row]
    ) -> Iterator[list[Row]]:
        reading = self._begin(entry, memory.since)
        keys: set[str] = set()
        # children of rows that changed are all loaded: their own times do not say what is new
        remembered = not entry.of_changed
        fresh: list[Row] = []
        for rows in read(reading):
            for row in rows:
                key = key_of(row, entry.key)
                keys.add(key)
                stamp = stamp_of(row, entry.cursor)
                cleaned = clean(row)
                if not remembered or memory.is_new(key, cleaned, stamp):
                    fresh.append(cleaned)
            if len(fresh) >= _BATCH:
                yield fresh
                fresh = []
        if fresh:
            yield fresh
        memory.save(reading.newest, all_rows=entry.strategy in {"whole", "windows"})
        tell_list(
            ListRead(
                source=self._api.source,
                resource=entry.name,
                keys=frozenset(keys),
                complete=reading.complete,
                parents=None if reading.parents is None else frozenset(reading.parents),
                window=(reading.window.start, reading.window.end) if reading.window else None,
                total=reading.total,
                ask_total=lambda: self._total(entry),
            )
        )

    def _total(self, entry: Entry) -> int | None:
        """Ask how many rows a list has."""
        first = next(self._begin(entry, "").pages(Ask(size=1)), None)
        return first.total if first else None

    def _begin(self, entry: Entry, since: str) -> Reading:
        return Reading(
            entry=entry,
            catalogue=self._catalogue,
            api=self._api,
            dialect=self._dialect,
            since=since,
            ids_of=self._ids_of,
        )

    def _ids_of(self, name: str) -> list[str]:
        """Return the ids of a list that is read whole, for all its children at once."""
        with self._lock:
            lock = self._reading.setdefault(name, threading.Lock())
        with lock:
            if name not in self._ids:
                rows = read(self._begin(self._catalogue.by_name[name], ""))
                self._ids[name] = list(
                    dict.fromkeys(str(row["id"]) for page in rows for row in page)
                )
            return self._ids[name]


def _columns(entry: Entry) -> Any:
    columns: dict[str, Any] = {
        path.replace(".", "__"): {"data_type": "json"} for path in (*entry.json, *entry.json_text)
    }
    if can_be_deleted(entry):
        columns[DELETED] = {"data_type": "timestamp", "nullable": True}
    if entry.cursor and entry.strategy not in {"whole", "snapshot"}:
        # a row that changes while its list is read can come twice: the latest counts
        columns[entry.cursor.replace(".", "__")] = {"dedup_sort": "desc"}
    return columns
