"""How long to wait before the next try, as read from what servers say about it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st
from requests.adapters import BaseAdapter

from opsnest.errors import RateLimitError
from opsnest.http import ApiSession, Patience, seconds_to_wait

DATE = "Wed, 01 Jul 2026 12:00:00 GMT"
NOON = 1782907200.0  # the same in epoch seconds


def answer(status: int, **headers: str) -> requests.Response:
    made = requests.Response()
    made.status_code = status
    made.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return made


class Scripted(BaseAdapter):
    """Answer without a network, for hosts and faults that cannot be had on loopback."""

    def __init__(self, reply: Callable[[], requests.Response]) -> None:
        super().__init__()
        self.asked: list[requests.PreparedRequest] = []
        self._reply = reply

    def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> Any:
        self.asked.append(request)
        response = self._reply()
        response.request = request
        response.url = request.url or ""
        response.raw = None
        return response

    def close(self) -> None:
        pass


def scripted(
    session: ApiSession, reply: Callable[[], requests.Response] = lambda: answer(200)
) -> Scripted:
    adapter = Scripted(reply)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return adapter


class TestSecondsToWait:
    @pytest.mark.parametrize(
        ("text", "seconds"),
        [
            ("7", 7.0),
            (" 7 ", 7.0),
            ("0", 0.0),
            ("1.5", 1.5),
            ("Wed, 01 Jul 2026 12:00:30 GMT", 30.0),
            ("Wed, 01 Jul 2026 12:00:30", 30.0),
            ("Wed, 01 Jul 2026 11:00:00 GMT", 0.0),
            ("", None),
            ("soon", None),
            ("-5", None),
            ("nan", None),
            ("inf", None),
            ("9" * 400, None),
            ("\u00b2", None),
        ],
    )
    @pytest.mark.parametrize("status", [429, 503])
    def test_retry_after(self, status: int, text: str, seconds: float | None) -> None:
        # the local clock is wrong: the date is measured on the server's
        refused = answer(status, Retry_After=text, Date=DATE)

        assert seconds_to_wait(refused, now=0.0) == seconds

    def test_a_date_counts_in_gmt_wherever_this_machine_is(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TZ", "America/Los_Angeles")
        time.tzset()
        try:
            refused = answer(503, Retry_After="Wed, 01 Jul 2026 12:00:30 -0000", Date=DATE)
            assert seconds_to_wait(refused, now=0.0) == 30.0
        finally:
            monkeypatch.undo()
            time.tzset()

    def test_without_the_servers_date_the_local_clock_decides(self) -> None:
        refused = answer(503, Retry_After="Wed, 01 Jul 2026 12:00:30 GMT")

        assert seconds_to_wait(refused, now=NOON + 10) == 20.0

    @pytest.mark.parametrize("header", ["X_RateLimit_Reset", "RateLimit_Reset"])
    @pytest.mark.parametrize(
        ("text", "seconds"),
        [
            (str(int(NOON) + 25), 26.0),
            (str(int(NOON) - 25), 1.0),
            ("30", 31.0),
            ("0", 1.0),
            ("-1", None),
            ("later", None),
            ("", None),
        ],
    )
    def test_reset(self, header: str, text: str, seconds: float | None) -> None:
        refused = answer(429, Date=DATE, **{header: text})

        assert seconds_to_wait(refused, now=0.0) == seconds

    def test_reset_counts_with_a_429_only(self) -> None:
        assert seconds_to_wait(answer(503, X_RateLimit_Reset="30"), now=NOON) is None

    def test_retry_after_comes_before_reset(self) -> None:
        refused = answer(429, Retry_After="3", X_RateLimit_Reset="30")

        assert seconds_to_wait(refused, now=NOON) == 3.0

    @settings(deadline=None)
    @given(
        status=st.sampled_from([408, 429, 500, 503]),
        headers=st.dictionaries(
            st.sampled_from(["Retry-After", "X-RateLimit-Reset", "RateLimit-Reset", "Date"]),
            st.one_of(
                st.text(st.characters(max_codepoint=255), max_size=40),
                st.integers().map(str),
                st.floats().map(str),
                st.datetimes().map(lambda at: at.strftime("%a, %d %b %Y %H:%M:%S GMT")),
                st.datetimes().map(lambda at: at.strftime("%a, %d %b %Y %H:%M:%S -0000")),
            ),
        ),
    )
    def test_whatever_a_server_says_the_wait_has_bounds(
        self, status: int, headers: dict[str, str]
    ) -> None:
        naps: list[float] = []
        patience = Patience(attempts=3, longest_wait=300.0, sleep=naps.append)
        session = ApiSession("http://api.example.com", source="x", patience=patience)

        def reply() -> requests.Response:
            made = answer(status)
            made.headers.update(headers)
            return made

        scripted(session, reply)
        try:
            session.get("http://api.example.com/")
        except RateLimitError:
            assert status == 429

        assert len(naps) == 2
        assert all(0.0 <= nap <= 300.0 for nap in naps)
