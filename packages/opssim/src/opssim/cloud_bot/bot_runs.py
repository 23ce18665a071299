"""GET /v2/botinsight/data/api/getbotrundata: the runs that have ended, as Bot Insight has them.

Source: the OpenAPI file of /v2/botinsight and the documentation, which contradict each other and
what clients expect: see the quirks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from opssim.cloud_bot.activity import OPEN
from opssim.cloud_bot.errors import Handler, bad_request, json_response
from opssim.cloud_bot.filters import instant
from opssim.cloud_bot.quirks import CloudBotQuirks
from opssim.core.store import JsonObject, Row, Table

PATH: Final = "/v2/botinsight/data/api/getbotrundata"
_MOST: Final = 1000
_MOST_DIGITS: Final = 9


def bot_runs_of(executions: Table, quirks: CloudBotQuirks, before: Callable[[], None]) -> Handler:
    """Return the endpoint: pages of the runs that started in a range, the earliest first.

    Args:
        executions: the activity list.
        quirks: how pages and rows are numbered, and what is counted.
        before: what is to happen before the list is read.
    """

    async def handle(request: Request) -> Response:
        first = quirks.bot_runs_first_page
        number = _whole_number(request, "pageno", usual=first, least=first)
        limit = _whole_number(request, "limit", usual=_MOST, least=1, most=_MOST)
        earliest, latest = _instant(request, "fromDate"), _instant(request, "toDate")
        before()

        def matches(row: Row) -> bool:
            started = row.fields["startDateTime"]
            return (
                row.fields["status"] not in OPEN
                and (earliest is None or started >= earliest)
                and (latest is None or started <= latest)
            )

        rows = executions.view(("bot runs", earliest, latest), where=matches, order=_by_start)
        begin = (number - first) * limit
        shown = rows[begin : begin + limit]
        return json_response(
            {
                "totalRecords": len(shown if quirks.bot_runs_total_of_page else rows),
                "botRunDataList": [_bot_run(row, quirks) for row in shown],
            }
        )

    return handle


def _by_start(rows: list[Row]) -> None:
    rows.sort(key=lambda row: (row.fields["startDateTime"], row.key))


def _bot_run(row: Row, quirks: CloudBotQuirks) -> JsonObject:
    run = row.data()
    taken = row.fields["endDateTime"] - row.fields["startDateTime"]
    return {
        # twelve digits of sixteen, which fit into the numbers of JavaScript
        "id": int(row.key[-12:], 16) if quirks.bot_run_numbers else row.key,
        "userName": run["userName"],
        "hostName": run["deviceName"],
        "fileName": run["fileName"],
        "fileType": run["type"],
        "startDate": run["startDateTime"],
        "endDate": run["endDateTime"],
        "status": run["status"],
        "totalLines": run["totalLines"],
        "currentLine": run["currentLine"],
        "timeTaken": taken // 1_000_000,
        "progress": run["progress"],
    }


def _whole_number(
    request: Request, name: str, *, usual: int, least: int, most: int | None = None
) -> int:
    text = request.query_params.get(name, str(usual))
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else -1
    if number < least or (most is not None and number > most):
        msg = f"{name} is a whole number from {least}" + ("" if most is None else f" to {most}")
        raise bad_request(msg)
    return number


def _instant(request: Request, name: str) -> int | None:
    text = request.query_params.get(name)
    if not text:
        return None
    try:
        return instant(text)
    except ValueError:
        msg = f"{name} is a time stamp like 2026-07-01T00:00:00"
        raise bad_request(msg) from None
