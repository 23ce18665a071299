"""`opsnest status`: what it finds in dlt's own records of real loads, and what it ends with."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Generator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dlt
import pytest
from dlt.pipeline.exceptions import PipelineStepFailed
from packages.opsnest.tests.test_cli import complaint, opsnest
from rich.console import Console
from typer.testing import CliRunner, Result

from opsnest.cli import app
from opsnest.durations import ago, duration
from opsnest.errors import ConfigurationError, StatusError
from opsnest.loading import PLATFORMS, load
from opsnest.sources import rootly_incident_management_source
from opsnest.status.destinations import Place
from opsnest.status.judging import Verdict, judged, verdicts
from opsnest.status.records import Failure, Records, read_records
from opsnest.status.showing import as_table
from opssim import Fault, RootlySimulator, Running, serve

SOURCE, NAME, DATASET = PLATFORMS["rootly"]
TWO_HOURS = timedelta(hours=2)
ISO = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


def status(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(app, ["status", *arguments])
    assert result.exit_code == code, result.output
    return result


def told(*arguments: str, code: int = 0) -> dict[str, Any]:
    """Return the JSON of the only pipeline that is told of."""
    found = json.loads(status("--json", *arguments, code=code).stdout)
    assert found["healthy"] is (code == 0)
    (only,) = found["pipelines"]
    pipeline: dict[str, Any] = only
    return pipeline


def rootly_pipeline() -> dlt.Pipeline:
    return dlt.pipeline(NAME, destination="duckdb", dataset_name=DATASET)


def services(running: Running[RootlySimulator]) -> Any:
    source = rootly_incident_management_source(running.simulator.token, f"{running.url}/v1")
    return source.with_resources("services", "teams")


@dataclass
class Loaded:
    """A platform that was loaded, then again with nothing new, and then with a new row."""

    running: Running[RootlySimulator]
    folder: Path
    began: datetime


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Generator[Loaded]:
    """Load once for all tests here: each looks at a copy, as loads are what takes time."""
    folder = tmp_path_factory.mktemp("status")
    began = datetime.now(UTC)
    with (
        pytest.MonkeyPatch.context() as patch,
        serve(RootlySimulator(incidents=3, alerts=3, services=3, teams=2)) as running,
    ):
        patch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
        patch.setenv("DLT_DATA_DIR", str(folder / "dlt"))
        patch.chdir(folder)
        load(rootly_pipeline(), services(running))
        running.simulator.insert("services", 1)
        load(rootly_pipeline(), services(running))
        yield Loaded(running, folder, began)


@pytest.fixture
def loaded(once: Loaded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Loaded:
    """Copy what was loaded, for a test to do something to."""
    shutil.copytree(once.folder, tmp_path, dirs_exist_ok=True)
    # the copy is loaded from its own folder
    state = tmp_path / "dlt/pipelines" / NAME / "state.json"
    state.write_text(state.read_text().replace(str(once.folder), str(tmp_path)))
    trace = state.with_name("trace.pickle")
    assert trace.exists()
    monkeypatch.setenv("DLT_DATA_DIR", str(tmp_path / "dlt"))
    return Loaded(once.running, tmp_path, once.began)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


# what is well


def test_a_load_is_told_with_its_times_and_tables(loaded: Loaded) -> None:
    before = contents(loaded.folder)

    found = told()

    assert (found["pipeline"], found["state"]) == (NAME, "ok")
    assert (found["destination"], found["dataset"]) == ("duckdb", DATASET)
    assert found["rows_of_last_run"] == {"services": 1}
    assert found["tables"].keys() == {"services", "teams"}
    assert found["tables"]["teams"] <= found["tables"]["services"] <= found["last_load_at"]
    for name in ("fresh_at", "last_run_at", "last_good_run_at", "last_load_at"):
        assert re.fullmatch(ISO, found[name])
        assert loaded.began - timedelta(seconds=1) <= datetime.fromisoformat(found[name])
    assert found["problems"] == found["notes"] == found["failed_jobs"] == []
    assert found["last_failure"] is None
    assert contents(loaded.folder) == before


def test_lines_are_plain_and_say_when_in_two_ways(loaded: Loaded) -> None:
    result = status("rootly", "--tables")

    line, *tables = result.stdout.splitlines()
    when = rf"{ISO} \(\d+ (s|min) ago\)"
    assert re.fullmatch(
        rf"{NAME}: ok  last good run {when}  last load {when}  1 row  duckdb: {DATASET}", line
    )
    assert re.fullmatch(rf"{NAME}  services  {when}  1 row in the last run", tables[0])
    assert re.fullmatch(rf"{NAME}  teams  {when}  0 rows in the last run", tables[1])
    assert result.stderr == ""


def test_on_a_terminal_it_is_a_table_in_colour() -> None:
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    ill = judged(
        Records(name="[red]roost", destination="duckdb", succeeded=now - timedelta(hours=5)),
        Place(),
        stale_after=TWO_HOURS,
        now=now,
    )
    console = Console(force_terminal=True, width=200, color_system="standard")

    with console.capture() as shown:
        console.print(as_table([ill], now=now))

    text = re.sub(r"\x1b\[[\d;]*m", "", shown.get())
    assert "pipeline" in text
    assert "[red]roost" in text
    assert "\x1b[33mstale" in shown.get()
    assert "2026-03-01T07:00:00Z (5 h ago)" in text


def test_a_run_that_found_nothing_new_is_fresh_all_the_same(loaded: Loaded) -> None:
    before = told()
    load(rootly_pipeline(), services(loaded.running))

    after = told()

    assert after["state"] == "ok"
    assert after["last_load_at"] == before["last_load_at"]
    assert after["last_good_run_at"] >= before["last_good_run_at"]
    assert after["rows_of_last_run"] == {}
    trace = read_records(loaded.folder / "dlt/pipelines", NAME)
    assert trace.succeeded
    assert trace.succeeded > datetime.fromisoformat(before["last_load_at"])


# what is not


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


def test_a_first_run_that_failed_is_told(once: Loaded) -> None:
    source = rootly_incident_management_source("mistyped-token", f"{once.running.url}/v1")
    with pytest.raises(PipelineStepFailed, match="extract"):
        load(rootly_pipeline(), source.with_resources("services"))

    found = told(code=9)

    assert found["state"] == "failed"
    assert [text.partition(" ")[0] for text in found["problems"]] == ["extract", "nothing"]
    assert "the credentials were not accepted" in found["problems"][0]
    assert "nothing was ever loaded" in found["problems"][1]
    assert found["fresh_at"] is None


def test_a_run_that_was_interrupted_is_told(once: Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    source = services(once.running)
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


# elsewhere


def test_what_was_loaded_elsewhere_is_asked_of_the_destination(
    loaded: Loaded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = loaded.folder / f"{NAME}.duckdb"
    monkeypatch.setenv("DLT_DATA_DIR", str(tmp_path / "another machine"))
    monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS", f"duckdb:///{database}")

    assert told("rootly", code=9)["state"] == "never"
    found = told("rootly", "--to", "duckdb")

    assert found["state"] == "ok"
    assert found["last_good_run_at"] is None
    assert found["fresh_at"] == found["last_load_at"]
    # another platform is not in there
    other = told("roost", "--to", "duckdb", code=9)
    assert (other["state"], other["last_load_at"]) == ("never", None)
    assert not (tmp_path / "another machine/pipelines" / NAME).exists()


def test_a_server_that_cannot_be_reached_is_told_without_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # port 9 is for discarding; nothing listens there
    url = "postgresql://loader:hunter2hunter2@127.0.0.1:9/ops?connect_timeout=2"
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", url)

    result = status("rootly", "--to", "postgres", code=9)

    assert f"{NAME}: unreachable" in result.stdout
    assert "the destination cannot be asked" in result.stdout
    assert "127.0.0.1" in result.stdout
    assert "hunter2" not in result.output
    assert "Traceback" not in result.output


def test_settings_that_are_missing_are_named() -> None:
    found = told("rootly", "--to", "postgres", code=9)

    assert "settings are missing: DESTINATION__POSTGRES__CREDENTIALS__" in found["problems"][0]


def test_files_are_a_destination_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DESTINATION__FILESYSTEM__BUCKET_URL", (tmp_path / "lake").as_uri())
    pipeline = dlt.pipeline("to_files", destination="filesystem", dataset_name="data")
    pipeline.run([{"id": 1}, {"id": 2}], table_name="things")

    found = told()

    assert (found["pipeline"], found["state"]) == ("to_files", "ok")
    assert found["destination"] == "filesystem"
    assert re.fullmatch(ISO, found["last_load_at"])
    assert found["rows_of_last_run"] == {"things": 2}

    shutil.rmtree(tmp_path / "lake")
    assert told("to_files", code=9)["state"] == "unreachable"


def test_a_file_that_was_named_in_python_is_found(tmp_path: Path) -> None:
    database = tmp_path / "it is here.duckdb"
    pipeline = dlt.pipeline(
        "named", destination=dlt.destinations.duckdb(str(database)), dataset_name="data"
    )
    pipeline.run([{"id": 1}], table_name="things")

    assert told()["state"] == "ok"
    assert not (tmp_path / "named.duckdb").exists()


# nothing, and nonsense


def test_without_any_pipeline_it_says_so_and_is_content(tmp_path: Path) -> None:
    result = status()

    folder = f"{os.environ['DLT_DATA_DIR']}/pipelines"
    assert result.stdout == f"No pipeline has run here: {folder} has none.\n"
    assert json.loads(status("--json").stdout)["pipelines"] == []
    assert "nowhere" in status("--pipelines-dir", str(tmp_path / "nowhere")).stdout


def test_a_platform_that_was_never_loaded_is_not_well() -> None:
    result = status("roost", "cloud-bot", "roost", code=StatusError.exit_code)

    assert [line.partition("  ")[0] for line in result.stdout.splitlines()[::2]] == [
        "roost_pipeline: never",
        "cloud_bot_pipeline: never",
    ]
    assert "nothing was ever loaded" in result.stdout


def test_a_process_ends_with_9() -> None:
    message = complaint(opsnest("status", "rootly"), 9)

    assert message == f"not well, of 1 in all: {NAME} (never).\n"


def test_nonsense_is_told() -> None:
    assert "'pagerduty' is no platform" in status("pagerduty", code=3).stderr
    assert "--stale-after 'soon'" in status("--stale-after", "soon", code=3).stderr
    assert "no destination 'floppy'" in status("rootly", "--to", "floppy", code=3).stderr


def test_records_of_another_dlt_are_as_good_as_none(loaded: Loaded) -> None:
    home = loaded.folder / "dlt/pipelines" / NAME
    (home / "trace.pickle").write_bytes(b"\x80\x05not a pickle")

    found = told()

    # the packages and the destination still tell
    assert found["state"] == "ok"
    assert found["last_good_run_at"]
    (home / "state.json").write_text("{")
    broken = told(code=9)
    assert broken["state"] == "unreachable"
    assert "its state.json is broken" in broken["problems"][0]


# judging

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


def judge(records: Records, place: Place) -> Verdict:
    return judged(records, place, stale_after=TWO_HOURS, now=NOW)


def test_a_failure_that_another_machine_has_made_up_for_is_none() -> None:
    failed = Records(name="p", destination="postgres", failure=Failure(at(30), "load", "no"))

    assert judge(failed, Place(loaded=at(60))).state == "failed"
    assert judge(failed, Place(loaded=at(10))).state == "ok"


def test_the_worst_is_the_state_and_all_of_it_is_told() -> None:
    records = Records(
        name="p",
        destination="postgres",
        succeeded=at(600),
        failure=Failure(at(30), "extract", "no"),
        pending=(at(40), at(20)),
    )

    verdict = judge(records, Place(problem="no route to host"))

    assert verdict.state == "failed"
    assert [text.partition(":")[0] for text in verdict.problems] == [
        "extract failed 30 min ago",
        "2 load packages pending, since 40 min ago",
        "the destination cannot be asked",
        "the last good run was 10 h ago",
    ]


def test_a_load_that_runs_for_too_long_is_pending_all_the_same() -> None:
    records = Records(
        name="p", destination="duckdb", succeeded=at(50), pending=(at(5),), running=True
    )
    assert judge(records, Place(loaded=at(50))).state == "ok"
    hanging = replace(records, pending=(at(200),))
    assert judge(hanging, Place(loaded=at(50))).state == "pending"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s ago"), (119, "119 s ago"), (180, "3 min ago"), (7199, "120 min ago"),
     (7200, "2 h ago"), (200_000, "2 days ago"), (-5, "in the future")],
)  # fmt: skip
def test_how_long_ago_something_was(seconds: int, words: str) -> None:
    assert ago(timedelta(seconds=seconds)) == words


def test_lengths_of_time_are_read() -> None:
    lengths = [duration(text, "--x") for text in ("90s", "15m", "2H", "1d", " 1w ")]
    assert [length.total_seconds() for length in lengths] == [90, 900, 7200, 86_400, 604_800]
    for text in ("", "0h", "-1h", "1", "h", "1.5h", "1y", "9999999d"):
        with pytest.raises(ConfigurationError, match="is no length of time"):
            duration(text, "--x")
