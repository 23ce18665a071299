"""What Rootly's OpenAPI document says about each of its 113 lists.

`lists.json` holds it. The types of attributes are written as `string`, `string?` (or null),
`string[one|other]`, `string:date-time`, `array<string>` and `object{name:string}`; `user` and
`user_flat` are the two forms in which rows embed a user.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib.resources import files

import msgspec

_PARAMETER = re.compile(r"\{(\w+)\}")

#: Sub-lists that show rows of another list, and the tables of these.
_VIEWS = {
    "alerts_events": "alert_events",
    "schedules_shifts": "shifts",
    "incidents_action_items": "action_items",
    "incidents_alerts": "alerts",
    "incidents_meeting_recordings": "meeting_recordings",
}
#: Parents that are rows of a sub-list themselves, by the paths that name them.
_PARENTS = {
    "events": "incidents_events",
    "catalog_entities": "catalogs_entities",
    "escalation_paths": "escalation_policies_escalation_paths",
    "form_field_placements": "form_fields_placements",
    "retrospective_process_groups": "retrospective_processes_groups",
    "schedule_rotations": "schedules_schedule_rotations",
}
#: What ids name that no list is called after.
_OTHER_STEMS = {
    "group": "teams",
    "member": "users",
    "cause": "causes",
    "catalog_property": "services_properties",
    "rotation": "schedules_schedule_rotations",
    "path": "escalation_policies_escalation_paths",
    "escalation_policy_path": "escalation_policies_escalation_paths",
    "incident_event": "incidents_events",
}


class Facts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One list of the API.

    Attributes:
        path: where it is, with the name of the parent's id in braces.
        attributes: the types of the attributes of its rows.
        type: the JSON:API type of its rows; the document leaves it out for a few.
        filters: the operators of each filter, separated by blanks; `=` is a bare `filter[name]`.
        sorts: what `sort` takes, up and down.
        parts: what the answer has beside `data`.
        pages: the page parameters.
        parameters: other parameters.
        includes: what `include` takes.
    """

    path: str
    attributes: dict[str, str]
    type: str | None = None
    filters: dict[str, str] = {}
    sorts: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    includes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The path as a name: without `/v1/` and the parent's id, words joined by `_`."""
        return _named(self.path.removeprefix("/v1/"))

    @property
    def table(self) -> str:
        """The table that holds the rows."""
        return _VIEWS.get(self.name, self.name)

    @property
    def route(self) -> str:
        """The path as a route, whose parameter is `parent`."""
        return _PARAMETER.sub("{parent}", self.path)

    @property
    def parent(self) -> str | None:
        """The table of the rows that this is a sub-list of."""
        before, braces, _ = self.path.removeprefix("/v1/").partition("/{")
        name = _named(before)
        return _PARENTS.get(name, name) if braces else None

    @property
    def parameter(self) -> str | None:
        """The name under which rows have the id of their parent, in their JSON or beside it."""
        match = _PARAMETER.search(self.path)
        if match is None:
            return None
        return "schedule_id" if match[1] == "id" else match[1]

    @property
    def last(self) -> str:
        """The last part of the path: what the parent's rows call these."""
        return self.path.rpartition("/")[2]


class Owner(msgspec.Struct, frozen=True):
    """Which list a table's rows belong to, and the name under which they have its row's id."""

    table: str
    parameter: str


def _named(path: str) -> str:
    return re.sub(r"[/-]+", "_", _PARAMETER.sub("", path)).strip("_")


def _read() -> tuple[Facts, ...]:
    text = files("opssim.rootly").joinpath("lists.json").read_bytes()
    return msgspec.json.decode(text, type=tuple[Facts, ...])


def _owners() -> Iterator[tuple[str, Owner]]:
    for facts in FACTS:
        if facts.parent is not None and facts.parameter is not None:
            yield facts.table, Owner(facts.parent, facts.parameter)
    yield "post_mortems", Owner("incidents", "incident_id")


def _stems() -> Iterator[tuple[str, str]]:
    for facts in FACTS:
        for plural in (facts.last, facts.type) if facts.parent is None else (facts.type,):
            if plural is not None:
                yield _singular(_named(plural)), facts.table
    yield from _OTHER_STEMS.items()


def _singular(plural: str) -> str:
    if plural.endswith("ies"):
        return plural.removesuffix("ies") + "y"
    if plural.endswith(("sses", "tuses")):
        return plural.removesuffix("es")
    return plural.removesuffix("s")


def stem_table(attribute: str) -> str | None:
    """Return the table whose rows an attribute such as `selected_user_ids` names, if one does."""
    words = attribute.removesuffix("s").removesuffix("_id").split("_")
    stems = ("_".join(words[start:]) for start in range(len(words)))
    return next((_STEMS[stem] for stem in stems if stem in _STEMS), None)


def children_of(table: str) -> Mapping[str, str]:
    """Return the tables of the rows that belong to a table's, by what `include` calls these."""
    children = {facts.last: facts.table for facts in FACTS if facts.parent == table}
    return children | {"incident_post_mortem": "post_mortems"} if table == "incidents" else children


#: Every list, in the order of the document.
FACTS = _read()
#: The lists that are tables of their own.
TABLES: Mapping[str, Facts] = {facts.table: facts for facts in FACTS if facts.table == facts.name}
OWNERS: Mapping[str, Owner] = dict(_owners())
_STEMS = dict(_stems())
