"""Which texts are moments, and which moments they are: as dlt says, text by text."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from dlt.common.data_types.type_helpers import coerce_value
from dlt.common.schema.detections import is_iso_timestamp
from dlt.common.time import normalize_timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from restarrow.errors import UnsupportedError
from restarrow.normalise import arrow
from restarrow.normalise.timestamps import is_moment, moment_of_number, moment_of_text

YEARS = ["2024", "2023", "0000", "0001", "9999", "1999", "\uff12\uff10\uff12\uff14", "24", "2020"]
DATES = [
    *(
        "-01-01",
        "-1-1",
        "0101",
        "-12-31",
        "-02-30",
        "-001",
        "001",
        "-366",
        "-365",
        "W011",
        "-W01-1",
    ),
    *("-W53-7", "W537", "-W00-0", "-W01", "W01", "/01/01", "/0101", "01/01", ":01:01", "-01", ""),
    *("/01/", "-13-45", "1345", "-W54-1", "000", "-000", "0229", "-02-29", "-09-31"),
]
TIMES = [
    *("", "10:00", "10:00:00", "1000", "100000", "10", "24:00", "24:00:00", "10:60", "10:00:60"),
    *("1:2", "1:2:3", "10:", "1", "10:0", "10:00:0", "235959", "23:59:59"),
]
PARTS = ["", "", "", ".1", ".123456789", ",5", ".", "|5", ".1234567", "|123"]
ZONES = [
    *("", "", "Z", "z", "+02", "+0200", "+02:00", "-00:00", "+02:", " UTC", "+24:00", "-24:00"),
    *("+23:59", "-23:59", "+99:99", "-99:99", "+2", "+14:00", "Z "),
]
OTHERS = [
    *(
        "17",
        "-1",
        "1e5",
        "nan",
        "inf",
        "1e400",
        "1_0",
        " 12 ",
        "12.5",
        "1704067200",
        "٣",
        "P",
        "PT",
    ),
    *("99999999999999", "-62135596800", "253402300799", "253402300800", "P1D", "P1Y2M", "T10:00"),
    *(
        "2024-01-01/2024-02-01",
        "2024-01-01/P1D",
        "",
        "20240101/20250101",
        "abc",
        "2024-01-01T10:00\n",
    ),
]
TEXTS = st.one_of(
    st.tuples(
        st.sampled_from(YEARS),
        st.sampled_from(DATES),
        st.sampled_from(["", "T", "t", " ", "  "]),
        st.sampled_from(TIMES),
        st.sampled_from(PARTS),
        st.sampled_from(ZONES),
    ).map("".join),
    st.sampled_from(OTHERS),
)


def altered(text: str, chance: Random) -> str:
    """Change a letter or two, sometimes."""
    letters = list(text)
    for _ in range(chance.choice([0, 0, 1, 2])):
        at = chance.randrange(len(letters) + 1)
        letters[at : at + chance.randrange(2)] = chance.choice(["", *"0123456789-:TZ .,+/W|e_x\n٣"])
    return "".join(letters)


def dlt_reads(text: str) -> Any:
    try:
        value = coerce_value("timestamp", "text", text)
    except ValueError:
        return "misfit"
    except (TypeError, OSError):
        return "stops"
    try:
        return normalize_timezone(value, timezone=True)
    except (ValueError, OverflowError):
        return "stops"


def we_read(text: str) -> Any:
    try:
        return moment_of_text(text)
    except (ValueError, OverflowError):
        return "misfit"
    except UnsupportedError:
        return "stops"


def check(text: str) -> None:
    theirs, ours = dlt_reads(text), we_read(text)
    assert ours == theirs, text
    if ours != "stops":
        assert is_moment(text) == (bool(text) and is_iso_timestamp(str, text) == "timestamp"), text
    column = arrow.moments(arrow.array([text], "text"))
    if column is not None:
        assert column.to_pylist() == [theirs], text


@settings(max_examples=500, deadline=None, database=None)
@given(TEXTS, st.randoms(use_true_random=False))
def test_every_notation(text: str, chance: Random) -> None:
    check(altered(text, chance))


@pytest.mark.long
@settings(max_examples=10_000, deadline=None, database=None)
@given(TEXTS, st.randoms(use_true_random=False))
def test_every_notation_thoroughly(text: str, chance: Random) -> None:
    check(altered(text, chance))


@pytest.mark.parametrize("year", [1, 4, 1999, 2000, 2020, 2024, 9999])
def test_every_day_of_a_year_and_of_its_weeks(year: int) -> None:
    for number in range(400):
        check(f"{year:04}-{number:03}T10:00")
    for week in range(56):
        for day in range(10):
            check(f"{year:04}-W{week:02}-{day}T10:00")


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-01T00:00:00Z",
        "2024-01-01 00:00",
        "2024-01-01T00",
        "20240101T0000",
        "20240101T000000Z",
        "2024-01-01T00:00:00.1",
        "2024-01-01T00:00:00,123456789+02",
        "2024-W01-1T10:00",
        "2024-001T10:00:00",
        "2024/01/01 10:00:00",
    ],
)
def test_moments(text: str) -> None:
    assert is_moment(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "2024-01-01",
            "2024",
            "20240101",
            "10:00",
            "2024-01-01t00:00:00z",
            " 2024-01-01T00:00:00Z",
        ),
        *(
            "2024-01-01T00:00:00 UTC",
            "Mon, 01 Jan 2024 00:00:00 GMT",
            "2024-01-01T24:00",
            "P1D",
            "",
        ),
        *("2024-01-01T00:00:60Z", "2024-1-1T00:00:00Z", "2024-02-30T00:00:00Z", "x"),
    ],
)
def test_texts_that_are_none(text: str) -> None:
    assert not is_moment(text)


def test_a_column_of_moments_takes_dates_and_seconds() -> None:
    assert moment_of_text("2024-01-01") == datetime(2024, 1, 1, tzinfo=UTC)
    assert moment_of_text("1704067200") == datetime(2024, 1, 1, tzinfo=UTC)
    assert moment_of_number(0.5) == datetime(1970, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC)


def test_what_no_clock_shows_is_refused_or_misfits() -> None:
    with pytest.raises(UnsupportedError, match="out of range in UTC"):
        moment_of_text("0001-01-01T00:00:00+01:00")
    with pytest.raises(UnsupportedError, match="a day away"):
        is_moment("2024-01-01T00:00:00-24:00")
    with pytest.raises(ValueError, match="range"):
        moment_of_number(1e12)


def test_columns_of_one_plain_notation_are_read_at_once() -> None:
    texts = ["2024-01-01T00:00:00Z", None, "2024-01-01T02:00:00.5+02:00"]
    column = arrow.moments(arrow.array(texts, "text"))
    assert column is not None
    assert column.to_pylist() == [
        datetime(2024, 1, 1, tzinfo=UTC),
        None,
        datetime(2024, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC),
    ]
    assert arrow.moments(arrow.array(["2024-01-01T00:00:00", "2024-01-01T00:00Z"], "text")) is None
    assert arrow.moments(arrow.array(["0000-01-01T00:00:00Z"], "text")) is None
    # in UTC it is the year 1 already, and dlt reads no year 0
    assert arrow.moments(arrow.array(["0000-12-31T23:59:00-01:00"], "text")) is None
    check("0000-12-31T23:59:00-01:00")
    check("0001-01-01T23:59:00Z")
