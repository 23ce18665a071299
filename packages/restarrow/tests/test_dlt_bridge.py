"""Tables that restarrow makes of pages, cell by cell against those that dlt makes of them."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from dlt.sources import rest_api as plain_rest_api
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packages.restarrow.tests.dlt_comparison import Comparison, Lists, Pages, config, lists

Row = dict[str, Any]


@pytest.fixture
def compared(tmp_path: Path) -> Comparison:
    return Comparison(tmp_path)


@pytest.fixture
def api() -> Generator[Lists]:
    with lists() as served:
        yield served


def _row(number: int) -> Row:
    """Make a row with something of everything."""
    return {
        "id": number,
        "name": f"n{number}",
        "at": f"2026-01-01T00:00:{number:02}Z",
        "never": None,
        "isOpen": number % 2 == 0,
        "user": {"id": number, "data": {"ratio": number / 2, "tags": ["a", "b"][: number % 3]}},
        "items": [{"k": k, "sub": [{"z": k}, {"z": None}]} for k in range(number % 3)],
        "matrix": [[1, 2], [3]] if number % 2 else [],
        "labels": {"Owner Name": "é", "größe": "x"} if number % 4 == 0 else None,
        "emptyObject": {},
        "emptyList": [],
    }


def _changed(row: Row) -> Row:
    """Change a row as APIs do: new fields, other types, fewer children."""
    number = row["id"]
    return {
        **row,
        "name": number,  # a number among texts
        "at": "soon" if number % 2 else row["at"],  # a text among timestamps
        "never": {"at": "last"},
        "isOpen": "open",
        "user": [{"id": number}] if number % 2 else "nobody",  # once an object
        "items": row["items"][:1],
        "matrix": {"rows": 2},
        "labels": ["a", 1, None, {"deep": True}],
        "fresh": number * 0.5,
        "emptyList": ["now", "full"],
    }


ROWS = [_row(number) for number in range(12)]
CHANGED = [_changed(row) for row in ROWS[3:]] + [_row(20)]


def _pages(rows: Sequence[Row], *sizes: int) -> Pages:
    pages: list[Sequence[Row]] = []
    for size in sizes:
        pages.append(rows[:size])
        rows = rows[size:]
    return [*pages, rows]


def things(**hints: Any) -> Row:
    return {"name": "things", "endpoint": "things", **hints}


DISPOSITIONS: dict[str, Row] = {
    "append": {"write_disposition": "append"},
    "replace": {"write_disposition": "replace"},
    "merge": {"primary_key": "id", "write_disposition": "merge"},
}
MORE_DISPOSITIONS: dict[str, Row] = {
    "append_with_a_key": {"write_disposition": "append", "primary_key": "id"},
    "merge_without_a_key": {"write_disposition": "merge"},
    "merge_by_another_key": {"merge_key": "name", "write_disposition": "merge"},
    "merge_by_two_keys": {
        "primary_key": ["id", "name"],
        "write_disposition": {"disposition": "merge", "strategy": "delete-insert"},
    },
}


def _load_all(
    compared: Comparison, api: Lists, pages: Mapping[str, Pages], hints: Mapping[str, Row]
) -> None:
    """Load many lists in one go, as it is loads that take time."""
    api.pages = dict(pages)

    def make(rest: Any) -> Any:
        resources = [
            {"name": name, "endpoint": name, **copy.deepcopy(hints.get(name, {}))} for name in pages
        ]
        return rest.rest_api_source(config(api, *resources))

    compared.load(make)


def _load_changing(compared: Comparison, api: Lists, hints: Mapping[str, Row]) -> None:
    for rows in (ROWS, CHANGED, ROWS[:2]):
        _load_all(compared, api, dict.fromkeys(hints, _pages(rows, 1, 3)), hints)
        for name in hints:
            assert compared.lanes(name) <= {"columns", "rows", "bytes"}
    compared.check()


def test_rows_that_change_from_load_to_load(compared: Comparison, api: Lists) -> None:
    _load_changing(compared, api, DISPOSITIONS)


@pytest.mark.slow
@pytest.mark.parametrize("batch_rows", [1, 4, 5000])
def test_rows_that_change_under_other_dispositions(
    compared: Comparison, api: Lists, batch_rows: int
) -> None:
    compared.batch_rows = batch_rows
    _load_changing(compared, api, {**DISPOSITIONS, **MORE_DISPOSITIONS})


@pytest.mark.slow
@pytest.mark.parametrize("first", ["append", "replace", "merge"])
def test_another_disposition_from_one_load_to_the_next(
    compared: Comparison, api: Lists, first: str
) -> None:
    for disposition in (first, "merge", "append", "replace"):
        hints = {"things": {"primary_key": "id", "write_disposition": disposition}}
        _load_all(compared, api, {"things": _pages(ROWS[:5], 2)}, hints)
    compared.check(failed=first != "merge")  # dlt cannot add the root's id to tables with rows


def test_how_deep_resources_say_that_tables_are_nested(compared: Comparison, api: Lists) -> None:
    hints = {f"level_{level}": {"max_table_nesting": level} for level in range(4)}
    for rows in (ROWS[:4], CHANGED[:4]):
        _load_all(compared, api, dict.fromkeys(hints, _pages(rows, 2)), hints)
        assert all("dlt" not in compared.lanes(name) for name in hints)
    compared.check()


@pytest.mark.slow
@pytest.mark.parametrize("level", [0, 1, 2, 3])
def test_how_deep_the_source_says(compared: Comparison, api: Lists, level: int) -> None:
    for rows in (ROWS, CHANGED):
        api.pages["things"] = _pages(rows, 4)
        compared.load(
            lambda rest: rest.rest_api_source(config(api, things()), max_table_nesting=level)
        )
    assert "dlt" not in compared.lanes("things")
    compared.check()


@pytest.mark.slow
@pytest.mark.parametrize("levels", [(3, 0), (0, 2), (1, None)])
def test_another_depth_from_one_load_to_the_next(
    compared: Comparison, api: Lists, levels: Sequence[int | None]
) -> None:
    for level in levels:
        hints = {"things": {"max_table_nesting": level}}
        _load_all(compared, api, {"things": _pages(ROWS, 4)}, hints)
    compared.check()


def test_root_keys(compared: Comparison, api: Lists) -> None:
    for rows in (ROWS[:4], CHANGED[:4]):
        api.pages["things"] = _pages(rows, 2)
        compared.load(lambda rest: rest.rest_api_source(config(api, things()), root_key=True))
    assert compared.query("SELECT count(_dlt_root_id) > 0 FROM things__items") == [(True,)]
    compared.check()


# ---- what is known of columns before they come

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
_BRIEF = [{**row, "matrix": None, "labels": None} for row in ROWS[:4]]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # dlt's, of milliseconds
def test_hints_of_columns(compared: Comparison, api: Lists) -> None:
    hints = {name: {"columns": columns} for name, columns in COLUMNS.items()}
    for rows in (_BRIEF, _BRIEF[:1]):
        _load_all(compared, api, dict.fromkeys(hints, _pages(rows, 2)), hints)
    taken = {name for name in hints if "dlt" not in compared.lanes(name)}
    assert compared.reasons("row_id") == {"hints for columns of dlt's own"}
    assert {"json", "text_for_a_timestamp", "only_a_hint", "not_null"} <= taken
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
    for rows in (_BRIEF, [*_BRIEF, *_BRIEF[:1]]):
        _load_all(compared, api, dict.fromkeys(hints, _pages(rows, 2)), hints)
    compared.check()


@pytest.mark.slow
def test_hints_that_come_later(compared: Comparison, api: Lists) -> None:
    for columns in ({}, {"user": {"data_type": "json"}, "new": {"data_type": "bool"}}):
        _load_all(compared, api, {"things": [_BRIEF]}, {"things": {"columns": columns}})
    compared.check()


# ---- pages of all sorts


def test_no_rows(compared: Comparison, api: Lists) -> None:
    hints = dict(DISPOSITIONS)
    loads: list[Pages] = [[[]], [[], _BRIEF[:2], [], [], _BRIEF[2:], []], [[], []]]
    for pages in loads:
        _load_all(compared, api, dict.fromkeys(hints, pages), hints)
    compared.check()


SHAPES: list[Pages] = [
    [[{}], [{}, {}]],
    [[{"a": None}], [{"a": []}], [{"a": {}}]],
    [[{"a": []}], [{"a": [{}]}], [{"a": [[]]}], [{"a": [None]}]],
    [[{"id": 1}], [{"Id": 2}], [{"ID": "x"}]],
    [[{"id": 1, "Id": "x"}]],
    [[{"a": {"b": 1}}], [{"a__b": 2}], [{"a": {"b": "x"}}]],
    [[{"value": 1, "list": 2}], [{"list": [1]}]],
    [[{"a": 1}], [{"a": 1.5}], [{"a": "x"}], [{"a": True}], [{"a": "2026-01-01T00:00:00Z"}]],
    [[{"a": True}], [{"a": "yes"}], [{"a": 2}], [{"a": "perhaps"}]],
    [[{"a": "x"}], [{"a": 1}], [{"a": {"b": 1}}], [{"a": [1]}], [{"a": None}]],
    [[{"a": [1]}], [{"a": ["x"]}], [{"a": [{"b": 1}]}], [{"a": [[1.5]]}]],
    [[{"": 1}], [{" ": 2}]],
    [[{"ключ": 1, "日本": 2}]],
    [[{"_dlt_x": 1}]],
    [[{"_dlt_id": "mine", "a": 1}]],
    [[{"x" * 100: 1, "y": {"x" * 100: [1]}}]],
    [[1, 2], ["x"], [None]],
    [[{"a": 1}, 5, "x"]],
    [[{"a": 1e300}, {"a": 1}], [{"a": -0.5}]],
    [[{"a": 9007199254740993}], [{"a": 1e17}]],
    [[{"a": "\U0001f600", "b": "line\nbreak\t\"quote\" 'single' \\ \x01"}]],
    [[{"a": "0001-01-01T00:00:00Z"}], [{"a": "9999-12-31T23:59:59.999999Z"}]],
    [[{"a": "2026-01-01T00:00:00Z"}], [{"a": 1700000000}], [{"a": 1.5}], [{"a": "2026-01-01"}]],
    [[{"a": "2026-01-01T00:00:00.123456789+05:30"}], [{"a": "2026-01-01 00:00:00"}]],
    [[{"a": -(2**63), "b": 2**63 - 1}]],
    [[{"id": number, "n": {"m": [{"k": number}]}} for number in range(300)]],
]


def test_shapes(compared: Comparison, api: Lists) -> None:
    pages = {f"shape_{number}": pages for number, pages in enumerate(SHAPES)}
    _load_all(compared, api, pages, {})
    backwards = {name: [*reversed(several)] for name, several in pages.items()}
    _load_all(compared, api, backwards, {})
    compared.check()


def test_what_duckdb_makes_of_inserted_values_only(compared: Comparison, api: Lists) -> None:
    # dlt's INSERTs lose null characters and the sign of zero, its Parquet files do not
    api.pages["things"] = [[{"text": "a\x00b", "number": -0.0, "nested": ["\x00", "x\x00"]}]]
    compared.load(
        lambda rest: rest.rest_api_source(config(api, things())), loader_file_format="parquet"
    )
    assert compared.lanes("things") == {"columns"}
    compared.check()


@pytest.mark.slow
@pytest.mark.parametrize(
    "page",
    [[{"__": 1, "a": 2}], [[[1, 2], [3]]], [{"_dlt_load_id": "mine"}], [{"a": [{"_dlt_id": "x"}]}]],
    ids=repr,
)
def test_shapes_at_which_dlt_may_stop(compared: Comparison, api: Lists, page: Any) -> None:
    for _ in range(2):
        _load_all(compared, api, {"things": [page]}, {})
    compared.check(failed=bool(compared.dlt.failures))


# ---- what Arrow has no room for, in the middle of a load

ODD: dict[str, Row] = {
    "decimal": {"id": 7, "name": "\uf0261.5"},
    "date": {"id": 7, "name": "\uf0282026-01-01"},
    "no_sense": {"id": 7, "name": "\uf026x"},
    "mark_within": {"id": 7, "name": "x\uf026"},
    "own_id": {"id": 7, "_dlt_id": "mine"},
}
STOPPING: dict[str, Row] = {
    "64 bits": {"id": 7, "big": 2**63},
    "65 bits": {"id": 7, "big": 2**64},
    "a negative number of 65 bits": {"id": 7, "big": -(2**63) - 1},
    "65 bits, nested": {"id": 7, "items": [{"big": 2**64}]},
    "half a surrogate pair": {"id": 7, "name": "\ud800"},
}
#: What comes after them: it is dlt's path that decides its types now.
AFTER: Pages = [[{"id": 8, "big": 1.5, "late": "x"}], [{"id": 9, "late": 1, "later": 1, "big": 5}]]


def test_odd_rows_among_others(compared: Comparison, api: Lists) -> None:
    pages: dict[str, Pages] = {
        f"{name}_{place}": [*_BRIEF_PAGES[:place], [odd], *_BRIEF_PAGES[place:], *AFTER]
        for name, odd in ODD.items()
        for place in (0, 1)
    }
    _load_all(compared, api, pages, {})
    assert compared.lanes("decimal_0") == {"dlt"}
    assert compared.lanes("decimal_1") == {"columns", "dlt"}
    _load_all(compared, api, {name: [_BRIEF] for name in pages}, {})
    assert compared.lanes("no_sense_1") == {"columns"}
    compared.check()


_BRIEF_PAGES: Pages = [_BRIEF[:2], _BRIEF[2:]]


@pytest.mark.slow
@pytest.mark.parametrize("odd", STOPPING.values(), ids=list(STOPPING))
@pytest.mark.parametrize("place", [0, 1, 2])
def test_rows_at_which_dlt_stops(compared: Comparison, api: Lists, odd: Row, place: int) -> None:
    pages = [*_BRIEF_PAGES[:place], [odd], *_BRIEF_PAGES[place:], *AFTER]
    _load_all(compared, api, {"things": pages}, {})
    _load_all(compared, api, {"things": [_BRIEF]}, {})
    compared.check(failed=bool(compared.dlt.failures))


def test_a_row_at_which_dlt_stops(compared: Comparison, api: Lists) -> None:
    _load_all(compared, api, {"things": [_BRIEF, [{"id": 7, "big": 2**64}]]}, {})
    compared.check(failed=True)


def test_what_was_left_to_dlt_decides_the_types_of_the_rest(
    compared: Comparison, api: Lists
) -> None:
    api.pages["things"] = [
        [{"id": 1}],
        [{"id": 2, "name": "\uf0261.5", "x": "text", "new": [{"a": "x"}]}],
        [{"id": 3, "y": 1, "x": 1, "new": [{"b": 1, "a": 2}]}],
    ]
    compared.load(lambda rest: rest.rest_api_source(config(api, things())))
    assert compared.lanes("things") == {"columns", "dlt"}
    compared.check()


# ---- dicts here, Arrow there


def _load_in_turns(compared: Comparison, api: Lists, turns: str) -> None:
    """Load several times, where "d" has dlt's own path on both sides."""
    for turn, rows in zip(turns, (ROWS, CHANGED, ROWS, CHANGED), strict=False):
        api.pages = dict.fromkeys(DISPOSITIONS, _pages(rows[:5], 1, 4))

        def make(rest: Any, turn: str = turn) -> Any:
            resources = [
                {"name": name, "endpoint": name, **hints} for name, hints in DISPOSITIONS.items()
            ]
            chosen: Any = plain_rest_api if turn == "d" else rest
            return chosen.rest_api_source(config(api, *resources))

        compared.load(make)
    compared.check()


def test_arrow_after_dicts(compared: Comparison, api: Lists) -> None:
    _load_in_turns(compared, api, "da")


@pytest.mark.slow
@pytest.mark.parametrize("turns", ["ad", "dad", "adad", "dada"])
def test_dicts_and_arrow_in_other_turns(compared: Comparison, api: Lists, turns: str) -> None:
    _load_in_turns(compared, api, turns)


# ---- several resources


def test_resources_that_share_a_table(compared: Comparison, api: Lists) -> None:
    api.pages["a"] = [[{"x": number, "l": [1]} for number in range(3)], [{"y": 1}]]
    api.pages["b"] = [[{"x": "text", "l": ["t"]}], [{"y": "u", "x": 1.5}]]

    def make(rest: Any) -> Any:
        shared = {"table_name": "shared"}
        resources = [{"name": name, "endpoint": name, **shared} for name in ("a", "b")]
        return rest.rest_api_source(config(api, *resources))

    compared.load(make)
    compared.check()


def test_variants_of_a_later_page_in_nested_tables(compared: Comparison, api: Lists) -> None:
    api.pages["things"] = [[{"l": [{}], "m": [1]}], [{"m": [1], "l": [1, "x"]}], [{"l": [[]]}]]
    compared.load(lambda rest: rest.rest_api_source(config(api, things())))
    compared.check()


@pytest.mark.parametrize(
    "order",
    [
        ("things", "things__items"),
        pytest.param(("things__items", "things"), marks=pytest.mark.slow),
    ],
)
def test_a_resource_named_like_a_nested_table(
    compared: Comparison, api: Lists, order: Sequence[str]
) -> None:
    api.pages["things"] = [ROWS[:3]]
    api.pages["other"] = [[{"k": 5}]]

    def make(rest: Any) -> Any:
        resources: dict[str, Row] = {
            "things": things(),
            "things__items": {"name": "things__items", "endpoint": "other"},
        }
        return rest.rest_api_source(config(api, *(resources[name] for name in order)))

    compared.load(make)
    compared.check(failed=bool(compared.dlt.failures))


@pytest.mark.slow
def test_names_that_are_paths(compared: Comparison, api: Lists) -> None:
    names = ["team__things", "Team__BigThings", "a b", "x__y__z_"]
    hints = {f"list{number}": {"name": name} for number, name in enumerate(names)}
    for rows in (_BRIEF[:2], _BRIEF):
        _load_all(compared, api, {name: [rows] for name in hints}, hints)
    assert not any(compared.reasons(name) for name in names)
    compared.check()


@pytest.mark.slow
def test_many_resources_in_one_load(compared: Comparison, api: Lists) -> None:
    names = [f"r{number}" for number in range(4)]
    for number, name in enumerate(names):
        api.pages[name] = _pages(_BRIEF[number:], 1, 2)
    for _ in range(2):
        compared.load(lambda rest: rest.rest_api_source(config(api, *names)))
    assert all(compared.lanes(name) <= {"columns", "rows", "bytes"} for name in names)
    compared.check()


@pytest.mark.slow
def test_many_nested_tables(compared: Comparison, api: Lists) -> None:
    wide = [{"id": n, **{f"l{k}": [{"v": k, f"n{n}": n}] for k in range(30)}} for n in range(6)]
    for rows in (wide, wide[::-1]):
        pages: dict[str, Pages] = {"a": [[row] for row in rows], "b": [[row] for row in rows[1:]]}
        _load_all(compared, api, pages, {})
    compared.check()


# ---- any rows


_KEYS = st.sampled_from(["a", "b", "B", "c d", "a__b", "e", "at"])
_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.floats(-1e6, 1e6, allow_nan=False)
    | st.sampled_from(["", "x", "1", "1.5", "true", "2026-01-01", "2026-01-01T10:00:00Z", "é"])
)
_VALUES: st.SearchStrategy[Any] = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=8,
)
_ROWS = st.dictionaries(_KEYS, _VALUES, max_size=4)
_PAGES = st.lists(st.lists(_ROWS, max_size=3), min_size=1, max_size=3)
_LOADS = st.lists(_PAGES, min_size=1, max_size=2)


def _loads_alike(folder: Callable[[], Path], loads: list[Pages], hints: Row) -> None:
    compared = Comparison(folder())
    with lists() as api:
        for pages in loads:
            # of rows with one key in one load, dlt merges any one: not to be compared
            numbers = itertools.count()
            api.pages["things"] = [[{"id": next(numbers), **row} for row in page] for page in pages]
            compared.load(lambda rest: rest.rest_api_source(config(api, things(**hints))))
    compared.check(failed=bool(compared.dlt.failures))


_ANY = settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@given(loads=_LOADS, hints=st.sampled_from(list(DISPOSITIONS.values())))
@settings(_ANY, max_examples=4)
def test_any_rows(tmp_path_factory: pytest.TempPathFactory, loads: Any, hints: Row) -> None:
    _loads_alike(lambda: tmp_path_factory.mktemp("any"), loads, hints)


@pytest.mark.slow
@pytest.mark.timeout(900)
@given(loads=_LOADS, hints=st.sampled_from(list(DISPOSITIONS.values())))
@settings(_ANY, max_examples=150)
def test_many_more_rows(tmp_path_factory: pytest.TempPathFactory, loads: Any, hints: Row) -> None:
    _loads_alike(lambda: tmp_path_factory.mktemp("any"), loads, hints)
