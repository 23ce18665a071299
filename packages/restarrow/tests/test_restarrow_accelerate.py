"""Any resource that yields lists of dicts, loaded as tables: what comes of it is the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dlt
import pytest
from dlt.extract import DltResource
from packages.restarrow.tests.dlt_comparison import Comparison

import restarrow.dlt

Pages = list[list[dict[str, Any]]]

ROWS: Pages = [
    [
        {
            "id": at,
            "name": f"row {at}",
            "at": "2026-07-01T10:20:30.123Z",
            "price": at / 4,
            "owner": {"id": str(at % 3), "Full Name": None if at % 2 else "Ada"},
            "tags": [{"tag": at % 7, "marks": [at, at + 1]} for _ in range(at % 4)],
            "free": {"any": [at]},
        }
        for at in range(page, page + 40)
    ]
    for page in range(0, 120, 40)
]


def things(pages: Pages, **hints: Any) -> DltResource:
    def rows() -> Iterator[Any]:
        yield from pages

    made: DltResource = dlt.resource(rows, name="things", **hints)
    return made


def compared(tmp_path: Path, pages: Pages, **hints: Any) -> Comparison:
    """Load a resource as it is, and accelerated."""
    both = Comparison(tmp_path)
    load_both(both, pages, **hints)
    return both


def load_both(both: Comparison, pages: Pages, **hints: Any) -> None:
    def make(module: Any) -> DltResource:
        resource = things(pages, **hints)
        return restarrow.dlt.accelerate(resource) if module is restarrow.dlt else resource

    both.load(make)


def test_the_tables_are_those_of_the_resource_without_it(tmp_path: Path) -> None:
    both = compared(
        tmp_path,
        ROWS,
        primary_key="id",
        write_disposition="merge",
        columns={"free": {"data_type": "json"}},
    )

    both.check()
    assert both.query("SELECT count(*) FROM things") == [(120,)]
    assert both.query("SELECT count(*) FROM things__tags__marks") == [(360,)]


def test_the_report_names_the_lane_of_each_table_and_counts_rows(tmp_path: Path) -> None:
    both = compared(tmp_path, ROWS, primary_key="id", write_disposition="merge")

    report = both.reports["things"]
    assert report.rows == 120
    assert both.lanes("things") == {"columns"}
    assert set(report.lanes) >= {"things"}


def test_rows_that_change_replace_those_that_were_loaded_with_all_that_was_below_them(
    tmp_path: Path,
) -> None:
    hints: dict[str, Any] = {"primary_key": "id", "write_disposition": "merge"}
    both = compared(tmp_path, ROWS, **hints)
    marked: dict[str, Any] = {"name": "changed", "tags": [{"tag": 99}]}
    changed = [row | marked for row in ROWS[1]]

    load_both(both, [changed], **hints)

    both.check()
    assert both.query("SELECT count(*) FROM things WHERE name = 'changed'") == [(40,)]
    assert both.query("SELECT count(*) FROM things__tags WHERE tag = 99") == [(40,)]


def test_what_tables_cannot_express_takes_the_way_of_dlt_and_the_report_says_why(
    tmp_path: Path,
) -> None:
    pages: Pages = [[{"id": 1, "value": 1}], [{"id": 2, "value": {"_dlt_id": "x"}, "_dlt_own": 1}]]
    both = compared(tmp_path, pages)

    both.check()
    assert "dlt" in both.lanes("things")
    assert {"_dlt_own" in reason for reason in both.reasons("things")} == {True}


def test_a_transformer_is_left_alone(tmp_path: Path) -> None:
    @dlt.transformer(name="details")
    def details(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        yield from ({"id": row["id"], "double": 2 * row["id"]} for row in rows)

    inside: Any = details
    steps = len(inside._pipe._steps)

    assert restarrow.dlt.accelerate(details) is details
    assert len(inside._pipe._steps) == steps


@pytest.mark.parametrize("selected", [True, False])
def test_what_is_fed_by_an_accelerated_resource_gets_its_rows(
    tmp_path: Path, selected: bool
) -> None:
    def make(module: Any) -> Any:
        parent = things(ROWS, selected=selected)
        if module is restarrow.dlt:
            restarrow.dlt.accelerate(parent)

        @dlt.transformer(name="details")
        def details(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
            yield from ({"id": row["id"], "tags": row["tags"]} for row in rows)

        fed: Any = parent | details

        @dlt.source(name="both")
        def source() -> Any:
            return [parent, fed]

        return source()

    both = Comparison(tmp_path)
    both.load(make)

    both.check()
    assert both.query("SELECT count(*) FROM details") == [(120,)]
    found = both.query("SELECT table_name FROM information_schema.tables")
    assert (("things",) in found) is selected
