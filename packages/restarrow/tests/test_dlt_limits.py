"""What no table can hold: where dlt manages, we do; where it fails, we say why."""

from __future__ import annotations

import json
import tracemalloc
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dlt
import pytest
import requests
from packages.restarrow.tests.dlt_comparison import Comparison, Lists, config
from packages.restarrow.tests.scripted_server import queued, reply, scripted
from starlette.requests import Request
from starlette.responses import Response

import restarrow.dlt
from restarrow.errors import BodyError, DepthError, NormaliseError


def load(compared: Comparison, api: Lists, *loaded: Sequence[str], **hints: Any) -> None:
    """Load lists of pages whose rows are written down as they are to be sent."""

    def answer(request: Request) -> Response:
        path = request.url.path
        pages = loaded[int(path.removeprefix("/things_"))]
        number = int(request.query_params.get("page", "0"))
        following = f'"{api.url}{path}?page={number + 1}"' if number + 1 < len(pages) else "null"
        body = f'{{"data": {pages[number]}, "next": {following}}}'
        return Response(body, media_type="application/json")

    def make(rest: Any) -> Any:
        resources = [{"name": f"things_{at}", **hints} for at in range(len(loaded))]
        return rest.rest_api_source(config(api, *resources))

    api.answer = answer
    compared.load(make)


def objects(levels: int) -> str:
    return '{"a":' * levels + "1" + "}" * levels


def arrays(levels: int) -> str:
    return "[" * levels + "]" * levels


def pages_with(value: str) -> list[str]:
    """Put a value among rows that are known by then."""
    return ['[{"id": 1}]', f'[{{"id": 2, "x": {value}}}]', '[{"id": 3}]']


AS_JSON: dict[str, Any] = {"columns": {"x": {"data_type": "json"}}}
FLAT: dict[str, Any] = {"max_table_nesting": 0}


def test_what_dlt_takes(compared: Comparison, api: Lists) -> None:
    load(compared, api, *map(pages_with, (objects(10), arrays(10), objects(240))))
    load(compared, api, pages_with(objects(240)), **AS_JSON)
    load(compared, api, pages_with(arrays(240)), **FLAT)
    compared.check()


@pytest.mark.parametrize(
    ("value", "hints"),
    [(objects(253), {}), (objects(254), AS_JSON), (arrays(253), FLAT), (objects(450), {})],
    ids=["253 objects", "254 objects as JSON", "253 arrays, flat", "450 objects"],
)
def test_what_dlt_cannot_write(
    compared: Comparison, api: Lists, value: str, hints: dict[str, Any]
) -> None:
    load(compared, api, pages_with(value), **hints)
    compared.check(failed=True, refused=DepthError)


@pytest.mark.parametrize("levels", [100, pytest.param(450, marks=pytest.mark.long)])
def test_arrays_whose_tables_no_file_could_be_named_after(
    compared: Comparison, api: Lists, levels: int
) -> None:
    load(compared, api, pages_with(arrays(levels)))
    compared.check(failed=True, refused=NormaliseError)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(arrays(1100), id="arrays", marks=pytest.mark.long),
        pytest.param(objects(100_000), id="objects", marks=pytest.mark.long),
        pytest.param("[" * 100_000, id="brackets"),
    ],
)
def test_what_no_decoder_takes(compared: Comparison, api: Lists, value: str) -> None:
    load(compared, api, pages_with(value))
    compared.check(failed=True, refused=BodyError)


def test_numbers_that_dlt_takes(compared: Comparison, api: Lists) -> None:
    numbers = ["1e400", "-1e400", "1e-400", f"1.{'1' * 400}", "1E18", f"{2**63 - 1}", f"-{2**63}"]
    nested = [f'[{{"id": 4, "y": {{"z": [{number}]}}}}]' for number in numbers]
    pages = [[*pages_with(number), more] for number, more in zip(numbers, nested, strict=True)]
    load(compared, api, *pages)
    compared.check()


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(f"{2**64}", id="65 bits"),
        pytest.param(f"-{2**127}", id="128 bits", marks=pytest.mark.long),
        pytest.param("9" * 4000, id="4000 digits", marks=pytest.mark.long),
        pytest.param("9" * 5000, id="5000 digits"),
    ],
)
def test_numbers_that_dlt_cannot_write(compared: Comparison, api: Lists, value: str) -> None:
    load(compared, api, pages_with(value))
    compared.check(failed=True, refused=NormaliseError)


@pytest.mark.parametrize("value", ["NaN", pytest.param("-Infinity", marks=pytest.mark.long)])
def test_numbers_that_are_no_json(compared: Comparison, api: Lists, value: str) -> None:
    load(compared, api, pages_with(value))
    assert "JSONDecodeError" in compared.arrow.failures[0]
    assert "JSONDecodeError" in compared.dlt.failures[0]


def a_map(keys: int) -> str:
    return json.dumps({f"key {number}": number for number in range(keys)})


def warned(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in caplog.records if each.name == "restarrow.dlt"]


@pytest.fixture
def few_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESTARROW__MAX_NEW_COLUMNS", "50")


@pytest.mark.usefixtures("few_columns")
def test_a_map_of_many_keys_is_told(
    compared: Comparison, api: Lists, caplog: pytest.LogCaptureFixture
) -> None:
    rows = f'[{{"id": 1, "at": {{"labels": {a_map(60)}}}, "few": {a_map(40)}}}]'
    for _ in range(2):  # the second time, the columns are known
        load(compared, api, [*pages_with("1"), rows, rows])
    compared.check()
    (said,) = warned(caplog)
    assert said.startswith("things_0: the table things_0 gets 104 new columns, 60 of them from ")
    assert '"].apply_hints(columns={"at__labels": {"data_type": "json"}}). ' in said

    caplog.clear()
    load(compared, api, [rows], columns={"at__labels": {"data_type": "json"}})
    assert warned(caplog) == []


@pytest.mark.usefixtures("few_columns")
@pytest.mark.parametrize("hints", [{}, {"columns": {"price": {"data_type": "decimal"}}}])
def test_so_are_maps_elsewhere_and_on_the_way_of_dlt(
    compared: Comparison, api: Lists, caplog: pytest.LogCaptureFixture, hints: dict[str, Any]
) -> None:
    in_a_list = f'[{{"items": [{{"labels": {a_map(60)}}}]}}]'
    load(compared, api, [f"[{a_map(60)}]"] * 2, [in_a_list], pages_with(a_map(60)), **hints)
    compared.check()
    told = warned(caplog)
    by_itself = next(each for each in told if "from the keys of the rows themselves" in each)
    assert "things_0 gets 6" in by_itself
    assert any('columns={"x": {"data_type": "json"}}' in each for each in told)
    if not hints:
        nested = next(each for each in told if "things_1__items" in each)
        hint = {"items": {"columns": {"labels": {"name": "labels", "data_type": "json"}}}}
        assert f"nested_hints={json.dumps(hint)}" in nested
    assert len(told) == (
        2 if hints else 3
    )  # lists of rows that dlt takes apart are not looked into


def test_a_nested_map_is_kept_by_the_hint_that_is_given(compared: Comparison, api: Lists) -> None:
    hint = {"items": {"columns": {"labels": {"name": "labels", "data_type": "json"}}}}
    api.pages["things"] = [[{"items": [{"labels": {"a": 1}}]}]]

    def make(rest: Any) -> Any:
        source = rest.rest_api_source(config(api, "things"))
        source.resources["things"].apply_hints(nested_hints=hint)
        return source

    compared.load(make)
    compared.check()
    assert compared.query("SELECT labels FROM things__items") == [('{"a":1}',)]


def test_what_the_client_of_dlt_reads_has_a_bound_as_well(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(b" " * 1_000_000) for _ in range(64)) + packer.flush()
    monkeypatch.setenv("RESTARROW__MAX_BODY", "1000000")
    looked: list[int] = []

    def look(response: requests.Response, *_: Any, **__: Any) -> None:
        looked.append(len(response.content))

    endpoint: Any = {"path": "things", "response_actions": [look]}
    for sent, refused in ((b"[" + b" " * 999_998 + b"]", False), (bomb, True)):
        headers = {"Content-Encoding": "gzip"} if refused else {}
        with scripted(queued(reply(sent, headers=headers))) as server:
            source = restarrow.dlt.rest_api_source(
                {
                    "client": {"base_url": server.url, "paginator": "single_page"},
                    "resources": [{"name": "things", "endpoint": endpoint}],
                }
            )
            pipeline = dlt.pipeline("bound", destination="duckdb", pipelines_dir=str(tmp_path))
            tracemalloc.start()
            try:
                if not refused:
                    pipeline.extract(source)
                    continue
                with pytest.raises(Exception, match=r"things.*more than 1,000,000 bytes.*max_body"):
                    pipeline.extract(source)
                assert tracemalloc.get_traced_memory()[1] < 10_000_000
            finally:
                tracemalloc.stop()
    assert looked == [1_000_000]
