"""The organisation whose rows are simulated: what the makers of rows share."""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from opssim.core.store import JsonObject
from opssim.rootly.quirks import RootlyQuirks
from opssim.rootly.times import DAY, Calendar, milliseconds

T = TypeVar("T")

#: The numeric ids of users begin here; everything else has a UUID.
FIRST_USER_ID = 4711
_HISTORY = 730 * DAY
_NOT_IN_SLUGS = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class AlertLife:
    """When things happened to an alert, for the events that tell of them."""

    key: str
    source: str
    created: int
    acknowledged: int | None
    ended: int | None


@dataclass(frozen=True, slots=True)
class Birth:
    """When a row comes into being.

    Attributes:
        number: which row of its list it is, from 1.
        at: when it was made, in milliseconds since 1970.
        seen: up to when its history is known: the end of the generated data, or `at` itself for
            a row that is made while the simulator runs.
    """

    number: int
    at: int
    seen: int

    @property
    def fresh(self) -> bool:
        """Whether the row is made just now."""
        return self.at == self.seen


class Organisation:
    """The seed, the clock and the catalogue that rows are made from.

    Attributes:
        begin: when the organisation's history begins, in milliseconds since 1970.
        end: when the generated part of it ends.
        first_shift: when the first shift of every schedule starts.
        catalogue: the rows of the small lists, which the rows of the large ones refer to.
        embedded: catalogue entries as other rows embed them, by id.
        alerts: the lives of the alerts, oldest row first.
        secrets: every secret that was put into a row.
    """

    def __init__(self, seed: int, now: datetime, quirks: RootlyQuirks) -> None:
        self.seed = seed
        self.quirks = quirks
        self.calendar = Calendar(*quirks.utc_offset_hours)
        self.end = milliseconds(now)
        self.begin = self.end - _HISTORY
        self.first_shift = self.end
        self.catalogue: dict[str, list[JsonObject]] = {}
        self.embedded: dict[str, JsonObject] = {}
        self.alerts: list[AlertLife] = []
        self.secrets: set[str] = set()

    def chance(self, purpose: str) -> random.Random:
        """Return a source of chance of its own, so that one list does not depend on another."""
        return random.Random(f"rootly-{self.seed}-{purpose}")

    def rows(self, table: str) -> list[JsonObject]:
        """Return the generated rows of one of the small lists."""
        return self.catalogue.get(table, [])

    def forget(self, table: str, key: str) -> None:
        """Let rows that are made from now on refer no more to a row that is gone."""
        if table in self.catalogue:
            self.catalogue[table] = [row for row in self.catalogue[table] if row["id"] != key]
        if table == "alerts":
            self.alerts = [life for life in self.alerts if life.key != key]

    def text(self, at: int | None) -> str | None:
        """Format a time as the organisation's clocks show it; None stays None."""
        return None if at is None else self.calendar.text(at)

    def secret(self, rng: random.Random) -> str:
        """Make a secret for a row and remember it."""
        secret = f"sk-sim-{rng.getrandbits(128):032x}"
        self.secrets.add(secret)
        return secret


def uuid(rng: random.Random) -> str:
    """Make a UUID of version 4."""
    digits = f"{rng.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def slug(text: str, number: int) -> str:
    """Turn a name into the form that URLs use; without any Latin letter, number it."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return _NOT_IN_SLUGS.sub("-", plain).strip("-") or f"item-{number}"


def pick(rng: random.Random, items: Sequence[T]) -> T | None:
    """Choose one, or None from nothing."""
    return rng.choice(items) if items else None


def several(rng: random.Random, items: Sequence[T], most: int) -> list[T]:
    """Choose some different ones, at most `most` and perhaps none."""
    return rng.sample(items, rng.randint(0, min(most, len(items))))


def named(words: Sequence[str], number: int) -> str:
    """Return the `number`-th name: the words in turn, numbered from the second round on."""
    rounds, index = divmod(number - 1, len(words))
    return words[index] if rounds == 0 else f"{words[index]} {rounds + 1}"


def identifier(row: JsonObject | None) -> str | None:
    """Return the id of a row, if there is one."""
    return None if row is None else str(row["id"])


def user_number(row: JsonObject | None) -> int | None:
    """Return the id of a user as attributes name it: as a number."""
    return None if row is None else int(row["id"])


def resource(kind: str, key: str, attributes: JsonObject) -> JsonObject:
    """Return a JSON:API resource object."""
    return {"id": key, "type": kind, "attributes": attributes}


def stamped(
    org: Organisation, rng: random.Random, birth: Birth, attributes: JsonObject
) -> JsonObject:
    """Add the two time stamps that most rows have to a row's attributes."""
    attributes["created_at"] = org.text(birth.at)
    attributes["updated_at"] = org.text(rng.randint(birth.at, birth.seen))
    return attributes


#: Makes a row of one list.
Maker = Callable[[Organisation, random.Random, Birth], JsonObject]
#: Changes a row as its users would, at a time.
Progress = Callable[[Organisation, random.Random, JsonObject, int], None]
