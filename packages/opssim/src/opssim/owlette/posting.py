"""Sends a body to a webhook's URL, and says what came of it. It never raises."""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

_TIMEOUT_S: Final = 10.0
_KEPT: Final = 4096


@dataclass(frozen=True, slots=True)
class Posted:
    """What came back: a status, or the error that kept it away."""

    status: int | None
    body: str
    headers: Mapping[str, str]
    milliseconds: int
    error: str = ""


class _Direct(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: for a webhook it is a failure."""

    def http_error_302(self, req: Any, fp: Any, code: Any, msg: Any, headers: Any) -> None:
        """Do nothing, which leaves the answer as it is."""

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Direct)


def post(url: str, body: bytes, headers: Mapping[str, str]) -> Posted:
    """Send a body once."""
    began = time.monotonic()
    try:
        request = urllib.request.Request(url, body, dict(headers), method="POST")  # noqa: S310 - http and https only
        with _opener.open(request, timeout=_TIMEOUT_S) as answer:
            return _read(answer.status, answer, began)
    except urllib.error.HTTPError as refusal:
        with refusal:
            return _read(refusal.code, refusal, began)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Posted(None, "", {}, _since(began), str(error) or type(error).__name__)


def _read(
    status: int, answer: http.client.HTTPResponse | urllib.error.HTTPError, began: float
) -> Posted:
    text = answer.read(_KEPT).decode("utf-8", "replace")
    return Posted(status, text, dict(answer.headers.items()), _since(began))


def _since(began: float) -> int:
    return int((time.monotonic() - began) * 1000)
