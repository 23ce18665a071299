"""After a load: what is gone is marked, what differs is read whole, and what stays is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dlt
import pytest
from tests.rootly_loads import Rootly, Start, source
from tests.warehouse import Warehouse, keys

from opsnest.catalogue.rootly import ROOTLY
from opsnest.events import ListRead
from opsnest.loading import Outcome, load
from opsnest.reconcile import Difference, forget, mark_deleted, unequal


def run(running: Rootly, warehouse: Warehouse, *names: str) -> Outcome:
    warehouse.close()
    return load(warehouse.pipeline, source(running).with_resources(*names))


def live(warehouse: Warehouse, table: str) -> list[str]:
    found = warehouse.query(f"SELECT id FROM {table} WHERE deleted_at IS NULL ORDER BY id")
    return [key for (key,) in found]


def read(resource: str, *present: str, **facts: Any) -> ListRead:
    return ListRead(
        source=ROOTLY.source,
        resource=resource,
        keys=frozenset(present),
        complete=facts.pop("complete", True),
        **facts,
    )


def test_rows_that_are_gone_stay_with_the_time_and_come_back_without_it(
    rootly: Start, warehouse: Warehouse
) -> None:
    running = rootly(services=30)
    run(running, warehouse, "services")
    rows = running.simulator.tables["services"]
    key = rows.keys()[3]
    row = rows.get(key)
    assert row is not None
    kept = row.data()
    rows.delete(key)

    gone = run(running, warehouse, "services")
    marked = warehouse.query("SELECT id FROM services WHERE deleted_at IS NOT NULL")
    rows.insert(kept)
    back = run(running, warehouse, "services")

    assert gone.deleted == {"services": 1}
    assert marked == [(key,)]
    assert back.deleted == {}
    assert live(warehouse, "services") == keys(running, "services")


def test_more_rows_than_fit_into_a_statement_are_marked(
    rootly: Start, warehouse: Warehouse
) -> None:
    running = rootly(services=520)
    run(running, warehouse, "services")
    running.simulator.delete("services", 450)

    outcome = run(running, warehouse, "services")

    assert outcome.deleted == {"services": 450}
    assert live(warehouse, "services") == keys(running, "services")


def test_deleted_incidents_are_found_by_their_number_and_the_list_is_read_whole_once(
    rootly: Start, warehouse: Warehouse
) -> None:
    running = rootly(incidents=140)
    run(running, warehouse, "incidents")
    running.simulator.delete("incidents", 2)
    running.simulator.requests.clear()

    outcome = run(running, warehouse, "incidents")

    assert outcome.deleted == {"incidents": 2}
    assert outcome.differences == []
    assert "Marked as deleted: incidents 2." in str(outcome)
    assert live(warehouse, "incidents") == keys(running, "incidents")
    # what changed and its number; then two pages, and the number again
    assert len(running.simulator.requests.all("/v1/incidents")) == 5


def test_a_load_that_was_cut_short_marks_nothing(rootly: Start, warehouse: Warehouse) -> None:
    running = rootly(services=250)
    run(running, warehouse, "services")
    warehouse.close()
    cut = source(running).with_resources("services").add_limit(1)

    outcome = load(warehouse.pipeline, cut)

    assert outcome.deleted == {}
    assert live(warehouse, "services") == keys(running, "services")


def test_a_load_without_marks_is_made_good_by_the_next(rootly: Start, warehouse: Warehouse) -> None:
    running = rootly(services=30)
    run(running, warehouse, "services")
    running.simulator.delete("services", 3)
    warehouse.load(source(running), "services")  # dlt's own way, or a kill before the marks
    assert len(live(warehouse, "services")) == 30

    outcome = run(running, warehouse, "services")

    assert outcome.deleted == {"services": 3}


def test_children_are_marked_by_parent_and_key(rootly: Start, warehouse: Warehouse) -> None:
    running = rootly(incidents=12)
    names = ("dashboard_panels", "incident_feedbacks")
    run(running, warehouse, *names)
    running.simulator.delete("dashboards_panels", 2)
    running.simulator.delete("incidents_feedbacks", 3)

    outcome = run(running, warehouse, *names)

    assert outcome.deleted == {"dashboard_panels": 2, "incident_feedbacks": 3}
    for name, table in zip(names, ("dashboards_panels", "incidents_feedbacks"), strict=True):
        assert live(warehouse, name) == keys(running, table)


def test_only_rows_within_what_was_read_are_marked(rootly: Start, warehouse: Warehouse) -> None:
    running = rootly(incidents=12)
    run(running, warehouse, "incident_events", "teams")
    (parent, other), *_ = [
        tuple(warehouse.column("incident_events", "incident_id")[at] for at in (0, -1))
    ]
    assert parent != other
    bound = read("incident_events", parents=frozenset({parent}))
    partial = read("teams", complete=False)
    warehouse.close()

    marked = mark_deleted(warehouse.pipeline, ROOTLY.by_name, [bound, partial])

    of_parent = warehouse.query(
        f"SELECT count(*) FROM incident_events WHERE incident_id = '{parent}'"
    )
    assert marked == {"incident_events": of_parent[0][0]}
    assert warehouse.query(
        "SELECT DISTINCT incident_id FROM incident_events WHERE deleted_at IS NOT NULL"
    ) == [(parent,)]


def test_what_differs_still_is_told(rootly: Start, warehouse: Warehouse) -> None:
    running = rootly(services=30)
    run(running, warehouse, "services")
    lying = read("services", *keys(running, "services"), total=31)
    warehouse.close()

    differences = unequal(warehouse.pipeline, ROOTLY.by_name, [lying])

    assert differences == [Difference("services", 30, 31)]
    assert "services: 30 rows in the table, 31 at the API" in str(
        Outcome(info=None, differences=differences)
    )


def test_feeds_may_keep_what_the_api_has_no_more(rootly: Start, warehouse: Warehouse) -> None:
    running = rootly()
    run(running, warehouse, "audits")
    running.simulator.delete("audits", 2)

    outcome = run(running, warehouse, "audits")

    assert outcome.deleted == {}
    assert outcome.differences == []


def test_a_list_that_is_forgotten_is_read_whole(rootly: Start, warehouse: Warehouse) -> None:
    running = rootly(incidents=20)
    run(running, warehouse, "incidents")

    forget(warehouse.pipeline, ROOTLY.source, ["incidents", "never_loaded"])
    counts = warehouse.load(source(running), "incidents")

    assert counts == {"incidents": 20}
    assert warehouse.column("incidents") == keys(running, "incidents")


def test_files_are_loaded_and_left_as_they_are(
    rootly: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = rootly()
    monkeypatch.setenv("DESTINATION__FILESYSTEM__BUCKET_URL", (tmp_path / "lake").as_uri())
    pipeline = dlt.pipeline(
        "files", destination="filesystem", dataset_name="lake", pipelines_dir=str(tmp_path / "p")
    )
    load(pipeline, source(running).with_resources("alert_groups"))
    running.simulator.delete("alert_groups", 1)

    outcome = load(pipeline, source(running).with_resources("alert_groups"))

    assert outcome.deleted == {}
    assert outcome.differences == ()
