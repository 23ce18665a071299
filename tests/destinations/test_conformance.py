"""The story in each destination: what DuckDB has, cell by cell, step by step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dlt
import pytest
from tests.destinations.servers.places import PLACES, Place
from tests.destinations.stand_ins.statements import Statements
from tests.destinations.story import WRITES, Told, source_of, tell

pytestmark = [
    pytest.mark.destinations,
    pytest.mark.timeout(300),
    # by pyiceberg, of a table that was empty before it is replaced
    pytest.mark.filterwarnings("ignore:Delete operation did not match:UserWarning"),
    # by Google's clients, of what makes reading quicker, and by gcsfs, of logging's old name
    pytest.mark.filterwarnings("ignore:Cannot create BigQuery Storage client:UserWarning"),
    pytest.mark.filterwarnings("ignore:The 'warn' method is deprecated:DeprecationWarning"),
]


@pytest.fixture
def statements(place: Place) -> Statements:
    """Keep what dlt hands to the driver."""
    return Statements(place.dialect, place.verbs)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_tables_are_those_of_duckdb(
    place: Place, request: pytest.FixtureRequest, statements: Statements, tmp_path: Path
) -> None:
    writes = WRITES if place.merges else WRITES[:2]
    hints: dict[str, Any] = dict(place.hints)
    ours = Told(
        place.dataset,
        place.destination(request),
        tmp_path,
        epoch_for_null=place.epoch_for_null,
    )
    theirs = Told("theirs", dlt.destinations.duckdb(str(tmp_path / "theirs.duckdb")), tmp_path)
    told = tell(
        {"ours": ours, "theirs": theirs},
        lambda rows: {
            "ours": source_of(rows, writes=writes, upsert=place.flat, **place.forms, **hints),
            "theirs": source_of(rows, writes=writes, **place.forms),
        },
    )
    for step, cells in enumerate(told):
        found, wanted = cells["ours"], cells["theirs"]
        assert sorted(found) == sorted(wanted), step
        for table, rows in wanted.items():
            assert found[table] == rows, (step, table)
    if place.dialect:
        statements.check()
