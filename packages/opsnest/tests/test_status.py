"""`opsnest status`: what it finds in dlt's own records of real loads, and what it ends with."""

from __future__ import annotations

import json
import os
import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dlt
import pytest
from packages.opsnest.tests.status_loads import (
    DATASET,
    ISO,
    NAME,
    TWO_HOURS,
    Loaded,
    rootly_pipeline,
    services,
    status,
    told,
)
from packages.opsnest.tests.test_cli import complaint, opsnest
from rich.console import Console

from opsnest.errors import StatusError
from opsnest.loading import load
from opsnest.status.destinations import Place
from opsnest.status.judging import judged
from opsnest.status.records import Records, read_records
from opsnest.status.showing import as_table


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
