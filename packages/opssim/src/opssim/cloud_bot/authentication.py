"""Login, refresh, validation and logout, and the check that every other endpoint makes first.

Sources: the OpenAPI file of `/v2/authentication`, the documentation of `/v1/authentication`,
and the `automation-anywhere` client for the rest of v1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from opssim.cloud_bot.errors import (
    ApiError,
    Handler,
    answering_errors,
    bad_request,
    json_object,
    json_response,
    unauthorized,
)
from opssim.cloud_bot.quirks import CloudBotQuirks
from opssim.cloud_bot.sessions import Sessions
from opssim.core.store import JsonObject

_PERMISSIONS = (
    ("viewuserspage", "usermanagement"),
    ("eventlog", "auditlog"),
    ("viewactivity", "activity"),
    ("run", "repositorymanager"),
    ("generateapikey", "credentialvault"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The account that clients log in with."""

    user_id: str
    username: str
    password: str
    api_key: str
    management_token: str


class Authentication:
    """The endpoints that hand out tokens, and the guard that asks for them.

    Args:
        account: who may log in.
        sessions: the tokens in force.
        quirks: what `Authorization: Bearer` is good for.
        user: how to read the account's row of the user list.
        tenant: the `tenantUuid` of the answer.
    """

    def __init__(
        self,
        account: Account,
        sessions: Sessions,
        quirks: CloudBotQuirks,
        *,
        user: Callable[[], JsonObject],
        tenant: str,
    ) -> None:
        self._account = account
        self._sessions = sessions
        self._quirks = quirks
        self._user = user
        self._tenant = tenant

    def routes(self) -> list[Route]:
        """Return the endpoints under /v1/authentication and /v2/authentication."""
        post = {
            "/v1/authentication": self._login,
            "/v2/authentication": self._login,
            "/v1/authentication/token": self._refresh_from_body,
            "/v2/authentication/token": self._refresh_from_header,
            "/v1/authentication/logout": self.guarded(self._logout),
        }
        return [
            *(
                Route(path, answering_errors(handler), methods=["POST"])
                for path, handler in post.items()
            ),
            Route("/v1/authentication/token", answering_errors(self._validate), methods=["GET"]),
        ]

    def guarded(self, handler: Handler, *, bearer: bool = False) -> Handler:
        """Let only those through to `handler` who show a token in force.

        Args:
            handler: the endpoint to guard.
            bearer: whether a login's token is accepted as a bearer token here in any case.
        """

        async def handle(request: Request) -> Response:
            self._check(request, bearer=bearer or self._quirks.oauth)
            return await handler(request)

        return answering_errors(handle)

    def _check(self, request: Request, *, bearer: bool) -> None:
        own = request.headers.get("x-authorization")
        standard = request.headers.get("authorization")
        if own is not None and standard is not None:
            message = "Send either X-Authorization or Authorization, not both"
            raise bad_request(message)
        if own is not None:
            allowed = self._is_login(own)
        else:
            scheme, _, token = (standard or "").partition(" ")
            managed = self._quirks.seed_page and token == self._account.management_token
            allowed = scheme.lower() == "bearer" and (managed or (bearer and self._is_login(token)))
        if not allowed:
            raise unauthorized()

    def _is_login(self, token: str) -> bool:
        return self._sessions.valid(token, self._account.user_id)

    async def _login(self, request: Request) -> Response:
        body = await json_object(request)
        username, password, key = (body.get(name) for name in ("username", "password", "apiKey"))
        if not username or not isinstance(username, str):
            msg = "username is missing"
            raise bad_request(msg)
        if (password is None) == (key is None):
            msg = "Send either password or apiKey, and only one of them"
            raise bad_request(msg)
        account = self._account
        known = password == account.password if key is None else key == account.api_key
        if username != account.username or not known:
            raise ApiError(401, "Invalid credentials.", code="um.credentials.invalid")
        # one of the public clients sends the setting under the second name
        multiple = body.get("multipleLogin") is True or body.get("multiLogin") is True
        token = self._sessions.open(account.user_id, multiple=multiple)
        return self._granted(token, "0")

    async def _refresh_from_header(self, request: Request) -> Response:
        return self._refresh(request.headers.get("x-authorization"))

    async def _refresh_from_body(self, request: Request) -> Response:
        token = (await json_object(request)).get("token")
        return self._refresh(token if isinstance(token, str) else None)

    def _refresh(self, token: str | None) -> Response:
        renewed = self._sessions.renew(token) if token and self._is_login(token) else None
        if renewed is None:
            raise unauthorized()
        return self._granted(renewed, str(int(self._sessions.lifetime)))

    async def _validate(self, request: Request) -> Response:
        return json_response({"valid": self._is_login(request.query_params.get("token", ""))})

    async def _logout(self, request: Request) -> Response:
        scheme_and_token = request.headers.get("authorization", "")
        self._sessions.close(
            request.headers.get("x-authorization") or scheme_and_token.partition(" ")[2]
        )
        return Response(status_code=204)

    def _granted(self, token: str, seconds: str) -> Response:
        user = self._user()
        shown = (
            *("username", "domain", "firstName", "lastName", "email", "emailVerified"),
            *("passwordSet", "questionsSet", "enableAutoLogin", "description", "disabled"),
            *("clientRegistered", "createdOn", "updatedOn", "licenseFeatures"),
        )
        return json_response(
            {
                "token": token,
                "user": {
                    "id": int(user["id"]),
                    **{name: user[name] for name in shown},
                    "roles": [
                        {"id": int(role["id"]), "name": role["name"]} for role in user["roles"]
                    ],
                    "multipleLoginAllowed": True,
                    "deleted": False,
                },
                "permissions": [
                    {"id": number, "action": action, "resourceType": kind, "resourceId": None}
                    for number, (action, kind) in enumerate(_PERMISSIONS, start=1)
                ],
                "tenantUuid": self._tenant,
                "ttlSeconds": seconds,
            }
        )
