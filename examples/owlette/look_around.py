"""Look at a site: its machines, quota, roosts, and what the last version changed.

python look_around.py site-1
"""

import asyncio
import os
import sys

from roost import Roost


async def main(site_id: str) -> None:
    async with Roost(
        token=os.environ["OWLETTE_TOKEN"],
        api_url=os.environ.get("OWLETTE_API_URL", "https://owlette.app"),
    ) as client:
        for machine in await client.machines.list(site_id):
            print(f"machine {machine.name}: {'online' if machine.online else 'offline'}")
        quota = await client.quotas.current(site_id)
        print(f"{quota.used_bytes} of {quota.limit_bytes or 'unlimited'} bytes are used")
        async for roost in client.roosts.list(site_id=site_id):
            print(f"roost {roost.name}, {roost.version_counter} versions")
            if not roost.previous_version_id:
                continue
            diff = await client.versions.diff(
                roost.roost_id, "current", site_id=site_id, against="previous"
            )
            print(f"  the last one: {diff['summary']}")
            async for file in client.versions.files(roost.roost_id, "current", site_id=site_id):
                print(f"  {file['path']}, {file['size']} bytes")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
