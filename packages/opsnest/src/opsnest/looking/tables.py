"""The tables of a platform as Polars frames, of which none and no column can be missing.

dlt makes a table with its first row, and a column with its first value. Whoever draws charts should
not have to ask for each whether that has happened yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from opsnest.errors import OpsnestError
from opsnest.explain import explain
from opsnest.loading import PLATFORMS
from opsnest.looking.pipelines import attach, existing, folder_of

__all__ = ["Column", "Tables", "flag", "number", "open_tables", "text", "time"]

#: When a row was found to be gone from its platform.
_GONE: Final = "deleted_at"
#: Rows that are fetched at once.
_ROWS: Final = 50_000


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: what it is called there, and the type that it is to have."""

    name: str
    kind: pl.DataType


def text(name: str) -> Column:
    """Return a column of texts."""
    return Column(name, pl.String())


def number(name: str) -> Column:
    """Return a column of numbers."""
    return Column(name, pl.Float64())


def time(name: str) -> Column:
    """Return a column of moments, in UTC."""
    return Column(name, pl.Datetime("us", "UTC"))


def flag(name: str) -> Column:
    """Return a column of what is true or not."""
    return Column(name, pl.Boolean())


class Tables:
    """The tables that the pipeline of a platform has loaded.

    Args:
        dataset: dlt's dataset; None if there is none.
        problem: why there is none, for a person to read.
    """

    def __init__(self, dataset: Any | None, problem: str = "") -> None:
        self._dataset = dataset
        self.problem = problem

    def read(self, table: str, /, **columns: Column) -> pl.DataFrame:
        """Return the rows of a table, without those that are gone from the platform.

        Args:
            table: the table.
            columns: its columns, by the names that they are to have.

        Returns:
            A frame with just these columns, of these types. It is empty if there is no such table,
            and a column is null throughout that the table has not.
        """
        from dlt.destinations.exceptions import DatabaseUndefinedRelation  # noqa: PLC0415 - slow

        empty = pl.DataFrame(schema={alias: each.kind for alias, each in columns.items()})
        if self._dataset is None or table not in self._dataset.tables:
            return empty
        relation = self._dataset.table(table)
        wanted = dict.fromkeys([_GONE, *(each.name for each in columns.values())])
        names = [name for name in wanted if name in relation.columns]
        if not names:
            return empty
        try:
            parts = [pl.DataFrame(part) for part in relation.select(*names).iter_arrow(_ROWS)]
        except DatabaseUndefinedRelation:  # it is in the schema, and was never loaded
            return empty
        if not parts:
            return empty
        found = pl.concat(parts)
        if _GONE in names:
            found = found.filter(pl.col(_GONE).is_null())
        made = found.with_columns(
            (pl.col(each.name) if each.name in names else pl.lit(None))
            .cast(each.kind, strict=False)
            .alias(alias)
            for alias, each in columns.items()
        )
        return made.select(*columns)


def open_tables(platform: str, arguments: Mapping[str, object]) -> Tables:
    """Open what was loaded of a platform, for reading.

    Args:
        platform: the platform, as the command line names it.
        arguments: those of the notebook: `pipelines-dir`, where dlt keeps the pipelines; or `demo`,
            for what `opsnest demo` loaded in this folder.

    Returns:
        The tables; empty ones, with the problem told, if they cannot be read.
    """
    _, pipeline, _ = PLATFORMS[platform]
    given = str(arguments.get("pipelines-dir") or "")
    try:
        folder = folder_of(Path(given) if given else None, demo="demo" in arguments)
        existing(pipeline, folder, platform=platform)
        dataset: Any = attach(pipeline, folder).dataset()
        dataset.table("_dlt_loads").limit(1).fetchall()  # can it be opened at all?
    except Exception as fault:  # noqa: BLE001 - each destination has exceptions of its own
        return Tables(None, _told(fault))
    return Tables(dataset)


def _told(fault: Exception) -> str:
    error = fault if isinstance(fault, OpsnestError) else explain(fault)
    first = str(fault).partition("\n")[0]
    return str(error) if error else f"the tables cannot be read: {first}"
