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

from restarrow.dlt.columns import ColumnWatch
from restarrow.dlt.destinations import way_of
from restarrow.dlt.lane import Converted, Lane, Left
from restarrow.dlt.limits import max_new_columns
from restarrow.dlt.report import begin, note_lane
from restarrow.dlt.support import normaliser_config, why_not
from restarrow.dlt.writable import refuse_unwritable
from restarrow.errors import UnsupportedError
from restarrow.normalise import Column, Options

if TYPE_CHECKING:
    from dlt.common.schema import Schema
    from dlt.extract import DltResource

__all__ = ["ArrowTail", "attach", "missing", "tail_of"]

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


def missing() -> list[str]:
    """Return what of dlt's inside is not as this module needs it; nothing most of the time."""
    resource: Any = dlt.resource([], name="probe")
    schema = dlt.Schema("probe")
    columns: Any = {"c": _TEXT}
    hints: Any = make_hints(table_name="t", parent_table_name="p", columns=columns)
    needed = {
        "DltResource._pipe with _steps": isinstance(_inside(resource, "_pipe", "_steps"), list),
        "DltResource._hints_variants": isinstance(_inside(resource, "_hints_variants"), dict),
        "DltResource._hints": isinstance(_inside(resource, "_hints"), dict),
        "Schema._normalizers_config": isinstance(_inside(schema, "_normalizers_config"), dict),
        "hints with a parent": hints.get("parent_table_name") == "p"
        and "c" in hints.get("columns", {}),
        "the order of steps": ItemTransform.placement_affinity == 0,
    }
    return [name for name, is_there in needed.items() if not is_there]


def _inside(thing: Any, *names: str) -> Any:
    for name in names:
        thing = getattr(thing, name, None)
    return thing


def attach(resource: DltResource) -> DltResource:
    """Let the rows of a resource become Arrow tables on their way into dlt, and return it."""
    inside: Any = resource
    inside._pipe.append_step(ArrowTail())
    return resource


def tail_of(pipe: Any) -> ArrowTail | None:
    """Return the step at the end of a pipe, if it is there."""
    last: object = pipe._steps[-1]
    return last if isinstance(last, ArrowTail) else None


class ArrowTail(ForkPipe, ItemTransform[Any, Any]):
    """The last step of a pipe: pages of dicts in, tables out, dicts for transformers."""

    placement_affinity: ClassVar[float] = 1.2  # behind the incremental (1) and the limit (1.1)

    def __init__(self) -> None:
        # not ForkPipe's own: it wants a first fork at once
        self._pipes = []
        self.copy_on_fork = False
        self._custom_metrics = {}
        self._own: Any = None
        self._lane: Lane | None = None
        self._declarer: _Declarer | None = None
        self._watch: ColumnWatch | None = None
        self._why_dlt: str | None = None
        self._table = ""
        self._sending = 0
        #: Whether rows that come twice are one row in the end; known once `lane` was asked for.
        self.merges = False

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
        if self.lane is None and not isinstance(item, Left):
            self._leave(item)
            return item  # as if this step were not there, so that resources take turns as they do
        self._sending += 1
        return self._send(item, meta)

    def _fork(self, item: Any, meta: Any) -> Iterator[ResolvablePipeItem]:
        is_loaded = False
        for pipe, step in self._pipes:
            if pipe is self._own:
                is_loaded = True
            else:
                yield ResolvablePipeItem(item, step, pipe, meta)
        if is_loaded:
            self._sending += 1
            yield from self._send(item, meta)

    def _send(self, item: Any, meta: Any) -> Iterator[ResolvablePipeItem]:
        last = len(self._own) - 1
        for table, tables_meta in self._convert(item, meta):
            yield ResolvablePipeItem(table, last, self._own, tables_meta)
        self._sending -= 1

    def _convert(self, item: Any, meta: Any) -> Iterator[tuple[Any, Any]]:
        lane = self.lane
        if isinstance(item, Left):
            self._leave_to_dlt(item.reason)
            item = item.rows
        elif isinstance(item, Converted) and self._declarer is not None:
            yield from self._declarer.tables(item)
            return
        elif lane is not None and meta is not None:
            self._leave_to_dlt("an item says which table it goes to")
        elif lane is not None and self._declarer is not None and item != []:
            try:
                converted = lane.convert(_rows(item))
            except UnsupportedError as reason:
                self._leave_to_dlt(reason.reason)
            else:
                yield from self._declarer.tables(converted)
                return
        self._leave(item)
        yield item, meta

    @property
    def lane(self) -> Lane | None:
        """The way of the rows into tables during this load; None if dlt has to take them."""
        if self._lane is None and self._why_dlt is None:
            self._begin()
        return self._lane

    @property
    def is_sending(self) -> bool:
        """Whether dlt has yet to take tables of the last batch.

        It takes turns: for each table it would ask for one batch more.
        """
        return self._sending > 0

    @property
    def has_forks(self) -> bool:
        """Whether other resources are fed by this one."""
        return bool(self._pipes)

    def _leave(self, item: Any) -> None:
        """Take note of rows that dlt will normalise.

        Raises:
            NormaliseError: it could not even write them.
        """
        rows = _rows(item)
        if rows and isinstance(rows[0], dict):
            refuse_unwritable(rows, self._table)
            if self._watch is not None:
                self._watch.look_at_rows(rows)
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
        self.merges = _merges(resource)
        self._why_dlt = why_not(resource, source)
        if not (resource.has_dynamic_table_name or resource.has_other_dynamic_hints):
            self._watch = _watch(resource, source.schema)
        if self._why_dlt is None:
            self._lane, self._declarer = _open_lane(resource, source.schema, load_id, self._watch)
            self._table = self._lane.root


def _merges(resource: DltResource) -> bool:
    if resource.has_dynamic_table_name or resource.has_other_dynamic_hints:
        return False
    table: Any = resource.compute_table_schema()
    has_key = any(column.get("primary_key") for column in table["columns"].values())
    return has_key and table.get("write_disposition") == "merge"


def _rows(item: Any) -> list[Any]:
    return item if isinstance(item, list) else [item]  # pyright: ignore[reportUnknownVariableType]


class _Declarer:
    """Tells dlt of the tables of one resource, with hints that it takes from nobody else."""

    def __init__(self, resource: DltResource, schema: Schema, root: str, *, root_key: bool) -> None:
        self._resource = resource
        self._root = root
        self._root_key = root_key
        self._hinted: set[str] = set()
        _answer_with_resource(schema, root, resource.name)
        _expect_json_in_strings()

    def tables(self, converted: Converted) -> Iterator[tuple[Any, Any]]:
        """Yield the tables, parents first, each when dlt knows of it, with where it goes."""
        batch = converted.batch
        for name, table in batch.tables.items():
            hints = converted.hints[name]
            if name == self._root:
                self._declare_root(hints)
                yield table, None
            else:
                self._declare(name, batch.parents[name], hints)
                yield table, TableNameMeta(name)

    def _declare_root(self, hints: Mapping[str, Any]) -> None:
        # not before the first table: where dlt makes the table itself, hints decide the order
        every = {**_ROOT_COLUMNS, **hints}
        new = {column: hint for column, hint in every.items() if column not in self._hinted}
        if new:
            self._resource.apply_hints(columns=new)
            self._hinted |= set(new)

    def _declare(self, name: str, parent: str, hints: Mapping[str, Any]) -> None:
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


def _watch(resource: DltResource, schema: Schema) -> ColumnWatch:
    computed: Any = resource.compute_table_schema()
    root = schema.naming.normalize_tables_path(computed["name"])
    columns = _known_columns(schema, root, computed)
    return ColumnWatch(
        resource.name,
        root,
        columns,
        as_json=[name for name, each in columns[root].items() if each.data_type == "json"],
        most=max_new_columns(),
        levels=_nesting(schema, computed),
        max_length=schema.naming.max_length,
    )


def _nesting(schema: Schema, computed: Any) -> int:
    nesting = computed.get("x-normalizer", {}).get("max_nesting")
    if nesting is None:
        nesting = normaliser_config(schema).get("max_nesting")
    return 1000 if nesting is None else int(nesting)


def _open_lane(
    resource: DltResource, schema: Schema, load_id: str, watch: ColumnWatch | None
) -> tuple[Lane, _Declarer]:
    """Return the way of a resource's rows, and what tells dlt of it."""
    computed: Any = resource.compute_table_schema()
    root = schema.naming.normalize_tables_path(computed["name"])
    root_key = _has_root_key(schema, root, computed)
    options = Options(
        load_id=load_id,
        max_nesting=_nesting(schema, computed),
        root_key=root_key,
        max_length=schema.naming.max_length,
    )
    tables: Any = schema.tables
    parents = {name: table["parent"] for name, table in tables.items() if table.get("parent")}
    columns = _known_columns(schema, root, computed)
    lane = Lane(resource.name, root, columns, parents, options, way_of(), watch)
    return lane, _Declarer(resource, schema, root, root_key=root_key)


def _known_columns(schema: Schema, root: str, computed: Any) -> dict[str, dict[str, Column]]:
    known: dict[str, dict[str, Column]] = {}
    tables: Any = schema.tables
    for name, table in tables.items():
        if name == root or name.startswith(f"{root}__"):
            known[name] = _columns(table["columns"])
    declared = {
        schema.naming.normalize_path(name): column
        for name, column in computed["columns"].items()
        if name not in _ROOT_COLUMNS
    }
    columns = known.setdefault(root, {})
    for name, column in _columns(declared).items():
        columns.setdefault(name, column)
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
