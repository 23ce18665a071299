"""Bot Insight's view of the runs that have ended, over HTTP."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest
import requests

from opssim.cloud_bot import CloudBotQuirks, CloudBotSimulator
from opssim.cloud_bot.activity import OPEN
from opssim.cloud_bot.filters import instant
from opssim.core.churn import Churn
from opssim.core.server import serve

PATH = "/v2/botinsight/data/api/getbotrundata"
FIELDS = {
    *("id", "userName", "hostName", "fileName", "fileType", "startDate", "endDate", "status"),
    *("totalLines", "currentLine", "timeTaken", "progress"),
}


class Client:
    """A session that is logged in."""

    def __init__(self, url: str, simulator: CloudBotSimulator) -> None:
        self.simulator = simulator
        self.url = url + PATH
        login = {"username": simulator.username, "apiKey": simulator.api_key}
        answer = requests.post(f"{url}/v2/authentication", json=login, timeout=5)
        self.headers = {"X-Authorization": answer.json()["token"]}

    def get(self, **params: Any) -> requests.Response:
        return requests.get(self.url, params=params, headers=self.headers, timeout=5)

    def answer(self, **params: Any) -> dict[str, Any]:
        answer = self.get(**params)
        assert answer.status_code == 200, answer.text
        content: dict[str, Any] = answer.json()
        return content

    def rows(self, **params: Any) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.answer(**params)["botRunDataList"]
        return rows

    def ended(self) -> dict[str, dict[str, Any]]:
        runs = (row.data() for row in self.simulator.tables["executions"])
        return {run["id"]: run for run in runs if run["status"] not in OPEN}


@contextmanager
def client(executions: int = 300, **settings: Any) -> Generator[Client]:
    with serve(CloudBotSimulator(executions=executions, **settings)) as running:
        yield Client(running.url, running.simulator)


@pytest.fixture(scope="module")
def room() -> Generator[Client]:
    with client() as ready:
        yield ready


def test_all_runs_that_have_ended_are_there_the_earliest_first(room: Client) -> None:
    answer = room.answer()
    rows, ended = answer["botRunDataList"], room.ended()
    assert set(answer) == {"totalRecords", "botRunDataList"}
    assert {row["id"] for row in rows} == set(ended)
    assert answer["totalRecords"] == len(rows) == len(ended) < 300
    starts = [instant(row["startDate"]) for row in rows]
    assert starts == sorted(starts)


def test_rows_say_what_the_activity_list_says(room: Client) -> None:
    ended = room.ended()
    for row in room.rows():
        run = ended[row["id"]]
        assert set(row) == FIELDS
        assert (row["startDate"], row["endDate"]) == (run["startDateTime"], run["endDateTime"])
        assert (row["userName"], row["hostName"]) == (run["userName"], run["deviceName"])
        assert row["fileType"] == run["type"] in {"RUN_NOW", "SCHEDULED"}
        for name in ("fileName", "status", "totalLines", "currentLine", "progress"):
            assert row[name] == run[name]
        milliseconds = (instant(row["endDate"]) - instant(row["startDate"])) // 1_000_000
        assert row["timeTaken"] == milliseconds >= 0


def test_pages_cover_everything_once(room: Client) -> None:
    found: list[str] = []
    for number in range(1, 100):
        answer = room.answer(pageno=number, limit=70)
        if not answer["botRunDataList"]:
            break
        assert answer["totalRecords"] == len(room.ended())
        found += [row["id"] for row in answer["botRunDataList"]]
    assert found == [row["id"] for row in room.rows()]


def test_pages_may_be_counted_from_nought() -> None:
    with client(quirks=CloudBotQuirks(bot_runs_first_page=0)) as room:
        usual = room.rows()
        assert room.rows(pageno=0) == usual
        assert room.rows(pageno=0, limit=50) == usual[:50]
        assert room.rows(pageno=1, limit=50) == usual[50:100]


def test_a_range_is_that_of_the_starts_and_has_both_its_ends(room: Client) -> None:
    rows = room.rows()
    first, last = rows[40]["startDate"], rows[90]["startDate"]
    assert room.rows(fromDate=first, toDate=last) == rows[40:91]
    assert room.answer(fromDate=first)["totalRecords"] == len(rows) - 40
    assert room.rows(toDate=last, limit=10, pageno=2) == rows[10:20]
    assert room.rows(fromDate="2026-07-02T00:00:00") == []


def test_a_time_without_a_zone_is_in_utc(room: Client) -> None:
    found = room.rows(fromDate="2026-01-01T00:00:00")
    assert found == room.rows(fromDate="2026-01-01T00:00:00Z")
    assert found == room.rows(fromDate="2026-01-01T02:00:00+02:00")
    assert found


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"limit": 1001}, "limit is a whole number from 1 to 1000"),
        ({"limit": 0}, "limit is a whole number from 1 to 1000"),
        ({"limit": "many"}, "limit is a whole number from 1 to 1000"),
        ({"pageno": 0}, "pageno is a whole number from 1"),
        ({"pageno": -1}, "pageno is a whole number from 1"),
        ({"pageno": "9" * 30}, "pageno is a whole number from 1"),
        ({"fromDate": "yesterday"}, "fromDate is a time stamp like 2026-07-01T00:00:00"),
        ({"toDate": "2026-13-01T00:00:00"}, "toDate is a time stamp like 2026-07-01T00:00:00"),
    ],
)
def test_what_makes_no_sense_is_refused(room: Client, params: dict[str, Any], message: str) -> None:
    answer = room.get(**params)
    assert answer.status_code == 400
    assert answer.json()["message"] == message


def test_a_token_is_asked_for(room: Client) -> None:
    assert requests.get(room.url, timeout=5).status_code == 401


def test_a_run_appears_when_it_ends_and_goes_when_it_is_deleted() -> None:
    with client(executions=10) as room:
        room.simulator.insert("executions")
        assert room.answer()["totalRecords"] == 10
        for _ in range(200):
            room.simulator.touch("executions")
            if room.answer()["totalRecords"] == 11:
                break
        assert room.rows()[-1]["endDate"] >= "2026-07-01"
        room.simulator.delete("executions", 4)
        assert room.answer()["totalRecords"] == 7


def test_ids_may_be_numbers() -> None:
    with client(quirks=CloudBotQuirks(bot_run_numbers=True)) as room:
        ids = [row["id"] for row in room.rows()]
        assert ids == [row["id"] for row in room.rows()]
        assert all(type(number) is int for number in ids)
        assert len(set(ids)) == len(ids) == len(room.ended())
        assert all(0 <= number < 2**53 for number in ids)


def test_the_total_may_be_that_of_the_page() -> None:
    with client(quirks=CloudBotQuirks(bot_runs_total_of_page=True)) as room:
        assert room.answer(limit=7)["totalRecords"] == 7
        assert room.answer(limit=7, pageno=900) == {"totalRecords": 0, "botRunDataList": []}


def test_it_is_a_list_request_like_any_other() -> None:
    quirks, churn = CloudBotQuirks(unavailable_every=3), Churn(every=1, insert=0, delete=2, times=2)
    with client(executions=12, quirks=quirks, churn=churn) as room:
        assert [room.get().status_code for _ in range(4)] == [200, 200, 503, 200]
        assert room.answer()["totalRecords"] == 8
