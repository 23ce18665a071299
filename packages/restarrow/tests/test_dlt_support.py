"""What restarrow leaves to dlt by itself: the tables are equal, and it says why."""

from __future__ import annotations

import copy
import itertools
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dlt
import pytest
from packages.restarrow.tests.dlt_comparison import Comparison, Lists, config
from pydantic import BaseModel

import restarrow.dlt

Row = dict[str, Any]
ROWS: list[Row] = [
    {"id": number, "name": f"n{number}", "kind": "ab"[number % 2], "items": [{"k": number}]}
    for number in range(5)
]
CHANGED: list[Row] = [
    {**row, "name": row["id"], "extra": [1, {"x": 2}], "items": row["items"] * 2}
    for row in ROWS[1:]
]


class Thing(BaseModel):
    id: int
    name: str | int
    kind: str


def _merge(strategy: str) -> Row:
    return {
        "primary_key": "id",
        "write_disposition": {"disposition": "merge", "strategy": strategy},
    }


def _kind(row: Row) -> str:
    return str(row["kind"])


def _table(row: Row) -> str:
    return f"table_{row['kind']}"


def _append(_: Row) -> str:
    return "append"


_HASHED = "a merge strategy with hashed ids"
#: Hints of resources, and why they are left to dlt.
HINTS: dict[str, tuple[Row, str]] = {
    "upsert": (_merge("upsert"), _HASHED),
    "insert_only": (_merge("insert-only"), _HASHED),
    "scd2": ({"write_disposition": {"disposition": "merge", "strategy": "scd2"}}, _HASHED),
    "discard_row": ({"schema_contract": {"columns": "discard_row"}}, "a schema contract"),
    "discard_value": ({"schema_contract": {"columns": "discard_value"}}, "a schema contract"),
    "no_new_tables": ({"schema_contract": {"tables": "discard_row"}}, "a schema contract"),
    "evolve": ({"schema_contract": "evolve"}, "a schema contract"),
    "nested_hints": (
        {"nested_hints": {"items": {"columns": {"k": {"name": "k", "data_type": "text"}}}}},
        "nested hints",
    ),
    "nested_key": ({"nested_hints": {"items": {"primary_key": "k"}}}, "nested hints"),
    "validator": ({"columns": Thing}, "a validator"),
    "table_by_row": ({"table_name": _table}, "dynamic hints"),
    "all_by_row": (
        {"table_name": _kind, "write_disposition": _append},
        "dynamic hints",
    ),
    "jsonl": ({"file_format": "jsonl"}, "a file format"),
}


def _load(
    compared: Comparison, api: Lists, hints: Mapping[str, Any], rows: list[Row], **options: Any
) -> None:
    api.pages = {name: [rows[:2], rows[2:]] for name in hints}

    def make(rest: Any) -> Any:
        resources = [
            {"name": name, "endpoint": name, **copy.deepcopy(each)} for name, each in hints.items()
        ]
        return rest.rest_api_source(config(api, *resources), **options)

    compared.load(make)


def test_hints_of_resources(compared: Comparison, api: Lists) -> None:
    hints = {name: each for name, (each, _) in HINTS.items()}
    for rows in (ROWS, CHANGED):
        _load(compared, api, hints, rows)
        assert compared.arrow.failures == []
        for name, (_, why) in HINTS.items():
            assert compared.reasons(name) == {why}, name
            assert compared.reports[name].rows == len(rows)
    compared.check()


def test_ids_that_are_hashes_of_keys(compared: Comparison, api: Lists) -> None:
    for rows in (ROWS, CHANGED):
        _load(compared, api, {"things": _merge("upsert")}, rows)
    compared.check()
    sql = "SELECT id, _dlt_id FROM things ORDER BY id"
    assert compared.query(sql) == compared.query(sql, of=compared.dlt)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"schema_contract": {"columns": "freeze"}}, "a schema contract"),
        pytest.param(
            {"schema_contract": {"data_type": "discard_value"}},
            "a schema contract",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_contracts_of_sources(compared: Comparison, api: Lists, options: Row, why: str) -> None:
    for rows in (ROWS, CHANGED):
        _load(compared, api, {"things": {}}, rows, **options)
        assert compared.reasons("things") == {why}
    compared.check(failed=options["schema_contract"].get("columns") == "freeze")


@pytest.mark.slow
def test_a_contract_that_comes_later(compared: Comparison, api: Lists) -> None:
    _load(compared, api, {"things": {}}, ROWS)
    assert compared.reasons("things") == set()
    for rows in (CHANGED, CHANGED):
        _load(compared, api, {"things": {"schema_contract": {"columns": "discard_row"}}}, rows)
    _load(compared, api, {"things": {}}, CHANGED)
    compared.check()


@pytest.mark.parametrize(
    "naming",
    [
        "sql_cs_v1",
        pytest.param("direct", marks=pytest.mark.slow),
        pytest.param("sql_ci_v1", marks=pytest.mark.slow),
    ],
)
def test_other_naming_conventions(
    compared: Comparison, api: Lists, naming: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCHEMA__NAMING", naming)
    for rows in (ROWS, CHANGED):
        _load(compared, api, {"bigThings": {}}, [{**row, "camelCase": 1} for row in rows])
        assert compared.reasons("bigThings") == {"a naming convention of its own"}
    compared.check()


#: Settings of schemas, and why they are left to dlt.
SETTINGS = {
    "preferred_types": "preferred types",
    "detections": "type detections of its own",
    "filters": "a contract or filter of the table",
    "passed_on_by_roots": "columns that are passed on to nested tables",
    "passed_on_by_tables": "columns that are passed on to nested tables",
}


def _schema(setting: str) -> Any:
    """Make a schema with a setting, which has its name, as the resource in it has."""
    made: Any = dlt.Schema(setting)
    propagated: Row = {
        "passed_on_by_roots": {"root": {"id": "_thing_id"}},
        "passed_on_by_tables": {"tables": {setting: {"id": "_thing_id"}}},
        "root_key": {"root": {"_dlt_id": "_dlt_root_id"}},
    }
    if setting == "preferred_types":
        made.update_preferred_types({"re:^id$": "text"})
    elif setting == "detections":
        made.add_type_detection("timestamp")
    elif setting == "filters":
        made.update_table({"name": setting, "columns": {}, "filters": {"excludes": ["re:^name$"]}})
    else:
        normaliser: Any = made.data_item_normalizer
        normaliser.update_normalizer_config(made, {"propagation": propagated[setting]})
    return made


def test_settings_of_schemas(compared: Comparison, api: Lists) -> None:
    settings = [*SETTINGS, "root_key"]
    api.pages = {each: [ROWS] for each in settings}
    for _ in range(2):
        compared.load(
            lambda rest: [
                rest.rest_api_source(config(api, each), schema=_schema(each)) for each in settings
            ]
        )
        for setting, why in SETTINGS.items():
            assert compared.reasons(setting) == {why}
            assert compared.lanes(setting) == {"dlt"}
        assert compared.lanes("root_key") == {"columns"}
    compared.check()


def _load_in_turns(compared: Comparison, api: Lists, *several: str) -> None:
    """Load lists, each under one disposition after the other, side by side."""
    for turns in itertools.zip_longest(*(each.split() for each in several)):
        hints: dict[str, Row] = {
            name.replace(" ", "_"): _merge(turn)
            if turn in {"upsert", "scd2"}
            else {"primary_key": "id", "write_disposition": turn}
            for name, turn in zip(several, turns, strict=True)
            if turn
        }
        _load(compared, api, hints, ROWS)


def test_what_stays_of_earlier_dispositions(compared: Comparison, api: Lists) -> None:
    _load_in_turns(
        compared,
        api,
        "merge append merge",
        "upsert merge append",
        "scd2 append",
        "merge scd2 merge",
    )
    compared.check()


@pytest.mark.slow
def test_what_stays_of_earlier_dispositions_at_which_dlt_stops(
    compared: Comparison, api: Lists
) -> None:
    _load_in_turns(compared, api, "append upsert append")
    compared.check(failed=True)


@pytest.mark.slow
def test_no_root_key_though_merged(compared: Comparison, api: Lists) -> None:
    hints = {"primary_key": "id", "write_disposition": "merge"}
    _load(compared, api, {"things": hints}, [{"id": 1}], root_key=False)
    _load(compared, api, {"things": hints}, ROWS, root_key=False)
    compared.check(failed=bool(compared.dlt.failures))


@pytest.mark.slow
def test_names_that_are_no_paths(
    compared: Comparison, api: Lists, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCHEMA__USE_BREAK_PATH_ON_NORMALIZE", "false")
    for rows in (ROWS, CHANGED):
        _load(compared, api, {"a__b": {}}, [{**row, "c__d": 1} for row in rows])
    compared.check()


@pytest.mark.parametrize("level", [0, pytest.param(2, marks=pytest.mark.long)])
def test_normaliser_settings_from_the_environment(
    compared: Comparison, api: Lists, level: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCES__REST_API__MAX_TABLE_NESTING", str(level))
    monkeypatch.setenv("SOURCES__REST_API__ROOT_KEY", "true")
    for rows in (ROWS, CHANGED):
        _load(compared, api, {"things": {}}, rows)
    compared.check()


@pytest.mark.slow
def test_the_format_of_files(compared: Comparison, api: Lists) -> None:
    hints = {
        "parquet": {"file_format": "parquet"},
        "preferred": {"file_format": "preferred"},
        "insert_values": {"file_format": "insert_values"},
    }
    for rows in (ROWS, CHANGED):
        _load(compared, api, hints, rows)
    assert compared.lanes("parquet") == {"columns"}
    assert compared.lanes("insert_values") == {"dlt"}
    compared.check()


def test_other_destinations(api: Lists, tmp_path: Path) -> None:
    api.pages["things"] = [ROWS]
    pipeline = dlt.pipeline(
        "elsewhere",
        destination=dlt.destinations.filesystem(str(tmp_path / "bucket")),
        dataset_name="data",
        pipelines_dir=str(tmp_path / "pipelines"),
    )
    pipeline.run(restarrow.dlt.rest_api_source(config(api, "things")))  # type: ignore[arg-type]
    report = restarrow.dlt.report()["things"]
    assert list(report.lanes["things"]) == [
        "dlt: its files are not parquet, unless file_format of the resource says so"
    ]
    assert sorted(path.name for path in (tmp_path / "bucket" / "data").glob("things*")) == [
        "things",
        "things__items",
    ]


def test_the_reason_is_logged_once(
    compared: Comparison, api: Lists, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="restarrow.dlt"):
        _load(compared, api, {"things": {"file_format": "jsonl"}}, ROWS)
    assert [each.getMessage() for each in caplog.records if each.name == "restarrow.dlt"] == [
        "things takes dlt's own path: a file format"
    ]


def test_a_report_is_of_the_last_load(compared: Comparison, api: Lists) -> None:
    _load(compared, api, {"things": {}}, ROWS)
    first = compared.reports["things"]
    _load(compared, api, {"things": {}}, CHANGED[:3])
    assert (first.rows, compared.reports["things"].rows) == (5, 3)
    assert set(compared.reports["things"].lanes) == {"things", "things__items", "things__extra"}
