from __future__ import annotations

import gzip
import json
import pickle
import time
from typing import Any

import pytest
import requests
from packages.restarrow.tests.scripted_server import Asked, queued, reply, scripted

from opssim import Fault, RootlySimulator, serve
from restarrow.errors import (
    BodyError,
    ConfigurationError,
    RateLimitedError,
    StatusError,
    TransportError,
)
from restarrow.http import ApiKeyAuth, BearerAuth, Client, RetryPolicy, WireOptions
from restarrow.types import Request

_QUICK = RetryPolicy(attempts=3, limited_attempts=3, first_wait=0.01, max_wait=5)
_ITEMS = Request("GET", "/items", {"page": 2})
_IN_PATH = "/bots/s3cret.two/list"


def _client(url: str, **settings: Any) -> Client:
    settings.setdefault("retry", _QUICK)
    return Client(url, **settings)


# -- what is sent


def test_a_page() -> None:
    with (
        scripted(queued(reply([{"id": 1}], headers={"X-One": "1"}))) as server,
        _client(f"{server.url}/v1/") as client,
    ):
        page = client.fetch(Request("get", "/items", {"filter[a]": ["x y", None]}), 7)
        assert (page.number, page.status, page.body) == (7, 200, b'[{"id": 1}]')
        assert page.headers["x-ONE"] == "1"
        assert page.url == f"{server.url}/v1/items"
        (asked,) = server.asked
        assert (asked.method, asked.target) == ("GET", "/v1/items?filter%5Ba%5D=x+y")
        assert asked.headers["accept-encoding"] == "gzip, deflate"
        assert asked.headers["user-agent"] == "restarrow"
        assert client.counts.requests == 1
        assert client.counts.bytes == len(page.body)


@pytest.mark.parametrize(
    "body",
    [
        {"json": {"filter": [1, None, "é"], "page": {"offset": 0}}},
        {"json": []},
        {"json": {}},
        {"data": {"a": [1, 2], "b": None, "c": "x y"}},
        {"data": "text é"},
        {"data": b"\x00raw"},
        {"json": {"a": 1}, "headers": {"content-type": "application/vnd.api+json"}},
        {},
    ],
)
def test_bodies_are_sent_as_requests_sends_them(body: dict[str, Any]) -> None:
    with scripted(queued(reply([]))) as server:
        with _client(server.url) as client:
            client.fetch(Request("POST", "/x", **body))
        requests.post(f"{server.url}/x", timeout=5, **body)
        ours, theirs = server.asked
        assert ours.body.replace(b": ", b":") == theirs.body.replace(b": ", b":")
        for name in ("content-type", "content-length"):
            assert ours.headers.get(name) == theirs.headers.get(name)


def test_headers_of_a_request_come_before_those_of_the_client() -> None:
    with (
        scripted(queued(reply([]))) as server,
        _client(server.url, headers={"X-A": "1", "X-B": "1", "User-Agent": "me"}) as client,
    ):
        client.fetch(Request("GET", "/", headers={"x-a": "2"}))
        sent = server.asked[0].headers
        assert (sent["x-a"], sent["x-b"], sent["user-agent"]) == ("2", "1", "me")


@pytest.mark.parametrize("value", ["s3cret\r\nX-Evil: 1", "s3cret\n", "s3crét", "s3cret\x00"])
def test_a_header_that_http_cannot_carry_is_named_but_not_shown(value: str) -> None:
    with scripted(queued(reply([]))) as server:
        for settings in ({"headers": {"X-Key": value}}, {"auth": ApiKeyAuth(value, name="X-Key")}):
            with (
                _client(server.url, **settings) as client,
                pytest.raises(ConfigurationError, match="X-Key") as caught,
            ):
                client.fetch(_ITEMS)
            assert "s3cr" not in str(caught.value)
        assert server.asked == []


@pytest.mark.parametrize("url", ["", "api.example.com", "ftp://h", "https://"])
def test_a_base_url_must_be_one(url: str) -> None:
    with pytest.raises(ConfigurationError, match="https://"):
        Client(url)


def test_cookies_are_kept() -> None:
    answer = reply([], headers={"Set-Cookie": "node=7; Path=/"})
    with scripted(queued(answer)) as server, _client(server.url) as client:
        client.fetch(_ITEMS)
        client.fetch(_ITEMS)
        assert [each.headers.get("cookie") for each in server.asked] == [None, "node=7"]


def test_one_connection_serves_many_pages() -> None:
    with scripted(queued(reply([]))) as server, _client(server.url) as client:
        for _ in range(20):
            client.fetch(_ITEMS)
        assert server.connections == 1


# -- trying again


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_what_passes_is_tried_again(status: int) -> None:
    with (
        scripted(queued(reply({}, status), reply([1]))) as server,
        _client(server.url) as client,
    ):
        assert client.fetch(_ITEMS).body == b"[1]"
        assert client.counts.retries == 1
        assert client.counts.limited == int(status == 429)


@pytest.mark.parametrize("status", [304, 400, 403, 404, 409, 410, 422, 501, 505])
def test_what_stays_is_told_at_once(status: int) -> None:
    body = {"errors": [{"detail": "no such thing"}]}
    with scripted(queued(reply(body, status))) as server, _client(server.url) as client:
        with pytest.raises(StatusError, match=f"GET /items, page 4: .*{status}") as caught:
            client.fetch(_ITEMS, 4)
        assert caught.value.status == status
        assert json.loads(caught.value.excerpt or "{}") in ({}, body)
        assert (caught.value.attempts, len(server.asked)) == (1, 1)


def test_a_server_that_stays_down_is_given_up() -> None:
    with scripted(queued(reply(b"maintenance", 503))) as server, _client(server.url) as client:
        with pytest.raises(StatusError, match=r"page 0, after 3 attempts: .*503: maintenance"):
            client.fetch(_ITEMS)
        assert len(server.asked) == 3


def test_a_post_is_tried_again_with_its_body() -> None:
    with (
        scripted(queued(reply({}, 503), b"", reply([1]))) as server,
        _client(server.url) as client,
    ):
        client.fetch(Request("POST", "/list", json={"page": {"offset": 5}}))
        assert [each.body for each in server.asked] == 3 * [b'{"page": {"offset": 5}}']


def test_a_connection_that_is_cut_is_tried_again() -> None:
    with scripted(queued(reply([0]), b"", reply([1]))) as server, _client(server.url) as client:
        client.fetch(_ITEMS)
        began = time.monotonic()
        assert client.fetch(_ITEMS).body == b"[1]"
        assert time.monotonic() - began < 0.5


def test_no_connection_at_all() -> None:
    with (
        _client("http://127.0.0.1:9") as client,
        pytest.raises(TransportError, match=r"after 3 attempts: no connection .*refused") as caught,
    ):
        client.fetch(_ITEMS)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_a_slow_answer_times_out() -> None:
    def answer(_asked: Asked) -> bytes:
        time.sleep(0.5)
        return reply([])

    with (
        scripted(answer) as server,
        _client(
            server.url, retry=RetryPolicy(attempts=1), options=WireOptions(timeout=0.1)
        ) as client,
        pytest.raises(TransportError, match=r"no answer within 0\.1 seconds"),
    ):
        client.fetch(_ITEMS)


def test_retry_after_is_kept_to() -> None:
    with (
        scripted(queued(reply({}, 503, {"Retry-After": "1"}), reply([]))) as server,
        _client(server.url) as client,
    ):
        began = time.monotonic()
        client.fetch(_ITEMS)
        assert 1 <= time.monotonic() - began < 2


@pytest.mark.parametrize("status", [429, 503])
def test_a_wait_that_is_too_long_is_not_begun(status: int) -> None:
    answer = reply({"error": "later"}, status, {"Retry-After": "3600"})
    with scripted(queued(answer)) as server, _client(server.url) as client:
        with pytest.raises(StatusError, match=r"3600 seconds, more than max_wait \(5\)") as caught:
            client.fetch(_ITEMS)
        assert len(server.asked) == 1
    if status == 429:
        assert isinstance(caught.value, RateLimitedError)
        assert pickle.loads(pickle.dumps(caught.value)).wait == 3600


def test_the_epoch_of_rootly_is_no_wait_of_fifty_years() -> None:
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + 1)}
    with (
        scripted(queued(reply({}, 429, headers), reply([]))) as server,
        _client(server.url) as client,
    ):
        began = time.monotonic()
        client.fetch(_ITEMS)
        assert time.monotonic() - began < 2.5


def test_429_without_end() -> None:
    with scripted(queued(reply({"error": "slow"}, 429))) as server, _client(server.url) as client:
        with pytest.raises(RateLimitedError, match="after 3 attempts: too many requests") as caught:
            client.fetch(_ITEMS)
        assert caught.value.wait is None
        assert client.counts.limited == 2


def test_statuses_that_are_accepted_come_back_as_pages() -> None:
    request = Request("GET", "/items", accept=frozenset({401, 404, 503}))
    for status, body in ((404, b"<html>none"), (503, b"x" * 100_000), (401, b"{}")):
        with (
            scripted(queued(reply(body, status))) as server,
            _client(server.url, auth=BearerAuth("t0ken")) as client,
        ):
            page = client.fetch(request)
            assert (page.status, page.body, len(server.asked)) == (status, body, 1)


# -- bodies


def test_a_truncated_body_is_fetched_again() -> None:
    with (
        scripted(queued(reply([1, 2], length=50), reply([1, 2]))) as server,
        _client(server.url) as client,
    ):
        assert client.fetch(_ITEMS).body == b"[1, 2]"


def test_a_body_that_stays_truncated_is_told_with_its_length() -> None:
    with (
        scripted(queued(reply(b"0123456789", length=500))) as server,
        _client(server.url) as client,
    ):
        with pytest.raises(
            BodyError, match=r"page 2, after 3 attempts: .*10 of 500 bytes"
        ) as caught:
            client.fetch(_ITEMS, 2)
        assert (caught.value.reason, caught.value.offset) == ("truncated", 10)
        assert caught.value.__context__ is None


def test_a_chunked_body_that_ends_too_early() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    with (
        scripted(queued(head + b"5\r\n[1, 2\r\n", head + b"3\r\n[1]\r\n0\r\n\r\n")) as server,
        _client(server.url) as client,
    ):
        assert client.fetch(_ITEMS).body == b"[1]"
        assert len(server.asked) == 2


def test_a_compressed_body() -> None:
    body = json.dumps(list(range(5000))).encode()
    packed = reply(gzip.compress(body), headers={"Content-Encoding": "gzip"})
    cut = reply(gzip.compress(body)[:-9], headers={"Content-Encoding": "gzip"}, close=True)
    with scripted(queued(cut, packed)) as server, _client(server.url) as client:
        assert client.fetch(_ITEMS).body == body
        assert client.counts.bytes == len(body)
        assert len(server.asked) == 2


@pytest.mark.parametrize(
    "answer",
    [
        reply(b"x" * 5001),
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"x" * 5001,
        reply(gzip.compress(bytes(5001)), headers={"Content-Encoding": "gzip"}),
    ],
    ids=["told", "to the end", "packed"],
)
def test_a_body_that_is_too_large_is_not_read_to_its_end(answer: bytes) -> None:
    with (
        scripted(queued(answer)) as server,
        _client(server.url, options=WireOptions(max_body=5000)) as client,
    ):
        with pytest.raises(BodyError, match=r"page 0: .*5,000 bytes.*max_body") as caught:
            client.fetch(_ITEMS)
        assert caught.value.reason == "too large"
        assert len(server.asked) == 1


def test_a_body_that_drips_is_given_up() -> None:
    retry, options = RetryPolicy(attempts=1), WireOptions(body_seconds=0)
    with (
        scripted(queued(reply(b"x" * 1_000_000))) as server,
        _client(server.url, retry=retry, options=options) as client,
        pytest.raises(TransportError, match="not complete after 0 seconds: ask for smaller pages"),
    ):
        client.fetch(_ITEMS)


def test_a_page_of_html() -> None:
    html = reply(b"<!DOCTYPE html>\n<p>Log in", headers={"Content-Type": "text/html"})
    with (
        scripted(queued(html)) as server,
        _client(server.url) as client,
        pytest.raises(BodyError, match=r"GET /items, page 0: the body is text/html.*DOCTYPE"),
    ):
        client.fetch(_ITEMS)


def test_faults_of_a_simulator_are_outlived() -> None:
    headers = {"Content-Type": "application/vnd.api+json"}
    with serve(RootlySimulator(incidents=20)) as rootly:
        request = Request("GET", "/v1/incidents", {"page[size]": 20}, headers=headers)
        auth = BearerAuth(rootly.simulator.token)
        with _client(
            rootly.url, auth=auth, retry=RetryPolicy(attempts=9, first_wait=0.01)
        ) as client:
            whole = client.fetch(request).body
            rootly.simulator.faults.add(Fault(cut=True, every=2))
            rootly.simulator.faults.add(Fault(truncate=100, every=3))
            rootly.simulator.faults.add(Fault(status=502, every=4))
            for _ in range(12):
                assert client.fetch(request).body == whole
            assert client.counts.retries >= 12
