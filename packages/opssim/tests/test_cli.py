"""The command `opssim`, run as users run it."""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import pytest
import requests

from opssim.cli import main

SMALL = ["--incidents", "5", "--alerts", "5", "--tests", "4", "--events", "9", "--executions", "5"]


def settings_in(output: str) -> dict[str, str]:
    """Read the lines that a user would paste into a shell."""
    lines = [shlex.split(line) for line in output.splitlines() if line.startswith("  export ")]
    return dict(word.split("=", 1) for _, word in lines)


@contextmanager
def running(*arguments: str) -> Generator[tuple[subprocess.Popen[str], str]]:
    """Run the command, and yield it with what it says before it waits."""
    command = [sys.executable, "-m", "opssim", *arguments]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    )
    assert process.stdout is not None
    lines: list[str] = []
    try:
        while not lines or not lines[-1].startswith("Ctrl-C"):
            lines.append(process.stdout.readline())
            assert lines[-1], process.communicate()
        yield process, "".join(lines)
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


class TestServe:
    def test_all_of_them_answer_with_what_is_printed(self) -> None:
        with running("serve", "--all", *SMALL) as (_, output):
            settings = settings_in(output)
            rootly = requests.get(
                settings["SOURCES__ROOTLY_INCIDENT_MANAGEMENT_SOURCE__BASE_URL"] + "/incidents",
                headers={
                    "Authorization": "Bearer "
                    + settings["SOURCES__ROOTLY_INCIDENT_MANAGEMENT_SOURCE__TOKEN"],
                    "Content-Type": "application/vnd.api+json",
                },
                timeout=5,
            )
            roost = requests.get(
                settings["SOURCES__ROOST_SOURCE__BASE_URL"] + "/test/event",
                headers={"Authorization": f"Bearer {settings['SOURCES__ROOST_SOURCE__TOKEN']}"},
                timeout=5,
            )
            cloud_bot = requests.post(
                settings["SOURCES__CLOUD_BOT_SOURCE__CONTROL_ROOM_URL"] + "/v2/authentication",
                json={
                    "username": settings["SOURCES__CLOUD_BOT_SOURCE__USERNAME"],
                    "apiKey": settings["SOURCES__CLOUD_BOT_SOURCE__API_KEY"],
                },
                timeout=5,
            )
        assert len(rootly.json()["data"]) == 5
        assert roost.json()["count"] == 9
        assert cloud_bot.json()["token"]

    @pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is no signal there")
    def test_ctrl_c_ends_it_without_a_fuss(self) -> None:
        with running("serve", "roost", *SMALL) as (process, output):
            assert output.endswith("Ctrl-C to stop\n")
            process.send_signal(signal.SIGINT)
            rest, errors = process.communicate(timeout=10)
        assert (process.returncode, rest, errors) == (0, "\nstopped\n", "")

    def test_being_told_to_leave_leaves_nothing_behind(self) -> None:
        command = [sys.executable, "-m", "opssim", "serve", "owlette"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            told = ""
            for line in process.stdout:
                told += line
                if "Ctrl-C" in line:
                    break
            found = re.search(r"a folder to push: (\S+)", told)
            assert found is not None
            folder = Path(found[1])
            assert (folder / "index.html").exists()
            process.terminate()
            assert process.wait(10) == 0
        assert not folder.parent.exists()

    def test_ends_by_itself(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["serve", "roost", *SMALL, "--for", "0"]) == 0
        output = capsys.readouterr().out
        assert output.startswith("roost: http://127.0.0.1:")
        assert "  4 tests, 1 test_plans, 9 events\n" in output
        assert set(settings_in(output)) == {
            "SOURCES__ROOST_SOURCE__TOKEN",
            "SOURCES__ROOST_SOURCE__BASE_URL",
        }

    def test_the_seed_decides(self, capsys: pytest.CaptureFixture[str]) -> None:
        def token(*arguments: str) -> str:
            assert main(["serve", "roost", *SMALL, "--for", "0", *arguments]) == 0
            return settings_in(capsys.readouterr().out)["SOURCES__ROOST_SOURCE__TOKEN"]

        assert token() == token("--seed", "7") != token("--seed", "8")

    def test_each_is_served_once(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["serve", "roost", "roost", *SMALL, "--for", "0"]) == 0
        assert capsys.readouterr().out.count("roost: http") == 1

    def test_a_port_is_for_the_first_and_the_next_follow(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        port = two_free_ports()
        assert main(["serve", "roost", "rootly", *SMALL, "--for", "0", "--port", str(port)]) == 0
        output = capsys.readouterr().out
        assert f"roost: http://127.0.0.1:{port}\n" in output
        assert f"rootly: http://127.0.0.1:{port + 1}\n" in output


def two_free_ports() -> int:
    """Return a port that is free, as the next one is."""
    for port in range(20_000 + os.getpid() % 10_000, 60_000, 2):
        try:
            for number in (port, port + 1):
                socket.create_server(("127.0.0.1", number)).close()
        except OSError:
            continue
        return port
    pytest.fail("no free ports")


@contextmanager
def roost(*arguments: str) -> Generator[Callable[..., requests.Response]]:
    """Serve Roost and yield what sends requests to it."""
    with running("serve", "roost", *SMALL, *arguments) as (_, output):
        settings = settings_in(output)
        url = settings["SOURCES__ROOST_SOURCE__BASE_URL"].removesuffix("/api")
        headers = {"Authorization": f"Bearer {settings['SOURCES__ROOST_SOURCE__TOKEN']}"}

        def get(path: str, **params: str) -> requests.Response:
            return requests.get(url + path, params=params, headers=headers, timeout=5)

        yield get


@contextmanager
def rootly(*arguments: str) -> Generator[Callable[..., requests.Response]]:
    """Serve Rootly and yield what sends requests to it."""
    with running("serve", "rootly", *SMALL, *arguments) as (_, output):
        settings = settings_in(output)
        prefix = "SOURCES__ROOTLY_INCIDENT_MANAGEMENT_SOURCE__"
        url = settings[f"{prefix}BASE_URL"]
        headers = {
            "Authorization": f"Bearer {settings[f'{prefix}TOKEN']}",
            "Content-Type": "application/vnd.api+json",
        }

        def get(path: str, **params: str) -> requests.Response:
            return requests.get(url + path, params=params, headers=headers, timeout=5)

        yield get


class TestOptions:
    def test_none_leave_the_defaults(self) -> None:
        with roost() as get:
            assert get("/api/test").status_code == 400  # it insists on parameters
            assert get("/api/test/event", take="2").json()["count"] == 9
            assert get("/_sim/counts").json() == {"tests": 4, "test_plans": 1, "events": 9}

    def test_all_together(self) -> None:
        with roost("--seed-page", "--strict", "--latency", "0.3") as get:
            tests = get("/api/test")
            assert len(tests.json()["data"]) == 4  # as the seed page says, without parameters
            assert tests.elapsed.total_seconds() >= 0.3
            assert get("/api/test/event", take="2").json()["count"] == 2  # of the page: strict

    def test_rate_limit(self) -> None:
        with rootly("--rate-limit", "2") as get:
            statuses = [get("/users").status_code for _ in "123"]
        assert statuses == [200, 200, 429]

    def test_offset_limit_goes_before_that_of_strict(self) -> None:
        with rootly("--strict", "--offset-limit", "4") as get:
            statuses = [
                get("/incidents", **{"page[size]": "2", "page[number]": number}).status_code
                for number in "123"
            ]
        assert statuses == [200, 200, 400]

    def test_seed_page_of_the_control_room_has_a_token(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        name = "SOURCES__CLOUD_BOT_SOURCE__MANAGEMENT_TOKEN"
        assert main(["serve", "cloud-bot", *SMALL, "--for", "0", "--seed-page"]) == 0
        assert settings_in(capsys.readouterr().out)[name]
        assert main(["serve", "cloud-bot", *SMALL, "--for", "0"]) == 0
        assert name not in settings_in(capsys.readouterr().out)


class TestState:
    @pytest.mark.parametrize("content", [b"this is no database, but a longer text " * 40, None])
    def test_what_is_no_database_is_explained(
        self, tmp_path: Path, content: bytes | None, capsys: pytest.CaptureFixture[str]
    ) -> None:
        file = tmp_path / "state"
        if content is None:
            file.mkdir()
        else:
            file.write_bytes(content)
        assert main(["serve", "owlette", "--for", "0", "--state", str(file)]) == 1
        said = capsys.readouterr().err
        assert said.startswith(f"opssim: {file} cannot be used (")
        assert said.count("\n") == 1

    def test_a_fleet_may_have_no_machines(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["serve", "owlette", "--for", "0", "--machines", "0"]) == 0
        assert "site site-1, machines: none" in capsys.readouterr().out


class TestMistakes:
    @pytest.mark.parametrize(
        ("arguments", "explanation"),
        [
            (["serve"], "name what to serve: rootly, roost, cloud-bot, owlette, or --all"),
            (["serve", "pagerduty"], "there is no 'pagerduty': only rootly, roost, cloud-bot"),
            (["serve", "roost", "--events", "-1"], "'-1' is not a whole number from 0 up"),
            (["serve", "roost", "--port", "70000"], "70000 is not a port: the last one is 65535"),
            (["serve", "--all", "--port", "65535"], "leaves no ports for 4 simulators"),
            (["serve", "roost", "--latency", "soon"], "'soon' is not a number of seconds"),
            (["serve", "roost", "--for", "nan"], "'nan' is not a number of seconds"),
            (["serve", "roost", "--tests", "0"], "an event belongs to a test"),
            ([], "the following arguments are required: command"),
        ],
    )
    def test_are_explained(
        self, capsys: pytest.CaptureFixture[str], arguments: list[str], explanation: str
    ) -> None:
        with pytest.raises(SystemExit) as stopped:
            main(arguments)
        assert stopped.value.code == 2
        assert explanation in capsys.readouterr().err

    def test_a_taken_port_is_one_line(self, capsys: pytest.CaptureFixture[str], taken: int) -> None:
        assert main(["serve", "roost", *SMALL, "--port", str(taken), "--for", "0"]) == 1
        output = capsys.readouterr()
        assert output.out == ""
        assert output.err == (
            f"opssim: port {taken} is taken: name another with --port, "
            "or leave it out for a free one\n"
        )


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--version"])
    assert stopped.value.code == 0
    assert capsys.readouterr().out == f"opssim {version('opssim')}\n"


def test_help_names_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["serve", "--help"])
    output = capsys.readouterr().out
    limits = ("--rate-limit", "--offset-limit")
    for option in ("--all", "--seed-page", "--strict", "--latency", "--for", *limits):
        assert option in output
    assert "rootly, roost, cloud-bot" in output
