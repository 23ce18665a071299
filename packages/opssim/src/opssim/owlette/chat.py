"""Cortex: conversations about a site's machines, with answers that come bit by bit."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from opssim.core.store import JsonObject
from opssim.owlette.endpoint import Answer, Body, Call, Endpoint, Handler
from opssim.owlette.grammar import new_id
from opssim.owlette.paging import Paging, page_of
from opssim.owlette.problems import Problem, invalid, not_found
from opssim.owlette.world import no_site

_PLACE: Final = "conversations"
_PAGES: Final = Paging(25, 100, clamps=True)
_UNTITLED: Final = "untitled chat"
_STREAM: Final = "text/plain; charset=utf-8"

Title = Annotated[str, Meta(min_length=1, max_length=100)]


class Message(Struct):
    """What somebody said."""

    role: Literal["user"]
    content: Annotated[str, Meta(min_length=1)]


class NewConversation(Body, rename={"site_id": "siteId", "machine_id": "machineId"}):
    """A conversation to begin."""

    site_id: str | UnsetType = UNSET
    machine_id: str | UnsetType = UNSET
    title: Title | UnsetType = UNSET
    initial_message: Message | UnsetType = UNSET


class Said(Body):
    """What is said."""

    role: Literal["user"]
    content: Annotated[str, Meta(min_length=1)]


class Renamed(Body):
    """The new title."""

    title: Title


def create(call: Call) -> Answer:
    """Begin a conversation, about a site and maybe one of its machines."""
    body: NewConversation = call.body
    site_id = _site_of(call, body.site_id)
    call.require("chat", site_id, "write")
    messages: list[JsonObject] = []
    if body.initial_message is not UNSET:
        messages.append({"role": "user", "content": body.initial_message.content})
    now = call.world.stamp()
    conversation: JsonObject = {
        "conversationId": new_id("conv_"),
        "title": _UNTITLED if body.title is UNSET else body.title,
        "siteId": site_id,
        **({} if body.machine_id is UNSET else {"machineId": body.machine_id}),
        "ownerUid": call.caller.uid,
        "createdAt": now,
        "updatedAt": now,
        "deletedAt": None,
        "messageCount": len(messages),
        "messages": messages,
    }
    _save(call, conversation)
    shown = {name: value for name, value in conversation.items() if name != "deletedAt"}
    return Answer({"ok": True, "data": shown}, 201)


def _site_of(call: Call, site_id: str | UnsetType) -> str:
    if site_id is UNSET:
        found = next(iter(call.caller.user["sites"]), None)
        if found is None:
            raise Problem(400, "cortex_unavailable", "there is no site to talk about")
        return str(found)
    site = call.world.site(site_id)
    if site is None or not call.caller.may_enter(site):
        raise no_site()
    return site_id


def show_all(call: Call) -> Answer:
    """List the conversations of the caller, the latest first."""
    site_id = call.query.get("siteId")
    with_deleted = call.query.get("includeDeleted") == "true"
    of_all = call.query.get("owner") == "all" and call.caller.is_superadmin
    rows = [
        {name: value for name, value in each.items() if name != "messages"}
        for each in call.world.database.documents(_PLACE, newest_first=True)
        if (of_all or each["ownerUid"] == call.caller.uid)
        and (site_id is None or each["siteId"] == site_id)
        and (with_deleted or each["deletedAt"] is None)
        and call.caller.has_scope("chat", each["siteId"], "read")
    ]
    page, tokens = page_of(rows, call.query, _PAGES, lambda row: row["conversationId"])
    return Answer({"ok": True, "data": {"conversations": page, **tokens}})


def send(call: Call) -> Answer:
    """Say something, and stream what is answered."""
    conversation = _mine(call)
    content: str = call.body.content
    _see_machine(call, conversation)
    reply = _reply(call, conversation, content)
    conversation["messages"] += [
        {"role": "user", "content": content},
        {"role": "assistant", "content": reply},
    ]
    conversation["messageCount"] = len(conversation["messages"])
    _save(call, conversation)
    frames = _ui_frames(reply) if call.world.habits.ui_stream else _line_frames(reply)
    headers = {"X-Vercel-AI-Data-Stream": "v1"}
    return Answer(stream=_streamed(frames), headers=headers, media_type=_STREAM)


def _see_machine(call: Call, conversation: JsonObject) -> None:
    if "machineId" not in conversation:
        return
    place = f"sites/{conversation['siteId']}/machines"
    machine = call.world.database.get(place, conversation["machineId"])
    if machine is None:
        raise Problem(400, "cortex_unavailable", "the machine of this conversation is gone")
    if not machine["cortexEnabled"]:
        raise Problem(423, "cortex_unavailable", "the machine does not take part in chats")
    if not machine["online"]:
        raise Problem(503, "cortex_unavailable", "the machine is offline")


def _reply(call: Call, conversation: JsonObject, content: str) -> str:
    machines = call.world.database.documents(f"sites/{conversation['siteId']}/machines")
    online = [each["name"] for each in machines if each["online"]]
    names = ", ".join(online) or "none"
    quoted = content if len(content) <= 60 else f"{content[:60]}…"
    return f"You asked: {quoted} {len(online)} of {len(machines)} machines are online: {names}."


def _words(reply: str) -> list[str]:
    words = reply.split(" ")
    return [*(f"{word} " for word in words[:-1]), words[-1]]


def _ui_frames(reply: str) -> list[str]:
    """Return a reply as server-sent events, as API keys get it."""
    parts: list[JsonObject] = [{"type": "start"}, {"type": "text-start", "id": "0"}]
    parts += [{"type": "text-delta", "id": "0", "delta": word} for word in _words(reply)]
    parts += [{"type": "text-end", "id": "0"}, {"type": "finish"}]
    return [*(f"data: {_json(part)}\n\n" for part in parts), "data: [DONE]\n\n"]


def _line_frames(reply: str) -> list[str]:
    """Return a reply as prefixed lines, as the documentation has it."""
    return [*(f"0:{_json(word)}\n" for word in _words(reply)), 'd:{"finishReason":"stop"}\n']


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


async def _streamed(frames: list[str]) -> AsyncIterator[bytes]:
    for frame in frames:
        yield frame.encode("utf-8", "replace")


def rename(call: Call) -> Answer:
    """Give a conversation another title."""
    conversation = _mine(call)
    conversation["title"] = call.body.title
    _save(call, conversation)
    names = ("conversationId", "title")
    return Answer({"ok": True, "data": {name: conversation[name] for name in names}})


def remove(call: Call) -> Answer:
    """Delete a conversation; to repeat it does no harm."""
    conversation = _mine(call, deleted=True)
    already = conversation["deletedAt"] is not None
    conversation["deletedAt"] = conversation["deletedAt"] or call.world.stamp()
    _save(call, conversation)
    data = {"conversationId": conversation["conversationId"], "alreadyDeleted": already}
    return Answer({"ok": True, "data": data})


def _mine(call: Call, *, deleted: bool = False) -> JsonObject:
    conversation = call.world.database.get(_PLACE, call.path["conversationId"])
    is_mine = conversation is not None and conversation["ownerUid"] == call.caller.uid
    if conversation is None or not is_mine or (conversation["deletedAt"] and not deleted):
        raise not_found("conversation", "conversation_not_found")
    call.require("chat", conversation["siteId"], "write")
    return conversation


def _save(call: Call, conversation: JsonObject) -> None:
    conversation["updatedAt"] = call.world.stamp()
    if not conversation["title"].strip():
        raise invalid({"body.title": ["must not be empty"]})
    call.world.database.put(_PLACE, conversation["conversationId"], conversation)


_BASE: Final = "/api/cortex/conversations"
_ONE: Final = f"{_BASE}/{{conversationId}}"


def _endpoint(method: str, path: str, handler: Handler, does: str, **more: Any) -> Endpoint:
    """Return an endpoint as all of these are: they find out themselves which site it is about."""
    return Endpoint(method=method, path=path, handler=handler, does=does, **more)


ENDPOINTS: Final = (
    _endpoint(
        "GET",
        _BASE,
        show_all,
        "List conversations",
        paging=_PAGES,
        query={
            "siteId": {"type": "string"},
            "owner": {"type": "string"},
            "includeDeleted": {"type": "string"},
        },
    ),
    _endpoint(
        "POST",
        _BASE,
        create,
        "Begin a conversation",
        idempotency="required",
        body=NewConversation,
        unknown="forbidden_field",
        answers=(201,),
        refuses=(404,),
    ),
    _endpoint(
        "POST",
        _ONE,
        send,
        "Say something",
        idempotency="required",
        body=Said,
        unknown="forbidden_field",
        media_type=_STREAM,
        refuses=(423, 503),
    ),
    _endpoint(
        "PATCH",
        _ONE,
        rename,
        "Rename a conversation",
        idempotency="optional",
        body=Renamed,
        unknown="forbidden_field",
    ),
    _endpoint("DELETE", _ONE, remove, "Delete a conversation", idempotency="optional"),
)
