"""Where a platform is loaded to, and whose turn it is to write there.

Several runs may load into the same tables at once: months beside each other, and beside them the
load of the hour. A DuckDB file has one writer, and elsewhere dlt merges by way of tables which all
pipelines of a dataset share: two at once would lose rows. So they take turns, by a lock in a file.
The lock holds on this machine; for more machines, Dagster's pools do the same (docs/dagster.md).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from opsnest.destinations import destination_of
from opsnest.loading import PLATFORMS
from opsnest.one_run import held

if TYPE_CHECKING:
    from dlt import Pipeline, Schema
    from dlt.common.destination import Destination
    from dlt.extract import DltSource

__all__ = ["Place", "Source", "adopt", "is_at_odds", "stored_schema", "turn"]

#: Makes the source of a platform; it is called with `between=...` for a span of time.
Source = Callable[..., "DltSource"]

_DUCKDB: Final = "dlt.destinations.duckdb"
#: What belongs to the months is kept apart, where `opsnest status` does not take it for pipelines.
_MONTHS: Final = "opsnest_by_month"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A platform, and where it is loaded to.

    Attributes:
        platform: its name on the command line.
        destination: a destination of dlt, or the name of one.
        source: makes its source.
        folder: where dlt keeps its pipelines; None for its own folder.
    """

    platform: str
    destination: str | Destination[Any, Any]
    source: Source
    folder: Path | None = None

    @property
    def dataset(self) -> str:
        """The dataset that it is loaded into."""
        return PLATFORMS[self.platform][2]

    @property
    def kind(self) -> str:
        """The name of the destination, such as `duckdb`."""
        if isinstance(self.destination, str):
            return self.destination
        return self.destination.destination_type.rpartition(".")[2]

    @property
    def pipelines(self) -> Path:
        """The folder with the records of the pipelines."""
        from dlt.common.pipeline import get_dlt_pipelines_dir  # noqa: PLC0415 - slow to import

        return self.folder or Path(get_dlt_pipelines_dir())

    def pipeline(self) -> Pipeline:
        """Return the pipeline that loads what has changed."""
        made = self._destination()
        return self._pipeline(PLATFORMS[self.platform][1], made, self.pipelines)

    def pipeline_of(self, month: str) -> Pipeline:
        """Return the pipeline of one month, which knows nothing of the others.

        Args:
            month: the key of the partition, such as `2026-06-01`.
        """
        name = f"{PLATFORMS[self.platform][1]}_{month.replace('-', '_')}"
        made = self._pipeline(name, self._same_file(), self.pipelines.parent / _MONTHS)
        # nothing is remembered of a month: dlt would look for it there, and wipe what was read
        made.config.restore_from_destination = False
        return made

    def _pipeline(self, name: str, made: Destination[Any, Any], folder: Path) -> Pipeline:
        import dlt  # noqa: PLC0415 - slow to import

        return dlt.pipeline(
            pipeline_name=name,
            destination=made,
            dataset_name=self.dataset,
            pipelines_dir=str(folder),
        )

    def _destination(self) -> Destination[Any, Any]:
        if isinstance(self.destination, str):
            return destination_of(self.destination)
        return self.destination

    def _same_file(self) -> Destination[Any, Any]:
        """Return the destination; dlt would name a DuckDB file after the pipeline of the month."""
        import dlt  # noqa: PLC0415 - slow to import

        made = self._destination()
        if made.destination_type != _DUCKDB:
            return made
        return dlt.destinations.duckdb(str(_duckdb_file(self.pipeline())))


def _duckdb_file(pipeline: Pipeline) -> Path | None:
    """Return the file that a pipeline loads into; None if that is no DuckDB."""
    if pipeline.destination.destination_type != _DUCKDB:
        return None
    client: Any = pipeline.destination_client()
    return Path(client.config.credentials.database).absolute()


@contextmanager
def turn(pipeline: Pipeline) -> Generator[None]:
    """Wait until no other run of this machine writes where a pipeline writes; hold the place."""
    file = _duckdb_file(pipeline)
    if file is not None:
        lock = file.with_name(f".{file.name}.lock")
    else:
        folder = Path(pipeline.pipelines_dir).parent / _MONTHS
        where = pipeline.destination.destination_name
        name = hashlib.sha256(f"{where}/{pipeline.dataset_name}".encode()).hexdigest()[:16]
        lock = folder / f".{name}.lock"
    with held(lock, str(file or pipeline.dataset_name)):
        yield


def stored_schema(pipeline: Pipeline, name: str) -> Schema | None:
    """Return the newest schema of this name at the destination; None if there is none yet."""
    from dlt.common.destination.client import WithStateSync  # noqa: PLC0415
    from dlt.common.destination.exceptions import (  # noqa: PLC0415 - slow to import
        DestinationUndefinedEntity,
    )
    from dlt.common.schema import Schema  # noqa: PLC0415

    with pipeline.destination_client() as client:
        if not isinstance(client, WithStateSync):
            return None
        try:
            found = client.get_stored_schema(name)
        except DestinationUndefinedEntity:
            return None
    return Schema.from_dict(json.loads(found.schema)) if found else None


def adopt(pipeline: Pipeline, stored: Schema | None) -> None:
    """Let a pipeline know the columns that others have made, so that it does not guess their types.

    Types are inferred from the first values. Of two pipelines that see different values first, one
    might take for a whole number what is a fraction for the other.
    """
    if stored is None:
        return
    if stored.name not in pipeline.schemas:
        pipeline.schemas.save_schema(stored)
        return
    known = pipeline.schemas[stored.name]
    if known.version_hash != stored.version_hash:
        known.update_schema(stored)
        pipeline.schemas.save_schema(known)


def is_at_odds(pipeline: Pipeline, stored: Schema | None) -> bool:
    """Tell whether a pipeline takes a column for another type than the destination has it in."""
    if stored is None or stored.name not in pipeline.schemas:
        return False
    known = pipeline.schemas[stored.name]
    for name in stored.data_table_names():
        ours = known.get_table_columns(name) if name in known.tables else {}
        for column, theirs in stored.get_table_columns(name).items():
            kinds = (theirs.get("data_type"), ours.get(column, {}).get("data_type"))
            if all(kinds) and kinds[0] != kinds[1]:
                return True
    return False
