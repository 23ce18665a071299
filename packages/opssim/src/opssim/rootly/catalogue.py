"""Rows of the small lists that describe an organisation: who, what and where.

Attributes are those of Rootly's OpenAPI document.
"""

from __future__ import annotations

import random

from opssim.core.store import JsonObject
from opssim.rootly.organisation import (
    FIRST_USER_ID,
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
from opssim.rootly.vocabulary import (
    COLORS,
    ENVIRONMENTS,
    FIRST_NAMES,
    FUNCTIONALITIES,
    INCIDENT_TYPES,
    LAST_NAMES,
    MANAGERS,
    SERVICES,
    SEVERITIES,
    TEAMS,
    TIME_ZONES,
)


def user(org: Organisation, rng: random.Random, birth: Birth) -> JsonObject:
    """Make a user. Ids are numbers written as strings; some users have no names yet."""
    first, last = rng.choice(FIRST_NAMES), rng.choice(LAST_NAMES)
    invited = birth.number % 20 == 17  # has not filled in the form
    handle = f"{slug(first, birth.number)}.{slug(last, birth.number)}.{birth.number}"
    row = resource(
        "users",
        str(FIRST_USER_ID + birth.number - 1),
        stamped(
            org,
            rng,
            birth,
            {
                "email": f"{handle}@example.com",
                "first_name": None if invited else first,
                "last_name": None if invited else last,
                "full_name": None if invited else f"{first} {last}",
                "full_name_with_team": None if invited else f"[Acme] {first} {last}",
                "time_zone": rng.choice(TIME_ZONES),
            },
        ),
    )
    role = rng.choice(("admin", "responder", "observer"))
    row["relationships"] = {
        "role": {"data": {"id": role, "type": "roles"}},
        "on_call_role": {"data": None},
    }
    return row


def service(org: Organisation, rng: random.Random, birth: Birth) -> JsonObject:
    """Make a service."""
    name = named(SERVICES, birth.number)
    handle = slug(name, birth.number)
    attributes: JsonObject = {
        "name": name,
        "slug": handle,
        "managed_by": _manager(org, rng, birth),
        "description": rng.choice((None, f"Owns everything about {name}.", "TODO\n")),
        "public_description": None,
        "notify_emails": [f"{handle}@example.com"] if rng.random() < 0.3 else [],
        "color": rng.choice(COLORS),
        "position": birth.number,
        "backstage_id": f"component:default/{handle}" if rng.random() < 0.4 else None,
        "external_id": f"ext-{birth.number}" if rng.random() < 0.3 else None,
        "pagerduty_id": f"P{rng.getrandbits(32):08X}" if rng.random() < 0.3 else None,
        "opsgenie_id": None,
        "cortex_id": None,
        "service_now_ci_sys_id": None,
        "github_repository_name": f"acme/{handle}",
        "github_repository_branch": "main",
        "gitlab_repository_name": None,
        "gitlab_repository_branch": None,
        "kubernetes_deployment_name": f"default/{handle}" if rng.random() < 0.5 else None,
        "environment_ids": [row["id"] for row in several(rng, org.rows("environments"), 2)],
        "service_ids": [],
        "owner_group_ids": [row["id"] for row in several(rng, org.rows("teams"), 1)],
        "owner_user_ids": [int(row["id"]) for row in several(rng, org.rows("users"), 2)],
        "alert_urgency_id": None,
        "escalation_policy_id": None,
        "alerts_email_enabled": rng.random() < 0.2,
        "alerts_email_address": f"service-{birth.number}@alerts.example.com",
        **_slack(rng, handle),
        **_broadcasts(rng, handle),
        "properties": [],
    }
    return resource("services", uuid(rng), stamped(org, rng, birth, attributes))


def team(org: Organisation, rng: random.Random, birth: Birth) -> JsonObject:
    """Make a team, which JSON:API calls a group."""
    name = named(TEAMS, birth.number)
    handle = slug(name, birth.number)
    members = [int(row["id"]) for row in several(rng, org.rows("users"), 8)]
    attributes: JsonObject = {
        "name": name,
        "slug": handle,
        "managed_by": _manager(org, rng, birth),
        "description": rng.choice((None, f"The people of {name}")),
        "notify_emails": [f"{handle}@example.com"],
        "color": rng.choice(COLORS),
        "position": birth.number,
        "backstage_id": None,
        "external_id": None,
        "pagerduty_id": None,
        "pagerduty_service_id": None,
        "opsgenie_id": None,
        "victor_ops_id": None,
        "pagertree_id": None,
        "cortex_id": None,
        "service_now_ci_sys_id": None,
        "user_ids": members,
        "admin_ids": members[:1],
        "alerts_email_enabled": False,
        "alerts_email_address": None,
        "alert_urgency_id": None,
        **_slack(rng, handle),
        **_broadcasts(rng, handle),
        "auto_add_members_when_attached": rng.random() < 0.5,
        "auto_add_members_scope": rng.choice(("off", "public_only", "public_and_test", "all")),
        "properties": [],
    }
    return resource("groups", uuid(rng), stamped(org, rng, birth, attributes))


def environment(org: Organisation, rng: random.Random, birth: Birth) -> JsonObject:
    """Make an environment."""
    name = named(ENVIRONMENTS, birth.number)
    attributes = {
        **_entry(name, rng, birth),
        "managed_by": _manager(org, rng, birth),
        "external_id": None,
    }
    return resource("environments", uuid(rng), stamped(org, rng, birth, attributes))


def functionality(org: Organisation, rng: random.Random, birth: Birth) -> JsonObject:
    """Make a functionality: what customers do with services."""
    name = named(FUNCTIONALITIES, birth.number)
    attributes: JsonObject = {
        **_entry(name, rng, birth),
        "managed_by": _manager(org, rng, birth),
        "public_description": None,
        "backstage_id": None,
        "external_id": None,
        "pagerduty_id": None,
        "opsgenie_id": None,
        "opsgenie_team_id": None,
        "cortex_id": None,
        "service_now_ci_sys_id": None,
        "environment_ids": [],
        "service_ids": [row["id"] for row in several(rng, org.rows("services"), 3)],
        "owner_group_ids": [],
        "owner_user_ids": [],
        "escalation_policy_id": None,
    }
    return resource("functionalities", uuid(rng), stamped(org, rng, birth, attributes))


def incident_type(org: Organisation, rng: random.Random, birth: Birth) -> JsonObject:
    """Make an incident type."""
    attributes = _entry(named(INCIDENT_TYPES, birth.number), rng, birth)
    return resource("incident_types", uuid(rng), stamped(org, rng, birth, attributes))


def severity(org: Organisation, rng: random.Random, birth: Birth) -> JsonObject:
    """Make a severity."""
    name, level, description = SEVERITIES[(birth.number - 1) % len(SEVERITIES)]
    attributes = _entry(
        named([entry[0] for entry in SEVERITIES], birth.number), rng, birth, properties=False
    )
    attributes |= {"slug": slug(name, birth.number), "severity": level, "description": description}
    return resource("severities", uuid(rng), stamped(org, rng, birth, attributes))


def dashboard(org: Organisation, rng: random.Random, birth: Birth) -> JsonObject:
    """Make a dashboard, of the whole organisation or of one user."""
    owner = pick(rng, org.rows("users")) if rng.random() < 0.5 else None
    attributes: JsonObject = {
        "team_id": 101,
        "user_id": user_number(owner),
        "name": f"Übersicht {birth.number}" if birth.number % 2 else f"MTTR “{birth.number}”",
        "description": rng.choice((None, "For the weekly review")),
        "owner": "team" if owner is None else "user",
        "public": rng.random() < 0.2,
        "range": rng.choice((None, "last_30_days", "last_quarter")),
        "period": rng.choice((None, "day", "week")),
        "auto_refresh": rng.random() < 0.3,
        "color": rng.choice((None, *COLORS)),
        "icon": rng.choice(("📈", "🚨", "🧯")),
    }
    return resource("dashboards", uuid(rng), stamped(org, rng, birth, attributes))


def authorization(org: Organisation, rng: random.Random, birth: Birth) -> JsonObject:
    """Make a permission that a user or a team has on a dashboard."""
    of_team = birth.number % 3 == 0
    grantee = pick(rng, org.rows("teams" if of_team else "users"))
    attributes: JsonObject = {
        "authorizable_id": identifier(pick(rng, org.rows("dashboards"))) or uuid(rng),
        "authorizable_type": "Dashboard",
        "grantee_id": identifier(grantee) or uuid(rng),
        "grantee_type": "Team" if of_team else "User",
        "permissions": ["read", "update", "authorize", "destroy"][: rng.randint(1, 4)],
    }
    return resource("authorizations", uuid(rng), stamped(org, rng, birth, attributes))


def retrospective_configuration(org: Organisation, rng: random.Random, birth: Birth) -> JsonObject:
    """Make a rule for which incidents need a retrospective."""
    attributes: JsonObject = {
        "kind": "mandatory" if birth.number % 2 else "skip",
        "severity_ids": [row["id"] for row in several(rng, org.rows("severities"), 3)],
        "group_ids": [row["id"] for row in several(rng, org.rows("teams"), 2)],
        "incident_type_ids": [],
    }
    return resource("retrospective_configurations", uuid(rng), stamped(org, rng, birth, attributes))


def _entry(name: str, rng: random.Random, birth: Birth, *, properties: bool = True) -> JsonObject:
    """Return the attributes that the entries of every small catalogue have."""
    handle = slug(name, birth.number)
    entry: JsonObject = {
        "name": name,
        "slug": handle,
        "description": rng.choice((None, f"{name}, as everybody knows")),
        "color": rng.choice(COLORS),
        "position": birth.number,
        "notify_emails": [],
        **_slack(rng, handle),
    }
    return entry | {"properties": []} if properties else entry


def _manager(org: Organisation, rng: random.Random, birth: Birth) -> str | None:
    """Return what a catalogue entry is managed by, which newer tools are not yet listed for."""
    if org.quirks.null_enums and birth.number % 5 == 0:
        return None if birth.number % 2 else "opentofu"
    return rng.choice(MANAGERS)


def _slack(rng: random.Random, handle: str) -> JsonObject:
    channels = [_channel(rng, f"#{handle}")] if rng.random() < 0.5 else []
    return {"slack_channels": channels, "slack_aliases": []}


def _broadcasts(rng: random.Random, handle: str) -> JsonObject:
    alerts, incidents = rng.random() < 0.4, rng.random() < 0.4
    return {
        "alert_broadcast_enabled": alerts,
        "alert_broadcast_channel": _channel(rng, f"#{handle}-alerts") if alerts else None,
        "incident_broadcast_enabled": incidents,
        "incident_broadcast_channel": _channel(rng, "#incidents") if incidents else None,
    }


def _channel(rng: random.Random, name: str) -> JsonObject:
    return {"id": f"C{rng.getrandbits(36):09X}", "name": name}
