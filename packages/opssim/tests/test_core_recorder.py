from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from opssim.core.faults import Fault
from opssim.core.recorder import RequestLog, Seen
from opssim.core.server import Running, serve
from opssim.rootly import RootlySimulator


@pytest.fixture(name="rootly", scope="module")
def _rootly() -> Iterator[Running[RootlySimulator]]:
    with serve(RootlySimulator(incidents=5, alerts=5, alert_events=5, shifts=8)) as running:
        yield running


@pytest.fixture(autouse=True)
def _forgotten(rootly: Running[RootlySimulator]) -> Iterator[None]:
    yield
    rootly.simulator.requests.clear()
    rootly.simulator.faults.clear()


def _ask(rootly: Running[RootlySimulator], path: str, **headers: str) -> requests.Response:
    token = rootly.simulator.token
    return requests.get(
        rootly.url + path, headers={"Authorization": f"Bearer {token}", **headers}, timeout=5
    )


def _only(log: RequestLog) -> Seen:
    (seen,) = log.all()
    return seen


def test_a_request_is_noted_with_its_answer(rootly: Running[RootlySimulator]) -> None:
    _ask(rootly, "/v1/users?page%5Bsize%5D=3&sort=-updated_at")
    seen = _only(rootly.simulator.requests)
    assert (seen.method, seen.path, seen.status) == ("GET", "/v1/users", 200)
    assert seen.query == {"page[size]": "3", "sort": "-updated_at"}
    assert seen.headers["user-agent"].startswith("python-requests/")


def test_credentials_are_never_kept(rootly: Running[RootlySimulator]) -> None:
    _ask(rootly, "/v1/users", **{"X-Authorization": "jwt-abc", "Cookie": "session=def"})
    seen = _only(rootly.simulator.requests)
    assert seen.headers["authorization"] == "<not kept>"
    assert seen.headers["x-authorization"] == "<not kept>"
    assert seen.headers["cookie"] == "<not kept>"
    kept = repr(seen)
    for secret in (rootly.simulator.token, "jwt-abc", "session=def"):
        assert secret not in kept


def test_wrong_credentials_are_not_kept_either(rootly: Running[RootlySimulator]) -> None:
    _ask(rootly, "/v1/users", Authorization="Bearer somebody-elses-key")
    seen = _only(rootly.simulator.requests)
    assert seen.status == 401
    assert "somebody-elses-key" not in repr(seen)


def test_requests_are_noted_in_their_order_and_found_by_path(
    rootly: Running[RootlySimulator],
) -> None:
    for path in ("/v1/users", "/v1/teams", "/v1/nowhere", "/v1/users"):
        _ask(rootly, path)
    log = rootly.simulator.requests
    assert [seen.path for seen in log.all()] == [
        "/v1/users",
        "/v1/teams",
        "/v1/nowhere",
        "/v1/users",
    ]
    assert len(log.all("/v1/users")) == 2
    assert log.statuses() == {200: 3, 404: 1}
    assert log.statuses("/v1/nowhere") == {404: 1}


def test_faults_are_noted_as_what_was_answered(rootly: Running[RootlySimulator]) -> None:
    rootly.simulator.faults.add(Fault(status=503, times=1))
    _ask(rootly, "/v1/users")
    assert rootly.simulator.requests.statuses() == {503: 1}


def test_the_log_can_be_cleared(rootly: Running[RootlySimulator]) -> None:
    _ask(rootly, "/v1/users")
    rootly.simulator.requests.clear()
    assert rootly.simulator.requests.all() == []


def test_the_list_of_requests_is_a_copy() -> None:
    log = RequestLog()
    log.all().append(Seen("GET", "/", {}, {}, 200))
    assert log.all() == []
