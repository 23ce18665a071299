"""Steering a simulator from another process, through its control endpoints."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import pytest
import requests
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from opssim.core.faults import Fault
from opssim.core.server import Running, serve
from opssim.core.simulator import Simulator
from opssim.core.store import Table


class Shop(Simulator):
    """A simulator of one list."""

    name: ClassVar[str] = "shop"

    def __init__(self) -> None:
        super().__init__()
        self.tables["orders"] = Table("orders", key=lambda row: str(row["id"]), fields=lambda _: {})
        self.touched: list[tuple[str, int]] = []
        self.made = 0
        self.insert("orders", 2)

    def routes(self) -> Sequence[BaseRoute]:
        async def orders(_: Request) -> Response:
            return JSONResponse({"count": len(self.tables["orders"])})

        return [Route("/orders", orders)]

    def configuration(self, url: str) -> Mapping[str, str]:
        return {"SHOP": url}

    def secrets(self) -> frozenset[str]:
        return frozenset()

    def actions(self) -> Mapping[str, Callable[..., object]]:
        return {"ship": self.ship}

    def ship(self, order: str, *, fast: bool = False) -> dict[str, object]:
        """Do something with an order."""
        if order not in self.tables["orders"]:
            raise KeyError(order)
        return {"shipped": order, "fast": fast}

    def insert(self, table: str, count: int = 1) -> None:
        for _ in range(count):
            self.made += 1
            self.tables[table].insert({"id": self.made})

    def touch(self, table: str, count: int = 1) -> None:
        self.touched.append((table, count))


@pytest.fixture(scope="module")
def served() -> Iterator[Running[Shop]]:
    with serve(Shop()) as running:
        yield running


@pytest.fixture
def shop(served: Running[Shop]) -> Iterator[Running[Shop]]:
    yield served
    served.simulator.faults.clear()
    served.simulator.requests.clear()
    served.simulator.latency = 0.0


def steer(shop: Running[Shop], method: str, what: str, json: object = None) -> requests.Response:
    return requests.request(method, f"{shop.url}/_sim/{what}", json=json, timeout=5)


def orders(shop: Running[Shop]) -> requests.Response:
    return requests.get(f"{shop.url}/orders", timeout=5)


def test_counts(shop: Running[Shop]) -> None:
    assert steer(shop, "GET", "counts").json() == shop.simulator.counts()


def test_requests_are_counted_by_path_and_status(shop: Running[Shop]) -> None:
    orders(shop)
    orders(shop)
    requests.get(f"{shop.url}/nothing", timeout=5)
    assert steer(shop, "GET", "requests").json() == {
        "/orders": {"200": 2},
        "/nothing": {"404": 1},
    }


def test_steering_is_not_in_the_log(shop: Running[Shop]) -> None:
    steer(shop, "GET", "counts")
    steer(shop, "GET", "no-such-thing")
    assert shop.simulator.requests.all() == []


def test_insert(shop: Running[Shop]) -> None:
    before = shop.simulator.counts()["orders"]
    assert steer(shop, "POST", "insert", {"table": "orders", "count": 3}).json() == {
        "orders": before + 3
    }
    assert orders(shop).json() == {"count": before + 3}
    steer(shop, "POST", "insert", {"table": "orders"})
    assert orders(shop).json() == {"count": before + 4}


def test_touch(shop: Running[Shop]) -> None:
    assert steer(shop, "POST", "touch", {"table": "orders", "count": 5}).status_code == 200
    assert shop.simulator.touched[-1] == ("orders", 5)


def test_delete(shop: Running[Shop]) -> None:
    steer(shop, "POST", "insert", {"table": "orders", "count": 3})
    before = shop.simulator.counts()["orders"]
    assert steer(shop, "POST", "delete", {"table": "orders", "count": 2}).json() == {
        "orders": before - 2
    }
    assert orders(shop).json() == {"count": before - 2}
    steer(shop, "POST", "delete", {"table": "orders"})
    assert orders(shop).json() == {"count": before - 3}


class TestFaults:
    def test_come_and_go(self, shop: Running[Shop]) -> None:
        fault = {"status": 503, "body": "später", "headers": {"Retry-After": "2"}, "times": 1}
        assert steer(shop, "POST", "faults", fault).status_code == 204
        struck = orders(shop)
        assert (struck.status_code, struck.content.decode()) == (503, "später")
        assert struck.headers["retry-after"] == "2"
        assert orders(shop).status_code == 200

    def test_are_cleared(self, shop: Running[Shop]) -> None:
        steer(shop, "POST", "faults", {"status": 500})
        steer(shop, "POST", "faults", {"cut": True})
        assert orders(shop).status_code == 500
        assert steer(shop, "DELETE", "faults").status_code == 204
        assert orders(shop).status_code == 200

    def test_of_every_kind_can_be_sent(self, shop: Running[Shop]) -> None:
        steer(
            shop, "POST", "faults", {"path": "^/orders$", "method": "GET", "every": 2, "cut": True}
        )
        assert orders(shop).status_code == 200
        with pytest.raises(requests.ConnectionError):
            orders(shop)

    def test_never_strike_the_control_endpoints(self, shop: Running[Shop]) -> None:
        shop.simulator.faults.add(Fault(status=500))
        assert steer(shop, "GET", "counts").status_code == 200

    @pytest.mark.parametrize(
        ("body", "explanation"),
        [
            ({"code": 503}, "a fault has no code: only after, body, chance, cut, delay"),
            ({"status": "503"}, "this is no fault: Expected `int | null`, got `str`"),
            ({"path": "("}, "this is no fault: missing )"),
            ({"body": 1}, "this is no fault: Expected `str`, got `int`"),
            ([], "this is no fault: Expected `object`, got `array`"),
        ],
    )
    def test_are_refused_if_they_make_no_sense(
        self, shop: Running[Shop], body: Any, explanation: str
    ) -> None:
        answer = steer(shop, "POST", "faults", body)
        assert answer.status_code == 400
        assert answer.json()["error"].startswith(explanation)
        assert orders(shop).status_code == 200


@pytest.mark.parametrize("what", ["insert", "touch", "delete"])
@pytest.mark.parametrize(
    ("body", "explanation"),
    [
        ({"table": "customers"}, "shop has no table 'customers': only orders"),
        ({"count": 1}, "missing required field `table`"),
        ({"table": "orders", "rows": 1}, "unknown field `rows`"),
        ({"table": "orders", "count": -1}, ">= 0"),
        ("orders", "Expected `object`, got `str`"),
    ],
)
def test_changes_are_refused_if_they_make_no_sense(
    shop: Running[Shop], what: str, body: Any, explanation: str
) -> None:
    before = shop.simulator.counts()
    answer = steer(shop, "POST", what, body)
    assert answer.status_code == 400
    assert explanation in answer.json()["error"]
    assert shop.simulator.counts() == before


def test_latency_is_for_the_api_alone_and_hides_no_fault(shop: Running[Shop]) -> None:
    shop.simulator.latency = 0.2
    steer(shop, "POST", "faults", {"status": 500})
    late = orders(shop)
    assert late.status_code == 500
    assert late.elapsed.total_seconds() >= 0.2
    assert steer(shop, "GET", "counts").elapsed.total_seconds() < 0.2


def test_actions_are_done(shop: Running[Shop]) -> None:
    key = next(iter(shop.simulator.tables["orders"])).key
    answer = requests.post(f"{shop.url}/_sim/actions/ship", json={"order": key, "fast": True})
    assert answer.json() == {"shipped": key, "fast": True}


@pytest.mark.parametrize(
    ("name", "body", "explanation"),
    [
        ("fly", "{}", "shop has no action 'fly': only ship"),
        ("ship", "[]", "the arguments of an action are a JSON object"),
        ("ship", "{}", "ship cannot be done with nothing"),
        ("ship", '{"order": "none"}', "ship cannot be done with order: 'none'"),
    ],
)
def test_actions_that_cannot_be_done_are_explained(
    shop: Running[Shop], name: str, body: str, explanation: str
) -> None:
    answer = requests.post(f"{shop.url}/_sim/actions/{name}", data=body)
    assert answer.status_code == 400
    assert explanation in answer.json()["error"]
