"""Jobs that had begun when a load was cut off: which of them the destination has already.

dlt writes down that a job is done after the destination has committed it. A load that is killed in
between would run the job again, and its rows would be there twice. So before dlt goes on, the first
row of each such job is looked for by its `_dlt_id`, which no two rows share: a job is one
transaction, so where one row is, all are.
"""

from __future__ import annotations

import logging
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from opsnest.connecting import connected

if TYPE_CHECKING:
    from dlt import Pipeline
    from dlt.common.schema import Schema

__all__ = ["EXACTLY_ONCE", "settle_begun_jobs"]

log = logging.getLogger("opsnest")

#: Destinations where a job is one transaction.
EXACTLY_ONCE: Final = frozenset({"dlt.destinations.duckdb", "dlt.destinations.postgres"})


def settle_begun_jobs(pipeline: Pipeline) -> int:
    """Tell dlt which jobs of a load that was cut off are done, and return how many they are.

    Raises:
        DestinationError: the destination cannot be reached.
    """
    destination: Any = pipeline.destination
    if destination is None or destination.destination_type not in EXACTLY_ONCE:
        return 0
    found = 0
    for load_id in pipeline.list_normalized_load_packages():
        jobs = pipeline.get_load_package_info(load_id).jobs
        if jobs["started_jobs"]:
            found += _settle(pipeline, load_id, [job.file_path for job in jobs["started_jobs"]])
        elif jobs["completed_jobs"] and not jobs["new_jobs"]:
            _forget_completion(pipeline, load_id)
    if found:
        log.info("%s: %d jobs had been loaded when it was cut off.", pipeline.pipeline_name, found)
    return found


def _settle(pipeline: Pipeline, load_id: str, paths: list[str]) -> int:
    from dlt.common.storages.load_package import ParsedLoadJobFileName  # noqa: PLC0415 - slow

    packages = _packages(pipeline)
    schema = packages.load_schema(load_id)
    found = 0
    with connected(pipeline, schema.name) as client:
        for path in paths:
            file, job = Path(path).name, ParsedLoadJobFileName.parse(path)
            if packages.load_pending_transition(load_id, file) is not None:
                continue
            if _is_loaded(client, schema, job.table_name, path):
                packages.save_pending_transition(load_id, file, "completed")
                found += 1
    return found


def _packages(pipeline: Pipeline) -> Any:
    """Return what has been normalised and not loaded; dlt has no public way to it."""
    return pipeline._get_load_storage().normalized_packages  # pyright: ignore[reportPrivateUsage]


def _is_loaded(client: Any, schema: Schema, table: str, path: str) -> bool:
    """Tell whether the rows of a job are where it writes them, by the first of them."""
    from dlt.destinations.exceptions import DatabaseUndefinedRelation  # noqa: PLC0415 - slow

    column = schema.naming.normalize_identifier("_dlt_id")
    apart = client.should_load_data_to_staging_dataset(table)
    with client.with_staging_dataset() if apart else nullcontext():
        row_id = _first_id(client.sql_client, column, path)
        if row_id is None:
            return False
        name = client.sql_client.make_qualified_table_name(table)
        quoted = client.sql_client.escape_column_name(column)
        query = f"SELECT 1 FROM {name} WHERE {quoted} = %s LIMIT 1"  # noqa: S608 - names are quoted
        try:
            return bool(client.sql_client.execute_sql(query, row_id))
        except DatabaseUndefinedRelation:
            return False


def _first_id(sql: Any, column: str, path: str) -> str | None:
    """Return what identifies the first row in the file of a job; None if nothing does."""
    match Path(path).suffixes[-1]:
        case ".parquet":
            return _first_in_parquet(column, path)
        case ".insert_values" | ".gz":
            return _first_in_inserts(sql, column, path)
        case _:
            return None


def _first_in_parquet(column: str, path: str) -> str | None:
    from pyarrow import parquet  # noqa: PLC0415 - slow to import

    file: Any = parquet.ParquetFile(path)
    if column not in file.schema_arrow.names:
        return None
    for batch in file.iter_batches(batch_size=1, columns=[column]):
        first: str = batch.column(0)[0].as_py()
        return first
    return None


def _first_in_inserts(sql: Any, column: str, path: str) -> str | None:
    """Let the database read the first row, as it is the one that knows how it is written."""
    from dlt.common.storages import FileStorage  # noqa: PLC0415 - slow to import

    with FileStorage.open_zipsafe_ro(path, "r", encoding="utf-8") as file:
        head, values, row = (file.readline().rstrip("\n") for _ in range(3))
    name = sql.escape_column_name(column)
    if not head.startswith("INSERT INTO {}(") or values != "VALUES" or name not in head:
        return None
    columns = head.removeprefix("INSERT INTO {}")
    # what dlt has made to be executed as it is
    query = f"SELECT {name} FROM (VALUES {row[:-1]}) AS first_row{columns}"  # noqa: S608
    first: str = sql.execute_sql(query)[0][0]
    return first


def _forget_completion(pipeline: Pipeline, load_id: str) -> None:
    """Take a load off dlt's list of loads: dlt is about to add it, whether it is there or not."""
    from dlt.destinations.exceptions import DatabaseUndefinedRelation  # noqa: PLC0415 - slow

    schema = _packages(pipeline).load_schema(load_id)
    with connected(pipeline, schema.name) as client:
        sql = client.sql_client
        name = sql.make_qualified_table_name(schema.loads_table_name)
        column = sql.escape_column_name(schema.naming.normalize_identifier("load_id"))
        with suppress(DatabaseUndefinedRelation):  # the destination is gone, as dlt will see
            sql.execute_sql(f"DELETE FROM {name} WHERE {column} = %s", load_id)  # noqa: S608
