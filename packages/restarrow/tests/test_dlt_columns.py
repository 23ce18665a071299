"""What is known of columns before their rows come."""

from __future__ import annotations

from typing import Any

import pytest
from packages.restarrow.tests.dlt_comparison import Comparison, Lists, Pages
from packages.restarrow.tests.dlt_rows import BRIEF, RICH, Row, load_all, pages_of, taken

COLUMNS: dict[str, Any] = {
    "json": {"user": {"data_type": "json"}, "items": {"data_type": "json"}},
    "deep_json": {"user__data": {"data_type": "json"}},
    "text_for_a_timestamp": {"at": {"data_type": "text"}},
    "double_for_integers": {"id": {"data_type": "double"}},
    "nothing_but_nulls": {"never": {"data_type": "text"}},
    "does_not_come": {"absent": {"data_type": "bigint"}},
    "only_a_hint": {"name": {"unique": True}, "fresh": {"description": "new"}},
    "not_null": {"id": {"nullable": False, "data_type": "bigint"}},
    "not_null_without_a_type": {"id": {"nullable": False}},
    "a_name_of_the_api": {"isOpen": {"data_type": "text"}},
    "decimal": {"id": {"data_type": "decimal"}},
    "precision": {"id": {"data_type": "bigint", "precision": 32}},
    "text_of_some_length": {"name": {"data_type": "text", "precision": 40}},
    "date": {"at": {"data_type": "date"}},
    "time_without_a_zone": {"at": {"data_type": "timestamp", "timezone": False}},
    "milliseconds": {"at": {"data_type": "timestamp", "precision": 3}},
    "as_a_list": [{"name": "at", "data_type": "text"}],
    "row_id": {"_dlt_id": {"data_type": "text", "description": "mine"}},
}


#: Rows without nested tables, each of which takes its time to be merged.
FLAT: list[Row] = [
    {
        **row,
        **dict.fromkeys(("items", "matrix", "labels")),
        "user": {"id": row["id"], "data": {"ratio": row["id"] / 2}},
    }
    for row in RICH[:4]
]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # dlt's, of milliseconds
def test_hints_of_columns(compared: Comparison, api: Lists) -> None:
    hints = {name: {"columns": columns} for name, columns in COLUMNS.items()}
    for rows in (BRIEF, BRIEF[:1]):
        load_all(compared, api, dict.fromkeys(hints, pages_of(rows, 2)), hints)
    assert taken(compared, "json", "text_for_a_timestamp", "only_a_hint", "not_null")
    assert compared.reasons("row_id") == {"hints for columns of dlt's own"}
    compared.check()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_hints_of_columns_of_merged_tables(compared: Comparison, api: Lists) -> None:
    merge = {"primary_key": "id", "write_disposition": "merge"}
    more = {
        "hard_delete": {"is_open": {"hard_delete": True, "data_type": "bool"}},
        "dedup_sort": {"at": {"dedup_sort": "desc"}},
    }
    columns = {**COLUMNS, **more}
    del columns["row_id"]  # dlt needs it to be the key of rows
    hints = {name: {"columns": each, **merge} for name, each in columns.items()}
    for more_rows in (0, 1):
        pages: dict[str, Pages] = {}
        for name in hints:
            rows = BRIEF if "json" in name else FLAT
            pages[name] = pages_of([*rows, *rows[:more_rows]], 2)
        load_all(compared, api, pages, hints)
    compared.check()


@pytest.mark.slow
def test_hints_that_come_later(compared: Comparison, api: Lists) -> None:
    for columns in ({}, {"user": {"data_type": "json"}, "new": {"data_type": "bool"}}):
        load_all(compared, api, {"things": [BRIEF]}, {"things": {"columns": columns}})
    compared.check()
