"""Subscribe a receiver to what happens on a site: `python subscribe.py site-1 https://...`.

`../webhooks` has receivers. The signing secret is shown once: keep it where they find it.
"""

import asyncio
import os
import sys

from roost import Roost


async def main(site_id: str, url: str) -> None:
    async with Roost(
        token=os.environ["OWLETTE_TOKEN"],
        api_url=os.environ.get("OWLETTE_API_URL", "https://owlette.app"),
    ) as client:
        for hook in await client.webhooks.list(site_id=site_id):
            if hook.url == url:
                print(f"{hook.id} is there already, for {', '.join(hook.events)}")
                return
        made = await client.webhooks.subscribe(
            site_id=site_id, url=url, events=["version.published", "deployment.failed"]
        )
        print(f"{made['id']}: WEBHOOK_SECRET={made['signingSecret']}")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
