"""`chat` without asyncio. Made by `scripts/generate_sync.py`: do not edit."""

from __future__ import annotations

from collections.abc import Generator
from typing import Literal

from roost._portal import Portal
from roost.resources.chat import (
    Chat,
    ConversationPage,
    DeletedConversation,
    NewConversation,
    RenamedConversation,
)

__all__ = ["ChatSync"]


class ChatSync:
    """Conversations with Cortex. With an API key it only looks: it changes nothing."""

    def __init__(self, group: Chat, portal: Portal) -> None:
        self._group = group
        self._portal = portal

    def new(
        self,
        *,
        site_id: str | None = None,
        machine_id: str | None = None,
        title: str | None = None,
        idempotency_key: str | None = None,
    ) -> NewConversation:
        """Begin a conversation.

        For the rest, see `Chat.new`.
        """
        return self._portal.run(
            self._group.new(
                site_id=site_id, machine_id=machine_id, title=title, idempotency_key=idempotency_key
            )
        )

    def list(
        self,
        *,
        site_id: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        include_deleted: bool = False,
    ) -> ConversationPage:
        """Return some of the caller's conversations.

        For the rest, see `Chat.list`.
        """
        return self._portal.run(
            self._group.list(
                site_id=site_id,
                page_size=page_size,
                page_token=page_token,
                include_deleted=include_deleted,
            )
        )

    def send(
        self,
        conversation_id: str,
        message: str,
        *,
        role: Literal["user"] = "user",
        idempotency_key: str | None = None,
    ) -> Generator[str, None, None]:
        """Say something, and yield the answer piece by piece.

        For the rest, see `Chat.send`.
        """
        return self._portal.iterate(
            self._group.send(conversation_id, message, role=role, idempotency_key=idempotency_key)
        )

    def rename(
        self, conversation_id: str, title: str, *, idempotency_key: str | None = None
    ) -> RenamedConversation:
        """Give a conversation another title.

        For the rest, see `Chat.rename`.
        """
        return self._portal.run(
            self._group.rename(conversation_id, title, idempotency_key=idempotency_key)
        )

    def delete(
        self, conversation_id: str, *, idempotency_key: str | None = None
    ) -> DeletedConversation:
        """Delete a conversation.

        For the rest, see `Chat.delete`.
        """
        return self._portal.run(
            self._group.delete(conversation_id, idempotency_key=idempotency_key)
        )
