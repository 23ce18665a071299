"""The endpoints that dltHub's page on "Cloud bot" names, and no Control Room documents.

They answer with all rows at once, in an object named for them, and accept the bearer token of
the page's example.
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from opssim.cloud_bot.errors import Handler, json_response, not_found
from opssim.cloud_bot.filters import compile_sort
from opssim.cloud_bot.listings import LISTINGS
from opssim.core.store import Row, Table

_KINDS = {listing.table: listing.kinds for listing in LISTINGS}


def seed_page_routes(
    tables: dict[str, Table],
    *,
    guarded: Callable[[Handler], Handler],
    admit: Callable[[str], None],
    execution: Handler,
    api_task: Handler,
) -> list[Route]:
    """Return the page's endpoints.

    Args:
        tables: the rows.
        guarded: what lets only those through who show a token.
        admit: what is to happen before a list of the named table is read.
        execution: the endpoint that shows one run, by the path parameter `id`.
        api_task: the endpoint that runs an API task.
    """

    def everything(table: str, envelope: str) -> Handler:
        order = compile_sort(None, _KINDS[table])
        where = _is_bot if table == "automations" else None

        async def handle(_request: Request) -> Response:
            admit(table)
            rows = tables[table].view("seed page", where=where, order=order)
            listed = b",".join(row.body for row in rows)
            return json_response(b'{"%s":[%s]}' % (envelope.encode(), listed))

        return handle

    async def automation(request: Request) -> Response:
        key = request.path_params["id"]
        row = tables["automations"].get(key)
        if row is None or not _is_bot(row):
            msg = f"automation {key}"
            raise not_found(msg)
        return json_response(row.body)

    gets: dict[str, Handler] = {
        "/v3/automations": everything("automations", "automations"),
        "/v3/automations/executions": everything("executions", "executions"),
        "/v3/automations/executions/{id}": execution,
        "/v3/automations/{id}": automation,
        "/v1/users": everything("users", "users"),
        "/v1/robots": everything("robots", "robots"),
    }
    return [
        *(Route(path, guarded(handler), methods=["GET"]) for path, handler in gets.items()),
        Route("/api-task-real-time-endpoint", guarded(api_task), methods=["POST"]),
    ]


def _is_bot(row: Row) -> bool:
    return not row.fields["folder"]
