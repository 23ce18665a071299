"""When a call is tried again: the decision, and what the client makes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost import (
    ConflictError,
    RateLimitedError,
    RequestDetails,
    RetryDetails,
    RetryPolicy,
    Roost,
    RoostTransportError,
    ServerError,
)
from roost._retry import decide, told_wait
from roost.testing import RecordedTransport, Reply, answer, refusal

NOW = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
POLICY = RetryPolicy(jitter=0.0)


@pytest.mark.parametrize(
    ("headers", "problem", "seconds"),
    [
        ({}, {}, None),
        ({"retry-after": "47"}, {"retryAfter": 3}, 47.0),
        ({"retry-after": "0.5"}, {}, 0.5),
        ({"retry-after": format_datetime(NOW + timedelta(seconds=90), usegmt=True)}, {}, 90.0),
        ({"retry-after": format_datetime(NOW - timedelta(seconds=90), usegmt=True)}, {}, 0.0),
        ({"retry-after": "Thu, 01 Jan 2026 12:00:05 -0000"}, {}, 5.0),
        ({"retry-after": "soon"}, {"retryAfter": 3}, 3.0),
        ({"retry-after": "-1"}, {}, None),
        ({"retry-after": "inf"}, {"retryAfter": "nan"}, None),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "12"}, {"retryAfter": 3}, 12.0),
        ({"ratelimit-remaining": "5", "ratelimit-reset": "12"}, {}, None),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "?"}, {"retryAfter": 3}, 3.0),
        ({}, {"retryAfter": True}, None),
        ({}, {"retryAfter": [1]}, None),
    ],
)
def test_what_an_answer_tells_to_wait(
    headers: dict[str, str], problem: dict[str, Any], seconds: float | None
) -> None:
    assert told_wait(headers, problem, NOW) == seconds


@pytest.mark.parametrize("hours", [-1000, -2, 0, 2, 1000])
def test_a_date_is_measured_on_the_clock_of_who_wrote_it(hours: int) -> None:
    wrong = NOW + timedelta(hours=hours)
    headers = {
        "date": format_datetime(NOW, usegmt=True),
        "retry-after": format_datetime(NOW + timedelta(seconds=90), usegmt=True),
    }
    assert told_wait(headers, {}, wrong) == 90.0
    assert _wait(headers=headers, now=lambda: wrong) == 90.0


@pytest.mark.parametrize("date", ["", "yesterday", "Thu, 01 Jan 99999 12:00:00 GMT"])
def test_without_it_a_wrong_clock_waits_no_longer_than_the_longest_wait(date: str) -> None:
    headers = {"date": date, "retry-after": format_datetime(NOW, usegmt=True)}
    late = NOW - timedelta(seconds=60)
    assert _wait(headers=headers, now=lambda: late) == 60.0
    assert _wait(headers=headers, now=lambda: NOW - timedelta(days=1)) is None
    assert _wait(headers=headers, now=lambda: NOW + timedelta(days=1)) == 0.0


def _wait(attempt: int = 1, **given: Any) -> float | None:
    options: dict[str, Any] = {"status": 503, **given}
    return decide(POLICY, attempt, **options).wait_s


def test_waits_double_up_to_the_longest() -> None:
    assert [_wait(attempt) for attempt in range(1, 5)] == [0.25, 0.5, 1.0, 2.0]
    assert _wait(5) is None
    assert decide(RetryPolicy(99, jitter=0.0), 50, status=500).wait_s == 8.0


@given(st.floats(0, 1), st.integers(1, 4))
def test_jitter_stays_within_its_bounds(chance: float, attempt: int) -> None:
    wait = decide(RetryPolicy(), attempt, status=500, chance=lambda: chance).wait_s
    plain = 0.25 * 2 ** (attempt - 1)
    assert wait is not None
    assert 0.75 * plain <= wait <= 1.25 * plain


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 412, 413, 422, 301])
def test_answers_that_will_not_change(status: int) -> None:
    assert _wait(status=status, headers={"retry-after": "1"}) is None


@pytest.mark.parametrize(
    ("status", "was_sent", "again"),
    [
        (429, True, True),
        (500, True, False),
        (503, True, False),
        (None, True, False),
        (None, False, True),
    ],
)
def test_what_would_be_done_twice_is_not_repeated(
    status: int | None, was_sent: bool, again: bool
) -> None:
    wait = _wait(status=status, was_sent=was_sent, repeatable=False)
    assert (wait is not None) == again


def test_a_wait_that_is_not_worth_it() -> None:
    headers = {"retry-after": "4000"}
    verdict = decide(POLICY, 1, status=429, headers=headers)
    assert (verdict.wait_s, verdict.told_s) == (None, 4000.0)
    patient = RetryPolicy(longest_wait_s=None)
    assert decide(patient, 1, status=429, headers=headers).wait_s == 4000.0


# ---- the client


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    return waits


async def _sites(*replies: Reply, **options: Any) -> tuple[RecordedTransport, list[Any]]:
    transport = RecordedTransport(*replies)
    async with Roost(token="owk_test_secret", transport=transport, **options) as client:
        return transport, await client.sites.list()


PASSING: list[Reply] = [
    refusal(429),
    refusal(500),
    refusal(503),
    lambda _: httpx.Response(502, text="<html>bad gateway</html>"),
    httpx.ConnectError("refused"),
    httpx.ReadTimeout("slow"),
    httpx.RemoteProtocolError("closed"),
]


@pytest.mark.parametrize("failure", PASSING)
async def test_a_failure_that_passes(failure: Reply, slept: list[float]) -> None:
    transport, sites = await _sites(failure, failure, answer({"sites": [{"id": "s"}]}))
    assert [site.id for site in sites] == ["s"]
    assert len(transport.asked) == 3
    assert len(slept) == 2


async def test_the_server_says_how_long(slept: list[float]) -> None:
    await _sites(
        refusal(429, headers={"Retry-After": "47"}, retryAfter=3),
        refusal(503, retryAfter=9),
        answer({"sites": []}),
    )
    assert slept == [47.0, 9.0]


async def test_it_gives_up_in_the_end(slept: list[float]) -> None:
    transport = RecordedTransport(refusal(429, "rate_limited", headers={"Retry-After": "2"}))
    async with Roost(
        token="owk_test_secret", transport=transport, retry=RetryPolicy(max_attempts=3)
    ) as client:
        with pytest.raises(RateLimitedError) as caught:
            await client.sites.list()
    assert len(transport.asked) == 3
    assert slept == [2.0, 2.0]
    assert caught.value.retry_after == 2.0


async def test_a_network_that_stays_away(slept: list[float]) -> None:
    transport = RecordedTransport(httpx.ConnectError("refused"))
    async with Roost(token="owk_test_secret", transport=transport) as client:
        with pytest.raises(
            RoostTransportError, match=r"GET https://owlette\.app/api/sites: Connect"
        ):
            await client.sites.list()
    assert len(transport.asked) == 5
    assert len(slept) == 4


@pytest.mark.usefixtures("slept")
async def test_one_key_for_all_attempts_of_a_call() -> None:
    transport = RecordedTransport(refusal(503), httpx.ReadError("cut"), answer({}))
    async with Roost(token="owk_test_secret", transport=transport) as client:
        await client.roosts.patch("r", site_id="s", name="n")
        await client.roosts.patch("r", site_id="s", name="n")
    keys = [each.headers["idempotency-key"] for each in transport.asked]
    assert keys[0] == keys[1] == keys[2]
    assert keys[3] != keys[0]


@pytest.mark.usefixtures("slept")
@pytest.mark.parametrize("failure", [refusal(503), httpx.ReadError("cut")])
async def test_what_the_server_would_do_twice_is_asked_once(failure: Reply) -> None:
    calls: tuple[Callable[[Roost], Awaitable[object]], ...] = (
        lambda c: c.roosts.create(site_id="s", name="n"),
        lambda c: c.keys.create(name="n", scopes=[]),
        lambda c: c.keys.rotate("k"),
        lambda c: c.account.api_keys.create(),
        lambda c: c.webhooks.probe("s", "e", url="https://example.com"),
    )
    for call in calls:
        transport = RecordedTransport(failure)
        async with Roost(token="owk_test_secret", transport=transport) as client:
            with pytest.raises((ServerError, RoostTransportError)):
                await call(client)
        assert len(transport.asked) == 1


@pytest.mark.usefixtures("slept")
async def test_what_never_arrived_is_asked_again_whatever_it_is() -> None:
    transport = RecordedTransport(
        httpx.ConnectError("refused"), refusal(429), answer({"roostId": "r", "siteId": "s"}, 201)
    )
    async with Roost(token="owk_test_secret", transport=transport) as client:
        created = await client.roosts.create(site_id="s", name="n")
    assert created.roost_id == "r"


async def test_other_refusals_come_at_once() -> None:
    transport = RecordedTransport(refusal(409, "conflict"))
    async with Roost(token="owk_test_secret", transport=transport) as client:
        with pytest.raises(ConflictError):
            await client.roosts.create(site_id="s", name="n")
    assert len(transport.asked) == 1


@pytest.mark.usefixtures("slept")
async def test_only_once_if_told_so() -> None:
    transport = RecordedTransport(refusal(503))
    async with Roost(token="owk_test_secret", transport=transport) as client:
        with pytest.raises(ServerError):
            await client.http.request("/api/x", no_retry=True)
        with pytest.raises(ServerError):
            await client.with_options(retry=RetryPolicy(max_attempts=2)).sites.list()
    assert len(transport.asked) == 3


@pytest.mark.usefixtures("slept")
async def test_requests_and_waits_can_be_watched() -> None:
    seen: list[RequestDetails | RetryDetails] = []
    transport = RecordedTransport(
        refusal(503, detail="busy", headers={"Retry-After": "2", "X-Request-Id": "req_1"}),
        httpx.ReadError("cut"),
        answer({"sites": []}),
    )
    async with Roost(
        token="owk_test_secret",
        transport=transport,
        retry=POLICY,
        on_request=seen.append,
        on_retry=seen.append,
    ) as client:
        await client.sites.list()
    one, wait, two, wait_again, three = seen
    url = "https://owlette.app/api/sites"
    assert isinstance(one, RequestDetails)
    assert (one.method, one.url, one.attempt, one.status) == ("GET", url, 1, 503)
    assert one.request_id == "req_1"
    assert wait == RetryDetails("GET", url, 1, 2.0, 503, "busy")
    assert isinstance(two, RequestDetails)
    assert (two.attempt, two.status) == (2, None)
    assert "cut" in str(two.error)
    assert isinstance(wait_again, RetryDetails)
    assert (wait_again.attempt, wait_again.wait_s, wait_again.status) == (2, 0.5, None)
    assert isinstance(three, RequestDetails)
    assert (three.attempt, three.status, three.error) == (3, 200, None)
    assert three.elapsed_s >= 0


@pytest.mark.parametrize(
    "failure",
    [httpx.UnsupportedProtocol("gopher"), httpx.LocalProtocolError("a line break in a header")],
)
async def test_what_cannot_be_sent_is_not_tried_again(
    failure: Exception, slept: list[float]
) -> None:
    transport = RecordedTransport(failure)
    async with Roost(token="owk_test_secret", transport=transport) as client:
        with pytest.raises(RoostTransportError, match="Protocol"):
            await client.sites.list()
    assert len(transport.asked) == 1
    assert slept == []


async def test_a_header_that_no_request_can_have() -> None:
    patience = RetryPolicy(base_delay_s=0.01, max_delay_s=0.01)
    async with Roost(
        token="owk_test_secret", api_url="http://127.0.0.1:1", retry=patience
    ) as client:
        with pytest.raises((RoostTransportError, ValueError)):
            await client.http.request("/api/x", headers={"X-One": "a\r\nb"})
