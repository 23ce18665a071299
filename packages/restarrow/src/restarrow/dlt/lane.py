"""The way of one resource's rows into Arrow tables during one load, up to where dlt comes in."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from restarrow.dlt.columns import ColumnWatch
from restarrow.dlt.destinations import Way
from restarrow.dlt.report import note_lane
from restarrow.errors import DepthError, NormaliseError, UnsupportedError
from restarrow.memory import give_back
from restarrow.nesting import depth_of_json
from restarrow.normalise import Batch, Column, Normaliser, Options, Raws
from restarrow.normalise.arrow import stacked

__all__ = ["Converted", "Lane", "Left", "decoded"]

#: Bytes of tables that are worth handing on.
_WORTH = 16 * 1024 * 1024
#: Batches after which freed memory is given back: it takes some milliseconds.
_GIVEN_BACK = 2


@dataclass(frozen=True, slots=True)
class Converted:
    """The tables of a batch, and what dlt has to be told of them.

    Attributes:
        batch: the tables.
        hints: for each table, the hints of columns of which Arrow cannot tell all.
        size: the bytes that the tables take; to count them takes long.
    """

    batch: Batch
    hints: Mapping[str, dict[str, Any]]
    size: int


@dataclass(frozen=True, slots=True)
class Left:
    """Rows that are left to dlt, as all after them are.

    Attributes:
        rows: the decoded rows.
        reason: why.
    """

    rows: list[Any]
    reason: str


class Lane:
    """Normalises the batches of one resource.

    Args:
        resource: the name of the resource, for the report.
        root: the name of its table.
        columns: what is known of its tables.
        parents: the parents of those that are nested.
        options: how rows become tables.
        way: how tables get into the destination.
        watch: warns of tables that become very wide.
    """

    def __init__(
        self,
        resource: str,
        root: str,
        columns: Mapping[str, Mapping[str, Column]],
        parents: Mapping[str, str],
        options: Options,
        way: Way,
        watch: ColumnWatch | None = None,
    ) -> None:
        self.root = root
        self._watch = watch
        self._way = way
        self._resource = resource
        self._normaliser = Normaliser(root, columns=columns, parents=parents, options=options)

    def convert(self, rows: list[Any] | Raws) -> Converted:
        """Make the tables of a batch.

        Raises:
            UnsupportedError: if only dlt's own path handles these rows.
        """
        batch = self._arriving(self._normaliser.normalise(rows))
        for name in batch.tables:
            lane = batch.lanes.get(name, "columns")
            note_lane(self._resource, name, lane, len(rows) if name == self.root else 0)
            if self._watch is not None:
                self._watch.look(name, self._normaliser.columns[name])
        size = sum(table.nbytes for table in batch.tables.values())
        return Converted(batch, {name: self._hints(name) for name in batch.tables}, size)

    def convert_all(
        self, batches: Generator[list[Any] | Raws, None, None]
    ) -> Generator[Converted | Left, None, None]:
        """Convert batch after batch, until one has to be left to dlt, with all that follow.

        Tables of several batches come as one where they are of one schema: what each costs dlt is
        a matter of columns, not of rows.
        """
        held: Converted | None = None
        reason = ""
        with closing(batches):
            pieces = (piece for rows in batches for piece in self._normaliser.pieces(rows))
            for number, rows in enumerate(pieces):
                if number % _GIVEN_BACK == 0:
                    give_back()
                converted: Converted | None = None
                if not reason:
                    try:
                        converted = self.convert(rows)
                    except UnsupportedError as error:
                        reason = error.reason
                joined = _joined(held, converted) if held and converted else None
                if held and joined is None:
                    yield held
                held = joined or converted
                if held and held.size >= _WORTH:
                    yield held
                    held = None
                if reason:
                    yield Left(decoded(rows, self.root), reason)
        if held:
            yield held

    def _arriving(self, batch: Batch) -> Batch:
        """Return tables as the destination wants them.

        Raises:
            UnsupportedError: values of theirs would not be the same at the destination.
        """
        columns = self._normaliser.columns
        for name, table in batch.tables.items():
            if why := self._way.why_not(name, table, columns[name]):
                raise UnsupportedError(why)
        tables = {
            name: self._way.written(table, columns[name]) for name, table in batch.tables.items()
        }
        return replace(batch, tables=tables)

    def _hints(self, name: str) -> dict[str, Any]:
        """Return the hints of columns of which Arrow cannot tell all: JSON is a string there."""
        hints: dict[str, Any] = {}
        for column, what in self._normaliser.columns[name].items():
            if what.data_type != "json" and not what.variant:
                continue
            hints[column] = {"data_type": what.data_type}
            if what.variant:
                # the words are dlt's, and part of the schema
                description = f"Variant of column {column} generated by dlt"
                hints[column] |= {"variant": True, "description": description}
        return hints


def _joined(one: Converted, other: Converted) -> Converted | None:
    """Return two batches as one; None if a table of theirs has grown by a column meanwhile."""
    tables = dict(one.batch.tables)
    for name, table in other.batch.tables.items():
        above = tables.get(name)
        if above is not None and not above.schema.equals(table.schema):
            return None
        tables[name] = table if above is None else stacked(above, table)
    batch = Batch(tables, other.batch.parents, other.batch.lanes)
    return Converted(batch, {**one.hints, **other.hints}, one.size + other.size)


def decoded(rows: list[Any] | Raws, table: str = "") -> list[Any]:
    """Return rows as dlt's client would have decoded them.

    Raises:
        NormaliseError: they are no JSON, nested too deeply, or hold endless integers.
    """
    if not isinstance(rows, Raws):
        return rows
    return [_decoded(row, table) for row in rows.rows]


def _decoded(row: bytes | msgspec.Raw, table: str) -> Any:
    try:
        return msgspec.json.decode(row)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass  # dlt's decoder takes numbers beyond bounds, and lone surrogates
    try:
        return json.loads(bytes(row))
    except RecursionError:
        raise DepthError(depth_of_json(bytes(row)), table=table) from None
    except json.JSONDecodeError as error:
        msg = f"a row is not JSON: {error}"
    except ValueError:  # Python's own limit
        msg = "a number in a row has thousands of digits, which no column takes"
    raise NormaliseError(msg, table=table)
