"""Lists that nothing is particular about: how they are listed, and what their rows are made of.

All of it follows from the facts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, cast

from opssim.core.store import JsonObject
from opssim.rootly.facts import FACTS, TABLES, Facts
from opssim.rootly.lists import (
    LISTINGS,
    SCHEDULE_SHIFTS,
    Filter,
    Listing,
    Reader,
    hidden_slug,
    labelled,
)
from opssim.rootly.organisation import resource, uuid
from opssim.rootly.shapes import SECRETS, Scene, shape

#: Rows of feeds: they are never changed.
FEEDS = frozenset({"audits", "pulses", "workflows_workflow_runs"})
#: The times that every row has, shown or not.
STAMPS = frozenset({"created_at", "updated_at"})

_FIRST_NUMBER = 101
_NUMBERED = frozenset({"audits", "custom_fields", "custom_fields_options"})
_SEARCHED = ("name", "title", "label", "summary", "description")
_FIXED = frozenset({"id", "slug", "position", *SECRETS})
_TRIES = 12


class Rows:
    """The rows of one list: makes them and changes them."""

    def __init__(self, facts: Facts) -> None:
        self._kind = facts.type or facts.last
        self._values = {name: shape(name, text) for name, text in facts.attributes.items()}
        self._types = facts.attributes
        self._parameter = facts.parameter
        self._numbered = facts.table in _NUMBERED
        self._token = facts.table == "api_keys"
        self._edited = _edited(facts)
        #: The times that a row has and does not show.
        self.hidden = STAMPS - facts.attributes.keys()

    def make(self, scene: Scene, owner: str | None) -> JsonObject:
        """Make a row, of the parent whose key is given."""
        number = scene.birth.number
        key = str(_FIRST_NUMBER + number - 1) if self._numbered else uuid(scene.rng)
        attributes = {name: made(scene) for name, made in self._values.items()}
        for name, value in (("id", key), (self._parameter, owner)):
            if name is not None and value is not None and name in attributes:
                attributes[name] = self._typed(name, value)
        if self._token and number == 1:
            attributes["token"] = scene.org.secret(scene.rng)
        return resource(self._kind, key, attributes)

    def change(self, scene: Scene, row: JsonObject) -> None:
        """Change one attribute of a row, and its time of change."""
        attributes: JsonObject = row["attributes"]
        if "updated_at" in attributes:
            attributes["updated_at"] = scene.org.text(scene.updated)
        for _ in range(_TRIES):
            name = scene.rng.choice(self._edited)
            value = self._values[name](scene)
            if value != attributes[name]:
                attributes[name] = value
                return

    def _typed(self, name: str, key: str) -> str | int:
        if not self._types[name].startswith("integer"):
            return key
        return int(key)


def _edited(facts: Facts) -> list[str]:
    """Return the attributes that users change: no times, ids or secrets, if there are others."""
    names = [name for name in facts.attributes if name not in _FIXED | STAMPS | {facts.parameter}]
    best = [name for name in names if not name.endswith(("_id", "_ids", "_at", "_type"))]
    return best or names or ["position"]


@cache
def rows_of(table: str) -> Rows:
    """Return what makes the rows of a list."""
    return Rows(TABLES[table])


def listing_of(facts: Facts) -> Listing:
    """Return how a list is filtered, sorted and wrapped."""
    return _listings()[facts.name]


@cache
def _listings() -> Mapping[str, Listing]:
    return {facts.name: _listing(facts) for facts in FACTS}


def _listing(facts: Facts) -> Listing:
    if facts.name == "schedules_shifts":
        return SCHEDULE_SHIFTS
    if facts.name in LISTINGS:
        return LISTINGS[facts.name]
    known = facts.attributes.keys() | STAMPS
    paged = "number" in facts.pages
    return Listing(
        name=facts.table,
        filters=_filters(facts),
        times=frozenset(
            name for name, known_as in facts.filters.items() if "gt" in known_as and name in known
        ),
        parameters={
            name: Filter(loosely(name)) for name in facts.parameters if name in facts.attributes
        },
        search=_searched(facts) if "search" in facts.filters else (),
        sorts=frozenset(name for name in facts.sorts if name.endswith("_at") or name == "position"),
        numbered=paged,
        paged=paged,
        links="links" in facts.parts,
        meta="meta" in facts.parts,
        included="included" in facts.parts,
        single=facts.parent is None,
        team_keys=facts.parent != "incidents",
    )


def loosely(name: str) -> Reader:
    """Read an attribute, and the ids, slugs and names of the objects that are in it."""

    def read(row: JsonObject) -> Iterable[object]:
        value: Any = row["attributes"].get(name)
        values = cast("list[object]", value) if isinstance(value, list) else [value]
        for each in values:
            if isinstance(each, dict):
                entry = cast("JsonObject", each)
                yield from (entry[key] for key in ("id", "slug", "name") if key in entry)
            elif each is not None:
                yield each

    return read


def _filters(facts: Facts) -> dict[str, Filter]:
    """Return the filters by attributes; those by what rows do not have can do nothing."""
    filters: dict[str, Filter] = {}
    for name, known_as in facts.filters.items():
        operators = frozenset("" if each == "=" else each for each in known_as.split())
        read = _reader(name, facts.attributes)
        if "gt" not in operators and read is not None:
            filters[name] = Filter(read, operators)
    return filters


def _reader(name: str, attributes: Mapping[str, str]) -> Reader | None:
    """Return what reads the values that a filter compares."""
    if name in {"labels", "refs"} and name in attributes:
        return labelled(name)
    singular = name.removesuffix("es") if name.endswith("ses") else name.removesuffix("s")
    for attribute in (name, singular):
        if attribute in attributes:
            return loosely(attribute)
    return hidden_slug if name == "slug" and "name" in attributes else None


def _searched(facts: Facts) -> tuple[str, ...]:
    return tuple(name for name in _SEARCHED if name in facts.attributes)
