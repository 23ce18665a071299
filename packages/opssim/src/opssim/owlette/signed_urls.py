"""URLs that are their own permission, for a while: of the storage, for one method and object."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import quote

from opssim.core.clock import iso_utc


@dataclass(slots=True)
class SignedUrls:
    """Signs URLs, and tells whether one is good.

    Attributes:
        secret: what they are signed with.
        now: the time.
        base: where the storage is, once it is served.
        life: how much of their usual time URLs live; to be lowered by tests.
    """

    secret: bytes = field(repr=False)
    now: Callable[[], datetime]
    base: str = ""
    life: float = 1.0

    def sign(self, method: str, key: str, minutes: float) -> tuple[str, str]:
        """Return a URL and when it expires."""
        end = self.now() + timedelta(minutes=minutes * self.life)
        stamp = f"{end.timestamp():.3f}"
        signature = self._signature(method, key, stamp)
        return f"{self.base}/{quote(key)}?exp={stamp}&sig={signature}", iso_utc(end)

    def why_not(self, method: str, key: str, stamp: str, signature: str) -> str | None:
        """Return why a URL is not good; None if it is."""
        if not hmac.compare_digest(
            signature.encode("utf-8", "replace"), self._signature(method, key, stamp).encode()
        ):
            return "SignatureDoesNotMatch"
        if float(stamp) <= self.now().timestamp():
            return "AccessDenied: request has expired"
        return None

    def _signature(self, method: str, key: str, stamp: str) -> str:
        text = f"{method}\n{key}\n{stamp}"
        return hmac.new(self.secret, text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()
