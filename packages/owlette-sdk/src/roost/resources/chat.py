"""Cortex, which answers questions about machines: `client.chat`."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any, Literal, TypedDict

from roost._model import Model
from roost._paging import next_token, page_query
from roost._paths import api_path
from roost._streaming import ChatParser
from roost.resources._resource import Resource, given, inner

__all__ = [
    "Chat",
    "ConversationPage",
    "ConversationSummary",
    "DeletedConversation",
    "NewConversation",
    "RenamedConversation",
]


@dataclass(slots=True)
class ConversationSummary(Model):
    """A conversation in a list. Times are ISO 8601, in UTC."""

    conversation_id: str
    title: str | None = None
    site_id: str | None = None
    machine_id: str | None = None
    owner_uid: str | None = None
    created_at: str | None = None
    updated_at: str | None = None
    deleted_at: str | None = None
    message_count: int | None = None


class _Conversation(TypedDict):
    conversationId: str
    title: str
    ownerUid: str
    createdAt: str
    updatedAt: str
    messageCount: int
    messages: list[dict[str, Any]]


class NewConversation(_Conversation, total=False):
    """A conversation that was begun."""

    siteId: str
    machineId: str


class ConversationPage(TypedDict):
    """Some conversations, and the token of those that follow; None at the end."""

    conversations: list[ConversationSummary]
    next_page_token: str | None


class RenamedConversation(TypedDict):
    """A conversation with another title."""

    conversationId: str
    title: str


class DeletedConversation(TypedDict):
    """A conversation that is not there any more."""

    conversationId: str
    alreadyDeleted: bool


class Chat(Resource):
    """Conversations with Cortex. With an API key it only looks: it changes nothing."""

    async def new(
        self,
        *,
        site_id: str | None = None,
        machine_id: str | None = None,
        title: str | None = None,
        idempotency_key: str | None = None,
    ) -> NewConversation:
        """Begin a conversation.

        Args:
            site_id: the site that it is about.
            machine_id: the machine that it is about.
            title: what it is called, up to 100 characters.
            idempotency_key: one of the caller's. The server needs one: it is made if None.
        """
        answer = await self._ask(
            api_path("cortex", "conversations"),
            method="POST",
            body=given(siteId=site_id, machineId=machine_id, title=title),
            idempotency_key=idempotency_key,
        )
        conversation: NewConversation = inner(answer.data)
        return conversation

    async def list(
        self,
        *,
        site_id: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        include_deleted: bool = False,
    ) -> ConversationPage:
        """Return some of the caller's conversations.

        Args:
            site_id: only those about this site.
            page_size: rows of a page, up to 100; 25 by default.
            page_token: where to begin: `next_page_token` of the page before.
            include_deleted: whether to return deleted ones, too.
        """
        answer = await self._ask(
            api_path("cortex", "conversations"),
            query={
                "siteId": site_id,
                **page_query(page_size, page_token, None),
                "includeDeleted": True if include_deleted else None,
            },
        )
        page = inner(answer.data)
        rows = ConversationSummary.list_of(page, "conversations", "items")
        return {"conversations": rows, "next_page_token": next_token(page)}

    async def send(
        self,
        conversation_id: str,
        message: str,
        *,
        role: Literal["user"] = "user",
        idempotency_key: str | None = None,
    ) -> AsyncGenerator[str, None]:
        """Say something, and yield the answer piece by piece.

        It is sent once: an answer that breaks off is not asked for again. Leaving the loop early
        closes the connection.

        Args:
            conversation_id: the conversation.
            message: what to say.
            role: who says it.
            idempotency_key: one of the caller's. The server needs one: it is made if None.

        Raises:
            RoostApiError: it was refused; `cortex_unavailable` if there is nobody to answer.
            StreamError: the answer ends by saying what went wrong.
            RoostTransportError: it breaks off.
        """
        parser = ChatParser()
        async with self._http.stream(
            api_path("cortex", "conversations", conversation_id),
            method="POST",
            body={"role": role, "content": message},
            idempotency_key=idempotency_key,
            key_prefix="py-sdk-chat-send-",
        ) as answer:
            async for chunk in answer.chunks():
                for text in parser.feed(chunk):
                    yield text
            for text in parser.close():
                yield text

    async def rename(
        self, conversation_id: str, title: str, *, idempotency_key: str | None = None
    ) -> RenamedConversation:
        """Give a conversation another title.

        Raises:
            NotFoundError: it is not there, or not the caller's (`conversation_not_found`).
        """
        answer = await self._ask(
            api_path("cortex", "conversations", conversation_id),
            method="PATCH",
            body={"title": title},
            idempotency_key=idempotency_key,
        )
        renamed: RenamedConversation = inner(answer.data)
        return renamed

    async def delete(
        self, conversation_id: str, *, idempotency_key: str | None = None
    ) -> DeletedConversation:
        """Delete a conversation."""
        answer = await self._ask(
            api_path("cortex", "conversations", conversation_id),
            method="DELETE",
            idempotency_key=idempotency_key,
            key_prefix="py-sdk-chat-delete-",
        )
        deleted: DeletedConversation = inner(answer.data)
        return deleted
