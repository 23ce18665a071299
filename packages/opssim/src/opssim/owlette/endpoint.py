"""What an endpoint is: where it is, what it takes and answers, and who may call it.

A declaration is used three times: requests are checked by it, in the order that Owlette checks
them; the OpenAPI document is made of it; and whoever reads the code finds the rules beside the
function that they are for.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import msgspec
from msgspec import UNSET

from opssim.core.store import JsonObject
from opssim.owlette.credentials import Caller
from opssim.owlette.grammar import VersionRef, version_ref
from opssim.owlette.paging import Paging
from opssim.owlette.problems import Problem
from opssim.owlette.world import World

#: The only version of the API.
VERSION: Final = "2026-04-22"


class Body(msgspec.Struct, rename="camel"):
    """What a request brings, by JSON name; what is not named is let through."""

    def given(self) -> JsonObject:
        """Return what was sent, by JSON name, without the site's id."""
        named = zip(self.__struct_fields__, self.__struct_encode_fields__, strict=True)
        values = {wire: getattr(self, name) for name, wire in named if name != "site_id"}
        return {wire: value for wire, value in values.items() if value is not UNSET}


class Nothing(Body):
    """A body that need not be there."""


@dataclass(slots=True)
class Answer:
    """What goes back.

    Attributes:
        data: becomes JSON, or is bytes of `media_type` already.
        stream: yields what is sent bit by bit instead.
        finish: makes the data, when the state is left alone again: what takes long.
    """

    data: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict[str, str])
    media_type: str = "application/json"
    stream: AsyncIterator[bytes] | None = None
    finish: Callable[[], Any] | None = None


@dataclass(slots=True)
class Call:
    """One request, checked as far as its endpoint declares.

    Attributes:
        path: what stands in the place of the path's names.
        query: the parameters.
        repeated: all values of each parameter.
        body: the body as its endpoint declares it.
        sent: the body as it came, decoded.
    """

    world: World
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Any = None
    sent: Any = None
    caller_or_none: Caller | None = None
    site_or_none: JsonObject | None = None
    repeated: Mapping[str, list[str]] = field(default_factory=dict[str, list[str]])

    @property
    def caller(self) -> Caller:
        """Who asks."""
        assert self.caller_or_none is not None  # noqa: S101 - open endpoints do not ask
        return self.caller_or_none

    @property
    def site(self) -> JsonObject:
        """The site that the request is about."""
        assert self.site_or_none is not None  # noqa: S101 - endpoints that ask declare one
        return self.site_or_none

    @property
    def site_id(self) -> str:
        """The site's id."""
        return str(self.site["id"])

    def place(self, *parts: str) -> str:
        """Return a place within the site, as the database names them."""
        return "/".join(("sites", self.site_id, *parts))

    def version_ref(self, text: str) -> VersionRef:
        """Read the name of a version."""
        return version_ref(text, lenient=self.world.habits.lenient_ids)

    def require(self, resource: str, target: str, permission: str) -> None:
        """See to it that the key's scopes cover something.

        Raises:
            Problem: 403 `scope_insufficient`.
        """
        if not self.caller.has_scope(resource, target, permission):
            needed = {"resource": resource, "id": target, "permission": permission}
            msg = f"the key lacks {permission} on {resource}:{target}"
            raise Problem(403, "scope_insufficient", msg, required=needed)

    def audit(self, kind: str, target: str, **attributes: Any) -> None:
        """Add a record to the site's audit log."""
        self.world.audit(self.site_id, self.caller.uid, kind, target, **attributes)


Handler = Callable[[Call], Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One operation.

    Attributes:
        path: where it is; names in braces are given to the handler.
        does: what it does, for the document.
        site: where the site's id stands; None for what is about no site, or finds it itself.
        scope: the resource and the permission that the key needs. The resource's id is that of the
            path, or the site, or `*`.
        capability: what the user's role has to allow.
        idempotency: whether an `Idempotency-Key` is needed, or honoured.
        body: what is sent.
        query: parameters beside those of the site and of paging: their JSON schemas, by name.
        needs: the parameters that have to be there.
        paging: how long the list's pages are.
        answers: the statuses of success.
        refuses: the statuses of refusals, beside those that follow from all this.
        is_open: whether anybody may call it.
        of_roosts: whether it checks `Roost-Version` and whether the site has roosts switched on.
        counted: whether it counts against the requests an hour.
        limited: whether the capability's limit a minute counts.
        plain: whether its problems have neither type nor request id.
        codes: the codes of missing members, where they have their own.
        unknown: the code of members that are not known, where they are refused.
        media_type: what it answers with.
    """

    method: str
    path: str
    handler: Handler
    does: str
    site: Literal["query", "body", "path"] | None = None
    scope: tuple[str, str] | None = None
    capability: str | None = None
    idempotency: Literal["required", "optional"] | None = None
    body: type[Body] | None = None
    query: Mapping[str, JsonObject] = field(default_factory=dict[str, JsonObject])
    needs: tuple[str, ...] = ()
    paging: Paging | None = None
    answers: tuple[int, ...] = (200,)
    refuses: tuple[int, ...] = ()
    is_open: bool = False
    of_roosts: bool = False
    counted: bool = False
    limited: bool = True
    plain: bool = False
    codes: Mapping[str, str] = field(default_factory=dict[str, str])
    unknown: str | None = None
    media_type: str = "application/json"

    @property
    def writes(self) -> bool:
        """Whether it changes something."""
        return self.method != "GET"

    def statuses(self) -> list[int]:
        """Return every status that it may answer with."""
        found = {*self.answers, *self.refuses}
        if not self.is_open:
            found |= {401, 403}
        if self.site or "{" in self.path:
            found |= {400, 404}
        if self.body or self.query or self.paging or self.of_roosts or self.idempotency:
            found.add(400)
        if self.idempotency:
            found.add(422)
        if self.counted or (self.capability and self.limited):
            found.add(429)
        if self.of_roosts:
            found.add(503)
        return sorted(found)
