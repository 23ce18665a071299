"""The simulated API: who may ask, what is answered."""

from __future__ import annotations

import random
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from opssim.core.churn import Churn
from opssim.core.clock import DEFAULT_NOW, parse_iso
from opssim.core.limits import SlidingWindow
from opssim.core.simulator import Simulator
from opssim.core.store import JsonObject, Row, Table
from opssim.rootly import answers, paging
from opssim.rootly.answers import NOT_FOUND, RefusedError
from opssim.rootly.data import KINDS, populate
from opssim.rootly.filters import Condition, matching, select, within
from opssim.rootly.lists import LISTINGS, SCHEDULE_SHIFTS, Filter, Listing, attribute
from opssim.rootly.organisation import Birth, Organisation
from opssim.rootly.quirks import RootlyQuirks
from opssim.rootly.times import milliseconds, months_later

Endpoint = Callable[[Request], Awaitable[Response]]

#: The length of a window of shifts whose end is not asked for.
_DEFAULT_WINDOW = timedelta(days=14)
#: The years that a window may lie in: Python's own calendar ends not far beyond.
_FIRST_YEAR, _LAST_YEAR = 1000, 9000
_WINDOW_FILTERS = {
    "user_ids[]": Filter(attribute("user_id")),
    "schedule_ids[]": Filter(attribute("schedule_id")),
}


class RootlySimulator(Simulator):
    """Rootly's API, version 1, with an organisation's data.

    Args:
        seed: what the data follows from; the same seed gives the same rows.
        incidents: how many incidents there are; so for the other lists.
        quirks: what is particular about the organisation.
        rate_limit: requests that one key may send in a window.
        rate_window: seconds that the window is long.
        now: when the generated data ends.
        churn: how the data changes while it is read.

    Attributes:
        token: a global key, which may read everything.
        team_token: the key of a team, for which /v1/incidents does not exist.
    """

    name = "rootly"

    def __init__(  # noqa: PLR0913 - one for each list that a test may want to size
        self,
        *,
        seed: int = 7,
        incidents: int = 1000,
        alerts: int = 2000,
        users: int = 40,
        services: int = 25,
        schedules: int = 8,
        teams: int = 10,
        heartbeats: int = 12,
        dashboards: int = 6,
        authorizations: int = 15,
        alert_events: int = 5000,
        shifts: int = 1600,
        quirks: RootlyQuirks | None = None,
        rate_limit: int = 3000,
        rate_window: float = 60.0,
        now: datetime = DEFAULT_NOW,
        churn: Churn | None = None,
    ) -> None:
        super().__init__(seed=seed, now=now, churn=churn)
        self.quirks = quirks or RootlyQuirks()
        self.token = f"rootly_{self.random.getrandbits(256):064x}"
        self.team_token = f"rootly_{self.random.getrandbits(256):064x}"
        self._windows = {
            key: SlidingWindow(rate_limit, rate_window) for key in (self.token, self.team_token, "")
        }
        self._organisation = Organisation(seed, now, self.quirks)
        self._counts = {
            "incidents": incidents,
            "alerts": alerts,
            "users": users,
            "services": services,
            "schedules": schedules,
            "teams": teams,
            "heartbeats": heartbeats,
            "dashboards": dashboards,
            "authorizations": authorizations,
            "alert_events": alert_events,
            "shifts": shifts,
            "oncalls": 2 * schedules,
            "alert_groups": 4,
            "alert_routes": 2,
            "alert_routing_rules": 3,
            "alert_urgencies": 3,
            "environments": 4,
            "functionalities": 6,
            "incident_types": 5,
            "retrospective_configurations": 2,
            "severities": 5,
        }
        self.tables = populate(self._organisation, self._counts)
        self._chance: dict[str, random.Random] = {}
        self._changing = threading.RLock()

    def configuration(self, url: str) -> Mapping[str, str]:
        """Return the settings of the Rootly source: its token and its base URL."""
        prefix = "SOURCES__ROOTLY_INCIDENT_MANAGEMENT_SOURCE__"
        return {f"{prefix}TOKEN": self.token, f"{prefix}BASE_URL": f"{url}/v1"}

    def secrets(self) -> frozenset[str]:
        """Return the keys, and the secrets of heartbeats and meetings."""
        return frozenset({self.token, self.team_token, *self._organisation.secrets})

    def insert(self, table: str, count: int = 1) -> None:
        """Add newly made rows to a table, stamped with the clock's time.

        Raises:
            KeyError: there is no such table.
        """
        rows = self._table(table)
        with self._changing:
            for _ in range(count):
                self._counts[table] += 1
                now = milliseconds(self.clock.now())
                birth = Birth(self._counts[table], now, now)
                rows.insert(KINDS[table].make(self._organisation, self._rng(table), birth))

    def touch(self, table: str, count: int = 1) -> None:
        """Change rows of a table as their users would; those of feeds never change.

        Raises:
            KeyError: there is no such table.
        """
        rows = self._table(table)
        with self._changing:
            rng = self._rng(table)
            keys = rows.keys()

            def change(row: JsonObject) -> None:
                now = milliseconds(self.clock.now())
                KINDS[table].change(self._organisation, rng, row, now)

            for key in rng.sample(keys, min(count, len(keys))):
                rows.update(key, change)

    def routes(self) -> Sequence[BaseRoute]:
        """Return the lists, their single rows, and an answer to everything else."""
        routes: list[BaseRoute] = [Route("/v1/users/me", self._guarded(self._me))]
        for listing in LISTINGS.values():
            path = f"/v1/{listing.name}"
            routes.append(Route(path, self._guarded(self._lister(listing), listing)))
            if listing.single:
                single = self._guarded(self._reader(listing), listing)
                routes.append(Route(f"{path}/{{key}}", single))
        routes.append(Route("/v1/schedules/{key}/shifts", self._guarded(self._schedule_shifts)))
        anything = self._guarded(_nothing)
        everywhere = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        return [*routes, Route("/{path:path}", anything, methods=everywhere)]

    def _table(self, name: str) -> Table:
        table = self.tables.get(name)
        if table is None:
            msg = f"the Rootly simulator has no table {name!r}; it has {', '.join(self.tables)}"
            raise KeyError(msg)
        return table

    def _rng(self, table: str) -> random.Random:
        """Return the chance of what happens to a table after it was generated."""
        if table not in self._chance:
            self._chance[table] = self._organisation.chance(f"{table}-later")
        return self._chance[table]

    def _guarded(self, endpoint: Endpoint, listing: Listing | None = None) -> Endpoint:
        """Put before an endpoint what is asked of every request: edge, key, rate, media type."""

        async def answer(request: Request) -> Response:
            if self.quirks.user_agent_required and not request.headers.get("user-agent"):
                return answers.turned_away()
            key = self._key(request)
            window = self._windows[key]
            allowance = window.ask()
            try:
                if not allowance.allowed:
                    response = answers.too_many()
                else:
                    self._admit(request, key, listing)
                    response = await endpoint(request)
            except RefusedError as refusal:
                response = answers.refused(refusal)
            response.headers.update(answers.limit_headers(allowance, window.seconds))
            return response

        return answer

    def _key(self, request: Request) -> str:
        """Return the key that a request carries, or "" if it carries no right one."""
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        known = {self.token, self.team_token}
        return key if scheme.lower() == "bearer" and key in known else ""

    def _admit(self, request: Request, key: str, listing: Listing | None) -> None:
        """Let a request pass.

        Raises:
            RefusedError: it has no key, the wrong media type, or a key that may not read the list.
        """
        if not key:
            raise RefusedError(401, "Unauthorized", "Authorization must be Bearer and an API key")
        media_type = request.headers.get("content-type", "").partition(";")[0].strip()
        if self.quirks.media_type_required and media_type != answers.MEDIA_TYPE:
            raise RefusedError(
                415, "Unsupported Media Type", f"Content-Type must be {answers.MEDIA_TYPE}"
            )
        if listing is None:
            return
        if key == self.team_token and not listing.team_keys:
            raise RefusedError(404, NOT_FOUND)
        if listing.name == "alert_routing_rules" and self.quirks.advanced_alert_routing:
            raise RefusedError(
                403, "Forbidden", "Advanced Alert Routing is on; use /v1/alert_routes"
            )

    def _lister(self, listing: Listing) -> Endpoint:
        async def answer(request: Request) -> Response:
            self.churn.before_list(listing.name, self.insert, self.touch)
            if listing.name == "shifts":
                window = self._shift_window(request, months=2)
            else:
                window = self._oncall_window(request) if listing.name == "oncalls" else []
            return self._list(request, listing, window)

        return answer

    def _list(self, request: Request, listing: Listing, window: Sequence[Condition]) -> Response:
        table = self.tables[listing.name]
        parameters = request.query_params.multi_items()
        selection = select(listing, parameters, self.tables, window)
        page = paging.cut(request, listing, selection, selection.rows(table), self.quirks)
        extra = {"links": paging.links(request, page)} if listing.links else {}
        if listing.meta:
            extra["meta"] = paging.meta(page, listing, self.quirks, len(table))
        bodies = [row.body for row in page.rows]
        included = self._included(request, listing, page.rows) if listing.included else None
        return answers.document(bodies, included, extra)

    def _reader(self, listing: Listing) -> Endpoint:
        async def answer(request: Request) -> Response:
            row = self._find(listing, request.path_params["key"])
            return answers.single(row.body, self._included(request, listing, [row]))

        return answer

    def _find(self, listing: Listing, key: str) -> Row:
        table = self.tables[listing.name]
        row = table.get(key)
        if row is None and listing.other_key:
            row = next((row for row in table if row.fields[listing.other_key] == key), None)
        if row is None:
            raise RefusedError(404, NOT_FOUND)
        return row

    def _included(self, request: Request, listing: Listing, rows: Sequence[Row]) -> list[bytes]:
        """Return the rows of other lists that `include` asks for, each once."""
        found: dict[tuple[str, str], bytes] = {}
        asked = request.query_params.get("include", "").split(",")
        for include in [listing.includes[name] for name in asked if name in listing.includes]:
            table = self.tables[include.table]
            for key in {str(key): None for row in rows for key in include.read(row.data())}:
                row = table.get(key)
                if row is not None:
                    found[include.table, key] = row.body
        return list(found.values())

    def _shift_window(self, request: Request, months: int) -> list[Condition]:
        """Return the conditions on shifts to touch the window that is asked for.

        Raises:
            RefusedError: it is longer than the endpoint allows, or its ends are no times.
        """
        query = request.query_params
        begin = _moment(query, "from") or self.clock.start
        end = _moment(query, "to") or begin + _DEFAULT_WINDOW
        if end > months_later(begin, months):
            raise RefusedError(422, f"Datetime range exceeds {months} month(s)")
        conditions = [
            within("starts_at", "lt", milliseconds(end)),
            within("ends_at", "gt", milliseconds(begin)),
        ]
        for name, given in _WINDOW_FILTERS.items():
            if wanted := frozenset(query.getlist(name)):
                conditions.append(matching(name, "in", given, wanted))
        return conditions

    def _oncall_window(self, request: Request) -> list[Condition]:
        """Return the conditions on who is on call between `since`, or now, and `until`."""
        since = _moment(request.query_params, "since") or self.clock.start
        until = _moment(request.query_params, "until") or since
        return [
            within("starts_at", "lte", milliseconds(until)),
            within("ends_at", "gt", milliseconds(since)),
        ]

    async def _schedule_shifts(self, request: Request) -> Response:
        """Answer the shifts of one schedule: all those of a month on one page."""
        schedule = self._find(LISTINGS["schedules"], request.path_params["key"])
        self.churn.before_list("shifts", self.insert, self.touch)
        of_schedule = matching(
            "schedule", "in", _WINDOW_FILTERS["schedule_ids[]"], frozenset({schedule.key})
        )
        window = [*self._shift_window(request, months=1), of_schedule]
        return self._list(request, SCHEDULE_SHIFTS, window)

    async def _me(self, request: Request) -> Response:
        """Answer the user that the key belongs to."""
        users = list(self.tables["users"])
        if not users:
            raise RefusedError(404, NOT_FOUND)
        mine = users[0 if self._key(request) == self.token else -1]
        return answers.single(mine.body, self._included(request, LISTINGS["users"], [mine]))


def _moment(query: QueryParams, name: str) -> datetime | None:
    """Return a time of the query, if it is there.

    Raises:
        RefusedError: it is no time.
    """
    if name not in query:
        return None
    try:
        moment = parse_iso(query[name])
    except ValueError as error:
        raise RefusedError(422, "Invalid datetime", f"{name}: {error}") from error
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise RefusedError(422, "Invalid datetime", f"{name}: year {moment.year} is out of range")
    return moment


async def _nothing(_request: Request) -> Response:
    """Answer a path that the API does not have."""
    raise RefusedError(404, NOT_FOUND)
