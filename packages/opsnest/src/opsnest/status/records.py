"""What dlt wrote down where a pipeline ran: its state, its last trace, its load packages."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from opsnest.json_values import is_object
from opsnest.one_run import is_running
from opsnest.secret_scan import mask

if TYPE_CHECKING:
    from dlt.pipeline.trace import PipelineTrace

__all__ = ["Failure", "Records", "known_pipelines", "one_line", "read_records"]

#: Load packages that are looked through for the last one of each table, newest first.
_PACKAGES: Final = 500
_LONGEST: Final = 400
_STATE: Final = "load_package_state.json"


@dataclass(frozen=True, slots=True)
class Failure:
    """What ended a run.

    Attributes:
        at: when.
        step: the step of dlt that failed: `extract`, `normalize` or `load`.
        why: what was said, on one line, without secrets.
    """

    at: datetime
    step: str
    why: str


@dataclass(slots=True, kw_only=True)
class Records:
    """What is known of a pipeline where it ran.

    Attributes:
        name: the name of the pipeline.
        destination: the name of its destination, if it has ever had one.
        dataset: the name of its dataset, likewise.
        schemas: the schemas that it loads.
        settings: the folder that it was last run in.
        ran: when a run last ended, well or not.
        succeeded: when a run last ended well, also if there was nothing new; as far back as the
            last trace goes.
        failure: what ended the last run, if it failed.
        rows: rows that the last run wrote, by table, without those of child tables and dlt's own.
        pending: when the packages were made that are not loaded yet.
        failed_jobs: what was said of files that the destination refused for good.
        tables: when each table was last written, as far as packages are kept.
        location: where the last load wrote, as dlt shows it, without secrets.
        running: whether a load of it runs just now, as far as its lock tells.
    """

    name: str
    destination: str | None = None
    dataset: str | None = None
    schemas: tuple[str, ...] = ()
    settings: str | None = None
    ran: datetime | None = None
    succeeded: datetime | None = None
    failure: Failure | None = None
    rows: Mapping[str, int] = field(default_factory=dict[str, int])
    pending: tuple[datetime, ...] = ()
    failed_jobs: tuple[str, ...] = ()
    tables: Mapping[str, datetime | None] = field(default_factory=dict[str, "datetime | None"])
    location: str | None = None
    running: bool = False


def known_pipelines(folder: Path) -> list[str]:
    """Return the names of the pipelines that have run, sorted."""
    if not folder.is_dir():
        return []
    return sorted(each.name for each in folder.iterdir() if (each / "state.json").is_file())


def read_records(folder: Path, name: str) -> Records:
    """Return what is known of a pipeline, whether it has ever run or not.

    Args:
        folder: the folder of dlt's records of all pipelines.
        name: the name of the pipeline.
    """
    home = folder / name
    records = Records(name=name)
    state = _json(home / "state.json")
    kind = state.get("destination_type")
    if kind:
        records.destination = str(state.get("destination_name") or str(kind).rpartition(".")[2])
    records.dataset = state.get("dataset_name")
    records.schemas = tuple(state.get("schema_names") or ())
    # before the first good run there is no such context
    records.settings = _member(_member(state, "_local"), "last_run_context").get("run_dir")
    trace = _trace(home / "trace.pickle")
    if trace is not None:
        _read_trace(records, trace)
    waiting = [*_packages(home / "normalize/extracted"), *_packages(home / "load/normalized")]
    # those that are to be thrown away at the next load do not wait
    waiting = [each for each in waiting if not _json(each / _STATE).get("abort_requested")]
    loaded = _packages(home / "load/loaded")
    records.pending = tuple(sorted(_time_of(each.name) for each in waiting))
    records.failed_jobs = tuple(_refused([*waiting, *loaded[:1]]))
    records.tables = _tables(home, loaded)
    if records.succeeded is None and loaded:
        records.succeeded = _completed(loaded)
    records.running = bool(waiting) and (
        is_running(folder, name) or _is_held(folder / f"{name}.lock")
    )
    return records


def one_line(text: str) -> str:
    """Return a message on one line, not too long, without secrets."""
    line = str(mask(" ".join(text.split())))
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."


def _read_trace(records: Records, trace: PipelineTrace) -> None:
    for step in trace.steps:  # in the order in which they ended
        at = step.finished_at.astimezone(UTC)
        if step.step_exception:
            # `run` repeats what the step within it said
            records.failure = records.failure or Failure(at, step.step, _why(step))
            records.ran = at
        elif step.step in {"normalize", "load"}:
            # dlt normalises only what was extracted without a fault, and `run` says nothing where
            # there was nothing to do
            records.failure, records.ran, records.succeeded = None, at, at
    info = trace.last_load_info
    if info is not None:
        shown: str | None = info.destination_displayable_credentials
        records.location = str(mask(shown)) if shown else None
    normalized = trace.last_normalize_info
    if normalized is not None and records.failure is None:
        records.rows = {
            table: count
            for table, count in normalized.row_counts.items()
            if "__" not in table and not table.startswith("_")
        }


def _why(step: Any) -> str:
    """Return what a fault says of itself: ours if there is one in the chain, else the first."""
    traces: list[Any] = step.exception_traces or []
    ours = [each for each in traces if str(each.get("exception_type", "")).startswith("opsnest.")]
    if ours:
        return one_line(str(ours[-1].get("message")))
    if any(str(each.get("exception_type")).endswith("KeyboardInterrupt") for each in traces):
        return "it was interrupted"
    return one_line(str(traces[-1].get("message")) if traces else str(step.step_exception))


def _trace(path: Path) -> PipelineTrace | None:
    """Return the last trace; None if there is none, or another dlt wrote it."""
    try:
        with path.open("rb") as file:
            trace: PipelineTrace = pickle.load(file)  # noqa: S301 - dlt's own, as it does itself
            trace.steps  # noqa: B018 - of another dlt it may be anything
            return trace
    except Exception:  # noqa: BLE001 - whatever a pickle of another version raises
        return None


def _json(path: Path) -> dict[str, Any]:
    try:
        value: object = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return {}
    return value if is_object(value) else {}


def _member(value: Mapping[str, Any], name: str) -> dict[str, Any]:
    member = value.get(name)
    return member if is_object(member) else {}


def _packages(folder: Path) -> list[Path]:
    """Return the load packages in a folder, newest first: their names are times."""
    if not folder.is_dir():
        return []
    found = [each for each in folder.iterdir() if each.is_dir() and _is_number(each.name)]
    return sorted(found, key=lambda each: float(each.name), reverse=True)


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdecimal()


def _time_of(load_id: str) -> datetime:
    return datetime.fromtimestamp(float(load_id), UTC)


def _completed(loaded: list[Path]) -> datetime | None:
    """Return when the newest package was loaded, where no trace tells."""
    marker = loaded[0] / "package_completed.json"
    if not marker.exists():
        return None
    return datetime.fromtimestamp(marker.stat().st_mtime, UTC)


def _refused(packages: list[Path]) -> Iterator[str]:
    """Yield what was said of the files of packages that were refused for good."""
    for package in packages:
        failed = package / "failed_jobs"
        for path in sorted(failed.iterdir()) if failed.is_dir() else ():
            if path.suffix == ".exception":
                message = path.read_text(encoding="utf-8", errors="replace")
                yield f"{path.name.partition('.')[0]}: {one_line(message)}"


def _tables(home: Path, loaded: list[Path]) -> dict[str, datetime | None]:
    """Return when each table was last written, None where no package tells any more."""
    roots = {
        name
        for path in (home / "schemas").glob("*.schema.json")
        for name, table in _member(_json(path), "tables").items()
        if "parent" not in table and not name.startswith("_") and table.get("columns")
    }
    written: dict[str, datetime | None] = dict.fromkeys(sorted(roots))
    missing = set(roots)
    for package in loaded[:_PACKAGES]:
        if not missing:
            break
        done = package / "completed_jobs"
        jobs = list(done.iterdir()) if done.is_dir() else []
        names = {job.name.partition(".")[0] for job in jobs}
        for name in missing & names:
            written[name] = _time_of(package.name)
        missing -= names
    return written


def _is_held(lock: Path) -> bool:
    """Tell whether a load runs that cron, systemd or whoever else locks it has started."""
    try:
        import fcntl  # noqa: PLC0415 - not on Windows, where nothing locks it either

        with lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except (ImportError, FileNotFoundError):
        return False
    except OSError:
        return True
    return False
