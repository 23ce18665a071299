from __future__ import annotations

import http.client
import time
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
import requests

from opssim.core.server import Running, serve
from opssim.rootly import RootlyQuirks, RootlySimulator

Rootly = Running[RootlySimulator]


@contextmanager
def _small(
    quirks: RootlyQuirks | None = None, *, limit: int = 3000, window: float = 60.0
) -> Generator[Rootly]:
    simulator = RootlySimulator(
        incidents=5,
        alerts=5,
        alert_events=5,
        shifts=8,
        quirks=quirks,
        rate_limit=limit,
        rate_window=window,
    )
    with serve(simulator) as running:
        yield running


@pytest.fixture(name="rootly", scope="module")
def _rootly() -> Iterator[Rootly]:
    with _small() as running:
        yield running


def _get(rootly: Rootly, path: str, token: str | None = None, **headers: str) -> requests.Response:
    bearer = {"Authorization": f"Bearer {rootly.simulator.token if token is None else token}"}
    return requests.get(rootly.url + path, headers={**bearer, **headers}, timeout=5)


def _error(answer: requests.Response) -> dict[str, Any]:
    assert answer.headers["content-type"] == "application/vnd.api+json"
    error: dict[str, Any]
    (error,) = answer.json()["errors"]
    assert set(error) == {"title", "status", "code", "detail"}
    assert error["status"] == str(answer.status_code)
    return error


def test_answers_are_json_api(rootly: Rootly) -> None:
    answer = _get(rootly, "/v1/users")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/vnd.api+json"


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer ", "Bearer wrong", "Basic {token}", "{token}"]
)
def test_only_a_right_bearer_is_let_in(rootly: Rootly, authorization: str) -> None:
    header = authorization.format(token=rootly.simulator.token)
    answer = _get(rootly, "/v1/users", Authorization=header)
    assert answer.status_code == 401
    assert _error(answer)["title"] == "Unauthorized"


def test_without_authorization_nothing_is_answered(rootly: Rootly) -> None:
    answer = requests.get(f"{rootly.url}/v1/users", timeout=5)
    assert answer.status_code == 401
    assert "data" not in answer.json()


def test_the_scheme_is_case_insensitive(rootly: Rootly) -> None:
    header = f"bearer {rootly.simulator.token}"
    assert _get(rootly, "/v1/users", Authorization=header).status_code == 200


def _without_user_agent(rootly: Rootly) -> tuple[int, dict[str, str], str]:
    host = rootly.url.removeprefix("http://")
    with closing(http.client.HTTPConnection(host, timeout=5)) as connection:
        connection.putrequest("GET", "/v1/users", skip_accept_encoding=True)
        connection.putheader("Authorization", f"Bearer {rootly.simulator.token}")
        connection.endheaders()
        answer = connection.getresponse()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, headers, answer.read().decode()


def test_without_a_user_agent_the_edge_answers(rootly: Rootly) -> None:
    status, headers, page = _without_user_agent(rootly)
    assert status == 403
    assert "Error 1010" in page
    assert "text/html" in headers["content-type"]
    assert "x-ratelimit-limit" not in headers


def test_an_empty_user_agent_is_none(rootly: Rootly) -> None:
    answer = _get(rootly, "/v1/users", **{"User-Agent": ""})
    assert answer.status_code == 403
    assert "Error 1010" in answer.text


def test_an_edge_that_does_not_mind() -> None:
    with _small(RootlyQuirks(user_agent_required=False)) as rootly:
        assert _without_user_agent(rootly)[0] == 200


def test_older_organisations_take_any_media_type(rootly: Rootly) -> None:
    for media_type in ("application/json", "text/plain", "application/vnd.api+json"):
        assert _get(rootly, "/v1/users", **{"Content-Type": media_type}).status_code == 200


def test_newer_organisations_want_theirs() -> None:
    with _small(RootlyQuirks(media_type_required=True)) as rootly:
        assert _get(rootly, "/v1/users").status_code == 415
        wrong = _get(rootly, "/v1/users", **{"Content-Type": "application/json"})
        assert _error(wrong)["title"] == "Unsupported Media Type"
        for right in ("application/vnd.api+json", "application/vnd.api+json; charset=utf-8"):
            assert _get(rootly, "/v1/users", **{"Content-Type": right}).status_code == 200


def test_a_team_key_does_not_see_incidents(rootly: Rootly) -> None:
    team = rootly.simulator.team_token
    key = rootly.simulator.tables["incidents"].keys()[0]
    for path in ("/v1/incidents", f"/v1/incidents/{key}"):
        answer = _get(rootly, path, team)
        assert answer.status_code == 404
        assert _error(answer)["title"] == "Not found or unauthorized"
    for path in ("/v1/alerts", "/v1/users", "/v1/services", "/v1/shifts", "/v1/users/me"):
        assert _get(rootly, path, team).status_code == 200


@pytest.mark.parametrize(
    "path", ["/v1/nowhere", "/v1", "/", "/v2/users", "/v1/users/0", "/v1/shifts/x/y/z"]
)
def test_what_is_not_there(rootly: Rootly, path: str) -> None:
    answer = _get(rootly, path)
    assert answer.status_code == 404
    assert _error(answer)["title"] == "Not found or unauthorized"


def test_what_is_not_there_still_needs_a_key(rootly: Rootly) -> None:
    assert _get(rootly, "/v1/nowhere", "wrong").status_code == 401


def test_writing_is_not_simulated(rootly: Rootly) -> None:
    headers = {"Authorization": f"Bearer {rootly.simulator.token}"}
    answer = requests.post(f"{rootly.url}/v1/incidents", headers=headers, json={}, timeout=5)
    assert answer.status_code == 404
    _error(answer)


def test_who_am_i(rootly: Rootly) -> None:
    first, *_, last = rootly.simulator.tables["users"].keys()
    mine = _get(rootly, "/v1/users/me").json()
    assert (mine["data"]["id"], mine["data"]["type"]) == (first, "users")
    theirs = _get(rootly, "/v1/users/me", rootly.simulator.team_token).json()
    assert theirs["data"]["id"] == last


def test_nobody_is_nobody() -> None:
    with serve(RootlySimulator(incidents=1, users=0, alerts=1)) as rootly:
        assert _get(rootly, "/v1/users/me").status_code == 404


def test_routing_rules_are_gone_with_advanced_alert_routing(rootly: Rootly) -> None:
    assert len(_get(rootly, "/v1/alert_routing_rules").json()["data"]) == 3
    with _small(RootlyQuirks(advanced_alert_routing=True)) as advanced:
        answer = _get(advanced, "/v1/alert_routing_rules")
        assert answer.status_code == 403
        assert "alert_routes" in _error(answer)["detail"]
        assert len(_get(advanced, "/v1/alert_routes").json()["data"]) == 2


def test_the_rate_limit_is_told_with_every_answer() -> None:
    with _small() as rootly:
        for used, path in enumerate(("/v1/users", "/v1/nowhere", "/v1/shifts?from=x"), start=1):
            headers = _get(rootly, path).headers
            assert headers["x-ratelimit-limit"] == "3000, 3000;window=60"
            assert headers["x-ratelimit-used"] == str(used)
            assert headers["x-ratelimit-remaining"] == str(3000 - used)
            assert 0 < int(headers["x-ratelimit-reset"]) - time.time() <= 61


def test_over_the_rate_limit() -> None:
    with _small(limit=2) as rootly:
        assert [_get(rootly, "/v1/users").status_code for _ in range(3)] == [200, 200, 429]
        answer = _get(rootly, "/v1/users")
        assert answer.content == b'{"error":"Rate limit exceeded. Try again later."}'
        assert answer.headers["content-type"] == "application/json"
        assert "retry-after" not in answer.headers
        assert answer.headers["x-ratelimit-remaining"] == "0"
        assert answer.headers["x-ratelimit-used"] == "2"


def test_each_key_has_its_own_rate_limit() -> None:
    with _small(limit=1) as rootly:
        _get(rootly, "/v1/users")
        assert _get(rootly, "/v1/users").status_code == 429
        team = rootly.simulator.team_token
        assert _get(rootly, "/v1/users", team).status_code == 200
        assert _get(rootly, "/v1/users", "wrong").status_code == 401


def test_the_rate_limit_passes() -> None:
    with _small(limit=1, window=0.2) as rootly:
        assert _get(rootly, "/v1/users").status_code == 200
        assert _get(rootly, "/v1/users").status_code == 429
        time.sleep(0.21)
        assert _get(rootly, "/v1/users").status_code == 200


def test_a_single_row(rootly: Rootly) -> None:
    for name in ("incidents", "alerts", "users", "teams", "heartbeats", "alert_groups"):
        row = next(iter(rootly.simulator.tables[name]))
        answer = _get(rootly, f"/v1/{name}/{row.key}").json()
        assert answer == {"data": row.data(), "included": []}


def test_an_alert_by_its_short_id(rootly: Rootly) -> None:
    row = list(rootly.simulator.tables["alerts"])[-1].data()
    short = row["attributes"]["short_id"]
    assert _get(rootly, f"/v1/alerts/{short}").json()["data"] == row
    assert _get(rootly, "/v1/alerts/zzzz").status_code == 404


def test_a_single_row_with_what_it_includes(rootly: Rootly) -> None:
    row = next(
        row.data()
        for row in rootly.simulator.tables["teams"]
        if row.data()["attributes"]["user_ids"]
    )
    answer = _get(rootly, f"/v1/teams/{row['id']}?include=users,nonsense").json()
    wanted = [str(number) for number in row["attributes"]["user_ids"]]
    assert [user["id"] for user in answer["included"]] == wanted
