"""Where data goes: the destinations of dlt, what each needs, and what to shield users from there.

dlt merges into databases. Into plain files it cannot, and appends instead, with a mere warning;
into Delta tables it merges roots, and leaves the items of lists that became shorter; a merge into
Iceberg tables fails once rows have a new column, and the load stays pending.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from opsnest.errors import ConfigurationError

if TYPE_CHECKING:
    from dlt.common.destination import Destination
    from dlt.extract import DltResource, DltSource

__all__ = [
    "DESTINATIONS",
    "TABLE_FORMATS",
    "WRITES",
    "Needed",
    "TableFormat",
    "Write",
    "destination_of",
    "extra_of",
    "fit",
    "fitted",
    "fitting",
    "known_destination",
    "missing_packages",
]

Row = dict[str, Any]
TableFormat = Literal["delta", "iceberg"]
Write = Literal["merge", "append", "replace"]
TABLE_FORMATS: Final[tuple[TableFormat, ...]] = ("delta", "iceberg")
WRITES: Final[tuple[Write, ...]] = ("merge", "append", "replace")


@dataclass(frozen=True, slots=True)
class Needed:
    """What has to be installed for a destination, or for where its files are.

    Attributes:
        extra: the extra of Opsnest that brings it.
        modules: what is then there to import.
    """

    extra: str
    modules: tuple[str, ...]


#: The destinations that Opsnest's pages name.
DESTINATIONS: Final[Mapping[str, Needed | None]] = {
    "duckdb": None,
    "filesystem": None,
    "postgres": Needed("postgres", ("psycopg2",)),
    "bigquery": Needed("bigquery", ("google.cloud.bigquery",)),
    "snowflake": Needed("snowflake", ("snowflake.connector",)),
    "redshift": Needed("redshift", ("psycopg2",)),
    "databricks": Needed("databricks", ("databricks.sql",)),
}
#: What places for files need, by the scheme of their URLs.
_PLACES: Final[Mapping[str, Needed]] = {
    **dict.fromkeys(("s3", "s3a"), Needed("s3", ("s3fs",))),
    **dict.fromkeys(("gs", "gcs"), Needed("gcs", ("gcsfs",))),
    **dict.fromkeys(("az", "abfs", "abfss", "adl", "azure"), Needed("azure", ("adlfs",))),
}
_FORMATS: Final[Mapping[TableFormat, Needed]] = {
    "delta": Needed("delta", ("deltalake",)),
    "iceberg": Needed("iceberg", ("pyiceberg",)),
}
_FILES: Final = "dlt.destinations.filesystem"


def missing_packages(
    name: str, *, url: str = "", table_format: TableFormat | None = None
) -> list[Needed]:
    """Return what has to be installed before a destination can be used.

    Args:
        name: the destination.
        url: where its files go, if it has any.
        table_format: the format of its tables, if they are files.
    """
    needed = [
        DESTINATIONS.get(name),
        _PLACES.get(url.partition("://")[0]),
        _FORMATS[table_format] if table_format else None,
    ]
    return [
        each for each in needed if each and not all(_is_there(module) for module in each.modules)
    ]


def extra_of(name: str, url: str = "") -> str:
    """Return the extra of Opsnest that a destination needs; nothing if it needs none.

    Args:
        name: the destination.
        url: where its files go, if it has any and that is known.
    """
    needed = _PLACES.get(url.partition("://")[0]) if url else DESTINATIONS.get(name)
    return needed.extra if needed else ""


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # of a package above it
        return False


def destination_of(name: str, *, table_format: TableFormat | None = None) -> Destination[Any, Any]:
    """Return a destination by its name, such that it takes the quickest way that is exact.

    Raises:
        ConfigurationError: dlt has no such destination, or a package for it is missing.
    """
    from dlt.common.destination import Destination  # noqa: PLC0415 - slow to import

    from restarrow.dlt import postgres  # noqa: PLC0415

    for needed in missing_packages(name, table_format=table_format):
        message = (
            f"{name} needs {needed.modules[0]}, which is not installed.\n"
            f"  pip install 'opsnest[{needed.extra}]'"
        )
        raise ConfigurationError(message)
    if name == "postgres":
        return postgres()
    made: Destination[Any, Any] = cast(Any, Destination.from_reference(known_destination(name)))
    return made


def known_destination(name: str) -> str:
    """Return the name of a destination, if dlt has it.

    Raises:
        ConfigurationError: it has none of this name.
    """
    import dlt  # noqa: PLC0415 - slow to import

    known = sorted(set(dlt.destinations.__all__) - {"destination"})
    if name not in known:
        message = f"dlt has no destination {name!r}.\n  Known: {', '.join(known)}."
        raise ConfigurationError(message)
    return name


def fit(
    source: DltSource,
    destination: str,
    *,
    write: Write = "merge",
    table_format: TableFormat | None = None,
) -> DltSource:
    """Say how the resources of a source are to be written, and return the source.

    Args:
        source: the source.
        destination: the name of the destination.
        write: whether rows that changed replace what was there (`merge`), are added to it, or all
            rows are read and replace the table.
        table_format: the format of tables in files.

    Raises:
        ConfigurationError: the destination has no tables of this format.
    """
    if table_format and destination != "filesystem":
        message = (
            f"{destination} has no {table_format} tables.\n"
            "  --table-format is for --to filesystem: elsewhere leave it out."
        )
        raise ConfigurationError(message)
    for resource in source.selected_resources.values():
        merges = resource.write_disposition == "merge"
        if write != "merge" and merges:
            resource.apply_hints(write_disposition=write, columns=_without_order(resource))
        elif merges and table_format:
            resource.apply_hints(write_disposition={"disposition": "merge", "strategy": "upsert"})
        if table_format:
            resource.apply_hints(table_format=table_format)
        elif destination == "filesystem":
            resource.apply_hints(file_format="parquet")
    return source


def _without_order(resource: DltResource) -> Any:
    """Return the columns that say which of two rows with one key counts, without saying so."""
    table: Any = resource.compute_table_schema()
    columns: dict[str, Any] = table["columns"]
    return {name: {"dedup_sort": None} for name, each in columns.items() if "dedup_sort" in each}


def fitting(name: str) -> Callable[[Row], Row] | None:
    """Return what makes the rows of a resource fit its destination; None if nothing has to.

    Called while a pipeline extracts the resource.

    Raises:
        ConfigurationError: the resource is to be merged into plain files, or Iceberg tables.
    """
    import dlt  # noqa: PLC0415 - slow to import

    try:
        dlt.current.load_package_state()
        pipeline, resource = dlt.current.pipeline(), dlt.current.source().resources[name]
    except Exception:  # noqa: BLE001 - dlt has no way to ask: the resource is just iterated
        return None
    destination: Any = pipeline.destination
    if destination is None or destination.destination_type != _FILES:
        return None
    if resource.write_disposition != "merge" and not isinstance(resource.write_disposition, dict):
        return None
    table_format = resource.compute_table_schema().get("table_format")
    if table_format == "delta":
        return _with_lists_as_json
    if table_format == "iceberg":
        # apache/iceberg-python#2467
        why = "fails in Iceberg tables, with all loads after it, once rows have a new column"
    else:
        why = "plain files cannot do: rows that change would be there twice"
    message = (
        f"{name} is merged on its key, which {why}.\n"
        "  Use tables that can be merged into: --table-format delta,\n"
        '      in Python resource.apply_hints(table_format="delta");\n'
        "  or keep each version of a row: --write append;\n"
        "  or read everything at each load: --write replace."
    )
    raise ConfigurationError(message)


def fitted(name: str) -> Callable[[Row], Row]:
    """Return a step that makes the rows of a resource fit, as `fitting` finds at the first of them.

    Raises:
        ConfigurationError: by the step, at the first row: it is to be merged into plain files.
    """
    found: list[Callable[[Row], Row] | None] = []

    def step(row: Row) -> Row:
        if not found:
            found.append(fitting(name))
        return found[0](row) if found[0] else row

    return step


def _with_lists_as_json(row: Row) -> Row:
    """Return a row whose lists are texts of JSON: then no rows below it can be left over."""
    return {name: _without_lists(value) for name, value in row.items()}


def _without_lists(value: Any) -> Any:
    if isinstance(value, dict):
        members: Row = value  # pyright: ignore[reportUnknownVariableType]
        return _with_lists_as_json(members)
    if isinstance(value, list):
        from dlt.common.json import json  # noqa: PLC0415 - slow to import

        return json.dumps(value)
    return value
