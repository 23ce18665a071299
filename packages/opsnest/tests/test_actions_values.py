"""What actions read and write: values of bots, and times."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from opsnest.actions.bot_values import from_bot, to_bot
from opsnest.actions.calls import looks, moment
from opsnest.errors import ConfigurationError


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("EMEA", {"type": "STRING", "string": "EMEA"}),
        ("", {"type": "STRING", "string": ""}),
        (3, {"type": "NUMBER", "number": 3}),
        (0.5, {"type": "NUMBER", "number": 0.5}),
        (True, {"type": "BOOLEAN", "boolean": True}),
        (False, {"type": "BOOLEAN", "boolean": False}),
    ],
)
def test_an_input_is_written_with_its_type_and_read_again(
    value: Any, written: dict[str, Any]
) -> None:
    assert to_bot({"x": value}) == {"x": written}
    assert from_bot(written) == value


@pytest.mark.parametrize("value", [None, float("nan"), float("inf"), b"bytes", {"a": 1}])
def test_an_input_of_another_type_is_refused(value: Any) -> None:
    with pytest.raises(ConfigurationError, match="the input 'x' is a"):
        to_bot({"x": value})


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ({"type": "NUMBER", "number": "12"}, 12),
        ({"type": "NUMBER", "number": "1.5"}, 1.5),
        ({"type": "NUMBER", "number": "a dozen"}, "a dozen"),
        ({"type": "DATETIME", "string": "2022-04-07T00:15:00Z"}, "2022-04-07T00:15:00Z"),
        (
            {"type": "LIST", "list": [{"type": "STRING", "string": "a"}, {"type": "NUMBER"}]},
            ["a", {"type": "NUMBER"}],
        ),
        (
            {
                "type": "DICTIONARY",
                "dictionary": [{"key": "k", "value": {"type": "STRING", "string": "v"}}],
            },
            {"k": "v"},
        ),
        ({"type": "TABLE", "table": {"rows": []}}, {"rows": []}),
        ({"no": "type"}, {"no": "type"}),
        ("plain", "plain"),
        (None, None),
    ],
)
def test_an_output_is_read_by_its_type(variable: Any, value: Any) -> None:
    assert from_bot(variable) == value


@pytest.mark.parametrize("nothing", [None, "", 0, "soon", "1970-01-01T00:00:00Z"])
def test_a_time_that_has_not_come_is_none(nothing: Any) -> None:
    assert moment(nothing) is None


@pytest.mark.parametrize(
    "written",
    ["2026-07-01T06:41:02.123456Z", "2026-07-01T06:41:02.123456789Z", "2026-07-01T06:41:02.123456"],
)
def test_a_time_is_read_with_its_zone(written: str) -> None:
    assert moment(written) == datetime(2026, 7, 1, 6, 41, 2, 123456, tzinfo=UTC)


def test_a_wait_looks_at_once_and_once_more_at_its_end() -> None:
    assert sum(1 for _ in looks(timeout=0, poll_every=5)) == 1
    assert sum(1 for _ in looks(timeout=0.01, poll_every=5)) == 2
