"""`deployments` without asyncio. Made by `scripts/generate_sync.py`: do not edit."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Generator

from roost._portal import Portal
from roost.resources.deployments import DeploymentDetail, DeploymentRow, Deployments, Stage

__all__ = ["DeploymentsSync"]


class DeploymentsSync:
    """Rollouts of roosts: `client.deployments`."""

    def __init__(self, group: Deployments, portal: Portal) -> None:
        self._group = group
        self._portal = portal

    def list(
        self,
        roost_id: str,
        *,
        site_id: str,
        stage: Stage | None = None,
        page_size: int = 20,
        page_token: str | None = None,
        cursor: str | None = None,
    ) -> Generator[DeploymentRow, None, None]:
        """Yield the rollouts of a roost.

        For the rest, see `Deployments.list`.
        """
        return self._portal.iterate(
            self._group.list(
                roost_id,
                site_id=site_id,
                stage=stage,
                page_size=page_size,
                page_token=page_token,
                cursor=cursor,
            )
        )

    def list_page(
        self,
        roost_id: str,
        *,
        site_id: str,
        stage: Stage | None = None,
        page_size: int = 20,
        page_token: str | None = None,
        cursor: str | None = None,
    ) -> tuple[builtins.list[DeploymentRow], str | None]:
        """Return some rollouts, and the token of those that follow; None at the end.

        For the rest, see `Deployments.list_page`.
        """
        return self._portal.run(
            self._group.list_page(
                roost_id,
                site_id=site_id,
                stage=stage,
                page_size=page_size,
                page_token=page_token,
                cursor=cursor,
            )
        )

    def get(self, roost_id: str, rollout_id: str, *, site_id: str) -> DeploymentDetail:
        """Return a rollout, and how far each of its machines has come.

        For the rest, see `Deployments.get`.
        """
        return self._portal.run(self._group.get(roost_id, rollout_id, site_id=site_id))

    def wait(
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

        For the rest, see `Deployments.wait`.
        """
        return self._portal.run(
            self._group.wait(
                roost_id,
                rollout_id,
                site_id=site_id,
                timeout=timeout,
                interval=interval,
                on_change=on_change,
            )
        )
