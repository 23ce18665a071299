"""Values of attributes, made from the types and the names that the API's document gives them."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from opssim.core.store import JsonObject
from opssim.rootly.facts import stem_table
from opssim.rootly.organisation import (
    Birth,
    Organisation,
    named,
    pick,
    slug,
    uuid,
)
from opssim.rootly.times import DAY, HOUR, MINUTE
from opssim.rootly.vocabulary import (
    ALERT_SOURCES,
    COLORS,
    MITIGATIONS,
    RESOLUTIONS,
    SERVICES,
    SUMMARIES,
    TIME_ZONES,
)

#: Attributes that hold secrets.
SECRETS = frozenset({"secret", "ping_url", "authentication_password", "password", "token"})

_NULLS = 0.2
_TEXTS = tuple(text for text in SUMMARIES if text) + MITIGATIONS + RESOLUTIONS
_LONG = frozenset({"description", "summary", "content", "feedback", "event", "body", "details"})
_NAMES = frozenset({"name", "title", "label", "public_title"})
#: How long after the row was made things happened to it, and whether they may lie ahead.
_AFTER = {
    "starts_at": (0, True),
    "ends_at": (DAY, True),
    "expires_at": (90 * DAY, True),
    "grace_period_ends_at": (91 * DAY, True),
    "started_at": (0, False),
    "occurred_at": (0, False),
    "assigned_at": (0, False),
    "mitigated_at": (30 * MINUTE, False),
    "ended_at": (HOUR, False),
    "resolved_at": (2 * HOUR, False),
}


@dataclass(frozen=True, slots=True)
class Scene:
    """What the values of one row are made from.

    Attributes:
        org: the organisation.
        rng: the list's chance.
        birth: when the row came into being.
        updated: when it was changed for the last time.
        keys: returns the keys of the rows of a list, for those that refer to them.
    """

    org: Organisation
    rng: random.Random
    birth: Birth
    updated: int
    keys: Callable[[str], Sequence[str]]


#: Makes the value of an attribute.
Value = Callable[[Scene], object]


def shape(name: str, text: str) -> Value:
    """Return what makes the values of an attribute of this name and type."""
    return _Types(text).value(name)


class _Types:
    """Reads the text of a type from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def value(self, name: str) -> Value:
        """Read one type."""
        base = self._until(":?[]<>{},")
        if base == "array":
            self._skip("<")
            made = _array(self.value(name))
            self._skip(">")
        elif base == "object" and self._skip("{"):
            made = _object(self._properties())
        elif self._skip("["):
            made = _choice(base, self._until("]").split("|"))
            self._skip("]")
        else:
            form = self._until("?[]<>{},") if self._skip(":") else ""
            made = _scalar(name, base, form)
        if self._skip("?") and name not in SECRETS:
            return _nullable(made)
        return made

    def _properties(self) -> dict[str, Value]:
        properties: dict[str, Value] = {}
        while not self._skip("}"):
            name = self._until(":")
            self._skip(":")
            properties[name] = self.value(name)
            self._skip(",")
        return properties

    def _until(self, ends: str) -> str:
        start = self._at
        while self._at < len(self._text) and self._text[self._at] not in ends:
            self._at += 1
        return self._text[start : self._at]

    def _skip(self, sign: str) -> bool:
        found = self._text.startswith(sign, self._at)
        self._at += len(sign) if found else 0
        return found


def _nullable(made: Value) -> Value:
    return lambda scene: None if scene.rng.random() < _NULLS else made(scene)


def _array(made: Value) -> Value:
    """Make arrays of up to two different values."""

    def make(scene: Scene) -> list[object]:
        values: list[object] = []
        for _ in range(scene.rng.randint(0, 2)):
            value = made(scene)
            if value not in values:
                values.append(value)
        return values

    return make


def _object(properties: Mapping[str, Value]) -> Value:
    return lambda scene: {name: made(scene) for name, made in properties.items()}


def _choice(base: str, values: Sequence[str]) -> Value:
    if base == "integer":
        return lambda scene: int(scene.rng.choice(values))
    return lambda scene: scene.rng.choice(values)


def _scalar(name: str, base: str, form: str) -> Value:
    if name.endswith(("_id", "_ids")):
        return _reference(name, number=base == "integer")
    if base == "string":
        return _string(name, form)
    if base == "integer" and name == "position":
        return _count
    known: dict[str, Value] = {
        "boolean": lambda scene: scene.rng.random() < 0.5,
        "integer": lambda scene: scene.rng.randint(1, 99),
        "number": lambda scene: scene.rng.randint(2, 399) / 2,
        "user": _user,
        "user_flat": _flat_user,
    }
    return known.get(base, _anything)


def _count(scene: Scene) -> int:
    return scene.birth.number


def _reference(name: str, *, number: bool) -> Value:
    """Make the id of a row of the list that the attribute names, or of something unknown."""
    table = stem_table(name)

    def make(scene: Scene) -> str | int:
        key = pick(scene.rng, scene.keys(table)) if table else None
        if number:
            return int(key) if key and key.isdigit() else scene.rng.randint(1, 9999)
        return key or uuid(scene.rng)

    return make


def _string(name: str, form: str) -> Value:  # noqa: PLR0911 - one for each kind of text
    """Make strings by what their name says they are."""
    if name in SECRETS:
        return _secret(name)
    if name.endswith("_at") or form == "date-time":
        return _moment(name)
    if name.endswith("_date") or form == "date":
        return lambda scene: str(_time(scene.org, scene.birth.at + 7 * DAY))[:10]
    if name.endswith("_time") or form == "time":
        return lambda scene: f"{scene.rng.randint(7, 19):02d}:00"
    if name == "slug":
        return lambda scene: f"{slug(_name(scene), 0)}-{scene.birth.number}"
    if name in _NAMES or name.endswith("_name"):
        return _name
    if form == "uuid" or name == "id":
        return lambda scene: uuid(scene.rng)
    return _text(name)


def _text(name: str) -> Value:
    known: dict[str, Value] = {
        "color": lambda scene: scene.rng.choice(COLORS),
        "email": lambda scene: f"someone-{scene.birth.number}@example.com",
        "time_zone": lambda scene: scene.rng.choice(TIME_ZONES),
        "source": lambda scene: scene.rng.choice(ALERT_SOURCES),
        "ip_address": lambda scene: f"192.0.2.{scene.rng.randint(1, 254)}",
        "phone": lambda scene: f"+1555{scene.rng.randint(0, 9_999_999):07d}",
        "payload": lambda scene: (
            f'{{"event":{{"id":"{uuid(scene.rng)}","type":"incident.updated"}}}}'
        ),
    }
    for word, made in known.items():
        if name == word or name.endswith(f"_{word}"):
            return made
    if name.endswith(("url", "uri", "link")):
        return lambda scene: f"https://rootly.example.com/{name}/{scene.rng.getrandbits(32):08x}"
    if name.endswith(("phone_number", "number")):
        return known["phone"]
    if name in _LONG or name.endswith(("_description", "_message", "_summary", "_body")):
        return lambda scene: scene.rng.choice(_TEXTS)
    return lambda scene: f"{name.replace('_', ' ')} № {scene.rng.randint(1, 9999)}"


def _name(scene: Scene) -> str:
    return named(SERVICES, scene.birth.number)


def _secret(name: str) -> Value:
    before = "https://webhooks.example.com/ping?key=" if name.endswith("url") else ""
    return lambda scene: before + scene.org.secret(scene.rng)


def _moment(name: str) -> Value:
    """Make times of the row's life."""
    if name == "created_at":
        return lambda scene: _time(scene.org, scene.birth.at)
    if name == "updated_at":
        return lambda scene: _time(scene.org, scene.updated)
    if name not in _AFTER:
        return lambda scene: _time(scene.org, scene.rng.randint(scene.birth.at, scene.updated))
    after, ahead = _AFTER[name]

    def make(scene: Scene) -> str:
        at = scene.birth.at + after
        return _time(scene.org, at if ahead else min(at, scene.birth.seen))

    return make


def _time(org: Organisation, at: int) -> str:
    return org.calendar.text(at)


def _anything(scene: Scene) -> JsonObject:
    """Make an object of which the document does not say what is in it."""
    number = scene.rng.randint(1, 99)
    return scene.rng.choice(
        ({}, {"value": number}, {"Größe": f"{number} kB", "nested": {"list": [number, None]}})
    )


def _flat_user(scene: Scene) -> JsonObject | None:
    someone = pick(scene.rng, scene.org.rows("users"))
    if someone is None:
        return None
    attributes = someone["attributes"]
    return {
        "id": int(someone["id"]),
        "name": attributes["full_name"] or attributes["email"],
        "email": attributes["email"],
        "full_name": attributes["full_name"],
        "time_zone": attributes["time_zone"],
    }


def _user(scene: Scene) -> JsonObject:
    someone = pick(scene.rng, scene.org.rows("users"))
    return {"data": someone}
