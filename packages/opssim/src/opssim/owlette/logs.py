"""What is written down of a site: its log, its audit log, and the tokens of its agents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from msgspec import UNSET, UnsetType

from opssim.core.clock import parse_iso
from opssim.core.store import JsonObject
from opssim.owlette.endpoint import Answer, Body, Call, Endpoint
from opssim.owlette.paging import Paging, page_of
from opssim.owlette.problems import invalid, not_found
from opssim.owlette.world import audit_hash

_PAGES: Final = Paging(50, 200)
_LEVELS: Final = ("debug", "info", "warning", "error", "critical")


class LogFilters(Body):
    """Which records."""

    all: bool | UnsetType = UNSET
    action: str | UnsetType = UNSET
    machine_id: str | UnsetType = UNSET
    level: Literal["debug", "info", "warning", "error", "critical"] | UnsetType = UNSET
    since: str | UnsetType = UNSET
    until: str | UnsetType = UNSET


class Revocation(Body):
    """Which tokens."""

    token_id: str | UnsetType = UNSET
    machine_id: str | UnsetType = UNSET
    all: bool | UnsetType = UNSET


def show_logs(call: Call) -> Answer:
    """List the records of a site's log, the latest first."""
    records = call.world.database.documents(call.place("logs"), newest_first=True)
    fits = _Filter(call.query, "query")
    rows = [record for record in records if fits(record)]
    page, tokens = page_of(rows, call.query, _PAGES, lambda row: row["id"])
    return Answer({"siteId": call.site_id, "logs": page, **tokens})


def show_log(call: Call) -> Answer:
    """Return a record of a site's log."""
    record = call.world.database.get(call.place("logs"), call.path["logId"])
    if record is None:
        raise not_found("log record")
    return Answer(record)


def delete_logs(call: Call) -> Answer:
    """Delete the records that fit."""
    given = call.body.given()
    filters = {name: value for name, value in given.items() if name != "all"}
    if bool(given.get("all")) == bool(filters):
        raise invalid({"body": ["needs all, or what to delete by"]})
    fits, place = _Filter(filters, "body"), call.place("logs")
    gone = [record["id"] for record in call.world.database.documents(place) if fits(record)]
    for log_id in gone:
        call.world.database.delete(place, log_id)
    call.audit("site_mutated", call.site_id, verb="logs_delete", count=len(gone))
    return Answer({"siteId": call.site_id, "deletedCount": len(gone), "filters": given})


class _Filter:
    """Tells whether a record is one of those that are asked for."""

    def __init__(self, asked: Mapping[str, Any], where: str) -> None:
        self._equal = {
            name: asked[name] for name in ("action", "machineId", "level") if name in asked
        }
        self._since = _moment(asked, "since", where)
        self._until = _moment(asked, "until", where)

    def __call__(self, record: JsonObject) -> bool:
        at = parse_iso(record["timestamp"]).timestamp()
        return (
            all(record[name] == value for name, value in self._equal.items())
            and (self._since is None or self._since <= at)
            and (self._until is None or at <= self._until)
        )


def _moment(asked: Mapping[str, Any], name: str, where: str) -> float | None:
    """Return a time in seconds, given as ISO 8601 or in milliseconds."""
    text = str(asked.get(name, ""))
    if not text:
        return None
    if text.isdecimal() and text.isascii() and len(text) < 16:
        return int(text) / 1000
    try:
        return parse_iso(text).timestamp()
    except (ValueError, OverflowError) as error:
        raise invalid({f"{where}.{name}": ["must be an ISO-8601 time"]}) from error


def show_audit_log(call: Call) -> Answer:
    """List the records of a site's audit log, the latest first."""
    kind, actor = call.query.get("kind"), call.query.get("actor")
    since = _moment(call.query, "since", "query")
    rows = [
        {
            "hash": record["hash"],
            **record["event"],
            "recordedAt": record["recordedAt"],
        }
        for record in call.world.database.documents(call.place("audit"), newest_first=True)
        if (kind is None or record["event"]["kind"] == kind)
        and (actor is None or record["event"]["actor"] == actor)
        and (since is None or record["event"]["occurredAt"] >= since * 1000)
    ]
    page, tokens = page_of(rows, call.query, _PAGES, lambda row: row["hash"])
    return Answer({"siteId": call.site_id, "records": page, **tokens})


def show_audit_record(call: Call) -> Answer:
    """Return a record, and whether it is what was recorded."""
    record = call.world.database.get(call.place("audit"), call.path["recordHash"])
    if record is None:
        raise not_found("audit record")
    previous = record["previousHash"]
    is_there = previous is not None and call.world.database.get(call.place("audit"), previous)
    hash_valid = audit_hash(record) == record["hash"]
    linked = previous is None or bool(is_there)
    verification = {
        "ok": hash_valid and linked,
        "hashValid": hash_valid,
        "linkageValid": linked,
        "isGenesis": previous is None,
        "predecessorPresent": bool(is_there),
    }
    return Answer({**record, "verification": verification})


def show_tokens(call: Call) -> Answer:
    """List the tokens of a site's agents."""
    rows = call.world.database.documents(call.place("agent-tokens"))
    return Answer({"tokens": rows, "count": len(rows)})


def revoke_tokens(call: Call) -> Answer:
    """Make tokens useless: one, those of a machine, or all."""
    given = call.body.given()
    if len(given) != 1 or given.get("all") is False:
        raise invalid({"body": ["needs one of tokenId, machineId and all"]})
    place = call.place("agent-tokens")
    gone = [
        token["id"]
        for token in call.world.database.documents(place)
        if "all" in given
        or given.get("tokenId") == token["id"]
        or given.get("machineId") == token["machineId"]
    ]
    for token_id in gone:
        call.world.database.delete(place, token_id)
    answer = {"success": True, "revokedCount": len(gone), "message": f"revoked {len(gone)}"}
    return Answer(answer)


_SITE: Final = "/api/sites/{siteId}"
_FILTERS: Final[Mapping[str, JsonObject]] = {
    "action": {"type": "string"},
    "machineId": {"type": "string"},
    "level": {"type": "string", "enum": list(_LEVELS)},
    "since": {"type": "string"},
    "until": {"type": "string"},
}

ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path=f"{_SITE}/logs",
        handler=show_logs,
        does="List the log of a site",
        site="path",
        scope=("site", "read"),
        paging=_PAGES,
        query=_FILTERS,
    ),
    Endpoint(
        method="GET",
        path=f"{_SITE}/logs/{{logId}}",
        handler=show_log,
        does="Get a record of the log",
        site="path",
        scope=("site", "read"),
    ),
    Endpoint(
        method="DELETE",
        path=f"{_SITE}/logs",
        handler=delete_logs,
        does="Delete records of the log",
        site="path",
        scope=("site", "admin"),
        capability="SITE_LOGS_MANAGE",
        idempotency="required",
        body=LogFilters,
    ),
    Endpoint(
        method="GET",
        path=f"{_SITE}/audit-log",
        handler=show_audit_log,
        does="List the audit log of a site",
        site="path",
        scope=("site", "admin"),
        capability="SITE_LOGS_MANAGE",
        limited=False,
        paging=_PAGES,
        query={
            "kind": {"type": "string"},
            "actor": {"type": "string"},
            "since": {"type": "string"},
        },
    ),
    Endpoint(
        method="GET",
        path=f"{_SITE}/audit-log/{{recordHash}}",
        handler=show_audit_record,
        does="Get a record of the audit log",
        site="path",
        scope=("site", "admin"),
        capability="SITE_LOGS_MANAGE",
        limited=False,
    ),
    Endpoint(
        method="GET",
        path=f"{_SITE}/agent-tokens",
        handler=show_tokens,
        does="List the tokens of agents",
        site="path",
        scope=("site", "admin"),
        capability="GLOBAL_SETTINGS_WRITE",
        limited=False,
    ),
    Endpoint(
        method="POST",
        path=f"{_SITE}/agent-tokens/revoke",
        handler=revoke_tokens,
        does="Make tokens of agents useless",
        site="path",
        scope=("site", "admin"),
        capability="GLOBAL_SETTINGS_WRITE",
        body=Revocation,
        idempotency="optional",
    ),
)
