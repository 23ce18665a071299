"""The command line, run as its users run it: what it loads, says, and ends with."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from opsnest import http as opsnest_http
from opsnest.catalogue import CATALOGUES
from opsnest.cli import app
from opsnest.http import Patience
from opssim import CloudBotSimulator, Fault, RoostSimulator, RootlySimulator, Running
from opssim.pytest_plugin import Simulate

OPSNEST = str(Path(sys.executable).with_name("opsnest"))
TOKEN = "SOURCES__ROOTLY_INCIDENT_MANAGEMENT_SOURCE__TOKEN"
BASE_URL = "SOURCES__ROOTLY_INCIDENT_MANAGEMENT_SOURCE__BASE_URL"
DATABASE = "rootly_incident_management_pipeline.duckdb"
DATASET = "rootly_incident_management_data"

Finished = subprocess.CompletedProcess[str]


def opsnest(*arguments: str, env: Mapping[str, str] | None = None) -> Finished:
    """Run the command line in the current folder, with no environment but this and `env`."""
    return run([OPSNEST, *arguments], env)


def run(command: list[str], env: Mapping[str, str] | None = None) -> Finished:
    plain = {
        "PATH": os.environ["PATH"],
        "PYTHONUTF8": "1",
        "DLT_DATA_DIR": os.environ["DLT_DATA_DIR"],
        "RUNTIME__DLTHUB_TELEMETRY": "false",
    }
    return subprocess.run(
        command, env=plain | dict(env or {}), capture_output=True, encoding="utf-8", check=False
    )


def here(*arguments: str, env: Mapping[str, str] | None = None) -> Finished:
    """Run the command line in this process, which need not wait for dlt to be imported."""
    result = CliRunner().invoke(app, list(arguments), env=env, catch_exceptions=False)
    return Finished(arguments, result.exit_code, result.stdout, result.stderr)


def complaint(finished: Finished, code: int) -> str:
    """Return the one message that a command ended with, having checked that it is one."""
    assert finished.returncode == code, finished.stderr
    _, _, message = finished.stderr.partition("error: ")
    assert message, finished.stderr
    assert "error: " not in message
    assert "Traceback" not in finished.stderr
    return message


def count(table: str) -> int:
    with duckdb.connect(DATABASE, read_only=True) as connection:
        found = connection.execute(f"SELECT count(*) FROM {DATASET}.{table}").fetchone()
    assert found
    return int(found[0])


@pytest.mark.parametrize("arguments", [["--help"], []])
def test_the_help_names_the_commands_and_the_exit_codes(arguments: list[str]) -> None:
    finished = opsnest(*arguments)

    said = " ".join((finished.stdout + finished.stderr).split())
    assert "Usage: opsnest [OPTIONS] COMMAND" in said
    assert re.search(r"\bdemo Load four simulated platforms", said)
    assert re.search(r"\bload Load a platform with the credentials", said)
    assert "3 configuration, 4 no access, 5 unreachable, 6 the API failed, 7 destination" in said


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("demo", ["--database", "--incidents", "opsnest_demo.duckdb", "no network"]),
        ("load", ["roost, rootly, cloud-bot, owlette", "--to", "--resource", ".dlt/secrets.toml"]),
    ],
)
def test_each_command_explains_itself(command: str, words: list[str]) -> None:
    finished = opsnest(command, "--help")

    assert finished.returncode == 0
    said = " ".join(finished.stdout.split())
    assert [word for word in words if word not in said] == []
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", finished.stdout)


def test_the_version_is_that_of_the_package() -> None:
    finished = opsnest("--version")

    assert (finished.returncode, finished.stdout) == (0, f"opsnest {version('opsnest')}\n")


def test_it_runs_as_a_module_too() -> None:
    finished = run([sys.executable, "-m", "opsnest", "--version"])

    assert (finished.returncode, finished.stdout) == (0, f"opsnest {version('opsnest')}\n")


def test_what_needs_no_dlt_does_not_wait_for_it() -> None:
    listing = (
        "import sys\n"
        "from opsnest.cli import main\n"
        "for sys.argv[1:] in ['--help'], ['--version'], ['load', 'nowhere']:\n"
        "    try: main()\n"
        "    except SystemExit as end: print('ended:', end.code)\n"
        "print('slow:', sorted({'dlt', 'duckdb', 'pyarrow', 'opssim'} & sys.modules.keys()))"
    )

    said = run([sys.executable, "-c", listing]).stdout.splitlines()

    assert [line for line in said if line.startswith("ended: ")] == [
        "ended: 0",
        "ended: 0",
        "ended: 3",
    ]
    assert said[-1] == "slow: []"


def test_a_wrong_option_ends_with_2() -> None:
    assert opsnest("load", "rootly", "--nonsense").returncode == 2
    assert here("demo", "--incidents", "9").returncode == 2
    assert here("nonsense").returncode == 2


def test_an_unknown_platform_is_told_which_are_known() -> None:
    message = complaint(here("load", "pagerduty"), 3)

    assert (
        message
        == "there is no platform 'pagerduty'.\n  Known: roost, rootly, cloud-bot, owlette.\n"
    )


def test_an_unknown_resource_is_told_which_are_known() -> None:
    finished = here("load", "rootly", "--resource", "incidence", env={TOKEN: "token"})

    message = complaint(finished, 3)
    assert "has no resource 'incidence'" in message
    assert "Known: incidents, alerts, users, " in message


def test_an_unknown_destination_is_told_which_are_known() -> None:
    finished = here("load", "rootly", "--to", "floppy", env={TOKEN: "token"})

    message = complaint(finished, 3)
    assert "no destination 'floppy'" in message
    assert re.search(r"Known: .*\bduckdb, .*\bpostgres, ", message)


@pytest.mark.parametrize(
    ("platform", "section", "setting"),
    [
        ("rootly", "sources.rootly_incident_management_source", "token"),
        ("roost", "sources.roost_source", "token"),
        ("cloud-bot", "sources.cloud_bot_source", "control_room_url"),
        ("cloud-bot", "sources.cloud_bot_source", "username"),
    ],
)
def test_a_missing_setting_is_told_where_to_put_it(
    platform: str, section: str, setting: str
) -> None:
    message = complaint(here("load", platform), 3)

    assert f"[{section}]" in message
    assert f'{setting} = "..."' in message
    assert f"{section}.{setting}".upper().replace(".", "__") in message
    assert "opsnest demo" in message


def test_a_destination_without_credentials_is_told_where_to_put_them() -> None:
    finished = here("load", "rootly", "--to", "postgres", env={TOKEN: "token"})

    message = complaint(finished, 3)
    assert "[destination.postgres.credentials]" in message
    assert 'password = "..."' in message
    assert "DESTINATION__POSTGRES__CREDENTIALS__PASSWORD" in message


def test_a_wrong_token_ends_with_4_and_is_not_shown(
    rootly_simulator: Running[RootlySimulator],
) -> None:
    env = rootly_simulator.configuration | {TOKEN: "mistyped-token"}
    finished = opsnest("load", "rootly", env=env)

    message = complaint(finished, 4)
    assert "the credentials were not accepted" in message
    assert "Check `token` under [sources.rootly_incident_management_source]" in message
    assert "mistyped-token" not in finished.stdout + finished.stderr


def test_an_api_that_is_not_there_ends_with_5(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(opsnest_http, "Patience", lambda: Patience(sleep=waits.append))
    # port 9 is for discarding; nothing listens there
    finished = here("load", "rootly", env={TOKEN: "token", BASE_URL: "http://127.0.0.1:9/v1"})

    message = complaint(finished, 5)
    assert message.startswith("rootly_incident_management_source / ")
    assert "http://127.0.0.1:9 cannot be reached" in message
    assert waits, "it was tried again"


def test_an_api_that_fails_ends_with_6(rootly_simulator: Running[RootlySimulator]) -> None:
    rootly_simulator.simulator.faults.add(Fault(path="/v1/incidents", status=400, body=b"{}"))
    finished = here("load", "rootly", env=rootly_simulator.configuration)

    assert "GET /v1/incidents -> 400" in complaint(finished, 6)


def test_a_load_says_what_was_loaded_and_then_that_nothing_changed(
    rootly_simulator: Running[RootlySimulator],
) -> None:
    simulator, env = rootly_simulator.simulator, rootly_simulator.configuration
    command = ("load", "rootly", "--resource", "incidents", "--resource", "alerts")

    first = opsnest(*command, env=env)

    assert first.returncode == 0, first.stderr
    assert f"1 load package(s) were loaded to destination duckdb and into dataset {DATASET}" in (
        first.stdout
    )
    # read in one page, and counted in another
    assert re.search(r"^rootly incidents: 30 rows, [23] pages, ", first.stderr, re.MULTILINE)
    assert count("incidents") == 30
    assert count("alerts") == 40

    second = opsnest(*command, env=env)

    assert (second.returncode, second.stdout) == (0, "Nothing has changed since the last load.\n")

    simulator.insert("incidents", 2)
    third = opsnest(*command, env=env)

    assert "1 load package(s) were loaded" in third.stdout
    assert re.search(r"^rootly incidents: 2 rows, ", third.stderr, re.MULTILINE)
    assert count("incidents") == 32
    said = "".join(run.stdout + run.stderr for run in (first, second, third))
    assert not [secret for secret in simulator.secrets() if secret in said]


@pytest.mark.parametrize("platform", ["roost", "cloud-bot"])
def test_what_is_loaded_by_default_is_in_the_database(
    platform: str,
    roost_simulator: Running[RoostSimulator],
    cloud_bot_simulator: Running[CloudBotSimulator],
) -> None:
    env = roost_simulator.configuration | cloud_bot_simulator.configuration

    finished = opsnest("load", platform, env=env)

    assert finished.returncode == 0, finished.stderr
    name = platform.replace("-", "_")
    assert f"into dataset {name}_data" in finished.stdout
    usual = {entry.name for entry in CATALOGUES[platform].entries if entry.selected}
    with duckdb.connect(f"{name}_pipeline.duckdb", read_only=True) as connection:
        sql = f"SELECT table_name FROM duckdb_tables() WHERE schema_name = '{name}_data'"
        tables = {table for (table,) in connection.execute(sql).fetchall()}
    assert {table for table in tables if "__" not in table and table[0] != "_"} == usual


def test_only_the_resources_asked_for_are_loaded(simulate: Simulate) -> None:
    rootly = simulate(RootlySimulator(incidents=5, alerts=5, services=3, teams=2))

    arguments = ["--resource", "services", "--resource", "teams"]
    finished = here("load", "rootly", *arguments, env=rootly.configuration)

    assert finished.returncode == 0, finished.stderr
    assert (count("services"), count("teams")) == (3, 2)
    assert {seen.path for seen in rootly.simulator.requests.all()} == {"/v1/services", "/v1/teams"}


def test_settings_come_from_files_too(rootly_simulator: Running[RootlySimulator]) -> None:
    section = "[sources.rootly_incident_management_source]\n"
    env = rootly_simulator.configuration
    Path(".dlt").mkdir()
    Path(".dlt/secrets.toml").write_text(f'{section}token = "{env[TOKEN]}"\n')
    Path(".dlt/config.toml").write_text(f'{section}base_url = "{env[BASE_URL]}"\n')

    finished = opsnest("load", "rootly", "--resource", "users")

    assert finished.returncode == 0, finished.stderr
    assert count("users") == 10


DEMO = ("demo", "--incidents", "10")
DEMO_DATABASE = Path("opsnest_demo.duckdb")


def test_a_database_that_another_program_holds_is_one_message() -> None:
    hold = (
        f"import duckdb; c = duckdb.connect('{DEMO_DATABASE}'); print('held', flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        finished = opsnest(*DEMO)
        holder.communicate("\n")

    message = complaint(finished, 7)
    assert message.startswith("the DuckDB file is open in another program")
    assert "Close that program" in message


def test_a_folder_that_cannot_be_written_is_one_message(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    # even root obeys permissions without the capability to override them (1), which is dropped (24)
    obedient = (
        "import ctypes, os, sys; ctypes.CDLL(None).prctl(24, 1, 0, 0, 0); "
        "os.execv(sys.argv[1], sys.argv[1:])"
    )
    before = [sys.executable, "-c", obedient] if sys.platform == "linux" else []
    try:
        finished = run([*before, OPSNEST, *DEMO])
    finally:
        tmp_path.chmod(0o755)

    message = complaint(finished, 7)
    assert message.startswith("no permission to write here")
    assert len(message.splitlines()) == 2
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_no_database_is_one_message_and_stays() -> None:
    DEMO_DATABASE.write_bytes(b"something else" * 1000)

    message = complaint(opsnest(*DEMO), 7)

    assert message.startswith("DuckDB")
    assert DEMO_DATABASE.read_bytes() == b"something else" * 1000


def test_a_database_named_like_a_dataset_is_refused(tmp_path: Path) -> None:
    message = complaint(here(*DEMO, "--database", "roost_data.duckdb"), 3)

    assert message.startswith("roost_data.duckdb is named like the schema roost_data in it")
    assert not list(tmp_path.iterdir())


def test_without_the_simulators_the_demo_says_how_to_install_them() -> None:
    without = (
        "import sys; sys.modules['opssim'] = None; sys.argv[1:] = ['demo']; "
        "from opsnest.cli import main; main()"
    )

    finished = run([sys.executable, "-c", without])

    message = complaint(finished, 3)
    assert message == "the demo needs the simulators.\n  pip install 'opsnest[demo]'\n"
    assert finished.stdout == ""
    assert not list(Path().iterdir())


def test_the_output_can_be_cut_short() -> None:
    with subprocess.Popen(
        [OPSNEST, "demo", "--incidents", "10"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        assert running.stdout
        assert running.stderr
        running.stdout.readline()
        running.stdout.close()
        assert b"Traceback" not in running.stderr.read()
