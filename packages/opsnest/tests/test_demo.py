"""The demo, run as its users run it: again and again, interrupted, in odd places."""

from __future__ import annotations

import io
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pytest
from rich.console import Console

from opsnest import demo
from opsnest.catalogue import CATALOGUES
from opsnest.demo import QUESTIONS, Question, run_demo
from opsnest.errors import ConfigurationError
from opssim import CloudBotSimulator, RoostSimulator, RootlySimulator, Simulator

OPSNEST = str(Path(sys.executable).with_name("opsnest"))
DATABASE = "opsnest_demo.duckdb"
ARGUMENTS = ("demo", "--incidents", "60")

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
    """One run of the demo: what it said, and what was in the database after it."""

    said: str
    complained: str
    counts: dict[str, int]
    newest: dict[str, Any]


def run_of(folder: Path, said: str, complained: str = "") -> Run:
    database = folder / DATABASE
    newest = {
        name: ask(database, f"SELECT max({column}) FROM {name}")[0][0]
        for name, column in CHANGED.items()
    }
    return Run(said, complained, counts(database), newest)


# What runs one after the other in one folder say and do


def check_lines_are_plain_away_from_a_terminal(run: Run) -> None:
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", run.said)


def check_nothing_looks_like_an_accident(run: Run) -> None:
    assert run.complained == ""
    assert not re.search(r"traceback|warning|error:", run.said, re.IGNORECASE)


def check_only_what_changed_was_read(run: Run) -> None:
    every = rows_read(run.said)
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
    assert every["owlette.version_files"] == 1
    assert every["owlette.logs"] < 10


def check_every_table_is_shown_with_its_rows(run: Run) -> None:
    for name, rows in run.counts.items():
        assert re.search(rf"^ {re.escape(name)} +{rows:,} +\d+ *$", run.said, re.MULTILINE)


def check_each_question_is_shown_with_its_query_and_an_answer(run: Run) -> None:
    for question in QUESTIONS:
        _, _, after = run.said.partition(f"{question.title}\n{question.sql}\n")
        heading, *answer = after.partition("\n\n")[0].splitlines()
        assert heading.split()
        assert answer, question.title
        assert all(len(row.split()) >= 3 for row in answer)


def check_the_end_tells_what_to_do_next(run: Run) -> None:
    assert f"Everything is in {DATABASE}." in run.said
    assert '    [sources.rootly_incident_management_source]\n    token = "..."\n' in run.said
    assert "opsnest load rootly" in run.said


def check_the_table_on_a_terminal(shown: str) -> str:
    """Look at a table that was live, and return the text without what moved the cursor."""
    assert "\x1b[" in shown
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    assert "rootly: reading" in text
    assert re.search(r"platform +resource +rows +pages +seconds", text)
    assert re.search(r"^(rootly)? +incidents +[2-5] +\d+ +\d+\.\d *\r$", text, re.MULTILINE)
    assert "What is in the database now" in text
    return text


def interrupted(folder: Path, env: Mapping[str, str]) -> None:
    """Stop a first run while the second platform is being loaded, and look at how it ends."""
    with subprocess.Popen(
        [OPSNEST, *ARGUMENTS],
        cwd=folder,
        env=environment(folder.parent / "home", env),
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


def on_a_terminal(folder: Path, env: Mapping[str, str]) -> str:
    """Run the demo on a pseudo-terminal and return what it showed."""
    ours, theirs = pty.openpty()
    terminal = {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "50"}
    with subprocess.Popen(
        [OPSNEST, *ARGUMENTS],
        cwd=folder,
        env=environment(folder.parent / "home", {**env, **terminal}),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as running:
        os.close(theirs)
        shown = _read_all(ours)
    os.close(ours)
    assert running.returncode == 0, shown
    return shown


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


def settings_and_pipeline_of_a_user(folder: Path) -> dict[str, str]:
    """Make what is not the demo's: a pipeline at home, a file here; return variables."""
    (folder / ".dlt").mkdir()
    settings = '[sources.cloud_bot_source]\napi = "seed"\nautomation_ids = ["1"]\n'
    (folder / ".dlt" / "config.toml").write_text(settings)
    own = dlt.pipeline(
        "rootly_incident_management_pipeline",
        destination=dlt.destinations.duckdb(str(folder.parent / "own.duckdb")),
        pipelines_dir=str(folder.parent / "home" / "dlt" / "pipelines"),
    )
    own.run([{"id": 1}], table_name="incidents")
    return {"SOURCES__CLOUD_BOT_SOURCE__PASSWORD": "mine", "SOURCES__ROOST_SOURCE__TOKEN": "mine"}


def files_in(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.timeout(300)
@pytest.mark.skipif(sys.platform == "win32", reason="has no pseudo-terminals")
def test_the_demo_is_interrupted_and_run_again_and_again(tmp_path: Path, console: Console) -> None:
    """All in one, as each run is another process and takes its time."""
    folder, home = tmp_path / "work", tmp_path / "home"
    folder.mkdir()
    mine = settings_and_pipeline_of_a_user(folder)
    before = files_in(home)
    assert before

    interrupted(folder, mine)
    runs: list[Run] = []
    for _ in range(2):
        finished = opsnest(folder, *ARGUMENTS, env=mine)
        assert finished.returncode == 0, finished.stderr
        runs.append(run_of(folder, finished.stdout, finished.stderr))
    text = check_the_table_on_a_terminal(on_a_terminal(folder, mine))
    runs.append(run_of(folder, text))

    for hours, run in enumerate(runs):
        assert run.counts == expected(60, hours=hours)
        check_nothing_looks_like_an_accident(run)
    for run in runs[:2]:
        check_lines_are_plain_away_from_a_terminal(run)
        check_every_table_is_shown_with_its_rows(run)
        check_each_question_is_shown_with_its_query_and_an_answer(run)
        check_the_end_tells_what_to_do_next(run)
    assert "Run it again" in runs[0].said
    assert "Only what changed" in runs[1].said
    check_only_what_changed_was_read(runs[1])
    for earlier, later in pairwise(runs):
        for name, newest in later.newest.items():
            assert newest > earlier.newest[name], name

    database = folder / DATABASE
    for question in QUESTIONS:
        assert ask(database, question.sql)
    sql = "SELECT version_number, count(*) FROM owlette_data.versions GROUP BY ALL ORDER BY ALL"
    assert ask(database, sql) == [(1, 1), (2, 1), (3, 1), (4, 1)]

    assert files_in(home) == before
    assert sorted(each.name for each in folder.iterdir()) == [".dlt", ".opsnest_demo", DATABASE]

    with pytest.raises(ConfigurationError) as raised:
        run_demo(console, database=database, incidents=61)
    assert str(raised.value) == (
        f"{database} holds the demo with --incidents 60.\n"
        "  Give another --database for --incidents 61, or remove that file."
    )
    assert shown_on(console) == ""
    assert counts(database) == runs[-1].counts


# What one platform is enough for


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch) -> Console:
    """Return a console for runs in this process, where dlt's log level stays as it is."""
    monkeypatch.setenv("RUNTIME__LOG_LEVEL", "WARNING")
    return Console(file=io.StringIO(), width=100)


def shown_on(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.fixture
def _small(monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]
    """Leave the demo but one platform, as it treats all alike, and a question about it."""

    def simulators(incidents: int) -> Callable[[Path], dict[str, Simulator]]:
        return lambda _state: {"roost": RoostSimulator(tests=incidents // 10, events=incidents)}

    monkeypatch.setattr(demo, "simulators", simulators)
    question = Question("What is in brackets?", "SELECT '[/x] [bold]P1' AS name")
    monkeypatch.setattr(demo, "QUESTIONS", (question,))


@pytest.mark.usefixtures("_small")
def test_databases_in_one_folder_do_not_meet_and_begin_anew_where_they_are_gone(
    console: Console,
) -> None:
    def events(database: Path) -> int:
        ((rows, ids),) = ask(database, "SELECT count(*), count(DISTINCT id) FROM roost_data.events")
        assert rows == ids
        return int(rows)

    one, other = Path("[red]here[", "y]data.duckdb"), Path("[red]here[", "other.duckdb")
    run_demo(console, database=one, incidents=10)
    run_demo(console, database=other, incidents=10)
    run_demo(console, database=one, incidents=10)

    assert events(one) == 10 + INSERTED["events"]
    assert events(other) == 10

    one.unlink()
    run_demo(console, database=one, incidents=10)

    assert events(one) == 10
    assert shown_on(console).count("Run it again") == 3
    # brackets in paths and values are shown as they are
    assert f"Everything is in {one}." in shown_on(console)
    assert "\n [/x] [bold]P1" in shown_on(console)
    assert [each.name for each in Path().iterdir()] == ["[red]here["]
