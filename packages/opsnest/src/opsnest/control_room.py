"""Log in to an Automation 360 Control Room, and stay logged in.

A token lives for 20 minutes, and is sent in `X-Authorization`. When it has run out, whichever
request notices first logs in again, once for all that share the login, and is sent again.
"""

from __future__ import annotations

import threading
import time
from typing import Any

import requests
from requests.auth import AuthBase
from requests.hooks import default_hooks

from opsnest.answers import check_answer
from opsnest.errors import AccessError, AnswerError, ConfigurationError
from opsnest.json_values import is_object

__all__ = ["ControlRoomLogin"]

#: Seconds before the documented end of a token's 20 minutes at which it is no longer used.
_LIFETIME = 19 * 60.0
_LOGIN = "/v1/authentication"
_HEADER = "X-Authorization"


class ControlRoomLogin(AuthBase):
    """The login of one user, shared by all threads and requests of a load.

    Args:
        session: what to send with.
        control_room_url: the Control Room's address.
        username: a user of it, best one of its own: the API key is tied to the user.
        api_key: the user's API key; either this or `password`.
        password: the user's password.
        source: for messages.
        advice: for messages, by status.

    Raises:
        ConfigurationError: neither `api_key` nor `password` was given, or both.
    """

    def __init__(
        self,
        session: requests.Session,
        control_room_url: str,
        username: str,
        *,
        api_key: str | None = None,
        password: str | None = None,
        source: str,
        advice: dict[int, str],
    ) -> None:
        if bool(api_key) == bool(password):
            message = (
                f"{source}: {'both' if api_key else 'neither'} `api_key` and `password` are set.\n"
                f"  Set one of them under [sources.{source}] in .dlt/secrets.toml."
            )
            raise ConfigurationError(message)
        self._session = session
        self._url = control_room_url.rstrip("/") + _LOGIN
        # without multipleLogin, a login ends the user's other sessions
        self._body: dict[str, Any] = {"username": username, "multipleLogin": True}
        self._body |= {"apiKey": api_key} if api_key else {"password": password}
        self._source = source
        self._advice = advice
        self._lock = threading.Lock()
        self._token: str | None = None
        self._answer: dict[str, Any] = {}
        self._since = 0.0
        self._refusal: AccessError | None = None

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Put the token into a request, and see to its answer if that is a 401."""
        request.headers[_HEADER] = self._current()
        request.register_hook("response", self._retry_refused)  # type: ignore[no-untyped-call]
        return request

    def log_in(self) -> dict[str, Any]:
        """Log in now, and return what the Control Room answers: token, user, permissions.

        Raises:
            AccessError: it did not accept user and key.
            UnreachableError: it did not answer.
        """
        with self._lock:
            self._renew()
            return dict(self._answer)

    def _current(self) -> str:
        with self._lock:
            if self._token is None or time.monotonic() - self._since > _LIFETIME:
                self._renew()
            return str(self._token)

    def _after(self, refused: str) -> str:
        """Return a token newer than `refused`: a new one, unless another thread has it already."""
        with self._lock:
            if self._token == refused:
                self._renew()
            return str(self._token)

    def _renew(self) -> None:
        if self._refusal is not None:
            raise self._refusal  # not once for each thread: a few wrong logins lock a user out
        response = self._session.post(self._url, json=self._body, auth=_no_token)
        try:
            check_answer(response, source=self._source, resource="login", advice=self._advice)
        except AccessError as refusal:
            self._refusal = refusal
            raise
        answer: object = response.json() if response.content else None
        if not is_object(answer) or not answer.get("token"):
            raise AnswerError(
                source=self._source,
                resource="login",
                method="POST",
                path=_LOGIN,
                problem="the answer to the login holds no token",
                advice="Check that `control_room_url` is that of a Control Room.",
                status=response.status_code,
            )
        self._answer = answer
        self._token = str(self._answer["token"])
        self._since = time.monotonic()

    def _retry_refused(self, response: requests.Response, **kwargs: Any) -> requests.Response:
        """Send a request again whose token was refused: it has run out while the load went on."""
        request = response.request
        refused = request.headers.get(_HEADER)
        if response.status_code != 401 or refused is None:
            return response
        again = request.copy()
        # those of the request run behind this one, on what it returns
        again.hooks = default_hooks()
        again.headers[_HEADER] = self._after(refused)
        response.close()
        return self._session.send(again, **kwargs)


def _no_token(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Send the login itself without the session's token."""
    return request
