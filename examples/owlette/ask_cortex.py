"""Ask Cortex about a machine: `python ask_cortex.py site-1 machine-a7f3 QUESTION`."""

import asyncio
import os
import sys

from roost import Roost


async def main(site_id: str, machine_id: str, question: str) -> None:
    async with Roost(
        token=os.environ["OWLETTE_TOKEN"],
        api_url=os.environ.get("OWLETTE_API_URL", "https://owlette.app"),
    ) as client:
        conversation = await client.chat.new(
            site_id=site_id, machine_id=machine_id, title=question[:100]
        )
        async for piece in client.chat.send(conversation["conversationId"], question):
            print(piece, end="", flush=True)
        print()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
