"""POST /v3/activity/metrics: how many runs there are of each status.

Source: the OpenAPI file of /v3/activity.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from opssim.cloud_bot.errors import Handler, as_object, bad_request, json_object, json_response
from opssim.cloud_bot.filters import instant
from opssim.cloud_bot.stamps import stamp
from opssim.core.clock import Clock
from opssim.core.store import Table

_LAST = re.compile(r"LAST(\d{1,4})(MINUTE|HOUR|DAY)S?")


def metrics_of(executions: Table, clock: Clock, before: Callable[[], None]) -> Handler:
    """Return the endpoint, which counts the runs created in the `timeRange` that is asked for.

    Args:
        executions: the activity list.
        clock: what "the last hours" are counted back from.
        before: what is to happen before the list is read.
    """

    async def handle(request: Request) -> Response:
        body = await json_object(request)
        before()
        first, last = _range(body.get("timeRange"), clock)
        counts = Counter(
            row.fields["status"] for row in executions if first <= row.fields["createdOn"] <= last
        )
        metrics = [{"status": name, "count": counts[name]} for name in sorted(counts)]
        return json_response({"metrics": metrics})

    return handle


def _range(asked: Any, clock: Clock) -> tuple[float, float]:
    """Read a time range; without one, all time."""
    if asked is None:
        return float("-inf"), float("inf")
    wanted = as_object(asked) or {}
    kind = wanted.get("type")
    last = _LAST.fullmatch(kind) if isinstance(kind, str) else None
    if last is not None:
        now = clock.now()
        span = timedelta(**{f"{last[2].lower()}s": int(last[1])})
        return _nanoseconds(now - span), _nanoseconds(now)
    if kind != "CUSTOM":
        msg = f"unknown timeRange type {kind!r}"
        raise bad_request(msg)
    try:
        start, end = wanted.get("startTime"), wanted.get("endTime")
        return (
            instant(start) if start else float("-inf"),
            instant(end) if end else float("inf"),
        )
    except (TypeError, ValueError):
        msg = "startTime and endTime are ISO-8601 time stamps"
        raise bad_request(msg) from None


def _nanoseconds(moment: datetime) -> int:
    return instant(stamp(moment))
