"""The pipeline scripts, run as dltHub's pages tell: the script, then its data, then `dlt`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import dlt
import duckdb
import pytest

from opssim import CloudBotSimulator, RoostSimulator, RootlySimulator, Running, Simulator
from opssim.pytest_plugin import Simulate

SCRIPTS = Path(__file__).parents[1] / "pipelines"


@dataclass(frozen=True)
class Script:
    """One script: the names that it uses, and a table with as many rows as its simulator holds."""

    pipeline: str
    dataset: str
    source: str
    table: str
    #: Its settings that are secret.
    secrets: tuple[str, ...]


ROOST = Script("roost_pipeline", "roost_data", "roost_source", "events", ("TOKEN",))
ROOTLY = Script(
    "rootly_incident_management_pipeline",
    "rootly_incident_management_data",
    "rootly_incident_management_source",
    "incidents",
    ("TOKEN",),
)
CLOUD_BOT = Script(
    "cloud_bot_pipeline",
    "cloud_bot_data",
    "cloud_bot_source",
    "executions",
    ("USERNAME", "API_KEY"),
)
ALL = (ROOST, ROOTLY, CLOUD_BOT)

each_script = pytest.mark.parametrize("script", ALL, ids=lambda script: script.pipeline)


@pytest.fixture
def running(script: Script, simulate: Simulate) -> Running[Simulator]:
    """Serve the API that the script of this test loads."""
    made: dict[Script, Simulator] = {
        ROOST: RoostSimulator(tests=8, events=25),
        ROOTLY: RootlySimulator(incidents=25, alerts=20),
        CLOUD_BOT: CloudBotSimulator(executions=25, bots=8),
    }
    return simulate(made[script])


def execute(
    *command: str, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run Python in the current folder, with dlt's own folder but no other settings than `env`."""
    plain = {
        "PATH": os.environ["PATH"],
        "PYTHONUTF8": "1",
        "DLT_DATA_DIR": os.environ["DLT_DATA_DIR"],
        "RUNTIME__DLTHUB_TELEMETRY": "false",
    }
    return subprocess.run(
        [sys.executable, *command],
        env=plain | dict(env or {}),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def run(script: Script, env: Mapping[str, str] | None = None) -> str:
    """Run a script, check that it ends as dlt's do, and return what it said."""
    finished = execute(str(SCRIPTS / f"{script.pipeline}.py"), env=env)
    assert finished.returncode == 0, finished.stderr
    assert finished.stderr == ""
    assert finished.stdout.startswith(f"Pipeline {script.pipeline} load step ")
    assert (
        f"1 load package(s) were loaded to destination duckdb and into dataset {script.dataset}\n"
    ) in finished.stdout
    assert finished.stdout.endswith("contains no failed jobs\n")
    return finished.stdout


def count(script: Script) -> int:
    with duckdb.connect(f"{script.pipeline}.duckdb", read_only=True) as connection:
        sql = f"SELECT count(*), count(DISTINCT id) FROM {script.dataset}.{script.table}"
        ((rows, ids),) = connection.execute(sql).fetchall()
    assert rows == ids
    return int(rows)


def test_every_script_is_tested_here() -> None:
    here = {script.pipeline for script in ALL}
    elsewhere = {"owlette_pipeline"}  # in test_owlette_source.py, as it adds no rows by itself
    assert {path.stem for path in SCRIPTS.glob("*.py")} == here | elsewhere


@each_script
def test_a_script_is_short(script: Script) -> None:
    assert len((SCRIPTS / f"{script.pipeline}.py").read_text().splitlines()) < 35


def write_settings(script: Script, running: Running[Simulator]) -> None:
    """Write the settings into dlt's two files in this folder."""
    files: dict[str, list[str]] = {"secrets.toml": [], "config.toml": []}
    for variable, value in running.configuration.items():
        section, source, setting = variable.split("__")
        assert (section, source.lower()) == ("SOURCES", script.source)
        name = "secrets.toml" if setting in script.secrets else "config.toml"
        files[name].append(f'{setting.lower()} = "{value}"\n')
    Path(".dlt").mkdir()
    for name, lines in files.items():
        Path(".dlt", name).write_text(f"[sources.{script.source}]\n" + "".join(lines))


def check_data(script: Script) -> None:
    """Read what was loaded, as the pages show it."""
    assert [path.name for path in Path().glob("*.duckdb")] == [f"{script.pipeline}.duckdb"]
    with duckdb.connect(f"{script.pipeline}.duckdb", read_only=True) as connection:
        rows = connection.execute(f"SELECT * FROM {script.dataset}.{script.table} LIMIT 10")
        assert len(rows.fetchall()) == 10
    pipeline = dlt.attach(
        script.pipeline, pipelines_dir=str(Path(os.environ["DLT_DATA_DIR"], "pipelines"))
    )
    assert pipeline.dataset_name == script.dataset
    frame = pipeline.dataset()[script.table].df()
    assert frame is not None
    assert len(frame) == 25
    assert getattr(pipeline.dataset(), script.table).df().equals(frame)


def check_info(script: Script) -> None:
    """Let dlt tell about the pipeline."""
    info = execute("-m", "dlt", "pipeline", script.pipeline, "info")
    assert info.returncode == 0, info.stderr
    assert script.dataset in info.stdout
    assert script.source in info.stdout


@each_script
def test_a_script_loads_what_can_be_read_and_then_adds_what_is_new(
    script: Script, running: Running[Simulator]
) -> None:
    write_settings(script, running)
    run(script)
    assert count(script) == 25
    check_data(script)
    check_info(script)

    Path(".dlt").rename("set aside")
    running.simulator.insert(script.table, 3)
    run(script, running.configuration)  # the environment will do as well

    assert count(script) == 28


@each_script
def test_a_script_without_settings_says_what_is_missing(script: Script) -> None:
    finished = execute(str(SCRIPTS / f"{script.pipeline}.py"))

    assert finished.returncode == 3
    assert finished.stderr.startswith("error: a setting is missing:\n")
    assert f"[sources.{script.source}]" in finished.stderr
    assert "Traceback" not in finished.stderr
