"""dlt's own normaliser, driven without a pipeline: what ours is compared with."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from importlib import import_module
from types import SimpleNamespace
from typing import Any
from unittest import mock

from dlt.common.configuration.container import Container
from dlt.common.destination.capabilities import DestinationCapabilitiesContext
from dlt.common.json import json
from dlt.common.schema import Schema
from dlt.common.schema.utils import new_table

# without types, or not meant to be called from outside
pa: Any = import_module("pyarrow")
libs: Any = import_module("dlt.common.libs.pyarrow")
relational: Any = import_module("dlt.common.normalizers.json.relational")
jsonl: Any = import_module("dlt.normalize.items_normalizers.jsonl")

TABLE = "things"
LOAD_ID = "1763788558.123"


def caps(max_length: int | None = None) -> Any:
    made: Any = DestinationCapabilitiesContext.generic_capabilities("parquet")
    if max_length:
        made.max_identifier_length = max_length
        made.max_column_identifier_length = max_length
    made.supported_merge_strategies = ["delete-insert", "upsert"]
    return made


def _copies(columns: Sequence[Mapping[str, Any]]) -> Any:
    return [dict(column) for column in columns]


class Reference:
    """A schema that grows, as dlt makes it grow, and the rows as dlt's Parquet writer has them."""

    def __init__(
        self,
        *,
        max_nesting: int | None = None,
        root_key: bool = False,
        columns: Sequence[Mapping[str, Any]] = (),
        merge_key: bool = False,
        max_length: int | None = None,
    ) -> None:
        schema: Any = Schema("reference")
        config: dict[str, Any] = {"max_nesting": 1000 if max_nesting is None else max_nesting}
        if root_key:
            config["root_key_propagation"] = True
        relational.DataItemNormalizer.update_normalizer_config(schema, config)
        schema.data_item_normalizer._reset()
        table: Any = new_table(TABLE, columns=_copies(columns))
        if merge_key:
            table["write_disposition"] = "merge"
            table["x-merge-strategy"] = "upsert"
        self._caps = caps(max_length)
        with Container().injectable_context(self._caps):
            schema.update_table(table)
        # A schema is stored between extraction and normalisation, and settings are read again.
        stored: Any = Schema.from_stored_schema(schema.to_dict())
        stored.naming.max_length = max_length
        self.schema = stored
        self.rows: dict[str, list[dict[str, Any]]] = {}
        storage = SimpleNamespace(write_data_item=self._write)
        configuration = SimpleNamespace(destination_capabilities=self._caps)
        self._normaliser: Any = jsonl.JsonLItemsNormalizer(
            storage,
            None,
            None,
            self.schema,
            LOAD_ID,
            configuration,
        )
        self._numbers = itertools.count()

    def normalise(self, items: list[Any]) -> dict[str, Any]:
        """Return the tables of a batch; raises what dlt raises."""
        with Container().injectable_context(self._caps):
            return self._normalise(items)

    def _normalise(self, items: list[Any]) -> dict[str, Any]:
        self.rows = {}
        line = json.typed_dumpb(items)
        marked = b"\xef\x80" in line

        def root_id() -> str:
            return f"root-{next(self._numbers):09}"

        with mock.patch.object(relational, "generate_dlt_id", root_id):
            self._normaliser._normalize_chunk(TABLE, json.loadb(line), marked, skip_write=False)
        return {table: self._arrow(table, rows) for table, rows in self.rows.items()}

    def columns(self) -> dict[str, dict[str, Any]]:
        return {
            name: dict(table["columns"])
            for name, table in self.schema.tables.items()
            if not name.startswith("_dlt")
        }

    def _write(self, load_id: str, schema: str, table: str, row: Any, columns: Any) -> int:
        self.rows.setdefault(table, []).append(row)
        return 1

    def _arrow(self, table: str, rows: list[dict[str, Any]]) -> Any:
        columns = self.schema.get_table_columns(table)
        for name, column in columns.items():
            if column["data_type"] == "json":
                for row in rows:
                    value = row.get(name)
                    if value is not None and not isinstance(value, str):
                        row[name] = json.dumps(value)
        return pa.Table.from_pylist(rows, schema=libs.columns_to_arrow(columns, self._caps, "UTC"))
