"""Pages and rows of all shapes, those that Arrow has no room for among them."""

from __future__ import annotations

import pytest
from packages.restarrow.tests.dlt_comparison import Comparison, Lists, Pages, config
from packages.restarrow.tests.dlt_rows import BRIEF, DISPOSITIONS, Row, load_all, things

from restarrow.errors import NormaliseError


def test_no_rows(compared: Comparison, api: Lists) -> None:
    loads: list[Pages] = [[[]], [[], BRIEF[:2], [], [], BRIEF[2:], []], [[], []]]
    for pages in loads:
        load_all(compared, api, dict.fromkeys(DISPOSITIONS, pages), DISPOSITIONS)
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
    [[[1, 2], [3]]],
    [[{"_dlt_load_id": "mine"}]],
    [[{"a": [{"_dlt_id": "x"}]}]],
    [[{"id": number, "n": {"m": [{"k": number}]}} for number in range(300)]],
]


def test_shapes(compared: Comparison, api: Lists) -> None:
    pages = {f"shape_{number}": pages for number, pages in enumerate(SHAPES)}
    load_all(compared, api, pages, {})
    backwards = {name: [*reversed(several)] for name, several in pages.items()}
    load_all(compared, api, backwards, {})
    compared.check()


def test_what_duckdb_makes_of_inserted_values_only(compared: Comparison, api: Lists) -> None:
    # dlt's INSERTs lose null characters and the sign of zero, its Parquet files do not
    api.pages["things"] = [[{"text": "a\x00b", "number": -0.0, "nested": ["\x00", "x\x00"]}]]
    compared.load(
        lambda rest: rest.rest_api_source(config(api, things())), loader_file_format="parquet"
    )
    assert compared.lanes("things") == {"columns"}
    compared.check()


def test_a_shape_at_which_dlt_stops(compared: Comparison, api: Lists) -> None:
    for _ in range(2):
        load_all(compared, api, {"things": [[{"__": 1, "a": 2}]]}, {})
    compared.check(failed=True)


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
_BRIEF_PAGES: Pages = [BRIEF[:2], BRIEF[2:]]


def test_odd_rows_among_others(compared: Comparison, api: Lists) -> None:
    pages: dict[str, Pages] = {
        f"{name}_{place}": [*_BRIEF_PAGES[:place], [odd], *_BRIEF_PAGES[place:], *AFTER]
        for name, odd in ODD.items()
        for place in (0, 1)
    }
    load_all(compared, api, pages, {})
    assert compared.lanes("decimal_0") == {"dlt"}
    assert compared.lanes("decimal_1") == {"columns", "dlt"}
    load_all(compared, api, {name: [BRIEF] for name in pages}, {})
    assert compared.lanes("no_sense_1") == {"columns"}
    compared.check()


# each row at one place, and at the others where there is time
@pytest.mark.parametrize(
    ("odd", "place"),
    [
        pytest.param(
            odd, place, id=f"{name}, {place}", marks=() if place == at % 3 else pytest.mark.long
        )
        for at, (name, odd) in enumerate(STOPPING.items())
        for place in range(3)
    ],
)
def test_rows_at_which_dlt_stops(compared: Comparison, api: Lists, odd: Row, place: int) -> None:
    pages = [*_BRIEF_PAGES[:place], [odd], *_BRIEF_PAGES[place:], *AFTER]
    load_all(compared, api, {"things": pages}, {})
    load_all(compared, api, {"things": [BRIEF]}, {})
    # what the destination has no room for, only it knows
    compared.check(failed=True, refused=None if odd.get("big") == 2**63 else NormaliseError)


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
