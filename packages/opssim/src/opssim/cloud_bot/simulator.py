"""The Control Room as a whole."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from opssim.cloud_bot.api_tasks import ApiTasks
from opssim.cloud_bot.authentication import Account, Authentication
from opssim.cloud_bot.bot_runs import PATH as BOT_RUNS
from opssim.cloud_bot.bot_runs import bot_runs_of
from opssim.cloud_bot.deployments import Deployments
from opssim.cloud_bot.errors import answering_errors, json_response, not_found
from opssim.cloud_bot.lists import Lists, with_whole_ids
from opssim.cloud_bot.metrics import metrics_of
from opssim.cloud_bot.quirks import CloudBotQuirks
from opssim.cloud_bot.seed_page import seed_page_routes
from opssim.cloud_bot.sessions import Sessions
from opssim.cloud_bot.world import Sizes, World
from opssim.core.churn import Churn
from opssim.core.clock import DEFAULT_NOW
from opssim.core.simulator import Simulator
from opssim.core.store import JsonObject, chosen

_VERBS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


class CloudBotSimulator(Simulator):
    """The REST API of an Automation Anywhere A360 Control Room.

    Args:
        seed: what the data is made from; the same seed makes the same data.
        executions: runs in the activity list; the last few of them have not ended.
        bots: bots in the public workspace, beside its folders.
        users: users, the account that clients log in with among them.
        devices: devices that bots run on.
        audit_messages: messages in the audit log.
        work_items: items in all workload queues together.
        quirks: the habits that are on.
        token_seconds: how long a token lives, in real time.
        run_seconds: how long a deployed run takes, in real time.
        now: the simulated time at the start; the data ends there.
        churn: how the data changes by itself while lists are read.

    Attributes:
        username: the account that clients log in with.
        password: its password.
        api_key: its API key.
        management_token: a bearer token that does not expire, for the seed page's example.
        quirks: the habits that are on.

    Example:
        with serve(CloudBotSimulator(executions=500)) as control_room:
            requests.post(f"{control_room.url}/v2/authentication", json={...})
    """

    name: ClassVar[str] = "cloud-bot"

    def __init__(  # noqa: PLR0913 - sizes, habits and times, each with its default
        self,
        *,
        seed: int = 7,
        executions: int = 3000,
        bots: int = 60,
        users: int = 30,
        devices: int = 15,
        audit_messages: int = 1000,
        work_items: int = 100,
        quirks: CloudBotQuirks | None = None,
        token_seconds: float = 1200.0,
        run_seconds: float = 1.0,
        now: datetime = DEFAULT_NOW,
        churn: Churn | None = None,
    ) -> None:
        super().__init__(seed=seed, now=now, churn=churn)
        self.quirks = quirks or CloudBotQuirks()
        keys = random.Random(f"{self.name}-{seed}-keys")
        self.username = "bot.loader"
        self.password = f"pw-sim-{keys.getrandbits(96):024x}"
        self.api_key = f"key-sim-{keys.getrandbits(128):032x}"
        self.management_token = f"mt-sim-{keys.getrandbits(128):032x}"
        self._world = World(
            self.random,
            self.clock,
            self.quirks,
            Sizes(
                executions=executions,
                bots=bots,
                users=users,
                devices=devices,
                audit_messages=audit_messages,
                work_items=work_items,
            ),
            account=self.username,
        )
        self.tables = self._world.tables
        self._sessions = Sessions(
            seed=seed, lifetime=token_seconds, single=self.quirks.single_session
        )
        self._deployments = Deployments(
            self._world, self.clock, self.quirks, rng=keys, run_seconds=run_seconds
        )

    @property
    def logins(self) -> int:
        """How many sessions clients have opened."""
        return self._sessions.logins

    @property
    def refreshes(self) -> int:
        """How many tokens clients have exchanged for new ones."""
        return self._sessions.refreshes

    def expire_tokens(self) -> None:
        """End every session now, as if its time had run out."""
        self._sessions.close_all()

    def routes(self) -> Sequence[BaseRoute]:
        """Return the published endpoints, those of the seed page, and a 404 for the rest."""
        authentication = Authentication(
            self._account(),
            self._sessions,
            self.quirks,
            user=lambda: self._user("1"),
            tenant=self._world.tenant,
        )
        guarded = authentication.guarded
        lists = Lists(self.tables, self.quirks, before=self._before_list)
        tasks = ApiTasks(self.tables["automations"], self._sessions)
        executions = self.tables["executions"]
        metrics = metrics_of(executions, self.clock, self._deployments.proceed)
        bot_runs = bot_runs_of(executions, self.quirks, lambda: lists.admit("executions"))
        return [
            *authentication.routes(),
            *lists.routes(guarded),
            *self._deployments.routes(guarded),
            *tasks.routes(guarded),
            Route("/v3/activity/metrics", guarded(metrics), methods=["POST"]),
            Route(BOT_RUNS, guarded(bot_runs), methods=["GET"]),
            *(
                Route(
                    f"/{version}/usermanagement/users/{{id}}",
                    guarded(self._show_user),
                    methods=["GET"],
                )
                for version in ("v1", "v2")
            ),
            *(
                seed_page_routes(
                    self.tables,
                    guarded=lambda handler: guarded(handler, bearer=True),
                    admit=lists.admit,
                    execution=self._deployments.show,
                    api_task=tasks.run_any,
                )
                if self.quirks.seed_page
                else []
            ),
            Route("/{path:path}", answering_errors(_nothing_here), methods=_VERBS),
        ]

    def configuration(self, url: str) -> Mapping[str, str]:
        """Return the dlt settings, as environment variables, that point a source at `url`."""
        return {
            "SOURCES__CLOUD_BOT_SOURCE__CONTROL_ROOM_URL": url,
            "SOURCES__CLOUD_BOT_SOURCE__USERNAME": self.username,
            "SOURCES__CLOUD_BOT_SOURCE__API_KEY": self.api_key,
        }

    def secrets(self) -> frozenset[str]:
        """Return the credentials, all tokens ever issued, and what callbacks are sent with."""
        return (
            frozenset({self.password, self.api_key, self.management_token})
            | self._sessions.issued()
            | self._deployments.secrets()
        )

    def insert(self, table: str, count: int = 1) -> None:
        """Add newly made rows: runs that have just started, users, bots, and so on."""
        self._world.insert(table, count)

    def touch(self, table: str, count: int = 1) -> None:
        """Let runs go on or end, and change other rows; the audit log stays as it is."""
        self._world.touch(table, count)

    def delete(self, table: str, count: int = 1) -> None:
        """Remove rows, with a queue its work items; folders and the clients' account stay.

        Raises:
            KeyError: there is no such table.
        """
        for key in chosen(self.removals, self._world.removable(table), count):
            self._world.remove(table, key)

    def _before_list(self, table: str) -> None:
        self._deployments.proceed()
        self.churn.before_list(table, self.insert, self.touch, self.delete)

    def _account(self) -> Account:
        return Account(
            user_id="1",
            username=self.username,
            password=self.password,
            api_key=self.api_key,
            management_token=self.management_token,
        )

    async def _show_user(self, request: Request) -> Response:
        key = request.path_params["id"]
        user = {**self._user(key), "deleted": False, "multipleLoginAllowed": True}
        first_version = request.url.path.startswith("/v1/")
        return json_response(with_whole_ids(user) if first_version else user)

    def _user(self, key: str) -> JsonObject:
        row = self.tables["users"].get(key)
        if row is None:
            msg = f"user {key}"
            raise not_found(msg)
        return row.data()


async def _nothing_here(request: Request) -> Response:
    msg = f"{request.method} {request.url.path}"
    raise not_found(msg)
