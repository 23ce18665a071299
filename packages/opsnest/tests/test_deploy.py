"""`opsnest deploy`: what it prints is read as cron, systemd and GitHub read it, and really run."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from opsnest.cli import app
from opsnest.deploy.cron import BUSY
from opsnest.deploy.jobs import Schedule, schedule
from opsnest.errors import ConfigurationError
from opsnest.loading import PLATFORMS
from opssim import RootlySimulator, Running
from opssim.pytest_plugin import Simulate

#: It has no types: it is imported as if it were data.
croniter: Any = import_module("croniter").croniter

TOKEN = "SOURCES__ROOTLY_INCIDENT_MANAGEMENT_SOURCE__TOKEN"
BASE_URL = "SOURCES__ROOTLY_INCIDENT_MANAGEMENT_SOURCE__BASE_URL"
SECTION = "[sources.rootly_incident_management_source]\n"
INTERVALS = ("5m", "6m", "10m", "12m", "15m", "20m", "30m", "1h", "2h", "3h", "4h", "6h", "8h")


def deploy(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["deploy", *arguments])


def printed(*arguments: str) -> str:
    result = deploy(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(*arguments: str, code: int = 3) -> str:
    result = deploy(*arguments)
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    return result.stderr


def workflow(*arguments: str) -> dict[Any, Any]:
    found: dict[Any, Any] = yaml.safe_load(printed("github", *arguments))
    return found


def as_cron_reads_it(line: str) -> tuple[str, str]:
    """Return the five fields and the command: up to the first bare %, and with \\% as %."""
    *fields, command = line.split(" ", 5)
    command = re.split(r"(?<!\\)%", command)[0].replace(r"\%", "%")
    return " ".join(fields), command


def crontab_line(text: str) -> tuple[str, str]:
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert len(lines) == 1
    return as_cron_reads_it(lines[0])


def unit(text: str) -> dict[str, str]:
    """Return the settings of a unit, as systemd reads them."""
    pairs = [line.split("=", 1) for line in text.splitlines() if re.match(r"[A-Z]\w*=", line)]
    return {name: value.replace("%%", "%") for name, value in pairs}


# schedules


@pytest.mark.parametrize("every", [*INTERVALS, "12h", "1d"])
def test_every_schedule_comes_at_even_times_in_the_words_of_all_three(every: str) -> None:
    interval = timedelta(
        **{{"m": "minutes", "h": "hours", "d": "days"}[every[-1]]: int(every[:-1])}
    )
    for name in (f"opsnest-{platform}" for platform in PLATFORMS):
        when = schedule(every, name)

        times = croniter(when.cron(), datetime(2026, 3, 1, tzinfo=UTC))
        found = [times.get_next(datetime) for _ in range(60)]
        assert {after - before for before, after in pairwise(found)} == {interval}
        assert 0 not in when.minutes
        assert re.fullmatch(r"\*-\*-\* (\*|[\d,]+):[\d,]+:00", when.calendar())
        assert schedule(every, name) == when


def test_names_spread_over_the_hour() -> None:
    minutes = {schedule("1h", f"opsnest-{name}").minutes for name in range(100)}
    assert len(minutes) > 35
    assert len({schedule("1h", f"opsnest-{name}").minutes for name in PLATFORMS}) == 4


def test_a_schedule_is_written_in_full() -> None:
    assert Schedule((7, 37)).cron() == "7,37 * * * *"
    assert Schedule((7, 37)).calendar() == "*-*-* *:07,37:00"
    assert Schedule((9,), (3,)).cron() == "9 3 * * *"
    assert Schedule((9,), (3, 15)).calendar() == "*-*-* 03,15:09:00"


@pytest.mark.parametrize("every", ["7m", "90m", "5h", "2d", "1m", "30s", "90s", "hourly", "0h", ""])
def test_intervals_that_would_be_uneven_are_refused(every: str) -> None:
    with pytest.raises(ConfigurationError, match=r"--every"):
        schedule(every, "opsnest-rootly")


# cron


def test_the_crontab_line_has_all_that_an_unattended_load_needs() -> None:
    fields, command = crontab_line(printed("cron", "rootly", "--every", "15m"))

    assert croniter.is_valid(fields)
    assert len(fields.split()[0].split(",")) == 4
    words = shlex.split(command)
    assert words[:3] == ["cd", str(Path.cwd()), "&&"]
    assert " ".join(words[words.index("-m") - 1 :]).startswith(
        f"{sys.executable} -m opsnest load rootly --to duckdb >> .dlt/opsnest-rootly.log 2>&1 ||"
    )
    assert "flock -n -E 75 " in command
    assert "timeout --foreground -s INT -k 5m 360m " in command
    assert f"DLT_DATA_DIR={os.environ['DLT_DATA_DIR']} " in command
    lock = words[words.index("-E") + 2]
    assert lock == f"{os.environ['DLT_DATA_DIR']}/pipelines/{PLATFORMS['rootly'][1]}.lock"


def test_resources_and_other_options_of_a_load_are_handed_on() -> None:
    options = ["--to", "filesystem", "--resource", "users", "--resource", "executions"]
    text = printed("cron", "cloud-bot", *options, "--", "--write", "append")

    assert (
        "opsnest load cloud-bot --to filesystem --resource users --resource executions "
        "--write append >> .dlt/opsnest-cloud-bot-executions-users.log"
    ) in crontab_line(text)[1]
    many = [word for name in ("alerts", "teams", "services", "schedules", "incident_types")
            for word in ("--resource", name)]  # fmt: skip
    assert re.search(r"opsnest-rootly-[0-9a-f]{8}\.log", printed("cron", "rootly", *many))


def test_a_missing_file_of_secrets_is_told() -> None:
    assert "there is no" in deploy("cron", "rootly").stderr
    Path(".dlt").mkdir()
    Path(".dlt/secrets.toml").touch()
    assert "there is no" not in deploy("cron", "rootly").stderr


def test_what_cron_cannot_take_is_refused(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["a" * 200] * 3)
    deep.mkdir(parents=True)
    message = refused("cron", "rootly", "--folder", str(deep))
    assert re.search(r"has \d+ characters, and cron takes no more than 990", message)
    for name in ("with\nline", "with\\backslash", "with\x07bell"):
        (tmp_path / name).mkdir()
        message = refused("cron", "rootly", "--folder", str(tmp_path / name))
        assert "use another path" in message


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["cron", "pagerduty"], "there is no platform 'pagerduty'"),
        (["cron", "rootly", "--to", "floppy"], "no destination 'floppy'"),
        (["cron", "rootly", "--resource", "incidence"], "no list 'incidence'"),
        (["cron", "rootly", "cloud-bot"], "one platform at a time"),
        (["cron", "rootly", "--folder", "nowhere"], "nowhere is no folder"),
        (["cron", "rootly", "--timeout", "soon"], "--timeout 'soon' is no length of time"),
        (["github", "rootly", "--", "--write=${{ secrets.X }}"], "GitHub would replace"),
    ],
)
def test_wrong_options_are_told(arguments: list[str], words: str) -> None:
    assert words in refused(*arguments)


def test_a_place_that_is_none_is_wrong_usage() -> None:
    assert deploy("kubernetes", "rootly").exit_code == 2


# systemd


@pytest.fixture
def awkward(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder whose name means something to every program on the way."""
    folder = tmp_path / 'it\'s 100% $HOME; "so" #1'
    folder.mkdir()
    # dlt itself cannot have a percent sign or a quote in the paths of its records
    monkeypatch.setenv("DLT_DATA_DIR", str(tmp_path / "dlt in $HOME"))
    return folder


def test_systemd_finds_nothing_to_say_about_the_units(
    awkward: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    result = deploy("systemd", "rootly", "--folder", str(awkward), "--every", "2h", "--write")
    assert result.exit_code == 0, result.output
    units = tmp_path / "config/systemd/user"
    service, timer = units / "opsnest-rootly.service", units / "opsnest-rootly.timer"

    settings = unit(service.read_text()) | unit(timer.read_text())
    assert settings["WorkingDirectory"] == str(awkward)
    assert settings["TimeoutStartSec"] == "360min"
    assert settings["Persistent"] == "true"
    assert settings["WantedBy"] == "timers.target"
    assert settings["EnvironmentFile"] == f"-{tmp_path}/config/opsnest/opsnest-rootly.env"
    assert f"# line: {TOKEN}." in service.read_text()
    assert "systemctl --user enable --now opsnest-rootly.timer" in result.stderr
    analyze = shutil.which("systemd-analyze")
    if analyze is None:  # elsewhere than on Linux, what is above has to do
        return
    (tmp_path / "run").mkdir(mode=0o700)
    finished = subprocess.run(
        [analyze, "verify", "--user", "--man=no", str(service), str(timer)],
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path / "run")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (finished.returncode, finished.stdout + finished.stderr) == (0, "")


def test_the_words_of_a_unit_are_quoted_as_systemd_reads_them(awkward: Path) -> None:
    text = printed("systemd", "rootly", "--folder", str(awkward))

    # what is left after %% and $$ is what a shell would read between the same quotes
    start = unit(text)["ExecStart"].replace("$$", "$")
    words = shlex.split(start)
    assert words[1:5] == ["-n", "-E", str(BUSY), "-F"]
    assert words[5] == f"{os.environ['DLT_DATA_DIR']}/pipelines/{PLATFORMS['rootly'][1]}.lock"
    assert words[6:] == [sys.executable, "-m", "opsnest", "load", "rootly", "--to", "duckdb"]
    assert Path(words[0]).name == "flock"


# writing


def test_a_file_is_written_once_and_never_over_another() -> None:
    path = Path(".dlt/opsnest-rootly.cron")
    assert deploy("cron", "rootly", "--write").stdout == f"written: {path.absolute()}\n"
    assert path.read_text() == printed("cron", "rootly")
    assert deploy("cron", "rootly", "--write").stdout == f"unchanged: {path.absolute()}\n"

    message = refused("cron", "rootly", "--write", "--every", "1d")
    assert str(path) in message
    assert "--force replaces it" in message
    assert path.read_text() == printed("cron", "rootly")

    forced = deploy("cron", "rootly", "--write", "--every", "1d", "--force")
    assert forced.stdout == f"written: {path.absolute()}\n"
    assert path.read_text() == printed("cron", "rootly", "--every", "1d")


def test_of_two_files_none_is_written_if_one_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    units = tmp_path / "systemd/user"
    units.mkdir(parents=True)
    (units / "opsnest-rootly.timer").write_bytes(b"\xff mine")

    assert "Nothing was written" in refused("systemd", "rootly", "--write")
    assert [path.name for path in units.iterdir()] == ["opsnest-rootly.timer"]


def test_the_step_for_cron_replaces_the_lines_of_before(tmp_path: Path) -> None:
    """Run what is printed as the next step, with a `crontab` that keeps its table in a file."""
    tools, table = tmp_path / "bin", tmp_path / "table"
    tools.mkdir()
    (tools / "crontab").write_text(
        f'#!/bin/sh\nif [ "$1" = -l ]; then cat {table}; else cat > {table}.new && '
        f"mv {table}.new {table}; fi\n"
    )
    (tools / "crontab").chmod(0o755)
    table.write_text("5 5 * * * backup\n# opsnest-rootly-teams: another\n")

    def activate(*arguments: str) -> None:
        result = deploy("cron", "rootly", "--write", "--force", *arguments)
        step = re.search(r"activate it.*?:  (.*)", result.stderr)
        assert step
        path = f"{tools}:{os.environ['PATH']}"
        subprocess.run(["sh", "-c", step[1]], env={"PATH": path}, check=True, timeout=20)

    activate()
    activate("--every", "1d")

    kept, other, *ours = table.read_text().splitlines(keepends=True)
    assert (kept, other) == ("5 5 * * * backup\n", "# opsnest-rootly-teams: another\n")
    assert "".join(ours) == printed("cron", "rootly", "--every", "1d")


# run


def run(
    command: list[str], env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command with as little around it as cron gives."""
    plain = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "RUNTIME__DLTHUB_TELEMETRY": "false"}
    return subprocess.run(
        command, env=plain | dict(env or {}), capture_output=True, text=True, check=False,
        timeout=100,
    )  # fmt: skip


@pytest.fixture
def rootly(simulate: Simulate) -> Running[RootlySimulator]:
    return simulate(RootlySimulator(incidents=3, alerts=3, services=3, teams=2))


def settings(folder: Path, url: str, token: str) -> None:
    (folder / ".dlt").mkdir(exist_ok=True)
    (folder / ".dlt/config.toml").write_text(f'{SECTION}base_url = "{url}"\n')
    (folder / ".dlt/secrets.toml").write_text(f'{SECTION}token = "{token}"\n')


@pytest.mark.slow
def test_what_is_printed_really_loads(awkward: Path, rootly: Running[RootlySimulator]) -> None:
    url, token = rootly.configuration[BASE_URL], rootly.configuration[TOKEN]
    settings(awkward, url, token)
    options = ("rootly", "--folder", str(awkward), "--resource", "services")

    # cron, in a folder that has all that has to be quoted
    _, line = crontab_line(printed("cron", *options))
    finished = run(["/bin/sh", "-c", line])
    log = awkward / ".dlt/opsnest-rootly-services.log"
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, "", "")
    assert "1 load package(s) were loaded" in log.read_text()
    assert log.stat().st_mode & 0o077 == 0
    database = awkward / f"{PLATFORMS['rootly'][1]}.duckdb"
    assert database.exists()

    # a second one while the first holds the pipeline
    with subprocess.Popen(
        ["flock", f"{os.environ['DLT_DATA_DIR']}/pipelines/{PLATFORMS['rootly'][1]}.lock", "cat"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdin
        assert holder.stdout
        holder.stdin.write("held\n")
        holder.stdin.flush()
        assert holder.stdout.readline() == "held\n"
        busy = run(["/bin/sh", "-c", line])
        holder.communicate()
    assert busy.returncode == BUSY
    assert f"opsnest-rootly-services: ended with {BUSY}, see .dlt/" in busy.stderr
    assert f"in {awkward}" in busy.stderr

    # a runner: nothing is there but the repository and the destination, and yet nothing is
    # loaded twice, as dlt's state is restored
    load = workflow(*options)["jobs"]["load"]["steps"][-1]
    assert list(load["env"]) == [TOKEN]
    again = run(
        ["bash", "-e", "-c", f"cd {shlex.quote(str(awkward))} && {load['run']}"],
        {
            TOKEN: token,
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "DLT_DATA_DIR": f"{os.environ['DLT_DATA_DIR']}/runner",
        },
    )
    assert (again.returncode, again.stdout) == (0, "Nothing has changed since the last load.\n")

    # systemd, with a token that is refused: its code is that of the unit
    settings(awkward, url, "mistyped-token")
    start = unit(printed("systemd", *options))["ExecStart"].replace("$$", r"\$")
    at = f"cd {shlex.quote(str(awkward))} && "
    failed = run(["/bin/sh", "-c", at + start], {"DLT_DATA_DIR": os.environ["DLT_DATA_DIR"]})
    assert failed.returncode == 4
    assert "the credentials were not accepted" in failed.stderr
