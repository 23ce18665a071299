"""The examples of dltHub's pages for Roost, Rootly and Cloud bot, run as they stand there.

Each is the page's own code in a script of the page's own name: the same imports, calls, names and
configuration. Only the base URL is another, and the token comes from `.dlt/secrets.toml`, in the
section that the page names. Our source then loads the same rows into the same tables.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pytest

from opsnest import sources
from opssim import (
    CloudBotSimulator,
    RoostQuirks,
    RoostSimulator,
    RootlySimulator,
    Running,
    Simulator,
    serve,
)
from opssim.core.store import Table

_SCRIPT = """\
import dlt
from dlt.sources.rest_api import RESTAPIConfig, rest_api_resources

@dlt.source
def {source}({argument}=dlt.secrets.value):
    config: RESTAPIConfig = {{
        "client": {{
            "base_url": "{base_url}",
            "auth": {{
                "type": "bearer",
                "token": {argument},
            }},
        }},
        "resources": [
            {resources}
        ],
    }}
    yield from rest_api_resources(config)

def get_data() -> None:
    pipeline = dlt.pipeline(
        pipeline_name="{name}_pipeline",
        destination="duckdb",
        dataset_name="{name}_data",
    )
    load_info = pipeline.run({source}())
    print(load_info)

get_data()
"""


@dataclass(frozen=True)
class Page:
    """The example of one page."""

    name: str
    source: str
    path: str
    resources: str
    tables: tuple[str, ...]
    argument: str = "token"


PAGES = {
    "roost": Page(
        name="roost",
        source="roost_source",
        path="/api",
        resources="""\
{"name": "tests", "endpoint": {"path": "test"}},
            {"name": "events", "endpoint": {"path": "test/event"}}""",
        tables=("tests", "events"),
    ),
    "rootly": Page(
        name="rootly_incident_management",
        source="rootly_incident_management_source",
        path="/v1",
        resources="""\
{"name": "incidents", "endpoint": {"path": "incidents", "data_selector": "data"}},
            {"name": "alerts", "endpoint": {"path": "alerts", "data_selector": "data"}}""",
        tables=("incidents", "alerts"),
    ),
    "cloud-bot": Page(
        name="cloud_bot",
        source="cloud_bot_source",
        path="",
        resources="""\
{"name": "automations", "endpoint": {"path": "v3/automations", "data_selector": "automations"}},
            {"name": "executions", "endpoint": {"path": "v3/automations/executions", """
        """"data_selector": "executions"}}""",
        tables=("automations", "executions"),
        argument="management_token",
    ),
}


def simulator_of(platform: str) -> Simulator:
    match platform:
        case "roost":
            # the page sends none of the parameters that the real API requires
            return RoostSimulator(tests=30, events=70, quirks=RoostQuirks(required_params=False))
        case "rootly":
            return RootlySimulator(incidents=60, alerts=90)
        case _:
            return CloudBotSimulator(executions=80)


def token_of(simulator: Simulator) -> str:
    if isinstance(simulator, CloudBotSimulator):
        return simulator.management_token
    assert isinstance(simulator, RoostSimulator | RootlySimulator)
    return simulator.token


def page_lists(table: Table) -> Callable[[str], bool]:
    """Tell which rows a page's endpoint lists: `v3/automations` knows no folders."""

    def listed(key: str) -> bool:
        row = table.get(key)
        return row is not None and not row.data().get("folder", False)

    return listed


def run_page(page: Page, url: str, token: str) -> str:
    """Run the example of a page in this folder and return what it printed."""
    Path(".dlt").mkdir(exist_ok=True)
    Path(".dlt/secrets.toml").write_text(f'[sources.{page.source}]\n{page.argument} = "{token}"\n')
    script = Path(f"{page.name}_pipeline.py")
    script.write_text(
        _SCRIPT.format(
            source=page.source,
            argument=page.argument,
            base_url=url + page.path,
            resources=page.resources,
            name=page.name,
        )
    )
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def load_ours(
    page: Page, running: Running[Simulator], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Load the page's tables with our source of the same name."""
    for name, value in running.configuration.items():
        monkeypatch.setenv(name, value)
    source = getattr(sources, page.source)().with_resources(*page.tables)
    pipeline = dlt.pipeline(
        "ours",
        destination=dlt.destinations.duckdb(str(folder / "ours.duckdb")),
        dataset_name="loaded",
        pipelines_dir=str(folder / "ours"),
    )
    pipeline.run(source)


def keys(database: str, dataset: str, table: str) -> list[Any]:
    with duckdb.connect(database, read_only=True) as connection:
        return sorted(connection.sql(f"SELECT id FROM {dataset}.{table}").fetchall())


def check_columns_and_values(page: Page) -> None:
    """Compare what both made of an incident, cell by cell, bar secrets and JSON columns."""
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{page.name}_pipeline.duckdb' AS theirs (READ_ONLY)")
        connection.execute("ATTACH 'ours.duckdb' AS ours (READ_ONLY)")
        described = {
            side: dict(
                connection.execute(
                    "SELECT column_name, data_type FROM duckdb_columns()"
                    f" WHERE database_name = '{side}' AND table_name = 'incidents'"
                    " AND schema_name NOT LIKE '%staging%' AND column_name NOT LIKE '_dlt%'"
                ).fetchall()
            )
            for side in ("ours", "theirs")
        }
        secret = {name for name in described["theirs"] if name.endswith("_password")}
        as_json = {name for name in described["theirs"] if name.startswith("attributes__labels")}
        assert secret
        expected = {
            name: kind for name, kind in described["theirs"].items() if name not in secret | as_json
        }
        ours = {name: kind for name, kind in described["ours"].items() if name in expected}
        assert ours == expected
        # labels are a table of keys and values, and rows that go are marked
        assert set(described["ours"]) - set(expected) == {"deleted_at"}
        columns = ", ".join(f'"{name}"' for name in sorted(expected))
        both = [
            connection.execute(f"SELECT {columns} FROM {table} ORDER BY id").fetchall()
            for table in ("ours.loaded.incidents", f"theirs.{page.name}_data.incidents")
        ]
        assert len(both[0]) == 60
        assert both[0] == both[1]


@pytest.mark.parametrize("platform", list(PAGES))
def test_the_example_of_a_page_and_our_source_load_the_same_tables(
    platform: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = PAGES[platform]
    with serve(simulator_of(platform)) as running:
        printed = run_page(page, running.url, token_of(running.simulator))
        load_ours(page, running, tmp_path, monkeypatch)
    assert f"Pipeline {page.name}_pipeline load step" in printed
    assert f"into dataset {page.name}_data" in printed
    assert "is LOADED and contains no failed jobs" in printed
    for table in page.tables:
        loaded = keys(f"{page.name}_pipeline.duckdb", f"{page.name}_data", table)
        everything = running.simulator.tables[table]
        assert [key for (key,) in loaded] == sorted(
            filter(page_lists(everything), everything.keys())
        )
        assert [key for (key,) in keys("ours.duckdb", "loaded", table)] == sorted(everything.keys())
    if platform == "rootly":
        check_columns_and_values(page)
