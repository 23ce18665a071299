"""Upload one chunk without `push`, and fetch it again: `python chunks_by_hand.py site-1 FILE`.

For uploaders of your own. `client.http.signed` goes to the storage without the key.
"""

import asyncio
import hashlib
import os
import sys
from pathlib import Path

from roost import CHUNK_SIZE_BYTES, Roost


async def main(site_id: str, content: bytes) -> None:
    digest = hashlib.sha256(content).hexdigest()
    async with Roost(
        token=os.environ["OWLETTE_TOKEN"],
        api_url=os.environ.get("OWLETTE_API_URL", "https://owlette.app"),
    ) as client:
        missing = await client.chunks.check(site_id, [digest])
        if missing:
            minted = await client.chunks.upload_urls(site_id, missing)
            for url in minted["urls"].values():
                sent = await client.http.signed("PUT", url, content=content)
                print(f"uploaded {len(content)} bytes: {sent.status}")
        back = await client.chunks.download_urls(site_id, [digest])
        got = await client.http.signed("GET", back["urls"][digest])
        print(f"fetched {len(got.body)} bytes, {'the same' if got.body == content else 'others'}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]).read_bytes()[:CHUNK_SIZE_BYTES]))
