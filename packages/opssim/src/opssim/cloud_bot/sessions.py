"""Tokens: who is logged in, for how long, and what ends a session."""

from __future__ import annotations

import base64
import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from opssim.core.store import encode


@dataclass(frozen=True, slots=True)
class _Session:
    holder: str
    ends: float


class Sessions:
    """The tokens in force. Lifetimes are in real seconds, as clients measure them.

    Attributes:
        logins: how many sessions were opened.
        refreshes: how many tokens were exchanged for new ones.
    """

    def __init__(
        self,
        *,
        seed: int,
        lifetime: float,
        single: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.lifetime = lifetime
        self.logins = 0
        self.refreshes = 0
        self._seed = seed
        self._single = single
        self._clock = clock
        self._sessions: dict[str, _Session] = {}
        self._issued: list[str] = []
        self._lock = threading.RLock()

    def open(self, holder: str, *, multiple: bool) -> str:
        """Log `holder` in; without `multiple`, and if sessions are single, end the others."""
        with self._lock:
            if self._single and not multiple:
                others = [t for t, session in self._sessions.items() if session.holder == holder]
                for token in others:
                    del self._sessions[token]
            self.logins += 1
            return self._issue(holder)

    def renew(self, token: str) -> str | None:
        """Exchange a token for a new one; the old one ends at once. None if it has ended."""
        with self._lock:
            if not self.valid(token):
                return None
            self.refreshes += 1
            return self._issue(self._sessions.pop(token).holder)

    def lend(self, holder: str) -> str:
        """Issue a token that belongs to no login, such as that of a real-time API task."""
        with self._lock:
            return self._issue(holder)

    def valid(self, token: str, holder: str | None = None) -> bool:
        """Tell whether a token is in force, and was issued to `holder` if one is named."""
        with self._lock:
            session = self._sessions.get(token)
            if session is None or session.ends <= self._clock():
                return False
            return holder is None or session.holder == holder

    def close(self, token: str) -> None:
        """End one session, if it has not ended yet."""
        with self._lock:
            self._sessions.pop(token, None)

    def close_all(self) -> None:
        """End every session."""
        with self._lock:
            self._sessions.clear()

    def issued(self) -> frozenset[str]:
        """Return all tokens there ever were."""
        with self._lock:
            return frozenset(self._issued)

    def _issue(self, holder: str) -> str:
        number = len(self._issued) + 1
        token = _token(self._seed, number, holder)
        self._issued.append(token)
        self._sessions[token] = _Session(holder, self._clock() + self.lifetime)
        return token


def _token(seed: int, number: int, holder: str) -> str:
    """Make what looks like a JWT, which clients must not take apart."""
    head = encode({"alg": "RS512"})
    claims = encode({"sub": holder, "iss": "AutomationAnywhere", "jti": f"{seed}-{number}"})
    signature = hashlib.sha512(head + claims).digest()
    return ".".join(
        base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (head, claims, signature)
    )
