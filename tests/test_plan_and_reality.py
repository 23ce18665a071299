"""What `opsnest plan` tells is what a load then costs."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from tests.rootly_loads import Rootly, Start, source
from tests.warehouse import Warehouse

from opsnest.catalogue.rootly import ROOTLY
from opsnest.errors import AccessError
from opsnest.loading import load
from opsnest.planning import Line, plan, total_calls
from opsnest.reading import Lists, watching_lists
from opsnest.sources import rootly_incident_management_source

NAMES = (
    *("incidents", "alerts", "users", "services", "audits", "shifts"),
    *("dashboard_panels", "incident_events", "alert_groups", "alert_events"),
)


def lists_of(running: Rootly) -> Lists:
    with watching_lists() as made:
        source(running)
    return made[-1]


def calls(running: Rootly) -> Counter[str]:
    """Return the calls for each list, as the simulator counted them."""
    return Counter(seen.path for seen in running.simulator.requests.all())


def planned(running: Rootly, warehouse: Warehouse, *names: str) -> dict[str, Line]:
    lines = plan(lists_of(running), names, warehouse.pipeline)
    running.simulator.requests.clear()
    return {line.resource: line for line in lines}


@pytest.fixture
def running(rootly: Start, monkeypatch: pytest.MonkeyPatch) -> Rootly:
    made = rootly(incidents=250, alerts=130, users=230, services=120, alert_events=90, shifts=60)
    monkeypatch.setattr("opsnest.reading.reading.now", made.simulator.clock.now)
    return made


@pytest.mark.parametrize("name", NAMES)
def test_a_first_load_takes_the_calls_of_the_plan(
    running: Rootly, warehouse: Warehouse, name: str
) -> None:
    line = planned(running, warehouse, name)[name]

    load(warehouse.pipeline, source(running).with_resources(name))

    took = calls(running).total()
    assert line.first
    # lists that move are looked at again, and their rows counted
    assert line.calls <= took if line.at_least else line.calls <= took <= line.calls + 3
    if line.rows is not None:
        assert line.rows == len(running.simulator.tables[name])


def test_a_second_load_is_planned_from_where_the_first_one_came_to(
    running: Rootly, warehouse: Warehouse
) -> None:
    names = ("incidents", "alerts", "audits", "users", "services")
    first = planned(running, warehouse, *names)
    load(warehouse.pipeline, source(running).with_resources(*names))
    running.simulator.touch("incidents", 5)

    second = planned(running, warehouse, *names)
    load(warehouse.pipeline, source(running).with_resources(*names))

    assert not any(line.first for line in second.values())
    assert second["incidents"].rows is not None
    assert second["incidents"].rows < 20
    assert total_calls(list(second.values())) < total_calls(list(first.values()))
    assert calls(running).total() <= total_calls(list(second.values())) + 2


def test_a_plan_asks_once_for_each_list(running: Rootly) -> None:
    plan(lists_of(running), [entry.name for entry in ROOTLY.entries if entry.selected])

    counted = [entry for entry in ROOTLY.entries if entry.selected and entry.total]
    assert calls(running).total() <= len(counted) + 1
    assert max(calls(running).values()) == 1


def test_what_the_key_may_not_read_is_told_in_the_plan(rootly: Start) -> None:
    running = rootly()
    running.simulator.token = running.simulator.team_token

    lines = {line.resource: line for line in plan(lists_of(running), ["incidents", "teams"])}

    assert lines["incidents"].strategy == "may not be read with this key"
    assert lines["teams"].calls == 1


def test_a_wrong_token_is_an_error_for_the_plan_as_for_a_load(rootly: Start) -> None:
    running = rootly()
    with watching_lists() as made:
        rootly_incident_management_source("wrong", f"{running.url}/v1")

    with pytest.raises(AccessError, match="the credentials were not accepted"):
        plan(made[-1], ["teams"])


# On the command line


def opsnest(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "opsnest", *arguments],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "COLUMNS": "160", **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_plan_is_shown_with_its_sum_and_minutes(running: Rootly, tmp_path: Path) -> None:
    finished = opsnest(tmp_path, "plan", "rootly", **running.configuration)

    assert finished.returncode == 0, finished.stderr
    assert "incidents" in finished.stdout
    assert "asks for the rows that changed since the last load" in finished.stdout
    assert "minutes at the 3,000 that a key has in 60 s" in finished.stdout
    assert not list(tmp_path.glob("*.duckdb"))


def test_sources_are_shown_without_any_setting(tmp_path: Path) -> None:
    every = opsnest(tmp_path, "sources")
    rootly = opsnest(tmp_path, "sources", "rootly")

    assert every.returncode == rootly.returncode == 0
    assert "rootly_incident_management_source" in every.stdout
    assert "113" in every.stdout
    assert all(entry.name in rootly.stdout for entry in ROOTLY.entries)


@pytest.mark.parametrize("command", ["plan", "sources"])
def test_an_unknown_platform_is_told_which_are_known(tmp_path: Path, command: str) -> None:
    finished = opsnest(tmp_path, command, "pagerduty")

    assert finished.returncode == 3
    assert "there is no platform 'pagerduty'" in finished.stderr
    assert "Known: roost, rootly, cloud-bot, owlette" in finished.stderr
