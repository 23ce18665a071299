"""Owlette as a source: from the simulated control plane into DuckDB, and what may go wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pytest
from dlt.pipeline.exceptions import PipelineStepFailed

import opssim
from opsnest.errors import AccessError, ConfigurationError, OpsnestError, UnreachableError
from opsnest.explain import explain
from opsnest.sources import owlette_source
from opsnest.sources.owlette import without_signatures
from opssim.owlette import OwletteHabits, OwletteSimulator

Running = opssim.Running[OwletteSimulator]
KEYS = {
    "sites": "id",
    "machines": "site_id, id",
    "processes": "site_id, machine_id, process_id",
    "roosts": "site_id, roost_id",
    "versions": "site_id, roost_id, version_id",
    "version_files": "site_id, roost_id, version_id, path",
    "deployments": "site_id, roost_id, rollout_id",
    "installer_deployments": "site_id, id",
    "webhooks": "site_id, id",
    "webhook_deliveries": "site_id, webhook_id, id",
    "members": "site_id, uid",
    "users": "uid",
    "quotas": "site_id",
    "quota_history": "site_id, date",
    "logs": "site_id, id",
    "audit_log": "site_id, hash",
}


@pytest.fixture
def owlette() -> Generator[Running]:
    with opssim.serve(OwletteSimulator(pace_s=0.02)) as running:
        yield running


class Warehouse:
    """A DuckDB file, and loads into it."""

    def __init__(self, folder: Path, running: Running) -> None:
        self.file = folder / "owlette.duckdb"
        self.folder = folder
        self.running = running

    def load(self, *names: str, token: str | None = None, **settings: Any) -> None:
        """Load all resources, or those that are named."""
        source = owlette_source(
            token=token or self.running.simulator.key, api_url=self.running.url, **settings
        )
        pipeline = dlt.pipeline(
            "owlette",
            destination=dlt.destinations.duckdb(str(self.file)),
            dataset_name="owlette_data",
            pipelines_dir=str(self.folder / "state"),
        )
        pipeline.run(source.with_resources(*names) if names else source)

    def query(self, sql: str) -> list[Any]:
        """Return the rows of a query."""
        with duckdb.connect(str(self.file), read_only=True) as connection:
            connection.execute("USE owlette_data")
            return connection.sql(sql).fetchall()

    def counts(self) -> dict[str, int]:
        """Return how many rows each table has."""
        names = self.query(
            "SELECT table_name FROM information_schema.tables "
            "WHERE table_schema = 'owlette_data' AND NOT starts_with(table_name, '_dlt')"
        )
        counted = [f"SELECT '{name}', count(*) FROM \"{name}\"" for (name,) in names]
        return dict(self.query(" UNION ALL ".join(counted)))

    def asked(self) -> Counter[str]:
        """Return how often each path was asked for since the last time."""
        seen = Counter(each.path for each in self.running.simulator.requests.all())
        self.running.simulator.requests.clear()
        return seen


@pytest.fixture
def warehouse(tmp_path: Path, owlette: Running) -> Warehouse:
    return Warehouse(tmp_path, owlette)


def refusal(fault: PipelineStepFailed) -> OpsnestError:
    """Return what a user is told."""
    error = explain(fault)
    assert error is not None
    return error


def doubled(warehouse: Warehouse) -> set[str]:
    """Return the tables in which a key is there twice."""
    grouped = [
        f"(SELECT '{name}' FROM {name} GROUP BY {key} HAVING count(*) > 1)"
        for name, key in KEYS.items()
    ]
    return {name for (name,) in warehouse.query(" UNION ALL ".join(grouped))}


def holding_a_secret(warehouse: Warehouse, secrets: Iterable[str]) -> list[Any]:
    """Return the columns in which one of these is."""
    columns = warehouse.query(
        "SELECT table_name, column_name FROM information_schema.columns "
        "WHERE table_schema = 'owlette_data' AND data_type IN ('VARCHAR', 'JSON')"
    )
    assert columns
    searched = [
        f"SELECT '{table}.{column}' FROM \"{table}\" WHERE "
        + " OR ".join(f"contains(\"{column}\"::VARCHAR, '{secret}')" for secret in secrets)
        for table, column in columns
    ]
    return warehouse.query(" UNION ALL ".join(searched))


def test_everything_is_loaded_again_and_again_with_equal_counts_and_no_secret(
    warehouse: Warehouse, owlette: Running
) -> None:
    world = owlette.simulator.world
    url, _ = world.urls.sign("GET", "screenshots/one.png", 60)
    world.log("site-1", "crash", screenshotUrl=url, details={"seen": [url]})

    warehouse.load()
    first = warehouse.counts()
    assert set(KEYS) <= set(first)
    assert all(first[name] for name in KEYS)
    assert (first["machines"], first["processes"], first["versions"]) == (10, 20, 2)
    calls = warehouse.asked()
    counted = sum(count for path, count in calls.items() if path.endswith("/processes"))
    assert counted == 10
    assert sum(calls.values()) < 100

    warehouse.load()
    assert warehouse.counts() == first
    assert doubled(warehouse) == set()

    assert holding_a_secret(warehouse, ["crash"]) == [("logs.action",)], "it can be found"
    assert holding_a_secret(warehouse, [*owlette.simulator.secrets(), "sig="]) == []
    (found,) = warehouse.query("SELECT screenshot_url FROM logs WHERE action = 'crash'")
    assert found[0] == url.partition("?")[0]

    owlette.simulator.insert("versions")
    warehouse.load()
    assert warehouse.query("SELECT max(version_number) FROM versions") == [(3,)]
    assert warehouse.query("SELECT version_counter FROM roosts") == [(3,)]
    assert warehouse.counts()["deployments"] == 3


def test_files_of_a_version_are_read_once(warehouse: Warehouse, owlette: Running) -> None:
    warehouse.load("version_files")
    assert sum(path.endswith("/files") for path in warehouse.asked()) == 2
    warehouse.load("version_files")
    assert not any(path.endswith("/files") for path in warehouse.asked())
    owlette.simulator.insert("versions")
    warehouse.load("version_files")
    assert sum(path.endswith("/files") for path in warehouse.asked()) == 1
    assert warehouse.query("SELECT count(*) FROM version_files WHERE path = 'index.html'") == [(3,)]


def test_only_what_is_new_of_a_log_is_read(warehouse: Warehouse, owlette: Running) -> None:
    world = owlette.simulator.world
    for number in range(450):
        world.log("site-1", "tick", details={"number": number})
    warehouse.load("logs", "audit_log")
    path = "/api/sites/site-1/logs"
    assert warehouse.asked()[path] == 3
    before = warehouse.counts()["logs"]
    world.log("site-1", "tock")
    warehouse.load("logs", "audit_log")
    assert warehouse.asked()[path] == 1
    assert warehouse.counts()["logs"] == before + 1
    assert warehouse.query("SELECT count(*) FROM logs WHERE action = 'tock'") == [(1,)]


def test_records_of_one_moment_come_once(warehouse: Warehouse, owlette: Running) -> None:
    owlette.simulator.clock.freeze()
    world = owlette.simulator.world
    for each in ("one", "two"):
        world.log("site-2", each)
    warehouse.load("logs")
    world.log("site-2", "three")
    warehouse.load("logs")
    found = warehouse.query("SELECT action FROM logs WHERE site_id = 'site-2' ORDER BY action")
    assert [action for (action,) in found if action in {"one", "two", "three"}] == [
        "one",
        "three",
        "two",
    ]


def test_a_load_that_is_cut_off_leaves_the_mark_where_it_was(
    warehouse: Warehouse, owlette: Running
) -> None:
    for number in range(450):
        owlette.simulator.world.log("site-1", "tick", details={"number": number})
    fault = opssim.Fault("/logs", every=2, status=400, body=b'{"code": "validation_failed"}')
    owlette.simulator.faults.add(fault)
    with pytest.raises(PipelineStepFailed):
        warehouse.load("logs")
    owlette.simulator.faults.clear()
    warehouse.load("logs")
    assert warehouse.query("SELECT count(*) FROM logs WHERE action = 'tick'") == [(450,)]


def test_more_calls_than_the_budget_are_refused_before_any_is_made(
    warehouse: Warehouse,
) -> None:
    with pytest.raises(PipelineStepFailed) as raised:
        warehouse.load(call_budget=9)
    error = refusal(raised.value)
    assert isinstance(error, ConfigurationError)
    assert "owlette_source / processes needs 10 calls" in str(error)
    assert "the budget is 9" in str(error)
    assert "site_ids" in str(error)
    assert not any(path.endswith("/processes") for path in warehouse.asked())
    warehouse.load("processes", call_budget=9, spread=True)
    warehouse.load("processes", call_budget=2, site_ids=["site-2"])


def test_spreading_waits_for_the_limit(tmp_path: Path) -> None:
    habits = OwletteHabits(limit_per_hour=8)
    with opssim.serve(OwletteSimulator(habits=habits)) as running:
        fault = opssim.Fault("/processes$", every=5, times=1, status=429)
        running.simulator.faults.add(fault)
        warehouse = Warehouse(tmp_path, running)
        warehouse.load("processes", call_budget=1, spread=True, site_ids=["site-2"])
        assert warehouse.counts()["processes"] == 4


def test_what_a_key_may_not_read_is_left_out_unless_it_was_chosen(
    warehouse: Warehouse, owlette: Running, caplog: pytest.LogCaptureFixture
) -> None:
    reading = [
        {"resource": resource, "id": "*", "permissions": ["read"]}
        for resource in ("site", "roost", "machine")
    ]
    key = owlette.simulator.new_key(*reading)
    warehouse.load(token=key)
    left_out = {name for name in ("users", "members", "audit_log") if name in caplog.text}
    assert left_out == {"users", "members", "audit_log"}
    assert "machines" in warehouse.counts()
    assert "users" not in warehouse.counts()
    with pytest.raises(PipelineStepFailed) as raised:
        warehouse.load("users", token=key)
    error = refusal(raised.value)
    assert isinstance(error, AccessError)
    assert "owlette_source / users: the API key may not read this" in str(error)
    assert "read on user:*" in str(error)


def test_a_wrong_key_and_a_wrong_site_are_explained(warehouse: Warehouse) -> None:
    mistakes: list[tuple[dict[str, Any], str]] = [
        ({"token": "owk_live_wrong"}, "Check `token` under [sources.owlette_source]"),
        ({"site_ids": ["nowhere"]}, "Check `site_ids`"),
    ]
    for settings, words in mistakes:
        with pytest.raises(PipelineStepFailed) as raised:
            warehouse.load("machines", **settings)
        error = refusal(raised.value)
        assert isinstance(error, AccessError)
        assert words in str(error)
        assert "owk_live_wrong" not in str(error)


def test_an_api_that_is_not_there_is_explained(tmp_path: Path, owlette: Running) -> None:
    nowhere = opssim.Running(owlette.simulator, "http://127.0.0.1:9")
    with pytest.raises(PipelineStepFailed) as raised:
        Warehouse(tmp_path, nowhere).load("sites")
    assert isinstance(refusal(raised.value), UnreachableError)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("https://a.example/x?sig=1&exp=2", "https://a.example/x"),
        ("https://a.example/x?X-Amz-Signature=1#top", "https://a.example/x#top"),
        ("https://a.example/x?token=", "https://a.example/x"),
        ("https://a.example/x?page=2", "https://a.example/x?page=2"),
        ("https://[broken/x?sig=1", "https://[broken/x?sig=1"),
        ("what is this?", "what is this?"),
    ],
)
def test_urls_lose_what_is_a_permission(text: str, kept: str) -> None:
    row = {"a": text, "b": [{"c": text}, 7], "d": None}
    assert without_signatures(row) == {"a": kept, "b": [{"c": kept}, 7], "d": None}


def test_the_script_and_the_command_load_it(tmp_path: Path, owlette: Running) -> None:
    script = Path(__file__).parents[1] / "pipelines" / "owlette_pipeline.py"
    environment = {
        **os.environ,
        **owlette.configuration,
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "DLT_DATA_DIR": str(tmp_path / "dlt"),
    }
    command = ["-m", "opsnest", "load", "owlette", "--resource", "machines"]
    for arguments in ([str(script)], command):
        said = subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert said.returncode == 0, said.stderr
        assert owlette.simulator.key not in said.stdout + said.stderr
    assert "owlette_data" in said.stdout
