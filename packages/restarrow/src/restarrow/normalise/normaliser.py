"""The normaliser: rows in, tables out, by the quickest lane that is exact for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from restarrow.errors import UnsupportedError
from restarrow.memory import collect_rarely
from restarrow.nesting import DEEP, depth_of
from restarrow.normalise.byte_lane import ByteLane, MismatchError, Raws, decode
from restarrow.normalise.byte_plan import NoPlanError, Planner
from restarrow.normalise.column_lane import ColumnLane
from restarrow.normalise.ids import random_ids
from restarrow.normalise.naming import Naming
from restarrow.normalise.schema import Columns, Schema
from restarrow.normalise.shape import Shape
from restarrow.normalise.shredder import TangledError
from restarrow.normalise.tables import Batch, assemble_rows
from restarrow.normalise.types import Column
from restarrow.normalise.walker import Options, Place, Walker

__all__ = ["Batch", "Column", "Normaliser", "Options", "Raws"]

#: Cells of a table that are made at once, of eight bytes each or more.
_CELLS = 8_000_000
#: After so many surprises in a row, reading bytes as columns rests for some batches.
_PATIENCE = 3
_REST = 9


class Normaliser:
    """Turns batches of rows of one resource into tables, as dlt would.

    Args:
        table: the name of the root table.
        columns: what is known or declared: columns by table, in order. A column without a type
            is one that is declared, and whose type the first value decides.
        parents: the parents of nested tables that are known. They stay what they are, even where
            rows of such a table are found in another one.
        options: how rows become tables.
    """

    def __init__(
        self,
        table: str,
        *,
        columns: Mapping[str, Mapping[str, Column]] | None = None,
        parents: Mapping[str, str] | None = None,
        options: Options | None = None,
    ) -> None:
        self._options = options or Options()
        self._naming = Naming(self._options.max_length)
        self._table = self._naming.path(table)
        self._schema = Schema.of(columns, parents)
        self._shape = Shape()
        self._bytes: ByteLane | None = None
        self._why_not_bytes = "the shape of the rows is not known yet"
        self._surprises = 0
        self._tangled = ""

    @property
    def table(self) -> str:
        """The normalised name of the root table."""
        return self._table

    @property
    def columns(self) -> Mapping[str, Columns]:
        """The live schema: columns by table, each in the order of discovery."""
        return self._schema.tables

    @property
    def parents(self) -> Mapping[str, str]:
        """The parent of each nested table that was met."""
        return self._schema.parents

    def pieces(self, rows: list[Any] | Raws) -> Iterator[list[Any] | Raws]:
        """Yield rows in pieces that are the shorter, the more columns their table has by then."""
        at = 0
        while at < len(rows):
            columns = len(self._schema.tables.get(self._table, ()))
            some = slice(at, at + max(1, _CELLS // max(1, columns)))
            at = some.stop
            if isinstance(rows, Raws):
                yield Raws(rows.rows[some], rows.checked)
            else:
                yield rows[some]

    def normalise(self, rows: Sequence[Any] | Raws) -> Batch:
        """Make the tables of a batch.

        Raises:
            UnsupportedError: if only dlt's own path handles these rows. The schema is then as it
                was before.
        """
        if not rows:
            return Batch({})
        ids = self._ids(len(rows))
        with collect_rarely():
            if isinstance(rows, Raws):
                return self._raw(rows, ids)
            return self._decoded(rows, ids, "the rows were decoded")

    def _ids(self, count: int) -> list[str]:
        return random_ids(count) if self._options.row_ids == "random" else [""] * count

    def _raw(self, rows: Raws, ids: Sequence[str]) -> Batch:
        why = self._why_not_bytes
        if self._bytes is not None:
            if self._surprises < _PATIENCE:
                try:
                    tables = self._bytes.run(rows, ids)
                except (MismatchError, RecursionError) as mismatch:
                    self._surprises += 1
                    why = str(mismatch)
                else:
                    self._surprises = 0
                    return Batch(tables, dict(self.parents), dict.fromkeys(tables, "bytes"))
            else:
                self._surprises = (self._surprises + 1) % (_PATIENCE + _REST)
                why = "the last batches did not have the known shape"
        batch = self._decoded(decode(rows), ids, why)
        self._plan()
        return batch

    def _plan(self) -> None:
        """Plan how to read the next batch's bytes, from all that is known now."""
        self._bytes = None
        if self._tangled:
            self._why_not_bytes = self._tangled
            return
        place = Place(self._table, "", (self._table,), self._options.max_nesting)
        try:
            plan = Planner(self._schema, self._naming).plan(place, self._shape)
        except NoPlanError as error:
            self._why_not_bytes = error.reason
        except RecursionError:
            self._why_not_bytes = "objects are nested too deeply"
        else:
            self._bytes = ByteLane(self._table, plan, self._schema, self._options)

    def _decoded(self, rows: Sequence[Any], ids: Sequence[str], why: str) -> Batch:
        try:
            schema, tables, lane = self._taken_apart(rows, ids, f"columns: {why}")
        except RecursionError as error:
            raise _too_deep(self._table) from error
        self._schema = schema
        return Batch(tables, dict(schema.parents), dict.fromkeys(tables, lane))

    def _taken_apart(
        self, rows: Sequence[Any], ids: Sequence[str], why: str
    ) -> tuple[Schema, dict[str, Any], str]:
        """Return the schema that has grown, the tables, and the lane that made them."""
        try:
            if not all(type(row) is dict for row in rows):
                msg = "not all rows are objects"
                raise TangledError(msg)  # noqa: TRY301 - it is taken apart row by row, as others are
            lane = ColumnLane(self._schema, self._naming, self._options, self._shape)
            schema, tables = lane.run(self._table, rows, ids)
        except TangledError as tangle:
            self._tangled = tangle.reason
        else:
            if self._shape.depth() > DEEP:
                raise _too_deep(self._table)
            return schema, tables, why
        if any(depth_of(row) > DEEP for row in rows):
            raise _too_deep(self._table)
        return *self._walk(rows, ids), f"rows: {self._tangled}"

    def _walk(self, rows: Sequence[Any], ids: Sequence[str]) -> tuple[Schema, dict[str, Any]]:
        schema = self._schema.copy()
        walker = Walker(schema, self._naming, self._options)
        walker.walk(self._table, rows, ids)
        tables = {
            name: assemble_rows(schema.tables[name], name, fitted)
            for name, fitted in walker.rows.items()
        }
        return schema, tables


def _too_deep(table: str) -> UnsupportedError:
    msg = f"rows are nested more than {DEEP} levels deep"
    return UnsupportedError(msg, table=table)
