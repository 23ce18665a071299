"""Finding pipelines, and reading what they loaded where they wrote it, without writing there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from opsnest.errors import ConfigurationError

if TYPE_CHECKING:
    from dlt import Pipeline

__all__ = ["DEMO", "attach", "existing", "folder_of", "pipelines_in", "where_it_wrote"]

#: Where `opsnest demo` keeps its pipelines, unless it is given another database.
DEMO: Final = Path(".opsnest_demo/opsnest_demo.duckdb")
_DUCKDB: Final = "dlt.destinations.duckdb"
_FILE: Final = "duckdb:///"


def folder_of(pipelines_dir: Path | None = None, *, demo: bool = False) -> Path:
    """Return the folder in which dlt keeps pipelines: that which is given, or its own.

    Raises:
        ConfigurationError: the demo is wanted, and it has not been run here.
    """
    if demo:
        if not DEMO.is_dir():
            message = (
                f"there is no demo here: {DEMO} is missing.\n"
                "  Load it first: opsnest demo; or go where that was done."
            )
            raise ConfigurationError(message)
        return DEMO.absolute()
    if pipelines_dir is not None:
        return pipelines_dir.absolute()

    from dlt.common.pipeline import get_dlt_pipelines_dir  # noqa: PLC0415 - slow to import

    return Path(get_dlt_pipelines_dir())


def pipelines_in(folder: Path) -> list[str]:
    """Return the names of the pipelines that have run, sorted."""
    if not folder.is_dir():
        return []
    return sorted(each.parent.name for each in folder.glob("*/state.json"))


def existing(name: str, folder: Path, *, platform: str | None = None) -> str:
    """Return the name of a pipeline, if it is one.

    Args:
        name: the name.
        folder: where dlt keeps the pipelines.
        platform: the platform that it is the pipeline of, to say how it is loaded.

    Raises:
        ConfigurationError: there is no such pipeline.
    """
    names = pipelines_in(folder)
    if name in names:  # a name that is a path is none of them
        return name
    lines = [f"there is no pipeline {name!r} in {folder}."]
    lines.append(f"  Known: {', '.join(names) or 'none; a first load makes one'}.")
    if platform:
        lines.append(f"  To load it: opsnest load {platform}")
    if DEMO.is_dir() and folder != DEMO.absolute():
        lines.append("  The demo, which was loaded here, is shown by --demo.")
    raise ConfigurationError("\n".join(lines))


def attach(name: str, folder: Path) -> Pipeline:
    """Return a pipeline that has run, so that it is read where it wrote.

    dlt knows the destination of a pipeline again, but not a DuckDB file that was named in Python,
    as the demo does: it would make an empty file elsewhere. The file is opened for reading, so that
    others may do so too.

    Args:
        name: the name of the pipeline.
        folder: where dlt keeps the pipelines.
    """
    import dlt  # noqa: PLC0415 - slow to import

    return where_it_wrote(dlt.attach(name, pipelines_dir=str(folder)))


def where_it_wrote(pipeline: Pipeline) -> Pipeline:
    """Let a pipeline read the DuckDB file that it last wrote, and return it."""
    import dlt  # noqa: PLC0415 - slow to import
    from dlt.destinations.impl.duckdb.configuration import DuckDbCredentials  # noqa: PLC0415

    destination: Any = pipeline.destination
    if destination is None or destination.destination_type != _DUCKDB:
        return pipeline
    file = _recorded(pipeline) or _configured(pipeline)
    if file is not None:
        credentials = DuckDbCredentials(str(file), read_only=True)
        name: str = destination.destination_name
        reading: Any = dlt.destinations.duckdb(credentials, destination_name=name)
        pipeline.destination = reading
    return pipeline


def _recorded(pipeline: Pipeline) -> Path | None:
    """Return the file that the last load wrote, if it is still there."""
    trace = pipeline.last_trace
    info = trace.last_load_info if trace else None
    shown: str = (info.destination_displayable_credentials if info else None) or ""
    return _file(shown.removeprefix(_FILE)) if shown.startswith(_FILE) else None


def _configured(pipeline: Pipeline) -> Path | None:
    """Return the file that dlt would open, if it is there."""
    client: Any = pipeline.destination_client()  # opens nothing yet
    return _file(str(client.config.credentials.database))


def _file(path: str) -> Path | None:
    return Path(path) if path and Path(path).is_file() else None
