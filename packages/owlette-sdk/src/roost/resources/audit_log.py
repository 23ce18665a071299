"""Who did what on a site, in records each of which has the hash of the one before."""

from __future__ import annotations

import builtins
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

from roost._model import Model
from roost._paging import next_token, page_query, walk
from roost._paths import api_path
from roost.client import RoostClient
from roost.resources._resource import Resource

__all__ = ["AuditDetail", "AuditEvent", "AuditLog", "AuditRecord", "AuditVerification"]


@dataclass(slots=True)
class AuditRecord(Model):
    """Something that somebody did. Times are milliseconds since 1970.

    Attributes:
        kind: what, such as `roost_mutated`.
        actor: who.
        target: with what.
    """

    hash: str
    kind: str | None = None
    actor: str | None = None
    site_id: str | None = None
    target: str | None = None
    occurred_at: int | None = None
    recorded_at: int | None = None
    attributes: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(slots=True)
class AuditEvent(Model):
    """What a record says. `occurred_at` is milliseconds since 1970."""

    kind: str
    site_id: str | None = None
    actor: str | None = None
    target: str | None = None
    occurred_at: int | None = None
    attributes: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(slots=True)
class AuditVerification(Model):
    """Whether a record is what was recorded, and follows the one that it says."""

    ok: bool
    hash_valid: bool
    linkage_valid: bool
    is_genesis: bool = False
    predecessor_present: bool = False
    reason: str | None = None


@dataclass(slots=True)
class AuditDetail(Model):
    """A record with its place in the chain. `recorded_at` is milliseconds since 1970."""

    hash: str
    site_id: str | None = None
    previous_hash: str | None = None
    recorded_at: int | None = None
    event: AuditEvent | None = None
    verification: AuditVerification | None = None


class AuditLog(Resource):
    """The audit log of one site: `client.audit_log(site_id)`."""

    __slots__ = ("_site_id",)

    def __init__(self, http: RoostClient, site_id: str) -> None:
        super().__init__(http)
        self._site_id = site_id

    async def list(
        self,
        *,
        kind: str | None = None,
        actor: str | None = None,
        since: str | int | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
    ) -> AsyncGenerator[AuditRecord, None]:
        """Yield the records that fit, the latest first.

        Args:
            kind: what was done.
            actor: by whom.
            since: not before this.
            page_size: rows of a page.
            page_token: where to begin, from an earlier page.

        Raises:
            PagingError: the list does not come to an end.
        """

        async def page(token: str | None) -> tuple[builtins.list[AuditRecord], str | None]:
            return await self.list_page(
                kind=kind, actor=actor, since=since, page_size=page_size, page_token=token
            )

        async for row in walk(page, page_token):
            yield row

    async def list_page(
        self,
        *,
        kind: str | None = None,
        actor: str | None = None,
        since: str | int | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
    ) -> tuple[builtins.list[AuditRecord], str | None]:
        """Return some records, and the token of those that follow; None at the end."""
        answer = await self._ask(
            api_path("sites", self._site_id, "audit-log"),
            query={
                **page_query(page_size, page_token, None),
                "kind": kind,
                "actor": actor,
                "since": since,
            },
        )
        return AuditRecord.list_of(answer.data, "records", "items"), next_token(answer.data)

    async def get(self, record_hash: str) -> AuditDetail:
        """Return one record, and whether the server finds it in order.

        Raises:
            NotFoundError: it is not there.
        """
        answer = await self._ask(api_path("sites", self._site_id, "audit-log", record_hash))
        return AuditDetail.from_json(answer.data)
