"""What becomes of exceptions as dlt really raises them: wrapped, chained, several times over."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pytest
from dlt.common.configuration.specs import BaseConfiguration, configspec
from dlt.pipeline.exceptions import PipelineStepFailed

from opsnest.errors import (
    AccessError,
    AnswerError,
    ConfigurationError,
    DestinationError,
    OpsnestError,
)
from opsnest.explain import exit_on_error, explain

Load = Callable[..., object]


@pytest.fixture(autouse=True)
def _no_telemetry_no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Run a tiny pipeline into DuckDB."""

    def load(data: Any, database: Path = tmp_path / "data.duckdb") -> object:
        pipeline = dlt.pipeline(
            "explained",
            destination=dlt.destinations.duckdb(str(database)),
            dataset_name="loaded",
            pipelines_dir=str(tmp_path / "pipelines"),
        )
        return pipeline.run(data, table_name="rows", write_disposition="append")

    return load


def failing(fault: BaseException) -> Any:
    @dlt.resource(name="failing")
    def rows() -> Iterator[dict[str, int]]:
        yield {"id": 1}
        raise fault

    return rows


def fault_of(act: Callable[[], object]) -> BaseException:
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - any, that is the question
        act()
    return caught.value


def explained(act: Callable[[], object]) -> OpsnestError:
    error = explain(fault_of(act))
    assert error is not None
    return error


def answer_error(resource: str = "") -> AnswerError:
    return AnswerError(
        source="roost_source",
        resource=resource,
        method="GET",
        path="/api/test",
        problem="the API failed",
        advice="Run it again later.",
        status=500,
    )


class TestErrorsOfSources:
    def test_one_inside_a_resource_is_found_behind_those_of_dlt(self, load: Load) -> None:
        error = answer_error("tests")
        fault = fault_of(lambda: load(failing(error)))

        assert isinstance(fault, PipelineStepFailed)
        assert explain(fault) is error
        assert error.resource == "tests"

    def test_one_of_the_session_gets_the_name_of_the_resource(self, load: Load) -> None:
        error = explained(lambda: load(failing(answer_error())))

        assert isinstance(error, AnswerError)
        assert error.resource == "failing"

    def test_or_of_the_transformer(self, load: Load) -> None:
        @dlt.transformer(data_from=dlt.resource([1], name="parents"), name="children")
        def children(_: int) -> Iterator[int]:
            yield from ()
            raise answer_error()

        error = explained(lambda: load(children))

        assert isinstance(error, AnswerError)
        assert error.resource == "children"

    def test_outside_of_a_load_it_is_the_connection(self) -> None:
        error = explain(answer_error())

        assert isinstance(error, AnswerError)
        assert error.resource == "connection"

    def test_it_comes_before_what_caused_it(self) -> None:
        error = answer_error("tests")
        error.__cause__ = OSError(errno.ENOSPC, "No space left on device")

        assert explain(error) is error

    def test_a_chain_that_bites_its_tail_ends(self) -> None:
        first, second = ValueError(), KeyError()
        first.__context__, second.__context__ = second, first

        assert explain(first) is None


@dlt.source(name="some_source", section="some_source")
def some_source(token: str = dlt.secrets.value, where: str = dlt.config.value) -> Any:
    return dlt.resource([{"token": token, "where": where}], name="rows")


@configspec
class Login(BaseConfiguration):
    user: str = None  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    key: str = None  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]


@dlt.source(name="nested_source", section="nested_source")
def nested_source(login: Login = dlt.secrets.value) -> Any:
    return dlt.resource([{"user": login.user}], name="rows")


class TestMissingSettings:
    def test_both_places_are_told_for_each(self, load: Load) -> None:
        error = explained(lambda: load(some_source()))

        assert isinstance(error, ConfigurationError)
        assert str(error) == (
            "a setting is missing:\n"
            "  token: put it into .dlt/secrets.toml\n"
            "      [sources.some_source]\n"
            '      token = "..."\n'
            "    or into the environment variable SOURCES__SOME_SOURCE__TOKEN\n"
            "  where: put it into .dlt/secrets.toml\n"
            "      [sources.some_source]\n"
            '      where = "..."\n'
            "    or into the environment variable SOURCES__SOME_SOURCE__WHERE\n"
            "  To try without any account: opsnest demo"
        )

    def test_what_is_told_works(self, load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
        told = str(explained(some_source))

        for line in told.splitlines():
            if " the environment variable " in line:
                monkeypatch.setenv(line.split()[-1], "a value")
        load(some_source())

    def test_settings_within_a_setting(self) -> None:
        told = str(explained(nested_source))

        assert "[sources.nested_source.login]" in told
        assert "SOURCES__NESTED_SOURCE__LOGIN__USER" in told
        assert "SOURCES__NESTED_SOURCE__LOGIN__KEY" in told

    def test_those_of_a_destination(self, tmp_path: Path) -> None:
        pipeline = dlt.pipeline(
            "explained", destination="filesystem", pipelines_dir=str(tmp_path / "pipelines")
        )

        told = str(explained(lambda: pipeline.run([{"id": 1}], table_name="rows")))

        assert "[destination.filesystem]\n      bucket_url" in told
        assert "DESTINATION__FILESYSTEM__BUCKET_URL" in told


@contextmanager
def held_by_another_process(database: Path) -> Generator[None]:
    code = f"import duckdb; held = duckdb.connect({str(database)!r}); print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        process.stdout.readline()
        yield
        process.stdin.write("\n")


class TestDestination:
    def test_a_database_that_another_program_has_open(self, load: Load, tmp_path: Path) -> None:
        database = tmp_path / "held.duckdb"

        with held_by_another_process(database):
            error = explained(lambda: load([{"id": 1}], database))

        assert isinstance(error, DestinationError)
        assert str(error).startswith("the DuckDB file is open in another program")
        assert str(database) in str(error)
        load([{"id": 1}], database)

    def test_a_file_that_is_no_database(self, load: Load, tmp_path: Path) -> None:
        database = tmp_path / "text.duckdb"
        database.write_text("something else" * 1000)

        error = explained(lambda: load([{"id": 1}], database))

        assert isinstance(error, DestinationError)
        assert "not a valid DuckDB database file" in str(error)
        assert "Check the path" in str(error)

    def test_a_folder_that_is_not_there(self, load: Load, tmp_path: Path) -> None:
        error = explained(lambda: load([{"id": 1}], tmp_path / "missing" / "data.duckdb"))

        assert isinstance(error, DestinationError)
        assert "DuckDB could not use its file" in str(error)

    def test_whatever_else_duckdb_refuses(self) -> None:
        error = explained(lambda: duckdb.sql("SELECT nothing FROM nowhere"))

        assert isinstance(error, DestinationError)
        assert str(error).splitlines() == [
            "DuckDB refused: Catalog Error: Table with name nowhere does not exist!",
            "  Run it again, or report it.",
        ]

    def test_a_folder_that_may_not_be_written(self, tmp_path: Path) -> None:
        folder = tmp_path / "read-only"
        folder.mkdir(mode=0o500)
        if os.access(folder, os.W_OK):  # root may write anywhere
            fault: BaseException = PermissionError(errno.EACCES, "Permission denied", str(folder))
        else:
            fault = fault_of(
                lambda: dlt.pipeline("explained", pipelines_dir=str(folder)).run([], table_name="x")
            )

        error = explain(fault)

        assert isinstance(error, DestinationError)
        assert str(error).startswith("no permission to write here")
        assert str(folder) in str(error)

    @pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
    @pytest.mark.parametrize("filename", ["/data/x.parquet", None])
    def test_a_disk_that_is_full(self, load: Load, number: int, filename: str | None) -> None:
        error = explained(lambda: load(failing(OSError(number, os.strerror(number), filename))))

        assert isinstance(error, DestinationError)
        assert str(error).startswith("the disk is full")
        assert ("/data/x.parquet" in str(error)) == bool(filename)
        assert "None" not in str(error)

    def test_a_load_that_failed_otherwise(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def sink(_rows: object, _table: object) -> None:
            msg = "the queue is gone\nand more"
            raise ValueError(msg)

        pipeline = dlt.pipeline(
            "explained",
            destination=dlt.destination(sink, name="sink"),
            pipelines_dir=str(tmp_path / "pipelines"),
        )
        monkeypatch.setenv("LOAD__RAISE_ON_MAX_RETRIES", "1")
        error = explained(lambda: pipeline.run([{"id": 1}], table_name="rows"))

        assert isinstance(error, DestinationError)
        assert str(error).startswith("the destination could not be loaded: ")
        assert "What was extracted is kept" in str(error)


class TestExitOnError:
    @pytest.mark.parametrize(
        ("fault", "code"),
        [
            (ConfigurationError("no token"), 3),
            (answer_error("tests"), 6),
            (AccessError("s", "r", "GET", "/x", "no", "advice"), 4),
            (DestinationError("no room"), 7),
        ],
    )
    def test_one_message_and_the_code(
        self, fault: OpsnestError, code: int, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit) as caught, exit_on_error():
            raise fault

        assert caught.value.code == code
        captured = capsys.readouterr()
        assert captured.err == f"error: {fault}\n"
        assert captured.out == ""

    def test_on_a_terminal_there_is_no_traceback(self, tmp_path: Path) -> None:
        script = (
            "import opsnest\n"
            "from opsnest.sources.roost_ai import roost_source\n"
            "with opsnest.exit_on_error():\n"
            "    roost_source()\n"
        )
        command = [sys.executable, "-c", script]
        ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

        assert ran.returncode == 3
        assert ran.stderr.startswith("error: a setting is missing:\n  token: ")
        assert "Traceback" not in ran.stderr
        assert ran.stdout == ""

    def test_an_interrupt(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as caught, exit_on_error():
            raise KeyboardInterrupt

        assert caught.value.code == 130
        assert capsys.readouterr().err == (
            "\nStopped. Nothing is half-loaded; run it again to go on.\n"
        )

    def test_an_interrupt_that_dlt_has_wrapped(
        self, load: Load, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit) as caught, exit_on_error():
            load(failing(KeyboardInterrupt()))

        assert caught.value.code == 130
        assert "Stopped." in capsys.readouterr().err

    def test_ctrl_c_while_a_source_is_read(
        self, load: Load, capsys: pytest.CaptureFixture[str]
    ) -> None:
        @dlt.resource(name="endless")
        def endless() -> Iterator[dict[str, int]]:
            while True:
                yield {"id": 1}
                os.kill(os.getpid(), signal.SIGINT)

        with pytest.raises(SystemExit) as caught, exit_on_error():
            load(endless)

        assert caught.value.code == 130
        assert "Stopped." in capsys.readouterr().err

    def test_what_nobody_foresaw_is_raised_as_it_is(
        self, load: Load, capsys: pytest.CaptureFixture[str]
    ) -> None:
        bug = ZeroDivisionError("a bug")

        with pytest.raises(ZeroDivisionError) as direct, exit_on_error():
            raise bug
        with pytest.raises(PipelineStepFailed) as wrapped, exit_on_error():
            load(failing(bug))

        assert direct.value is bug
        assert "a bug" in str(wrapped.value)
        assert "error:" not in capsys.readouterr().err

    def test_so_is_an_exit(self) -> None:
        with pytest.raises(SystemExit) as caught, exit_on_error():
            sys.exit(42)

        assert caught.value.code == 42

    def test_without_an_error_it_does_nothing(self, capsys: pytest.CaptureFixture[str]) -> None:
        with exit_on_error():
            pass

        assert capsys.readouterr() == ("", "")
