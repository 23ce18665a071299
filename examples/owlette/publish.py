"""Publish a folder: `python publish.py ./dist rst_abc`. The key is taken from OWLETTE_TOKEN."""

import asyncio
import os
import sys

from roost import PushOptions, Roost
from roost.resources.roosts import PushProgressEvent


def show(event: PushProgressEvent) -> None:
    """Print what happens; a coroutine function would do as well."""
    match event.phase:
        case "discover":
            print(f"{event.file_count} files, {event.total_bytes} bytes")
        case "check-missing":
            print(f"{event.missing} of {event.total} chunks are missing")
        case "upload":
            print(f"{event.uploaded} of {event.total} chunks are uploaded")
        case "publish":
            print(f"somebody else was faster: attempt {event.attempt + 1}")
        case _:
            pass  # "hash": one for each file


async def main(folder: str, roost_id: str) -> None:
    async with Roost(
        token=os.environ["OWLETTE_TOKEN"],
        api_url=os.environ.get("OWLETTE_API_URL", "https://owlette.app"),
    ) as client:
        identity = await client.account.whoami()
        options = PushOptions(
            site_id=identity.primary_site_id or "kiosk-fleet-01",
            description="from the examples",
            ignore=["*.map"],
            on_progress=show,
        )
        result = await client.roosts.push(folder, roost_id, options)
        print(f"version {result.version_number} is current: {result.version_id}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
