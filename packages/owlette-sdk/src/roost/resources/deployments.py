"""Deployments: rollouts of a version to the machines of a roost, a few of them first."""

from __future__ import annotations

import asyncio
import builtins
import time
from collections.abc import AsyncGenerator, Callable
from typing import Literal, TypedDict

from roost._errors import DeploymentFailedError
from roost._paging import next_token, page_query, walk
from roost._paths import api_path
from roost.resources._resource import Resource

__all__ = ["DeploymentDetail", "DeploymentRow", "DeploymentTarget", "Deployments", "Stage"]

#: Stages that can be asked for; `fleet` is one as well, but the server refuses to filter by it.
Stage = Literal["scheduled", "canary", "complete", "aborted"]


class DeploymentRow(TypedDict):
    """A rollout in a list. `rolloutId` is the id of its version; times are ISO 8601, in UTC."""

    rolloutId: str
    versionId: str
    stage: str
    canaryCount: int
    fleetCount: int
    extractRoot: str | None
    versionUrl: str | None
    triggeredBy: str | None
    startedAt: str | None
    completedAt: str | None
    abortedAt: str | None
    abortReason: str | None
    scheduledAt: str | None


class DeploymentTarget(TypedDict):
    """How far a machine has come with a version."""

    machineId: str
    status: str
    reportedVersionId: str | None
    reportedAt: str | None


class DeploymentDetail(DeploymentRow):
    """A rollout with its machines: those of the first wave, and those of the second."""

    siteId: str
    roostId: str
    targetsOverride: list[str] | None
    canary: list[str]
    fleet: list[str]
    canaryStatus: list[DeploymentTarget]
    fleetStatus: list[DeploymentTarget]


class Deployments(Resource):
    """Rollouts of roosts: `client.deployments`."""

    async def list(
        self,
        roost_id: str,
        *,
        site_id: str,
        stage: Stage | None = None,
        page_size: int = 20,
        page_token: str | None = None,
        cursor: str | None = None,
    ) -> AsyncGenerator[DeploymentRow, None]:
        """Yield the rollouts of a roost.

        Args:
            roost_id: the roost.
            site_id: its site.
            stage: only those in this stage.
            page_size: rows of a page, up to 100.
            page_token: where to begin, from an earlier page.
            cursor: the same.

        Raises:
            PagingError: the list does not come to an end.
        """
        asked = page_query(page_size, page_token, cursor)

        async def page(token: str | None) -> tuple[builtins.list[DeploymentRow], str | None]:
            return await self.list_page(
                roost_id, site_id=site_id, stage=stage, page_size=page_size, page_token=token
            )

        async for row in walk(page, asked["page_token"]):
            yield row

    async def list_page(
        self,
        roost_id: str,
        *,
        site_id: str,
        stage: Stage | None = None,
        page_size: int = 20,
        page_token: str | None = None,
        cursor: str | None = None,
    ) -> tuple[builtins.list[DeploymentRow], str | None]:
        """Return some rollouts, and the token of those that follow; None at the end."""
        asked = page_query(page_size, page_token, cursor)
        answer = await self._ask(
            api_path("roosts", roost_id, "deployments"),
            query={"siteId": site_id, "stage": stage, **asked},
        )
        rows: builtins.list[DeploymentRow] = (
            answer.data.get("rollouts") or answer.data.get("items") or []
        )
        return rows, next_token(answer.data)

    async def get(self, roost_id: str, rollout_id: str, *, site_id: str) -> DeploymentDetail:
        """Return a rollout, and how far each of its machines has come.

        Raises:
            NotFoundError: it is not there.
        """
        answer = await self._ask(
            api_path("roosts", roost_id, "deployments", rollout_id), query={"siteId": site_id}
        )
        rollout: DeploymentDetail = answer.data
        return rollout

    async def wait(
        self,
        roost_id: str,
        rollout_id: str,
        *,
        site_id: str,
        timeout: float | None = None,
        interval: float = 2.0,
        on_change: Callable[[DeploymentDetail], object] | None = None,
    ) -> DeploymentDetail:
        """Wait until a rollout is complete, and return it as it is then.

        The server leaves a rollout in the stage `fleet` for ever if it has no second wave, as that
        of a single machine: it is complete when all its machines have succeeded.

        Args:
            roost_id: the roost.
            rollout_id: the rollout, which is the id of its version.
            site_id: the site.
            timeout: seconds to wait at most; None waits for as long as it takes.
            interval: seconds between two looks.
            on_change: called with the rollout whenever it is another one than at the last look.

        Raises:
            DeploymentFailedError: it was aborted.
            TimeoutError: it was not complete in time.
            NotFoundError: there is no such rollout.
        """
        end = None if timeout is None else time.monotonic() + timeout
        last: DeploymentDetail | None = None
        while True:
            now = await self.get(roost_id, rollout_id, site_id=site_id)
            if now != last and on_change is not None:
                on_change(now)
            last = now
            if now["stage"] == "aborted":
                raise DeploymentFailedError(now)
            if now["stage"] == "complete" or _has_all(now):
                return now
            if end is not None and time.monotonic() + interval > end:
                msg = f"after {timeout} s, the rollout of {rollout_id} is in stage {now['stage']}"
                raise TimeoutError(msg)
            await asyncio.sleep(interval)


def _has_all(deployment: DeploymentDetail) -> bool:
    """Tell whether every machine of a rollout has its version."""
    machines = [*(deployment.get("canaryStatus") or ()), *(deployment.get("fleetStatus") or ())]
    done = all(each["status"] in {"committed", "succeeded"} for each in machines)
    return deployment["stage"] == "fleet" and bool(machines) and done
