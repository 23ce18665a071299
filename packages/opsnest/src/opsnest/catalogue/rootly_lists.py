"""All lists of Rootly's API, with what its OpenAPI file (2026-07) says of each.

Which parameters a list heeds differs from list to list, and those that it does not know are
ignored without a word: a filter that is not in the file would read everything and call it new.
"""

from __future__ import annotations

import re
from typing import Any

from opsnest.catalogue.entry import Entry

__all__ = ["ENTRIES"]

_UPDATED = "attributes.updated_at"
_CREATED = "attributes.created_at"
#: Lists of which there are so many rows that children are asked for of changed ones only.
_CHANGING = {"alerts", "incidents", "incident_events"}


def _list(name: str, path: str = "", *, dated: bool = True, **facts: Any) -> Entry:
    """Return a list; `dated` says whether its rows have `updated_at`."""
    strategy = facts.get("strategy", "whole")
    match strategy:
        case "changed":
            facts |= {"cursor": _UPDATED, "filter": "filter[updated_at][gte]"}
            facts |= {"slices": _CREATED, "slice_filter": "filter[created_at]"}
        case "appended":
            facts |= {"cursor": _CREATED, "filter": "filter[created_at][gte]"}
            facts["slice_filter"] = "filter[created_at]"
            facts["slices"] = _CREATED if facts.get("paging") == "cursor" else None
        case "newest_first":
            facts |= {"cursor": _UPDATED, "sort": "-updated_at"}
        case "windows":
            facts["window"] = ("attributes.starts_at", "attributes.ends_at")
        case _:
            facts["cursor"] = _UPDATED if dated and strategy == "whole" else None
    for kind in ("secrets", "json"):
        facts[kind] = tuple(f"attributes.{field}" for field in facts.get(kind, ()))
    return Entry(name=name, path=path or name, **facts)


def _child(name: str, path: str, parent: str, parent_key: str, **facts: Any) -> Entry:
    """Return a list that each row of another has; `{}` in its path is the parent's id."""
    path = re.sub(r"\{\}", f"{{{parent_key}}}", path)
    facts |= {"parent": parent, "parent_key": parent_key, "key": (parent_key, "id")}
    return _list(name, path, of_changed=parent in _CHANGING, **facts)


ENTRIES: tuple[Entry, ...] = (
    _list("action_items", selected=True, optional=True),
    _list(
        "alert_events",
        paging="cursor",
        page_size=50,
        strategy="appended",
        sort="created_at",
        total=None,
        selected=True,
        optional=True,
    ),
    _list("alert_fields"),
    _list("alert_groups", paging="none", total=None),
    _list("alert_routes", dated=False),
    _list("alert_routing_rules"),
    _list("alert_sources", secrets=("secret",)),
    _list("alert_urgencies"),
    _list("alerts", paging="cursor", strategy="changed", json=("data",), selected=True),
    _child("events_of_alerts", "alerts/{}/events", "alerts", "alert_id"),
    _list("api_keys", secrets=("token",)),
    _list(
        "audits",
        strategy="appended",
        json=("object", "object_changes"),
        selected=True,
        optional=True,
    ),
    _list("authorizations", selected=True),
    _list("catalog_checklist_templates", strategy="newest_first"),
    _child(
        "catalog_entity_properties",
        "catalog_entities/{}/properties",
        "catalog_entities",
        "catalog_entity_id",
    ),
    _list("catalog_entity_checklists"),
    _list("catalogs", strategy="newest_first"),
    _child("catalog_entities", "catalogs/{}/entities", "catalogs", "catalog_id"),
    _list("causes", selected=True, optional=True),
    _list("cause_properties", "causes/properties", strategy="newest_first"),
    _list("communication_groups", "communications/groups"),
    _list("communication_stages", "communications/stages"),
    _list("communication_templates", "communications/templates"),
    _list("communication_types", "communications/types"),
    _list("custom_fields", strategy="newest_first"),
    _child("custom_field_options", "custom_fields/{}/options", "custom_fields", "custom_field_id"),
    _list("custom_forms"),
    _list("dashboards", selected=True),
    _child(
        "dashboard_panels",
        "dashboards/{}/panels",
        "dashboards",
        "dashboard_id",
        dated=False,
        json=("data",),
    ),
    _list("environments", selected=True, optional=True),
    _list("environment_properties", "environments/properties", strategy="newest_first"),
    _child(
        "escalation_path_levels",
        "escalation_paths/{}/escalation_levels",
        "escalation_paths",
        "escalation_policy_path_id",
    ),
    _list("escalation_policies", selected=True, optional=True),
    _child(
        "escalation_policy_levels",
        "escalation_policies/{}/escalation_levels",
        "escalation_policies",
        "escalation_policy_id",
    ),
    _child(
        "escalation_paths",
        "escalation_policies/{}/escalation_paths",
        "escalation_policies",
        "escalation_policy_id",
        json=("rules",),
    ),
    _child(
        "incident_event_functionalities",
        "events/{}/functionalities",
        "incident_events",
        "incident_event_id",
        dated=False,
    ),
    _child(
        "incident_event_services",
        "events/{}/services",
        "incident_events",
        "incident_event_id",
        dated=False,
    ),
    _child(
        "form_field_placement_conditions",
        "form_field_placements/{}/conditions",
        "form_field_placements",
        "form_field_placement_id",
        dated=False,
    ),
    _list("form_fields"),
    _child("form_field_options", "form_fields/{}/options", "form_fields", "form_field_id"),
    _child(
        "form_field_placements",
        "form_fields/{}/placements",
        "form_fields",
        "form_field_id",
        dated=False,
    ),
    _child(
        "form_field_positions",
        "form_fields/{}/positions",
        "form_fields",
        "form_field_id",
        dated=False,
    ),
    _list("form_sets"),
    _child(
        "form_set_conditions", "form_sets/{}/conditions", "form_sets", "form_set_id", dated=False
    ),
    _list("functionalities", selected=True, optional=True),
    _list("functionality_properties", "functionalities/properties", strategy="newest_first"),
    _list(
        "heartbeats",
        secrets=("ping_url", "secret"),
        selected=True,
    ),
    _list("incident_permission_sets"),
    _child(
        "incident_permission_set_booleans",
        "incident_permission_sets/{}/booleans",
        "incident_permission_sets",
        "incident_permission_set_id",
    ),
    _child(
        "incident_permission_set_resources",
        "incident_permission_sets/{}/resources",
        "incident_permission_sets",
        "incident_permission_set_id",
    ),
    _list("incident_roles", selected=True, optional=True),
    _child(
        "incident_role_tasks",
        "incident_roles/{}/incident_role_tasks",
        "incident_roles",
        "incident_role_id",
    ),
    _list("incident_types", selected=True, optional=True),
    _list("incident_type_properties", "incident_types/properties", strategy="newest_first"),
    _list(
        "incidents",
        paging="cursor",
        strategy="changed",
        sort="updated_at",
        secrets=(
            "zoom_meeting_password",
            "zoom_meeting_pstn_password",
            "zoom_meeting_h323_password",
        ),
        selected=True,
    ),
    _child(
        "incident_action_items",
        "incidents/{}/action_items",
        "incidents",
        "incident_id",
        include="action_items",
    ),
    _child(
        "incident_alerts",
        "incidents/{}/alerts",
        "incidents",
        "incident_id",
        paging="none",
        include="alerts",
        json=("data",),
    ),
    _child(
        "incident_custom_field_selections",
        "incidents/{}/custom_field_selections",
        "incidents",
        "incident_id",
        dated=False,
        include="custom_field_selections",
    ),
    _child("incident_events", "incidents/{}/events", "incidents", "incident_id", include="events"),
    _child(
        "incident_feedbacks",
        "incidents/{}/feedbacks",
        "incidents",
        "incident_id",
        include="feedbacks",
    ),
    _child(
        "incident_form_field_selections",
        "incidents/{}/form_field_selections",
        "incidents",
        "incident_id",
        dated=False,
    ),
    _child(
        "incident_meeting_recordings", "incidents/{}/meeting_recordings", "incidents", "incident_id"
    ),
    _child(
        "incident_status_page_events", "incidents/{}/status-page-events", "incidents", "incident_id"
    ),
    _child(
        "incident_sub_statuses",
        "incidents/{}/sub_statuses",
        "incidents",
        "incident_id",
        dated=False,
        include="sub_statuses",
    ),
    _list("live_call_routers"),
    _list("meeting_recordings", paging="none"),
    _list("on_call_pay_reports"),
    _list("on_call_roles"),
    _list("oncalls", paging="none", strategy="snapshot", total=None),
    _list("playbooks"),
    _child("playbook_tasks", "playbooks/{}/playbook_tasks", "playbooks", "playbook_id"),
    _list("post_mortem_templates", json=("content_json",)),
    _list("post_mortems", selected=True, optional=True),
    _list("pulses", strategy="appended", json=("data",)),
    _list("retrospective_configurations", total=None),
    _child(
        "retrospective_process_group_steps",
        "retrospective_process_groups/{}/steps",
        "retrospective_process_groups",
        "retrospective_process_group_id",
        dated=False,
    ),
    _list("retrospective_processes", json=("retrospective_process_matching_criteria",)),
    _child(
        "retrospective_process_groups",
        "retrospective_processes/{}/groups",
        "retrospective_processes",
        "retrospective_process_id",
        dated=False,
    ),
    _child(
        "retrospective_steps",
        "retrospective_processes/{}/retrospective_steps",
        "retrospective_processes",
        "retrospective_process_id",
    ),
    _list("roles"),
    _child(
        "schedule_rotation_active_days",
        "schedule_rotations/{}/schedule_rotation_active_days",
        "schedule_rotations",
        "schedule_rotation_id",
    ),
    _child(
        "schedule_rotation_users",
        "schedule_rotations/{}/schedule_rotation_users",
        "schedule_rotations",
        "schedule_rotation_id",
    ),
    _list("schedules", selected=True),
    _child(
        "schedule_shifts",
        "schedules/{}/shifts",
        "schedules",
        "schedule_id",
        paging="none",
        strategy="windows",
    ),
    _child("schedule_on_call_shadows", "schedules/{}/on_call_shadows", "schedules", "schedule_id"),
    _child("schedule_override_shifts", "schedules/{}/override_shifts", "schedules", "schedule_id"),
    _child(
        "schedule_rotations",
        "schedules/{}/schedule_rotations",
        "schedules",
        "schedule_id",
        dated=False,
        json=("schedule_rotationable_attributes",),
    ),
    _child(
        "shift_coverage_requests",
        "schedules/{}/shift_coverage_requests",
        "schedules",
        "schedule_id",
        paging="none",
    ),
    _list("secrets", secrets=("secret",)),
    _list("services", selected=True),
    _list("service_properties", "services/properties", strategy="newest_first"),
    _list("severities", selected=True, optional=True),
    _list("shifts", page_size=1000, strategy="windows", selected=True, optional=True),
    _list("slas"),
    _list(
        "status_pages",
        "status-pages",
        secrets=("authentication_password",),
        json=("cname_records",),
    ),
    _child("status_page_templates", "status-pages/{}/templates", "status_pages", "status_page_id"),
    _list("statuses"),
    _list("sub_statuses"),
    _list("teams", selected=True),
    _list("team_properties", "teams/properties", strategy="newest_first"),
    _list("users", strategy="newest_first", selected=True),
    _child("user_email_addresses", "users/{}/email_addresses", "users", "user_id", paging="none"),
    _child("user_notification_rules", "users/{}/notification_rules", "users", "user_id"),
    _child("user_phone_numbers", "users/{}/phone_numbers", "users", "user_id", paging="none"),
    _list("webhook_endpoints", "webhooks/endpoints", secrets=("secret",)),
    _child(
        "webhook_deliveries", "webhooks/endpoints/{}/deliveries", "webhook_endpoints", "endpoint_id"
    ),
    _list("workflow_groups", dated=False),
    _list(
        "workflows", strategy="newest_first", json=("trigger_params",), selected=True, optional=True
    ),
    _child(
        "workflow_action_item_form_field_conditions",
        "workflows/{}/action_item_form_field_conditions",
        "workflows",
        "workflow_id",
        dated=False,
    ),
    _child(
        "workflow_custom_field_selections",
        "workflows/{}/custom_field_selections",
        "workflows",
        "workflow_id",
        dated=False,
    ),
    _child(
        "workflow_form_field_conditions",
        "workflows/{}/form_field_conditions",
        "workflows",
        "workflow_id",
        dated=False,
    ),
    _child(
        "workflow_runs",
        "workflows/{}/workflow_runs",
        "workflows",
        "workflow_id",
        dated=False,
        json=("context",),
    ),
    _child(
        "workflow_tasks",
        "workflows/{}/workflow_tasks",
        "workflows",
        "workflow_id",
        json=("task_params",),
    ),
)
