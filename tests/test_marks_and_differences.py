"""After a load: what deleted rows take with them, and what reading whole does not help."""

from __future__ import annotations

import logging

import pytest
from dlt.extract import DltSource
from tests.rootly_loads import LISTS, Rootly, Start, source
from tests.warehouse import Warehouse, keys

from opsnest.explain import explain
from opsnest.loading import Outcome, load
from opssim import Fault


def run(warehouse: Warehouse, chosen: DltSource) -> Outcome:
    warehouse.close()
    return load(warehouse.pipeline, chosen)


def calls(running: Rootly, path: str) -> int:
    """Return the calls since the last time that this was asked."""
    count = len(running.simulator.requests.all(path))
    running.simulator.requests.clear()
    return count


def live(warehouse: Warehouse, table: str, column: str = "id") -> list[str]:
    found = warehouse.query(
        f"SELECT DISTINCT {column} FROM {table} WHERE deleted_at IS NULL ORDER BY 1"
    )
    return [key for (key,) in found]


def test_deleted_incidents_are_found_by_their_number_and_the_list_is_read_whole_once(
    rootly: Start, warehouse: Warehouse
) -> None:
    running = rootly(incidents=140)
    run(warehouse, source(running).with_resources("incidents"))
    running.simulator.delete("incidents", 2)
    calls(running, "/v1/incidents")

    outcome = run(warehouse, source(running).with_resources("incidents"))

    assert outcome.deleted == {"incidents": 2}
    assert outcome.differences == []
    assert "Marked as deleted: incidents 2." in str(outcome)
    assert live(warehouse, "incidents") == keys(running, "incidents")
    # what changed and its number; then two pages, and the number again
    assert calls(running, "/v1/incidents") == 5


def test_what_belonged_to_a_deleted_incident_is_marked_with_it(
    rootly: Start, warehouse: Warehouse
) -> None:
    running = rootly(incidents=12)
    names = ("incidents", "incident_events", "incident_event_services", "incident_feedbacks")
    run(warehouse, source(running).with_resources(*names))
    assert len(live(warehouse, "incident_events", "incident_id")) == 12

    running.simulator.delete("incidents", 3)
    outcome = run(warehouse, source(running).with_resources(*names))

    alive = keys(running, "incidents")
    assert outcome.deleted["incidents"] == 3
    for name in names[1:]:
        assert outcome.deleted[name] > 0
    for name in ("incident_events", "incident_feedbacks"):
        assert live(warehouse, name, "incident_id") == alive
    events = set(live(warehouse, "incident_events"))
    of_events = set(live(warehouse, "incident_event_services", "incident_event_id"))
    assert of_events
    assert of_events <= events


@pytest.mark.parametrize("name", ["incidents", "users"])
def test_what_reading_whole_does_not_help_is_told_each_time_and_tried_once(
    rootly: Start, warehouse: Warehouse, name: str
) -> None:
    running = rootly(incidents=250, users=250)
    hidden = keys(running, name)[0]

    def chosen() -> DltSource:
        """Return the list without a row, as its reader wants it."""
        without = source(running).with_resources(name)
        without.resources[name].add_filter(lambda row: row["id"] != hidden)
        return without

    outcomes = [run(warehouse, chosen())]
    calls(running, f"/v1/{name}")
    outcomes += [run(warehouse, chosen()) for _ in range(2)]

    for outcome in outcomes:
        assert [each.by for each in outcome.differences] == [1]
        assert f"Not equal: {name}: 249 rows in the table, 250 at the API." in str(outcome)
        assert outcome.deleted == {}
    # what changed, and at most its number, in each of the two loads
    assert calls(running, f"/v1/{name}") <= 4

    running.simulator.delete(name, 2)
    another = run(warehouse, chosen())

    assert another.deleted[name] == 2
    assert [each.by for each in another.differences] == [1]


def test_an_optional_list_that_the_key_may_not_read_is_left_out_with_a_warning(
    rootly: Start, warehouse: Warehouse, caplog: pytest.LogCaptureFixture
) -> None:
    running = rootly()
    running.simulator.faults.add(Fault(path="/v1/audits", status=403, body=b'{"errors": []}'))

    with caplog.at_level(logging.WARNING, "opsnest"):
        run(warehouse, source(running))

    assert set(LISTS) <= warehouse.tables()
    assert "audits" not in warehouse.tables()
    (warning,) = [text for text in caplog.messages if "/v1/audits" in text]
    assert "the credentials may not read this" in warning
    assert "It is left out, as it was not asked for by name." in warning


def test_chosen_by_name_it_is_an_error(rootly: Start, warehouse: Warehouse) -> None:
    running = rootly()
    running.simulator.faults.add(Fault(path="/v1/audits", status=403, body=b'{"errors": []}'))

    with pytest.raises(Exception, match="may not read this") as raised:
        run(warehouse, source(running).with_resources("audits"))

    error = explain(raised.value)
    assert error is not None
    assert error.exit_code == 4
