"""The rows of every list: which function makes them, which one changes them, and how many."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from opssim.core.store import JsonObject, Table
from opssim.rootly import alerts, catalogue, incidents, on_call
from opssim.rootly.organisation import Birth, Maker, Organisation, Progress
from opssim.rootly.times import DAY


def _edit(org: Organisation, _rng: random.Random, row: JsonObject, now: int) -> None:
    """Save a row that nothing else happens to."""
    row["attributes"]["updated_at"] = org.text(now)


def _leave(_org: Organisation, _rng: random.Random, _row: JsonObject, _now: int) -> None:
    """Leave a row alone, as the rows of a feed or a snapshot are."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How the rows of one list are made and changed.

    Attributes:
        make: makes a row.
        change: changes one as its users would.
        catalogue: whether rows of other lists refer to these.
    """

    make: Maker
    change: Progress = _edit
    catalogue: bool = False


#: Every list, each after those that it refers to.
KINDS: Mapping[str, Kind] = {
    "users": Kind(catalogue.user, catalogue=True),
    "teams": Kind(catalogue.team, catalogue=True),
    "environments": Kind(catalogue.environment, catalogue=True),
    "severities": Kind(catalogue.severity, catalogue=True),
    "services": Kind(catalogue.service, catalogue=True),
    "functionalities": Kind(catalogue.functionality, catalogue=True),
    "incident_types": Kind(catalogue.incident_type, catalogue=True),
    "alert_urgencies": Kind(on_call.alert_urgency, catalogue=True),
    "schedules": Kind(on_call.schedule, catalogue=True),
    "dashboards": Kind(catalogue.dashboard, catalogue=True),
    "authorizations": Kind(catalogue.authorization),
    "heartbeats": Kind(on_call.heartbeat, on_call.ping),
    "alert_groups": Kind(on_call.alert_group),
    "alert_routes": Kind(on_call.alert_route, _leave),
    "alert_routing_rules": Kind(on_call.alert_routing_rule),
    "retrospective_configurations": Kind(catalogue.retrospective_configuration),
    "shifts": Kind(on_call.shift, on_call.reassign),
    "oncalls": Kind(on_call.oncall, _leave),
    "incidents": Kind(incidents.incident, incidents.advance),
    "alerts": Kind(alerts.alert, alerts.settle),
    "alert_events": Kind(alerts.alert_event, _leave),
}


def populate(
    org: Organisation, counts: Mapping[str, int], empty: Callable[[str], Table]
) -> dict[str, Table]:
    """Fill the tables, with as many rows as `counts` says, spread over the history."""
    org.first_shift = _first_shift(org, counts)
    return {name: _filled(org, empty(name), counts[name]) for name in KINDS}


def _filled(org: Organisation, table: Table, count: int) -> Table:
    name = table.name
    kind = KINDS[name]
    rng = org.chance(name)
    moments = sorted(rng.randrange(org.begin, org.end) for _ in range(count))
    for number, at in enumerate(moments, start=1):
        row = kind.make(org, rng, Birth(number, at, org.end))
        if kind.catalogue:
            org.catalogue.setdefault(name, []).append(row)
        table.insert(row)
    return table


def _first_shift(org: Organisation, counts: Mapping[str, int]) -> int:
    """Return when shifts begin, for the last of them to lie some weeks ahead."""
    days = counts["shifts"] // max(1, counts["schedules"])
    midnight = org.end // DAY * DAY
    return midnight + (on_call.PLANNED_DAYS - days) * DAY
