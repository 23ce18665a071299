"""Reading the lists of the simulated Roost, as a client sees them."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import requests

from opssim.core.churn import Churn
from opssim.core.clock import DEFAULT_NOW
from opssim.core.server import Running, serve
from opssim.roost import RoostQuirks, RoostSimulator

ALL = {
    "get_for_all": "true",
    "getAll": "true",
    "searchTerm": "",
    "isCaseSensitive": "false",
    "isWholeWord": "false",
    "take": "100",
    "skip": "0",
}


@pytest.fixture(scope="module")
def roost() -> Iterator[Running[RoostSimulator]]:
    with serve(RoostSimulator(tests=40, events=300)) as running:
        yield running


def ask(running: Running[RoostSimulator], path: str, **params: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {running.simulator.token}"}
    return requests.get(f"{running.url}/api{path}", params=params, headers=headers, timeout=5)


def listed(running: Running[RoostSimulator], path: str, **params: Any) -> dict[str, Any]:
    answer = ask(running, path, **params)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def events(running: Running[RoostSimulator], **params: Any) -> list[dict[str, Any]]:
    """Read all pages of the list of events."""
    rows: list[dict[str, Any]] = []
    while page := listed(running, "/test/event", take="100", skip=str(len(rows)), **params)["data"]:
        rows += page
    return rows


def refused(answer: requests.Response) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    assert set(body) == {"code", "timestamp", "path", "method", "message"}
    assert body["code"] == answer.status_code
    assert datetime.fromisoformat(body["timestamp"]) >= DEFAULT_NOW
    return body


class TestEnvelope:
    def test_has_data_count_and_the_users_of_the_rows(self, roost: Running[RoostSimulator]) -> None:
        page = listed(roost, "/test/event", take="7")
        assert set(page) == {"data", "count", "users"}
        assert len(page["data"]) == 7
        assert page["count"] == 300
        assert set(page["users"]) == {row["user_id"] for row in page["data"]}
        assert {tuple(user) for user in page["users"].values()} == {
            ("first_name", "last_name", "email")
        }

    def test_is_the_captured_one_when_nothing_matches(self, roost: Running[RoostSimulator]) -> None:
        assert listed(roost, "/test/event", test_id="none") == {"data": [], "count": 0, "users": {}}

    def test_counts_the_page_if_that_is_the_quirk(self) -> None:
        quirks = RoostQuirks(count_is_page=True)
        with serve(RoostSimulator(tests=3, events=20, quirks=quirks)) as roost:
            assert listed(roost, "/test/event", take="7")["count"] == 7
            assert listed(roost, "/test/event", take="7", skip="15")["count"] == 5

    def test_sends_names_in_any_script(self, roost: Running[RoostSimulator]) -> None:
        users = listed(roost, "/test/event", take="100")["users"].values()
        assert {"愛", "Jörg"} <= {user["first_name"] for user in users}


class TestTestsAndPlans:
    def test_pages_cover_everything_once_newest_first(self, roost: Running[RoostSimulator]) -> None:
        rows = [
            row
            for skip in range(0, 40, 15)
            for row in listed(roost, "/test", **{**ALL, "take": "15", "skip": str(skip)})["data"]
        ]
        assert len({row["id"] for row in rows}) == len(rows) == 40
        created = [row["created_on"] for row in rows]
        assert created == sorted(created, reverse=True)

    def test_plans_are_a_list_of_their_own(self, roost: Running[RoostSimulator]) -> None:
        plans = listed(roost, "/test/getAllTestPlan", **ALL)["data"]
        tests = listed(roost, "/test", **ALL)["data"]
        assert len(plans) == 8
        assert not {row["id"] for row in plans} & {row["id"] for row in tests}
        assert plans[0].keys() == tests[0].keys()

    @pytest.mark.parametrize("path", ["/test", "/test/getAllTestPlan"])
    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("get_for_all", "get_for_all must be one of the following values: true, false"),
            ("getAll", "getAll must be one of the following values: true, false"),
            ("searchTerm", "searchTerm must be longer than or equal to 3 characters"),
            ("isCaseSensitive", "isCaseSensitive must be one of the following values: true, false"),
            ("isWholeWord", "isWholeWord must be one of the following values: true, false"),
            ("take", "take must be a string"),
            ("skip", "skip must be a string"),
        ],
    )
    def test_required_parameters_are_missed(
        self, roost: Running[RoostSimulator], path: str, name: str, message: str
    ) -> None:
        params = {key: value for key, value in ALL.items() if key != name}
        answer = ask(roost, path, **params)
        assert answer.status_code == 400
        assert refused(answer)["message"] == message

    def test_all_complaints_come_at_once(self, roost: Running[RoostSimulator]) -> None:
        message = refused(ask(roost, "/test"))["message"]
        assert message.count(", ") == 6 + 4  # seven messages, four of which name two values

    def test_without_the_quirk_everything_is_answered_at_once(self) -> None:
        simulator = RoostSimulator(tests=130, events=150, quirks=RoostQuirks(required_params=False))
        with serve(simulator) as roost:
            assert len(listed(roost, "/test")["data"]) == 130
            assert len(listed(roost, "/test/event")["data"]) == 150
            assert len(listed(roost, "/test", take="1000")["data"]) == 100

    def test_one_test(self, roost: Running[RoostSimulator]) -> None:
        first = listed(roost, "/test", **ALL)["data"][0]
        assert ask(roost, f"/test/{first['id']}", clone_test="false").json() == first
        plan = listed(roost, "/test/getAllTestPlan", **ALL)["data"][0]
        assert ask(roost, f"/test/{plan['id']}", clone_test="true").json() == plan

    def test_one_test_asks_whether_it_is_for_a_clone(self, roost: Running[RoostSimulator]) -> None:
        answer = ask(roost, "/test/whatever")
        assert answer.status_code == 400
        assert refused(answer)["message"].startswith("clone_test must be one of")

    def test_filters(self, roost: Running[RoostSimulator]) -> None:
        everything = listed(roost, "/test", **ALL)["data"]
        unit = listed(roost, "/test", **ALL, test_type_filter="unit")["data"]
        assert 0 < len(unit) < 40
        assert all('"test_type":"unit"' in row["additional_info"] for row in unit)
        labelled = listed(roost, "/test", **ALL, label_filter=["P1", "決済"])["data"]
        assert {row["id"] for row in labelled} == {
            row["id"]
            for row in everything
            if '"P1"' in (row["labels"] or "") or '"決済"' in (row["labels"] or "")
        }
        named = listed(roost, "/test", **{**ALL, "searchTerm": "GOLDEN"})
        assert named["count"] == sum("golden" in row["test_name"] for row in everything) > 0
        sensitive = {**ALL, "searchTerm": "GOLDEN", "isCaseSensitive": "true"}
        assert listed(roost, "/test", **sensitive)["count"] == 0


class TestEventFilters:
    def test_everything_is_optional_and_one_page_is_the_default(
        self, roost: Running[RoostSimulator]
    ) -> None:
        page = listed(roost, "/test/event")
        assert len(page["data"]) == 100
        assert page["count"] == 300
        times = [row["time"] for row in page["data"]]
        assert times == sorted(times, reverse=True)

    def test_take_is_capped_and_skip_has_no_end(self, roost: Running[RoostSimulator]) -> None:
        assert len(listed(roost, "/test/event", take="5000")["data"]) == 100
        assert listed(roost, "/test/event", take="0")["data"] == []
        beyond = listed(roost, "/test/event", take="10", skip="300")
        assert (beyond["data"], beyond["count"], beyond["users"]) == ([], 300, {})

    def test_by_test(self, roost: Running[RoostSimulator]) -> None:
        test_id = events(roost)[0]["test_id"]
        rows = events(roost, test_id=test_id)
        assert rows
        assert {row["test_id"] for row in rows} == {test_id}

    @pytest.mark.parametrize("name", ["status_filter", "status_filter[]", "status_filter[0]"])
    def test_by_status_in_any_notation(self, roost: Running[RoostSimulator], name: str) -> None:
        rows = events(roost, **{name: "failed"})
        assert rows
        assert {row["status"] for row in rows} == {"failed"}

    def test_by_several_statuses(self, roost: Running[RoostSimulator]) -> None:
        rows = events(roost, status_filter=["failed", "timeout"])
        assert {row["status"] for row in rows} == {"failed", "timeout"}

    def test_by_event_type(self, roost: Running[RoostSimulator]) -> None:
        kinds = ("analyze", "generate", "retrigger", "improve", "support")
        counts = {kind: len(events(roost, event_type_filter=kind)) for kind in kinds}
        assert sum(counts.values()) == 300
        assert all(counts.values())
        assert all(
            row["retrigger_data"] is None for row in events(roost, event_type_filter="generate")
        )

    def test_by_test_type_and_label(self, roost: Running[RoostSimulator]) -> None:
        rows = events(roost, test_type_filter=["unit", "grpc"], label_filter="core")
        assert rows
        assert all(row["test_type"] in {"unit", "grpc"} for row in rows)
        assert all('"core"' in row["labels"] for row in rows)

    def test_by_window(self, roost: Running[RoostSimulator]) -> None:
        now = roost.simulator.clock.now()
        found = [events(roost, time_filter=f"Last-{days}") for days in ("1Day", "7Days", "30Days")]
        assert 0 < len(found[0]) < len(found[1]) < len(found[2]) < 300
        oldest = datetime.fromisoformat(found[1][-1]["time"])
        assert now - timedelta(days=7, seconds=5) < oldest

    def test_by_user(self, roost: Running[RoostSimulator]) -> None:
        mine = events(roost, show_my_events="true")
        assert len({row["user_id"] for row in mine}) == 1
        assert len(events(roost, show_my_events="false")) == 300

    def test_by_search_in_the_name_of_the_test(self, roost: Running[RoostSimulator]) -> None:
        names = {row["id"]: row["test_name"] for row in listed(roost, "/test", **ALL)["data"]}
        found = {row["id"] for row in events(roost, searchTerm="smoke")}
        assert found == {r["id"] for r in events(roost) if "smoke" in names[r["test_id"]]} != set()
        assert events(roost, searchTerm="smok", isWholeWord="true") == []
        assert {row["id"] for row in events(roost, searchTerm="smoke", isWholeWord="true")} == found

    def test_search_takes_signs_literally(self, roost: Running[RoostSimulator]) -> None:
        assert events(roost, searchTerm="[a-z]+") == []

    @pytest.mark.parametrize(
        ("params", "message"),
        [
            ({"searchTerm": "ab"}, "searchTerm must be longer than or equal to 3 characters"),
            (
                {"searchTerm": "abc", "isCaseSensitive": "1"},
                "isCaseSensitive must be one of the following values: true, false",
            ),
            (
                {"event_type_filter": ["generate", "x"]},
                (
                    "each value in event_type_filter must be one of the following values: "
                    "analyze, generate, retrigger, improve, support"
                ),
            ),
            (
                {"order_by": "time"},
                (
                    "order_by must be one of the following values: "
                    "creation_time, completion_time, modification_time"
                ),
            ),
            ({"take": "-1"}, "take must be a number string"),
            ({"skip": "ten"}, "skip must be a number string"),
        ],
    )
    def test_mistakes_are_explained_as_captured(
        self, roost: Running[RoostSimulator], params: dict[str, Any], message: str
    ) -> None:
        answer = ask(roost, "/test/event", **params)
        assert answer.status_code == 400
        assert refused(answer)["message"] == message

    @pytest.mark.parametrize("name", ["status_filter", "test_type_filter", "time_filter"])
    def test_unknown_words_are_refused(self, roost: Running[RoostSimulator], name: str) -> None:
        answer = ask(roost, "/test/event", **{name: "nonsense"})
        assert answer.status_code == 400
        assert name in refused(answer)["message"]

    def test_unknown_parameters_are_accepted(self, roost: Running[RoostSimulator]) -> None:
        assert listed(roost, "/test/event", updated_since="2026-01-01")["count"] == 300


class TestOrder:
    @pytest.mark.parametrize(
        ("order_by", "column"),
        [
            ("creation_time", "time"),
            ("completion_time", "completion_time"),
            ("modification_time", "modification_time"),
        ],
    )
    def test_is_newest_first(
        self, roost: Running[RoostSimulator], order_by: str, column: str
    ) -> None:
        values = [row[column] or "" for row in events(roost, order_by=order_by)]
        assert values == sorted(values, reverse=True)

    def test_is_oldest_first_if_that_is_the_quirk(self) -> None:
        simulator = RoostSimulator(tests=5, events=60, quirks=RoostQuirks(order="oldest"))
        with serve(simulator) as roost:
            changed = [
                row["modification_time"] for row in events(roost, order_by="modification_time")
            ]
            assert changed == sorted(changed)
            assert changed != sorted(changed, reverse=True)
            times = [row["time"] for row in events(roost)]
            assert times == sorted(times, reverse=True)

    def test_modification_is_not_creation(self, roost: Running[RoostSimulator]) -> None:
        by_change = [row["id"] for row in events(roost, order_by="modification_time")]
        assert by_change != [row["id"] for row in events(roost)]


class TestDoor:
    @pytest.mark.parametrize(
        "authorization", [None, "", "Bearer", "Bearer wrong", "Basic dXNlcjpwYXNz", "Token {token}"]
    )
    def test_only_the_token_opens_it(
        self, roost: Running[RoostSimulator], authorization: str | None
    ) -> None:
        headers: dict[str, str] = {}
        if authorization is not None:
            headers["Authorization"] = authorization.format(token=roost.simulator.token)
        url = f"{roost.url}/api/test/event?take=1"
        answer = requests.get(url, headers=headers, timeout=5)
        assert answer.status_code == 401
        body = refused(answer)
        assert body["message"] == "Unauthorized"
        assert body["path"] == "/test/event?take=1"
        assert body["method"] == "GET"

    def test_the_token_looks_like_a_jwt(self, roost: Running[RoostSimulator]) -> None:
        assert roost.simulator.token.count(".") == 2
        assert roost.simulator.token.startswith("eyJ")

    def test_the_token_expires_if_that_is_the_quirk(self) -> None:
        quirks = RoostQuirks(token_expires_after=2)
        with serve(RoostSimulator(tests=2, events=5, quirks=quirks)) as roost:
            assert [ask(roost, "/test/event").status_code for _ in range(4)] == [200, 200, 401, 401]

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("PUT", "/test/event/x"),
            ("GET", "/tests?page=2&q=%C3%BC"),
            ("PATCH", "/test/x"),
            ("POST", "/test/event"),
        ],
    )
    def test_what_does_not_exist_is_told_without_a_token(
        self, roost: Running[RoostSimulator], method: str, path: str
    ) -> None:
        answer = requests.request(method, f"{roost.url}/api{path}", timeout=5)
        assert answer.status_code == 404
        body = refused(answer)
        assert body["message"] == f"Cannot {method} {path}"
        assert body["path"] == path

    @pytest.mark.parametrize("path", ["/test/nobody?clone_test=true", "/test/event/nobody"])
    def test_unknown_rows(self, roost: Running[RoostSimulator], path: str) -> None:
        answer = ask(roost, path)
        assert answer.status_code == 404
        assert refused(answer)["path"] == path

    def test_configuration_is_what_the_source_reads(self, roost: Running[RoostSimulator]) -> None:
        assert roost.configuration == {
            "SOURCES__ROOST_SOURCE__TOKEN": roost.simulator.token,
            "SOURCES__ROOST_SOURCE__BASE_URL": f"{roost.url}/api",
        }


class TestChurn:
    def test_rows_that_arrive_between_pages_shift_them(self) -> None:
        simulator = RoostSimulator(tests=5, events=60, churn=Churn(every=2, insert=3, times=2))
        with serve(simulator) as roost:
            before = {row.key for row in simulator.tables["events"]}
            pages = [
                listed(roost, "/test/event", take="20", skip=str(skip))["data"]
                for skip in (0, 20, 40, 60)
            ]
        ids = [row["id"] for page in pages for row in page]
        assert len(simulator.tables["events"]) == 66
        assert len(ids) > len(set(ids))  # the same row on two pages
        assert set(ids) == before

    def test_rows_that_change_between_pages_are_stamped(self) -> None:
        simulator = RoostSimulator(tests=12, events=0, churn=Churn(every=1, insert=0, touch=2))
        with serve(simulator) as roost:
            rows = listed(roost, "/test", **ALL)["data"]
        assert sum(datetime.fromisoformat(row["updated_on"]) > DEFAULT_NOW for row in rows) == 2


def test_strict_roost_can_be_read_completely() -> None:
    with serve(RoostSimulator(tests=5, events=120, quirks=RoostQuirks.strict())) as roost:
        pages = [listed(roost, "/test/event", take="100", skip=str(n)) for n in (0, 50, 100)]
        ids = {row["id"] for page in pages for row in page["data"]}
    assert [page["count"] for page in pages] == [50, 50, 20]
    assert ids == set(roost.simulator.tables["events"].keys())
