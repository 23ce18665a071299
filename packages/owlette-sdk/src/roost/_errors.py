"""All errors that this package raises on purpose.

    RoostError
    ├── RoostApiError               an answer that refuses: .status .code .request_id .problem
    │   ├── AuthenticationError     401: no key, a wrong one, or one that has expired
    │   ├── PermissionDeniedError   403: the key or its user may not do this
    │   ├── NotFoundError           404, 410: it is not there, or not for this key
    │   ├── InvalidRequestError     400, 413, 422: what was sent makes no sense to the server
    │   ├── QuotaExceededError      402: the storage of the site is full
    │   ├── ConflictError           409: what was asked does not fit the state of things
    │   │   └── MachineOfflineError     the machine is not connected
    │   ├── PreconditionFailedError 412: what was assumed no longer holds
    │   │   └── VersionStaleError       somebody else has published: .current_version_id
    │   ├── RateLimitedError        429: .retry_after
    │   └── ServerError             5xx
    ├── RoostTransportError         no answer: the network, or a wait that took too long
    ├── StreamError                 a stream of chat or events that says what went wrong
    ├── PagingError                 a list that does not come to an end
    ├── DeploymentFailedError       a rollout that was aborted: .deployment
    ├── PushError                   a folder that cannot be published as it is
    │   ├── PathRuleError               paths that no version can have: .offenders
    │   ├── UnreadableError             files or folders that cannot be read: .paths
    │   └── FileChangedError            a file that changes all the time: .path
    ├── TransferError               a chunk that the storage does not take or give: .digest
    ├── PullError                   a version that cannot be written into a folder
    └── WebhookSignatureError       a request that nobody with the secret has signed: .reason

`StreamError` is a `RuntimeError` as well, `RoostTransportError` a `ConnectionError`, and
`PathRuleError` a `ValueError`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from roost._hooks import redacted

__all__ = [
    "AuthenticationError",
    "ConflictError",
    "DeploymentFailedError",
    "FileChangedError",
    "InvalidRequestError",
    "MachineOfflineError",
    "NotFoundError",
    "PagingError",
    "PathRuleError",
    "PermissionDeniedError",
    "PreconditionFailedError",
    "PullError",
    "PushError",
    "QuotaExceededError",
    "RateLimitedError",
    "RoostApiError",
    "RoostError",
    "RoostTransportError",
    "ServerError",
    "StreamError",
    "TransferError",
    "UnreadableError",
    "VersionStaleError",
    "WebhookSignatureError",
    "api_error",
]

_HEAD = re.compile(r"current head \(([^)]+)\)")


class RoostError(Exception):
    """The root of all errors of this package."""


class RoostApiError(RoostError):
    """An answer with a status of 4xx or 5xx.

    Attributes:
        status: the HTTP status.
        problem: the answer's problem document (RFC 7807); `{"detail": text}` if it was something
            else.
        code: the stable name of what is wrong, such as `scope_insufficient`; None if not told.
        request_id: what to quote when asking for help; None if not told.
        method: the method that was used.
        url: the URL that was asked, without its query.
    """

    def __init__(
        self,
        status: int,
        problem: Mapping[str, Any] | None = None,
        *,
        method: str = "",
        url: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status = status
        self.problem: dict[str, Any] = dict(problem or {})
        self.method = method
        self.url = url
        told = headers or {}
        self.code: str | None = _text(self.problem.get("code"))
        self.request_id: str | None = _text(self.problem.get("requestId")) or told.get(
            "x-request-id"
        )
        #: Seconds after which the server says that it can be tried again.
        self.retry_after: float | None = None
        super().__init__(self._message())

    def _message(self) -> str:
        said = self.problem.get("detail") or self.problem.get("title") or f"HTTP {self.status}"
        return redacted(str(said))

    def __repr__(self) -> str:
        where = f", {self.method} {self.url}" if self.method else ""
        return f"{type(self).__name__}({self.status}, {self.code!r}{where}, {str(self)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by state: the arguments are not those of `Exception`."""
        return _revive, (type(self), self.args, dict(self.__dict__))

    @property
    def docs_url(self) -> str | None:
        """Where the code is explained, if the server says."""
        return _text(self.problem.get("docsUrl"))

    @property
    def field_errors(self) -> dict[str, list[str]]:
        """What is wrong with what was sent, by dotted path, if the server says."""
        errors = self.problem.get("errors")
        return errors if isinstance(errors, dict) else {}  # pyright: ignore[reportUnknownVariableType]


class AuthenticationError(RoostApiError):
    """401: there is no key, a wrong one, or one that has expired (`token_expired`)."""


class PermissionDeniedError(RoostApiError):
    """403: the key lacks a scope (`scope_insufficient`), or its user the capability."""


class NotFoundError(RoostApiError):
    """404 or 410: it is not there, was deleted, or is not for this key to see."""


class InvalidRequestError(RoostApiError):
    """400, 413 or 422: what was sent makes no sense to the server; see `field_errors`."""


class QuotaExceededError(RoostApiError):
    """402: the site has no storage left."""


class ConflictError(RoostApiError):
    """409: what was asked does not fit the state of things."""


class MachineOfflineError(ConflictError):
    """409 `machine_offline`: the machine is not connected, so no command can reach it."""


class PreconditionFailedError(RoostApiError):
    """412: what was assumed no longer holds."""


class VersionStaleError(PreconditionFailedError):
    """412 `version_stale`: somebody else has published in the meantime."""

    @property
    def current_version_id(self) -> str | None:
        """The version that is published now; None if there is none, or the server does not say."""
        told = _text(self.problem.get("currentVersionId"))
        if told is None and (found := _HEAD.search(str(self.problem.get("detail", "")))):
            told = found[1]
        return None if told == "null" else told


class RateLimitedError(RoostApiError):
    """429: too many requests; `retry_after` has the seconds to wait."""


class ServerError(RoostApiError):
    """5xx: the server failed, or is not there for the moment."""


class RoostTransportError(RoostError, ConnectionError):
    """No answer came: the network, a proxy, TLS, or a wait that took too long.

    Attributes:
        method: the method that was used.
        url: the URL that was asked, without its query.
    """

    def __init__(self, what: str, *, method: str, url: str) -> None:
        super().__init__(f"{method} {url}: {what}")
        self.method = method
        self.url = url

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by state: the arguments are not those of `Exception`."""
        return _revive, (type(self), self.args, dict(self.__dict__))


class StreamError(RoostError, RuntimeError):
    """A stream that ends by saying what went wrong; what came before it is good."""


class PagingError(RoostError):
    """A list whose pages come back to where they were."""


class DeploymentFailedError(RoostError):
    """A rollout that was aborted, because too many machines failed.

    Attributes:
        deployment: the rollout as it was last, with its machines.
    """

    def __init__(self, deployment: Mapping[str, Any]) -> None:
        why = deployment.get("abortReason") or "no reason was given"
        super().__init__(f"the rollout of {deployment.get('versionId')} was aborted: {why}")
        self.deployment = deployment


class PushError(RoostError):
    """A folder that cannot be published as it is."""


class PathRuleError(PushError, ValueError):
    """Paths that no version can have; nothing was uploaded.

    Attributes:
        offenders: what is wrong, by path.
    """

    def __init__(self, offenders: Mapping[str, str]) -> None:
        super().__init__(f"these files cannot be published under their names:{_listed(offenders)}")
        self.offenders: dict[str, str] = dict(offenders)


class UnreadableError(PushError):
    """Files or folders that cannot be read; no version was published.

    Attributes:
        paths: what the system says, by path.
    """

    def __init__(self, paths: Mapping[str, str]) -> None:
        super().__init__(f"these cannot be read:{_listed(paths)}")
        self.paths: dict[str, str] = dict(paths)


class FileChangedError(PushError):
    """A file that was another one each time that it was read; no version was published.

    Attributes:
        path: its path.
    """

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} changes while it is read: push again when nothing writes to it")
        self.path = path


class TransferError(RoostError):
    """A chunk that the storage does not take, or does not give.

    Attributes:
        digest: the chunk's hash.
        status: the last answer's HTTP status; None if the bytes were wrong.
    """

    def __init__(self, what: str, *, digest: str, status: int | None) -> None:
        super().__init__(f"chunk {digest}: {what}")
        self.digest = digest
        self.status = status

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by state: the arguments are not those of `Exception`."""
        return _revive, (type(self), self.args, dict(self.__dict__))


class PullError(RoostError):
    """A version that cannot be written into a folder; files that are whole stay."""


class WebhookSignatureError(RoostError):
    """A request that nobody with the secret has signed, or not just now.

    Attributes:
        reason: which check failed; see `roost.signature.VerifyReason`.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"the signature of the webhook is not good: {reason}")
        self.reason = reason


_BY_CODE: Mapping[str, type[RoostApiError]] = {
    "machine_offline": MachineOfflineError,
    "version_stale": VersionStaleError,
}
_BY_STATUS: Mapping[int, type[RoostApiError]] = {
    400: InvalidRequestError,
    401: AuthenticationError,
    402: QuotaExceededError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    410: NotFoundError,
    412: PreconditionFailedError,
    413: InvalidRequestError,
    422: InvalidRequestError,
    429: RateLimitedError,
}


def api_error(
    status: int,
    problem: Mapping[str, Any],
    *,
    method: str = "",
    url: str = "",
    headers: Mapping[str, str] | None = None,
) -> RoostApiError:
    """Return the error of the class that fits a status and a code."""
    kind = _BY_STATUS.get(status, ServerError if status >= 500 else RoostApiError)
    special = _BY_CODE.get(str(problem.get("code")))
    if special is not None and issubclass(special, kind):
        kind = special
    return kind(status, problem, method=method, url=url, headers=headers)


def _listed(reasons: Mapping[str, str]) -> str:
    """Return reasons by path, a line each."""
    return "".join(f"\n  {path}: {why}" for path, why in reasons.items())


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _revive(kind: type[RoostError], args: tuple[Any, ...], state: dict[str, Any]) -> RoostError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error
