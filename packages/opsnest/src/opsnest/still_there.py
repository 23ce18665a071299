"""Whether a destination still has what it had, when rows are loaded that were read for it.

dlt looks at the destination when a run begins. Where a file is removed or a backup is put back
while lists are read, it would load what has changed into what is there now, and note that all is
there. So the loads that a destination lists are noted before lists are read, and have to be there
when the rows are loaded, and after.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from opsnest.begun_jobs import EXACTLY_ONCE
from opsnest.connecting import DUCKDB, FILES, connected
from opsnest.errors import DestinationError

if TYPE_CHECKING:
    from dlt import Pipeline

__all__ = ["Loads", "loads_at", "removing_what_holds_nothing", "same_destination"]

#: The loads that a destination lists.
Loads = frozenset[str]

#: A DuckDB file begins with three headers, of 4096 bytes each, before there is room for any row.
_HEADERS: Final = 3 * 4096
#: What is in the first of them after its checksum.
_MAGIC: Final = slice(8, 12), b"DUCK"


def loads_at(pipeline: Pipeline) -> Loads:
    """Return the loads that the destination of a pipeline lists; none where it cannot be asked.

    Raises:
        DestinationError: it cannot be reached.
    """
    if not _is_asked(pipeline):
        return frozenset()
    with connected(pipeline) as client:
        return _listed(client)


@contextmanager
def same_destination(pipeline: Pipeline, before: Loads) -> Generator[None]:
    """Load in the block, into the destination that lists some loads and none that has lost them.

    A DuckDB file is held open meanwhile: where it is removed, all rows go its way, and not some of
    them into another file of its name.

    Args:
        pipeline: where it is loaded to.
        before: what the destination has listed when the rows were read.

    Raises:
        DestinationError: they are not there any more. The next load reads all lists whole.
    """
    if not _is_asked(pipeline):
        yield
        return
    with connected(pipeline) as client:
        there = _listed(client)
        if not before <= there:
            pipeline.drop()  # with the rows: they are what has changed since what is not there
            raise _gone(pipeline)
        yield
        there |= _listed(client)
    if not there <= loads_at(pipeline):
        with pipeline.managed_state() as state:
            state["sources"] = {}
        raise _gone(pipeline)


def _is_asked(pipeline: Pipeline) -> bool:
    destination: Any = pipeline.destination
    return destination is not None and destination.destination_type in {*EXACTLY_ONCE, FILES}


def _listed(client: Any) -> Loads:
    from dlt.common.destination.exceptions import DestinationUndefinedEntity  # noqa: PLC0415

    name = client.schema.loads_table_name
    try:
        if hasattr(client, "list_table_files"):
            return frozenset(Path(str(each)).name for each in client.list_table_files(name))
        sql = client.sql_client
        column = sql.escape_column_name(client.schema.naming.normalize_identifier("load_id"))
        query = f"SELECT {column} FROM {sql.make_qualified_table_name(name)}"  # noqa: S608 - names
        return frozenset(str(load_id) for (load_id,) in sql.execute_sql(query) or ())
    except (DestinationUndefinedEntity, FileNotFoundError):
        return frozenset()


def _gone(pipeline: Pipeline) -> DestinationError:
    return DestinationError(
        f"{pipeline.pipeline_name}: what the destination had when lists were read is not there any "
        "more:\n  it was removed, emptied or replaced meanwhile. What was read is thrown away.\n"
        "  Run it again: all lists are read whole."
    )


@contextmanager
def removing_what_holds_nothing(pipeline: Pipeline) -> Generator[None]:
    """Remove a DuckDB file that was begun on a full disk, as DuckDB would never open it again.

    Only where the block fails, and only a file that is shorter than the headers of a database: it
    cannot hold a row.
    """
    try:
        yield
    except Exception:
        destination: Any = pipeline.destination
        if destination is not None and destination.destination_type == DUCKDB:
            with suppress(Exception):  # what failed is to be told
                client: Any = pipeline.destination_client()
                _remove_beginning(Path(str(client.config.credentials.database)))
        raise


def _remove_beginning(file: Path) -> None:
    if file.with_name(f"{file.name}.wal").exists() or file.stat().st_size >= _HEADERS:
        return
    where, magic = _MAGIC
    found = file.read_bytes()
    if not found or found[where] == magic:
        file.unlink()
