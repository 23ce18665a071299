"""Rows of incidents: about 135 attributes, most of them of integrations that nobody set up.

The attributes are those of Rootly's OpenAPI document; the odd rows (no severity, resolved before
they started, closed without a resolution, ...) are those that other pipelines have met.
"""

from __future__ import annotations

import random
from typing import Any

from opssim.core.store import JsonObject
from opssim.rootly.organisation import (
    Birth,
    Organisation,
    pick,
    resource,
    several,
    slug,
    uuid,
)
from opssim.rootly.times import DAY, HOUR, MINUTE
from opssim.rootly.vocabulary import (
    CANCELLATIONS,
    MITIGATIONS,
    REGIONS,
    RESOLUTIONS,
    SUMMARIES,
    TITLES,
)

_INTEGRATIONS = {
    "slack": "channel_id channel_name channel_url channel_short_url channel_deep_link"
    " channel_archived last_message_ts",
    "zoom_meeting": "id start_url join_url password pstn_password h323_password"
    " global_dial_in_numbers",
    "google": "drive_id drive_parent_id drive_url meeting_id meeting_url",
    "microsoft_teams": "meeting_id meeting_url channel_id channel_name channel_url"
    " channel_short_url chat_id chat_url team_id",
    "google_chat_space": "id name url short_url archived domain_id",
    "webex_meeting": "id url",
    "jira_issue": "key id url",
    "github_issue": "id url",
    "gitlab_issue": "id url",
    "asana_task": "id url",
    "linear_issue": "id url",
    "trello_card": "id url",
    "zendesk_ticket": "id url",
    "pagerduty_incident": "id number url",
    "opsgenie": "incident_id incident_url alert_id alert_url",
    "service_now_incident": "id key url",
    "mattermost_channel": "id name url",
    "confluence_page": "id url",
    "datadog_notebook": "id url",
    "shortcut": "story_id story_url task_id task_url",
    "motion_task": "id url",
    "clickup_task": "id url",
    "victor_ops_incident": "id url",
    "quip_page": "id url",
    "sharepoint_page": "id url",
    "airtable": "base_key table_name record_id record_url",
    "freshservice": "ticket_id ticket_url task_id task_url",
}
#: Made once: what no integration fills is null on every incident.
_NO_INTEGRATIONS: JsonObject = {
    f"{product}_{field}": None
    for product, fields in _INTEGRATIONS.items()
    for field in fields.split()
}

#: What is odd about the rows whose number ends so (of every fifty).
_ODDITIES = {
    3: "test",
    7: "no severity",
    11: "no user",
    13: "no number",
    17: "resolved early",
    19: "never resolved",
    23: "backfilled",
    29: "example",
    31: "cancelled",
    37: "completed",
    41: "scheduled",
    43: "sub",
    47: "in triage",
}
_KINDS = {
    "test": "test",
    "example": "example",
    "backfilled": "backfilled",
    "completed": "scheduled",
    "scheduled": "scheduled",
    "sub": "normal_sub",
}
#: The stages of an incident, each with the minutes that it takes on average to get there.
_STAGES = (
    ("started", 0),
    ("detected", 4),
    ("acknowledged", 5),
    ("mitigated", 45),
    ("resolved", 90),
    ("closed", 3000),
)
_STAGE_NAMES = tuple(name for name, _ in _STAGES)
_TIMES = ("in_triage", *_STAGE_NAMES, "cancelled")
_ACTORS = ("in_triage", "started", "mitigated", "resolved", "closed", "cancelled")
_RETROSPECTIVES = ("not_started", "active", "completed", "skipped")
#: The attributes that name entries of the catalogue, and the tables of these.
NESTED = {
    "environments": "environments",
    "incident_types": "incident_types",
    "services": "services",
    "functionalities": "functionalities",
    "groups": "teams",
}
_CHILDREN = ("action_items", "events", "feedbacks", "roles", "subscribers", "causes")
_NO_CHILDREN: JsonObject = {name: {"data": []} for name in _CHILDREN}
_SHOWN = (
    "name", "slug", "description", "severity", "color", "position", "email", "first_name",
    "last_name", "full_name", "time_zone", "created_at", "updated_at",
)  # fmt: skip


def incident(org: Organisation, rng: random.Random, birth: Birth) -> JsonObject:
    """Make an incident, as far through its stages as its age allows."""
    oddity = _ODDITIES.get(birth.number % 50, "")
    key = uuid(rng)
    services = several(rng, org.rows("services"), 3)
    subject = services[0]["attributes"]["name"] if services else "Everything"
    title = rng.choice(TITLES).format(subject, rng.randint(2, 99))
    handle = slug(title, birth.number)[:60]
    reporter = None if oddity == "no user" else pick(rng, org.rows("users"))
    status, reached = _history(rng, birth, oddity)
    severity = None if oddity == "no severity" else pick(rng, org.rows("severities"))
    last = max((at for at in reached.values()), default=birth.at)
    edited = rng.randint(birth.at, birth.seen) if rng.random() < 0.3 else birth.at
    attributes: JsonObject = {
        "id": key,
        "sequential_id": None if oddity == "no number" else birth.number,
        "title": title,
        "kind": _KINDS.get(oddity, "normal"),
        "slug": handle,
        "parent_incident_id": uuid(rng) if oddity == "sub" else None,
        "duplicate_incident_id": None,
        "summary": rng.choice(SUMMARIES),
        "private": rng.random() < 0.05,
        "source": rng.choice(("web", "slack", "api", "email")),
        "status": status,
        "url": f"https://rootly.example.com/account/incidents/{birth.number}-{handle}",
        "short_url": f"https://root.example.com/{key[:8]}",
        "public_title": None,
        "user": _response(org, reporter),
        "severity": _response(org, severity),
        "labels": _labels(org, rng, birth.number),
        **_NO_INTEGRATIONS,
        **_integrations(org, rng, birth.number),
        "mitigation_message": rng.choice(MITIGATIONS) if "mitigated" in reached else None,
        "resolution_message": rng.choice(RESOLUTIONS) if "resolved" in reached else None,
        "cancellation_message": rng.choice(CANCELLATIONS) if "cancelled" in reached else None,
        "scheduled_for": None,
        "scheduled_until": None,
        "muted_service_ids": [],
        "retrospective_progress_status": rng.choice((*_RETROSPECTIVES, None)),
        **{
            f"{stage}_by": _response(org, reporter if stage in reached else None)
            for stage in _ACTORS
        },
        **{f"{stage}_at": org.text(reached.get(stage)) for stage in _TIMES},
        "created_at": org.text(birth.at),
        "updated_at": org.text(min(birth.seen, max(last, edited, birth.at))),
    }
    if attributes["kind"] == "scheduled":
        attributes["scheduled_for"] = org.text(birth.at + DAY)
        attributes["scheduled_until"] = org.text(birth.at + DAY + HOUR)
    if org.quirks.null_enums:
        _spoil(attributes, birth.number)
    row = resource("incidents", key, attributes)
    nested = {name: several(rng, org.rows(table), 2) for name, table in NESTED.items()}
    _nest(org, row, nested | {"services": services}, birth.number)
    return row


def advance(org: Organisation, rng: random.Random, row: JsonObject, now: int) -> None:
    """Take an incident to its next stage; one that has ended gets on with its retrospective."""
    attributes = row["attributes"]
    status = attributes["status"]
    attributes["updated_at"] = org.text(now)
    if status in _STAGE_NAMES[:-1]:
        stage = _STAGE_NAMES[_STAGE_NAMES.index(status) + 1]
        attributes |= {"status": stage, f"{stage}_at": org.text(now)}
        if stage in _ACTORS:
            attributes[f"{stage}_by"] = _response(org, pick(rng, org.rows("users")))
    elif status == "in_triage":
        attributes |= {"status": "started", "started_at": org.text(now)}
    elif status == "scheduled":
        attributes["status"] = "in_progress"
    elif status == "in_progress":
        attributes |= {"status": "completed", "resolved_at": org.text(now)}
    else:
        attributes["retrospective_progress_status"] = rng.choice(_RETROSPECTIVES)


def _history(rng: random.Random, birth: Birth, oddity: str) -> tuple[str, dict[str, int]]:
    """Return an incident's status, and when it reached each of its stages."""
    if oddity == "cancelled":
        return "cancelled", {"cancelled": min(birth.seen, birth.at + rng.randint(1, 60) * MINUTE)}
    if oddity in {"scheduled", "completed"}:
        return oddity, {}  # a completed one has no time of resolution either
    if oddity == "in triage" or birth.fresh:
        return "in_triage", {"in_triage": birth.at}
    begin = birth.at - rng.randint(0, 10 * MINUTE)
    if oddity == "backfilled":
        begin -= rng.randint(100, 200) * DAY
    reached = _stages(rng, begin, birth.seen)
    status = list(reached)[-1]
    if oddity == "resolved early" and "resolved" in reached:
        reached["resolved"] = begin - rng.randint(1, 120) * MINUTE
    if oddity == "never resolved":
        status = "closed"
        reached.pop("resolved", None)
    return status, reached


def _stages(rng: random.Random, begin: int, seen: int) -> dict[str, int]:
    """Return when the stages were reached that were reached before `seen`."""
    at, reached = begin, dict[str, int]()
    for stage, minutes in _STAGES:
        at += round(rng.expovariate(1 / minutes) * MINUTE) if minutes else 0
        forgotten = 0.5 if stage == "closed" else 0.02
        if stage != "started" and (at > seen or rng.random() < forgotten):
            break
        if stage == "started" or rng.random() > 0.05:  # now and then a stage is passed over
            reached[stage] = at
    return reached


def _nest(
    org: Organisation, row: JsonObject, nested: dict[str, list[JsonObject]], number: int
) -> None:
    """Put catalogue entries into an incident in one of the forms that clients have met."""
    form = org.quirks.nested
    if form == "mixed":
        form = ("list", "wrapped", "relationships")[number % 3]
    attributes: JsonObject = row["attributes"]
    for name, entries in nested.items():
        if form == "list":
            attributes[name] = [_response(org, entry) for entry in entries]
        elif form == "wrapped":
            attributes[name] = {"data": [_resource(org, entry) for entry in entries]}
    row["relationships"] = {
        name: {"data": [{"id": entry["id"], "type": entry["type"]} for entry in entries]}
        for name, entries in nested.items()
    } | _NO_CHILDREN


def _response(org: Organisation, entry: JsonObject | None) -> JsonObject | None:
    """Return a catalogue entry as incidents embed one: `{data: {id, type, attributes}}`."""
    return None if entry is None else {"data": _resource(org, entry)}


def _resource(org: Organisation, entry: JsonObject) -> JsonObject:
    """Return a catalogue entry with the attributes that incidents show of it, made once."""
    kept = org.embedded.get(entry["id"])
    if kept is None:
        attributes: dict[str, Any] = entry["attributes"]
        shown = {name: attributes[name] for name in _SHOWN if name in attributes}
        if entry["type"] == "users":
            shown = {"name": attributes["full_name"] or attributes["email"], **shown}
        kept = org.embedded[entry["id"]] = resource(entry["type"], entry["id"], shown)
    return kept


def _labels(org: Organisation, rng: random.Random, number: int) -> JsonObject | list[JsonObject]:
    """Return labels in the organisation's form; without any, they are an empty object."""
    form = org.quirks.labels
    if form == "mixed":
        form = "array" if number % 2 else "object"
    labels: JsonObject = {}
    if rng.random() < 0.6:
        labels["region"] = rng.choice(REGIONS)
    if rng.random() < 0.2:
        labels["Größe"] = rng.randint(1, 5)
    if form == "array" and labels:
        return [{"key": key, "value": value} for key, value in labels.items()]
    return labels


def _integrations(org: Organisation, rng: random.Random, number: int) -> JsonObject:
    """Return what Slack has put into an incident, and Zoom, with its secrets, into some."""
    filled: JsonObject = {"zoom_meeting_global_dial_in_numbers": []}
    if rng.random() < 0.8:
        filled["slack_channel_id"] = f"C{number:08d}"
        filled["slack_channel_name"] = f"inc-{number}"
        filled["slack_channel_archived"] = False
    if number % 12 == 1:
        filled["zoom_meeting_id"] = str(rng.randint(10**10, 10**11 - 1))
        filled["zoom_meeting_join_url"] = f"https://zoom.example.com/j/{number}"
        filled["zoom_meeting_password"] = org.secret(rng)
        filled["zoom_meeting_pstn_password"] = org.secret(rng)
        filled["zoom_meeting_h323_password"] = org.secret(rng)
    if rng.random() < 0.3:
        filled["jira_issue_key"] = f"OPS-{number}"
        filled["jira_issue_id"] = str(10_000 + number)
    return filled


def _spoil(attributes: JsonObject, number: int) -> None:
    """Put null, or a value that the API's document does not name, where it names the values."""
    if number % 20 == 9:
        attributes["status"] = None
    elif number % 20 == 10:
        attributes["status"] = "monitoring"
    elif number % 20 == 14:
        attributes["kind"] = "drill"
    elif number % 20 == 15:
        attributes["kind"] = None
    elif number % 20 == 16:
        attributes["retrospective_progress_status"] = "snoozed"
