"""`opsnest show` and the notebooks, on the demo: as programs, over HTTP, without a browser."""

from __future__ import annotations

import importlib.util
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPCookieProcessor, build_opener

import dlt
import pytest

import opsnest.demo
from opsnest import sources
from opsnest.cli import app
from opsnest.errors import ConfigurationError
from opsnest.loading import PLATFORMS
from opsnest.looking import dashboard, pipelines, serving
from opssim import (
    CloudBotSimulator,
    OwletteSimulator,
    RoostSimulator,
    RootlySimulator,
    Simulator,
    serve,
)

ROOT = Path(__file__).parents[1]
OPSNEST = str(Path(sys.executable).with_name("opsnest"))
NOTEBOOKS = sorted(each.stem for each in (ROOT / "notebooks").glob("*.py"))
PIPELINE = "rootly_incident_management_pipeline"

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("show")]

#: Writes down each host that the program asks for, by whatever means of Python.
WATCH = """
import os, sys
def watch(event, arguments):
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    with open(os.environ["ASKED"], "a") as file:
        print(host, file=file)
sys.addaudithook(watch)
"""


#: What the notebooks read: simulators large enough for each chart to have something to draw.
READ: dict[str, tuple[Callable[[], Simulator], Sequence[str]]] = {
    "rootly": (
        lambda: RootlySimulator(incidents=100, alerts=100),
        ("incidents", "alerts", "shifts", "users", "schedules"),
    ),
    "roost": (lambda: RoostSimulator(tests=20, events=400), ("tests", "events")),
    "cloud-bot": (lambda: CloudBotSimulator(executions=400), ("executions", "robots")),
    "owlette": (
        lambda: OwletteSimulator(machines=3),
        ("sites", "machines", "roosts", "versions", "deployments", "logs", "quota_history"),
    ),
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Load what the notebooks read to where the demo has it, and return the folder."""
    folder = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DLT_DATA_DIR", str(folder / "dlt"))
        patch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
        patch.chdir(folder)
        for platform, (simulator, lists) in READ.items():
            source, name, dataset = PLATFORMS[platform]
            with serve(simulator()) as running:
                for key, value in running.configuration.items():
                    patch.setenv(key, value)
                pipeline = dlt.pipeline(
                    name,
                    pipelines_dir=str(pipelines.DEMO),
                    destination=dlt.destinations.duckdb("opsnest_demo.duckdb"),
                    dataset_name=dataset,
                )
                pipeline.run(getattr(sources, source)().with_resources(*lists))
    return folder


def test_the_demo_is_where_it_is_looked_for() -> None:
    state: Any = vars(opsnest.demo)["_STATE"]
    assert Path(state) / opsnest.demo.DATABASE == pipelines.DEMO


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    plain = {"PATH": os.environ["PATH"], "PYTHONUTF8": "1", "HOME": str(Path.cwd())}
    return {**plain, "DLT_DATA_DIR": os.environ["DLT_DATA_DIR"], **(more or {})}


def show(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [OPSNEST, "show", *arguments],
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )


def test_it_serves_the_dashboard_to_this_machine_and_who_has_the_token(
    demo: Path, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(WATCH)
    asked = tmp_path / "asked"
    process = subprocess.Popen(
        [OPSNEST, "show", "rootly", "--demo", "--no-browser"],
        cwd=demo,
        env=environment({"PYTHONPATH": str(tmp_path), "ASKED": str(asked)}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    try:
        assert process.stdout
        line = process.stdout.readline()
        found = re.fullmatch(rf"{PIPELINE} is at (http://127\.0\.0\.1:(\d+)/)\?(\S+)\n", line)
        assert found, line
        url, port, token = found.groups()
        assert process.stdout.readline() == "Ctrl-C ends it.\n"
        visitor = build_opener(HTTPCookieProcessor(CookieJar()))
        with visitor.open(url) as answer:  # without the token it is sent to where one is asked for
            assert "/auth/login" in answer.url
        with pytest.raises(HTTPError, match="401"):
            visitor.open(f"{url}api/status")
        with visitor.open(f"{url}?{token}") as answer:
            page = answer.read().decode()
        assert "dlt workspace dashboard" in page
        assert re.findall(r"(?:src|href)=\"(?:https?:)?//[^\"]+", page) == []
        with socket.socket() as other, pytest.raises(OSError, match="refused"):
            other.connect((_own_address(), int(port)))
    finally:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (0, "Closed.\n", "")
    assert set(asked.read_text().split()) <= {"127.0.0.1", "localhost"}
    assert not list(demo.glob("*pipeline.duckdb"))


def _own_address() -> str:
    """Return an address of this machine that is not the loopback's, if it has one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing
        except OSError:
            return "127.0.0.2"
        return str(probe.getsockname()[0])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nowhere",), "there is no platform 'nowhere'"),
        (("rootly", "--pipeline", "x"), "Give one of them"),
        ((), "opsnest demo"),
        (("roost",), "opsnest load roost"),
        (("--demo",), "there is no demo here"),
        (("--notebook", "nothing.py"), "there is no notebook nothing.py"),
    ],
)
def test_what_is_not_there_is_told(
    arguments: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        app(["show", *arguments, "--no-browser"], prog_name="opsnest")

    said = capsys.readouterr().err
    assert ended.value.code == 3
    assert said.startswith("error: ")
    assert words in said


def test_a_pipeline_that_does_not_exist_is_told_with_those_that_do(demo: Path) -> None:
    folder = str(demo / ".opsnest_demo" / "opsnest_demo.duckdb")
    finished = show("--pipeline", "mine", "--pipelines-dir", folder)

    assert finished.returncode == 3
    assert f"Known: cloud_bot_pipeline, owlette_pipeline, roost_pipeline, {PIPELINE}." in (
        finished.stderr
    )


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    notebook = tmp_path / "notebook.py"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port: int = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"port {port} is taken"):
            serving.serve(notebook, port=port, ready=print)


@pytest.mark.parametrize("missing", ["marimo", "ibis"])
def test_a_missing_package_is_told_with_its_extra(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = importlib.util.find_spec

    def find_spec(name: str, package: str | None = None) -> Any:
        return None if name == missing else there(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", find_spec)
    with pytest.raises(ConfigurationError, match=r"pip install 'opsnest\[show\]'"):
        dashboard.dashboard()
    if missing == "marimo":
        with pytest.raises(ConfigurationError, match=r"pip install 'opsnest\[show\]'"):
            serving.serve(Path("notebook.py"), ready=print)


def test_a_dashboard_that_has_changed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dashboard, "_ATTACH", "utils.pipeline.another_way(")
    with pytest.raises(ConfigurationError, match="another dashboard"):
        dashboard.dashboard()
    monkeypatch.setattr(dashboard, "_HOME", "dlt._workspace.helpers.nowhere")
    with pytest.raises(ConfigurationError, match="another dashboard"):
        dashboard.dashboard()


def test_the_dashboard_asks_for_no_picture_of_the_internet() -> None:
    dashboard.dashboard()
    dashboard.dashboard()  # twice is once
    home = importlib.import_module("dlt._workspace.helpers.dashboard.utils.home")

    assert "http" not in home.home_header_row(None, "on the right").text
    assert "on the right" in home.home_header_row(None, "on the right").text


def run_notebook(name: str, *arguments: str) -> tuple[str, int]:
    """Run a notebook as a script would, and return what it shows and how many charts it draws."""
    source = ROOT / "notebooks" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"notebook_{name}", source)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [str(source), *arguments])
        outputs, _ = module.app.run()
    shown = [each.text for each in outputs if each is not None]
    return "\n".join(shown), sum(text.count("vega") > 0 for text in shown)


@pytest.mark.parametrize(
    ("name", "charts"), [("cloud_bot", 4), ("owlette", 6), ("roost", 4), ("rootly", 4)]
)
def test_a_notebook_runs_on_the_demo(
    name: str, charts: int, demo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(demo)
    shown, drawn = run_notebook(name, "--demo")

    assert drawn == charts
    assert "<em>" not in shown
    assert "there is no" not in shown


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_without_data_says_so(name: str) -> None:
    shown, drawn = run_notebook(name)

    assert drawn == 0
    assert "there is no pipeline" in shown
    assert len(re.findall(r"<em>No[^<]+\.</em>", shown)) >= 4


def test_a_notebook_is_a_script_too(demo: Path) -> None:
    finished = subprocess.run(
        [sys.executable, str(ROOT / "notebooks/roost.py"), "--demo"],
        cwd=demo,
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )

    assert (finished.returncode, finished.stdout, finished.stderr) == (0, "", "")


def test_each_platform_has_a_notebook() -> None:
    assert sorted(each.replace("-", "_") for each in PLATFORMS) == NOTEBOOKS
