"""The options of dlt's `rest_api`, with nothing changed but the import."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Generator, Iterator
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import dlt
import pytest
import requests
from dlt.sources.helpers.rest_client import auth, paginators
from packages.restarrow.tests.dlt_comparison import Comparison, Lists, answer, config, lists
from starlette.requests import Request
from starlette.responses import Response

Row = dict[str, Any]
ROWS: list[Row] = [
    {
        "id": number,
        "at": f"2026-01-0{1 + number}T00:00:00Z",
        "nested": {"ids": [number, number + 1], "deep": {"at": f"2026-01-0{1 + number}"}},
    }
    for number in range(6)
]
PAGES = [ROWS[:2], ROWS[2:5], ROWS[5:]]


@pytest.fixture
def compared(tmp_path: Path) -> Comparison:
    return Comparison(tmp_path)


@pytest.fixture
def api() -> Generator[Lists]:
    with lists({"things": PAGES}) as served:
        yield served


def things(**endpoint: Any) -> Row:
    return {"name": "things", "endpoint": {"path": "things", **endpoint}}


# ---- ways to page


class ByPage(paginators.BasePaginator):
    """A paginator of a user's own."""

    def __init__(self) -> None:
        super().__init__()
        self.page = 0

    def init_request(self, request: Any) -> None:
        self.page = 0
        self.update_request(request)

    def update_state(self, response: Any, data: Any = None) -> None:
        self.page += 1
        self._has_next_page = response.json()["has_more"]

    def update_request(self, request: Any) -> None:
        request.params = {**(request.params or {}), "page": str(self.page)}


def _paginators() -> dict[str, Any]:
    return {
        "json_link": {"type": "json_link", "next_url_path": "next"},
        "json_link_instance": paginators.JSONLinkPaginator(next_url_path="next"),
        "header_link": "header_link",
        "header_link_instance": paginators.HeaderLinkPaginator(),
        "cursor": {"type": "cursor", "cursor_path": "cursors.next", "cursor_param": "cursor"},
        "offset": {"type": "offset", "limit": 2},
        "offset_maximum": {"type": "offset", "limit": 2, "total_path": None, "maximum_offset": 4},
        "page_number": {"type": "page_number", "base_page": 0},
        "page_number_more": {
            "type": "page_number",
            "base_page": 0,
            "total_path": None,
            "has_more_path": "has_more",
        },
        "page_number_until_empty": {"type": "page_number", "base_page": 0, "total_path": None},
        "single_page": "single_page",
        "auto": "auto",
        "own": ByPage(),
    }


def test_paginators(compared: Comparison, api: Lists) -> None:
    api.pages = dict.fromkeys(_paginators(), PAGES)
    asked: list[list[str]] = []

    def make(rest: Any) -> Any:
        asked.append(api.paths())
        resources = [
            {"name": name, "endpoint": {"path": name, "paginator": paginator}}
            for name, paginator in _paginators().items()
        ]
        return rest.rest_api_source(config(api, *resources))

    compared.load(make)
    asked.append(api.paths())
    beyond = Counter(asked[2]) - Counter(asked[1])
    assert not Counter(asked[1]) - Counter(asked[2])
    # where the end shows only when it is there, the page behind it may be under way
    assert {path.partition("?")[0] for path in beyond} <= {
        "/page_number_more",
        "/page_number_until_empty",
    }
    assert len(asked[1]) > 2 * len(_paginators())
    for name in _paginators():
        assert compared.lanes(name) <= {"bytes", "columns"}
    counts = compared.arrow.counts[0]
    assert {name: counts[name] for name in _paginators()} == {
        **dict.fromkeys(_paginators(), 6),
        "offset_maximum": 4,
        "single_page": 2,
    }
    compared.check()


@pytest.mark.parametrize(
    "selector",
    [
        "data[*].nested",
        "data[*].nested.ids",
        *(pytest.param(each, marks=pytest.mark.slow) for each in ("data", "$", "none", None)),
    ],
)
def test_data_selector(compared: Comparison, api: Lists, selector: str | None) -> None:
    compared.load(lambda rest: rest.rest_api_source(config(api, things(data_selector=selector))))
    compared.check(failed=bool(compared.dlt.failures))


# ---- steps between pages and tables


def _split(row: Row) -> Iterator[Row]:
    yield {"id": row["id"], "half": 1}
    yield {"id": row["id"], "half": 2, "at": row["at"]}


def _with(**values: Any) -> list[Row]:
    """Make a step that gives a row more values."""

    def change(row: Row) -> Row:
        return {**row, **values}

    return [{"map": change}]


def _is_none(row: Row) -> bool:
    return not row


def _is_odd(row: Row) -> bool:
    return bool(row["id"] % 2)


def _add_up(row: Row) -> Row:
    return {**row, "sum": row["id"] + row["half"]}


def _steps() -> dict[str, list[Row]]:
    return {
        "map": _with(id="text"),
        "filter": [{"filter": _is_odd}],
        "filter_all": [{"filter": _is_none}],
        "yield_map": [{"yield_map": _split}],
        "all": [{"filter": _is_odd}, {"yield_map": _split}, {"map": _add_up}],
        "decimals": _with(cost=Decimal("1.5")),
        "times": _with(at=datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=1)))),
        "bytes": _with(raw=b"\x00\xff"),
        "tuples": _with(pair=(1, 2)),
    }


def test_processing_steps(compared: Comparison, api: Lists) -> None:
    api.pages = dict.fromkeys(_steps(), PAGES)

    def make(rest: Any) -> Any:
        resources = [
            {"name": name, "endpoint": name, "processing_steps": each}
            for name, each in _steps().items()
        ]
        return rest.rest_api_source(config(api, *resources))

    compared.load(make)
    assert compared.lanes("map") == compared.lanes("all") == {"columns"}
    assert compared.lanes("decimals") == {"dlt"}
    compared.check()


def test_rows_that_say_which_table_they_go_to(compared: Comparison, api: Lists) -> None:
    def mark(rows: Any) -> Any:
        return dlt.mark.with_table_name(rows, "elsewhere") if rows[0]["id"] else rows

    def make(rest: Any) -> Any:
        @dlt.resource(name="things")
        def marked() -> Iterator[Any]:
            for page in (ROWS[:2], ROWS[2:4], [{"id": 0, "new": 1}]):
                yield mark(page)

        return rest.rest_api_resources(config(api, marked(), "other"))

    api.pages["other"] = PAGES
    compared.load(make)
    compared.check()


@pytest.mark.parametrize("batch_rows", [1, pytest.param(5000, marks=pytest.mark.slow)])
def test_steps_that_are_added_later(compared: Comparison, api: Lists, batch_rows: int) -> None:
    compared.batch_rows = batch_rows
    names = ("add_map", "add_filter", "add_limit", "rows_limit", "add_yield_map")
    api.pages = dict.fromkeys(names, PAGES)

    def twice(row: Row) -> Iterator[Row]:
        yield from (row, {"id": -1})

    def is_not_three(row: Row) -> bool:
        return bool(row["id"] != 3)

    def make(rest: Any) -> Any:
        source = rest.rest_api_source(config(api, *names))
        resources = source.resources
        resources["add_map"].add_map(_mapped)
        resources["add_filter"].add_filter(is_not_three)
        resources["add_limit"].add_limit(2)
        resources["rows_limit"].add_limit(3, count_rows=True)
        resources["add_yield_map"].add_yield_map(twice)
        return source

    compared.load(make)
    counts = compared.arrow.counts[-1]
    assert counts["add_limit"] == 5
    assert counts["add_yield_map"] == 12
    compared.check()


def _mapped(row: Row) -> Row:
    return {"id": row["id"], "mapped": True}


# ---- incremental loading


def _date(value: str) -> str:
    return value[:10]


def _incremental() -> dict[str, Row]:
    cursor = {"cursor_path": "at", "initial_value": "2026-01-02T00:00:00Z"}
    by_param = {"type": "incremental", **cursor}
    return {
        "param": {"params": {"since": by_param}},
        "param_convert": {"params": {"since": {**by_param, "convert": _date}}},
        "placeholder": {
            "params": {
                "since": "{incremental.start_value}",
                "first": "{incremental.initial_value}",
            },
            "incremental": cursor,
        },
        "with_lag": {"incremental": {**cursor, "lag": 86400}},
        "nested_cursor": {"incremental": {"cursor_path": "nested.deep.at"}},
        "by_id": {"incremental": {"cursor_path": "id", "initial_value": 0, "row_order": "asc"}},
        "descending": {
            "incremental": {"cursor_path": "id", "initial_value": 4, "row_order": "desc"}
        },
        "with_end": {"incremental": {**cursor, "end_value": "2026-01-05T00:00:00Z"}},
        "missing": {"incremental": {"cursor_path": "absent", "on_cursor_value_missing": "include"}},
        "largest_first": {"incremental": {"cursor_path": "id", "last_value_func": min}},
    }


def test_incremental_loads(compared: Comparison, api: Lists) -> None:
    asked: list[list[str]] = []

    def make(rest: Any) -> Any:
        asked.append(sorted(api.paths()))
        resources = [
            {"name": name, "endpoint": {"path": name, **endpoint}}
            for name, endpoint in _incremental().items()
        ]
        return rest.rest_api_source(config(api, *resources))

    for pages in (PAGES, [*PAGES, [{**ROWS[0], "id": 9, "at": "2026-01-09T00:00:00Z"}]]):
        api.pages = {**dict.fromkeys(_incremental(), pages)}
        api.pages["descending"] = [page[::-1] for page in pages[::-1]]
        compared.load(make)
    asked.append(sorted(api.paths()))
    assert asked[1] == asked[2]
    assert asked[3] == asked[4]
    for name in _incremental():
        assert compared.lanes(name) <= {"columns"}
    compared.check()


# ---- resources that hang on each other


def _dependent(path: str = "things/{resources.things.id}/notes") -> Row:
    return {"name": "notes", "endpoint": path, "include_from_parent": ["id", "at"]}


@pytest.fixture
def with_notes(api: Lists) -> Lists:
    api.pages |= {
        f"things/{number}/notes": [[{"text": f"note {number}", "tags": ["x", number]}], [{"n": 1}]]
        for number in range(6)
    }
    return api


@pytest.mark.parametrize(
    "selected",
    [("things", "notes"), ("notes",), pytest.param(("things",), marks=pytest.mark.slow)],
)
def test_dependent_resources(
    compared: Comparison, with_notes: Lists, selected: tuple[str, ...]
) -> None:
    def make(rest: Any) -> Any:
        source = rest.rest_api_source(config(with_notes, "things", _dependent()))
        return source.with_resources(*selected)

    compared.load(make)
    if "things" in selected:
        assert compared.lanes("things") == {"columns"}
    compared.check()


@pytest.mark.slow
def test_dependents_of_dependents(compared: Comparison, with_notes: Lists) -> None:
    with_notes.pages |= {f"n/{number}": [[{"z": number}]] for number in range(6)}

    def make(rest: Any) -> Any:
        notes = {**_dependent(), "selected": False}
        last = {"name": "last", "endpoint": "n/{resources.notes._things_id}"}
        return rest.rest_api_source(config(with_notes, "things", notes, last))

    compared.load(make)
    compared.check()


def test_transformers_of_a_user(compared: Comparison, api: Lists) -> None:
    received: list[list[str]] = []

    def make(rest: Any) -> Any:
        source = rest.rest_api_source(config(api, "things"))
        kinds: list[str] = []
        received.append(kinds)

        @dlt.transformer(data_from=source.resources["things"], name="ids")
        def ids(rows: Any) -> Iterator[Any]:
            kinds.extend(type(row).__name__ for row in rows)
            yield [{"only": row["id"], "list": [row["id"]]} for row in rows]

        source.resources.add(ids)
        return source

    compared.load(make)
    assert received == [["dict"] * 6] * 2
    assert compared.lanes("things") == {"columns"}
    compared.check()


def test_resources_of_a_user_among_those_of_the_configuration(
    compared: Comparison, api: Lists
) -> None:
    def make(rest: Any) -> Any:
        @dlt.resource(name="own", selected=False)
        def own() -> Iterator[Any]:
            yield [{"name": "things", "nested": [1, 2]}]

        dependent = {"name": "of_own", "endpoint": "{resources.own.name}"}
        return rest.rest_api_source(config(api, own(), dependent))

    compared.load(make)
    compared.check()


# ---- answers, headers and credentials


def test_response_actions(compared: Comparison, api: Lists) -> None:
    seen: list[str] = []

    def note(response: Any, *_: Any, **__: Any) -> None:
        seen.append(response.url.partition("?")[2])

    def tag(response: requests.Response, *_: Any, **__: Any) -> requests.Response:
        response._content = response.content.replace(b'"id":', b'"key":')
        return response

    def make(rest: Any) -> Any:
        resources: list[Any] = [
            {
                "name": "gone",
                "endpoint": {
                    "path": "gone",
                    "response_actions": [{"status_code": 404, "action": "ignore"}],
                },
            },
            {
                "name": "by_content",
                "endpoint": {
                    "path": "things",
                    "response_actions": [{"content": "2026-01-03", "action": "ignore"}],
                },
            },
            things(response_actions=[note, {"status_code": 200, "action": tag}]),
        ]
        return rest.rest_api_source(config(api, *resources))

    compared.load(make)
    assert seen == ["", "page=1", "page=2"] * 2
    compared.check()


def test_an_answer_that_refuses(compared: Comparison, api: Lists) -> None:
    compared.load(lambda rest: rest.rest_api_source(config(api, "things", "gone")))
    compared.check(failed=True)


def _headers(api: Lists, name: str) -> list[list[str | None]]:
    """Return what a header said in the requests of either side, and forget them."""
    said = [headers.get(name) for _, _, headers, _ in api.asked]
    api.asked.clear()
    half = len(said) // 2
    return [said[:half], said[half:]]


def test_headers_and_bodies(compared: Comparison, api: Lists) -> None:
    def make(rest: Any) -> Any:
        posted = {
            "name": "posted",
            "endpoint": {
                "path": "things",
                "method": "POST",
                "json": {"filter": {"a": [1, "{{x}}"]}},
                "headers": {"X-Two": "2"},
                "params": {"q": "a b", "list": ["1", "2"]},
            },
        }
        form = {
            "name": "form",
            "endpoint": {"path": "things", "method": "POST", "data": {"field": "a&b"}},
        }
        return rest.rest_api_source(config(api, posted, form, headers={"X-One": "1"}))

    compared.load(make)
    half = len(api.asked) // 2
    ignored = {"connection", "host", "user-agent"}
    ours, theirs = (
        [
            (path, query, {k: v for k, v in headers.items() if k not in ignored}, body)
            for path, query, headers, body in asked
        ]
        for asked in (api.asked[half:], api.asked[:half])
    )
    assert ours == theirs
    assert {headers.get("x-one") for _, _, headers, _ in ours} == {"1"}
    compared.check()


def _auths(api: Lists) -> dict[str, Any]:
    return {
        "bearer": {"type": "bearer", "token": "secret"},
        "api_key": {"type": "api_key", "name": "authorization", "api_key": "secret"},
        "basic": {"type": "http_basic", "username": "u", "password": "p"},
        "instance": auth.BearerTokenAuth(token="secret"),
        "oauth": {
            "type": "oauth2_client_credentials",
            "access_token_url": f"{api.url}/token",
            "client_id": "id",
            "client_secret": "secret",
        },
    }


@pytest.mark.parametrize(
    ("kind", "place"),
    [
        ("bearer", "client"),
        ("oauth", "client"),
        pytest.param("basic", "endpoint", marks=pytest.mark.slow),
        pytest.param("api_key", "client", marks=pytest.mark.slow),
        pytest.param("instance", "client", marks=pytest.mark.slow),
        pytest.param("oauth", "endpoint", marks=pytest.mark.slow),
    ],
)
def test_credentials(compared: Comparison, api: Lists, kind: str, place: str) -> None:
    def token(request: Request) -> Response | None:
        if request.url.path == "/token":
            return answer({"access_token": "fresh", "expires_in": 3600})
        return None

    api.answer = token

    def make(rest: Any) -> Any:
        given = _auths(api)[kind]
        if place == "client":
            return rest.rest_api_source(config(api, "things", auth=given))
        return rest.rest_api_source(config(api, things(auth=given)))

    compared.load(make)
    theirs, ours = _headers(api, "authorization")
    assert ours == theirs
    assert ours[-1]
    compared.check()


@pytest.mark.slow
def test_a_session_of_a_user(compared: Comparison, api: Lists) -> None:
    def make(rest: Any) -> Any:
        session = requests.Session()
        session.headers["X-Session"] = "mine"
        return rest.rest_api_source(config(api, "things", session=session))

    compared.load(make)
    assert _headers(api, "x-session") == [["mine"] * 3] * 2
    compared.check()


# ---- sources and pipelines


@pytest.mark.slow
def test_resource_defaults_and_shorthands(compared: Comparison, api: Lists) -> None:
    def make(rest: Any) -> Any:
        made = config(api, "things", {"name": "other", "endpoint": {"path": "things"}})
        made["resource_defaults"] |= {"primary_key": "id", "write_disposition": "merge"}
        made["resource_defaults"]["endpoint"] |= {"params": {"per_page": 2}}
        return rest.rest_api_source(made, name="named", section="sections")

    compared.load(make)
    compared.check()


def test_resources_without_a_source(compared: Comparison, api: Lists) -> None:
    compared.load(lambda rest: rest.rest_api_resources(config(api, "things")))
    assert compared.lanes("things") == {"bytes", "columns"}
    compared.check()


@pytest.mark.slow
def test_resources_within_a_source_of_a_user(compared: Comparison, api: Lists) -> None:
    def make(rest: Any) -> Any:
        @dlt.source(name="mine", max_table_nesting=1, root_key=True)
        def mine() -> Iterator[Any]:
            yield from rest.rest_api_resources(config(api, "things"))

        return mine()

    compared.load(make)
    assert compared.lanes("things") == {"columns"}
    compared.check()


def test_parallelized_and_unselected_resources(compared: Comparison, api: Lists) -> None:
    threads: set[str] = set()

    def make(rest: Any) -> Any:
        def note(row: Row) -> Row:
            threads.add(threading.current_thread().name)
            return row

        resources = [
            {"name": "one", "endpoint": "things", "parallelized": True},
            {"name": "two", "endpoint": "things", "parallelized": True},
            {"name": "off", "endpoint": "things", "selected": False},
        ]
        source = rest.rest_api_source(config(api, *resources))
        source.resources["one"].add_map(note)
        return source

    compared.load(make)
    compared.load(lambda rest: rest.rest_api_source(config(api, "things"), parallelized=True))
    assert threads
    compared.check()


def test_without_a_pipeline_rows_are_dicts(compared: Comparison, api: Lists) -> None:
    made: list[list[Any]] = []
    for side in (compared.dlt, compared.arrow):
        rest: Any = side.module
        source = rest.rest_api_source(config(api, "things"))
        rows = [list(source.resources["things"]), list(source)]
        limited = rest.rest_api_source(config(api, "things")).resources["things"].add_limit(1)
        made.append([*rows, list(limited)])
    assert made[0] == made[1]
    assert made[1][0] == ROWS


def test_one_source_object_for_several_runs(compared: Comparison, api: Lists) -> None:
    for side in (compared.dlt, compared.arrow):
        rest: Any = side.module
        source = rest.rest_api_source(config(api, "things"))
        for _ in range(2):
            side.load(source)
        assert list(source) == ROWS
        side.load(source)
    compared.reports = rest.report()
    assert compared.lanes("things") == {"columns"}
    compared.check()


@pytest.mark.parametrize(
    "refresh",
    [
        "drop_sources",
        pytest.param("drop_resources", marks=pytest.mark.slow),
        pytest.param("drop_data", marks=pytest.mark.slow),
    ],
)
def test_refresh(compared: Comparison, api: Lists, refresh: str) -> None:
    def make(rest: Any) -> Any:
        return rest.rest_api_source(config(api, "things"))

    compared.load(make)
    api.pages["things"] = [[{"id": "text now", "nested": [1]}]]
    compared.load(make, refresh=refresh)
    assert compared.lanes("things") == {"columns"}
    compared.check()


@pytest.mark.slow
def test_options_of_the_run(compared: Comparison, api: Lists) -> None:
    compared.load(
        lambda rest: rest.rest_api_source(config(api, "things")),
        write_disposition="replace",
        primary_key="id",
        table_name="renamed",
        columns={"at": {"data_type": "text"}},
    )
    compared.check()


@pytest.mark.slow
def test_several_sources_in_one_run(compared: Comparison, api: Lists) -> None:
    api.pages["more"] = PAGES[1:]

    def make(rest: Any) -> Any:
        return [rest.rest_api_source(config(api, each), name=each) for each in ("things", "more")]

    compared.load(make)
    assert compared.lanes("things") == compared.lanes("more") == {"columns"}
    compared.check()


@pytest.mark.slow
def test_normalising_in_processes(
    compared: Comparison, api: Lists, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NORMALIZE__WORKERS", "2")
    monkeypatch.setenv("NORMALIZE__START_METHOD", "spawn")
    for _ in range(2):
        compared.load(lambda rest: rest.rest_api_source(config(api, "things")))
    compared.check()
