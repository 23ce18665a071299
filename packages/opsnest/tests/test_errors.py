"""The errors: what they say, what they leave with, and that they survive being pickled."""

from __future__ import annotations

import copy
import pickle
import re

import pytest

from opsnest import errors
from opsnest.errors import (
    AccessError,
    ActionError,
    AnswerError,
    ConfigurationError,
    DestinationError,
    OpsnestError,
    RateLimitError,
    ReplayError,
    RunningError,
    SourceError,
    StatusError,
    UnreachableError,
)

PLAIN = (
    OpsnestError,
    ConfigurationError,
    ActionError,
    DestinationError,
    ReplayError,
    RunningError,
    StatusError,
)
OF_SOURCES = (SourceError, AccessError, UnreachableError, RateLimitError, AnswerError)


def of_source(kind: type[SourceError], **more: object) -> SourceError:
    error = kind(
        source="roost_source",
        resource="events",
        method="GET",
        path="/api/test/event",
        problem="the API failed",
        advice="Run it again later.",
    )
    for name, value in more.items():
        setattr(error, name, value)
    return error


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ({}, "GET /api/test/event"),
        ({"status": 500}, "GET /api/test/event -> 500"),
        ({"status": 500, "message": "oops"}, 'GET /api/test/event -> 500 "oops"'),
        ({"status": 500, "code": "17"}, "GET /api/test/event -> 500 (code 17)"),
        (
            {"status": 500, "message": "oops", "code": "17"},
            'GET /api/test/event -> 500 "oops" (code 17)',
        ),
    ],
)
def test_an_error_of_a_source_tells_all_in_three_lines(more: dict[str, object], line: str) -> None:
    assert str(of_source(AnswerError, **more)).splitlines() == [
        "roost_source / events: the API failed",
        f"  {line}",
        "  Run it again later.",
    ]


@pytest.mark.parametrize("kind", PLAIN)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_errors_survive_pickling(kind: type[OpsnestError], protocol: int) -> None:
    again = pickle.loads(pickle.dumps(kind("one\n  two"), protocol))

    assert type(again) is kind
    assert str(again) == "one\n  two"


@pytest.mark.parametrize("kind", OF_SOURCES)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_errors_of_sources_survive_pickling(kind: type[SourceError], protocol: int) -> None:
    error = of_source(kind, status=500, message="oops", code="17")

    for again in (pickle.loads(pickle.dumps(error, protocol)), copy.copy(error)):
        assert type(again) is kind
        assert vars(again) == vars(error)
        assert str(again) == str(error)


def test_every_class_is_tested_here_and_listed() -> None:
    classes = {each for each in vars(errors).values() if isinstance(each, type)}
    own = {each for each in classes if issubclass(each, OpsnestError)}

    assert own == {*PLAIN, *OF_SOURCES}
    assert sorted(each.__name__ for each in own) == sorted(errors.__all__)


def test_exit_codes_are_those_of_the_documentation() -> None:
    listed = dict(re.findall(r"(\w+Error)\s*\((\d+)\)", errors.__doc__ or ""))

    assert listed == {each.__name__: str(each.exit_code) for each in (*PLAIN, *OF_SOURCES)}


def test_exit_codes_tell_apart_what_is_done_about_them() -> None:
    shared = {SourceError, RateLimitError, AnswerError}
    distinct = [each.exit_code for each in (*PLAIN, *OF_SOURCES) if each not in shared]

    assert {each.exit_code for each in shared} == {6}
    assert len({*distinct, 6}) == len(distinct) + 1
    # 0 is success, 2 a wrong command line, 130 an interrupt, 143 SIGTERM
    assert not {0, 2, 130, 143} & {*distinct, 6}
