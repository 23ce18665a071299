"""The lists of the API: what each filters by, sorts by, and wraps its rows in.

The table follows Rootly's OpenAPI document: a filter, a sort or a page parameter that a list
does not name there is ignored, as the API ignores it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

from opssim.core.store import JsonObject
from opssim.rootly.incidents import NESTED
from opssim.rootly.organisation import slug
from opssim.rootly.times import instant

#: Reads the values of a row that a filter compares.
Reader = Callable[[JsonObject], Iterable[object]]

_EXACT = frozenset({""})
_NAMED = frozenset({"eq", "not_eq", "in", "not_in"})
_ALL = _EXACT | _NAMED


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter that compares values.

    Attributes:
        read: the values of a row; one that matches is enough.
        operators: those that the list knows; "" stands for a bare `filter[name]=`.
        table: where the request names rows of another list, that list;
        by: and the attributes of that list's rows which it names.
    """

    read: Reader
    operators: frozenset[str] = _ALL
    table: str | None = None
    by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Include:
    """Rows of another list that `include` adds to the answer."""

    table: str
    read: Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One list: its path is `/v1/` and its name.

    Attributes:
        name: the name of the list, and of its table.
        filters: what compares values.
        times: what compares times, with gt, gte, lt and lte.
        parameters: what compares values without being written as `filter[...]`.
        window: the times that `from` and `to`, or `since` and `until`, look at.
        search: the attributes that `filter[search]` looks into.
        sorts: what `sort` knows.
        order: the sort without one asked for; "" is the order in which rows were made.
        cursor: whether page[after] is known.
        numbered: whether page[number] is known.
        paged: whether there are pages at all.
        links: whether the answer has links.
        meta: whether the answer has meta.
        included: whether the answer has included.
        default_size: rows on a page; None leaves it to the organisation.
        max_size: the most rows on a page.
        single: whether `/v1/<name>/<id>` is answered.
        other_key: an attribute that finds a single row, beside its id.
        team_keys: whether the keys of teams may read the list.
        deep_limit: whether the organisation's limit to page[number] applies.
        includes: what `include` knows, and can be filled.
    """

    name: str
    filters: Mapping[str, Filter] = field(default_factory=dict[str, Filter])
    times: frozenset[str] = frozenset({"created_at"})
    parameters: Mapping[str, Filter] = field(default_factory=dict[str, Filter])
    window: frozenset[str] = frozenset()
    search: tuple[str, ...] = ()
    sorts: frozenset[str] = frozenset()
    order: str = "-created_at"
    cursor: bool = False
    numbered: bool = True
    paged: bool = True
    links: bool = True
    meta: bool = True
    included: bool = True
    default_size: int | None = None
    max_size: int = 100
    single: bool = True
    other_key: str | None = None
    team_keys: bool = True
    deep_limit: bool = False
    includes: Mapping[str, Include] = field(default_factory=dict[str, Include])

    def fields(self, row: JsonObject) -> Mapping[str, object]:
        """Return what rows are filtered and sorted by: times in milliseconds since 1970."""
        attributes = row["attributes"]
        names = self.times | self.window | self.sorts | {self.order.lstrip("-")}
        fields: dict[str, object] = {
            name: _comparable(attributes.get(name)) for name in sorted(names) if name
        }
        if self.other_key:
            fields[self.other_key] = attributes[self.other_key]
        return fields


def _comparable(value: object) -> int | None:
    return value if isinstance(value, int) else instant(value)


def written(value: object) -> str:
    """Write a value as a query does."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def attribute(name: str) -> Reader:
    """Read an attribute: the values of one that is an array, none of one that is null."""

    def read(row: JsonObject) -> Iterable[object]:
        value: Any = row["attributes"].get(name)
        values = cast("list[object]", value) if isinstance(value, list) else [value]
        return [each for each in values if each is not None]

    return read


def related(name: str) -> Reader:
    """Read the ids of a relationship."""

    def read(row: JsonObject) -> Iterable[object]:
        data: Any = row.get("relationships", {}).get(name, {}).get("data")
        linked = cast("list[JsonObject | None]", data if isinstance(data, list) else [data])
        return [entry["id"] for entry in linked if entry is not None]

    return read


def embedded(name: str) -> Reader:
    """Read the id of an attribute that is `{data: {id, ...}}` or null."""

    def read(row: JsonObject) -> Iterable[object]:
        value = row["attributes"].get(name)
        return (value["data"]["id"],) if value else ()

    return read


def labelled(name: str) -> Reader:
    """Read labels as `key:value`, whether they are an object or an array."""

    def read(row: JsonObject) -> Iterable[object]:
        value: Any = row["attributes"][name]
        if isinstance(value, dict):
            return [f"{key}:{written(label)}" for key, label in cast("JsonObject", value).items()]
        entries = [each for each in cast("list[JsonObject | None]", value) if each is not None]
        return [f"{entry['key']}:{written(entry['value'])}" for entry in entries]

    return read


def hidden_slug(row: JsonObject) -> Iterable[object]:
    """Read the slug that some lists filter by and do not show: it follows from the name."""
    return (slug(row["attributes"]["name"], 0),)


def _plain(names: str, operators: frozenset[str] = _ALL) -> dict[str, Filter]:
    """Return filters that are named after the attributes they compare."""
    return {name: Filter(attribute(name), operators) for name in names.split()}


def _entries(singular: str, plural: str, name: str) -> dict[str, Filter]:
    """Return the three filters by the catalogue entries of an incident: slug or name, id, name."""
    table, read = NESTED[name], related(name)
    filters = {
        plural: Filter(read, table=table, by=("slug", "name")),
        f"{singular}_ids": Filter(read),
    }
    if singular in {"service", "functionality", "team"}:
        filters[f"{singular}_names"] = Filter(read, table=table, by=("name",))
    return filters


_SORTED_TIMES = frozenset(
    {"created_at", "updated_at", "started_at", "in_triage_at", "mitigated_at", "resolved_at"}
)
_INCIDENT_FILTERS = {
    **_plain("kind status private sequential_id cause_ids"),
    **_plain("cause custom_field_selected_option_ids slack_channel_id", _EXACT),
    **_plain("zendesk_ticket_id causes", _NAMED),
    **_entries("type", "types", "incident_types"),
    **_entries("environment", "environments", "environments"),
    **_entries("functionality", "functionalities", "functionalities"),
    **_entries("service", "services", "services"),
    **_entries("team", "teams", "groups"),
    "user_id": Filter(embedded("user")),
    "severity": Filter(embedded("severity"), table="severities", by=("slug", "name")),
    "severity_id": Filter(embedded("severity")),
    "labels": Filter(labelled("labels")),
}
_OWNER_FILTERS = {
    **_plain("name slug alert_broadcast_enabled incident_broadcast_enabled"),
    **_plain("backstage_id cortex_id opslevel_id external_id", _EXACT),
}

_WINDOW = frozenset({"starts_at", "ends_at"})

_LISTINGS = (
    Listing(
        name="incidents",
        filters=_INCIDENT_FILTERS,
        times=_SORTED_TIMES | {"detected_at", "acknowledged_at", "closed_at"},
        search=("title", "summary"),
        sorts=_SORTED_TIMES,
        cursor=True,
        team_keys=False,
        deep_limit=True,
        includes={name: Include(table, related(name)) for name, table in NESTED.items()},
    ),
    Listing(
        name="alerts",
        filters={
            **_plain("status source"),
            "services": Filter(attribute("service_ids"), table="services", by=("slug", "name")),
            "environments": Filter(
                attribute("environment_ids"), table="environments", by=("slug", "name")
            ),
            "groups": Filter(attribute("group_ids"), table="teams", by=("slug", "name")),
            "labels": Filter(labelled("labels")),
        },
        times=frozenset({"started_at", "ended_at", "created_at", "updated_at"}),
        cursor=True,
        other_key="short_id",
        includes={
            "services": Include("services", attribute("service_ids")),
            "environments": Include("environments", attribute("environment_ids")),
            "groups": Include("teams", attribute("group_ids")),
        },
    ),
    Listing(
        name="alert_events",
        filters=_plain("kind action alert_id", _EXACT),
        sorts=frozenset({"created_at"}),
        order="created_at",
        cursor=True,
        numbered=False,
        max_size=50,
    ),
    Listing(
        name="users",
        filters=_plain("email", _EXACT),
        search=("email", "full_name"),
        sorts=frozenset({"created_at", "updated_at"}),
    ),
    Listing(name="services", filters=_OWNER_FILTERS, search=("name", "description")),
    Listing(
        name="teams",
        filters={**_OWNER_FILTERS, **_plain("color")},
        search=("name", "description"),
        includes={"users": Include("users", attribute("user_ids"))},
    ),
    Listing(name="schedules", filters=_plain("name"), search=("name", "description")),
    Listing(
        name="heartbeats",
        filters={**_plain("name", _EXACT), "slug": Filter(hidden_slug, _EXACT)},
        search=("name", "description"),
    ),
    Listing(name="dashboards", times=frozenset()),
    Listing(
        name="authorizations",
        filters=_plain("authorizable_id authorizable_type grantee_id grantee_type", _EXACT),
    ),
    Listing(
        name="shifts",
        times=frozenset(),
        window=_WINDOW,
        order="starts_at",
        links=False,
        default_size=50,
        max_size=1000,
        single=False,
        includes={
            "user": Include("users", related("user")),
            "assignee": Include("users", related("assignee")),
        },
    ),
    Listing(
        name="oncalls",
        filters={
            "escalation_policy_ids": Filter(attribute("escalation_policy_id"), _EXACT),
            "schedule_ids": Filter(attribute("schedule_id"), _EXACT),
            "user_ids": Filter(attribute("user_id"), _EXACT),
            "notification_types": Filter(attribute("notification_type"), _EXACT),
        },
        times=frozenset(),
        window=_WINDOW,
        order="",
        paged=False,
        links=False,
        meta=False,
        single=False,
        includes={
            "user": Include("users", related("user")),
            "schedule": Include("schedules", related("schedule")),
        },
    ),
    Listing(
        name="alert_groups",
        filters=_plain("slug name", _NAMED),
        times=frozenset(),
        paged=False,
        links=False,
        meta=False,
    ),
    Listing(
        name="retrospective_configurations",
        filters=_plain("kind", _EXACT),
        times=frozenset(),
        links=False,
        meta=False,
    ),
    Listing(name="severities", filters=_plain("slug name severity color"), search=("name",)),
    Listing(name="environments", filters=_plain("slug name color"), search=("name",)),
    Listing(
        name="functionalities",
        filters={
            **_plain("name slug"),
            **_plain("backstage_id cortex_id opslevel_id external_id", _EXACT),
        },
        search=("name",),
    ),
    Listing(name="incident_types", filters=_plain("slug name color")),
    Listing(name="alert_urgencies", filters=_plain("name"), search=("name",)),
    Listing(
        name="alert_routes",
        filters={**_plain("name"), "slug": Filter(hidden_slug, _NAMED)},
        times=frozenset(),
        search=("name",),
        order="",
        included=False,
    ),
    Listing(
        name="alert_routing_rules",
        filters={**_plain("name"), "slug": Filter(hidden_slug, _NAMED)},
        search=("name",),
    ),
)

#: All lists, by name.
LISTINGS: Mapping[str, Listing] = {listing.name: listing for listing in _LISTINGS}

#: The shifts of one schedule: the same rows, on one page.
SCHEDULE_SHIFTS = replace(LISTINGS["shifts"], paged=False)
