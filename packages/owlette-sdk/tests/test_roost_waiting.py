"""Waiting for a rollout: until it is complete, aborted, or too late."""

from __future__ import annotations

from typing import Any

import pytest

from roost import DeploymentFailedError, NotFoundError, Roost
from roost.testing import RecordedTransport, answer, refusal

VERSION = "ab" * 32


def rollout(stage: str, *, canary: str = "pending", fleet: str | None = "pending") -> Any:
    def target(name: str, status: str) -> dict[str, Any]:
        return {"machineId": name, "status": status, "reportedVersionId": None, "reportedAt": None}

    return answer(
        {
            "rolloutId": VERSION,
            "versionId": VERSION,
            "stage": stage,
            "abortReason": "1/3 targets failed" if stage == "aborted" else None,
            "canaryStatus": [target("m-1", canary)],
            "fleetStatus": [] if fleet is None else [target("m-2", fleet)],
        }
    )


async def waited(*replies: Any, timeout: float | None = None) -> tuple[Any, list[str], int]:
    transport, stages = RecordedTransport(*replies), list[str]()
    async with Roost(token="owk_test_x", transport=transport) as client:
        done = await client.deployments.wait(
            "rst_abc",
            VERSION,
            site_id="s",
            interval=0.001,
            timeout=timeout,
            on_change=lambda now: stages.append(now["stage"]),
        )
    assert transport.last.target == f"/api/roosts/rst_abc/deployments/{VERSION}?siteId=s"
    return done, stages, len(transport.asked)


async def test_until_it_is_complete() -> None:
    steps = [rollout("canary"), rollout("canary"), rollout("fleet"), rollout("complete")]
    done, stages, asked = await waited(*steps)
    assert done["stage"] == "complete"
    assert stages == ["canary", "fleet", "complete"], "told of changes only"
    assert asked == 4


async def test_a_rollout_to_one_machine_is_complete_when_that_is() -> None:
    steps = [rollout("fleet", fleet=None), rollout("fleet", canary="committed", fleet=None)]
    done, _, asked = await waited(*steps)
    assert (done["stage"], asked) == ("fleet", 2)


async def test_a_rollout_that_is_aborted() -> None:
    with pytest.raises(DeploymentFailedError, match="aborted: 1/3 targets failed") as raised:
        await waited(rollout("canary"), rollout("aborted", canary="failed"))
    assert raised.value.deployment["canaryStatus"][0]["status"] == "failed"


async def test_too_late() -> None:
    with pytest.raises(TimeoutError, match="is in stage scheduled"):
        await waited(rollout("scheduled"), timeout=0.02)


async def test_none_at_all() -> None:
    with pytest.raises(NotFoundError):
        await waited(refusal(404, "not_found"))
