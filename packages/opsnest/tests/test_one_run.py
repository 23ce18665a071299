"""One run of a pipeline at a time: runs in processes of their own, some of which are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import dlt
import duckdb
import pytest
from typer.testing import CliRunner

from opsnest.cli import app
from opsnest.errors import ConfigurationError, RunningError
from opsnest.loading import load
from opsnest.one_run import held, is_running, lock_of

Start = Callable[..., "subprocess.Popen[str]"]

#: Holds the lock of a pipeline until it is told to end.
HOLD = """
import sys
from pathlib import Path
from opsnest.one_run import held, lock_of

with held(lock_of(Path(sys.argv[1]), "counting"), "counting"):
    print("held", flush=True)
    sys.stdin.readline()
"""

#: Waits for a line, and adds a row to a table of one pipeline: round after round.
ADD = """
import sys
import dlt
from opsnest.loading import load

for line in sys.stdin:
    round_of = int(line)

    @dlt.source
    def counted():
        @dlt.resource(write_disposition="append")
        def numbers():
            done = dlt.current.resource_state().setdefault("rounds", [])
            if round_of not in done:
                done.append(round_of)
                yield [{"id": round_of, "part": part} for part in range(3)]
        return numbers

    pipeline = dlt.pipeline(
        "counting",
        destination=dlt.destinations.duckdb("data.duckdb"),
        dataset_name="counted",
        pipelines_dir="pipelines",
    )
    load(pipeline, counted())
    print("loaded", flush=True)
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start programs in the test's folder, and end those that are left."""
    with ExitStack() as stack:

        def begin(code: str, *arguments: str) -> subprocess.Popen[str]:
            process = subprocess.Popen(
                [sys.executable, "-c", code, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=tmp_path,
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield begin


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def tell(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def test_who_leaves_is_told_who_holds_it(start: Start, tmp_path: Path) -> None:
    holder = start(HOLD, str(tmp_path))
    assert said(holder) == "held"
    assert is_running(tmp_path, "counting")
    with (
        pytest.raises(RunningError, match=f"counting is being loaded by process {holder.pid} "),
        held(lock_of(tmp_path, "counting"), "counting", if_running="leave"),
    ):
        pytest.fail("two at once")
    tell(holder, "end")
    assert holder.wait(30) == 0
    assert not is_running(tmp_path, "counting")
    with held(lock_of(tmp_path, "counting"), "counting", if_running="leave"):
        assert is_running(tmp_path, "counting")


def test_who_waits_goes_on_when_the_other_ends(
    start: Start, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    holder = start(HOLD, str(tmp_path))
    assert said(holder) == "held"
    later = threading.Timer(1, tell, (holder, "end"))
    later.start()
    with held(lock_of(tmp_path, "counting"), "counting"):
        assert holder.wait(30) == 0
    later.join()
    (record,) = caplog.records
    assert f"by process {holder.pid} " in record.message
    assert "waiting for it to end" in record.message


def test_a_lock_ends_with_a_process_that_is_killed(start: Start, tmp_path: Path) -> None:
    holder = start(HOLD, str(tmp_path))
    assert said(holder) == "held"
    holder.send_signal(signal.SIGKILL)
    holder.wait(30)
    assert not is_running(tmp_path, "counting"), "what it has left tells of nobody who lives"
    with held(lock_of(tmp_path, "counting"), "counting", if_running="leave"):
        pass


def test_where_nothing_can_be_written_about_the_holder_it_is_held_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "write_text", refuse)
    path = lock_of(tmp_path, "counting")
    with (
        held(path, "counting"),
        pytest.raises(RunningError, match="by another process"),
        held(path, "counting", if_running="leave"),
    ):
        pytest.fail("two at once")


def test_the_holder_of_another_host_is_not_looked_for_here(tmp_path: Path) -> None:
    holder = lock_of(tmp_path, "counting").with_suffix(".holder")
    holder.write_text(f'{{"process": {os.getpid()}, "host": "elsewhere.example"}}')
    assert not is_running(tmp_path, "counting")
    holder.write_text("torn")
    assert not is_running(tmp_path, "counting")


def test_the_command_leaves_with_a_code_of_its_own(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCES__ROOST_SOURCE__TOKEN", "none")
    folder = tmp_path / "dlt" / "pipelines"
    folder.mkdir(parents=True)
    code = HOLD.replace("counting", "roost_pipeline")
    holder = start(code, str(folder))
    assert said(holder) == "held"
    found = CliRunner().invoke(app, ["load", "roost", "--if-running", "leave"])
    assert found.exit_code == 10
    assert f"roost_pipeline is being loaded by process {holder.pid}" in found.stderr
    assert "--if-running wait" in found.stderr
    assert "Traceback" not in found.output


def test_what_to_do_is_one_of_two(tmp_path: Path) -> None:
    pipeline = dlt.pipeline("counting", destination="duckdb", pipelines_dir=str(tmp_path))

    @dlt.source
    def nothing() -> Iterator[object]:
        yield from ()

    with pytest.raises(ConfigurationError, match="if_running='never'"):
        load(pipeline, nothing(), if_running="never")  # type: ignore[arg-type]


def added(processes: Sequence[subprocess.Popen[str]], rounds: Iterator[int]) -> list[int]:
    """Let all processes load at once, round after round."""
    done: list[int] = []
    for number in rounds:
        for process in processes:
            tell(process, str(number))
        assert [said(process) for process in processes] == ["loaded"] * len(processes)
        done.append(number)
    return done


def check_two_at_once(start: Start, folder: Path, rounds: int) -> None:
    done = added([start(ADD), start(ADD)], iter(range(rounds)))
    with duckdb.connect(str(folder / "data.duckdb")) as database:
        found = database.sql(
            "SELECT id, count(*) FROM counted.numbers GROUP BY id ORDER BY id"
        ).fetchall()
    assert found == [(number, 3) for number in done]


@pytest.mark.slow
def test_two_that_begin_together_load_once(start: Start, tmp_path: Path) -> None:
    check_two_at_once(start, tmp_path, 3)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_two_that_begin_together_load_once_fifty_times(start: Start, tmp_path: Path) -> None:
    check_two_at_once(start, tmp_path, 50)
