"""Tables as a caller sees them: shapes, order, lanes, refusals, and a schema that lives on."""

from __future__ import annotations

import gc
import json
import tracemalloc
from importlib import import_module
from typing import Any

import dlt
import pytest
from packages.restarrow.tests.normalise_cases import Case, Settings, compare, ours, refusal

from restarrow.errors import UnsupportedError
from restarrow.normalise import Batch, Column, Normaliser, Options, Raws

# without types
pa: Any = import_module("pyarrow")
pq: Any = import_module("pyarrow.parquet")


def normalised(*rows: Any, **options: Any) -> Batch:
    return Normaliser("Things", options=Options(load_id="1", **options)).normalise(rows)


def names(batch: Batch, table: str = "things") -> list[str]:
    columns: list[str] = batch.tables[table].column_names
    return columns


def test_the_last_object_of_a_level_comes_first() -> None:
    batch = normalised({"a": {"x": 1, "y": {"z": 2}}, "b": 3, "c": {"q": 4}})
    assert names(batch) == ["b", "c__q", "a__x", "a__y__z", "_dlt_load_id", "_dlt_id"]


def test_a_column_begins_with_its_first_value() -> None:
    batch = normalised({"a": None, "b": 1}, {"a": 2, "n": None})
    assert names(batch) == ["b", "_dlt_load_id", "_dlt_id", "a"]


def test_lists_become_tables_that_know_their_parents() -> None:
    batch = normalised({"l": [1, None, {"m": [[2]]}]}, {"l": []}, root_key=True)
    assert list(batch.tables) == ["things", "things__l", "things__l__m", "things__l__m__list"]
    assert batch.parents["things__l__m__list"] == "things__l__m"
    assert names(batch, "things__l") == [
        *("value", "_dlt_root_id", "_dlt_parent_id", "_dlt_list_idx", "_dlt_id")
    ]
    root = batch.tables["things"].column("_dlt_id")[0]
    assert set(batch.tables["things__l__m__list"].column("_dlt_root_id")) == {root}
    assert batch.tables["things__l"].column("_dlt_list_idx").to_pylist() == [0, 1, 2]


def test_rows_of_nothing_are_rows() -> None:
    assert normalised({}, {"a": {}}, {"b": []}).tables["things"].num_rows == 3


def test_variants_take_what_does_not_fit() -> None:
    batch = normalised({"v": 1}, {"v": 1.5}, {"v": "x"}, {"v": "7"}, {"v": True})
    table = batch.tables["things"]
    assert table.column("v").to_pylist() == [1, None, None, 7, None]
    assert table.column("v__v_double").to_pylist() == [None, 1.5, None, None, None]
    assert table.column("v__v_text").to_pylist() == [None, None, "x", None, None]
    assert table.column("v__v_bool").to_pylist() == [None, None, None, None, True]


def test_types_and_nullability_are_those_of_dlt() -> None:
    batch = normalised(
        {"t": "x", "i": 1, "d": 0.5, "b": True, "at": "2024-01-01T00:00Z", "j": [1]}, max_nesting=0
    )
    schema = batch.tables["things"].schema
    assert [field.type for field in schema] == [
        *(pa.string(), pa.int64(), pa.float64(), pa.bool_(), pa.timestamp("us", "UTC")),
        *(pa.string(), pa.string(), pa.string()),
    ]
    assert [field.name for field in schema if not field.nullable] == ["_dlt_load_id", "_dlt_id"]


def test_known_columns_come_first_and_are_kept() -> None:
    known = {"things": {"id": Column("bigint", nullable=False), "note": Column("text")}}
    normalise = Normaliser("things", columns=known, options=Options(load_id="1"))
    table = normalise.normalise([{"id": "5", "x": 1}]).tables["things"]
    assert table.column_names == ["id", "note", "x", "_dlt_load_id", "_dlt_id"]
    assert table.to_pylist()[0]["id"] == 5
    assert list(known["things"]) == ["id", "note"], "what the caller gave is not changed"


def test_a_declared_column_comes_where_its_type_is_found() -> None:
    known = {"things": {"id": Column(nullable=False)}}
    normalise = Normaliser("things", columns=known, options=Options(load_id="1"))
    assert normalise.normalise([{"a": 1, "id": 2}]).tables["things"].column_names[:2] == ["a", "id"]
    assert normalise.columns["things"]["id"] == Column("bigint", nullable=False)


def test_the_schema_grows_from_batch_to_batch() -> None:
    normalise = ours(Settings())
    normalise.normalise([{"a": 1}])
    table = normalise.normalise([{"b": "x", "l": [1]}]).tables["things"]
    assert table.column_names == ["a", "_dlt_load_id", "_dlt_id", "b"]
    assert table.column("a").to_pylist() == [None]
    assert list(normalise.columns) == ["things", "things__l"]


def test_the_name_of_the_table_is_normalised() -> None:
    assert Normaliser("MyThings").table == "my_things"


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([{"a": 2**63}], "64 bits"),
        ([{"a": 1.5}, {"a": float("nan")}], "not a number"),
        ([{"a": "x"}, {"a": "\uf026x"}], "type mark"),
        ([{"a": "x"}, {"a": "\ud800"}], "surrogate"),
        ([{"_dlt_id": "x"}], "for itself"),
        ([{"_dlt": {"id": "x"}}], "for itself"),
        ([{"__": 1}], "no name"),
        ([{"": [1]}], "no name"),
        ([{"v": 1}, {"v": "2024-01-01T00:00Z"}, {"v": "x"}], "stops"),
        ([{"a": 1j}], "not JSON"),
        ([{"at": "2024-01-01T00:00Z"}, {"at": "10:"}], "stops"),
    ],
)
def test_what_is_refused(rows: list[Any], why: str) -> None:
    assert why in refusal(rows)


def test_columns_of_other_types_are_refused() -> None:
    normalise = Normaliser("things", columns={"things": {"d": Column("decimal")}})
    with pytest.raises(UnsupportedError, match="decimal"):
        normalise.normalise([{"a": 1}])


@pytest.mark.parametrize("row", [{"id": None}, {}, {"id": "x"}])
def test_nulls_where_there_must_be_none_are_refused(row: dict[str, Any]) -> None:
    known = {"things": {"id": Column("bigint", nullable=False)}}
    normalise = Normaliser("things", columns=known)
    with pytest.raises(UnsupportedError, match="not nullable"):
        normalise.normalise([{"id": 1}, row])


def test_a_refusal_leaves_the_schema_as_it_was() -> None:
    normalise = ours(Settings())
    normalise.normalise([{"a": 1}])
    before = {table: dict(columns) for table, columns in normalise.columns.items()}
    with pytest.raises(UnsupportedError):
        normalise.normalise([{"b": 1}, {"c": 2**63}])
    assert normalise.columns == before
    assert normalise.normalise([{"a": 2}]).tables["things"].column("a").to_pylist() == [2]


@pytest.mark.parametrize(
    "rows",
    [
        [{"Id": 1, "id": 2}],
        [{"a": {"b": 1}, "a__b": 2}],
        [{"a": {"l": [1]}, "a__l": [2]}],
        [{"l": [[1], {"a": 1}]}],
        [{"v": 1, "v__v_text": "x"}, {"v": "y"}],
        [1, "x", None, [2], {"value": 3}],
    ],
)
def test_tangled_names_go_row_by_row_and_are_equal(rows: list[Any]) -> None:
    assert compare(Case(Settings(root_key=True), [rows, rows])).lanes == ["rows", "rows"]


def test_objects_deeper_than_the_stack_are_refused() -> None:
    deep: dict[str, Any] = {}
    for _ in range(5000):
        deep = {"a": deep}
    assert "deep" in refusal([deep])


def test_the_garbage_collector_is_left_as_it_was() -> None:
    normalised({"a": 1})
    assert gc.isenabled()
    gc.disable()
    try:
        normalised({"a": 1})
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_a_whole_pipeline_of_dlt_writes_the_same_files() -> None:
    rows: list[Any] = [
        {"id": 1, "at": "2024-01-01T00:00:00Z", "in": {"x": [1, "a", {"k": 1.5}]}, "v": 1},
        {"id": 2, "v": "x", "in": {"x": [], "y": {"z": True}}, "none": None},
    ]
    pipeline = dlt.pipeline("reference", destination=dlt.destinations.duckdb("reference.duckdb"))
    pipeline.extract(rows, table_name="things", loader_file_format="parquet")
    pipeline.normalize()
    batch = ours(Settings()).normalise(rows)
    found = 0
    for package in pipeline.list_normalized_load_packages():
        for job in pipeline.get_load_package_info(package).jobs["new_jobs"]:
            table = batch.tables.get(job.job_file_info.table_name)
            if table is None:
                continue
            found += 1
            written = pq.read_table(job.file_path)
            assert written.schema.equals(table.schema)
            ids = [
                name
                for name in table.column_names
                if name.startswith("_dlt") and name.endswith("_id")
            ]
            assert written.drop_columns(ids).equals(table.drop_columns(ids))
    assert found == len(batch.tables) == 2


def sparse(rows: int, keys: int) -> list[dict[str, int]]:
    """Make rows none of which has a key of another."""
    return [{f"k{row}_{key}": key for key in range(keys)} for row in range(rows)]


@pytest.mark.parametrize("within", [False, True])
@pytest.mark.parametrize("as_bytes", [False, True])
def test_rows_with_keys_of_their_own_do_not_fill_the_memory(
    *, within: bool, as_bytes: bool
) -> None:
    rows: list[Any] = sparse(3000, 10)
    rows = [{"labels": row} for row in rows] if within else rows
    given = Raws([json.dumps(row).encode() for row in rows]) if as_bytes else rows
    normaliser = Normaliser("things")
    tracemalloc.start()
    try:
        with pytest.raises(UnsupportedError, match=r"things: .* 89,970,000 of its cells"):
            normaliser.normalise(given)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 50_000_000  # and not the 720 MB of 90 million places in lists
    assert not normaliser.columns


def test_a_wide_table_is_made_in_pieces() -> None:
    normaliser = Normaliser("things")
    wide = {f"k{key}": key for key in range(5000)}
    rows: list[Any] = [wide, *({"k1": row} for row in range(10_000))]
    (first,) = normaliser.pieces(rows[:1])
    normaliser.normalise(first)
    pieces = list(normaliser.pieces(rows))
    assert [row for piece in pieces if not isinstance(piece, Raws) for row in piece] == rows
    assert {len(piece) for piece in pieces} == {1599, len(rows) - 1599 * (len(pieces) - 1)}
    raws = Raws([b"{}"] * 2000, checked=True)
    assert [
        (len(piece), piece.checked) for piece in normaliser.pieces(raws) if isinstance(piece, Raws)
    ] == [
        (1599, True),
        (401, True),
    ]


def test_nulls_in_a_wide_table_have_a_bound() -> None:
    normaliser = Normaliser("things")
    normaliser.normalise([{f"k{key}": key for key in range(5000)}])
    with pytest.raises(UnsupportedError, match="of its cells would be null"):
        normaliser.normalise([{"k1": 1}] * 7000)
    with pytest.raises(UnsupportedError, match="of its cells would be null"):
        normaliser.normalise([{"k1": 1, "K1": 1}] * 7000)  # row by row
