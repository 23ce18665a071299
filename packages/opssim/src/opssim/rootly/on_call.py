"""Rows of who is on call and what wakes them: schedules, shifts, heartbeats, routing."""

from __future__ import annotations

import random

from opssim.core.store import JsonObject
from opssim.rootly.organisation import (
    Birth,
    Organisation,
    identifier,
    named,
    pick,
    resource,
    several,
    slug,
    stamped,
    user_number,
    uuid,
)
from opssim.rootly.times import DAY, HOUR, MINUTE
from opssim.rootly.vocabulary import COLORS, TIME_ZONES, URGENCIES

#: Days of shifts that are planned beyond the end of the generated data.
PLANNED_DAYS = 30
_DAYS_OF_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def schedule(org: Organisation, rng: random.Random, birth: Birth) -> JsonObject:
    """Make an on-call schedule."""
    teams = org.rows("teams")
    owner = teams[(birth.number - 1) % len(teams)] if teams else None
    whose = owner["attributes"]["name"] if owner else "Everybody"
    name = f"{whose}: Bereitschaft №{birth.number}"
    handle = slug(name, birth.number)
    attributes: JsonObject = {
        "name": name,
        "description": rng.choice((None, "Follow the sun ☀️", "Handover at 09:00")),
        "all_time_coverage": rng.random() < 0.7,
        "slack_user_group": rng.choice((None, {"id": f"S{birth.number:08d}", "name": handle})),
        "slack_channel": rng.choice((None, {"id": f"C{birth.number:08d}", "name": f"#{handle}"})),
        "owner_group_ids": [owner["id"]] if owner else [],
        "owner_user_id": user_number(pick(rng, org.rows("users"))),
        "sync_linear_enabled": False,
        "include_shadows_in_slack_notifications": rng.random() < 0.5,
        "shift_start_notifications_enabled": True,
        "shift_update_notifications_enabled": rng.random() < 0.5,
        "shift_report_enabled": rng.random() < 0.3,
        "shift_report_day_of_week": rng.choice(_DAYS_OF_WEEK),
        "shift_report_time_of_day": "09:00",
        "shift_report_time_zone": rng.choice(TIME_ZONES),
    }
    return resource("schedules", uuid(rng), stamped(org, rng, birth, attributes))


def shift(org: Organisation, rng: random.Random, birth: Birth) -> JsonObject:
    """Make the shift of one day on one schedule, some of them without anybody."""
    schedules = org.rows("schedules")
    day, index = divmod(birth.number - 1, max(1, len(schedules)))
    starts = org.first_shift + day * DAY
    someone = None if birth.number % 40 == 39 else pick(rng, org.rows("users"))
    row = resource(
        "shifts",
        uuid(rng),
        {
            "schedule_id": schedules[index]["id"] if schedules else uuid(rng),
            "rotation_id": None if rng.random() < 0.2 else uuid(rng),
            "starts_at": org.text(starts),
            "ends_at": org.text(starts + DAY),
            "is_override": rng.random() < 0.1,
            "is_shadow": rng.random() < 0.05,
            "user_id": user_number(someone),
        },
    )
    row["relationships"] = {"shift_override": {"data": None}, **_assigned(someone)}
    return row


def oncall(org: Organisation, rng: random.Random, birth: Birth) -> JsonObject:
    """Make an entry of who is on call on one level of an escalation policy."""
    policy, level = divmod(birth.number - 1, 2)
    schedules = org.rows("schedules")
    of_schedule = schedules[policy % len(schedules)] if schedules else None
    someone = pick(rng, org.rows("users"))
    policy_id = uuid(org.chance(f"escalation-policy-{policy}"))
    attributes: JsonObject = {
        "escalation_policy_id": policy_id,
        "escalation_policy_name": f"Escalation {policy + 1}",
        "escalation_policy_path_id": None,
        "escalation_policy_path_name": None,
        "notification_type": "audible" if level == 0 else "quiet",
        "is_default_path": True,
        "escalation_level": level + 1,
        "schedule_id": identifier(of_schedule),
        "schedule_name": of_schedule["attributes"]["name"] if of_schedule else None,
        "user_id": user_number(someone),
        "starts_at": org.text(birth.seen - 3 * DAY),
        "ends_at": org.text(birth.seen + 4 * DAY),
    }
    row = resource("on_call_resources", uuid(rng), attributes)
    row["relationships"] = {
        "user": _reference("users", identifier(someone)),
        "schedule": _reference("schedules", identifier(of_schedule)),
        "escalation_policy": _reference("escalation_policies", policy_id),
    }
    return row


def heartbeat(org: Organisation, rng: random.Random, birth: Birth) -> JsonObject:
    """Make a heartbeat, which holds two secrets: its key and the address to ping."""
    target = pick(rng, org.rows("services"))
    unit = rng.choice(("minutes", "hours", "days"))
    interval = rng.choice((1, 5, 12, 30))
    status = rng.choice(("waiting", "active", "active", "expired"))
    pinged = None if status == "waiting" else birth.seen - rng.randint(0, HOUR)
    attributes: JsonObject = {
        "name": f"Nightly job №{birth.number}",
        "description": rng.choice((None, "Muss jede Nacht laufen")),
        "alert_summary": f"Nightly job №{birth.number} did not report",
        "alert_description": None,
        "alert_urgency_id": None,
        "interval": interval,
        "interval_unit": unit,
        "notification_target_id": identifier(target) or uuid(rng),
        "notification_target_type": "Service",
        "owner_group_ids": [row["id"] for row in several(rng, org.rows("teams"), 1)],
        "enabled": rng.random() < 0.9,
        "status": None if org.quirks.null_enums and birth.number % 5 == 3 else status,
        "ping_url": f"https://webhooks.example.com/heartbeats/ping?key={org.secret(rng)}",
        "secret": org.secret(rng),
        "email_address": f"heartbeat-{birth.number}@alerts.example.com",
        "last_pinged_at": org.text(pinged),
        "expires_at": org.text(None if pinged is None else pinged + _interval(interval, unit)),
    }
    return resource("heartbeats", uuid(rng), stamped(org, rng, birth, attributes))


def alert_urgency(org: Organisation, rng: random.Random, birth: Birth) -> JsonObject:
    """Make an urgency of alerts."""
    name = named(URGENCIES, birth.number)
    key = uuid(rng)
    attributes: JsonObject = {
        "id": key,
        "name": name,
        "description": f"{name} urgency",
        "position": birth.number,
        "urgency": name.lower(),
        "color": rng.choice(COLORS),
        "team_id": 101,
        "deleted_at": None,
    }
    return resource("alert_urgencies", key, stamped(org, rng, birth, attributes))


def alert_group(org: Organisation, rng: random.Random, birth: Birth) -> JsonObject:
    """Make a rule by which alerts are grouped."""
    attributes: JsonObject = {
        "name": f"Group {birth.number}",
        "description": rng.choice((None, "gleiche Ursache")),
        "slug": f"group-{birth.number}",
        "condition_type": rng.choice(("all", "any")),
        "time_window": rng.choice((5, 10, 60)),
        "group_by_alert_title": rng.random() < 0.5,
        "group_by_alert_urgency": rng.random() < 0.5,
        "targets": [
            {"target_type": "Service", "target_id": row["id"]}
            for row in several(rng, org.rows("services"), 2)
        ],
        "attributes": [{"json_path": "$.monitor.id"}],
        "conditions": [],
    }
    attributes = stamped(org, rng, birth, attributes) | {"deleted_at": None}
    return resource("alert_groups", uuid(rng), attributes)


def alert_route(org: Organisation, rng: random.Random, birth: Birth) -> JsonObject:
    """Make a route of the newer kind of alert routing, which carries no time stamps."""
    target = identifier(pick(rng, org.rows("services")))
    destinations = [{"target_type": "Service", "target_id": target}] if target else []
    rule = {
        "name": "Everything else",
        "position": 1,
        "fallback_rule": True,
        "destinations": destinations,
        "condition_groups": [],
    }
    attributes: JsonObject = {
        "name": f"Route {birth.number}",
        "enabled": True,
        "alerts_source_ids": [uuid(rng)],
        "owning_team_ids": [row["id"] for row in several(rng, org.rows("teams"), 1)],
        "rules": [rule],
    }
    return resource("alert_routes", uuid(rng), attributes)


def alert_routing_rule(org: Organisation, rng: random.Random, birth: Birth) -> JsonObject:
    """Make a rule of the older kind of alert routing."""
    target = identifier(pick(rng, org.rows("services")))
    attributes: JsonObject = {
        "name": f"Route {birth.number}",
        "enabled": True,
        "alerts_source_id": uuid(rng),
        "position": birth.number,
        "condition_type": "all",
        "conditions": [
            {
                "property_field_type": "payload",
                "property_field_name": "$.monitor.tags",
                "property_field_condition_type": "contains",
                "property_field_value": "env:prod",
                "property_field_values": [],
            }
        ],
        "destination": {"target_type": "Service", "target_id": target} if target else None,
        "condition_groups": [],
    }
    return resource("alert_routing_rules", uuid(rng), stamped(org, rng, birth, attributes))


def reassign(org: Organisation, rng: random.Random, row: JsonObject, _now: int) -> None:
    """Let somebody take a shift over: shifts carry no time of change."""
    someone = pick(rng, org.rows("users"))
    row["attributes"] |= {"user_id": user_number(someone), "is_override": True}
    row["relationships"] |= _assigned(someone)


def ping(org: Organisation, _rng: random.Random, row: JsonObject, now: int) -> None:
    """Let a heartbeat report."""
    attributes = row["attributes"]
    length = _interval(attributes["interval"], attributes["interval_unit"])
    attributes |= {
        "status": "active",
        "last_pinged_at": org.text(now),
        "expires_at": org.text(now + length),
        "updated_at": org.text(now),
    }


def _interval(count: int, unit: str) -> int:
    return count * {"minutes": MINUTE, "hours": HOUR, "days": DAY}[unit]


def _assigned(someone: JsonObject | None) -> JsonObject:
    """Return the relationships of a shift to its user, under the old name and the new one."""
    reference = _reference("users", identifier(someone))
    return {"user": reference, "assignee": reference}


def _reference(kind: str, key: str | None) -> JsonObject:
    return {"data": None if key is None else {"id": key, "type": kind}}
