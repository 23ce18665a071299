"""What can go wrong, and with which exit code the command line says so.

    OpsnestError            (1)   never raised itself
    ├── ConfigurationError  (3)   a secret or a setting is missing or makes no sense
    ├── SourceError         (6)   an API did not answer as it should
    │   ├── AccessError     (4)   it refused the credentials, or they may not read this
    │   ├── UnreachableError(5)   it could not be reached at all
    │   ├── RateLimitError  (6)   it went on refusing for the number of requests
    │   └── AnswerError     (6)   its answer is not what its documentation says
    ├── ActionError         (8)   something that was started in a platform did not end well
    ├── DestinationError    (7)   the database could not be written
    ├── StatusError         (9)   a pipeline is stale, failed, pending or cannot be asked about
    ├── RunningError        (10)  another run of the pipeline has not ended
    └── ReplayError         (11)  a page journal has not what a replay needs

The codes are part of the interface: 0 is success, 2 a wrong command line, 130 an interrupt,
143 SIGTERM.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar

__all__ = [
    "AccessError",
    "ActionError",
    "AnswerError",
    "ConfigurationError",
    "DestinationError",
    "OpsnestError",
    "RateLimitError",
    "ReplayError",
    "RunningError",
    "SourceError",
    "StatusError",
    "UnreachableError",
]


class OpsnestError(Exception):
    """Something that a user can understand and act on, told in full by `str()`."""

    exit_code: ClassVar[int] = 1


class ConfigurationError(OpsnestError):
    """A secret or a setting is missing or makes no sense."""

    exit_code = 3


class ActionError(OpsnestError):
    """Something that was started in a platform did not end well."""

    exit_code = 8


class DestinationError(OpsnestError):
    """The database could not be written."""

    exit_code = 7


class StatusError(OpsnestError):
    """A pipeline is stale, failed or pending, was never loaded, or cannot be asked about."""

    exit_code = 9


class RunningError(OpsnestError):
    """Another run of the pipeline has not ended, and this one was not to wait for it."""

    exit_code = 10


class ReplayError(OpsnestError):
    """A page journal has not what a replay needs."""

    exit_code = 11


@dataclass(eq=False)
class SourceError(OpsnestError):
    """An API did not answer as it should.

    Attributes:
        source: the dlt source, such as `roost_source`.
        resource: the resource that was being read, or the action that was being done.
        method: the HTTP method.
        path: the path that was asked, without query and host.
        problem: what happened, in a few words.
        advice: what to do next.
        status: the HTTP status, if there was an answer.
        message: what the API itself said.
        code: the API's own code for it.
    """

    source: str
    resource: str
    method: str
    path: str
    problem: str
    advice: str
    status: int | None = None
    message: str | None = None
    code: str | None = None

    exit_code: ClassVar[int] = 6

    def __str__(self) -> str:
        said = f' "{self.message}"' if self.message else ""
        coded = f" (code {self.code})" if self.code else ""
        status = f" -> {self.status}" if self.status else ""
        return (
            f"{self.source} / {self.resource}: {self.problem}\n"
            f"  {self.method} {self.path}{status}{said}{coded}\n"
            f"  {self.advice}"
        )

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions pickle by their `args`, which a dataclass leaves empty.
        return type(self), tuple(getattr(self, field.name) for field in fields(self))


class AccessError(SourceError):
    """The API refused the credentials, or they may not read this."""

    exit_code = 4


class UnreachableError(SourceError):
    """The API could not be reached."""

    exit_code = 5


class RateLimitError(SourceError):
    """The API went on refusing for the number of requests."""


class AnswerError(SourceError):
    """The API's answer is not what its documentation says."""
