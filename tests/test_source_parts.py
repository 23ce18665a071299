"""Sources that are asked for a span of time: the rows made in it, and nothing remembered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from dlt.extract import DltSource
from dlt.extract.exceptions import ResourceExtractionError
from tests.cloud_bot_loads import Start as StartControlRoom
from tests.cloud_bot_loads import source as cloud_bot
from tests.rootly_loads import Rootly, Start, asked, attributes, source
from tests.warehouse import Warehouse

from opsnest.catalogue import CATALOGUES
from opsnest.errors import ConfigurationError
from opsnest.loading import load
from opsnest.reading.parts import span_of
from opssim import Churn

MIDDLE = datetime(2025, 7, 1, tzinfo=UTC)
DAWN, DUSK = datetime(2020, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)
BEFORE, AFTER = (DAWN, MIDDLE), (MIDDLE, DUSK)


def ids(made: DltSource, name: str) -> list[str]:
    """Return the ids of the rows of one list, by iterating it."""
    rows = cast("list[dict[str, Any]]", list(made.resources[name]))
    return [str(row["id"]) for row in rows]


def made_before(rootly: Rootly, table: str, moment: datetime) -> set[str]:
    return {
        key
        for key, row in attributes(rootly, table).items()
        if datetime.fromisoformat(row["created_at"]) < moment
    }


@pytest.mark.parametrize("name", ["incidents", "alerts", "audits", "pulses", "alert_events"])
def test_the_parts_of_a_list_are_all_of_it(rootly: Start, name: str) -> None:
    running = rootly(incidents=60, alerts=60, alert_events=60)
    before = ids(source(running, between=BEFORE), name)
    after = ids(source(running, between=AFTER), name)
    assert before
    assert after
    assert set(before) == made_before(running, name, MIDDLE)
    assert sorted([*before, *after]) == sorted(ids(source(running), name))
    assert "filter[created_at][lt]" in asked(running, name)[0]


def test_children_are_those_of_what_was_made_then(rootly: Start) -> None:
    running = rootly(incidents=60)
    rows = list(source(running, between=BEFORE).resources["incident_feedbacks"])
    parents = {row["incident_id"] for row in cast("list[dict[str, Any]]", rows)}
    assert parents <= made_before(running, "incidents", MIDDLE)
    whole = list(source(running).resources["incident_feedbacks"])
    rest = list(source(running, between=AFTER).resources["incident_feedbacks"])
    assert len(rows) + len(rest) == len(whole) > 0


def test_a_span_of_shifts_is_asked_for_in_windows(rootly: Start) -> None:
    running = rootly(shifts=20)
    now = running.simulator.clock.now()
    span = (now - timedelta(days=40), now)
    ids(source(running, between=span), "shifts")
    windows = [(query["from"], query["to"]) for query in asked(running, "shifts")]
    assert windows[0][0][:10] == f"{span[0]:%Y-%m-%d}"
    assert windows[-1][1][:10] == f"{span[1]:%Y-%m-%d}"


def test_lists_that_have_no_parts_are_left_out(rootly: Start) -> None:
    chosen = set(source(rootly(), between=BEFORE).selected_resources)
    assert {"incidents", "alerts", "audits", "shifts"} <= chosen
    assert not {"services", "users", "teams"} & chosen


def test_one_that_is_chosen_all_the_same_is_an_error(rootly: Start) -> None:
    made = source(rootly(), between=BEFORE)
    with pytest.raises(ResourceExtractionError) as caught:
        list(made.resources["services"])
    cause = caught.value.__cause__
    assert isinstance(cause, ConfigurationError)
    assert "services" in str(cause)
    assert "with_resources" in str(cause)


def test_a_row_that_changes_meanwhile_is_read_again(rootly: Start) -> None:
    running = rootly(alerts=250)
    running.simulator.churn = Churn(every=1, insert=0, touch=3, times=2)
    found = ids(source(running, between=(DAWN, DUSK)), "alerts")
    assert set(found) == set(attributes(running, "alerts"))
    again = [query for query in asked(running, "alerts") if "filter[updated_at][gte]" in query]
    assert again
    assert all("filter[created_at][lt]" in query for query in again)


def remembered(warehouse: Warehouse) -> dict[str, Any]:
    """Return what is remembered of each list."""
    states: dict[str, Any] = warehouse.pipeline.state.get("sources", {})
    found: dict[str, Any] = states.get("rootly_incident_management_source", {})
    return dict(found.get("resources", {}))


def test_how_far_lists_were_read_is_neither_looked_at_nor_moved(
    rootly: Start, warehouse: Warehouse
) -> None:
    running = rootly()
    made = source(running, between=BEFORE).with_resources("incidents")
    outcome = load(warehouse.pipeline, made)
    assert not outcome.compared
    assert not outcome.differences
    assert "incidents" not in remembered(warehouse)
    assert len(warehouse.column("incidents")) == len(made_before(running, "incidents", MIDDLE))
    warehouse.close()
    load(warehouse.pipeline, source(running).with_resources("incidents"))
    state = remembered(warehouse)["incidents"]
    warehouse.close()
    load(warehouse.pipeline, source(running, between=BEFORE).with_resources("incidents"))
    assert remembered(warehouse)["incidents"] == state
    assert len(warehouse.column("incidents")) == len(attributes(running, "incidents"))


@pytest.mark.parametrize("name", ["executions", "audit_messages"])
def test_a_control_room_is_asked_for_what_was_made_then(room: StartControlRoom, name: str) -> None:
    running = room()
    whole = ids(cloud_bot(running), name)
    rows = cast("list[dict[str, Any]]", list(cloud_bot(running).resources[name]))
    made = sorted(row["createdOn"] for row in rows)
    middle = datetime.fromisoformat(made[len(made) // 2])
    before = ids(cloud_bot(running, between=(DAWN, middle)), name)
    after = ids(cloud_bot(running, between=(middle, DUSK)), name)
    assert before
    assert after
    assert sorted([*before, *after]) == sorted(whole)


def test_the_lists_of_the_seed_page_have_no_parts(room: StartControlRoom) -> None:
    with pytest.raises(ConfigurationError, match="span of time"):
        cloud_bot(room(), api="seed", between=BEFORE)


def test_a_control_room_has_parts_of_what_it_can_filter() -> None:
    catalogue = CATALOGUES["cloud-bot"]
    parts = {entry.name for entry in catalogue.entries if catalogue.has_parts(entry)}
    assert parts == {"executions", "execution", "audit_messages", "wlm_work_items"}


@pytest.mark.parametrize(
    "wrong",
    [
        (MIDDLE, DAWN),
        (DAWN, DAWN),
        (MIDDLE,),
        (datetime(2026, 1, 1), DUSK),  # noqa: DTZ001 - that is what is wrong with it
        ("2026-01-01", "2026-02-01"),
        5,
    ],
)
def test_what_is_no_span_of_time_is_an_error(rootly: Start, wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="no span of time"):
        source(rootly(), between=wrong)


def test_no_span_is_none() -> None:
    assert span_of(None, "a_source") is None
