"""From a key to a rollout: who am I, may I, publish, deploy, wait, and roll back if it fails.

    python run_roost_workflow.py ./dist rst_abc site-1 [machine ...]

Without machines, it ends after publishing. The key is taken from OWLETTE_TOKEN.
"""

import asyncio
import os
import sys

from roost import (
    DeploymentFailedError,
    DeployOptions,
    NotFoundError,
    PushOptions,
    RollbackOptions,
    Roost,
)


async def check(client: Roost, site_id: str, roost_id: str) -> None:
    """Find out now what would fail later."""
    identity = await client.account.whoami()
    print(f"key of {identity.email or identity.user_id}, role {identity.role}")
    version = await client.account.version()
    print(f"API {version.current}")
    site = await client.sites.get(site_id)
    print(f"site {site.name}")
    try:
        roost = await client.roosts.get(roost_id, site_id=site_id)
        print(f"roost {roost.name}, current version {roost.current_version_id}")
    except NotFoundError:
        print(f"roost {roost_id} is made when it is published to")


async def roll_out(client: Roost, site_id: str, roost_id: str, machines: list[str]) -> None:
    """Deploy the current version, and go back to the one before if machines fail."""
    deploy = await client.roosts.deploy(roost_id, DeployOptions(site_id, machines=machines))
    print(f"rollout {deploy.rollout_id}: {deploy.canary} first")
    try:
        done = await client.deployments.wait(
            roost_id, deploy.rollout_id, site_id=site_id, timeout=900, interval=1
        )
        print(f"rollout {done['stage']}")
    except DeploymentFailedError as error:
        print(error)
        back = await client.roosts.rollback(roost_id, RollbackOptions(site_id))
        print(f"back to version {back.current_version_number}")


async def main(folder: str, roost_id: str, site_id: str, *machines: str) -> None:
    async with Roost(
        token=os.environ["OWLETTE_TOKEN"],
        api_url=os.environ.get("OWLETTE_API_URL", "https://owlette.app"),
    ) as client:
        await check(client, site_id, roost_id)
        plan = await client.roosts.plan(folder, roost_id, PushOptions(site_id))
        print(f"{len(plan.new)} files are new, {plan.upload_bytes} bytes")
        result = await client.roosts.push(folder, roost_id, PushOptions(site_id))
        print(f"published version {result.version_number}")
        if machines:
            await roll_out(client, site_id, roost_id, [*machines])


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
