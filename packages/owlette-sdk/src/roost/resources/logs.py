"""What happened on the machines of a site: `client.logs(site_id)`."""

from __future__ import annotations

import builtins
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any, Literal, TypedDict

from roost._model import Model
from roost._paging import next_token, page_query, walk
from roost._paths import api_path
from roost.client import RoostClient
from roost.resources._resource import Resource, given

__all__ = ["DeletedLogs", "LogLevel", "LogRecord", "Logs"]

#: How bad it is.
LogLevel = Literal["debug", "info", "warning", "error", "critical"]


@dataclass(slots=True)
class LogRecord(Model):
    """Something that happened on a machine. `timestamp` is ISO 8601, in UTC."""

    id: str
    site_id: str | None = None
    timestamp: str | None = None
    action: str | None = None
    level: LogLevel | str | None = None
    machine_id: str | None = None
    machine_name: str | None = None
    process_name: str | None = None
    details: Any = None
    user_id: str | None = None
    screenshot_url: str | None = None


class DeletedLogs(TypedDict):
    """How many records were deleted, and by which filters."""

    siteId: str
    deletedCount: int
    filters: dict[str, Any]


class Logs(Resource):
    """Log records of one site."""

    __slots__ = ("_site_id",)

    def __init__(self, http: RoostClient, site_id: str) -> None:
        super().__init__(http)
        self._site_id = site_id

    async def list(
        self,
        *,
        action: str | None = None,
        machine_id: str | None = None,
        level: LogLevel | None = None,
        since: str | None = None,
        until: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
    ) -> AsyncGenerator[LogRecord, None]:
        """Yield the records that fit, the latest first.

        Args:
            action: what happened.
            machine_id: on which machine.
            level: how bad it is.
            since: not before this (ISO 8601).
            until: not after this (ISO 8601).
            page_size: rows of a page.
            page_token: where to begin, from an earlier page.

        Raises:
            PagingError: the list does not come to an end.
        """

        async def page(token: str | None) -> tuple[builtins.list[LogRecord], str | None]:
            return await self.list_page(
                action=action,
                machine_id=machine_id,
                level=level,
                since=since,
                until=until,
                page_size=page_size,
                page_token=token,
            )

        async for row in walk(page, page_token):
            yield row

    async def list_page(
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
        """Return some records, and the token of those that follow; None at the end."""
        answer = await self._ask(
            api_path("sites", self._site_id, "logs"),
            query={
                **page_query(page_size, page_token, None),
                "action": action,
                "machineId": machine_id,
                "level": level,
                "since": since,
                "until": until,
            },
        )
        return LogRecord.list_of(answer.data, "logs", "items"), next_token(answer.data)

    async def get(self, log_id: str) -> LogRecord:
        """Return one record.

        Raises:
            NotFoundError: it is not there.
        """
        answer = await self._ask(api_path("sites", self._site_id, "logs", log_id))
        return LogRecord.from_json(answer.data)

    async def delete(
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

        Args:
            action: what happened.
            machine_id: on which machine.
            level: how bad it is.
            since: not before this (ISO 8601).
            until: not after this (ISO 8601).
            everything: delete all records of the site.
            idempotency_key: one of the caller's.

        Raises:
            ValueError: nothing is given; or everything, and something else as well.
        """
        filters = given(action=action, machineId=machine_id, level=level, since=since, until=until)
        if everything == bool(filters):
            msg = "give what to delete, or everything=True: not both, and not nothing"
            raise ValueError(msg)
        answer = await self._ask(
            api_path("sites", self._site_id, "logs"),
            method="DELETE",
            body={"all": True} if everything else filters,
            idempotency_key=idempotency_key,
        )
        deleted: DeletedLogs = answer.data
        return deleted
