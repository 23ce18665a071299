"""A key that somebody confirms in the browser."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from roost import DeviceCode, RoostApiError, RoostTransportError, device_login
from roost.testing import RecordedTransport, Reply, answer, refusal

CODE = {
    "pairPhrase": "red owl",
    "deviceCode": "secret-code",
    "verificationUri": "https://owlette.app/pair",
    "pairingUrl": "https://owlette.app/pair?phrase=red-owl",
    "expiresIn": 600,
    "interval": 5,
}
KEY = {"apiKey": "owk_live_secret", "keyId": "k1", "name": "laptop", "siteId": "site-1"}


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    return slept


async def test_a_key_that_is_confirmed(waits: list[float]) -> None:
    shown: list[DeviceCode] = []
    transport = RecordedTransport(
        answer(CODE), answer({"status": "pending"}, 202), answer(None, 202), answer(KEY)
    )
    key = await device_login(shown.append, transport=transport)
    assert (key.api_key, key.key_id, key.site_id) == ("owk_live_secret", "k1", "site-1")
    assert [each.pair_phrase for each in shown] == ["red owl"]
    assert waits == [5, 5]
    assert [each.target for each in transport.asked] == [
        "/api/cli/device-code",
        *["/api/cli/device-code/poll"] * 3,
    ]
    assert transport.last.body == {"deviceCode": "secret-code"}
    assert "authorization" not in transport.last.headers
    assert transport.is_closed
    assert "secret" not in repr(key) + repr(shown)


async def test_nobody_confirms(waits: list[float]) -> None:
    transport = RecordedTransport(answer({**CODE, "expiresIn": 0}), answer(None, 202))
    with pytest.raises(TimeoutError, match="nobody has confirmed 'red owl' within 0 s"):
        await device_login(lambda _: None, transport=transport)
    assert waits == []
    assert transport.is_closed


REFUSALS: list[tuple[list[Reply], str]] = [
    ([refusal(429, "rate_limited", detail="too many")], "too many"),
    ([answer(CODE), refusal(410, detail="expired")], "expired"),
    ([answer(CODE), lambda _: httpx.Response(502, text="<html>")], "HTTP 502"),
]


@pytest.mark.parametrize(("replies", "message"), REFUSALS)
async def test_a_login_that_is_refused(replies: list[Reply], message: str) -> None:
    transport = RecordedTransport(*replies)
    with pytest.raises(RoostApiError, match=message):
        await device_login(lambda _: None, transport=transport)
    assert transport.is_closed


async def test_an_api_that_is_not_there() -> None:
    transport = RecordedTransport(httpx.ConnectError("refused"))
    with pytest.raises(RoostTransportError, match=r"http://127\.0\.0\.1:1/api/cli/device-code"):
        await device_login(lambda _: None, api_url="http://127.0.0.1:1/", transport=transport)
