"""The demo, run as its users run it: again and again, interrupted, in odd places."""

from __future__ import annotations

import io
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pytest
from rich.console import Console

from opsnest import demo
from opsnest.catalogue import CATALOGUES
from opsnest.demo import QUESTIONS, Question, run_demo
from opssim import CloudBotSimulator, RoostSimulator, RootlySimulator

OPSNEST = str(Path(sys.executable).with_name("opsnest"))
DATABASE = "opsnest_demo.duckdb"

#: The tables of the demo, as the simulators know them.
TABLES = {
    "roost_data": ("tests", "test_plans", "events"),
    "rootly_incident_management_data": (
        "incidents",
        "alerts",
        "users",
        "services",
        "schedules",
        "teams",
        "heartbeats",
        "dashboards",
        "authorizations",
    ),
    "cloud_bot_data": ("automations", "executions", "users", "robots"),
}
#: Rows that appear in an hour, and rows that change.
INSERTED = {"events": 2, "incidents": 2, "alerts": 5, "executions": 6}
TOUCHED = {"events": 1, "incidents": 3, "alerts": 4, "executions": 2}
#: When the rows of these tables changed.
CHANGED = {
    "roost_data.events": "modification_time",
    "rootly_incident_management_data.incidents": "attributes__updated_at",
    "rootly_incident_management_data.alerts": "attributes__updated_at",
    "cloud_bot_data.executions": "modified_on",
}

pytestmark = pytest.mark.slow

Finished = subprocess.CompletedProcess[str]


def environment(home: Path, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return an environment without a setting of the machine, and with dlt's folder in `home`."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONUTF8": "1",
        "HOME": str(home),
        "DLT_DATA_DIR": str(home / "dlt"),
        **(more or {}),
    }


def opsnest(
    folder: Path,
    *arguments: str,
    env: Mapping[str, str] | None = None,
) -> Finished:
    """Run the command line in a folder, with the home directory beside it."""
    return subprocess.run(
        [OPSNEST, *arguments],
        cwd=folder,
        env=environment(folder.parent / "home", env),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def expected(incidents: int, hours: int) -> dict[str, int]:
    """Return how many rows each table is to hold, from what the simulators say that they have."""
    simulated = {
        "roost_data": RoostSimulator(tests=incidents // 10, events=incidents // 2).counts(),
        "rootly_incident_management_data": RootlySimulator(
            incidents=incidents, alerts=incidents
        ).counts(),
        "cloud_bot_data": CloudBotSimulator(executions=incidents).counts(),
    }
    return {
        f"{dataset}.{table}": simulated[dataset][table] + hours * INSERTED.get(table, 0)
        for dataset, tables in TABLES.items()
        for table in tables
    }


def ask(database: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def counts(database: Path) -> dict[str, int]:
    """Return the rows of each table; fails if an id is there twice."""
    found: dict[str, int] = {}
    for name in expected(10, 0):
        ((rows, ids),) = ask(database, f"SELECT count(*), count(DISTINCT id) FROM {name}")
        assert rows == ids, name
        found[name] = rows
    return found


def rows_read(output: str) -> dict[str, int]:
    """Return what the lines of the load say for each resource."""
    lines = re.findall(
        r"^(\S+) (\S+): ([\d,]+) rows?, [\d,]+ pages?, [\d.]+ s$", output, re.MULTILINE
    )
    return {f"{platform}.{resource}": int(n.replace(",", "")) for platform, resource, n in lines}


@dataclass(frozen=True)
class Run:
    """One run of the demo, and what was in the database after it."""

    finished: Finished
    counts: dict[str, int]
    newest: dict[str, Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "work"
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def runs(folder: Path) -> list[Run]:
    """Run the demo three times in one empty folder."""
    made: list[Run] = []
    for _ in range(3):
        finished = opsnest(folder, "demo", "--incidents", "60")
        assert finished.returncode == 0, finished.stderr
        database = folder / DATABASE
        newest = {
            name: ask(database, f"SELECT max({column}) FROM {name}")[0][0]
            for name, column in CHANGED.items()
        }
        made.append(Run(finished, counts(database), newest))
    return made


def test_the_demo_says_nothing_on_stderr(runs: list[Run]) -> None:
    assert [run.finished.stderr for run in runs] == ["", "", ""]


def test_away_from_a_terminal_the_lines_are_plain(runs: list[Run]) -> None:
    for run in runs:
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", run.finished.stdout)


def test_nothing_the_demo_says_looks_like_an_accident(runs: list[Run]) -> None:
    for run in runs:
        assert not re.search(r"traceback|warning|error:", run.finished.stdout, re.IGNORECASE)


def test_the_first_run_loads_all_that_the_simulators_have(runs: list[Run]) -> None:
    assert runs[0].counts == expected(60, hours=0)


def test_each_later_run_adds_the_rows_of_one_hour(runs: list[Run]) -> None:
    assert runs[1].counts == expected(60, hours=1)
    assert runs[2].counts == expected(60, hours=2)


def test_each_later_run_brings_newer_rows(runs: list[Run]) -> None:
    for earlier, later in ((runs[0], runs[1]), (runs[1], runs[2])):
        for name, newest in later.newest.items():
            assert newest > earlier.newest[name], name


def test_later_runs_read_only_what_changed(runs: list[Run]) -> None:
    for run in runs[1:]:
        every = rows_read(run.finished.stdout)
        read = {name: rows for name, rows in every.items() if not name.startswith("owlette.")}
        usual = [
            entry
            for platform, catalogue in CATALOGUES.items()
            for entry in catalogue.entries
            if entry.selected and platform != "owlette"
        ]
        assert len(read) == len(usual)
        for name, rows in read.items():
            resource = name.partition(".")[2]
            inserted, touched = INSERTED.get(resource, 0), TOUCHED.get(resource, 0)
            if resource == "robots":  # a snapshot
                assert rows == 15
            else:  # a touched row may be one of the new ones
                assert inserted <= rows <= inserted + touched, name


def test_the_owlette_of_the_demo_lives_on(runs: list[Run], folder: Path) -> None:
    database = folder / DATABASE
    sql = "SELECT version_number, count(*) FROM owlette_data.versions GROUP BY ALL ORDER BY ALL"
    assert ask(database, sql) == [(1, 1), (2, 1), (3, 1), (4, 1)]
    for run in runs[1:]:
        read = rows_read(run.finished.stdout)
        assert read["owlette.version_files"] == 1
        assert read["owlette.logs"] < 10


def test_the_table_shows_every_table_with_its_rows(runs: list[Run]) -> None:
    for run in runs:
        for name, rows in run.counts.items():
            assert re.search(
                rf"^ {re.escape(name)} +{rows:,} +\d+ *$", run.finished.stdout, re.MULTILINE
            )


def test_each_question_is_shown_with_its_query_and_an_answer(runs: list[Run]) -> None:
    for run in runs:
        for question in QUESTIONS:
            _, _, after = run.finished.stdout.partition(f"{question.title}\n{question.sql}\n")
            heading, *answer = after.partition("\n\n")[0].splitlines()
            assert heading.split()
            assert answer, question.title
            assert all(len(row.split()) >= 3 for row in answer)


def test_the_queries_shown_can_be_run(runs: list[Run], folder: Path) -> None:
    assert runs
    for question in QUESTIONS:
        assert ask(folder / DATABASE, question.sql)


def test_the_end_tells_what_to_do_next(runs: list[Run]) -> None:
    first, second, _ = (run.finished.stdout for run in runs)
    for said in (first, second):
        assert f"Everything is in {DATABASE}." in said
        assert '    [sources.rootly_incident_management_source]\n    token = "..."\n' in said
        assert "opsnest load rootly" in said
    assert "Run it again" in first
    assert "Only what changed" in second


def test_a_demo_of_another_size_needs_another_database(runs: list[Run], folder: Path) -> None:
    finished = opsnest(folder, "demo", "--incidents", "61")

    assert finished.returncode == 3
    assert finished.stdout == ""
    assert finished.stderr == (
        f"error: {DATABASE} holds the demo with --incidents 60.\n"
        "  Give another --database for --incidents 61, or remove that file.\n"
    )
    assert counts(folder / DATABASE) == runs[-1].counts


def test_nothing_is_written_but_the_database_and_the_folder_beside_it(
    runs: list[Run], folder: Path
) -> None:
    assert runs
    assert sorted(each.name for each in folder.iterdir()) == [".opsnest_demo", DATABASE]
    assert not (folder.parent / "home").exists()


def test_pipelines_and_settings_of_the_user_are_left_alone(tmp_path: Path) -> None:
    folder, home = tmp_path / "work", tmp_path / "home"
    (folder / ".dlt").mkdir(parents=True)
    settings = '[sources.cloud_bot_source]\napi = "seed"\nautomation_ids = ["1"]\n'
    (folder / ".dlt" / "config.toml").write_text(settings)
    own = dlt.pipeline(
        "rootly_incident_management_pipeline",
        destination=dlt.destinations.duckdb(str(tmp_path / "own.duckdb")),
        pipelines_dir=str(home / "dlt" / "pipelines"),
    )
    own.run([{"id": 1}], table_name="incidents")
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}

    mine = {"SOURCES__CLOUD_BOT_SOURCE__PASSWORD": "mine", "SOURCES__ROOST_SOURCE__TOKEN": "mine"}
    finished = opsnest(folder, "demo", "--incidents", "10", env=mine)

    assert finished.returncode == 0, finished.stderr
    assert counts(folder / DATABASE) == expected(10, hours=0)
    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch) -> Console:
    """Return a console for runs in this process, where dlt's log level stays as it is."""
    monkeypatch.setenv("RUNTIME__LOG_LEVEL", "WARNING")
    return Console(file=io.StringIO(), width=100)


def shown_on(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_without_its_database_the_demo_begins_anew(console: Console) -> None:
    run_demo(console, incidents=10)
    Path(DATABASE).unlink()

    run_demo(console, incidents=10)

    assert counts(Path(DATABASE)) == expected(10, hours=0)
    assert shown_on(console).count("Run it again") == 2


def test_two_databases_in_one_folder_do_not_meet(console: Console) -> None:
    one, other = Path("one.duckdb"), Path("other.duckdb")
    run_demo(console, database=one, incidents=10)
    run_demo(console, database=other, incidents=10)
    run_demo(console, database=one, incidents=10)

    assert counts(one) == expected(10, hours=1)
    assert counts(other) == expected(10, hours=0)


def test_brackets_in_paths_and_values_are_shown_as_they_are(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = Question("What is in brackets?", "SELECT '[/x] [bold]P1' AS name")
    monkeypatch.setattr(demo, "QUESTIONS", (question,))
    database = Path("[red]here[", "y]data.duckdb")

    run_demo(console, database=database, incidents=10)

    assert counts(database) == expected(10, hours=0)
    assert f"Everything is in {database}." in shown_on(console)
    assert "\n [/x] [bold]P1" in shown_on(console)
    assert [each.name for each in Path().iterdir()] == ["[red]here["]


def test_an_interrupt_ends_it_with_one_line_and_the_next_run_completes(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    command = [OPSNEST, "demo", "--incidents", "300"]
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment(tmp_path / "home"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as running:
        assert running.stdout
        assert running.stderr
        for line in running.stdout:
            if line.startswith("roost events"):  # the next platform is being loaded now
                break
        running.send_signal(signal.SIGINT)
        rest, complaint = running.stdout.read(), running.stderr.read()
    assert running.returncode == 130
    assert complaint == "\nStopped. Nothing is half-loaded; run it again to go on.\n"
    assert "Everything is in" not in rest

    again = opsnest(folder, "demo", "--incidents", "300")

    assert again.returncode == 0, again.stderr
    assert counts(folder / DATABASE) == expected(300, hours=0)


@pytest.mark.skipif(sys.platform == "win32", reason="has no pseudo-terminals")
def test_on_a_terminal_a_live_table_shows_rows_pages_and_seconds(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    terminal = {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "50"}
    with subprocess.Popen(
        [OPSNEST, "demo", "--incidents", "20"],
        env=environment(tmp_path / "home", terminal),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as running:
        os.close(theirs)
        shown = _read_all(ours)
    os.close(ours)

    assert running.returncode == 0
    assert "\x1b[" in shown
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    assert "rootly: reading" in text
    assert re.search(r"platform +resource +rows +pages +seconds", text)
    assert re.search(r"^(rootly)? +incidents +20 +\d+ +\d+\.\d *\r$", text, re.MULTILINE)
    assert "What is in the database now" in text


def _read_all(terminal: int) -> str:
    parts: list[bytes] = []
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # what Linux says when the other end is closed
            part = b""
        if not part:
            return b"".join(parts).decode()
        parts.append(part)
