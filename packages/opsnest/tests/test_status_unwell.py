"""`opsnest status` of pipelines that are not well: each fault is told, with its reason."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from dlt.pipeline.exceptions import PipelineStepFailed
from packages.opsnest.tests.status_loads import (
    NAME,
    TWO_HOURS,
    Loaded,
    rootly_pipeline,
    services,
    status,
    told,
)

from opsnest.loading import load
from opsnest.sources import rootly_incident_management_source
from opsnest.status.judging import verdicts
from opssim import Fault


def test_what_is_old_is_stale(loaded: Loaded) -> None:
    folder = loaded.folder / "dlt/pipelines"
    now = datetime.now(UTC) + timedelta(hours=3)

    (stale,) = verdicts(folder, ["rootly"], stale_after=TWO_HOURS, now=now)
    (well,) = verdicts(folder, [NAME], stale_after=timedelta(hours=4), now=now)

    assert (stale.state, stale.problems) == ("stale", ("the last good run was 3 h ago",))
    assert (well.state, well.problems) == ("ok", ())


def test_what_failed_is_told_with_its_reason_and_without_secrets(loaded: Loaded) -> None:
    token = loaded.running.simulator.token
    body = json.dumps({"errors": [{"title": f"no: Bearer {token}"}]}).encode()
    fault = Fault(path="/v1/services", status=400, body=body)
    loaded.running.simulator.faults.add(fault)
    with pytest.raises(PipelineStepFailed, match="extract"):
        load(rootly_pipeline(), services(loaded.running))

    result = status(code=9)
    found = told(code=9)

    assert found["state"] == "failed"
    assert found["last_failure"]["step"] == "extract"
    assert "the API refused the request" in found["problems"][0]
    assert "GET /v1/services -> 400" in found["last_failure"]["why"]
    assert found["last_load_at"]
    assert result.stderr == f"error: not well, of 1 in all: {NAME} (failed).\n"
    assert token not in result.output + json.dumps(found)

    # and once it works again, it is forgotten
    loaded.running.simulator.faults.clear()
    load(rootly_pipeline(), services(loaded.running))
    assert told()["last_failure"] is None


def test_a_first_run_that_failed_is_told(loaded_once: Loaded) -> None:
    source = rootly_incident_management_source("mistyped-token", f"{loaded_once.running.url}/v1")
    with pytest.raises(PipelineStepFailed, match="extract"):
        load(rootly_pipeline(), source.with_resources("services"))

    found = told(code=9)

    assert found["state"] == "failed"
    assert [text.partition(" ")[0] for text in found["problems"]] == ["extract", "nothing"]
    assert "the credentials were not accepted" in found["problems"][0]
    assert "nothing was ever loaded" in found["problems"][1]
    assert found["fresh_at"] is None


def test_a_run_that_was_interrupted_is_told(
    loaded_once: Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    source = services(loaded_once.running)
    for resource in source.resources.values():
        resource.add_map(interrupted)
    with pytest.raises(PipelineStepFailed, match="extract"):
        load(rootly_pipeline(), source)

    assert told(code=9)["last_failure"]["why"] == "it was interrupted"


def test_what_was_extracted_and_not_loaded_is_pending(loaded: Loaded) -> None:
    loaded.running.simulator.insert("services", 1)
    pipeline = rootly_pipeline()
    pipeline.run()  # as a load begins
    pipeline.extract(services(loaded.running))

    found = told(code=9)

    assert found["state"] == "pending"
    assert len(found["pending_since"]) == 1
    assert "1 load package pending, since" in found["problems"][0]

    # normalised and not loaded is no better
    pipeline.normalize()
    assert told(code=9)["state"] == "pending"

    # while what cron or systemd started is at it, there is nothing to do
    lock = loaded.folder / "dlt/pipelines" / f"{NAME}.lock"
    with subprocess.Popen(
        ["flock", str(lock), "cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdin
        assert holder.stdout
        holder.stdin.write("held\n")
        holder.stdin.flush()
        assert holder.stdout.readline() == "held\n"
        running = told()
        holder.communicate()
    assert running["state"] == "ok"
    assert "a load is running" in running["notes"][0]
    assert told(code=9)["state"] == "pending"


def test_a_file_that_another_process_holds_is_told(loaded: Loaded) -> None:
    hold = f"import duckdb; c = duckdb.connect('{NAME}.duckdb'); print('held', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", hold],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=loaded.folder,
        text=True,
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        found = told()
        line = status().stdout
        holder.communicate("\n")

    # the records here say that it is well
    assert found["state"] == "ok"
    assert found["last_load_at"] is None
    assert "the DuckDB file is open in another program" in found["notes"][0]
    assert "open in another program" in line


def test_a_database_that_is_gone_is_told_and_not_made_anew(loaded: Loaded) -> None:
    database = loaded.folder / f"{NAME}.duckdb"
    other = loaded.folder / "other.duckdb"
    database.rename(other)
    # what the trace says of where it was is another folder's
    trace = loaded.folder / "dlt/pipelines" / NAME / "trace.pickle"
    trace.unlink()

    found = told(code=9)

    assert found["state"] == "unreachable"
    assert f"there is no DuckDB file {database}" in found["problems"][0]
    assert not database.exists()
    assert found["last_good_run_at"]  # from the packages that are kept


def test_a_dataset_that_is_gone_is_told(loaded: Loaded) -> None:
    with rootly_pipeline().sql_client() as client:
        client.drop_dataset()

    found = told(code=9)

    assert found["state"] == "unreachable"
    assert "nothing is at the destination" in found["problems"][0]


def test_rows_that_were_refused_for_good_are_told(loaded: Loaded) -> None:
    packages = loaded.folder / "dlt/pipelines" / NAME / "load/loaded"
    newest = max(packages.iterdir(), key=lambda each: float(each.name))
    (newest / "failed_jobs").mkdir(exist_ok=True)
    failed = newest / "failed_jobs/services.abc.0.parquet.exception"
    failed.write_text("type mismatch, password=hunter2hunter2\nin a row")

    found = told(code=9)

    assert found["state"] == "failed"
    (job,) = found["failed_jobs"]
    assert job.startswith("services: type mismatch, password=")
    assert "hunter2" not in json.dumps(found)
