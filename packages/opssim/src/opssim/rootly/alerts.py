"""Rows of alerts, and of the feed of events that happened to them."""

from __future__ import annotations

import random

from opssim.core.store import JsonObject
from opssim.rootly.organisation import (
    AlertLife,
    Birth,
    Organisation,
    pick,
    resource,
    several,
    slug,
    uuid,
)
from opssim.rootly.times import MINUTE
from opssim.rootly.vocabulary import ALERT_SOURCES, REGIONS, SUMMARIES, TITLES

_SHORT_ID = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
#: What happens to an alert one after the other, as (kind, action).
_EVENTS = (
    ("informational", "created"),
    ("notification", "paged"),
    ("status_update", "acknowledged"),
    ("status_update", "resolved"),
    ("note", "added"),
)
_PAGED, _ACKNOWLEDGED, _RESOLVED = 1, 2, 3


def alert(org: Organisation, rng: random.Random, birth: Birth) -> JsonObject:
    """Make an alert. Its `data` is what its source sent: of any shape."""
    key = uuid(rng)
    source = rng.choice(ALERT_SOURCES)
    services = several(rng, org.rows("services"), 2)
    teams = several(rng, org.rows("teams"), 1)
    environments = several(rng, org.rows("environments"), 1)
    subject = services[0]["attributes"]["name"] if services else "Everything"
    acknowledged = _later(rng, birth.at, birth.seen, 6, 0.85)
    ended = _later(rng, acknowledged or birth.at, birth.seen, 40, 0.9)
    status = "resolved" if ended else "acknowledged" if acknowledged else "triggered"
    urgency = pick(rng, org.rows("alert_urgencies"))
    attributes: JsonObject = {
        "short_id": "".join(rng.choices(_SHORT_ID, k=8)),
        "noise": rng.choice(("noise", "not_noise", "not_noise", None)),
        "source": source,
        "status": _status(org, birth.number, status),
        "summary": rng.choice(TITLES).format(subject, rng.randint(2, 99)),
        "description": rng.choice(SUMMARIES),
        "services": [_flat(entry) for entry in services],
        "groups": [_flat(entry) for entry in teams],
        "functionalities": [],
        "environments": [_flat(entry) for entry in environments],
        "service_ids": [entry["id"] for entry in services],
        "group_ids": [entry["id"] for entry in teams],
        "functionality_ids": [],
        "environment_ids": [entry["id"] for entry in environments],
        "external_id": f"{source}-{birth.number}",
        "external_url": f"https://monitors.example.com/{birth.number}",
        "alert_urgency_id": urgency["id"] if urgency else None,
        "alert_urgency": urgency["attributes"] if urgency else None,
        "group_leader_alert_id": None,
        "is_group_leader_alert": rng.random() < 0.1,
        "labels": _labels(rng),
        "data": _payload(rng, birth.number),
        "notification_target_type": "Service" if services else None,
        "notification_target_id": services[0]["id"] if services else None,
        "deduplication_key": f"{source}-{birth.number % 997}",
        "alert_field_values": [],
        "responders": [],
        "notified_users": [],
        "alerting_targets": [{"id": entry["id"], "type": "Service"} for entry in services],
        "url": f"https://rootly.example.com/account/alerts/{key[:8]}",
        "started_at": org.text(birth.at - rng.randint(0, MINUTE)),
        "ended_at": org.text(ended),
        "created_at": org.text(birth.at),
        "updated_at": org.text(ended or acknowledged or birth.at),
    }
    org.alerts.append(AlertLife(key, source, birth.at, acknowledged, ended))
    return {"id": key, "source": source, "type": "alerts", "attributes": attributes}


def settle(org: Organisation, _rng: random.Random, row: JsonObject, now: int) -> None:
    """Acknowledge an alert that rings, resolve one that is acknowledged, reopen another."""
    attributes = row["attributes"]
    attributes["updated_at"] = org.text(now)
    if attributes["status"] in {"open", "triggered"}:
        attributes["status"] = "acknowledged"
    elif attributes["status"] == "acknowledged":
        attributes |= {"status": "resolved", "ended_at": org.text(now)}
    else:
        attributes |= {"status": "open", "ended_at": None}


def alert_event(org: Organisation, rng: random.Random, birth: Birth) -> JsonObject:
    """Make an event of the feed: the next that happened to one of the alerts."""
    step, index = divmod(birth.number - 1, max(1, len(org.alerts)))
    life = org.alerts[index] if org.alerts else None
    at, step = _event_time(rng, birth, life, step)
    kind, action = _EVENTS[step]
    someone = pick(rng, org.rows("users")) if step >= _PAGED else None
    attributes: JsonObject = {
        "alert_id": life.key if life else uuid(rng),
        "kind": None if org.quirks.null_enums and birth.number % 25 == 4 else kind,
        "action": "summarized" if org.quirks.null_enums and birth.number % 25 == 6 else action,
        "source": life.source if life else "manual",
        "user_id": int(someone["id"]) if someone else None,
        "details": rng.choice((None, "Eskaliert: niemand hat reagiert", "line one\nline two 📟")),
        "user": _event_user(someone),
        "incident": None,
        "schedule": None,
        "escalation_level": rng.randint(1, 3) if step == _PAGED else None,
        "escalation_target_type": "User" if step == _PAGED else None,
        "escalation_target": None,
        "slack_channel": None,
        "incident_ids": [],
        "created_at": org.text(at),
        "updated_at": org.text(at),
    }
    return resource("alert_events", uuid(rng), attributes)


def _event_time(
    rng: random.Random, birth: Birth, life: AlertLife | None, step: int
) -> tuple[int, int]:
    """Return when an event happened and which it was: a note, where nothing else is left."""
    note = len(_EVENTS) - 1
    if birth.fresh or life is None:
        return birth.at, note
    known = {
        0: life.created,
        _PAGED: min(birth.seen, life.created + rng.randint(1_000, 9_000)),
        _ACKNOWLEDGED: life.acknowledged,
        _RESOLVED: life.ended,
    }.get(step)
    return (rng.randint(life.created, birth.seen), note) if known is None else (known, step)


def _later(rng: random.Random, at: int, seen: int, minutes: float, likely: float) -> int | None:
    """Return some time after `at`, or None: what was not done, or not yet by `seen`."""
    done = at + round(rng.expovariate(1 / minutes) * MINUTE) + 1
    return done if rng.random() < likely and done <= seen else None


def _status(org: Organisation, number: int, status: str) -> str | None:
    if org.quirks.null_enums and number % 20 == 9:
        return None
    return "muted" if org.quirks.null_enums and number % 20 == 10 else status


def _flat(entry: JsonObject) -> JsonObject:
    attributes = entry["attributes"]
    return {"id": entry["id"], "name": attributes["name"], "slug": attributes["slug"]}


def _labels(rng: random.Random) -> list[JsonObject | None]:
    """Return labels whose values are of any scalar type; some labels are null."""
    labels: list[JsonObject | None] = []
    if rng.random() < 0.7:
        labels.append({"key": "region", "value": rng.choice(REGIONS)})
    if rng.random() < 0.4:
        labels.append({"key": "retries", "value": rng.choice((3, 2.5, "many"))})
    if rng.random() < 0.3:
        labels.append({"key": "paged", "value": rng.random() < 0.5})
    if rng.random() < 0.1:
        labels.append(None)
    return labels


def _payload(rng: random.Random, number: int) -> JsonObject | None:
    """Return what a monitor sends: no two kinds of monitors agree on a type."""
    payloads: tuple[JsonObject | None, ...] = (
        {"monitor": {"id": number, "tags": ["env:prod", "größe:xl"]}, "value": 0.182},
        {"monitor": f"m-{number}", "value": "0.182", "Labels": {"pod": None}},
        {"alerts": [{"fingerprint": f"{number:x}", "values": [1, 2.5, "NaN"]}], "value": None},
        {"message": slug(f"text of {number}", number), "nested": {"a": {"b": {"c": [[]]}}}},
        {},
        None,
    )
    return rng.choice(payloads)


def _event_user(someone: JsonObject | None) -> JsonObject | None:
    if someone is None:
        return None
    attributes = someone["attributes"]
    shown = ("email", "first_name", "last_name", "full_name", "time_zone")
    return {
        "id": int(someone["id"]),
        "name": attributes["full_name"] or attributes["email"],
        **{name: attributes[name] for name in (*shown, "created_at", "updated_at")},
    }
