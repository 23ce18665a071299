"""The demo's platforms under Dagster: each asset is materialised, marked and compared."""

from __future__ import annotations

import importlib
import json
import os
import socket
import sys
import time
import urllib.request
from collections.abc import Generator
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
import dlt
import duckdb
import pytest
from tests.dagster_runs import BIN, process, rows_loaded
from tests.rootly_loads import Rootly, Start, source

from opsnest.catalogue import CATALOGUES
from opsnest.dagster import definitions
from opsnest.dagster.assets import ROWS_MATCH
from opsnest.loading import PLATFORMS
from opsnest.sources import rootly_incident_management_source

pytestmark = [
    pytest.mark.slow,
]

_MODULE = "opsnest.dagster.demo"


@pytest.fixture
def demo(monkeypatch: pytest.MonkeyPatch) -> Generator[Any]:
    """Import the demo, as a code location does, in the test's folder."""
    monkeypatch.setenv("DAGSTER_DISABLE_TELEMETRY", "yes")
    monkeypatch.setenv("OPSNEST_EXECUTOR", "in-process")
    monkeypatch.setenv("OPSNEST_DAGSTER_DEMO", "")  # for it to be put back afterwards
    monkeypatch.delenv("OPSNEST_DAGSTER_DEMO")
    sys.modules.pop(_MODULE, None)
    module = importlib.import_module(_MODULE)
    yield module
    module._serving.close()
    del sys.modules[_MODULE]


@pytest.mark.timeout(240)
def test_every_asset_of_the_demo_materializes(demo: Any) -> None:
    checked: dict[str, bool | None] = {}
    for platform, catalogue in CATALOGUES.items():
        result = demo.defs.resolve_job_def(platform.replace("-", "_")).execute_in_process()
        assert result.success
        usual = {entry.name for entry in catalogue.entries if entry.selected}
        assert set(rows_loaded(result)) == usual
        assert sum(rows_loaded(result).values()) > 0
        for check in result.get_asset_check_evaluations():
            checked[check.asset_key.to_user_string()] = check.passed
    assert set(checked.values()) == {True}
    assert "rootly_incident_management_data/incidents" in checked
    with duckdb.connect(str(demo.DATABASE), read_only=True) as database:
        for _, _, dataset in PLATFORMS.values():
            found = database.sql(
                f"SELECT count(*) FROM information_schema.tables WHERE table_schema = '{dataset}'"
            ).fetchall()
            assert found[0][0] > 3
    month = demo.defs.resolve_job_def("cloud_bot_by_month")
    assert month.execute_in_process(partition_key="2026-06-01").success
    # a child process takes the simulators that are there
    assert set(json.loads(os.environ["OPSNEST_DAGSTER_DEMO"])) == set(PLATFORMS)


def rootly_job(rootly: Rootly, folder: Path, *names: str, **options: Any) -> dg.JobDefinition:
    defs = definitions(
        "rootly",
        destination=dlt.destinations.duckdb(str(folder / "loaded.duckdb")),
        resources={"rootly": names},
        sources={"rootly": partial(source, rootly)},
        executor="in-process",
        retry_policy=None,
        **options,
    )
    return defs.resolve_job_def("rootly")


def metadata(result: dg.ExecuteInProcessResult, name: str) -> dict[str, Any]:
    for event in result.get_asset_materialization_events():
        made = event.step_materialization_data.materialization
        if made.asset_key.path[-1] == name:
            return {key: value.value for key, value in made.metadata.items()}
    raise AssertionError(name)


def test_what_changed_is_loaded_marked_and_told(
    rootly: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_DISABLE_TELEMETRY", "yes")
    running = rootly()
    job = rootly_job(running, tmp_path, "incidents", "services")
    first = job.execute_in_process()
    told = metadata(first, "incidents")
    assert told["rows loaded"] == 30
    names = [column.name for column in told["dagster/column_schema"].columns]
    assert {"id", "attributes__title", "deleted_at"} <= set(names)

    running.simulator.insert("incidents", 2)
    running.simulator.delete("services", 1)
    again = job.execute_in_process()
    assert metadata(again, "incidents")["rows loaded"] == 2
    assert metadata(again, "services")["rows marked as deleted"] == 1

    # the API says that it has one more than it lists
    def count(*_of: object) -> int:
        return 33

    monkeypatch.setattr("opsnest.reading.resources.Lists.count", count)
    differs = job.execute_in_process(
        asset_selection=[dg.AssetKey(["rootly_incident_management_data", "incidents"])]
    )
    assert set(rows_loaded(differs)) == {"incidents"}, "a part of the assets can be chosen"
    (check,) = differs.get_asset_check_evaluations()
    assert (check.check_name, check.passed) == (ROWS_MATCH, False)
    assert check.severity == dg.AssetCheckSeverity.WARN
    assert check.metadata["rows in the table"].value == 32
    assert check.metadata["rows at the API"].value == 33


def test_a_refusal_is_one_message(
    rootly: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_DISABLE_TELEMETRY", "yes")
    running = rootly()
    defs = definitions(
        "rootly",
        destination=dlt.destinations.duckdb(str(tmp_path / "loaded.duckdb")),
        resources={"rootly": ["services"]},
        sources={"rootly": lambda: rootly_incident_management_source("wrong", f"{running.url}/v1")},
        executor="in-process",
    )
    job = defs.resolve_job_def("rootly")
    result = job.execute_in_process(raise_on_error=False)
    failure = next(event for event in result.all_events if event.is_step_failure)
    data = failure.step_failure_data.user_failure_data
    assert data is not None
    assert "401" in str(data.description)
    assert "secrets.toml" in str(data.description)
    assert "Traceback" not in str(data.description)
    assert not [event for event in result.all_events if event.is_step_up_for_retry]


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.mark.long
@pytest.mark.timeout(420)
def test_the_page_of_the_demo_has_its_assets(tmp_path: Path, unused_port: int) -> None:
    command = [BIN / "opsnest", "dagster", "demo", "--port", unused_port]
    query = {"query": "{ assetNodes { groupName } }"}
    with process(command, tmp_path / "demo.log") as running:
        address = ("127.0.0.1", unused_port)
        url = f"http://127.0.0.1:{unused_port}/graphql"
        request = urllib.request.Request(
            url, json.dumps(query).encode(), {"Content-Type": "application/json"}
        )
        nodes: list[dict[str, str]] = []
        for _ in range(300):  # all of Dagster's processes have to start
            assert running.poll() is None, (tmp_path / "demo.log").read_text()
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:
                    nodes = json.load(answer)["data"]["assetNodes"]
            except OSError:
                pass
            if nodes:
                break
            time.sleep(1)
    # SIGTERM has ended Dagster too, and not the command alone
    with pytest.raises(OSError, match="refused"), socket.create_connection(address, timeout=5):
        pass
    groups = {node["groupName"] for node in nodes}
    assert {"roost", "rootly", "cloud_bot", "owlette", "rootly_by_month"} <= groups
