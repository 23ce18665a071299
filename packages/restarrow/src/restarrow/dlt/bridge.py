"""Arrow tables for dlt: the one module that touches what dlt keeps to itself.

dlt takes Arrow tables from resources, but not with nested tables. Three things of its inside make
that work, and a probe at the first use tells whether they still do:

- a step at the tail of the pipe, behind the user's maps, the incremental and the limit, that turns
  dict pages into tables; transformers fork from the tail and go on receiving dicts;
- hints of its own for each nested table (`_hints_variants`), as the public way would copy the
  root's hints into it;
- `Schema.get_table` answering with the resource of a nested table, as dlt's metrics ask for it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from copy import copy
from typing import TYPE_CHECKING, Any, ClassVar

import dlt
from dlt.common.normalizers.json.helpers import requires_root_key
from dlt.common.schema.utils import is_nested_table
from dlt.extract.hints import make_hints
from dlt.extract.items import ResolvablePipeItem, TableNameMeta
from dlt.extract.items_transform import ItemTransform
from dlt.extract.pipe import ForkPipe

from restarrow.dlt.report import begin, note_lane
from restarrow.dlt.support import normaliser_config, why_not
from restarrow.errors import UnsupportedError
from restarrow.normalise.normaliser import Batch, Normaliser
from restarrow.normalise.types import Column
from restarrow.normalise.walker import Options

if TYPE_CHECKING:
    from dlt.common.schema import Schema
    from dlt.extract import DltResource

__all__ = ["attach"]

_TEXT: dict[str, Any] = {"data_type": "text", "nullable": False}
_ROOT_COLUMNS: dict[str, Any] = {
    "_dlt_load_id": _TEXT,
    "_dlt_id": {**_TEXT, "unique": True, "row_key": True},
}
_NESTED_COLUMNS: dict[str, Any] = {
    "_dlt_root_id": {**_TEXT, "root_key": True},
    "_dlt_parent_id": {**_TEXT, "parent_key": True},
    "_dlt_list_idx": {"data_type": "bigint", "nullable": False},
    "_dlt_id": {**_TEXT, "unique": True, "row_key": True},
}


def attach(resource: DltResource) -> DltResource:
    """Let the rows of a resource become Arrow tables on their way into dlt, and return it."""
    inside: Any = resource
    inside._pipe.append_step(ArrowTail())
    return resource


class ArrowTail(ForkPipe, ItemTransform[Any, Any]):
    """The last step of a pipe: pages of dicts in, tables out, dicts for transformers."""

    placement_affinity: ClassVar[float] = 1.2  # behind the incremental (1) and the limit (1.1)

    def __init__(self) -> None:
        # not ForkPipe's own: it wants a first fork at once
        self._pipes = []
        self.copy_on_fork = False
        self._custom_metrics = {}
        self._own: Any = None
        self._lane: _Lane | None = None
        self._why_dlt: str | None = None
        self._table = ""

    def bind(self, pipe: Any) -> ArrowTail:
        """Return the step for one run of a pipe."""
        bound = copy(self)
        bound._pipes = list(self._pipes)
        bound._own = pipe
        return bound

    def __call__(self, item: Any, meta: Any = None) -> Any:
        """Send dicts to the forks, and tables to the end of the own pipe."""
        if self._pipes:
            return self._fork(item, meta)
        if self._begun() is None:
            self._note(item)
            return item  # as if this step were not there, so that resources take turns as they do
        return self._send(item, meta)

    def _fork(self, item: Any, meta: Any) -> Iterator[ResolvablePipeItem]:
        is_loaded = False
        for pipe, step in self._pipes:
            if pipe is self._own:
                is_loaded = True
            else:
                yield ResolvablePipeItem(item, step, pipe, meta)
        if is_loaded:
            yield from self._send(item, meta)

    def _send(self, item: Any, meta: Any) -> Iterator[ResolvablePipeItem]:
        last = len(self._own) - 1
        for table, tables_meta in self._convert(item, meta):
            yield ResolvablePipeItem(table, last, self._own, tables_meta)

    def _convert(self, item: Any, meta: Any) -> Iterator[tuple[Any, Any]]:
        lane = self._begun()
        if lane is not None and meta is not None:
            self._leave_to_dlt("an item says which table it goes to")
        elif lane is not None and item != []:
            try:
                tables = lane.tables(_rows(item))
            except UnsupportedError as reason:
                self._leave_to_dlt(reason.reason)
            else:
                yield from tables
                return
        self._note(item)
        yield item, meta

    def _begun(self) -> _Lane | None:
        if self._lane is None and self._why_dlt is None:
            self._begin()
        return self._lane

    def _note(self, item: Any) -> None:
        rows = _rows(item)
        if rows and self._table and self._why_dlt:
            note_lane(self._own.name, self._table, f"dlt: {self._why_dlt}", len(rows))

    def _leave_to_dlt(self, why: str) -> None:
        """Leave the rest of this load to dlt.

        It looks at these rows only when all are extracted. What they do to the schema is not known
        before, so tables made of later rows might not fit.
        """
        self._lane = None
        self._why_dlt = why

    def _begin(self) -> None:
        """Decide at the first page: only then it is known for which pipeline this runs."""
        begin(self._own.name)
        try:
            package: Any = dlt.current.load_package_state()
            load_id: str = package["load_id"]
            source = dlt.current.source()
        except Exception:  # noqa: BLE001 - dlt has no way to ask: the resource is just iterated
            self._why_dlt = "no pipeline runs"
            return
        resource = source.resources.with_pipe(self._own)
        self._table = str(resource.table_name)
        self._why_dlt = why_not(resource, source)
        if self._why_dlt is None:
            self._lane = _Lane(resource, source.schema, load_id)
            self._table = self._lane.root


def _rows(item: Any) -> list[Any]:
    return item if isinstance(item, list) else [item]  # pyright: ignore[reportUnknownVariableType]


class _Lane:
    """The way of one resource's rows into Arrow tables during one load."""

    def __init__(self, resource: DltResource, schema: Schema, load_id: str) -> None:
        self._resource = resource
        self._hinted: set[str] = set()
        self._schema = schema
        computed: Any = resource.compute_table_schema()
        self.root = schema.naming.normalize_tables_path(computed["name"])
        self._root_key = _has_root_key(schema, self.root, computed)
        nesting = computed.get("x-normalizer", {}).get("max_nesting")
        configured = normaliser_config(schema)
        if nesting is None:
            nesting = configured.get("max_nesting")
        self._normaliser = Normaliser(
            self.root,
            columns=self._known_columns(computed),
            options=Options(
                load_id=load_id,
                max_nesting=1000 if nesting is None else int(nesting),
                root_key=self._root_key,
                max_length=schema.naming.max_length,
            ),
        )
        _answer_with_resource(schema, self.root, resource.name)
        _expect_json_in_strings()

    def tables(self, rows: list[Any]) -> Iterator[tuple[Any, Any]]:
        """Make the tables of a page, parents first, each with what tells dlt where it goes.

        Raises:
            UnsupportedError: if only dlt's own path handles these rows.
        """
        batch = self._normaliser.normalise(rows)
        for name in batch.tables:
            note_lane(
                self._resource.name,
                name,
                batch.lanes.get(name, "columns"),
                len(rows) if name == self.root else 0,
            )
        return self._declare_each(batch, {name: self._hints(name) for name in batch.tables})

    def _declare_each(
        self, batch: Batch, hints: Mapping[str, dict[str, Any]]
    ) -> Iterator[tuple[Any, Any]]:
        """Yield the tables, each when dlt knows of it.

        Not before, as dlt takes turns: between two tables of a batch it asks for the next batch,
        and what is known of that must not come before the rest of this one.
        """
        for name, table in batch.tables.items():
            if name == self.root:
                self._declare_root(hints[name])
                yield table, None
            else:
                self._declare(name, batch.parents[name], hints[name])
                yield table, TableNameMeta(name)

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

    def _declare_root(self, hints: dict[str, Any]) -> None:
        # not before the first table: where dlt makes the table itself, hints decide the order
        hints = {**_ROOT_COLUMNS, **hints}
        new = {column: hint for column, hint in hints.items() if column not in self._hinted}
        if new:
            self._resource.apply_hints(columns=new)
            self._hinted |= set(new)

    def _declare(self, name: str, parent: str, hints: dict[str, Any]) -> None:
        inside: Any = self._resource
        variants: Any = inside._hints_variants
        if name not in variants:
            columns = dict(_NESTED_COLUMNS)
            if not self._root_key:
                del columns["_dlt_root_id"]
            variants[name] = make_hints(table_name=name, parent_table_name=parent, columns=columns)
        variants[name]["columns"].update(
            {column: {"name": column, **hint} for column, hint in hints.items()}
        )

    def _known_columns(self, computed: Any) -> dict[str, dict[str, Column]]:
        known: dict[str, dict[str, Column]] = {}
        tables: Any = self._schema.tables
        for name, table in tables.items():
            if name == self.root or name.startswith(f"{self.root}__"):
                known[name] = _columns(table["columns"])
        declared = {
            self._schema.naming.normalize_path(name): column
            for name, column in computed["columns"].items()
            if name not in _ROOT_COLUMNS
        }
        root = known.setdefault(self.root, {})
        for name, column in _columns(declared).items():
            root.setdefault(name, column)
        return known


def _columns(columns: Any) -> dict[str, Column]:
    return {
        name: Column(
            data_type=column.get("data_type"),
            nullable=column.get("nullable", True),
            variant=column.get("variant", False),
        )
        for name, column in columns.items()
    }


def _has_root_key(schema: Schema, root: str, computed: Any) -> bool:
    """Tell whether dlt would pass the ids of root rows on; once it did so, it always does."""
    config = normaliser_config(schema)
    propagation: dict[str, Any] = config.get("propagation") or {}
    tables: dict[str, Any] = propagation.get("tables") or {}
    if propagation.get("root") or tables.get(root):
        return True
    table: Any = {**computed, "name": root}
    return bool(requires_root_key(schema, table, config.get("root_key_propagation")))


def _answer_with_resource(schema: Schema, root: str, resource: str) -> None:
    """Let `schema.get_table` name the resource of nested tables, which dlt's metrics ask for."""
    plain: Any = type(schema).get_table
    roots: dict[str, str] = schema.__dict__.setdefault("_restarrow_roots", {})
    roots[root] = resource

    def get_table(table_name: str) -> Any:
        table: Any = plain(schema, table_name)
        if is_nested_table(table) and "resource" not in table:
            top: Any = table
            while top.get("parent"):
                top = plain(schema, top["parent"])
            return {**table, "resource": roots.get(top["name"], top.get("resource"))}
        return table

    schema.get_table = get_table  # type: ignore[method-assign]


def _expect_json_in_strings() -> None:
    """Keep dlt from warning at each batch that JSON is a string in Arrow, as it must be."""
    logger = logging.getLogger("dlt")
    if not any(isinstance(each, _JsonInStrings) for each in logger.filters):
        logger.addFilter(_JsonInStrings())


class _JsonInStrings(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return "when merging arrow schema with dlt schema" not in str(record.msg)
