"""What a load would cost, told before it: never more than it then takes, and exact where it can."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import dlt
import pytest
from dlt.extract import DltSource

from opsnest.catalogue.rootly import ROOTLY
from opsnest.errors import AccessError
from opsnest.loading import load
from opsnest.planning import Line, plan, total_calls
from opsnest.reading import Lists, watching_lists
from opsnest.sources import rootly_incident_management_source
from opssim import RootlyQuirks, RootlySimulator, Running
from opssim.pytest_plugin import Simulate

SMALL: dict[str, Any] = {"incidents": 6, "alerts": 6, "users": 5, "alert_events": 4, "shifts": 20}


class Office:
    """A simulated Rootly, what it would cost to load it, and what it did cost."""

    def __init__(self, rootly: Running[RootlySimulator], folder: Path) -> None:
        self.simulator, self._url = rootly.simulator, f"{rootly.url}/v1"
        self.pipeline = dlt.pipeline(
            "planned",
            destination=dlt.destinations.duckdb(str(folder / "planned.duckdb")),
            dataset_name="data",
            pipelines_dir=str(folder / "pipelines"),
        )
        self.pipeline.config.restore_from_destination = False  # it is here anyway

    def source(self, names: Sequence[str], token: str = "") -> tuple[DltSource, Lists]:
        with watching_lists() as made:
            source = rootly_incident_management_source(token or self.simulator.token, self._url)
        return source.with_resources(*names), made[-1]

    def plan(self, *names: str, token: str = "") -> list[Line]:
        _, lists = self.source(names, token)
        return plan(lists, names, self.pipeline)

    def calls(self, *names: str) -> int:
        """Return the calls that a load takes."""
        self.simulator.requests.clear()
        load(self.pipeline, self.source(names)[0])
        return len(self.simulator.requests.all())


Start = Callable[..., Office]


@pytest.fixture
def start(simulate: Simulate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    def make(**options: Any) -> Office:
        rootly = simulate(RootlySimulator(**SMALL | options))
        monkeypatch.setattr("opsnest.clock.now", rootly.simulator.clock.now)
        return Office(rootly, tmp_path)

    return make


def check(lines: Sequence[Line], calls: int) -> None:
    """Compare what was planned with what was counted."""
    if any(line.at_least for line in lines):
        assert total_calls(lines) <= calls, lines
    else:
        assert total_calls(lines) == calls, lines


#: One of each way in which a list is read for which no other is asked.
ALONE = ("alerts", "users", "environments", "services", "audits", "alert_events", "shifts")


@pytest.mark.parametrize(
    ("names", "sizes"),
    [
        pytest.param(ALONE, {"alerts": 1050, "users": 230, "services": 230}, id="alone"),
        pytest.param(["dashboards", "dashboard_panels"], {}, id="children of all"),
        pytest.param(["catalog_entity_properties"], {}, id="children of children"),
        pytest.param(["incident_events", "incident_feedbacks"], {}, id="brought along"),
        pytest.param(["events_of_alerts"], {}, id="children of what changed"),
    ],
)
def test_no_load_takes_fewer_calls_than_planned_and_some_are_planned_exactly(
    start: Start, names: Sequence[str], sizes: dict[str, Any]
) -> None:
    office = start(**sizes)

    def compare(lines: list[Line]) -> None:
        check(lines, office.calls(*names))
        if names is ALONE:  # in slices, newest first, whole, appended and in windows
            for line in lines:
                check([line], len(office.simulator.requests.all(f"/v1/{line.resource}")))

    first = office.plan(*names)
    compare(first)
    assert [line.resource for line in first] == list(names)
    assert all(line.first for line in first)

    office.simulator.clock.skip(timedelta(hours=2))
    for table in {*names, "alerts", "incidents"} & set(office.simulator.tables):
        office.simulator.touch(table, 2)
    second = office.plan(*names)
    compare(second)
    assert not any(line.first for line in second)


def test_a_plan_that_does_not_say_at_least_is_exact(start: Start) -> None:
    office = start(services=230)
    names = ("services", "alerts", "audits")

    lines = office.plan(*names)

    assert [(line.rows, line.calls, line.at_least) for line in lines] == [
        (230, 3, False),
        (6, 2, False),
        (6, 2, False),
    ]
    office.calls(*names)
    asked = Counter(seen.path for seen in office.simulator.requests.all())
    assert asked == {"/v1/services": 3, "/v1/alerts": 2, "/v1/audits": 2}


def test_of_a_list_that_was_read_before_what_changed_is_counted(start: Start) -> None:
    office = start(alerts=250)
    check(office.plan("alerts"), office.calls("alerts"))
    office.simulator.clock.skip(timedelta(hours=2))
    office.simulator.touch("alerts", 3)

    (line,) = office.plan("alerts")

    # with the one that changed last before, which is asked for again
    assert (line.rows, line.calls, line.first) == (4, 2, False)
    check([line], office.calls("alerts"))


def test_parents_that_several_lists_share_are_counted_once(start: Start) -> None:
    office = start()
    names = [
        each.name for each in ROOTLY.entries if each.parent == "workflows" and not each.of_changed
    ]
    assert len(names) > 1

    lines = office.plan(*names)

    check(lines, office.calls(*names))


def test_a_plan_asks_once_for_each_list_and_loads_nothing(start: Start) -> None:
    office = start(incidents=300)

    office.plan("incidents", "alerts", "services", "incident_events")

    asked = [seen.path for seen in office.simulator.requests.all()]
    assert sorted(asked) == ["/v1/alerts", "/v1/incidents", "/v1/services"]
    assert {seen.query["page[size]"] for seen in office.simulator.requests.all()} == {"1"}
    assert not office.pipeline.has_pending_data
    assert office.pipeline.first_run


def test_without_a_pipeline_a_first_load_is_planned(start: Start) -> None:
    office = start()
    office.calls("alerts")
    _, lists = office.source(["alerts"])

    (line,) = plan(lists, ["alerts"])

    assert (line.first, line.rows) == (True, 6)


def test_a_list_that_the_key_may_not_read_costs_nothing_and_the_others_are_planned(
    start: Start,
) -> None:
    office = start(quirks=RootlyQuirks(advanced_alert_routing=True))

    refused, other = office.plan("alert_routing_rules", "services")

    assert (refused.calls, refused.rows) == (0, None)
    assert "may not be read" in refused.strategy
    assert other.calls == 1


def test_a_team_key_is_told_that_it_may_not_read_incidents(start: Start) -> None:
    office = start()

    lines = office.plan("incidents", "incident_events", token=office.simulator.team_token)

    assert all("may not be read" in line.strategy for line in lines)


def test_a_wrong_key_has_no_plan(start: Start) -> None:
    with pytest.raises(AccessError, match="not accepted"):
        start().plan("incidents", token="mistyped")


def test_what_is_no_list_has_no_line(start: Start) -> None:
    _, lists = start().source([])

    assert [line.resource for line in plan(lists, ["any-single-resource", "teams"])] == ["teams"]
