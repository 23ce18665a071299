"""Requests that are repeated: the first answer comes again, and nothing happens twice."""

from __future__ import annotations

import base64
import hashlib
from typing import Final

from opssim.core.store import JsonObject, encode
from opssim.owlette.credentials import Caller, millis
from opssim.owlette.endpoint import Answer
from opssim.owlette.problems import Problem
from opssim.owlette.world import World

_PLACE: Final = "idempotency"
_LIFE_MS: Final = 24 * 3600 * 1000
_LONGEST: Final = 255


class Repeats:
    """What is known of one request's key.

    Args:
        target: the method, path and query.

    Raises:
        Problem: 400 or 422.
    """

    def __init__(
        self,
        world: World,
        caller: Caller,
        key: str | None,
        target: str,
        body: bytes,
        *,
        needed: bool,
    ) -> None:
        self._world = world
        self._key = (key or "").strip()
        self._body = hashlib.sha256(body).hexdigest()
        environment = caller.key["environment"]
        text = f"{caller.uid}|{environment}|{self._key}|{target}"
        self._kept_as = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
        if not self._key and needed:
            raise Problem(
                400,
                "idempotency_key_required",
                "this request needs an Idempotency-Key",
                param="Idempotency-Key",
                errors={"header.Idempotency-Key": ["required"]},
            )
        if len(self._key) > _LONGEST:
            msg = f"an Idempotency-Key has at most {_LONGEST} characters"
            raise Problem(400, "idempotency_key_invalid", msg)

    def replay(self) -> Answer | None:
        """Return the first answer, if there was one to this request.

        Raises:
            Problem: 422, if the key was that of another request.
        """
        kept = self._world.database.get(_PLACE, self._kept_as) if self._key else None
        if kept is None or kept["until"] <= millis(self._world.now()):
            return None
        if kept["body"] != self._body:
            msg = "this Idempotency-Key was used with another body"
            raise Problem(422, "idempotency_key_mismatch", msg)
        headers = {**kept["headers"], "Idempotent-Replayed": "true"}
        return Answer(base64.b64decode(kept["data"]), kept["status"], headers)

    def keep(self, answer: Answer) -> None:
        """Keep an answer for when the request is repeated."""
        if not self._key or answer.status >= 400 or answer.stream is not None:
            return
        data = answer.data if isinstance(answer.data, bytes) else encode(answer.data)
        document: JsonObject = {
            "status": answer.status,
            "headers": answer.headers,
            "data": base64.b64encode(data).decode(),
            "body": self._body,
            "until": millis(self._world.now()) + _LIFE_MS,
        }
        self._world.database.put(_PLACE, self._kept_as, document)
