"""One story for all destinations: what is loaded, step by step, and how tables are compared.

Each step loads three resources of the same rows: one that is replaced, one that is appended to, and
one that is merged. Between steps rows change and vanish, lists shrink and become empty, and columns
are added, in roots and below them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import dlt
from dlt.common.destination.exceptions import DestinationUndefinedEntity
from dlt.extract import DltSource

from restarrow.dlt import accelerate

__all__ = ["STEPS", "Cells", "Told", "source_of", "tell"]

Row = dict[str, Any]
Cells = dict[str, list[str]]


def _row(key: int, *items: str, **others: Any) -> Row:
    return {
        "id": key,
        "name": f"Ünï 'quoted' \"name\" {key}\n\\ 日本",
        "ratio": key / 4,
        "is_open": key % 2 == 0,
        "began_at": f"2026-03-{key:02}T10:20:30.123456Z",
        "big": 2**40 + key,
        "maybe": None if key % 2 else "there",
        "owner": {"name": f"owner {key}", "team": {"id": key}},
        "items": [
            {"sku": sku, "count": n, "tags": [{"tag": f"{sku}-{n}"}] if n else []}
            for n, sku in enumerate(items)
        ],
        **others,
    }


#: What the API has at each step.
STEPS: tuple[tuple[Row, ...], ...] = (
    (_row(1, "a", "b"), _row(2, "c", "d", "e"), _row(3, "f"), _row(4)),
    # the list of 2 shrinks, 3 is gone, that of 4 grows
    (_row(1, "a", "b"), _row(2, "c"), _row(4, "g"), _row(5, "h", "i")),
    # the lists of 1 and 2 become empty; a column is new, and one below
    (
        _row(1, late="new"),
        _row(2, late=None),
        {**_row(5, late="newer"), "items": [{"sku": "j", "count": 1, "colour": "red"}]},
    ),
)
WRITES = ("replace", "append", "merge")


def source_of(
    rows: tuple[Row, ...],
    *,
    writes: tuple[str, ...] = WRITES,
    flat: bool = False,
    upsert: bool = False,
    steady: bool = False,
    **hints: Any,
) -> DltSource:
    """Return a source with these rows, once for each way of writing.

    Args:
        rows: what the API has.
        writes: the ways of writing.
        flat: whether the lists of rows that are merged are texts of JSON, as the sources of Opsnest
            have them for Delta and Iceberg tables.
        upsert: whether rows are merged by the strategy that these tables have.
        steady: whether rows that are merged get no new column: with pyiceberg 0.12, dlt cannot
            merge them into an Iceberg table that has rows without it.
        hints: what else is said of the resources.
    """
    merge = {"disposition": "merge", "strategy": "upsert"} if upsert else "merge"

    make: Any = dlt.resource

    @dlt.source(name="story", root_key=True)
    def story() -> Iterator[Any]:
        for write in writes:
            given = json.loads(json.dumps(rows))
            if flat and write == "merge":
                given = [{**row, "items": json.dumps(row["items"])} for row in given]
            if steady and write == "merge":
                given = [{name: row[name] for name in row if name != "late"} for row in given]
            resource: Any = make(
                [given],
                name=f"{write}d_things",
                primary_key="id",
                write_disposition=merge if write == "merge" else write,
                **hints,
            )
            yield accelerate(resource)

    return story()


class Told:
    """A destination that the story is told to.

    Args:
        name: of the pipeline, and of its dataset.
        destination: where it loads to.
        folder: where dlt keeps what it needs.
        epoch_for_null: whether a time that is NULL is read as 1970, as fakesnow sends it.
    """

    def __init__(
        self, name: str, destination: Any, folder: Path, *, epoch_for_null: bool = False
    ) -> None:
        self.epoch_for_null = epoch_for_null
        self.pipeline = dlt.pipeline(
            name,
            destination=destination,
            dataset_name=f"{name}_data",
            pipelines_dir=str(folder / "pipelines"),
        )
        self.pipeline.config.restore_from_destination = False

    def load(self, source: DltSource) -> None:
        """Load a source whole: any job that fails, fails the test."""
        self.pipeline.activate()
        self.pipeline.run(source)

    def cells(self) -> Cells:
        """Return the rows of all tables as texts, sorted, without what differs by chance."""
        self.pipeline.activate()
        dataset: Any = self.pipeline.dataset()
        schema = self.pipeline.default_schema
        found: Cells = {}
        for table in schema.data_table_names(seen_data_only=True):
            columns = sorted(
                name
                for name, hints in schema.get_table_columns(table).items()
                if name == "_dlt_list_idx" or not name.startswith("_dlt")
                if hints.get("data_type")
            )
            rows: list[Any]
            try:
                rows = dataset[table].select(*columns).fetchall()
            except DestinationUndefinedEntity:  # by dlt: a table of files that has no file
                rows = []
            found[table] = sorted(
                repr(
                    [
                        _plain(name, self._read(value))
                        for name, value in zip(columns, row, strict=True)
                    ]
                )
                for row in rows
            )
        return found

    def _read(self, value: Any) -> Any:
        """Return a value as it is in the table."""
        is_epoch = isinstance(value, datetime) and value.timestamp() == 0
        return None if is_epoch and self.epoch_for_null else value


def tell(
    places: Mapping[str, Told], sources: Callable[[tuple[Row, ...]], Mapping[str, DltSource]]
) -> Iterator[dict[str, Cells]]:
    """Load step after step, and yield what each place has after it."""
    for rows in STEPS:
        made = sources(rows)
        for name, place in places.items():
            place.load(made[name])
        yield {name: place.cells() for name, place in places.items()}


def _plain(column: str, value: Any) -> Any:
    """Return a value as any database has it: times in UTC, JSON decoded, decimals as numbers."""
    if column == "deleted_at":  # by us, when it was found to be gone
        return value is not None
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, str) and value[:1] in {"{", "["}:
        try:
            value = json.loads(value)
        except ValueError:
            return value
    return json.dumps(value, sort_keys=True) if isinstance(value, dict | list) else value
