"""The last step of a push: the version becomes the current one, if nobody else was faster."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import random
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, cast

from roost._errors import (
    AuthenticationError,
    NotFoundError,
    PreconditionFailedError,
    RateLimitedError,
    RoostApiError,
    ServerError,
    VersionStaleError,
    api_error,
)
from roost._paths import api_path
from roost._push.manifest import version_id_of
from roost._push.progress import Progress
from roost.client import ApiResponse, RoostClient
from roost.resources._push_types import PushOptions, PushProgressEvent, PushProgressPublish

__all__ = ["Head", "Published", "Publishing", "object_of", "read_head"]

log: logging.Logger = logging.getLogger("roost")

#: Attempts while others publish. Each refusal means that one of them has: this many writers get
#: through, one after the other.
_MOST_ROUNDS = 100
#: Attempts that are refused though the server says that nothing has changed.
_MOST_IDLE_ROUNDS = 5
#: How often chunks are uploaded again that the server misses.
_MOST_HEALINGS = 3
#: Seconds: the waits between attempts are random, up to twice as long each time, up to the most.
_FIRST_WAIT_S, _MOST_WAIT_S = 0.05, 1.0


@dataclass(frozen=True, slots=True)
class Head:
    """The current version of a roost, as it was read before the push.

    Attributes:
        is_known: whether it could be read; if not, publishing is not tied to it.
        version_id: its id; None if nothing has been published.
    """

    is_known: bool
    version_id: str | None = None


@dataclass(frozen=True, slots=True)
class Published:
    """The server's answer."""

    version_id: str
    version_number: int
    current_version_id: str
    previous_version_id: str | None


async def read_head(http: RoostClient, roost_id: str, options: PushOptions) -> Head:
    """Return the current version of a roost.

    A key that may write but not read gets no answer: then publishing is not tied to it, unless
    `on_conflict` is `raise`, which cannot be kept without.

    Raises:
        RoostApiError: the API refuses for a reason that publishing would fail of as well.
        RoostTransportError: no answer.
    """
    path = api_path("roosts", roost_id)
    try:
        answer = await http.request(path, query={"siteId": options.site_id})
    except NotFoundError:
        return Head(is_known=True)  # it is made when the first version is published
    except (AuthenticationError, RateLimitedError, ServerError) as error:
        if error.status == 501:
            return Head(is_known=False)
        raise
    except RoostApiError as error:
        if options.on_conflict == "raise":
            raise
        log.warning("the current version of %s cannot be read: %s", roost_id, error)
        return Head(is_known=False)
    data: Any = answer.data
    if not isinstance(data, dict) or "currentVersionId" not in data:
        return Head(is_known=False)
    data = cast(dict[str, Any], data)
    if data.get("deletedAt"):
        log.warning("roost %s was removed: roosts.create with its id brings it back", roost_id)
    return Head(is_known=True, version_id=data["currentVersionId"] or None)


class Publishing:
    """Publishes versions of a roost.

    Args:
        http: the client.
        roost_id: the roost.
        options: what is published with the files.
        progress: told of attempts after the first.
    """

    def __init__(
        self,
        http: RoostClient,
        roost_id: str,
        options: PushOptions,
        progress: Progress[PushProgressEvent],
    ) -> None:
        self._http = http
        self._path = api_path("roosts", roost_id)
        self._roost_id = roost_id
        self._options = options
        self._progress = progress
        # of this push alone: one that depended on the body only would let the server repeat an
        # answer of hours ago, when the same version had been published upon the same one
        self._key = uuid.uuid4().hex

    async def run(
        self, manifest: Callable[[], bytes], head: Head, heal: Callable[[], Awaitable[None]]
    ) -> Published:
        """Publish a version.

        Args:
            manifest: gives its manifest.
            head: the version that it is to follow.
            heal: uploads what the server misses; what `manifest` gives may differ afterwards.

        Raises:
            VersionStaleError: somebody else has published, if `on_conflict` says so; or too many.
            PreconditionFailedError: the server misses chunks, however often they are uploaded.
            RoostApiError: the API refuses.
            RoostTransportError: no answer.
        """
        rounds = idle = healings = 0
        content = await asyncio.to_thread(manifest)
        version_id = await asyncio.to_thread(version_id_of, content)
        while True:
            try:
                return await self._once(content, head)
            except PreconditionFailedError as error:
                if error.code == "precondition_failed":
                    healings += 1
                    if healings > _MOST_HEALINGS:
                        raise
                    await heal()
                    content = await asyncio.to_thread(manifest)
                    version_id = await asyncio.to_thread(version_id_of, content)
                    continue
                if not _is_stale(error):
                    raise
                now = await self._now(error)
                if now.version_id == version_id:
                    # it is ours: the answer to an earlier attempt was lost on the way
                    return await self._found(version_id)
                rounds += 1
                idle = idle + 1 if now == head else 0
                too_often = rounds >= _MOST_ROUNDS or idle >= _MOST_IDLE_ROUNDS
                if self._options.on_conflict == "raise" or too_often:
                    raise
                head = now
            wait = min(_MOST_WAIT_S, _FIRST_WAIT_S * 2.0 ** min(rounds, 10))
            await asyncio.sleep(random.random() * wait)
            await self._progress.tell(PushProgressPublish(attempt=rounds))

    async def _once(self, manifest: bytes, head: Head) -> Published:
        body = await asyncio.to_thread(self._body, manifest, head)
        digest = (await asyncio.to_thread(hashlib.sha256, body)).hexdigest()
        answer = await self._http.request(
            f"{self._path}/versions",
            method="POST",
            body=body,
            idempotency_key=f"py-sdk-push-{self._key}-{digest[:16]}",
        )
        data = object_of(answer, self._path, "versionId", "versionNumber")
        version_id: str = data["versionId"]
        current: str = data.get("currentVersionId") or version_id
        return Published(version_id, data["versionNumber"], current, data.get("previousVersionId"))

    def _body(self, manifest: bytes, head: Head) -> bytes:
        options = self._options
        fields: dict[str, Any] = {"siteId": options.site_id}
        if head.is_known:
            fields["expectedCurrentVersionId"] = head.version_id
        optional = {
            "name": options.name,
            "targets": options.targets,
            "extractPath": options.extract_path,
            "description": options.description,
        }
        fields |= {name: value for name, value in optional.items() if value is not None}
        members = json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()
        return members[:-1] + b',"version":' + manifest + b"}"

    async def _now(self, error: PreconditionFailedError) -> Head:
        """Return the current version that a refusal tells of, or that the roost has."""
        told = error.current_version_id if isinstance(error, VersionStaleError) else None
        if told is not None:
            return Head(is_known=True, version_id=told)
        return await read_head(self._http, self._roost_id, self._options)

    async def _found(self, version_id: str) -> Published:
        """Return what the server has of a version that is current."""
        answer = await self._http.request(
            f"{self._path}/versions/current", query={"siteId": self._options.site_id}
        )
        found = object_of(answer, self._path, "versionNumber")
        metadata: dict[str, Any] = found.get("metadata") or {}
        previous: str | None = metadata.get("parentVersionId")
        return Published(version_id, found["versionNumber"], version_id, previous)


def object_of(answer: ApiResponse, path: str, *names: str) -> dict[str, Any]:
    """Return the object that an answer is, with these members.

    Raises:
        RoostApiError: it is something else, as the page of a proxy would be.
    """
    data: Any = answer.data
    if isinstance(data, dict) and all(name in data for name in names):
        return cast(dict[str, Any], data)
    wanted = ", ".join(names)
    problem = {"detail": f"the answer has no {wanted}: is api_url that of the Owlette API?"}
    raise api_error(answer.status, problem, method="", url=path, headers=answer.headers)


def _is_stale(error: PreconditionFailedError) -> bool:
    """Tell whether somebody else has published; some servers do not say why they refuse."""
    return error.code in {"version_stale", None}
