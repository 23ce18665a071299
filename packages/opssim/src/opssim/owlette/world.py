"""What all of a simulated Owlette shares: its state, its time, its habits, and what it tells."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from opssim.core.clock import Clock, iso_utc
from opssim.core.store import JsonObject, encode
from opssim.owlette.database import Database
from opssim.owlette.grammar import new_id
from opssim.owlette.habits import OwletteHabits
from opssim.owlette.limits import Limits
from opssim.owlette.problems import Problem
from opssim.owlette.signed_urls import SignedUrls

SITES = "sites"


def _tell_nobody(_event: str, _site_id: str, _data: JsonObject) -> None:
    pass


@dataclass(slots=True)
class World:
    """The one thing that every endpoint is given.

    Attributes:
        database: the state.
        clock: the time, which tests may let jump.
        habits: what is switched on.
        limits: who has asked how often.
        urls: signs the URLs of the storage.
        emit: takes an event for the webhooks of a site: its name, the site's id, and its data.
        changed: set when machines or webhooks have something to do.
    """

    database: Database
    clock: Clock
    habits: OwletteHabits
    limits: Limits
    urls: SignedUrls
    emit: Callable[[str, str, JsonObject], None] = _tell_nobody
    changed: threading.Event = field(default_factory=threading.Event)

    def now(self) -> datetime:
        """Return the time."""
        return self.clock.now()

    def stamp(self, after: timedelta = timedelta()) -> str:
        """Return the time, or one later, as `2026-07-01T03:10:00.000Z`."""
        return iso_utc(self.now() + after)

    def site(self, site_id: str) -> JsonObject | None:
        """Return a site."""
        return self.database.get(SITES, site_id)

    def audit(self, site_id: str, actor: str, kind: str, target: str, **attributes: Any) -> None:
        """Add a record to a site's audit log; each holds the hash of the one before."""
        place = f"{SITES}/{site_id}/audit"
        heads = f"{SITES}/{site_id}/audit-head"
        head = self.database.get(heads, "head")
        now = int(self.now().timestamp() * 1000)
        event: JsonObject = {
            "kind": kind,
            "siteId": site_id,
            "actor": actor,
            "target": target,
            "occurredAt": now,
            "attributes": attributes,
        }
        record: JsonObject = {"previousHash": head and head["hash"], "event": event}
        record |= {"hash": audit_hash(record), "recordedAt": now, "siteId": site_id}
        self.database.put(place, record["hash"], record)
        self.database.put(heads, "head", {"hash": record["hash"]})

    def log(self, site_id: str, action: str, level: str = "info", **more: Any) -> None:
        """Add a record to a site's log."""
        place = f"{SITES}/{site_id}/logs"
        names = ["machineId", "machineName", "processName", "details", "userId", "screenshotUrl"]
        record: JsonObject = {
            "id": new_id("log_"),
            "siteId": site_id,
            "timestamp": self.stamp(),
            "action": action,
            "level": level,
            **dict.fromkeys(names),
            **more,
        }
        self.database.put(place, record["id"], record)


def audit_hash(record: JsonObject) -> str:
    """Return the hash of what happened and of the record before it."""
    hashed = {"previousHash": record["previousHash"], "event": record["event"]}
    return hashlib.sha256(encode(hashed)).hexdigest()


def no_site() -> Problem:
    """Return the refusal of a site that is not there, or that the caller may not enter."""
    return Problem(404, "not_found", "site not found or no access")
