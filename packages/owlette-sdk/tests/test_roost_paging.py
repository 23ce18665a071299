"""Lists page after page: all of their rows once, and an end in any case."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from roost import PagingError, Roost
from roost.testing import RecordedTransport, answer


class Paged(RecordedTransport):
    """Answers with pages of numbered rows, as the server does."""

    def __init__(
        self,
        key: str,
        row: Callable[[int], dict[str, str]],
        count: int,
        *,
        tokens: str = "nextPageToken",
    ) -> None:
        super().__init__(self._page)
        self._key = key
        self._rows = [row(number) for number in range(count)]
        self._tokens = tokens

    def _page(self, request: httpx.Request) -> httpx.Response:
        query = parse_qs(request.url.query.decode())
        start = int(query.get("page_token", ["0"])[0])
        end = start + int(query["page_size"][0])
        more = str(end) if end < len(self._rows) else ""
        return httpx.Response(200, json={self._key: self._rows[start:end], self._tokens: more})


def _roosts(client: Roost) -> Any:
    return client.roosts.list(site_id="s", page_size=3)


LISTS: dict[str, tuple[str, str, Callable[[Roost], AsyncIterator[Any]]]] = {
    "roosts": ("roosts", "roostId", lambda c: c.roosts.list(site_id="s", page_size=3)),
    "versions": ("versions", "versionId", lambda c: c.versions.list("r", site_id="s", page_size=3)),
    "deployments": (
        "items",
        "rolloutId",
        lambda c: c.deployments.list("r", site_id="s", page_size=3),
    ),
    "files": ("files", "path", lambda c: c.versions.files("r", 1, site_id="s", page_size=3)),
    "logs": ("logs", "id", lambda c: c.logs("s").list(page_size=3)),
    "audit log": ("records", "hash", lambda c: c.audit_log("s").list(page_size=3)),
    "referrers": ("items", "entryId", lambda c: c.chunks.referrers("ab", site_id="s", page_size=3)),
}


@pytest.mark.parametrize("count", [0, 1, 3, 7])
@pytest.mark.parametrize("name", LISTS)
async def test_all_rows_come_once(name: str, count: int) -> None:
    key, identity, call = LISTS[name]
    transport = Paged(key, lambda number: {identity: str(number)}, count)
    async with Roost(token="owk_test_x", transport=transport) as client:
        rows = [each async for each in call(client)]
    raw = [getattr(each, "raw", each) for each in rows]
    assert [each[identity] for each in raw] == [str(number) for number in range(count)]
    assert len(transport.asked) == max(1, -(-count // 3))
    assert "page_token" not in transport.asked[0].target


@pytest.mark.parametrize("tokens", ["nextPageToken", "next_page_token", "nextCursor"])
async def test_any_name_of_the_token_leads_on(tokens: str) -> None:
    transport = Paged("versions", lambda n: {"versionId": str(n)}, 5, tokens=tokens)
    async with Roost(token="owk_test_x", transport=transport) as client:
        rows = [row async for row in client.versions.list("r", site_id="s", page_size=2)]
    assert [row["versionId"] for row in rows] == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("given", [{"page_token": "2"}, {"cursor": "2"}])
async def test_a_list_can_be_gone_on_with(given: Any) -> None:
    transport = Paged("roosts", lambda n: {"roostId": str(n)}, 5)
    async with Roost(token="owk_test_x", transport=transport) as client:
        rows = [row.roost_id async for row in client.roosts.list(site_id="s", **given)]
        page, cursor = await client.roosts.list_page(site_id="s", page_size=2, **given)
    assert rows == ["2", "3", "4"]
    assert [row.roost_id for row in page] == ["2", "3"]
    assert cursor == "4"


@pytest.mark.parametrize("replies", [["a", "a"], ["a", "b", "a"]])
async def test_a_list_that_goes_round_is_an_error(replies: list[str]) -> None:
    transport = RecordedTransport(
        *(answer({"roosts": [{"roostId": each}], "nextPageToken": each}) for each in replies)
    )
    async with Roost(token="owk_test_x", transport=transport) as client:
        with pytest.raises(PagingError, match="came twice"):
            [row async for row in client.roosts.list(site_id="s")]
    assert len(transport.asked) == len(replies)


async def test_all_webhooks_come_not_only_the_first_page() -> None:
    transport = RecordedTransport(
        answer({"webhooks": [{"id": "1", "url": "u"}], "nextPageToken": "1"}),
        answer({"webhooks": [{"id": "2", "url": "u"}], "nextPageToken": ""}),
    )
    async with Roost(token="owk_test_x", transport=transport) as client:
        assert [each.id for each in await client.webhooks.list("s")] == ["1", "2"]
    assert [each.target for each in transport.asked] == [
        "/api/webhooks?siteId=s",
        "/api/webhooks?siteId=s&page_token=1",
    ]


async def test_who_leaves_early_asks_for_no_more() -> None:
    transport = Paged("roosts", lambda n: {"roostId": str(n)}, 9)
    async with Roost(token="owk_test_x", transport=transport) as client:
        async for row in _roosts(client):
            if row.roost_id == "1":
                break
    assert len(transport.asked) == 1
