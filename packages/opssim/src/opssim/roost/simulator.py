"""The Roost simulator: a workspace and the endpoints before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar, Final

from starlette.routing import BaseRoute

from opssim.core.churn import Churn
from opssim.core.clock import DEFAULT_NOW
from opssim.core.simulator import Simulator
from opssim.core.stamps import StampForm
from opssim.core.store import chosen
from opssim.roost.endpoints import Endpoints
from opssim.roost.errors import PREFIX
from opssim.roost.quirks import RoostQuirks
from opssim.roost.workspace import Workspace

#: The columns that say when a row was made or changed.
_CHANGES: Final = frozenset({"created_on", "updated_on", "time", "modification_time"})


class RoostSimulator(Simulator):
    """Roost.ai, as its OpenAPI file v1.1.15, its database schema and its clients describe it.

    Its tables are `tests`, `test_plans` (a fifth as many, with rows of the same shape) and
    `events`.

    Args:
        seed: what all rows follow from.
        tests: how many tests there are.
        events: how many events there are; the newest few of them have not ended.
        quirks: how it differs from the documentation.
        run_seconds: how long an event that a client triggers takes to end.
        fail_every: every so many triggered events fail; None lets all of them succeed.
        now: the moment at which the generated data ends.
        churn: how the data changes by itself.

    Attributes:
        token: the bearer token that it accepts.
    """

    name: ClassVar[str] = "roost"

    def __init__(
        self,
        *,
        seed: int = 7,
        tests: int = 200,
        events: int = 1500,
        quirks: RoostQuirks | None = None,
        run_seconds: float = 1.0,
        fail_every: int | None = None,
        now: datetime = DEFAULT_NOW,
        churn: Churn | None = None,
    ) -> None:
        super().__init__(seed=seed, now=now, churn=churn)
        self.quirks = quirks or RoostQuirks()
        self._workspace = Workspace(
            tests=tests,
            events=events,
            huge_reports=self.quirks.huge_reports,
            run_seconds=run_seconds,
            fail_every=fail_every,
            clock=self.clock,
            form=StampForm(
                changes=_CHANGES,
                offset_hours=self.quirks.utc_offset_hours,
                grain_seconds=self.quirks.stamp_grain_seconds,
                start=now,
            ),
            random=self.random,
        )
        self.tables = self._workspace.tables
        self.token = self._workspace.token

    def routes(self) -> Sequence[BaseRoute]:
        """Return the endpoints, all of which live under `/api`."""
        return Endpoints(self._workspace, self.quirks, self._before_list).routes()

    def _before_list(self, table: str) -> None:
        self.churn.before_list(table, self.insert, self.touch, self.delete)

    def configuration(self, url: str) -> Mapping[str, str]:
        """Return the settings of the dlt source `roost_source`."""
        return {
            "SOURCES__ROOST_SOURCE__TOKEN": self.token,
            "SOURCES__ROOST_SOURCE__BASE_URL": url + PREFIX,
        }

    def secrets(self) -> frozenset[str]:
        """Return the token and every secret in the rows."""
        return self._workspace.secrets()

    def insert(self, table: str, count: int = 1) -> None:
        """Add tests or test plans, or events that wait in the queue."""
        self._workspace.insert(table, count)

    def touch(self, table: str, count: int = 1) -> None:
        """Let unfinished events take their next step; once there are none, change labels."""
        self._workspace.touch(table, count)

    def delete(self, table: str, count: int = 1) -> None:
        """Remove rows, those marked as deleted or not; the events of a removed test stay.

        Raises:
            KeyError: there is no such table.
        """
        for key in chosen(self.removals, self.tables[table].keys(), count):
            self._workspace.delete(table, key)
