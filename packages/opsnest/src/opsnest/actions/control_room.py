"""Cloud bot: log in to an Automation 360 Control Room, and be there for one action."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import dlt
from dlt.common.configuration import with_config
from dlt.common.typing import TSecretStrValue

from opsnest.actions.calls import Call, ask, explained, given, signing, text
from opsnest.control_room import ControlRoomLogin
from opsnest.http import ApiSession
from opsnest.json_values import is_list, is_object, look_up
from opsnest.sources.cloud_bot import ADVICE, SOURCE

__all__ = ["DENIED", "NOTHING_STARTED", "Login", "Room", "authenticate", "entered"]

#: What to do when the Control Room does not let somebody start a bot.
DENIED = {
    401: ADVICE[401],
    403: "The user's role lacks the permission to run this bot: it must be allowed to run bots, "
    "and to run and schedule those of the bot's folder.",
}
NOTHING_STARTED = "Nothing has been started: run it again later."

_LOGIN = Call(
    source=SOURCE,
    action="login",
    denied=ADVICE,
    refused="Check `control_room_url` and `username`.",
    failed=NOTHING_STARTED,
)


@dataclass(frozen=True, slots=True)
class Login:
    """A login to a Control Room.

    Attributes:
        token: what to send as `X-Authorization`, for 20 minutes. It is not shown.
        username: who is logged in.
        user: what the Control Room says about the user.
        permissions: what the user may do, such as `viewuserspage`.
        tenant: the UUID of the tenant.
    """

    token: str = field(repr=False)
    username: str
    user: Mapping[str, Any] = field(repr=False, compare=False)
    permissions: tuple[str, ...]
    tenant: str | None


def authenticate(
    *,
    control_room_url: str | None = None,
    username: str | None = None,
    api_key: str | None = None,
    password: str | None = None,
) -> Login:
    """Log in, as `POST v1/authentication`, leaving the user's other sessions alone.

    Args:
        control_room_url: the Control Room;
        username: the user to log in as,
        api_key: its API key, or
        password: its password. What is not given is taken from `[sources.cloud_bot_source]`; an
            API key or password that is given counts alone.

    Raises:
        AccessError: user and key were not accepted.
        UnreachableError: the Control Room did not answer.
        ConfigurationError: both `api_key` and `password` are set, or neither.
        ConfigFieldMissingException: dlt's, when there is no user or Control Room.
    """
    with entered(control_room_url, username, api_key, password) as room:
        answer = room.log_in()
    user: object = answer.get("user")
    granted: object = answer.get("permissions")
    return Login(
        token=str(answer["token"]),
        username=text(look_up(user, "username")) or room.username,
        user=user if is_object(user) else {},
        permissions=tuple(
            str(each["action"])
            for each in (granted if is_list(granted) else [])
            if is_object(each) and each.get("action")
        ),
        tenant=text(answer.get("tenantUuid")),
    )


@dataclass(frozen=True, slots=True)
class Room:
    """A Control Room, and what is needed to ask it.

    Attributes:
        url: its address, without a slash at the end.
        username: who logs in.
        login: the login, made when it is first needed.
        reader: the session for what only reads, and may be repeated.
    """

    url: str
    username: str
    login: ControlRoomLogin
    reader: ApiSession

    def log_in(self) -> dict[str, Any]:
        """Log in now, and return what the Control Room answers.

        Raises:
            SourceError: it did not accept the user, or did not answer.
        """
        with explained(_LOGIN):
            return self.login.log_in()

    def read(self, path: str, call: Call, body: Mapping[str, Any]) -> dict[str, Any]:
        """Post what only reads.

        Raises:
            SourceError: there was no right answer.
        """
        return ask(self.reader, "POST", f"{self.url}/{path}", call, body=body)

    def write(
        self, path: str, call: Call, body: Mapping[str, Any], timeout: float | None = None
    ) -> dict[str, Any]:
        """Post what must not be repeated, with a token just obtained.

        With the login as its `auth`, a request whose token was refused would be sent again by the
        session of the login, which repeats what fails.

        Raises:
            SourceError: there was no right answer.
        """
        token = str(self.log_in()["token"])
        with ApiSession(self.url, source=SOURCE, repeat_posts=False) as writer:
            writer.auth = signing({"X-Authorization": token})
            return ask(writer, "POST", f"{self.url}/{path}", call, body=body, timeout=timeout)


@contextmanager
def entered(
    control_room_url: str | None, username: str | None, api_key: str | None, password: str | None
) -> Generator[Room]:
    """Be ready to ask a Control Room until the block ends; dlt looks up what is None."""
    url, user, key, word = _settings(
        **given(
            control_room_url=control_room_url, username=username, api_key=api_key, password=password
        )
    )
    if api_key or password:  # what the configuration holds of the other is not meant
        key, word = api_key, password
    with ApiSession(url, source=SOURCE) as reader:
        login = ControlRoomLogin(
            reader, url, user, api_key=key, password=word, source=SOURCE, advice=ADVICE
        )
        reader.auth = login
        yield Room(url.rstrip("/"), user, login, reader)


@with_config(sections=("sources", SOURCE))
def _settings(
    control_room_url: str = dlt.config.value,
    username: str = dlt.secrets.value,
    api_key: TSecretStrValue | None = None,
    password: TSecretStrValue | None = None,
) -> tuple[str, str, str | None, str | None]:
    return control_room_url, username, api_key, password
