"""What dlt wrote down at the destination: the loads that were completed there."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from opsnest.connecting import secrets_of
from opsnest.errors import ConfigurationError
from opsnest.explain import explain
from opsnest.status.records import Records, one_line

if TYPE_CHECKING:
    from dlt import Pipeline

__all__ = ["Place", "look_at"]

_VARIABLE: Final = re.compile(r"environment variable (\w+)")
_FILE: Final = re.compile(r"__(\d+(?:\.\d+)?)\.jsonl$")


@dataclass(frozen=True, slots=True)
class Place:
    """What a destination says of the loads of a pipeline.

    Attributes:
        loaded: when the last one was completed; None if none was, or nobody can tell.
        problem: why it could not be asked.
        locked: whether another program keeps it to itself, as a load that runs does.
        missing: whether there is no such database, or no such dataset in it.
    """

    loaded: datetime | None = None
    problem: str | None = None
    locked: bool = False
    missing: bool = False


def look_at(folder: Path, records: Records, *, here: bool) -> Place:
    """Return what the destination of a pipeline says of its loads, without changing anything.

    Args:
        folder: the folder of dlt's records of all pipelines.
        records: what is known of the pipeline: where it loads to.
        here: whether it has run here; else it is looked for at the destination alone.
    """
    from dlt.common.destination.exceptions import DestinationUndefinedEntity  # noqa: PLC0415
    from dlt.destinations.exceptions import DatabaseUndefinedRelation  # noqa: PLC0415

    secrets: list[str] = []
    try:
        with _pipeline(folder, records, here=here) as pipeline:
            return Place(loaded=_last_load(pipeline, records, secrets))
    except (DestinationUndefinedEntity, DatabaseUndefinedRelation, FileNotFoundError) as fault:
        return Place(missing=True, problem=_without(str(fault), secrets))
    except Exception as fault:  # noqa: BLE001 - each destination has exceptions of its own
        return Place(problem=_without(_said(fault, records), secrets), locked=_is_lock(fault))


@contextmanager
def _pipeline(folder: Path, records: Records, *, here: bool) -> Generator[Pipeline]:
    """Attach to a pipeline; to one that has not run here, in a folder that is thrown away."""
    import dlt  # noqa: PLC0415 - slow to import

    if here:
        pipeline = dlt.attach(records.name, pipelines_dir=str(folder))
        try:
            yield pipeline
        finally:
            pipeline.deactivate()
        return
    with tempfile.TemporaryDirectory() as nowhere:
        pipeline = dlt.pipeline(
            pipeline_name=records.name,
            pipelines_dir=nowhere,
            destination=records.destination,
            dataset_name=records.dataset or f"{records.name}_dataset",
        )
        try:
            yield pipeline
        finally:
            pipeline.deactivate()


def _last_load(pipeline: Pipeline, records: Records, secrets: list[str]) -> datetime | None:
    from dlt.destinations.job_client_impl import SqlJobClientBase  # noqa: PLC0415 - slow to import

    # makes the client, and opens nothing yet
    client: Any = pipeline.destination_client()
    secrets += secrets_of(client.config)
    if type(client).__name__ == "DuckDbClient":
        _read_only(client, records)
    if isinstance(client, SqlJobClientBase):
        return _from_table(client, records)
    if hasattr(client, "list_table_files"):
        return _from_files(client, records)
    return None


def _read_only(client: Any, records: Records) -> None:
    """Have a DuckDB file opened for reading: opened for writing, it would be made."""
    credentials = client.sql_client.credentials
    # a file that was named in Python is known from what the last load said
    shown = unquote((records.location or "").removeprefix("duckdb:///"))
    path = Path(str(credentials.database))
    if not path.is_file() and shown and Path(shown).is_file():
        path = Path(shown)
        credentials.database = shown
    if ":" not in path.name and not path.is_file():
        message = f"there is no DuckDB file {path}"
        raise FileNotFoundError(message)
    credentials.read_only = True


def _from_table(client: Any, records: Records) -> datetime | None:
    """Return when the last load was completed, as the table of loads has it."""
    with client.sql_client as sql:
        table = sql.make_qualified_table_name(client.schema.loads_table_name)
        normal = client.schema.naming.normalize_identifier
        time, status, schema = (
            sql.escape_column_name(normal(name))
            for name in ("inserted_at", "status", "schema_name")
        )
        query = f"SELECT max({time}) FROM {table} WHERE {status} = 0"  # noqa: S608 - names
        values = list(records.schemas)
        if values:
            query += f" AND {schema} IN ({', '.join(['%s'] * len(values))})"
        rows = sql.execute_sql(query, *values) or [(None,)]
    found: Any = rows[0][0]
    if isinstance(found, str):
        found = datetime.fromisoformat(found)
    if found is None:
        return None
    time_of: datetime = found if found.tzinfo else found.replace(tzinfo=UTC)
    return time_of.astimezone(UTC)


def _from_files(client: Any, records: Records) -> datetime | None:
    """Return when the last load was begun, as the names of the files of loads have it."""
    names = [str(each) for each in client.list_table_files(client.schema.loads_table_name)]
    times = [
        float(found[1])
        for name in names
        if (found := _FILE.search(name))
        and (not records.schemas or _stem(name, found) in records.schemas)
    ]
    return datetime.fromtimestamp(max(times), UTC) if times else None


def _stem(name: str, found: re.Match[str]) -> str:
    return re.split(r"[/\\]", name[: found.start()])[-1]


def _is_lock(fault: BaseException) -> bool:
    """Tell whether DuckDB says that another program has the file."""
    seen: BaseException | None = fault
    while seen is not None:
        if "IOException" in type(seen).__name__ and "lock" in str(seen):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def _said(fault: BaseException, records: Records) -> str:
    """Return why a destination cannot be asked, in a few words."""
    if _is_lock(fault):
        return "the DuckDB file is open in another program, which keeps it to itself"
    error = explain(fault)
    missing = _VARIABLE.findall(str(error)) if isinstance(error, ConfigurationError) else []
    if missing:
        where = f"; it was last run in {records.settings}" if records.settings else ""
        return f"settings are missing: {', '.join(missing)}{where}"
    if error is None:
        return f"{type(fault).__name__}: {fault}"
    return str(error)


def _without(text: str, secrets: list[str]) -> str:
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "[secret]")
    return one_line(text)
