"""What `pipeline.dataset()` gives: the same rows to pandas, Polars, Arrow and Ibis."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pandas as pd
import polars as pl
import pytest
from tests.warehouse import Warehouse

from opsnest.sources import rootly_incident_management_source
from opssim import RootlySimulator, serve

NAME = "attributes__title"
STARTED = "attributes__started_at"
Row = tuple[str, str, datetime]


@pytest.fixture(scope="module")
def data(shared_warehouse: Warehouse) -> Any:
    """Load incidents once, and return dlt's dataset."""
    with serve(RootlySimulator(incidents=30)) as running, pytest.MonkeyPatch.context() as patch:
        for name, value in running.configuration.items():
            patch.setenv(name, value)
        source = rootly_incident_management_source().with_resources("incidents")
        shared_warehouse.pipeline.run(source)
    return shared_warehouse.pipeline.dataset()


@pytest.fixture(scope="module")
def expected(data: Any) -> list[Row]:
    """Return the rows as the database's own driver gives them."""
    rows = data.incidents.select("id", NAME, STARTED).fetchall()
    assert len(rows) == 30
    return sorted((key, title, at.astimezone(UTC)) for key, title, at in rows)


def test_pandas(data: Any, expected: list[Row]) -> None:
    frame: Any = data.incidents.df()

    assert isinstance(frame, pd.DataFrame)
    rows = frame[["id", NAME, STARTED]].itertuples(index=False, name=None)
    assert sorted((key, title, at.to_pydatetime()) for key, title, at in rows) == expected


def test_arrow(data: Any, expected: list[Row]) -> None:
    table: Any = data.incidents.arrow()

    assert type(table).__module__ == "pyarrow.lib"
    rows = table.select(["id", NAME, STARTED]).to_pylist()
    assert sorted(tuple(row.values()) for row in rows) == expected


def test_arrow_in_parts(data: Any, expected: list[Row]) -> None:
    parts = list(data.incidents.select("id").iter_arrow(chunk_size=8))

    assert sorted(key for part in parts for key in part["id"].to_pylist()) == [
        key for key, _, _ in expected
    ]


def test_polars(data: Any, expected: list[Row]) -> None:
    frame = pl.DataFrame(data.incidents.arrow())

    assert frame.schema[STARTED] == pl.Datetime("us", "UTC")
    assert sorted(frame.select("id", NAME, STARTED).rows()) == expected


def test_ibis(data: Any, expected: list[Row]) -> None:
    incidents = data.ibis().table("incidents")

    rows = incidents.select("id", NAME, STARTED).to_pyarrow().to_pylist()
    assert sorted(tuple(row.values()) for row in rows) == expected
    assert incidents.count().to_pyarrow().as_py() == len(expected)


def test_a_relation_as_an_expression_of_ibis(data: Any, expected: list[Row]) -> None:
    chosen = data.incidents.to_ibis()
    first = chosen.filter(chosen.id == expected[0][0])

    assert data(first).select(NAME).fetchall() == [(expected[0][1],)]
