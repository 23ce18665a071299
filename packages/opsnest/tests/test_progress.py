"""The progress of a load: what it counts, and what it shows where."""

from __future__ import annotations

import io
import re
import sys
import threading
import time
from collections.abc import Generator
from pathlib import Path

import dlt
import pytest
from dlt.common.runtime.collector_base import Collector
from rich.console import Console

from opsnest.events import PageRead, publish
from opsnest.progress import Progress
from opsnest.sources import rootly_incident_management_source
from opssim import RootlySimulator, Running


def page(resource: str, *, seconds: float = 0.25, at: float | None = None) -> PageRead:
    return PageRead("a_source", resource, 100, seconds, time.monotonic() if at is None else at)


def paper() -> Console:
    """Return a console that is no terminal."""
    return Console(file=io.StringIO(), width=80)


def terminal() -> Console:
    return Console(file=io.StringIO(), width=80, height=50, force_terminal=True)


def shown_on(console: Console) -> str:
    """Return what a console was sent, without the codes that move cursors and set colours."""
    assert isinstance(console.file, io.StringIO)
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", console.file.getvalue())


def extract(collector: Collector, table: str, *rows: int) -> None:
    """Report as dlt does while it extracts."""
    with collector("Extract a_source"):
        collector.update("Resources", 0, 1)
        for count in rows:
            collector.update(table, inc=count)
        collector.update("Resources", 1)


def test_rows_and_pages_of_a_resource_are_counted() -> None:
    console = paper()
    progress = Progress(console)
    with progress.showing(), progress.platform("rootly") as collector:
        publish(page("incidents", seconds=1.5, at=100.0))
        publish(page("incidents", seconds=1.0, at=103.25))
        extract(collector, "incidents", 100, 23)

    assert progress.rows("rootly") == {"incidents": 123}
    assert re.search(r"^rootly incidents: 123 rows, 2 pages, ", shown_on(console), re.MULTILINE)


def test_the_seconds_span_from_the_first_request_to_the_last_answer() -> None:
    console = paper()
    progress = Progress(console)
    with progress.showing(), progress.platform("rootly"):
        publish(page("users", seconds=1.5, at=100.0))
        publish(page("users", seconds=1.0, at=103.25))

    assert shown_on(console) == "rootly users: 0 rows, 2 pages, 4.8 s\n"


def test_one_is_written_in_the_singular_and_thousands_with_commas() -> None:
    console = paper()
    progress = Progress(console)
    with progress.showing(), progress.platform("roost") as collector:
        publish(page("tests"))
        extract(collector, "tests", 1)
        extract(collector, "events", 1234567)

    assert "roost tests: 1 row, 1 page, " in shown_on(console)
    assert "roost events: 1,234,567 rows, 0 pages, " in shown_on(console)


def test_a_resource_and_its_table_are_one_line() -> None:
    progress = Progress(paper())
    with progress.showing(), progress.platform("rootly") as collector:
        publish(page("any-single-resource"))
        extract(collector, "any_single_resource", 3)

    assert progress.rows("rootly") == {"any_single_resource": 3}


def test_what_is_no_row_of_a_resource_does_not_count() -> None:
    progress = Progress(paper())
    with progress.showing(), progress.platform("cloud-bot") as collector:
        publish(page("login"))
        extract(collector, "_dlt_pipeline_state", 1)
        with collector("Normalize a_source"):
            collector.update("users", 5)
        with collector("Load a_source"):
            collector.update("Jobs", 7, 7)

    assert progress.rows("cloud-bot") == {}


def test_away_from_a_terminal_nothing_is_shown_until_the_platform_ends() -> None:
    console = paper()
    progress = Progress(console)
    with progress.showing():
        with progress.platform("roost") as collector:
            publish(page("tests"))
            extract(collector, "tests", 5)
            assert shown_on(console) == ""
        assert shown_on(console).startswith("roost tests: 5 rows, 1 page, ")

    assert isinstance(console.file, io.StringIO)
    assert "\x1b" not in console.file.getvalue()
    assert len(console.file.getvalue().splitlines()) == 1


def test_a_platform_that_fails_leaves_no_lines_behind() -> None:
    console = paper()
    progress = Progress(console)

    def fail() -> None:
        with progress.platform("roost") as collector:
            extract(collector, "tests", 5)
            msg = "broken"
            raise ValueError(msg)

    with pytest.raises(ValueError, match="broken"), progress.showing():
        fail()

    assert shown_on(console) == ""


def test_platforms_are_told_apart() -> None:
    console = paper()
    progress = Progress(console)
    with progress.showing():
        for platform, rows in (("rootly", 4), ("cloud-bot", 9)):
            with progress.platform(platform) as collector:
                extract(collector, "users", rows)

    assert progress.rows("rootly") == {"users": 4}
    assert progress.rows("cloud-bot") == {"users": 9}
    assert [line.partition(",")[0] for line in shown_on(console).splitlines()] == [
        "rootly users: 4 rows",
        "cloud-bot users: 9 rows",
    ]


def test_on_a_terminal_a_table_shows_rows_pages_and_seconds() -> None:
    console = terminal()
    progress = Progress(console)
    with progress.showing(), progress.platform("rootly") as collector:
        publish(page("incidents", seconds=2.0))
        extract(collector, "incidents", 1500)
        extract(collector, "alerts", 7)

    last = shown_on(console).rpartition("platform")[2]
    assert [line.split() for line in last.splitlines() if line.strip()] == [
        ["resource", "rows", "pages", "seconds"],
        ["rootly", "incidents", "1,500", "1", "2.0"],
        ["alerts", "7", "0", "0.0"],
    ]


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ("Extract a_source", "reading"),
        ("Normalize a_source in 1723 batches", "normalising"),
        ("Load a_source in 1723 batches", "loading"),
    ],
)
def test_on_a_terminal_the_phase_is_shown_while_it_lasts(step: str, words: str) -> None:
    console = terminal()
    progress = Progress(console)
    with progress.showing():
        with progress.platform("roost") as collector:
            assert eventually("roost: connecting", console)
            with collector(step):
                assert eventually(f"roost: {words}", console)
        before = len(shown_on(console))

    assert words not in shown_on(console)[before:]


def eventually(words: str, console: Console) -> bool:
    """Tell whether the live display, which is drawn by a thread, comes to show these words."""
    end = time.monotonic() + 5
    while time.monotonic() < end:
        if words in shown_on(console):
            return True
        time.sleep(0.01)
    return False


@pytest.fixture
def hasty_threads() -> Generator[None]:
    """Let threads take turns so often that a missing lock is noticed."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("hasty_threads")
def test_counting_from_many_threads_loses_nothing() -> None:
    console = paper()
    progress = Progress(console)

    def work(number: int, collector: Collector) -> None:
        for turn in range(200):
            collector.update("shared", 1)
            collector.update(f"own_{number}_{turn}", 2)
            publish(page("shared"))
            progress.rows("roost")

    with progress.showing(), progress.platform("roost") as collector, collector("Extract a_source"):
        threads = [threading.Thread(target=work, args=(each, collector)) for each in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    rows = progress.rows("roost")
    assert rows.pop("shared") == 1600
    assert rows == {f"own_{each}_{turn}": 2 for each in range(8) for turn in range(200)}
    assert re.search(r"shared: 1,600 rows, 1,600 pages", shown_on(console))


def test_a_real_load_is_counted_as_it_happens(
    rootly_simulator: Running[RootlySimulator], tmp_path: Path
) -> None:
    simulator = rootly_simulator.simulator
    progress = Progress(paper())
    source = rootly_incident_management_source(
        token=simulator.token, base_url=f"{rootly_simulator.url}/v1"
    ).with_resources("incidents", "users")
    with progress.showing(), progress.platform("rootly") as collector:
        pipeline = dlt.pipeline(
            "counted",
            destination=dlt.destinations.duckdb(str(tmp_path / "data.duckdb")),
            pipelines_dir=str(tmp_path / "pipelines"),
            progress=collector,
        )
        pipeline.run(source)

    # nested tables, such as the roles of incidents, are not among them
    assert progress.rows("rootly") == {"incidents": 30, "users": 10}


def test_nothing_is_counted_when_it_is_over() -> None:
    progress = Progress(paper())
    with progress.showing(), progress.platform("roost"):
        pass
    publish(page("tests"))

    assert progress.rows("roost") == {}
