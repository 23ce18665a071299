"""What is done about answers: actions of every form, and answers that make no sense."""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import Any

import pytest
import requests
from packages.restarrow.tests.dlt_comparison import Comparison, Lists, answer, config, lists
from packages.restarrow.tests.dlt_rows import Row, things
from starlette.requests import Request
from starlette.responses import Response

ROWS: list[Row] = [
    {"id": number, "at": f"2026-01-0{1 + number}", "email": "x@example.com"} for number in range(6)
]
PAGES = [ROWS[:2], ROWS[2:5], ROWS[5:]]


@pytest.fixture
def api() -> Generator[Lists]:
    with lists({"things": PAGES}) as served:
        yield served


def _set_encoding(response: requests.Response, *_: Any, **__: Any) -> requests.Response:
    response.encoding = "windows-1252"
    return response


def _add_and_remove(response: requests.Response, *_: Any, **__: Any) -> requests.Response:
    payload = response.json()
    for row in payload["data"]:
        row["added"] = "yes"
        del row["email"]
    response._content = json.dumps(payload).encode()
    return response


def _replace_json(response: requests.Response, *_: Any, **__: Any) -> None:
    payload = {**response.json(), "data": [{"id": "replaced"}]}

    def replaced(**_: Any) -> Any:
        return payload

    vars(response)["json"] = replaced


def _rename(response: requests.Response, *_: Any, **__: Any) -> requests.Response:
    response._content = response.content.replace(b'"id":', b'"key":')
    return response


def _refuse(response: requests.Response, *_: Any, **__: Any) -> None:
    if b"2026-01-06" in response.content:
        msg = "an action refuses"
        raise ValueError(msg)


ACTIONS: dict[str, list[Any]] = {
    "function": [_rename],
    "functions": [_set_encoding, _add_and_remove, _rename],
    "always": [{"action": _rename}],
    "by_status": [{"status_code": 200, "action": _add_and_remove}],
    "by_content": [{"content": "2026-01-03", "action": _rename}],
    "by_both": [{"status_code": 200, "content": "2026-01-06", "action": [_rename]}],
    "list_of_functions": [{"status_code": 200, "action": [_add_and_remove, _rename]}],
    "another_status": [{"status_code": 404, "action": _rename}],
    "json_of_its_own": [_replace_json],
    "ignored_by_status": [{"status_code": 200, "action": "ignore"}],
    "ignored_by_content": [{"content": "2026-01-03", "action": "ignore"}],
    "ignored_by_both": [{"status_code": 200, "content": "2026-01-06", "action": "ignore"}],
    "ignored_by_neither": [{"status_code": 404, "content": "2026", "action": "ignore"}],
    "changed_and_ignored": [_rename, {"content": '"key":', "action": "ignore"}],
    "none": [],
}


def test_response_actions(compared: Comparison, api: Lists) -> None:
    seen: list[str] = []

    def note(response: requests.Response, *_: Any, **__: Any) -> None:
        seen.append(response.url.partition("?")[2])

    actions = {**ACTIONS, "noted": [note, {"status_code": 200, "action": _rename}]}
    api.pages = dict.fromkeys(actions, PAGES)

    def make(rest: Any) -> Any:
        resources = [
            {"name": name, "endpoint": {"path": name, "response_actions": each}}
            for name, each in actions.items()
        ]
        return rest.rest_api_source(config(api, *resources))

    compared.load(make)
    assert seen == ["", "page=1", "page=2"] * 2
    assert compared.query("SELECT count(DISTINCT key), min(added) FROM functions") == [(6, "yes")]
    assert compared.query("SELECT count(*) FROM ignored_by_content") == [(2,)]
    compared.check()


@pytest.mark.parametrize("status", [404, pytest.param(500, marks=pytest.mark.slow)])
def test_refusals_that_are_ignored(
    compared: Comparison, api: Lists, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNTIME__REQUEST_MAX_ATTEMPTS", "1")

    def refuse(request: Request) -> Response | None:
        return Response("Not found", status) if request.query_params.get("page") == "1" else None

    api.answer = refuse

    def make(rest: Any) -> Any:
        actions: dict[str, Row] = {
            "by_status": {"status_code": status, "action": "ignore"},
            "by_content": {"content": "Not found", "action": "ignore"},
            "by_both": {"status_code": status, "content": "found", "action": "ignore"},
        }
        resources = [
            {"name": name, "endpoint": {"path": "things", "response_actions": [action]}}
            for name, action in actions.items()
        ]
        return rest.rest_api_source(config(api, *resources))

    for _ in range(2):
        compared.load(make)
    compared.check()


def test_an_action_that_refuses(compared: Comparison, api: Lists) -> None:
    made = things(response_actions=[_refuse])
    compared.load(lambda rest: rest.rest_api_source(config(api, made)))
    compared.check(failed=True)
    assert "ValueError" in compared.arrow.failures[0]


# ---- answers that make no sense


def test_a_list_that_is_not_there(compared: Comparison, api: Lists) -> None:
    compared.load(lambda rest: rest.rest_api_source(config(api, "things", "gone")))
    compared.check(failed=True)


STRANGE: dict[str, Response] = {
    "no_json": Response("<html>", media_type="text/html"),
    "nothing": Response(""),
    "no_content": Response(status_code=204),
    "half": Response('{"data": [{"id": 1}', media_type="application/json"),
    "utf_16": Response('{"data": []}'.encode("utf-16"), media_type="application/json"),
    "no_number": Response('{"data": [{"id": NaN}]}', media_type="application/json"),
    "not_utf_8": Response(b'{"data": [{"id": "\xe9"}]}', media_type="application/json"),
}


@pytest.mark.parametrize(
    "kind",
    ["no_json", *(pytest.param(each, marks=pytest.mark.slow) for each in list(STRANGE)[1:])],
)
def test_answers_that_are_no_json(compared: Comparison, api: Lists, kind: str) -> None:
    api.answer = lambda _: STRANGE[kind]
    for _ in range(2 if kind == "no_json" else 1):
        compared.load(lambda rest: rest.rest_api_source(config(api, "things")))
    for side in (compared.dlt, compared.arrow):
        # restarrow's message tells all, so there is nothing behind it
        side.failures = [" < ".join(each.split(" < ")[:3]) for each in side.failures]
    compared.check(failed=bool(compared.dlt.failures))


ENCODED: dict[str, tuple[bytes, str]] = {
    "utf_8": ('{"data": [{"id": "é日"}]}'.encode(), "application/json; charset=utf-8"),
    "latin_1": ('{"data": [{"id": "é"}]}'.encode("latin-1"), "application/json; charset=latin-1"),
    "utf_8_as_text": ('{"data": [{"id": "é"}]}'.encode(), "text/plain"),
    "byte_order_mark": ('{"data": [{"id": "é"}]}'.encode("utf-8-sig"), "application/json"),
    "no_kind": ('{"data": [{"id": "é"}]}'.encode(), ""),
    "a_key_twice": (b'{"data": [{"id": 1, "id": 2}], "data": [{"id": 3}]}', "application/json"),
    "escapes": (b'{"data": [{"id": "\\u00e9\\ud83d\\ude00\\/"}]}', "application/json"),
}


def test_encodings(compared: Comparison, api: Lists) -> None:
    def encoded(request: Request) -> Response:
        content, kind = ENCODED[request.url.path[1:]]
        return Response(content, media_type=kind or None)

    api.answer = encoded

    def make(rest: Any) -> Any:
        resources = [
            {"name": f"{name}_{kind}", "endpoint": {"path": name, "response_actions": actions}}
            for name in ENCODED
            for kind, actions in {"plain": [], "changed": [_rename]}.items()
        ]
        return rest.rest_api_source(config(api, *resources))

    compared.load(make)
    compared.check(failed=bool(compared.dlt.failures))


def test_an_empty_list_and_none(compared: Comparison, api: Lists) -> None:
    contents: Row = {"empty": {"data": []}, "null": {"data": None}, "absent": {"other": []}}
    api.answer = lambda request: answer(contents[request.url.path[1:]])
    for _ in range(2):
        compared.load(lambda rest: rest.rest_api_source(config(api, *contents)))
    compared.check(failed=bool(compared.dlt.failures))
