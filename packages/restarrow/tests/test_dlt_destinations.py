"""Which rows take Arrow lanes into which destination, and that files hold what dlt's own do."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import dlt
import pytest
from packages.restarrow.tests.dlt_comparison import (
    Comparison,
    Database,
    Lists,
    Pages,
    Side,
    config,
)
from packages.restarrow.tests.dlt_rows import BRIEF, CHANGED, DISPOSITIONS, RICH, Row
from packages.restarrow.tests.test_dlt_shapes import SHAPES

import restarrow.dlt
from restarrow.dlt.destinations import Way
from restarrow.normalise import Column

pa: Any = import_module("pyarrow")
pq: Any = import_module("pyarrow.parquet")

#: Texts that are odd in files, and rows of them that hold each as a cell, nested, and in JSON.
TEXTS = [
    "",
    "NULL",
    '"',
    "'",
    "a,b",
    'a"b',
    "a\nb",
    "a\r\nb",
    "\\N",
    "\\",
    "\t",
    " x ",
    "é",
    "\x01",
]
TEXT_ROWS: list[Row] = [
    {"id": number, "text": text, "nested": {"list": [text, None, ""]}, "json": {"a": text}}
    for number, text in enumerate(TEXTS)
]
#: Numbers at the edges of what is a double.
NUMBERS = [0.5, -0.0, 1e-7, 1e22, 123456789.123456789, 1 / 3, 1.7976931348623157e308, 100000.0]
NUMBER_ROWS: list[Row] = [
    {"id": number, "double": value, "list": [0.5, value]} for number, value in enumerate(NUMBERS)
]
TIMES = ["2026-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", None]
TIME_ROWS: list[Row] = [{"id": number, "at": text} for number, text in enumerate(TIMES)]


class Files(Side):
    """One of the two that are compared: a pipeline and its folder of Parquet files."""

    def pipeline(self) -> dlt.Pipeline:
        made = dlt.pipeline(
            "compared",
            destination=dlt.destinations.filesystem(str(self.folder / "bucket")),
            dataset_name="data",
            pipelines_dir=str(self.folder / "pipelines"),
        )
        made.config.restore_from_destination = False
        return made

    def read(self, tables: Mapping[str, Any]) -> Database:
        columns: dict[str, list[tuple[str, str]]] = {}
        rows: dict[str, list[dict[str, Any]]] = {}
        for folder in sorted((self.folder / "bucket" / "data").iterdir()):
            # in the order of loads: the first part of a file's name
            files = [pq.read_table(file) for file in sorted(folder.glob("*.parquet"))]
            if files:
                fields = {(each.name, str(each.type)) for file in files for each in file.schema}
                columns[folder.name] = sorted(fields)
                rows[folder.name] = [row for file in files for row in file.to_pylist()]
        parents = {name: table["parent"] for name, table in tables.items() if "parent" in table}
        loads = {row["_dlt_load_id"] for each in rows.values() for row in each if is_root(row)}
        return Database(columns, rows, parents, sorted(loads))


def is_root(row: Row) -> bool:
    return "_dlt_load_id" in row


@pytest.fixture
def files(tmp_path: Path) -> Comparison:
    return Comparison(tmp_path, kind=Files)


def load(
    compared: Comparison, api: Lists, pages: Mapping[str, Pages], hints: Mapping[str, Row]
) -> None:
    """Load lists whose files are to be Parquet."""
    api.pages = dict(pages)
    resources = [
        {"name": name, "endpoint": name, "file_format": "parquet", **hints.get(name, {})}
        for name in pages
    ]
    compared.load(lambda rest: rest.rest_api_source(config(api, *copy.deepcopy(resources))))


def test_files_hold_what_dlts_own_hold(files: Comparison, api: Lists) -> None:
    pages: dict[str, Pages] = {
        **{f"shape_{number}": shape for number, shape in enumerate(SHAPES)},
        "texts": [TEXT_ROWS],
        "numbers": [NUMBER_ROWS],
        "times": [TIME_ROWS],
    }
    hints = {"texts": {"columns": {"json": {"data_type": "json"}}}}

    load(files, api, pages, hints)
    load(files, api, {name: [*reversed(several)] for name, several in pages.items()}, hints)

    files.check()
    assert files.lanes("texts") == {"columns"}
    assert "bytes" in {lane for name in pages for lane in files.lanes(name)}


def test_files_grow_and_are_replaced_as_dlts_own(files: Comparison, api: Lists) -> None:
    hints = {name: DISPOSITIONS[name] for name in ("append", "replace")}
    for rows in (RICH, CHANGED, RICH[3:]):
        load(files, api, {name: [rows[:5], rows[5:]] for name in hints}, hints)
    files.check()
    assert not files.reasons("append") | files.reasons("replace")


@pytest.mark.parametrize("file_format", [None, "jsonl"])
def test_files_of_another_format_are_dlts(
    files: Comparison, api: Lists, file_format: str | None
) -> None:
    api.pages["things"] = [BRIEF]
    resource: Row = {"name": "things", "endpoint": "things"}
    if file_format:
        resource["file_format"] = file_format

    files.load(lambda rest: rest.rest_api_source(config(api, resource)))

    assert files.lanes("things") == {"dlt"}
    assert files.reasons("things") == {
        "its files are not parquet, unless file_format of the resource says so"
    }
    assert list((files.arrow.folder / "bucket" / "data" / "things").glob("*.jsonl*"))


def test_postgres_takes_a_binary_copy_before_csv() -> None:
    capabilities = restarrow.dlt.postgres("postgresql://a:b@127.0.0.1/c").capabilities()
    formats = list(capabilities.supported_loader_file_formats)
    assert formats.index("parquet") < formats.index("csv")
    assert capabilities.preferred_loader_file_format == "insert_values"


# ---- ways

COLUMNS = {"text": Column("text", True), "json": Column("json", True), "d": Column("double", True)}


def table(**columns: list[Any]) -> Any:
    return pa.table(columns)


def test_a_way_without_json_leaves_tables_with_json() -> None:
    why = Way(json=None).why_not("things", table(json=["{}"]), COLUMNS)
    assert why == "JSON in things, which the destination would take for a text"
    assert Way(json=None).why_not("things", table(text=["{}"]), {"text": COLUMNS["text"]}) is None


@pytest.mark.parametrize(("text", "is_left"), [("a\x00", True), ("", False), (None, False)])
def test_null_characters_are_left_where_they_get_lost(text: str | None, *, is_left: bool) -> None:
    why = Way(null_characters=False).why_not("things", table(text=["a", text]), COLUMNS)
    assert (why is not None) is is_left
    assert Way().why_not("things", table(text=["a", text]), COLUMNS) is None


@pytest.mark.parametrize(("text", "is_left"), [("", True), (" ", False), (None, False)])
def test_empty_texts_are_left_where_they_become_null(text: str | None, *, is_left: bool) -> None:
    why = Way(empty_texts=False).why_not("things", table(text=["a", text]), COLUMNS)
    assert (why is not None) is is_left


def test_only_the_rows_of_a_slice_are_looked_at() -> None:
    way = Way(empty_texts=False, null_characters=False)
    whole = table(text=["", "a", "b\x00"])
    assert way.why_not("things", whole.slice(1, 1), COLUMNS) is None
    assert way.why_not("things", whole.slice(0, 1), COLUMNS) is not None
    assert way.why_not("things", whole.slice(2, 1), COLUMNS) is not None


def test_jsonb_begins_with_its_version_and_nulls_stay() -> None:
    given = table(json=["{}", None, "[1]"], text=["a", None, "c"])
    written = Way(json="jsonb").written(given, COLUMNS)
    assert written.to_pydict() == {"json": ["\x01{}", None, "\x01[1]"], "text": ["a", None, "c"]}
    assert written.schema == given.schema
    assert Way().written(given, COLUMNS) is given


def test_zero_loses_its_sign_where_dlt_loses_it() -> None:
    given = table(d=[-0.0, 1.5, None])
    assert [str(each) for each in Way(signed_zero=False).written(given, COLUMNS)["d"]] == [
        "0.0",
        "1.5",
        "None",
    ]
    assert str(Way().written(given, COLUMNS)["d"][0]) == "-0.0"
