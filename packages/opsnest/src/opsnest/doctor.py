"""Check a destination before a load: what is missing, and what to do about it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from opsnest.destinations import TableFormat, destination_of, missing_packages
from opsnest.errors import ConfigurationError, DestinationError
from opsnest.explain import explain
from opsnest.secret_scan import mask

if TYPE_CHECKING:
    from dlt import Pipeline
    from dlt.extract import DltSource

__all__ = ["Check", "check_destination"]

#: What is loaded: a row with something of all that the sources have.
_ROW: Final = {"id": 1, "at": "2026-01-01T00:00:00Z", "items": [{"name": "x"}], "text": ""}
_TABLE: Final = "probe"
_NAME: Final = "opsnest_doctor"


@dataclass(frozen=True, slots=True)
class Check:
    """What came of looking at one thing.

    Attributes:
        what: what was looked at.
        is_well: whether it is as it has to be.
        found: what was found; where it is not well, with what to do.
    """

    what: str
    is_well: bool
    found: str


def check_destination(name: str, *, table_format: TableFormat | None = None) -> Iterator[Check]:
    """Yield check after check, up to the first that is not well.

    Tables are made, loaded, merged into, read and dropped in a dataset of their own: nothing of the
    user's is touched.

    Args:
        name: the destination.
        table_format: the format of tables in files.
    """
    packages = _tried("packages", lambda: _packages(name, table_format))
    yield packages
    if not packages.is_well:
        return
    with TemporaryDirectory(prefix="opsnest-doctor-") as folder, _probing(name, folder) as probe:
        merges = name != "filesystem" or table_format == "delta"
        steps: dict[str, Callable[[], str]] = {
            "settings": lambda: _settings(probe),
            "write": lambda: _write(probe, table_format),
            "merge": lambda: _merge(probe, table_format) if merges else _NO_MERGE,
            "read": lambda: _read(probe),
        }
        for what, step in steps.items():
            check = _tried(what, step)
            yield check
            if not check.is_well:
                return


def _tried(what: str, step: Callable[[], str]) -> Check:
    """Return what came of a step."""
    try:
        return Check(what, is_well=True, found=step())
    except Exception as fault:  # noqa: BLE001 - each driver fails in its own way, all are told
        return Check(what, is_well=False, found=str(mask(str(explain(fault) or _cause(fault)))))


def _cause(fault: BaseException) -> str:
    while fault.__cause__ is not None:
        fault = fault.__cause__
    return f"{type(fault).__name__}: {str(fault).strip().partition(chr(10))[0]}"


@contextmanager
def _probing(name: str, folder: str) -> Generator[Pipeline]:
    """Yield a pipeline with a dataset of its own, which is dropped in the end."""
    import dlt  # noqa: PLC0415 - slow to import

    file = Path(f"{_NAME}.duckdb")  # where dlt puts a database that nobody named
    is_new = not file.exists()
    probe = dlt.pipeline(
        _NAME,
        destination=destination_of(name),
        dataset_name=f"{_NAME}_{uuid.uuid4().hex[:8]}",
        pipelines_dir=str(Path(folder) / "pipelines"),
    )
    probe.config.restore_from_destination = False
    try:
        yield probe
    finally:
        # what could not be made need not be dropped, and the checks have told why
        with suppress(Exception), probe.destination_client() as client:
            client.drop_storage()
        probe.deactivate()
        if is_new:
            file.unlink(missing_ok=True)


def _packages(name: str, table_format: TableFormat | None) -> str:
    destination_of(name, table_format=table_format)
    return "all there"


def _settings(probe: Pipeline) -> str:
    """Look for credentials and for a place, and say where data would go.

    Raises:
        ConfigurationError: what reaches that place is not installed.
    """
    config: Any = probe.destination_client().config
    url = str(getattr(config, "bucket_url", "") or "")
    for needed in missing_packages("", url=url):
        message = f"{url} needs {needed.modules[0]}: pip install 'opsnest[{needed.extra}]'"
        raise ConfigurationError(message)
    return f"data would go to {config}"


def _write(probe: Pipeline, table_format: TableFormat | None) -> str:
    from restarrow.dlt import report  # noqa: PLC0415 - slow to import

    probe.run(_source(table_format, write_disposition="append"))
    lanes = report()[_TABLE].lanes.get(_TABLE, {})
    slow = next((lane for lane in lanes if lane.startswith("dlt: ")), None)
    if slow:
        return f"a table was made and loaded, by dlt's own path: {slow.removeprefix('dlt: ')}"
    return "a table was made and loaded, by the quick way"


_NO_MERGE: Final = (
    "not into plain files or Iceberg tables: use --table-format delta, --write append or"
    " --write replace"
)


def _merge(probe: Pipeline, table_format: TableFormat | None) -> str:
    strategy = {"disposition": "merge", "strategy": "upsert"} if table_format else "merge"
    probe.run(_source(table_format, write_disposition=strategy))
    return "a row was replaced"


def _source(table_format: TableFormat | None, **hints: Any) -> DltSource:
    import dlt  # noqa: PLC0415 - slow to import

    from restarrow.dlt import accelerate  # noqa: PLC0415

    row = {name: value for name, value in _ROW.items() if name != "items" or not table_format}
    if table_format:
        hints["table_format"] = table_format
    elif _is_files():
        hints["file_format"] = "parquet"

    # as the sources have it: without root keys from the first load on, nested tables cannot merge
    @dlt.source(name=_NAME, root_key=True)
    def probing() -> Iterator[Any]:
        yield accelerate(dlt.resource([[row]], name=_TABLE, primary_key="id", **hints))

    return probing()


def _is_files() -> bool:
    import dlt  # noqa: PLC0415 - slow to import

    destination: Any = dlt.current.pipeline().destination
    return str(destination.destination_type) == "dlt.destinations.filesystem"


def _read(probe: Pipeline) -> str:
    """Read the row that was loaded.

    Raises:
        DestinationError: it is not there, or there twice.
    """
    rows = probe.dataset()[_TABLE].select("id").fetchall()
    if rows != [(1,)]:
        message = f"of one row that was loaded, {len(rows)} are there"
        raise DestinationError(message)
    return "the row is there, once"
