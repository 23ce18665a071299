"""What calls take, and what they refuse before anything is sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from roost import RollbackOptions, Roost
from roost.testing import RecordedTransport

Call = Callable[[Roost], Awaitable[Any]]


PREFIXES: dict[str, Call] = {
    "py-sdk-chat-delete-": lambda c: c.chat.delete("conv_1"),
    "py-sdk-installer-delete-": lambda c: c.installer.delete("1.2.3"),
    "py-sdk-members-remove-": lambda c: c.members("site-1").remove("u1"),
    "py-sdk-users-delete-": lambda c: c.users.delete("u1"),
    "py-sdk-": lambda c: c.roosts.create(site_id="site-1", name="lobby"),
}


@pytest.mark.parametrize("prefix", PREFIXES)
async def test_how_the_keys_of_calls_begin(prefix: str) -> None:
    transport = RecordedTransport()
    async with Roost(token="owk_test_secret", transport=transport) as client:
        await PREFIXES[prefix](client)
        await PREFIXES[prefix](client)
    one, other = (each.headers["idempotency-key"] for each in transport.asked)
    assert one != other
    assert one.startswith(prefix)
    assert len(one) == len(prefix) + 36


NONSENSE: list[tuple[Call, str]] = [
    (lambda c: c.roosts.get("", site_id="s"), "an id in the path"),
    (lambda c: c.roosts.get("..", site_id="s"), "an id in the path"),
    (lambda c: c.versions.get("rst_abc", True, site_id="s"), "version"),
    (lambda c: c.versions.get("rst_abc", " ", site_id="s"), "version"),
    (lambda c: c.versions.diff("rst_abc", "current", site_id="s"), "requires version_ref and"),
    (lambda c: c.roosts.rollback("r", RollbackOptions("s", "")), "version"),
    (lambda c: c.processes("s", "m").update("p"), "at least one field"),
    (lambda c: c.processes("s", "m").schedule("p", mode="scheduled"), "blocks"),
    (lambda c: c.processes("s", "m").set_launch_mode("p", "scheduled"), "schedules"),
    (lambda c: c.sites.update("s"), "at least one field"),
    (lambda c: c.logs("s").delete(), "not nothing"),
    (lambda c: c.logs("s").delete(everything=True, level="error"), "not both"),
    (lambda c: c.agent_tokens("s").revoke(), "one of"),
    (lambda c: c.agent_tokens("s").revoke(token_id="t", everything=True), "one of"),
    (lambda c: c.users.assign_sites("u", []), "must not be empty"),
    (lambda c: c.users.remove_sites("u", []), "must not be empty"),
    (lambda c: c.roosts.list_page(site_id="s", page_token="a", cursor="b"), "page_token"),
    (lambda c: c.http.request("https://elsewhere.example/api/sites"), "get the key"),
]


@pytest.mark.parametrize(("call", "message"), NONSENSE)
async def test_what_makes_no_sense_is_not_sent(call: Call, message: str) -> None:
    transport = RecordedTransport()
    async with Roost(token="owk_test_secret", transport=transport) as client:
        with pytest.raises(ValueError, match=message):
            await call(client)
    assert transport.asked == []


TEXTS: list[Call] = [
    lambda c: c.roosts.create(site_id="s", name="n", targets="m-1"),
    lambda c: c.webhooks.subscribe("s", "https://example.com", "version.published"),
    lambda c: c.users.assign_sites("u", "site-1"),
]


@pytest.mark.parametrize("call", TEXTS)
async def test_a_text_is_no_list(call: Call) -> None:
    async with Roost(token="owk_test_secret", transport=RecordedTransport()) as client:
        with pytest.raises(TypeError, match="not as one text"):
            await call(client)
