"""The status of pipelines in words: a table for a terminal, lines for a log, JSON for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from opsnest.durations import ago
from opsnest.status.judging import Verdict

__all__ = ["as_json", "as_lines", "as_table", "tables_table"]

_STYLES: Final = {"ok": "green", "stale": "yellow", "pending": "yellow"}


def as_json(found: Sequence[Verdict], *, stale_after: timedelta, now: datetime) -> dict[str, Any]:
    """Return the status as what can be written as JSON. Times are UTC, in ISO 8601."""
    return {
        "checked_at": _iso(now),
        "stale_after_s": int(stale_after.total_seconds()),
        "healthy": all(each.state == "ok" for each in found),
        "pipelines": [_object(each) for each in found],
    }


def _object(verdict: Verdict) -> dict[str, Any]:
    records, failure = verdict.records, verdict.records.failure
    return {
        "pipeline": records.name,
        "state": verdict.state,
        "destination": records.destination,
        "dataset": records.dataset,
        "fresh_at": _iso(verdict.fresh),
        "last_run_at": _iso(records.ran),
        "last_good_run_at": _iso(records.succeeded),
        "last_load_at": _iso(verdict.place.loaded),
        "last_failure": None
        if failure is None
        else {"at": _iso(failure.at), "step": failure.step, "why": failure.why},
        "rows_of_last_run": dict(records.rows),
        "pending_since": [_iso(each) for each in records.pending],
        "failed_jobs": list(records.failed_jobs),
        "tables": {name: _iso(at) for name, at in records.tables.items()},
        "problems": list(verdict.problems),
        "notes": list(verdict.notes),
    }


def as_lines(found: Sequence[Verdict], *, now: datetime) -> Iterator[str]:
    """Yield a line for each pipeline, and one below it for each thing to know of it."""
    for verdict in found:
        records = verdict.records
        yield "  ".join(
            [
                f"{records.name}: {verdict.state}",
                f"last good run {_when(verdict.fresh, now)}",
                f"last load {_when(verdict.place.loaded, now)}",
                _rows(sum(records.rows.values())),
                _where(verdict),
            ]
        )
        yield from (f"  {each}" for each in (*verdict.problems, *verdict.notes))


def as_table(found: Sequence[Verdict], *, now: datetime) -> Table:
    """Return a table of pipelines, the state of each in colour."""
    table = Table(box=None, header_style="dim", title_justify="left")
    for column in ("pipeline", "state", "last good run", "last load", "rows", "destination", ""):
        table.add_column(column, justify="right" if column == "rows" else "left", overflow="fold")
    for verdict in found:
        rows = verdict.records.rows
        table.add_row(
            Text(verdict.records.name),
            Text(verdict.state, style=_STYLES.get(verdict.state, "red")),
            Text(_when(verdict.fresh, now)),
            Text(_when(verdict.place.loaded, now)),
            f"{sum(rows.values()):,}",
            Text(_where(verdict)),
            Text("\n".join([*verdict.problems, *verdict.notes])),
        )
    return table


def tables_table(found: Sequence[Verdict], *, now: datetime) -> Iterator[str]:
    """Yield a line for each table of each pipeline, with when it was last written."""
    for verdict in found:
        for name, at in verdict.records.tables.items():
            rows = _rows(verdict.records.rows.get(name, 0))
            yield f"{verdict.records.name}  {name}  {_when(at, now)}  {rows} in the last run"


def _rows(number: int) -> str:
    return f"{number:,} row{'' if number == 1 else 's'}"


def _where(verdict: Verdict) -> str:
    records = verdict.records
    return f"{records.destination}: {records.dataset}" if records.destination else "nowhere yet"


def _when(at: datetime | None, now: datetime) -> str:
    return f"{_iso(at)} ({ago(now - at)})" if at else "never"


def _iso(at: datetime | None) -> str | None:
    return None if at is None else f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
