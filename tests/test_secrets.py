"""No secret comes out: not of the configuration, not of the data that is loaded.

The loads here run with every logger at DEBUG, succeed and fail, and then everything that they left
behind is searched: what was logged and printed, errors with their causes, dlt's working folder with
traces and load packages, and the database.
"""

from __future__ import annotations

import gzip
import logging
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pytest
from dlt.pipeline.exceptions import PipelineStepFailed

from opsnest import sources
from opsnest.catalogue.rootly import ROOTLY
from opsnest.explain import explain
from opsnest.journal.file import RecordFile
from opsnest.loading import load
from opssim import (
    CloudBotSimulator,
    Fault,
    RoostSimulator,
    RootlySimulator,
    Running,
    Simulator,
    serve,
)

SOURCES = {
    "roost": "roost_source",
    "rootly": "rootly_incident_management_source",
    "cloud-bot": "cloud_bot_source",
}
#: Settings that are not secret.
_PUBLIC = ("BASE_URL", "CONTROL_ROOM_URL", "USERNAME")


def simulator_of(platform: str) -> Simulator:
    match platform:
        case "roost":
            return RoostSimulator(tests=8, events=8)
        case "rootly":
            return RootlySimulator(incidents=30, alerts=20)
        case _:
            return CloudBotSimulator(executions=15, bots=8)


def secrets_of(running: Running[Simulator]) -> set[str]:
    configured = {
        value for name, value in running.configuration.items() if not name.endswith(_PUBLIC)
    }
    found = configured | running.simulator.secrets()
    assert configured
    assert all(len(secret) >= 8 for secret in found), "too short to be searched for"
    return found


def pipeline_in(folder: Path) -> dlt.Pipeline:
    return dlt.pipeline(
        "secrets",
        destination=dlt.destinations.duckdb(str(folder / "database.duckdb")),
        dataset_name="loaded",
        pipelines_dir=str(folder / "pipelines"),
    )


def everything_of(platform: str) -> Any:
    """Return the source with all resources selected, also those that cost a call a row."""
    source = getattr(sources, SOURCES[platform])()
    chosen = [name for name in source.resources if name != "any-single-resource"]
    return source.with_resources(*chosen)


def enough_of(platform: str) -> Any:
    """Return the source with what may hold secrets: lists by default, children, and known ones."""
    if platform != "rootly":
        return everything_of(platform)
    source = getattr(sources, SOURCES[platform])()
    chosen = [entry.name for entry in ROOTLY.entries if entry.selected or entry.secrets]
    return source.with_resources(*chosen, "incident_events", "workflow_tasks")


def texts_in(database: Path) -> Iterable[str]:
    with duckdb.connect(str(database), read_only=True) as connection:
        columns = connection.execute(
            "SELECT schema_name, table_name, column_name FROM duckdb_columns()"
            " WHERE data_type IN ('VARCHAR', 'JSON') AND NOT internal"
        ).fetchall()
        assert columns
        for schema, table, column in columns:
            query = f'SELECT "{column}"::VARCHAR FROM "{schema}"."{table}"'
            yield from (str(value) for (value,) in connection.execute(query).fetchall())


def assert_none_in(secrets: Iterable[str], text: str, where: str) -> None:
    found = [secret for secret in secrets if secret in text]
    assert not found, f"{where} holds {found[:3]}"


def search(secrets: set[str], folder: Path) -> None:
    for file in folder.rglob("*"):
        if file.is_file() and file.suffix != ".duckdb":
            content = file.read_bytes()
            if file.suffix == ".gz":
                content = gzip.decompress(content)
            assert_none_in(secrets, content.decode("utf-8", "replace"), str(file))


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def configure(running: Running[Simulator], **changes: str) -> None:
        for name, value in {**running.configuration, **changes}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("RUNTIME__LOG_LEVEL", "DEBUG")

    return configure


@pytest.mark.parametrize(
    ("platform", "chosen"),
    [
        ("roost", enough_of),
        ("cloud-bot", enough_of),
        ("rootly", enough_of),
        pytest.param("rootly", everything_of, marks=pytest.mark.long),
    ],
)
def test_a_load_leaves_no_secret_behind(
    platform: str,
    chosen: Callable[[str], Any],
    tmp_path: Path,
    configured: Any,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    with serve(simulator_of(platform)) as running:
        configured(running)
        # a token of a Control Room is a secret too, and there are several during the load
        running.simulator.faults.add(Fault(status=503, every=9, headers={"Retry-After": "0"}))
        pipeline = pipeline_in(tmp_path)
        pipeline.run(chosen(platform))
        secrets = secrets_of(running)
    assert caplog.text
    assert_none_in(secrets, caplog.text, "the log")
    printed = capfd.readouterr()
    assert_none_in(secrets, printed.out + printed.err, "the output")
    assert pipeline.last_trace is not None
    assert_none_in(secrets, str(pipeline.last_trace.asdict()), "the trace")
    assert (tmp_path / "pipelines/secrets/trace.pickle").exists()
    search(secrets, tmp_path)
    texts = "\n".join(set(texts_in(tmp_path / "database.duckdb")))
    assert_none_in(secrets, texts, "the database")


FAULTS = {
    "500": Fault(status=500, body=b'{"message": "boom"}', times=100),
    "not JSON": Fault(
        status=200, body=b"<html><title>Sign in</title></html>", media_type="text/html"
    ),
    "refused": Fault(status=401, body=b'{"message": "Unauthorized"}'),
    "cut": Fault(cut=True),
}


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize("kind", list(FAULTS))
@pytest.mark.parametrize("platform", list(SOURCES))
def test_an_error_tells_no_secret(
    platform: str,
    kind: str,
    tmp_path: Path,
    configured: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    with serve(simulator_of(platform)) as running:
        configured(running)
        running.simulator.faults.add(FAULTS[kind])
        pipeline = pipeline_in(tmp_path)
        with pytest.raises(PipelineStepFailed) as failure:
            pipeline.run(everything_of(platform))
        secrets = secrets_of(running)
    error = explain(failure.value)
    assert error is not None
    assert_none_in(secrets, str(error), "the message")
    whole = "".join(traceback.format_exception(failure.value))
    assert_none_in(secrets, whole, "the traceback")
    assert_none_in(secrets, caplog.text, "the log")
    assert pipeline.last_trace is not None
    assert_none_in(secrets, str(pipeline.last_trace.asdict()), "the trace")
    search(secrets, tmp_path)


@pytest.mark.parametrize("platform", list(SOURCES))
def test_a_wrong_credential_is_not_repeated_in_the_error(
    platform: str, tmp_path: Path, configured: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = "wrong-credential-0123456789"
    with serve(simulator_of(platform)) as running:
        names = [name for name in running.configuration if not name.endswith(_PUBLIC)]
        configured(running, **dict.fromkeys(names, wrong))
        with pytest.raises(PipelineStepFailed) as failure:
            pipeline_in(tmp_path).run(everything_of(platform))
    assert explain(failure.value) is not None
    assert wrong not in "".join(traceback.format_exception(failure.value))
    assert wrong not in caplog.text
    search({wrong}, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("platform", SOURCES)
def test_the_page_journal_has_no_secret(platform: str, tmp_path: Path, configured: Any) -> None:
    path = tmp_path / "kept.journal"
    with serve(simulator_of(platform)) as running:
        configured(running)
        load(pipeline_in(tmp_path), enough_of(platform), keep_journal=path)
        secrets = secrets_of(running)
    file = RecordFile(path)
    pages = [file.body(record) for record in file.records()]
    file.close()
    assert len(pages) > 4
    for page in pages:
        assert_none_in(secrets, page.decode(), "a page")
    assert_none_in(secrets, path.read_bytes().decode("utf-8", "replace"), "the journal")
