"""Conversations, the two ways in which their answers come, and the stream of events."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from typing import Any, Final

import httpx
import pytest
from owlette_client import Room, code_of, opened

from opssim import OwletteHabits

CHATS: Final = "/api/cortex/conversations"
HELLO: Final = {"role": "user", "content": 'Grüße, "wie" geht\'s? 🦉'}


@pytest.fixture(scope="module")
def room() -> Generator[Room]:
    with opened() as running:
        yield running


def begun(room: Room, **body: Any) -> dict[str, Any]:
    answer = room.ask("POST", CHATS, body)
    assert answer.status_code == 201, answer.text
    assert answer.json()["ok"] is True
    return dict(answer.json()["data"])


def path_of(conversation: Mapping[str, Any]) -> str:
    return f"{CHATS}/{conversation['conversationId']}"


def ids(room: Room, query: str = "", **more: Any) -> list[str]:
    data = room.ask("GET", f"{CHATS}{query}", **more).json()["data"]
    return [each["conversationId"] for each in data["conversations"]]


def test_a_conversation_is_about_a_site_and_maybe_a_machine(room: Room) -> None:
    chat = begun(room, siteId="site-2", machineId="w-01", title="night shift")
    assert set(chat) == {
        *("conversationId", "title", "siteId", "machineId", "ownerUid", "createdAt"),
        *("updatedAt", "messageCount", "messages"),
    }
    assert chat["conversationId"].startswith("conv_")
    assert (chat["siteId"], chat["machineId"]) == ("site-2", "w-01")
    assert (chat["title"], chat["ownerUid"], chat["messages"]) == ("night shift", "usr_owner", [])


def test_a_conversation_needs_nothing_and_may_begin_with_a_message(room: Room) -> None:
    assert begun(room)["title"] == "untitled chat"
    assert "machineId" not in begun(room)
    chat = begun(room, siteId="site-1", initial_message=HELLO)
    assert (chat["messageCount"], chat["messages"]) == (1, [HELLO])


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"colour": "red"}, 400, "forbidden_field"),
        ({"title": "t" * 101}, 400, "validation_failed"),
        ({"title": " "}, 400, "validation_failed"),
        ({"siteId": "absent"}, 404, "not_found"),
    ],
)
def test_a_conversation_that_cannot_be_is_refused(
    room: Room, body: dict[str, Any], status: int, code: str
) -> None:
    assert code_of(room.ask("POST", CHATS, body), status) == code


def test_to_begin_and_to_say_something_need_a_key_for_repeats(room: Room) -> None:
    bare = {"Idempotency-Key": ""}
    for path, body in ((CHATS, {}), (path_of(begun(room)), HELLO)):
        answer = room.ask("POST", path, body, headers=bare)
        assert code_of(answer, 400) == "idempotency_key_required"


def test_chats_need_their_scope_on_the_site(room: Room) -> None:
    scope = {"resource": "chat", "id": "site-1", "permissions": ["write"]}
    key = room.simulator.new_key(scope)
    assert room.ask("POST", CHATS, {"siteId": "site-1"}, key=key).status_code == 201
    answer = room.ask("POST", CHATS, {"siteId": "site-2"}, key=key)
    assert code_of(answer, 403) == "scope_insufficient"
    required = {"resource": "chat", "id": "site-2", "permission": "write"}
    assert answer.json()["required"] == required


def test_conversations_are_listed_latest_first_and_the_size_is_clamped() -> None:
    with opened() as room:
        made = [begun(room)["conversationId"] for _ in range(26)]
        data = room.ask("GET", CHATS).json()["data"]
        assert len(data["conversations"]) == 25
        assert data["next_page_token"] == data["nextPageToken"] == made[1]
        assert "messages" not in data["conversations"][0]
        assert ids(room, "?page_size=1000") == made[::-1]
        assert ids(room, "?page_size=0") == made[:-2:-1]
        assert ids(room, f"?page_token={made[1]}") == [made[0]]


def test_everybody_sees_their_own_conversations_and_superadmins_all(room: Room) -> None:
    member = room.simulator.new_key(uid="usr_member")
    mine = room.ask("POST", CHATS, {"siteId": "site-1"}, key=member).json()["data"]
    assert ids(room, key=member) == [mine["conversationId"]]
    assert mine["conversationId"] not in ids(room, "?page_size=100")
    assert mine["conversationId"] in ids(room, "?page_size=100&owner=all")
    foreign = path_of(begun(room, siteId="site-1"))
    for method, body in (("POST", HELLO), ("PATCH", {"title": "x"}), ("DELETE", None)):
        answer = room.ask(method, foreign, body, key=member)
        assert code_of(answer, 404) == "conversation_not_found"


def test_a_conversation_is_renamed_and_deleted(room: Room) -> None:
    chat = begun(room)
    path, chat_id = path_of(chat), chat["conversationId"]
    renamed = room.ask("PATCH", path, {"title": "lobby"}).json()
    assert renamed == {"ok": True, "data": {"conversationId": chat_id, "title": "lobby"}}
    told = [room.ask("DELETE", path).json()["data"] for _ in range(2)]
    assert told == [
        {"conversationId": chat_id, "alreadyDeleted": False},
        {"conversationId": chat_id, "alreadyDeleted": True},
    ]
    assert code_of(room.ask("POST", path, HELLO), 404) == "conversation_not_found"
    assert chat_id not in ids(room, "?page_size=100")
    assert chat_id in ids(room, "?page_size=100&includeDeleted=true")


def answered(room: Room) -> tuple[httpx.Response, str]:
    chat = begun(room, siteId="site-1", machineId="m-01")
    answer = room.ask("POST", path_of(chat), HELLO)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["X-Vercel-AI-Data-Stream"] == "v1"
    listed = room.ask("GET", f"{CHATS}?page_size=100").json()["data"]["conversations"]
    row = next(each for each in listed if each["conversationId"] == chat["conversationId"])
    assert row["messageCount"] == 2
    return answer, answer.content.decode("utf-8")


def test_keys_are_answered_in_server_sent_events(room: Room) -> None:
    _, text = answered(room)
    frames = text.split("\n\n")
    assert frames.pop() == ""
    assert all(each.startswith("data: ") for each in frames)
    assert frames.pop() == "data: [DONE]"
    parts = [json.loads(each.removeprefix("data: ")) for each in frames]
    kinds = [each["type"] for each in parts]
    assert kinds[:2] == ["start", "text-start"]
    assert kinds[-2:] == ["text-end", "finish"]
    deltas = [each["delta"] for each in parts if each["type"] == "text-delta"]
    assert len(deltas) > 1
    assert HELLO["content"] in "".join(deltas)


def test_the_documentation_is_answered_in_prefixed_lines() -> None:
    habits = OwletteHabits(limit_rates=False, ui_stream=False)
    with opened(habits=habits) as room:
        _, text = answered(room)
        *lines, end, empty = text.split("\n")
        assert end.startswith("d:{")
        assert empty == ""
        assert all(each.startswith("0:") for each in lines)
        assert HELLO["content"] in "".join(json.loads(each[2:]) for each in lines)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({**HELLO, "model": "other"}, "forbidden_field"),
        ({"role": "user"}, "validation_failed"),
        ({"role": "system", "content": "x"}, "validation_failed"),
        ({"role": "user", "content": ""}, "validation_failed"),
    ],
)
def test_only_users_say_something_and_nothing_beside_it(
    room: Room, body: dict[str, Any], code: str
) -> None:
    assert code_of(room.ask("POST", path_of(begun(room)), body), 400) == code


def test_machines_that_cannot_answer_say_why() -> None:
    with opened() as room:
        path = path_of(begun(room, siteId="site-1", machineId="m-01"))
        room.simulator.set_online("m-01", online=False)
        assert code_of(room.ask("POST", path, HELLO), 503) == "cortex_unavailable"
        room.simulator.set_online("m-01", online=True)
        switch = "/api/sites/site-1/machines/m-01/cortex-enabled"
        room.ask("PATCH", switch, {"enabled": False})
        assert code_of(room.ask("POST", path, HELLO), 423) == "cortex_unavailable"
        room.ask("PATCH", switch, {"enabled": True})
        assert room.ask("POST", path, HELLO).status_code == 200
        nowhere = path_of(begun(room, siteId="site-1", machineId="m-99"))
        assert code_of(room.ask("POST", nowhere, HELLO), 400) == "cortex_unavailable"


# ---- the stream of events


def test_the_stream_of_events_says_that_it_is_connected(room: Room) -> None:
    path = "/api/events/stream?siteId=site-1&events=machine.online,version.published"
    headers = {"Authorization": f"Bearer {room.simulator.key}"}
    with room.http.stream("GET", path, headers=headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        lines = answer.iter_lines()
        assert next(lines) == "event: connected"
        raw = next(lines).removeprefix("data: ")
    assert '"transportOnly":true' in raw
    data = json.loads(raw)
    assert (data["siteId"], data["events"]) == ("site-1", ["machine.online", "version.published"])
    assert (data["keepaliveIntervalMs"], data["maxDurationMs"]) == (15_000, 1_800_000)
    assert data["startedAt"].endswith("Z")


@pytest.mark.parametrize("event", ["roost.created", "machine.exploded"])
def test_there_is_no_stream_of_unknown_events(room: Room, event: str) -> None:
    answer = room.ask("GET", f"/api/events/stream?siteId=site-1&events=machine.online,{event}")
    assert code_of(answer, 400) == "validation_failed"
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert room.ask("GET", "/api/events/stream").status_code == 400
