"""Webhooks: who is told of what, what is really sent, how it is signed, and what comes again."""

from __future__ import annotations

import hashlib
import hmac
import threading
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import httpx
import pytest
from owlette_client import Room, code_of, opened

from opssim import OwletteHabits

HOOKS: Final = "/api/webhooks"
QUERY: Final = "?siteId=site-1"
SAMPLE: Final = "wh_sample000000000001"
FAR: Final = "https://hooks.example.com/x"


@pytest.fixture(scope="module")
def room() -> Generator[Room]:
    with opened(webhook_delay_s=0.05) as running:
        yield running


@dataclass
class Receiver:
    """Answers what it is told to, the last status for ever, and keeps what it was sent."""

    url: str = ""
    statuses: list[int] = field(default_factory=lambda: [200])
    heard: list[tuple[dict[str, str], bytes]] = field(
        default_factory=list[tuple[dict[str, str], bytes]]
    )

    def take(self, headers: dict[str, str], body: bytes) -> int:
        self.heard.append((headers, body))
        return self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]


@pytest.fixture
def receiver() -> Generator[Receiver]:
    it = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(it.take(dict(self.headers.items()), body))
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        it.url = f"http://127.0.0.1:{server.server_port}/hook"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield it
        server.shutdown()
        thread.join()


def subscribed(room: Room, url: str = FAR, **changes: Any) -> dict[str, Any]:
    event = "quota.warning" if url == FAR else "machine.offline"
    body = {"url": url, "events": [event], **changes}
    answer = room.ask("POST", HOOKS + QUERY, body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def path_of(webhook: Mapping[str, Any], tail: str = "") -> str:
    return f"{HOOKS}/{webhook['id']}{tail}{QUERY}"


def happen(room: Room) -> None:
    """Let a machine go offline, which is an event, and come back."""
    room.simulator.set_online("m-02", online=False)
    room.simulator.set_online("m-02", online=True)


def settled(
    room: Room, webhook: Mapping[str, Any], is_so: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    """Wait until the latest delivery of a webhook is so, and return it as a whole."""
    deadline = time.monotonic() + 20
    while True:
        rows = room.ask("GET", path_of(webhook, "/deliveries")).json()["deliveries"]
        if rows and is_so(rows[0]):
            return dict(room.ask("GET", path_of(webhook, f"/deliveries/{rows[0]['id']}")).json())
        assert time.monotonic() < deadline, rows
        time.sleep(0.02)


def ended(delivery: Mapping[str, Any]) -> bool:
    return bool(delivery["state"] != "pending")


def check_signature(headers: Mapping[str, str], body: bytes, secret: str) -> None:
    stamp, signature = headers["Roost-Signature"].split(",")
    seconds = stamp.removeprefix("t=")
    assert abs(time.time() - int(seconds)) < 60
    expected = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256)
    assert signature == f"v1={expected.hexdigest()}"


def test_a_subscription_shows_its_secret_once(room: Room) -> None:
    made = subscribed(room, description="lobby")
    assert set(made) == {
        *("id", "siteId", "url", "events", "paused", "createdAt", "signingSecret"),
        "description",
    }
    assert (made["id"][:3], len(made["id"])) == ("wh_", 21)
    assert (made["signingSecret"][:6], len(made["signingSecret"])) == ("whsec_", 70)
    assert (made["paused"], made["description"]) == (False, "lobby")
    row = room.ask("GET", path_of(made)).json()
    assert set(row) == {
        *("id", "url", "events", "description", "createdAt", "updatedAt", "paused"),
        *("lastDeliveryAt", "lastDeliveryStatus", "failureCount"),
    }
    assert row in room.ask("GET", f"{HOOKS}{QUERY}&page_size=100").json()["webhooks"]
    assert "description" not in subscribed(room)


def test_a_webhook_is_changed_by_what_is_given(room: Room) -> None:
    made = subscribed(room)
    changed = room.ask("PATCH", path_of(made), {"paused": True, "events": ["chunk.verify_failed"]})
    assert changed.status_code == 200
    row = changed.json()
    assert (row["paused"], row["events"], row["url"]) == (True, ["chunk.verify_failed"], FAR)
    assert room.ask("GET", path_of(made)).json() == row
    assert code_of(room.ask("PATCH", path_of(made), {}), 400) == "validation_failed"


def test_a_deleted_webhook_is_hidden_and_may_be_deleted_again(room: Room) -> None:
    made = subscribed(room)
    for _ in range(2):
        told = room.ask("DELETE", path_of(made)).json()
        assert (told["id"], told["siteId"], told["softDeleted"]) == (made["id"], "site-1", True)
        assert told["tombstoneExpiresAt"].endswith("Z")
    assert code_of(room.ask("GET", path_of(made)), 404) == "not_found"
    rows = room.ask("GET", f"{HOOKS}{QUERY}&page_size=100").json()["webhooks"]
    assert made["id"] not in {each["id"] for each in rows}
    absent = path_of({"id": "wh_absent"})
    assert room.ask("DELETE", absent).status_code == 404


def test_subscriptions_are_kept_apart_by_site(room: Room) -> None:
    made = subscribed(room)
    elsewhere = f"{HOOKS}/{made['id']}?siteId=site-2"
    assert code_of(room.ask("GET", elsewhere), 404) == "not_found"
    assert room.ask("GET", f"{HOOKS}?siteId=site-2").json()["webhooks"] == []


@pytest.mark.parametrize("event", ["roost.created", "machine.exploded", "distribution.queued"])
def test_only_events_of_the_catalogue_can_be_had(room: Room, event: str) -> None:
    made = subscribed(room)
    body = {"url": FAR, "events": ["machine.online", event]}
    for method, path in (("POST", HOOKS + QUERY), ("PATCH", path_of(made))):
        assert code_of(room.ask(method, path, body), 400) == "validation_failed"
    probe = room.ask("POST", f"{HOOKS}/probe{QUERY}", {"url": FAR, "event": event})
    assert code_of(probe, 400) == "validation_failed"


@pytest.fixture(scope="module")
def strict() -> Generator[Room]:
    with opened(habits=OwletteHabits.strict()) as running:
        yield running


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://hooks.example.com/x", "bad_scheme"),
        ("https://hooks.example.com:9999/x", "bad_port"),
        ("https://127.0.0.1/x", "private_ip"),
        ("https://10.1.2.3/x", "private_ip"),
        ("https://169.254.169.254/latest", "private_ip"),
        ("https://[::1]/x", "private_ip"),
        ("https://localhost/x", "private_ip"),
        ("no url", "validation_failed"),
        ("", "validation_failed"),
        (f"https://hooks.example.com/{'x' * 2048}", "validation_failed"),
    ],
)
def test_the_real_owlette_delivers_to_public_hosts_over_https(
    strict: Room, url: str, code: str
) -> None:
    body = {"url": url, "events": ["machine.online"]}
    assert code_of(strict.ask("POST", HOOKS + QUERY, body), 400) == code
    probe = {"url": url, "event": "machine.online"}
    assert code_of(strict.ask("POST", f"{HOOKS}/probe{QUERY}", probe), 400) == code


@pytest.mark.parametrize("port", ["", ":80", ":443", ":8080", ":8443"])
def test_four_ports_are_good(strict: Room, port: str) -> None:
    body = {"url": f"https://hooks.example.com{port}/x", "events": ["machine.online"]}
    assert strict.ask("POST", HOOKS + QUERY, body).status_code == 201


def test_an_event_is_sent_signed_and_kept(room: Room, receiver: Receiver) -> None:
    made = subscribed(room, receiver.url)
    happen(room)
    delivery = settled(room, made, ended)
    ((headers, body),) = receiver.heard
    check_signature(headers, body, made["signingSecret"])
    assert headers["Content-Type"] == "application/json"
    assert headers["Roost-Event"] == "machine.offline"
    assert headers["Roost-Delivery"] == delivery["id"]
    envelope = httpx.Response(200, content=body).json()
    assert set(envelope) == {"event", "siteId", "occurredAt", "data"}
    assert (envelope["event"], envelope["siteId"]) == ("machine.offline", "site-1")
    assert set(envelope["data"]) == {"machineId", "siteId", "name", "lastHeartbeat"}
    assert (delivery["state"], delivery["attempt"], delivery["lastStatus"]) == ("succeeded", 1, 200)
    assert (delivery["webhookId"], delivery["nextAttemptAt"]) == (made["id"], None)
    assert delivery["request"]["url"] == receiver.url
    assert delivery["request"]["body"].encode() == body
    assert set(delivery["response"]) == {"status", "headers", "body", "durationMs"}
    assert delivery["response"]["body"] == "ok"
    row = room.ask("GET", path_of(made)).json()
    assert (row["lastDeliveryStatus"], row["failureCount"]) == ("succeeded", 0)
    room.ask("DELETE", path_of(made))


def test_a_delivery_that_fails_comes_again_under_the_same_id(
    room: Room, receiver: Receiver
) -> None:
    receiver.statuses = [500, 429, 204]
    made = subscribed(room, receiver.url)
    happen(room)
    delivery = settled(room, made, ended)
    assert (delivery["state"], delivery["attempt"], delivery["lastStatus"]) == ("succeeded", 3, 204)
    assert [headers["Roost-Delivery"] for headers, _ in receiver.heard] == [delivery["id"]] * 3
    assert len({body for _, body in receiver.heard}) == 1
    for headers, body in receiver.heard:
        check_signature(headers, body, made["signingSecret"])
    room.ask("DELETE", path_of(made))


@pytest.mark.parametrize("status", [410, 404, 302])
def test_a_receiver_that_refuses_is_not_asked_again(
    room: Room, receiver: Receiver, status: int
) -> None:
    receiver.statuses = [status]
    made = subscribed(room, receiver.url)
    happen(room)
    delivery = settled(room, made, ended)
    assert (delivery["state"], delivery["attempt"]) == ("failed", 1)
    assert (delivery["lastStatus"], delivery["nextAttemptAt"]) == (status, None)
    assert len(receiver.heard) == 1
    assert room.ask("GET", path_of(made)).json()["failureCount"] == 1
    room.ask("DELETE", path_of(made))


def test_after_ten_attempts_it_is_given_up(receiver: Receiver) -> None:
    receiver.statuses = [500]
    with opened(webhook_delay_s=0.0001) as room:
        made = subscribed(room, receiver.url)
        happen(room)
        delivery = settled(room, made, ended)
    assert (delivery["state"], delivery["attempt"]) == ("failed", 10)
    assert delivery["lastError"] == "retry_exhausted"
    assert len(receiver.heard) == 10


def test_paused_webhooks_are_told_nothing(room: Room, receiver: Receiver) -> None:
    paused = subscribed(room, receiver.url)
    room.ask("PATCH", path_of(paused), {"paused": True})
    awake = subscribed(room, receiver.url)
    happen(room)
    settled(room, awake, ended)
    assert room.ask("GET", path_of(paused, "/deliveries")).json()["deliveries"] == []
    room.ask("DELETE", path_of(awake))


def test_a_new_secret_signs_at_once(room: Room, receiver: Receiver) -> None:
    made = subscribed(room, receiver.url)
    rotated = room.ask("POST", path_of(made, "/rotate-secret"), {}).json()
    assert set(rotated) == {
        *("id", "siteId", "signingSecret", "previousSecretValidUntil", "gracePeriodHours"),
        "rotatedAt",
    }
    assert rotated["gracePeriodHours"] == 24
    assert rotated["signingSecret"] != made["signingSecret"]
    happen(room)
    settled(room, made, ended)
    check_signature(*receiver.heard[0], rotated["signingSecret"])
    room.ask("DELETE", path_of(made))


def test_a_delivery_is_sent_once_more_when_asked(room: Room, receiver: Receiver) -> None:
    made = subscribed(room, receiver.url)
    happen(room)
    first = settled(room, made, ended)
    answer = room.ask("POST", path_of(made, f"/deliveries/{first['id']}/retry"), {})
    assert answer.status_code == 202
    told = answer.json()
    assert set(told) == {"id", "webhookId", "siteId", "retryOf", "state", "nextAttemptAt"}
    assert (told["retryOf"], told["state"]) == (first["id"], "pending")
    again = settled(room, made, lambda each: ended(each) and bool(each["id"] == told["id"]))
    assert again["state"] == "succeeded"
    assert receiver.heard[0][1] == receiver.heard[1][1]
    absent = path_of(made, "/deliveries/dlv_absent")
    assert code_of(room.ask("GET", absent), 404) == "not_found"
    room.ask("DELETE", path_of(made))


def test_deliveries_are_told_for_thirty_days() -> None:
    with opened() as room:
        page = room.ask("GET", path_of({"id": SAMPLE}, "/deliveries")).json()
        assert set(page) == {"deliveries", "next_page_token", "nextPageToken"}
        (row,) = page["deliveries"]
        assert set(row) == {
            *("id", "event", "state", "attempt", "lastStatus", "lastError", "createdAt"),
            *("completedAt", "nextAttemptAt"),
        }
        room.simulator.skip(31 * 24 * 3600)
        page = room.ask("GET", path_of({"id": SAMPLE}, "/deliveries")).json()
        assert page["deliveries"] == []


@pytest.mark.parametrize("status", [200, 500])
def test_a_probe_sends_at_once_and_tells_what_came_back(
    room: Room, receiver: Receiver, status: int
) -> None:
    receiver.statuses = [status]
    secret = "s" * 32
    body = {
        "url": receiver.url,
        "event": "quota.warning",
        "payload": {"threshold": 0.8},
        "signingSecret": secret,
    }
    answer = room.ask("POST", f"{HOOKS}/probe{QUERY}", body)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    ((headers, sent),) = receiver.heard
    check_signature(headers, sent, secret)
    assert told["signature"] == headers["Roost-Signature"]
    assert (told["status"], told["responseBody"], told["signingSecret"]) == (status, "ok", secret)
    assert told["requestBody"].encode() == sent
    assert told["deliveryId"] == headers["Roost-Delivery"]
    assert headers["User-Agent"] == "roost-probe/1.0"
    envelope = httpx.Response(200, content=sent).json()
    assert list(envelope) == ["data", "event", "id", "occurredAt", "siteId"]
    assert (envelope["id"][:10], envelope["data"]) == ("evt_probe_", {"threshold": 0.8})


def test_a_probe_of_nobody_tells_of_the_network(room: Room) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        url = f"http://127.0.0.1:{server.server_port}/"
    told = room.ask("POST", f"{HOOKS}/probe{QUERY}", {"url": url, "event": "quota.warning"}).json()
    assert told["status"] is None
    assert told["networkError"]
    assert told["signingSecret"].startswith("whsec_")
    short = {"url": url, "event": "quota.warning", "signingSecret": "s" * 31}
    answer = room.ask("POST", f"{HOOKS}/probe{QUERY}", short)
    assert code_of(answer, 400) == "validation_failed"
