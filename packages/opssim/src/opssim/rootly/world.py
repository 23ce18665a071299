"""All tables of an organisation: how they are filled, and what happens to their rows."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from opssim.core.store import JsonObject, Table, chosen
from opssim.rootly.data import KINDS, populate
from opssim.rootly.facts import OWNERS, TABLES, Owner, stem_table
from opssim.rootly.generic import FEEDS, listing_of, rows_of
from opssim.rootly.organisation import Birth, Organisation
from opssim.rootly.shapes import Scene

#: How many parents have rows in each of their sub-lists.
PARENTS = 20
_ALERTS_OF_INCIDENTS = Owner("incidents", "incident_id")


class World:
    """The tables of an organisation.

    Args:
        org: the organisation.
        counts: how many rows the lists have that are made by hand.
        others: how many rows the other lists have.
        children: how many rows the sub-lists have for each of the first parents.
        now: returns the simulated time.
        removals: the chance of deletions.

    Attributes:
        tables: the rows, by the name of their list.
    """

    def __init__(
        self,
        org: Organisation,
        counts: Mapping[str, int],
        *,
        others: int,
        children: int,
        now: Callable[[], int],
        removals: random.Random,
    ) -> None:
        self._org = org
        self._now = now
        self._removals = removals
        self._numbers = Counter(counts)
        self._chance: dict[str, random.Random] = {}
        self._lock = threading.RLock()
        #: What is known of rows and not in their JSON: their parent, and times they do not show.
        self._beside: dict[str, dict[str, JsonObject]] = {name: {} for name in TABLES}
        self.tables = populate(org, counts, self._empty)
        self._attach_alerts(children)
        for name in _order():
            self.tables[name] = self._empty(name)
            self._fill(name, others, children)

    def insert(self, table: str, count: int) -> None:
        """Add newly made rows to a table; those of sub-lists to parents chosen at random.

        Raises:
            KeyError: there is no such table.
        """
        rows = self._table(table)
        with self._lock:
            rng = self._rng(table)
            for _ in range(count):
                if table not in KINDS:
                    self._insert_owned(table, rng)
                    continue
                self._numbers[table] += 1
                now = self._now()
                birth = Birth(self._numbers[table], now, now)
                rows.insert(KINDS[table].make(self._org, rng, birth))

    def touch(self, table: str, count: int) -> None:
        """Change rows of a table as their users would; those of feeds never change.

        Raises:
            KeyError: there is no such table.
        """
        rows = self._table(table)
        with self._lock:
            rng = self._rng(table)
            for key in chosen(rng, rows.keys(), count):
                if table in KINDS:
                    rows.update(key, lambda row: self._change(table, rng, row))
                elif table not in FEEDS:
                    self._change_other(table, rng, key)

    def delete(self, table: str, count: int) -> None:
        """Remove rows of a table chosen at random, and what belongs to them.

        Raises:
            KeyError: there is no such table.
        """
        rows = self._table(table)
        with self._lock:
            for key in chosen(self._removals, rows.keys(), count):
                owner = self._owner(table, key)
                self._remove(table, key)
                self._touch_incident(table, owner, self._now())

    def _table(self, name: str) -> Table:
        table = self.tables.get(name)
        if table is None:
            msg = f"the Rootly simulator has no table {name!r}; it has {', '.join(self.tables)}"
            raise KeyError(msg)
        return table

    def _rng(self, table: str) -> random.Random:
        """Return the chance of what happens to a table after it was generated."""
        if table not in self._chance:
            self._chance[table] = self._org.chance(f"{table}-later")
        return self._chance[table]

    def _empty(self, name: str) -> Table:
        """Return a table whose rows have beside their JSON what filters and parents need."""
        listing, beside = listing_of(TABLES[name]), self._beside[name]
        parameter = OWNERS[name].parameter if name in OWNERS else ""

        def fields(row: JsonObject) -> Mapping[str, object]:
            known = dict(listing.fields(row))
            if parameter:
                known[parameter] = row["attributes"].get(parameter)
            known.update(beside.get(row["id"], {}))
            return known

        fields = fields if name in OWNERS or name not in KINDS else listing.fields
        return Table(name, key=lambda row: row["id"], fields=fields)

    def _keys(self, table: str) -> Sequence[str]:
        return self.tables[table].keys() if table in self.tables else ()

    def _attach_alerts(self, most: int) -> None:
        """Give some alerts to the first incidents, at most so many to each."""
        rng = self._org.chance("incidents-alerts")
        alerts = self.tables["alerts"]
        incidents = self._keys("incidents")[:PARENTS]
        free = chosen(rng, alerts.keys(), most * len(incidents))
        for incident in incidents:
            for _ in range(min(len(free), rng.randint(0, most))):
                key = free.pop()
                self._beside["alerts"][key] = {_ALERTS_OF_INCIDENTS.parameter: incident}
                alerts.update(key, _keep)

    def _fill(self, name: str, others: int, children: int) -> None:
        """Make the rows of a list, each in the time that its parent was there."""
        rng = self._org.chance(name)
        for owner in self._owners_of(name, rng, others, children):
            begin, end = self._org.begin, self._org.end
            if owner is not None:
                begin, end = self._life(OWNERS[name].table, owner)
            at = rng.randint(begin, end)
            self._numbers[name] += 1
            birth = Birth(self._numbers[name], at, end)
            self._make(name, rng, birth, rng.randint(at, end), owner)

    def _owners_of(
        self, name: str, rng: random.Random, others: int, children: int
    ) -> Iterator[str | None]:
        """Return the parents of the rows that a list is to have, one for each row."""
        if name not in OWNERS:
            yield from (None for _ in range(others))
            return
        parents = self._keys(OWNERS[name].table)
        if name == "post_mortems":
            some = chosen(rng, parents[: max(PARENTS, others)], others)
            yield from [*some, *[None] * (others - len(some))]
            return
        for parent in parents[:PARENTS]:
            yield from (parent for _ in range(children))

    def _life(self, table: str, key: str) -> tuple[int, int]:
        """Return when a row was made and changed for the last time, as far as filters know."""
        row = self.tables[table].get(key)
        begin = row.fields.get("created_at") if row else None
        end = row.fields.get("updated_at") if row else None
        end = end if isinstance(end, int) else self._org.end
        return min(begin, end) if isinstance(begin, int) else self._org.begin, end

    def _make(
        self, name: str, rng: random.Random, birth: Birth, updated: int, owner: str | None
    ) -> None:
        rows = rows_of(name)
        row = rows.make(Scene(self._org, rng, birth, updated, self._keys), owner)
        times = {"created_at": birth.at, "updated_at": updated}
        beside: JsonObject = {stamp: times[stamp] for stamp in rows.hidden}
        if owner is not None:
            beside[OWNERS[name].parameter] = owner
        self._beside[name][row["id"]] = beside
        self.tables[name].insert(row)

    def _insert_owned(self, table: str, rng: random.Random) -> None:
        """Add a row; nothing happens to a sub-list when there is no parent for it."""
        owner = self._new_owner(table, rng)
        if owner is None and table in OWNERS and table != "post_mortems":
            return
        self._numbers[table] += 1
        now = self._now()
        self._make(table, rng, Birth(self._numbers[table], now, now), now, owner)
        self._touch_incident(table, owner, now)

    def _new_owner(self, table: str, rng: random.Random) -> str | None:
        if table not in OWNERS:
            return None
        parents = self._keys(OWNERS[table].table)
        if table == "post_mortems":  # an incident has at most one
            taken = {row.fields["incident_id"] for row in self.tables[table]}
            parents = [parent for parent in parents if parent not in taken]
        return rng.choice(parents) if parents else None

    def _change(self, table: str, rng: random.Random, row: JsonObject) -> None:
        KINDS[table].change(self._org, rng, row, self._now())

    def _change_other(self, table: str, rng: random.Random, key: str) -> None:
        now = self._now()
        begin, _ = self._life(table, key)
        birth = Birth(rng.randint(1, 999), begin, now)
        rows, beside = rows_of(table), self._beside[table][key]
        if "updated_at" in beside:
            beside["updated_at"] = now
        scene = Scene(self._org, rng, birth, now, self._keys)
        self.tables[table].update(key, lambda row: rows.change(scene, row))
        self._touch_incident(table, self._owner(table, key), now)

    def _owner(self, table: str, key: str) -> str | None:
        row = self.tables[table].get(key)
        owner = row.fields.get(OWNERS[table].parameter) if row and table in OWNERS else None
        return owner if isinstance(owner, str) else None

    def _touch_incident(self, table: str, owner: str | None, now: int) -> None:
        """Move the time of change of the incident that a row belongs to."""
        of_incident = table in OWNERS and OWNERS[table].table == "incidents" and table != "alerts"
        if not of_incident or owner is None or not self._org.quirks.children_touch_incident:
            return
        incidents = self.tables["incidents"]
        if owner in incidents:
            moved = {"updated_at": self._org.text(now)}
            incidents.update(owner, lambda row: row["attributes"].update(moved))

    def _remove(self, table: str, key: str) -> None:
        """Remove a row and those that belong to it; alerts outlive their incidents."""
        self.tables[table].delete(key)
        self._beside[table].pop(key, None)
        self._org.forget(table, key)
        for child, owner in OWNERS.items():
            if owner.table != table:
                continue
            rows = self.tables[child]
            for orphan in [row.key for row in rows if row.fields[owner.parameter] == key]:
                if child == "alerts":
                    self._beside[child].pop(orphan)
                    rows.update(orphan, _keep)
                else:
                    self._remove(child, orphan)


def _keep(_row: JsonObject) -> None:
    """Leave a row as it is: only what is known beside it changes."""


def _order() -> list[str]:
    """Return the generic lists, each after its parents and those that its rows refer to."""
    order: dict[str, None] = {}
    begun = set(KINDS)

    def visit(name: str) -> None:
        if name in begun:
            return
        begun.add(name)
        if name in OWNERS:
            visit(OWNERS[name].table)
        for attribute in TABLES[name].attributes:
            table = stem_table(attribute) if attribute.endswith(("_id", "_ids")) else None
            if table is not None:
                visit(table)
        order[name] = None

    for name in TABLES:
        visit(name)
    return list(order)
