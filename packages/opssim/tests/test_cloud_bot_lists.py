"""The list protocol over HTTP: pages, caps, filters and the habits of the answers."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest
import requests

from opssim.cloud_bot import CloudBotQuirks, CloudBotSimulator
from opssim.cloud_bot.listings import LISTINGS
from opssim.core.churn import Churn
from opssim.core.server import serve

ACTIVITY = "/v3/activity/list"
PATHS = [
    (path.format(queueId=1), listing.table)
    for listing in LISTINGS
    for path in listing.paths
    if listing.scope is None
]


class Client:
    """A session that is logged in."""

    def __init__(self, url: str, simulator: CloudBotSimulator, http: requests.Session) -> None:
        self.simulator = simulator
        self._url, self._http = url, http
        login = {"username": simulator.username, "apiKey": simulator.api_key}
        answer = self.post("/v2/authentication", **login, multipleLogin=True)
        http.headers["X-Authorization"] = answer.json()["token"]

    def get(self, path: str) -> requests.Response:
        return self._http.get(self._url + path, timeout=5)

    def post(self, path: str, **body: Any) -> requests.Response:
        return self._http.post(self._url + path, json=body, timeout=5)

    def send(self, path: str, body: bytes) -> requests.Response:
        return self._http.post(self._url + path, data=body, timeout=5)

    def page(self, path: str, offset: int = 0, length: int = 100, **body: Any) -> dict[str, Any]:
        answer = self.post(path, page={"offset": offset, "length": length}, **body)
        assert answer.status_code == 200, answer.text
        content: dict[str, Any] = answer.json()
        return content

    def everything(self, path: str, length: int, **body: Any) -> list[dict[str, Any]]:
        """Read to the first empty page, as a careful client does."""
        found: list[dict[str, Any]] = []
        while rows := self.page(path, len(found), length, **body)["list"]:
            found.extend(rows)
        return found


@contextmanager
def client(simulator: CloudBotSimulator) -> Generator[Client]:
    with serve(simulator) as running, requests.Session() as http:
        yield Client(running.url, simulator, http)


@pytest.fixture(scope="module")
def room() -> Generator[Client]:
    with client(CloudBotSimulator(executions=300, audit_messages=900)) as ready:
        yield ready


@contextmanager
def room_with(**quirks: Any) -> Generator[Client]:
    simulator = CloudBotSimulator(executions=60, audit_messages=20, quirks=CloudBotQuirks(**quirks))
    with client(simulator) as ready:
        yield ready


def leaf(operator: str, field: str, value: str) -> dict[str, Any]:
    return {"operator": operator, "field": field, "value": value}


@pytest.mark.parametrize(("path", "table"), PATHS)
def test_every_list_can_be_read_whole(room: Client, path: str, table: str) -> None:
    rows = room.everything(path, 37)
    held = room.simulator.tables[table]
    assert sorted(str(row["id"]) for row in rows) == sorted(held.keys())
    page = room.page(path)["page"]
    assert page == {"offset": 0, "total": len(held), "totalFilter": len(held)}


@pytest.mark.parametrize(("path", "table"), PATHS)
def test_every_list_can_be_sorted_by_each_of_its_fields(
    room: Client, path: str, table: str
) -> None:
    listing = next(listing for listing in LISTINGS if listing.table == table)
    for name in listing.kinds:
        rows = room.page(path, sort=[{"field": name, "direction": "desc"}])["list"]
        assert rows, name


def test_without_a_page_a_hundred_rows_are_sent_newest_id_first(room: Client) -> None:
    rows = room.post(ACTIVITY).json()["list"]
    assert len(rows) == 100
    ids = [row["id"] for row in rows]
    assert ids == sorted(room.simulator.tables["executions"].keys(), reverse=True)[:100]


def test_numeric_ids_are_sorted_as_numbers(room: Client) -> None:
    ids = [row["id"] for row in room.page("/v2/usermanagement/users/list")["list"]]
    assert ids == [str(number) for number in range(30, 0, -1)]


def test_pages_beyond_the_end_are_empty(room: Client) -> None:
    beyond = room.page(ACTIVITY, offset=1_000_000)
    assert beyond["list"] == []
    assert beyond["page"] == {"offset": 1_000_000, "total": 300, "totalFilter": 300}
    assert room.page(ACTIVITY, length=0)["list"] == []


def test_the_incremental_read_of_the_activity_list(room: Client) -> None:
    held = [row.data() for row in room.simulator.tables["executions"]]
    since = sorted(row["modifiedOn"] for row in held)[200]
    rows = room.everything(
        ACTIVITY,
        33,
        filter=leaf("ge", "modifiedOn", since),
        sort=[{"field": "modifiedOn", "direction": "asc"}, {"field": "id", "direction": "asc"}],
    )
    expected = sorted((row["modifiedOn"], row["id"]) for row in held if row["modifiedOn"] >= since)
    assert [(row["modifiedOn"], row["id"]) for row in rows] == expected
    page = room.page(ACTIVITY, filter=leaf("ge", "modifiedOn", since))["page"]
    assert (page["total"], page["totalFilter"]) == (300, len(expected))


def test_filters_on_other_fields(room: Client) -> None:
    failed = room.everything(ACTIVITY, 50, filter=leaf("eq", "status", "RUN_FAILED"))
    assert failed
    assert {row["status"] for row in failed} == {"RUN_FAILED"}
    path = "/v2/repository/workspaces/public/files/list"
    folders = room.everything(path, 50, filter=leaf("eq", "folder", "true"))
    assert len(folders) == 5
    named = room.everything(path, 50, filter=leaf("substring", "name", "INVOICE"))
    assert {row["name"].split(" ")[0] for row in named} == {"InvoiceBot"}


@pytest.mark.parametrize(
    "body",
    [
        {"filter": leaf("eq", "id", "x")},  # the activity list cannot be filtered on ids
        {"filter": leaf("between", "status", "x")},
        {"sort": [{"field": "message", "direction": "asc"}]},
        {"page": {"offset": -1}},
        {"page": {"offset": 0, "length": "100"}},
        {"page": {"offset": True}},
        {"page": [0, 100]},
        {"fields": "id"},
        {"fields": [1]},
    ],
)
def test_what_the_protocol_does_not_know_is_refused(room: Client, body: dict[str, Any]) -> None:
    answer = room.post(ACTIVITY, **body)
    assert answer.status_code == 400
    assert answer.json()["code"]
    assert answer.json()["message"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b'{"page": }'])
def test_what_is_no_json_object_is_refused(room: Client, body: bytes) -> None:
    answer = room.send(ACTIVITY, body)
    assert answer.status_code == 400
    assert answer.json()["code"] == "json.deserialization.exception"


def test_fields_choose_what_is_sent(room: Client) -> None:
    rows = room.page(ACTIVITY, length=3, fields=["id", "status", "unknown"])["list"]
    assert [list(row) for row in rows] == [["id", "status"]] * 3


def test_version_1_of_the_user_management_has_numbers_for_ids(room: Client) -> None:
    newer = room.page("/v2/usermanagement/users/list")["list"]
    older = room.page("/v1/usermanagement/users/list")["list"]
    assert [row["id"] for row in older] == [int(row["id"]) for row in newer]
    assert {type(role["id"]) for row in older for role in row["roles"]} == {int}
    assert {type(role["id"]) for row in newer for role in row["roles"]} == {str}
    chosen = room.page("/v1/usermanagement/users/list", length=1, fields=["id"])
    assert chosen["list"] == [{"id": 30}]


def test_one_user(room: Client) -> None:
    user = room.get("/v2/usermanagement/users/2").json()
    assert (user["id"], user["deleted"], user["multipleLoginAllowed"]) == ("2", False, True)
    assert "lastLoginTime" in user
    assert room.get("/v1/usermanagement/users/2").json()["id"] == 2
    assert room.get("/v2/usermanagement/users/999").status_code == 404


def test_work_items_are_listed_by_queue_and_not_more_than_a_thousand(room: Client) -> None:
    items = room.simulator.tables["wlm_work_items"]
    listed: list[str] = []
    queues = room.simulator.tables["wlm_queues"].keys()
    for queue in queues:
        path = f"/v3/wlm/queues/{queue}/workitems/list"
        rows = room.everything(path, 7)
        assert {row["queueId"] for row in rows} == {queue}
        assert room.page(path)["page"]["total"] == len(rows)
        listed += [row["id"] for row in rows]
    assert sorted(listed) == sorted(items.keys())
    path = "/v3/wlm/queues/1/workitems/list"
    assert room.post(path, page={"offset": 0, "length": 1000}).status_code == 200
    assert room.post(path, page={"offset": 0, "length": 1001}).status_code == 400
    assert room.post("/v3/wlm/queues/99/workitems/list").status_code == 404


def test_the_audit_log_sends_400_rows_whatever_is_asked_for(room: Client) -> None:
    path = "/v1/audit/messages/list"
    assert len(room.page(path, length=1000)["list"]) == 400
    assert len(room.page(path, length=10)["list"]) == 10
    rows = room.everything(path, 1000, sort=[{"field": "createdOn", "direction": "asc"}])
    assert len({row["id"] for row in rows}) == 900
    assert [row["createdOn"] for row in rows] == sorted(row["createdOn"] for row in rows)


def test_the_activity_list_has_a_cap() -> None:
    with room_with(activity_cap=25, audit_cap=10) as room:
        assert len(room.page(ACTIVITY, length=50)["list"]) == 25
        assert len(room.page("/v1/audit/messages/list", length=50)["list"]) == 10
        assert len(room.page("/v2/usermanagement/users/list", length=50)["list"]) == 30
    assert CloudBotQuirks().activity_cap == 10_000


def test_any_list_may_have_a_cap() -> None:
    with room_with(page_cap=8) as room:
        for path, table in PATHS:
            assert len(room.page(path)["list"]) == min(8, len(room.simulator.tables[table])), path
        assert len(room.everything(ACTIVITY, 1000)) == 60


def test_total_filter_may_be_zero_although_rows_are_sent() -> None:
    with room_with(total_filter_zero=True) as room:
        answer = room.page(ACTIVITY, length=3)
        assert answer["page"] == {"offset": 0, "total": 60, "totalFilter": 0}
        assert len(answer["list"]) == 3


def test_the_list_of_pools_may_be_nested_in_the_page() -> None:
    path = "/v2/devices/pools/list"
    with room_with(nested_pool_list=True) as room:
        answer = room.page(path)
        assert set(answer) == {"page"}
        assert [row["id"] for row in answer["page"]["list"]] == ["3", "2", "1"]
        assert set(room.page(ACTIVITY)) == {"page", "list"}


def test_devices_may_come_without_a_page() -> None:
    with room_with(devices_without_page=True) as room:
        answer = room.page("/v2/devices/list", offset=10)
        assert set(answer) == {"list"}
        assert len(answer["list"]) == 5


def test_every_nth_list_request_finds_the_service_unavailable() -> None:
    with room_with(unavailable_every=3) as room:
        answers = [room.post(ACTIVITY) for _ in range(7)]
        assert [answer.status_code for answer in answers] == [200, 200, 503, 200, 200, 503, 200]
        assert answers[2].headers["Retry-After"] == "1"
        assert room.post("/v2/devices/list").status_code == 200
        assert room.post("/v2/devices/list").status_code == 503


def test_strict_switches_every_hardship_on() -> None:
    strict, usual = CloudBotQuirks.strict(), CloudBotQuirks()
    assert strict.total_filter_zero
    assert strict.nested_pool_list
    assert strict.devices_without_page
    assert strict.old_devices > 0
    assert strict.epoch_end == "mixed"
    assert strict.single_session
    assert strict.unavailable_every
    assert strict.page_cap
    assert not strict.runs_fail
    assert usual.page_cap is None
    assert (usual.activity_cap, usual.audit_cap, usual.seed_page) == (10_000, 400, True)


def test_a_strict_control_room_can_still_be_read_whole() -> None:
    simulator = CloudBotSimulator(executions=400, quirks=CloudBotQuirks.strict())
    with client(simulator) as room:
        found = 0
        while True:
            answer = room.post(ACTIVITY, page={"offset": found, "length": 1000})
            if answer.status_code == 503:
                continue
            rows = answer.json()["list"]
            if not rows:
                break
            assert len(rows) <= 150
            found += len(rows)
        assert found == 400


@pytest.mark.parametrize("path", ["/", "/v3/activity", "/v9/activity/list"])
def test_paths_that_are_not_there(room: Client, path: str) -> None:
    for answer in (room.get(path), room.post(path)):
        assert answer.status_code == 404
        assert set(answer.json()) == {"message"}


def test_data_changes_while_a_list_is_read() -> None:
    churn = Churn(every=2, insert=3, touch=0, times=2)
    with client(CloudBotSimulator(executions=50, churn=churn)) as room:
        totals = [room.page(ACTIVITY, length=5)["page"]["total"] for _ in range(6)]
        assert totals == [50, 53, 53, 56, 56, 56]
        assert room.page("/v2/devices/list")["page"]["total"] == 15


def test_a_row_that_changes_is_found_again_by_an_incremental_read(room: Client) -> None:
    simulator = room.simulator
    by_change = [{"field": "modifiedOn", "direction": "asc"}]
    last = room.everything(ACTIVITY, 100, sort=by_change)[-1]
    simulator.insert("executions", 2)
    simulator.touch("executions", 1)
    fresh = room.everything(
        ACTIVITY, 100, filter=leaf("gt", "modifiedOn", last["modifiedOn"]), sort=by_change
    )
    assert len(fresh) in {2, 3}  # the touched one may be one of the new ones
    assert all(row["modifiedOn"] > last["modifiedOn"] for row in fresh)


def test_views_of_the_same_list_do_not_mix(room: Client) -> None:
    for status in ("COMPLETED", "RUN_FAILED", "COMPLETED", "RUN_FAILED"):
        rows = room.page(ACTIVITY, filter=leaf("eq", "status", status))["list"]
        assert {row["status"] for row in rows} == {status}
