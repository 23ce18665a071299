"""`logs` without asyncio. Made by `scripts/generate_sync.py`: do not edit."""

from __future__ import annotations

import builtins
from collections.abc import Generator

from roost._portal import Portal
from roost.resources.logs import DeletedLogs, LogLevel, LogRecord, Logs

__all__ = ["LogsSync"]


class LogsSync:
    """Log records of one site."""

    def __init__(self, group: Logs, portal: Portal) -> None:
        self._group = group
        self._portal = portal

    def list(
        self,
        *,
        action: str | None = None,
        machine_id: str | None = None,
        level: LogLevel | None = None,
        since: str | None = None,
        until: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
    ) -> Generator[LogRecord, None, None]:
        """Yield the records that fit, the latest first.

        For the rest, see `Logs.list`.
        """
        return self._portal.iterate(
            self._group.list(
                action=action,
                machine_id=machine_id,
                level=level,
                since=since,
                until=until,
                page_size=page_size,
                page_token=page_token,
            )
        )

    def list_page(
        self,
        *,
        action: str | None = None,
        machine_id: str | None = None,
        level: LogLevel | None = None,
        since: str | None = None,
        until: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
    ) -> tuple[builtins.list[LogRecord], str | None]:
        """Return some records, and the token of those that follow; None at the end.

        For the rest, see `Logs.list_page`.
        """
        return self._portal.run(
            self._group.list_page(
                action=action,
                machine_id=machine_id,
                level=level,
                since=since,
                until=until,
                page_size=page_size,
                page_token=page_token,
            )
        )

    def get(self, log_id: str) -> LogRecord:
        """Return one record.

        For the rest, see `Logs.get`.
        """
        return self._portal.run(self._group.get(log_id))

    def delete(
        self,
        *,
        action: str | None = None,
        machine_id: str | None = None,
        level: LogLevel | None = None,
        since: str | None = None,
        until: str | None = None,
        everything: bool = False,
        idempotency_key: str | None = None,
    ) -> DeletedLogs:
        """Delete the records that fit, for good.

        For the rest, see `Logs.delete`.
        """
        return self._portal.run(
            self._group.delete(
                action=action,
                machine_id=machine_id,
                level=level,
                since=since,
                until=until,
                everything=everything,
                idempotency_key=idempotency_key,
            )
        )
