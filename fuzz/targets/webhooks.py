"""Webhooks and streams: signatures are hmac's, and a stream is the same wherever it is cut."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

from fuzz.taking import Taker
from roost import StreamError, WebhookEvent, WebhookReceiver, WebhookSignatureError
from roost._streaming import ChatParser, EventParser
from roost.signature import sign_body, verify_signature

ALLOWED = (StreamError, WebhookSignatureError, ValueError)

SECRET = "a secret for tests"
NOW = 1_700_000_000


def one(data: bytes) -> None:
    """Verify a header, receive a body, and read it as both kinds of stream."""
    taker = Taker(data)
    size = taker.byte() + 1
    header = taker.line().decode("latin-1")
    body = taker.rest()
    _verify(header, body)
    _receive(body)
    assert _events([body]) == _events(_cut(body, size))
    assert _chat([body]) == _chat(_cut(body, size))


def _verify(header: str, body: bytes) -> None:
    signed = hmac.new(SECRET.encode(), f"{NOW}.".encode() + body, hashlib.sha256).hexdigest()
    assert sign_body(body, SECRET, timestamp_seconds=NOW) == f"t={NOW},v1={signed}"
    assert verify_signature(f"t={NOW},v1={signed}", body, SECRET, now=NOW).ok
    assert not verify_signature(f"t={NOW},v1={signed}", body + b"x", SECRET, now=NOW).ok
    for told in (header, header.replace("?", signed)):
        result = verify_signature(told, body, SECRET, now=NOW)
        if result.ok:
            parts = [part.strip().partition("=") for part in told.split(",")]
            stamps = [value.strip() for name, _, value in parts if name.strip() == "t"]
            digest = hmac.new(SECRET.encode(), f"{stamps[-1]}.".encode() + body, hashlib.sha256)
            assert digest.hexdigest() in told.lower()
            assert abs(float(stamps[-1]) - NOW) <= 300


def _receive(body: bytes) -> None:
    header = sign_body(body, SECRET, timestamp_seconds=NOW)
    receiver = WebhookReceiver(SECRET)
    try:
        event = receiver.receive({"Roost-Signature": header}, body, now=NOW)
    except WebhookSignatureError as error:
        msg = "what was signed is refused"
        raise AssertionError(msg) from error
    except ALLOWED:
        return
    assert isinstance(event, WebhookEvent)


def _cut(body: bytes, size: int) -> list[bytes]:
    return [body[at : at + size] for at in range(0, len(body), size)]


def _events(parts: Iterable[bytes]) -> list[str]:
    parser = EventParser()
    return [repr(event) for part in parts for event in parser.feed(part)]


def _chat(parts: Iterable[bytes]) -> list[str]:
    parser = ChatParser()
    said: list[str] = []
    try:
        for part in parts:
            said.extend(parser.feed(part))
        said.extend(parser.close())
    except ALLOWED as error:
        said.append(str(error))
    return ["".join(said)]
