"""Webhooks on the receiving side."""

from __future__ import annotations

import json
from typing import Any

import pytest

from roost import WebhookReceiver, WebhookSignatureError, sign_body

SECRET = "whsec_new"
WHEN = 1_735_689_600
EVENT = {
    "id": "evt_1",
    "event": "version.published",
    "occurredAt": "2025-01-01T00:00:00.000Z",
    "siteId": "site-1",
    "data": {"roostId": "rst_abc", "versionNumber": 7},
}


def _request(
    payload: Any = EVENT, *, delivery: str | None = "d-1", secret: str = SECRET, when: int = WHEN
) -> tuple[dict[str, str], bytes]:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    headers = {"Roost-Signature": sign_body(body, secret, timestamp_seconds=when)}
    if delivery is not None:
        headers["ROOST-Delivery"] = delivery
    return headers, body


def test_an_event() -> None:
    headers, body = _request()
    event = WebhookReceiver(SECRET).receive(headers, body, now=WHEN)
    assert event is not None
    assert (event.event, event.site_id, event.id) == ("version.published", "site-1", "evt_1")
    assert event.occurred_at == "2025-01-01T00:00:00.000Z"
    assert event.data["versionNumber"] == 7
    assert event.delivery_id == "d-1"
    assert event.raw == EVENT


def test_an_event_that_comes_twice_comes_once() -> None:
    receiver = WebhookReceiver([SECRET, "whsec_old"])
    assert receiver.receive(*_request(), now=WHEN)
    assert receiver.receive(*_request(when=WHEN + 15), now=WHEN + 15) is None
    assert receiver.receive(*_request(delivery="d-2", secret="whsec_old"), now=WHEN)
    again = receiver.receive(*_request(delivery="d-3"), now=WHEN)
    assert again
    receiver.forget(again)
    assert receiver.receive(*_request(delivery="d-3"), now=WHEN)


def test_without_a_delivery_its_own_id_tells() -> None:
    receiver = WebhookReceiver(SECRET)
    assert receiver.receive(*_request(delivery=None), now=WHEN)
    assert receiver.receive(*_request(delivery=None), now=WHEN) is None
    bare = {"event": "x"}
    for _ in range(2):  # there is nothing to tell it by
        event = receiver.receive(*_request(bare, delivery=None), now=WHEN)
        assert event
        receiver.forget(event)


def test_only_so_many_are_remembered() -> None:
    receiver = WebhookReceiver(SECRET, remembered=2)
    for delivery in ("a", "b", "c"):
        assert receiver.receive(*_request(delivery=delivery), now=WHEN)
    assert receiver.receive(*_request(delivery="b"), now=WHEN) is None
    assert receiver.receive(*_request(delivery="a"), now=WHEN)
    assert receiver.receive(*_request(delivery="c"), now=WHEN)


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({}, "missing_header"),
        ({"roost-signature": f"t={WHEN},v1=00"}, "bad_signature"),
        ({"roost-signature": "x"}, "malformed_header"),
    ],
)
def test_what_nobody_has_signed_is_refused(headers: dict[str, str], reason: str) -> None:
    receiver = WebhookReceiver(SECRET)
    with pytest.raises(WebhookSignatureError, match=reason) as caught:
        receiver.receive(headers, b"{}", now=WHEN)
    assert caught.value.reason == reason
    assert SECRET not in str(caught.value)


def test_an_event_is_not_remembered_before_its_signature_is_good() -> None:
    receiver = WebhookReceiver(SECRET)
    headers, body = _request(secret="whsec_wrong")
    with pytest.raises(WebhookSignatureError):
        receiver.receive(headers, body, now=WHEN)
    assert receiver.receive(*_request(), now=WHEN)


def test_the_time_that_is_let_pass() -> None:
    late = WHEN + 900
    with pytest.raises(WebhookSignatureError, match="out_of_tolerance"):
        WebhookReceiver(SECRET).receive(*_request(), now=late)
    assert WebhookReceiver(SECRET, tolerance_seconds=900).receive(*_request(), now=late)


@pytest.mark.parametrize("body", [b"", b"no JSON", b"[1]", b'"x"', b"\xff"])
def test_what_is_signed_but_no_event(body: bytes) -> None:
    with pytest.raises(ValueError, match="the body of the webhook is no JSON"):
        WebhookReceiver(SECRET).receive(*_request(body), now=WHEN)


def test_the_header_names_the_event_if_the_body_does_not() -> None:
    headers, body = _request({"data": {}})
    headers["Roost-Event"] = "machine.offline"
    event = WebhookReceiver(SECRET).receive(headers, body, now=WHEN)
    assert event
    assert event.event == "machine.offline"
