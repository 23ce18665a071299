"""The simulated API: who may ask, what is answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from opssim.core.churn import Churn
from opssim.core.clock import DEFAULT_NOW
from opssim.core.limits import SlidingWindow
from opssim.core.simulator import Simulator
from opssim.core.store import Row
from opssim.rootly import answers, includes, paging
from opssim.rootly.answers import NOT_FOUND, RefusedError
from opssim.rootly.facts import FACTS, TABLES, Facts
from opssim.rootly.filters import Condition, owned, select
from opssim.rootly.generic import listing_of
from opssim.rootly.lists import LISTINGS, Listing
from opssim.rootly.organisation import Organisation
from opssim.rootly.quirks import RootlyQuirks
from opssim.rootly.times import milliseconds
from opssim.rootly.windows import oncall_window, shift_window
from opssim.rootly.world import World

Endpoint = Callable[[Request], Awaitable[Response]]


class RootlySimulator(Simulator):
    """Rootly's API, version 1, with an organisation's data.

    Args:
        seed: what the data follows from; the same seed gives the same rows.
        incidents: how many incidents there are; so for the other lists that have a size here.
        others: how many rows each further list has that belongs to nothing.
        children: how many rows each sub-list has for each of its first twenty parents; the
            parents beyond these have none.
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
        others: int = 6,
        children: int = 2,
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
        counts = {
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
        self._world = World(
            self._organisation,
            counts,
            others=others,
            children=children,
            now=lambda: milliseconds(self.clock.now()),
            removals=self.removals,
        )
        self.tables = self._world.tables

    def configuration(self, url: str) -> Mapping[str, str]:
        """Return the settings of the Rootly source: its token and its base URL."""
        prefix = "SOURCES__ROOTLY_INCIDENT_MANAGEMENT_SOURCE__"
        return {f"{prefix}TOKEN": self.token, f"{prefix}BASE_URL": f"{url}/v1"}

    def secrets(self) -> frozenset[str]:
        """Return the keys, and the secrets of heartbeats and meetings."""
        return frozenset({self.token, self.team_token, *self._organisation.secrets})

    def insert(self, table: str, count: int = 1) -> None:
        """Add newly made rows to a table, stamped with the clock's time.

        Rows of a sub-list go to parents chosen at random; without any, nothing is added.

        Raises:
            KeyError: there is no such table.
        """
        self._world.insert(table, count)

    def touch(self, table: str, count: int = 1) -> None:
        """Change rows of a table as their users would; those of feeds never change.

        Raises:
            KeyError: there is no such table.
        """
        self._world.touch(table, count)

    def delete(self, table: str, count: int = 1) -> None:
        """Remove rows of a table, chosen at random, and the rows that belong to them.

        Raises:
            KeyError: there is no such table.
        """
        self._world.delete(table, count)

    def routes(self) -> Sequence[BaseRoute]:
        """Return the lists, their single rows, and an answer to everything else."""
        routes: list[BaseRoute] = [Route("/v1/users/me", self._guarded(self._me))]
        singles: list[BaseRoute] = []
        for facts in FACTS:
            listing = listing_of(facts)
            lister = self._guarded(self._lister(facts, listing), listing)
            routes.append(Route(facts.route, lister))
            if facts.parent is None and listing.single:
                reader = self._guarded(self._reader(listing), listing)
                singles.append(Route(f"{facts.path}/{{key}}", reader))
        anything = self._guarded(_nothing)
        everywhere = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        return [*routes, *singles, Route("/{path:path}", anything, methods=everywhere)]

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

    def _lister(self, facts: Facts, listing: Listing) -> Endpoint:
        async def answer(request: Request) -> Response:
            belonging = self._belonging(request, facts)
            self.churn.before_list(listing.name, self.insert, self.touch, self.delete)
            if listing.name == "shifts":
                months = 2 if facts.parent is None else 1
                window = shift_window(request.query_params, self.clock.start, months)
            elif listing.name == "oncalls":
                window = oncall_window(request.query_params, self.clock.start)
            else:
                window = []
            return self._list(request, listing, belonging, window)

        return answer

    def _belonging(self, request: Request, facts: Facts) -> list[Condition]:
        """Return the condition on the rows of a sub-list to belong to the parent in the path.

        Raises:
            RefusedError: there is no such parent.
        """
        if facts.parent is None or facts.parameter is None:
            return []
        parent = self._find(listing_of(TABLES[facts.parent]), request.path_params["parent"])
        return [owned(facts.parameter, parent.key)]

    def _list(
        self,
        request: Request,
        listing: Listing,
        belonging: Sequence[Condition],
        window: Sequence[Condition],
    ) -> Response:
        table = self.tables[listing.name]
        parameters = request.query_params.multi_items()
        selection = select(listing, parameters, self.tables, [*belonging, *window])
        everything = select(listing, (), self.tables, belonging).rows(table) if belonging else table
        page = paging.cut(request, listing, selection, selection.rows(table), self.quirks)
        extra = {"links": paging.links(request, page)} if listing.links else {}
        if listing.meta:
            extra["meta"] = paging.meta(page, listing, self.quirks, len(everything))
        bodies, included = self._filled(request, listing, page.rows)
        return answers.document(bodies, included if listing.included else None, extra)

    def _reader(self, listing: Listing) -> Endpoint:
        async def answer(request: Request) -> Response:
            row = self._find(listing, request.path_params["key"])
            return self._single(request, listing, row)

        return answer

    def _single(self, request: Request, listing: Listing, row: Row) -> Response:
        (body,), included = self._filled(request, listing, [row])
        return answers.single(body, included)

    def _find(self, listing: Listing, key: str) -> Row:
        table = self.tables[listing.name]
        row = table.get(key)
        if row is None and listing.other_key:
            row = next((row for row in table if row.fields[listing.other_key] == key), None)
        if row is None:
            raise RefusedError(404, NOT_FOUND)
        return row

    def _filled(
        self, request: Request, listing: Listing, rows: Sequence[Row]
    ) -> tuple[list[bytes], list[bytes]]:
        """Return rows, and the other rows that `include` asks for."""
        asked = request.query_params.get("include", "")
        return includes.fill(asked, listing, rows, self.tables)

    async def _me(self, request: Request) -> Response:
        """Answer the user that the key belongs to."""
        users = list(self.tables["users"])
        if not users:
            raise RefusedError(404, NOT_FOUND)
        mine = users[0 if self._key(request) == self.token else -1]
        return self._single(request, LISTINGS["users"], mine)


async def _nothing(_request: Request) -> Response:
    """Answer a path that the API does not have."""
    raise RefusedError(404, NOT_FOUND)
