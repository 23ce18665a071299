"""The demo: four simulated platforms, loaded into one DuckDB file, on this machine alone."""

from __future__ import annotations

import inspect
import json
import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dlt
import duckdb
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from opsnest import sources
from opsnest.errors import ConfigurationError
from opsnest.loading import PLATFORMS, load
from opsnest.progress import Progress

if TYPE_CHECKING:
    from opssim import Running, Simulator

__all__ = ["DATABASE", "run_demo", "serve", "simulators", "source_of"]

DATABASE = Path("opsnest_demo.duckdb")
#: Where the demo keeps dlt's working files, beside each database: not among those of the user's
#: own pipelines.
_STATE = ".opsnest_demo"
#: In there: the size of the demo, and the hours that have passed in it.
_PAST = "demo.json"
#: And the simulated Owlette, which is not made anew for each run.
_OWLETTE = "owlette.db"


@dataclass(frozen=True, slots=True)
class Question:
    """A query worth trying, and what it is about."""

    title: str
    sql: str


QUESTIONS: Sequence[Question] = (
    Question(
        "How long do incidents take, by severity?",
        """\
SELECT attributes__severity__data__attributes__name AS severity,
       count(*) AS incidents,
       round(median(date_diff('second', attributes__started_at, attributes__resolved_at)) / 60)
         AS median_minutes
FROM rootly_incident_management_data.incidents
WHERE attributes__resolved_at > attributes__started_at
  AND attributes__kind IN ('normal', 'normal_sub', 'backfilled')
GROUP BY ALL ORDER BY incidents DESC LIMIT 5""",
    ),
    Question(
        "How do test runs end, and how long do they take?",
        """\
SELECT test_type, count(*) AS runs,
       round(100 * avg((status = 'completed')::INT), 1) AS completed_percent,
       round(median(date_diff('second', "time", completion_time)) / 60, 1) AS median_minutes
FROM roost_data.events
WHERE completion_time IS NOT NULL
GROUP BY ALL ORDER BY runs DESC LIMIT 5""",
    ),
    Question(
        "Which bots fail most?",
        """\
SELECT file_name AS bot, count(*) AS runs,
       count(*) FILTER (status IN ('RUN_FAILED', 'DEPLOY_FAILED', 'RUN_TIMED_OUT')) AS failed,
       round(100.0 * failed / runs, 1) AS failed_percent
FROM cloud_bot_data.executions
WHERE end_date_time IS NOT NULL
GROUP BY ALL ORDER BY failed DESC, runs DESC LIMIT 5""",
    ),
    Question(
        "What was published to the machines?",
        """\
SELECT r.name AS roost, v.version_number AS version, v.total_files AS files, d.stage AS rollout
FROM owlette_data.versions v
JOIN owlette_data.roosts r USING (site_id, roost_id)
LEFT JOIN owlette_data.deployments d USING (site_id, roost_id, version_id)
ORDER BY r.name, v.version_number DESC LIMIT 5""",
    ),
)


def run_demo(console: Console, *, database: Path = DATABASE, incidents: int = 1000) -> None:
    """Load the four platforms and show what came.

    The first run loads everything. Before each later one the simulated platforms live on for an
    hour, and only what changed is loaded.

    Args:
        console: where to show it.
        database: the DuckDB file, kept for the next run.
        incidents: the size of the largest list; the others are in proportion.

    Raises:
        ConfigurationError: the simulators are not installed, or the database holds a demo of
            another size or has a name that DuckDB cannot take.
    """
    os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")
    os.environ.setdefault("RUNTIME__LOG_LEVEL", "CRITICAL")
    if database.stem in {dataset for _, _, dataset in PLATFORMS.values()}:
        message = (
            f"{database} is named like the schema {database.stem} in it: DuckDB confuses the two.\n"
            "  Give --database another name."
        )
        raise ConfigurationError(message)
    made = simulators(incidents)
    state = database.resolve().parent / _STATE / database.name
    if not database.exists():
        shutil.rmtree(state, ignore_errors=True)  # what it remembers was in the file
    hours = _hours_before(state, database, incidents)
    platforms = made(state)
    console.print("[bold]Four platforms, simulated on this machine, into one DuckDB file[/]\n")
    progress = Progress(console)
    began = time.monotonic()
    with ExitStack() as stack:
        running = {
            name: stack.enter_context(serve(simulator)) for name, simulator in platforms.items()
        }
        for each in running.values():
            _live_on(each.simulator, hours=hours)
        stack.enter_context(progress.showing())
        for name, simulated in running.items():
            with progress.platform(name) as collector:
                pipeline = _pipeline(name, database, state)
                pipeline.collector = collector
                load(pipeline, source_of(name, simulated.configuration))
        _remember(state, incidents, hours + 1)
    seconds = time.monotonic() - began
    with duckdb.connect(str(database), read_only=True) as connection:
        _show_tables(console, connection, progress)
        _show_answers(console, connection)
    _show_next(console, database, seconds, first=hours == 0)


def simulators(incidents: int) -> Callable[[Path], dict[str, Simulator]]:
    """Return what makes the simulators, given where the demo keeps its files.

    Raises:
        ConfigurationError: they are not installed.
    """
    try:
        from opssim import (  # noqa: PLC0415 - an extra, which the product does without
            CloudBotSimulator,
            OwletteSimulator,
            RoostSimulator,
            RootlySimulator,
        )
    except ImportError:
        message = "the demo needs the simulators.\n  pip install 'opsnest[demo]'"
        raise ConfigurationError(message) from None

    def make(state: Path) -> dict[str, Simulator]:
        return {
            "roost": RoostSimulator(tests=incidents // 10, events=incidents // 2),
            "rootly": RootlySimulator(incidents=incidents, alerts=incidents),
            "cloud-bot": CloudBotSimulator(executions=incidents),
            "owlette": OwletteSimulator(file=state / _OWLETTE),
        }

    return make


def serve(simulator: Simulator) -> AbstractContextManager[Running[Simulator]]:
    """Serve a simulator whose time stands still."""
    import opssim  # noqa: PLC0415 - an extra

    simulator.clock.freeze()
    return opssim.serve(simulator)


def _pipeline(name: str, database: Path, state: Path) -> dlt.Pipeline:
    _, pipeline, dataset = PLATFORMS[name]
    return dlt.pipeline(
        pipeline_name=pipeline,
        destination=dlt.destinations.duckdb(str(database)),
        dataset_name=dataset,
        pipelines_dir=str(state),
    )


def source_of(name: str, configuration: Mapping[str, str], **options: Any) -> Any:
    """Return the source of a platform, configured for its simulator and nothing else.

    Args:
        name: the platform.
        configuration: the simulator's settings, by the variables that they would be in.
        options: further arguments of the source.
    """
    source, _, _ = PLATFORMS[name]
    factory = getattr(sources, source)
    # dlt looks into the user's settings for whatever it is not given, and takes None for that
    settings = {
        parameter.name: "" if parameter.default is None else parameter.default
        for parameter in inspect.signature(factory).parameters.values()
    }
    prefix = f"SOURCES__{source.upper()}__"
    for key, value in configuration.items():
        if key.startswith(prefix):
            settings[key.removeprefix(prefix).lower()] = value
    return factory(**{**settings, **options})


def _hours_before(state: Path, database: Path, incidents: int) -> int:
    """Return how long the platforms have lived on since the first run into this database.

    Raises:
        ConfigurationError: that was with lists of another size, which are other data.
    """
    try:
        past = json.loads((state / _PAST).read_text())
    except FileNotFoundError:
        _remember(state, incidents, 0)
        return 0
    if past["incidents"] != incidents:
        message = (
            f"{database} holds the demo with --incidents {past['incidents']}.\n"
            f"  Give another --database for --incidents {incidents}, or remove that file."
        )
        raise ConfigurationError(message)
    return int(past["hours"])


def _remember(state: Path, incidents: int, hours: int) -> None:
    state.mkdir(parents=True, exist_ok=True)
    (state / _PAST).write_text(json.dumps({"incidents": incidents, "hours": hours}))


#: What happens in an hour on each platform: rows that appear, and rows that change.
_HOURLY: Mapping[str, tuple[tuple[str, int, int], ...]] = {
    "roost": (("events", 2, 1),),
    "rootly": (("incidents", 2, 3), ("alerts", 5, 4)),
    "cloud-bot": (("executions", 6, 2),),
    "owlette": (("versions", 1, 0),),
}


def _live_on(simulator: Simulator, *, hours: int) -> None:
    kept = simulator.name == "owlette"  # what happened before is in its file
    for _ in range(min(hours, 1) if kept else hours):
        simulator.clock.skip(timedelta(hours=1))
        for table, inserts, changes in _HOURLY[simulator.name]:
            simulator.insert(table, inserts)
            simulator.touch(table, changes)


def _show_tables(
    console: Console, connection: duckdb.DuckDBPyConnection, progress: Progress
) -> None:
    table = Table(title="What is in the database now", title_justify="left", box=None)
    table.add_column("table")
    table.add_column("rows", justify="right")
    table.add_column("read now", justify="right")
    for name, (_, _, dataset) in PLATFORMS.items():
        for resource, loaded in progress.rows(name).items():
            found = connection.sql(f'SELECT count(*) FROM "{dataset}"."{resource}"').fetchone()  # noqa: S608 - names of ours
            total = found[0] if found else 0
            table.add_row(f"{dataset}.{resource}", f"{total:,}", f"{loaded:,}")
    console.print()
    console.print(table)


def _show_answers(console: Console, connection: duckdb.DuckDBPyConnection) -> None:
    for question in QUESTIONS:
        answer = connection.sql(question.sql)
        table = Table(box=None, header_style="dim")
        for column in answer.columns:
            table.add_column(column)
        for row in answer.fetchall():
            table.add_row(*("" if value is None else escape(str(value)) for value in row))
        console.print(f"\n[bold]{question.title}[/]")
        console.print(question.sql, style="cyan", highlight=False, markup=False, soft_wrap=True)
        console.print(table)


def _show_next(console: Console, database: Path, seconds: float, *, first: bool) -> None:
    again = (
        "Run it again: the platforms have lived on for an hour, and only what changed is loaded."
        if first
        else "Only what changed since the last run was loaded; robots are a snapshot, replaced."
    )
    console.print(
        f"\n[green]Done in {seconds:.1f} s.[/] Everything is in {escape(str(database))}.\n{again}",
        highlight=False,
        soft_wrap=True,
    )
    console.print(
        "\nWith a real account, put its token into .dlt/secrets.toml:\n\n"
        "    [sources.rootly_incident_management_source]\n"
        '    token = "..."\n\n'
        "and load it:  opsnest load rootly   (or roost, cloud-bot, owlette)",
        highlight=False,
        markup=False,
    )
