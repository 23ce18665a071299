"""What destinations can and cannot do, as Opsnest counts on it: a newer dlt may change it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import dlt
import pytest
from dlt.pipeline.exceptions import PipelineStepFailed
from tests.destinations.story import STEPS, Told, source_of

from opsnest import sources
from opsnest.loading import PLATFORMS
from opssim import (
    CloudBotSimulator,
    OwletteSimulator,
    RoostSimulator,
    RootlySimulator,
    Simulator,
    serve,
)

pytestmark = [
    pytest.mark.destinations,
    # by pyiceberg, of a table that was empty before it is replaced
    pytest.mark.filterwarnings("ignore:Delete operation did not match:UserWarning"),
]

DATABASE = {"delete-insert", "upsert", "insert-only", "scd2", "cdc"}
OPTIMISED = {"truncate-and-insert", "insert-from-staging", "staging-optimized"}
STAGED = OPTIMISED - {"staging-optimized"}
#: Ways of merging and of replacing, by destination and the format of its tables.
WAYS: dict[tuple[str, str | None], tuple[set[str], set[str]]] = {
    ("duckdb", None): (DATABASE, STAGED),
    ("postgres", None): (DATABASE, OPTIMISED),
    ("snowflake", None): (DATABASE, OPTIMISED),
    ("bigquery", None): (DATABASE, OPTIMISED),
    ("databricks", None): (DATABASE, OPTIMISED),
    ("redshift", None): ({"delete-insert", "scd2"}, STAGED),
    ("filesystem", None): (set(), {"truncate-and-insert"}),
    ("filesystem", "delta"): ({"upsert", "insert-only", "cdc"}, {"insert-from-staging"}),
    ("filesystem", "iceberg"): ({"upsert", "insert-only"}, {"insert-from-staging"}),
}


@pytest.mark.parametrize(("name", "table_format"), WAYS)
def test_ways_of_writing(name: str, table_format: str | None) -> None:
    capabilities: Any = getattr(dlt.destinations, name)().capabilities()
    table = {"name": "any", "table_format": table_format}
    merges = capabilities.supported_merge_strategies
    if choose := capabilities.merge_strategies_selector:
        merges = choose(merges, table_schema=table)
    replaces = capabilities.supported_replace_strategies
    if choose := capabilities.replace_strategies_selector:
        replaces = choose(replaces, table_schema=table)
    assert (set(merges), set(replaces)) == WAYS[name, table_format]


SIMULATORS: dict[str, Callable[[], Simulator]] = {
    "roost": RoostSimulator,
    "rootly": RootlySimulator,
    "cloud-bot": CloudBotSimulator,
    "owlette": OwletteSimulator,
}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_sources_have_root_keys_from_the_first_load(
    platform: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # without them, tables that were replaced or appended to could not be merged into later
    make: Any = getattr(sources, PLATFORMS[platform][0])
    with serve(SIMULATORS[platform]()) as running:
        for name, value in running.configuration.items():
            monkeypatch.setenv(name, value)
        assert make().root_key is True


def files(folder: Path, name: str) -> Told:
    destination = dlt.destinations.filesystem((folder / "bucket").as_uri())
    return Told(name, destination, folder)


def test_dlt_appends_to_plain_files_that_are_to_be_merged(tmp_path: Path) -> None:
    place = files(tmp_path, "merged_files")
    for rows in STEPS[:2]:
        place.load(source_of(rows, writes=("merge",), file_format="parquet"))
    # each version of a row: 1, 2 and 4 are there twice
    assert len(place.cells()["merged_things"]) == len(STEPS[0]) + len(STEPS[1])


@pytest.mark.usefixtures("extensions")
def test_dlt_leaves_items_over_in_delta_tables(tmp_path: Path) -> None:
    place = files(tmp_path, "merged_delta")
    for rows in STEPS[:2]:
        place.load(source_of(rows, writes=("merge",), upsert=True, table_format="delta"))
    items = place.cells()["merged_things__items"]
    # 2 has one item, d and e are left over
    assert sum("'d'" in item or "'e'" in item for item in items) == 2


@pytest.mark.usefixtures("extensions")
def test_dlt_merges_no_new_column_into_iceberg_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOAD__RAISE_ON_MAX_RETRIES", "1")
    place = files(tmp_path, "merged_iceberg")
    hints: dict[str, Any] = {"flat": True, "upsert": True, "table_format": "iceberg"}
    place.load(source_of(STEPS[0], writes=("merge",), **hints))
    with pytest.raises(PipelineStepFailed, match="field names are not matching"):
        place.load(source_of(STEPS[2], writes=("merge",), **hints))
