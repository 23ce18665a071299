"""The endpoints, under the paths of Roost's OpenAPI file.

Where that file leaves an answer untyped, a single row is answered as it is: a trigger answers
the event that it began.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from opssim.core.clock import iso_utc
from opssim.core.store import JsonObject, Row, encode
from opssim.roost import bodies, vocabulary
from opssim.roost.entities import new_id
from opssim.roost.errors import PREFIX, RefusedError, asked_path, refusal_response
from opssim.roost.queries import EventFilter, Page, Parameters, entity_query, event_query
from opssim.roost.quirks import RoostQuirks
from opssim.roost.reports import log_lines, methods_of
from opssim.roost.workspace import EVENTS, TEST_PLANS, TESTS, Workspace

Handler = Callable[[Request], Awaitable[Response]]

_ALL_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class Endpoints:
    """Answer requests from a workspace.

    Args:
        workspace: what there is.
        quirks: how to answer.
        before: what is to happen before a list of the named table is read.
    """

    def __init__(
        self, workspace: Workspace, quirks: RoostQuirks, before: Callable[[str], None]
    ) -> None:
        self._workspace = workspace
        self._quirks = quirks
        self._before_list = before
        self._admitted = 0

    def routes(self) -> Sequence[BaseRoute]:
        """Return them, the one for everything that does not exist last."""
        table: tuple[tuple[str, str, Handler], ...] = (
            ("GET", "/test", self._tests),
            ("POST", "/test", self._add_test),
            ("GET", "/test/getAllTestPlan", self._test_plans),
            ("POST", "/test/createTestPlan", self._create_test_plan),
            ("GET", "/test/event", self._events),
            ("GET", "/test/event/{event_id}", self._event),
            ("DELETE", "/test/event/{event_id}", self._delete_event),
            ("GET", "/test/event/{event_id}/logs", self._logs),
            ("POST", "/test/event/{event_id}/abort", self._abort),
            ("POST", "/test/event/{event_id}/retrigger", self._retrigger),
            ("POST", "/test/event/{event_id}/execute", self._execute),
            ("POST", "/test/event/{event_id}/execute/abort", self._abort_execution),
            ("GET", "/test/event/{event_id}/execute/report", self._execution_report),
            ("GET", "/test/event/{event_id}/execute/status", self._execution_status),
            ("GET", "/test/{test_id}", self._test),
            ("DELETE", "/test/{test_id}", self._delete_test),
            ("POST", "/test/{test_id}/trigger", self._trigger),
            ("POST", "/test/{test_id}/triggerTest", self._trigger),
        )
        routes = [
            Route(PREFIX + path, self._guarded(handler), methods=[method])
            for method, path, handler in table
        ]
        return [*routes, Route("/{path:path}", self._unknown, methods=list(_ALL_METHODS))]

    def _guarded(self, handler: Handler) -> Handler:
        """Let a handler refuse requests, and refuse those without a token before it is asked."""

        async def answer(request: Request) -> Response:
            try:
                self._admit(request)
                self._workspace.advance()
                return await handler(request)
            except RefusedError as refusal:
                return refusal_response(request, refusal, self._workspace.clock)

        return answer

    def _admit(self, request: Request) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or token.strip() != self._workspace.token:
            raise RefusedError(401, "Unauthorized")
        limit = self._quirks.token_expires_after
        if limit is not None and self._admitted >= limit:
            raise RefusedError(401, "Unauthorized")
        self._admitted += 1

    async def _unknown(self, request: Request) -> Response:
        # routing comes before authentication: nobody needs a token to be told this
        message = f"Cannot {request.method} {asked_path(request)}"
        return refusal_response(request, RefusedError(404, message), self._workspace.clock)

    # Lists

    async def _tests(self, request: Request) -> Response:
        return self._entities(TESTS, request)

    async def _test_plans(self, request: Request) -> Response:
        return self._entities(TEST_PLANS, request)

    def _entities(self, table: str, request: Request) -> Response:
        found, page = entity_query(request.query_params, strict=self._quirks.required_params)
        self._before_list(table)
        rows = self._workspace.tables[table].view(
            found, where=found.admits, order=lambda rows: _sort(rows, "created", newest=True)
        )
        return self._envelope(rows, page)

    async def _events(self, request: Request) -> Response:
        found, page = event_query(request.query_params)
        self._before_list(EVENTS)
        since = ""
        if found.days is not None:
            # to the second, so that the pages of a list share a view of it
            earliest = iso_utc(self._workspace.clock.now() - timedelta(days=found.days))
            since = self._workspace.form.write(earliest)[:19]
        newest = found.order_by is None or self._quirks.order == "newest"
        rows = self._workspace.tables[EVENTS].view(
            (found, since),
            where=lambda row: self._is_event(found, since, row),
            order=lambda rows: _sort(rows, found.order_by or "time", newest=newest),
        )
        return self._envelope(rows, page)

    def _is_event(self, found: EventFilter, since: str, row: Row) -> bool:
        workspace = self._workspace
        if row.fields["time"] < since or not found.admits(row):
            return False
        if found.only_mine and row.fields["user_id"] != workspace.owner_id:
            return False
        if found.search is None:
            return True
        name = workspace.name_of(row.fields["test_id"])
        return found.search.finds(name, row.key, row.fields["details"])

    def _envelope(self, rows: list[Row], page: Page) -> Response:
        """Return a list as it was captured from `/test/event`: `data`, `count` and `users`."""
        quirks = self._quirks
        take = page.take
        if take is None:
            take = quirks.max_take if quirks.required_params else len(rows)
        else:
            take = min(take, quirks.max_take)
        shown = rows[page.skip : page.skip + take]
        count = len(shown) if quirks.count_is_page else len(rows)
        body = b"".join(
            (
                b'{"data":[',
                b",".join([row.body for row in shown]),
                b'],"count":%d,"users":' % count,
                self._workspace.users_json({row.fields["user_id"] for row in shown}),
                b"}",
            )
        )
        return Response(body, media_type="application/json")

    # Tests

    async def _test(self, request: Request) -> Response:
        parameters = Parameters(request.query_params)
        parameters.one_of("clone_test", ("true", "false"), required=self._quirks.required_params)
        parameters.check()
        return _json(self._entity(request).body)

    async def _add_test(self, request: Request) -> Response:
        return self._added(TESTS, await bodies.read_body(request, bodies.ADD_TEST))

    async def _create_test_plan(self, request: Request) -> Response:
        body = await bodies.read_body(request, bodies.CREATE_TEST_PLAN)
        return self._added(TEST_PLANS, bodies.as_test(body))

    def _added(self, table: str, body: JsonObject) -> Response:
        workspace = self._workspace
        entity = bodies.added_test(
            body,
            row_id=new_id(workspace.random),
            user_id=workspace.owner_id,
            now=workspace.clock.now(),
        )
        return _json(workspace.add_entity(table, entity).body, 201)

    async def _delete_test(self, request: Request) -> Response:
        table = self._workspace.table_of(self._entity(request).key)
        row = table.update(request.path_params["test_id"], self._delete("updated_on"))
        return _json(row.body)

    async def _trigger(self, request: Request) -> Response:
        entity = self._entity(request).data()
        body = await bodies.read_body(request, bodies.TRIGGER)
        event_type = bodies.event_type_in(body)
        retrigger = None if event_type == "generate" else {"event_type": event_type}
        return _json(self._workspace.trigger(entity, retrigger).body, 201)

    def _entity(self, request: Request) -> Row:
        row = self._workspace.find_entity(request.path_params["test_id"])
        if row is None:
            raise RefusedError(404, "Test not found")
        return row

    # Events

    async def _event(self, request: Request) -> Response:
        return _json(self._event_row(request).body)

    async def _delete_event(self, request: Request) -> Response:
        key = self._event_row(request).key
        row = self._workspace.tables[EVENTS].update(key, self._delete("modification_time"))
        return _json(row.body)

    async def _logs(self, request: Request) -> Response:
        lines = log_lines(self._event_row(request).data())
        if self._quirks.logs == "lines":
            return _json(encode({"logs": lines}))
        text = (f"{line['timestamp']} {line['level'].upper()} {line['message']}" for line in lines)
        return PlainTextResponse("\n".join(text))

    async def _abort(self, request: Request) -> Response:
        row = self._event_row(request)
        if row.fields["status"] not in vocabulary.UNFINISHED:
            raise RefusedError(400, f"Event is already {row.fields['status']}")
        return _json(self._workspace.abort(row).body, 201)

    async def _retrigger(self, request: Request) -> Response:
        event = self._event_row(request)
        body = await bodies.read_body(request, bodies.RETRIGGER)
        retrigger = {
            "event_type": bodies.event_type_in(body),
            "head_branch": body["head_branch"],
            "improve_data": body["improve_data"],
            "trigger_id": event.key,
        }
        entity = self._workspace.find_entity(event.fields["test_id"])
        if entity is None:
            raise RefusedError(404, "Test not found")
        return _json(self._workspace.trigger(entity.data(), retrigger).body, 201)

    # Executions of generated files

    async def _execute(self, request: Request) -> Response:
        event = self._event_row(request)
        body = await bodies.read_body(request, bodies.EXECUTE)
        paths = [str(path) for path in body["file_path"]]
        workspace = self._workspace
        workspace.executions.begin(event.key, paths, workspace.clock.now())
        answer = {"trigger_id": event.key, "status": "in_progress", "file_path": paths}
        return _json(encode(answer), 201)

    async def _abort_execution(self, request: Request) -> Response:
        aborted = self._workspace.executions.abort(self._event_row(request).key)
        return self._word("aborted" if aborted else "nothing to abort", 201)

    async def _execution_report(self, request: Request) -> Response:
        event = self._event_row(request)
        parameters = Parameters(request.query_params)
        choice = parameters.text("file_choice", required=True)
        path = parameters.text("file_path", required=True)
        parameters.check()
        method = _method_in(event, path or "")
        status = self._execution_of(event, path or "") or (method or {}).get("status")
        if status is None:
            raise RefusedError(404, "File not found")
        report = {"file_path": path, "file_choice": choice, "status": status, "method": method}
        return _json(encode(report))

    async def _execution_status(self, request: Request) -> Response:
        event = self._event_row(request)
        parameters = Parameters(request.query_params)
        path = parameters.text("file_path", required=True) or ""
        parameters.check()
        method = _method_in(event, path) or {}
        return self._word(self._execution_of(event, path) or method.get("status", "not_executed"))

    def _execution_of(self, event: Row, path: str) -> str | None:
        workspace = self._workspace
        return workspace.executions.status(event.key, path, workspace.clock.now())

    def _word(self, word: str, status: int = 200) -> Response:
        """Return a bare string, as JSON or as text."""
        if self._quirks.status_as_text:
            return PlainTextResponse(word, status)
        return _json(encode(word), status)

    def _event_row(self, request: Request) -> Row:
        row = self._workspace.tables[EVENTS].get(request.path_params["event_id"])
        if row is None:
            raise RefusedError(404, "Event not found")
        return row

    def _delete(self, stamp: str) -> Callable[[JsonObject], None]:
        """Return the change that marks a row as deleted; Roost keeps the row, lists included."""

        def change(data: JsonObject) -> None:
            data["deleted"] = 1
            data[stamp] = iso_utc(self._workspace.clock.now())

        return change


def _sort(rows: list[Row], column: str, *, newest: bool) -> None:
    # rows without a time count as the oldest, as MySQL sorts nulls
    rows.sort(key=lambda row: (row.fields[column] or "", row.key), reverse=newest)


def _method_in(event: Row, path: str) -> JsonObject | None:
    methods = methods_of(event.data()["test_report"])
    return next((method for method in methods if method["testFilePath"] == path), None)


def _json(body: bytes, status: int = 200) -> Response:
    return Response(body, status, media_type="application/json")
