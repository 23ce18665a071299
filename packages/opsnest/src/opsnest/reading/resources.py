"""The dlt resource of a list: its rows cleaned, what has not changed left out, the rest told."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

import dlt
from dlt.common.normalizers.naming.snake_case import NamingConvention

from opsnest.catalogue import DELETED, Catalogue, Entry
from opsnest.destinations import fitting
from opsnest.errors import AccessError, SourceError
from opsnest.events import ListRead, tell_list
from opsnest.json_values import look_up
from opsnest.reading.api import Api
from opsnest.reading.memory import UNDER_WAY, Memory
from opsnest.reading.parts import Span, span_of, whole_list_only
from opsnest.reading.reading import Ask, Dialect, Reading, Row, key_of, stamp_of
from opsnest.reading.strategies import read
from opsnest.secret_scan import Choice, SecretScan, choice_of
from restarrow.dlt import accelerate
from restarrow.paging import SinglePagePlan
from restarrow.types import Request

if TYPE_CHECKING:
    from dlt.extract import DltResource

__all__ = ["Lists", "watching_lists"]

log = logging.getLogger("opsnest")

#: Names of columns as dlt writes them; it warns of hints under others that no row has a value for.
_NAMING: Final = NamingConvention()
_watching: ContextVar[list[Lists] | None] = ContextVar("watching", default=None)
#: Rows that are handed on at once: what a batch costs is a matter of columns, not of rows.
_BATCH = 2000


@contextmanager
def watching_lists() -> Generator[list[Lists]]:
    """Collect the `Lists` of the sources that are made in the block: dlt's do not show them."""
    made: list[Lists] = []
    token = _watching.set(made)
    try:
        yield made
    finally:
        _watching.reset(token)


class Lists:
    """The lists of one platform, as dlt resources.

    Args:
        catalogue: what there is.
        api: what is asked.
        dialect: how it is asked.
        clean: returns what cleans the rows of a list.
        given: for a list of which some rows alone are wanted, the ids of their parents.
        secrets_in_rows: what to do with secrets that people pasted into texts.
        between: read what was made in this span of time alone. How far lists were read is neither
            looked at nor moved, and nothing is told of what is there and what is gone.

    Raises:
        ConfigurationError: `secrets_in_rows` is none of the choices, or `between` no span of time.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        api: Api,
        dialect: Dialect,
        clean: Callable[[Entry], Callable[[Row], Row]],
        given: Mapping[str, Sequence[str]] | None = None,
        secrets_in_rows: str = "mask",
        between: Span | None = None,
    ) -> None:
        self._part = span_of(between, catalogue.source)
        self._choice: Choice = choice_of(secrets_in_rows, catalogue.source)
        self._catalogue = catalogue
        self._api = api
        self._dialect = dialect
        self._clean = clean
        self._given = given or {}
        self._ids: dict[str, list[str]] = {}
        self._begun: set[str] = set()
        self._reading: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()
        if (watching := _watching.get()) is not None:
            watching.append(self)

    @property
    def catalogue(self) -> Catalogue:
        """What there is."""
        return self._catalogue

    def resource(self, entry: Entry) -> DltResource:
        """Return the resource of a list."""
        made: DltResource = dlt.resource(
            self._rows_of(entry),
            name=entry.name,
            primary_key=list(entry.key),
            write_disposition="replace" if entry.strategy == "snapshot" else "merge",
            columns=_columns(entry),
            selected=self._is_usual(entry) or bool(self._given.get(entry.name)),
            parallelized=True,
        )
        return accelerate(made)

    def _rows_of(self, entry: Entry) -> Callable[[], Iterator[list[Row]]]:
        clean = self._clean(entry)

        def rows() -> Iterator[list[Row]]:
            if self._part and not self._catalogue.has_parts(entry):
                raise whole_list_only(entry, self._api.source)
            state = {} if self._part else dlt.current.resource_state(entry.name)
            memory = Memory(state, entry.lookback)
            fit = fitting(entry.name)
            self._note_begin(entry.name)
            try:
                for batch in self._read(entry, memory, clean):
                    yield [fit(row) for row in batch] if fit else batch
            except AccessError as refusal:
                if not entry.optional or self._was_chosen():
                    raise
                log.warning("%s\n  It is left out, as it was not asked for by name.", refusal)

        return rows

    def _note_begin(self, name: str) -> None:
        """Forget the ids of parents when a list is read for a second time: it is another load."""
        with self._lock:
            if name in self._begun:
                self._begun.clear()
                self._ids.clear()
            self._begun.add(name)

    def _is_usual(self, entry: Entry) -> bool:
        """Tell whether a list is loaded unless others are chosen."""
        return entry.selected and (self._part is None or self._catalogue.has_parts(entry))

    def _was_chosen(self) -> bool:
        """Tell whether whoever runs this load has named the resources."""
        usual = {entry.name for entry in self._catalogue.entries if self._is_usual(entry)}
        return not usual <= set(dlt.current.source().selected_resources)

    def _read(
        self, entry: Entry, memory: Memory, clean: Callable[[Row], Row]
    ) -> Iterator[list[Row]]:
        reading = self._begin(entry, memory.since)
        reading.whole = memory.whole
        reading.given = self._given.get(entry.name, ())
        reading.under_way, reading.since_of = memory.under_way, lambda of: memory.of(of).since
        keys: set[str] = set()
        # children of rows that changed are all loaded: their own times do not say what is new
        remembered = not entry.of_changed and entry.strategy != "snapshot"
        told_by = entry
        if entry.of_changed:  # more of the same row, which tells what is new
            told_by = self._catalogue.by_name[str(entry.parent)]
        known = _Known(told_by, memory)
        if told_by is not entry:
            reading.is_changed = known.is_new
        scan = SecretScan(self._api.source, entry.name, self._choice, entry.key)
        reading.look = scan.look
        # a row that changes while its list is read comes twice, and may have one time both times
        fresh: dict[str, Row] = {}
        handed_on: set[str] = set()
        for rows in read(reading):
            memory.old_before = reading.old_before
            names = [key_of(row, entry.key) for row in rows]
            keys.update(names)
            clean_rows = [clean(row) for row in rows]
            scan.rows(clean_rows)
            for key, cleaned in zip(names, clean_rows, strict=True):
                if not remembered or known.is_new(cleaned):
                    fresh[key] = cleaned
                    if key in handed_on:
                        known.doubt(cleaned)
            if len(fresh) >= _BATCH:
                yield list(fresh.values())
                handed_on.update(fresh)
                fresh = {}
        if fresh:
            yield list(fresh.values())
        scan.report()
        if self._part is None:
            self._end(known, reading, keys)

    def _end(self, known: _Known, reading: Reading, keys: Set[str]) -> None:
        """Remember how far a list was read, and tell what is known of it now."""
        entry = reading.entry
        if not reading.given:
            known.save(reading)
        tell_list(
            ListRead(
                source=self._api.source,
                resource=entry.name,
                keys=frozenset(keys | reading.there),
                complete=reading.complete,
                parents=None if reading.parents is None else frozenset(reading.parents),
                living=None if reading.living is None else frozenset(reading.living),
                window=(reading.window.start, reading.window.end) if reading.window else None,
                total=reading.total,
                ask_total=lambda: self.count(entry),
            )
        )

    def count(self, entry: Entry, since: str = "") -> int | None:
        """Ask how many rows a list has; None where the API does not tell.

        Args:
            entry: the list.
            since: count those only that changed, or were made, from this time on.

        Raises:
            SourceError: it may not be read, or an answer is not what it should be.
        """
        if entry.parent is not None or entry.total is None:
            return None
        first = next(self._begin(entry, "").pages(Ask(size=1, since=since)), None)
        if first and first.total is None and entry.counts and not since:
            return self._sum(entry, entry.counts)
        return first.total if first else None

    def _sum(self, entry: Entry, counts: str) -> int | None:
        """Add up how many rows there are of each status; None where the key may not ask."""
        plan = SinglePagePlan(Request("POST", counts, json={}))
        pages = self._api.pages(
            plan,
            resource=entry.name,
            rows=lambda payload: look_up(payload, "metrics") or [],
            holds=("metrics",),
        )
        try:
            return sum(int(row["count"]) for page in pages for row in page.rows)
        except SourceError as refusal:
            log.info("%s cannot be compared with the API's numbers: %s", entry.name, refusal)
            return None

    def _begin(self, entry: Entry, since: str) -> Reading:
        return Reading(
            entry=entry,
            catalogue=self._catalogue,
            api=self._api,
            dialect=self._dialect,
            since=since,
            part=self._part,
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


class _Known:
    """Tells which rows of a list differ from those of the loads before.

    Args:
        entry: the list.
        memory: what is remembered of it.

    Attributes:
        under_way: the rows that are under way, and what to ask for each of them by.
        by_parent: whether the children of each parent are remembered by themselves.
    """

    def __init__(self, entry: Entry, memory: Memory) -> None:
        self.under_way: dict[str, str] = {}
        self.by_parent = entry.parent is not None and entry.strategy == "changed"
        self._entry = entry
        self._memory = memory
        self._column, values = entry.under_way or ("", ())
        self._values = frozenset(values)

    def save(self, reading: Reading) -> None:
        """Write down how far the list was read."""
        entry = self._entry
        self._memory.save(
            reading.newest,
            all_rows=entry.strategy in {"whole", "windows"},
            only_part=entry.strategy == "windows",
            under_way=self.under_way if entry.under_way else None,
            newest_of=reading.newest_of if self.by_parent else None,
        )
        if entry.whole_after is not None:
            self._memory.whole = reading.whole

    def is_new(self, row: Row) -> bool:
        """Tell whether a row differs from what was loaded, and remember it."""
        key, stamp = key_of(row, self._entry.key), stamp_of(row, self._entry.cursor)
        if self._values:
            self.under_way.pop(key, None)
            if row.get(self._column) in self._values:
                # it may end without a change of its time
                stamp = UNDER_WAY
                self.under_way[key] = str(row.get(str(self._entry.under_way_by)) or "")
        return self._memory_of(row).is_new(key, row, stamp)

    def doubt(self, row: Row) -> None:
        """Take a row as new in the next load, too: which of its versions stays is not known."""
        self._memory_of(row).doubt(key_of(row, self._entry.key))

    def _memory_of(self, row: Row) -> Memory:
        if not self.by_parent:
            return self._memory
        return self._memory.of(str(row[str(self._entry.parent_key)]))


def _columns(entry: Entry) -> Any:
    columns: dict[str, Any] = {
        _NAMING.normalize_path(path.replace(".", "__")): {"data_type": "json"}
        for path in (*entry.json, *entry.json_text)
    }
    if entry.can_be_deleted:
        columns[DELETED] = {"data_type": "timestamp", "nullable": True}
    if entry.cursor and entry.strategy not in {"whole", "snapshot"}:
        # a row that changes while its list is read can come twice: the latest counts
        columns[entry.cursor.replace(".", "__")] = {"dedup_sort": "desc"}
    return columns
