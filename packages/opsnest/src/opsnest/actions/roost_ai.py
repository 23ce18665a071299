"""Roost.ai: create a test, and run it.

Facts are from RoostGPT's OpenAPI file (v1.1.15). It leaves open what a trigger answers; the id of
the event that it began must be in there.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Literal, NotRequired, TypedDict
from urllib.parse import quote

import dlt
from dlt.common.configuration import with_config

from opsnest.actions.calls import (
    Call,
    ask,
    check_wait,
    given,
    looks,
    moment,
    signing,
    started,
    text,
    unexpected,
)
from opsnest.catalogue.roost_ai import SECRETS, SOURCE
from opsnest.errors import ActionError
from opsnest.http import ApiSession
from opsnest.rows import Cleaning, cleaner
from opsnest.sources.roost_ai import ADVICE, ROOST_API

__all__ = ["NewTest", "Test", "TestEvent", "create_test", "trigger_test"]

_DENIED = {401: ADVICE[401], 403: "The token may not do this: check the role of its user."}
_UNSURE = (
    "It may have been done all the same, so it was not sent again: "
    "look in Roost.ai before you repeat it."
)
_CREATE = Call(
    source=SOURCE,
    action="create_test",
    denied=_DENIED,
    refused="Check the fields of the test: Roost.ai's message names those that are wrong.",
    failed=_UNSURE,
    sent_once=True,
)
_TRIGGER = Call(
    source=SOURCE,
    action="trigger_test",
    denied=_DENIED,
    refused="Check `test_id`, `event_type` and `license_key`, and the base URL.",
    failed=_UNSURE,
    sent_once=True,
)
_WATCH = Call(
    source=SOURCE,
    action="trigger_test",
    denied=_DENIED,
    refused="It could not be asked how the event is doing.",
    failed="It could not be asked how the event is doing.",
)

_ENDED = frozenset({"completed", "failed", "aborted", "timeout"})

#: Secrets lie within JSON that comes in strings: it is decoded to take them out.
_clean = cleaner(
    Cleaning(json_text=tuple(sorted({path.partition(".")[0] for path in SECRETS})), secrets=SECRETS)
)


class NewTest(TypedDict):
    """A test to create: Roost.ai's `AddTestDto`, whose OpenAPI file describes the inner objects.

    Example:
        {
            "app_id": "...",
            "test_name": "checkout unit tests",
            "git_type": "github",
            "ai_model_info": {"selected_model": "openai", "model": "gpt-4o"},
            "git_info": {"type": "source", "host_type": "github", "source": {...}, ...},
            "integration_info": {"type": "none"},
            "additional_info": {"test_type": "unit", "language": "java", ...},
            "test_timeout": 1,
            "test_scope": "team",
        }
    """

    app_id: str
    test_name: str
    git_type: Literal["github", "gitlab", "bitbucket", "azure"]
    ai_model_info: Mapping[str, object]
    git_info: Mapping[str, object]
    integration_info: Mapping[str, object]
    additional_info: Mapping[str, object]
    #: In hours.
    test_timeout: float
    test_scope: str
    git_ops: NotRequired[bool]
    license_key: NotRequired[str]
    source_branch: NotRequired[str]
    source_repo: NotRequired[str]
    test_framework: NotRequired[str]
    test_type: NotRequired[str]
    trigger_events: NotRequired[Sequence[Literal["push", "pr_create"]]]


@dataclass(frozen=True, slots=True)
class Test:
    """A test as Roost.ai holds it.

    Attributes:
        id: what it is triggered by.
        name: its name.
        created_on: when it was created.
        git_type: where its repository is.
        source_repo: the repository, where Roost.ai names it.
        source_branch: its branch.
        raw: the whole row, without nulls and secrets.
    """

    __test__: ClassVar[bool] = False  # pytest would take the class for a test by its name

    id: str
    name: str | None
    created_on: datetime | None
    git_type: str | None
    source_repo: str | None
    source_branch: str | None
    raw: Mapping[str, Any] = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class TestEvent:
    """An event: one run of a test.

    Attributes:
        id: Roost.ai's `trigger_id`.
        test_id: the test that is run.
        status: `in_queue`, `installing_dependencies`, `in_progress`, `aborting`, or how it ended:
            `completed`, `failed`, `aborted` or `timeout`. None where the trigger did not say.
        details: what Roost.ai says about the status.
        begun_on: when it was triggered.
        completed_on: when it ended.
        raw: the whole row, without nulls and secrets.
    """

    __test__: ClassVar[bool] = False  # pytest would take the class for a test by its name

    id: str
    test_id: str
    status: str | None
    details: str | None
    begun_on: datetime | None
    completed_on: datetime | None
    raw: Mapping[str, Any] = field(repr=False, compare=False)

    @property
    def ended(self) -> bool:
        """Whether it was over when it was last looked at."""
        return self.status in _ENDED

    @property
    def succeeded(self) -> bool:
        """Whether it has completed; False too while it has not ended."""
        return self.status == "completed"


def create_test(test: NewTest, *, token: str | None = None, base_url: str | None = None) -> Test:
    """Create a test, as `POST test`.

    Args:
        test: the test; its secrets are sent and come back nowhere.
        token: a personal API token, else `[sources.roost_source] token`.
        base_url: where the API is, else `[sources.roost_source] base_url` or the public service.

    Raises:
        AccessError: the token was not accepted, or may not do this.
        AnswerError: Roost.ai refused the test, or failed.
        UnreachableError: there was no answer. The test may have been created all the same.
        ConfigFieldMissingException: dlt's, when there is no token.
    """
    with _connected(token, base_url) as roost:
        url = f"{roost.url}/test"
        row = ask(roost.writer, "POST", url, _CREATE, body=test)
    if not row.get("id"):
        raise unexpected(_CREATE, "POST", url, "the answer holds no id of a test")
    row = _clean(row)
    return Test(
        id=str(row["id"]),
        name=text(row.get("test_name")),
        created_on=moment(row.get("created_on")),
        git_type=text(row.get("git_type")),
        source_repo=text(row.get("source_repo")),
        source_branch=text(row.get("source_branch")),
        raw=row,
    )


def trigger_test(  # noqa: PLR0913 - the fields of the request, the wait and the credentials
    test_id: str,
    *,
    event_type: str = "generate",
    license_key: str | None = None,
    runtime_variables: Mapping[str, object] | None = None,
    wait: bool = False,
    timeout: float = 3600.0,
    poll_every: float = 2.0,
    token: str | None = None,
    base_url: str | None = None,
) -> TestEvent:
    """Run a test, as `POST test/{test_id}/trigger`, and wait for its end if asked to.

    An event that fails is returned like any other: look at `succeeded`. Ctrl-C ends the wait and
    nothing else: the event goes on, and a warning in the log says how to look it up.

    Args:
        test_id: the test to run.
        event_type: `generate`, `analyze`, `retrigger`, `improve` or `support`.
        license_key: Roost.ai's licence key, else `[sources.roost_source] license_key`.
        runtime_variables: variables of this run.
        wait: whether to wait until the event has ended.
        timeout: seconds to wait at most.
        poll_every: seconds between two looks.
        token: a personal API token, else `[sources.roost_source] token`.
        base_url: where the API is, else `[sources.roost_source] base_url` or the public service.

    Raises:
        ActionError: the wait ran out; the event goes on.
        AccessError: the token was not accepted, or may not do this.
        AnswerError: Roost.ai refused the trigger, or failed.
        UnreachableError: there was no answer. The event may have begun all the same.
        ConfigurationError: `timeout` or `poll_every` makes no sense.
        ConfigFieldMissingException: dlt's, when there is no token or licence key.
    """
    check_wait(SOURCE, timeout, poll_every)
    with _connected(token, base_url) as roost:
        body = {
            "event_type": event_type,
            "license_key": _license_key(**given(license_key=license_key)),
            "runtime_variables": dict(runtime_variables or {}),
        }
        url = f"{roost.url}/test/{quote(test_id, safe='')}/trigger"
        answer = ask(roost.writer, "POST", url, _TRIGGER, body=body)
        trigger_id = text(answer.get("trigger_id")) or text(answer.get("id"))
        if trigger_id is None:
            raise unexpected(_TRIGGER, "POST", url, "the answer holds no id of an event")
        if wait:
            return _ended_event(roost, trigger_id, test_id, timeout, poll_every)
    return _event(trigger_id, test_id, answer)


@dataclass(frozen=True, slots=True)
class _Roost:
    url: str
    writer: ApiSession
    reader: ApiSession


@contextmanager
def _connected(token: str | None, base_url: str | None) -> Generator[_Roost]:
    token, url = _settings(**given(token=token, base_url=base_url))
    with (
        ApiSession(url, source=SOURCE, repeat_posts=False) as writer,
        ApiSession(url, source=SOURCE) as reader,
    ):
        writer.auth = reader.auth = signing({"Authorization": f"Bearer {token}"})
        yield _Roost(url.rstrip("/"), writer, reader)


@with_config(sections=("sources", SOURCE))
def _settings(token: str = dlt.secrets.value, base_url: str = ROOST_API) -> tuple[str, str]:
    return token, base_url


@with_config(sections=("sources", SOURCE))
def _license_key(license_key: str = dlt.secrets.value) -> str:
    return license_key


def _ended_event(
    roost: _Roost, trigger_id: str, test_id: str, timeout: float, poll_every: float
) -> TestEvent:
    url = f"{roost.url}/test/event/{quote(trigger_id, safe='')}"
    what = f"event {trigger_id}"
    where = f"Look it up in Roost.ai, or with GET {url}"
    status = None
    with started(what, where):
        for _ in looks(timeout, poll_every):
            event = _event(trigger_id, test_id, ask(roost.reader, "GET", url, _WATCH))
            if event.ended:
                return event
            status = event.status
    message = (
        f"{SOURCE} / {_TRIGGER.action}: {what} has not ended after {timeout:g} s, and goes on\n"
        f"  its last status: {status}\n"
        f"  {where}"
    )
    raise ActionError(message)


def _event(trigger_id: str, test_id: str, row: dict[str, Any]) -> TestEvent:
    row = _clean(row)
    return TestEvent(
        id=trigger_id,
        test_id=text(row.get("test_id")) or test_id,
        status=text(row.get("status")),
        details=text(row.get("status_details")),
        begun_on=moment(row.get("time")),
        completed_on=moment(row.get("completion_time")),
        raw=row,
    )
