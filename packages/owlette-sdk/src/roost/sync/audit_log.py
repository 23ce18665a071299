"""`audit_log` without asyncio. Made by `scripts/generate_sync.py`: do not edit."""

from __future__ import annotations

import builtins
from collections.abc import Generator

from roost._portal import Portal
from roost.resources.audit_log import AuditDetail, AuditLog, AuditRecord

__all__ = ["AuditLogSync"]


class AuditLogSync:
    """The audit log of one site: `client.audit_log(site_id)`."""

    def __init__(self, group: AuditLog, portal: Portal) -> None:
        self._group = group
        self._portal = portal

    def list(
        self,
        *,
        kind: str | None = None,
        actor: str | None = None,
        since: str | int | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
    ) -> Generator[AuditRecord, None, None]:
        """Yield the records that fit, the latest first.

        For the rest, see `AuditLog.list`.
        """
        return self._portal.iterate(
            self._group.list(
                kind=kind, actor=actor, since=since, page_size=page_size, page_token=page_token
            )
        )

    def list_page(
        self,
        *,
        kind: str | None = None,
        actor: str | None = None,
        since: str | int | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
    ) -> tuple[builtins.list[AuditRecord], str | None]:
        """Return some records, and the token of those that follow; None at the end.

        For the rest, see `AuditLog.list_page`.
        """
        return self._portal.run(
            self._group.list_page(
                kind=kind, actor=actor, since=since, page_size=page_size, page_token=page_token
            )
        )

    def get(self, record_hash: str) -> AuditDetail:
        """Return one record, and whether the server finds it in order.

        For the rest, see `AuditLog.get`.
        """
        return self._portal.run(self._group.get(record_hash))
