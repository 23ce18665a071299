"""Signatures of webhooks: `Roost-Signature: t=<seconds>,v1=<HMAC-SHA256 of "<t>.<body>">`.

A body has to be verified as it came: JSON that was decoded and encoded again has other bytes.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from roost._constants import DEFAULT_REPLAY_TOLERANCE_SECONDS

__all__ = [
    "Secret",
    "VerifyReason",
    "VerifySignatureResult",
    "is_signature_valid",
    "sign_body",
    "verify_signature",
]

#: Why a signature is not good.
VerifyReason = Literal[
    "missing_header",
    "malformed_header",
    "missing_timestamp",
    "missing_v1",
    "timestamp_out_of_tolerance",
    "bad_signature",
]
#: The secret of a webhook, `whsec_` included; several while one takes the place of another.
Secret = str | bytes | Sequence["str | bytes"]

_HEX = re.compile(r"[0-9a-fA-F]+")
_NUMBER = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,9})?")


@dataclass(slots=True)
class VerifySignatureResult:
    """Whether a signature is good.

    Attributes:
        ok: whether it is.
        reason: why not.
        timestamp: when it was made, in seconds since 1970; None if it does not tell.
    """

    ok: bool
    reason: VerifyReason | None = None
    timestamp: int | None = None


def verify_signature(
    header: str | None,
    body: bytes | str,
    secret: Secret,
    *,
    tolerance_seconds: float = DEFAULT_REPLAY_TOLERANCE_SECONDS,
    now: float | None = None,
) -> VerifySignatureResult:
    """Tell whether a request was signed with a secret, and just now.

    Args:
        header: the request's header `Roost-Signature`, as it came.
        body: the body, as it came: JSON that was decoded and encoded again has other bytes.
        secret: the webhook's secret. Give the old one and the new one for a day after rotation.
        tolerance_seconds: how far its time may be off; infinity lets any time pass.
        now: the time, in seconds since 1970; the clock's if None.

    Raises:
        ValueError: there is no secret: with an empty one, anybody could sign.
    """
    secrets = _secrets(secret)
    if header is None or not header.strip():
        return VerifySignatureResult(ok=False, reason="missing_header")
    stamp: str | None = None
    found: list[str] = []
    for part in filter(None, (each.strip() for each in header.split(","))):
        name, separator, value = (each.strip() for each in part.partition("="))
        if not name or not separator:
            return VerifySignatureResult(ok=False, reason="malformed_header")
        if name == "t":
            if not _NUMBER.fullmatch(value) or float(value) <= 0:
                return VerifySignatureResult(ok=False, reason="malformed_header")
            stamp = value
        elif name == "v1":
            if not _HEX.fullmatch(value):
                return VerifySignatureResult(ok=False, reason="malformed_header")
            found.append(value.lower())
    return _checked(stamp, found, body, secrets, tolerance_seconds, now)


def _checked(
    stamp: str | None,
    found: Iterable[str],
    body: bytes | str,
    secrets: Iterable[bytes],
    tolerance_seconds: float,
    now: float | None,
) -> VerifySignatureResult:
    if stamp is None:
        return VerifySignatureResult(ok=False, reason="missing_timestamp")
    when = float(stamp)
    timestamp = int(when)
    if not found:
        return VerifySignatureResult(ok=False, reason="missing_v1", timestamp=timestamp)
    if not math.isinf(tolerance_seconds):
        apart = abs((time.time() if now is None else now) - when)
        if not apart <= tolerance_seconds:
            return VerifySignatureResult(
                ok=False, reason="timestamp_out_of_tolerance", timestamp=timestamp
            )
    good = [_digest(each, stamp, _bytes(body)) for each in secrets]
    # every pair is compared, whatever came of the others: how long it takes tells nothing
    same = [hmac.compare_digest(one, other) for one in good for other in found]
    if not any(same):
        return VerifySignatureResult(ok=False, reason="bad_signature", timestamp=timestamp)
    return VerifySignatureResult(ok=True, timestamp=timestamp)


def is_signature_valid(
    header: str | None,
    body: bytes | str,
    secret: Secret,
    *,
    tolerance_seconds: float = DEFAULT_REPLAY_TOLERANCE_SECONDS,
    now: float | None = None,
) -> bool:
    """Tell whether a signature is good, for whom it is all the same why not.

    For arguments and errors, see `verify_signature`.
    """
    return verify_signature(header, body, secret, tolerance_seconds=tolerance_seconds, now=now).ok


def sign_body(
    body: bytes | str, secret: str | bytes, *, timestamp_seconds: int | None = None
) -> str:
    """Return the header `Roost-Signature` of a body, for tests of receivers.

    Args:
        body: what is sent.
        secret: the webhook's secret.
        timestamp_seconds: when, in seconds since 1970; now if None.

    Raises:
        ValueError: the secret is empty.
    """
    stamp = str(int(time.time()) if timestamp_seconds is None else timestamp_seconds)
    return f"t={stamp},v1={_digest(_secrets(secret)[0], stamp, _bytes(body))}"


def _digest(secret: bytes, stamp: str, body: bytes) -> str:
    return hmac.new(secret, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def _secrets(secret: Secret) -> list[bytes]:
    every = [secret] if isinstance(secret, (str, bytes)) else list(secret)
    if not every or not all(every):
        msg = "secret is empty: give the webhook's signing secret, which begins with whsec_"
        raise ValueError(msg)
    return [_bytes(each) for each in every]


def _bytes(text: bytes | str) -> bytes:
    return text.encode() if isinstance(text, str) else bytes(text)
