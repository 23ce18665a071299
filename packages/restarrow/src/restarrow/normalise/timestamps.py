"""When a text is a moment, and which: the grammar that dlt has from pendulum.

Two notations are tried in turn, ISO 8601 and a looser one with slashes; then, for columns that
hold moments already, seconds since 1970. A moment without a zone is in UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone

from restarrow.errors import UnsupportedError

#: What no column of moments accepts starts otherwise. Most texts end here.
_MAY_BE_MOMENT = re.compile(r"\d")

#: ISO 8601: a date, and perhaps a time in the same style, with or without separators. A time
#: alone is left to the looser notation, since no time is a moment.
_ISO = re.compile(
    r"(?P<year>[0-9]{4})"
    r"(?:"
    r"(?P<extended>-)(?:W(?P<week>[0-9]{2})(?:-(?P<weekday>[0-9]))?"
    r"|(?P<month>[0-9]{2})(?:-(?P<day>[0-9]{2})|(?P<third>[0-9]))?)"
    r"|W(?P<bweek>[0-9]{2})(?P<bweekday>[0-9])?"
    r"|(?P<bmonth>[0-9]{2})(?P<bday>[0-9]{2})"
    r"|(?P<ordinal>[0-9]{3})"
    r")"
    r"(?P<time>[T ](?P<hour>[0-9]{2})"
    r"(?:(?P<colon>:)(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,](?P<part>[0-9]+))?)?"
    r"|(?P<bminute>[0-9]{2})(?:(?P<bsecond>[0-9]{2})(?:[.,](?P<bpart>[0-9]+))?)?)?"
    r"(?:(?P<utc>Z)|(?P<sign>[+-])(?P<zhour>[0-9]{2})(?::?(?P<zminute>[0-9]{2})|:)?)?"
    r")?"
)
#: The looser notation: any decimal digits, slashes or colons in dates, parts of times left out.
_LOOSE = re.compile(
    r"(?P<date>(?P<year>\d{4})(?:[/:]?(?P<month>\d{2})[/:]?(?P<day>\d{2}))?)?"
    r"(?P<time>[ ]?(?P<hour>\d{1,2}):(?P<minute>\d{1,2})?(?::(?P<second>\d{1,2}))?"
    r"(?:[.|,](?P<part>\d{1,9}))?)?"
)
#: In minutes.
_A_DAY = 24 * 60


def is_moment(text: str) -> bool:
    """Tell whether a text, as the first value of a column, makes it a column of moments.

    Raises:
        UnsupportedError: for a moment on which dlt stops.
    """
    if not _MAY_BE_MOMENT.match(text):
        return False
    try:
        return isinstance(_read(text), datetime)
    except (ValueError, TypeError):
        return False


def moment_of_text(text: str) -> datetime:
    """Read a text of a column of moments, in UTC.

    Raises:
        ValueError: for a text that such a column does not take.
        UnsupportedError: for one on which dlt stops.
    """
    try:
        value = _read(text)
    except ValueError:
        return moment_of_number(float(text))
    except TypeError as error:
        msg = f"dlt stops at {text!r} in a column of timestamps"
        raise UnsupportedError(msg) from error
    if isinstance(value, time):
        msg = "a time of day"
        raise ValueError(msg)  # noqa: TRY004 - dlt takes it for a wrong value, not a wrong type
    if isinstance(value, datetime):
        return in_utc(value)
    return datetime(value.year, value.month, value.day, tzinfo=UTC)


def moment_of_number(seconds: float) -> datetime:
    """Return the moment so many seconds after 1970.

    Raises:
        ValueError: for a number that is out of range.
        UnsupportedError: for one on which the platform's clock gives up.
    """
    try:
        return datetime.fromtimestamp(seconds, tz=UTC)
    except OverflowError as error:
        raise ValueError(seconds) from error
    except OSError as error:
        msg = f"dlt stops at {seconds!r} in a column of timestamps"
        raise UnsupportedError(msg) from error


def in_utc(value: datetime) -> datetime:
    """Convert to UTC, which a moment without a zone is in already.

    Raises:
        UnsupportedError: if UTC has no such year.
    """
    if value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        msg = f"dlt stops at {value.isoformat()}, which is out of range in UTC"
        raise UnsupportedError(msg) from error


def _read(text: str) -> date | time:
    try:
        return _read_iso(text)
    except ValueError:
        return _read_loose(text)


def _read_iso(text: str) -> date:
    match = _ISO.fullmatch(text)
    if match is None or _styles_clash(match):
        raise ValueError(text)
    day = _iso_date(match)
    if not match["time"]:
        return day
    part = match["part"] or match["bpart"] or ""
    clock = time(
        int(match["hour"]),
        int(match["minute"] or match["bminute"] or 0),
        int(match["second"] or match["bsecond"] or 0),
        int(f"{part[:6]:0<6}"),
    )
    return datetime.combine(day, clock, _zone(match))


def _styles_clash(match: re.Match[str]) -> bool:
    """Tell whether a date with dashes has a time without colons, or the other way round.

    Minutes after a colon are allowed anywhere; seconds are not.
    """
    if match["extended"]:
        return match["bminute"] is not None
    return match["second"] is not None


def _iso_date(match: re.Match[str]) -> date:
    year = int(match["year"])
    week = match["week"] or match["bweek"]
    if week is not None:
        return _week_date(year, int(week), int(match["weekday"] or match["bweekday"] or 1))
    if match["third"] is not None:
        return _ordinal_date(year, int(match["month"] + match["third"]))
    if match["ordinal"] is not None:
        return _ordinal_date(year, int(match["ordinal"]))
    return date(
        year, int(match["month"] or match["bmonth"]), int(match["day"] or match["bday"] or 1)
    )


def _week_date(year: int, week: int, weekday: int) -> date:
    """Return the day of a week; week 0 and weekday 0 are those before the first ones."""
    first = date(year, 1, 4)
    if weekday > 7 or week > date(year, 12, 28).isocalendar().week:
        raise ValueError(week)
    return _day_of_year(year, week * 7 + weekday - first.isoweekday() - 3)


def _ordinal_date(year: int, ordinal: int) -> date:
    day = _day_of_year(year, ordinal)
    if ordinal < 1 or day.year != year:
        raise ValueError(ordinal)
    return day


def _day_of_year(year: int, ordinal: int) -> date:
    try:
        return date(year, 1, 1) + timedelta(days=ordinal - 1)
    except OverflowError as error:
        raise ValueError(ordinal) from error


def _zone(match: re.Match[str]) -> timezone | None:
    if match["utc"]:
        return UTC
    if not match["sign"]:
        return None
    minutes = int(match["zhour"]) * 60 + int(match["zminute"] or 0)
    if minutes > _A_DAY and match["sign"] == "+":
        raise ValueError(match["zhour"])
    if minutes >= _A_DAY:
        msg = f"dlt stops at {match.string!r}, whose zone is a day away from UTC"
        raise UnsupportedError(msg)
    return timezone(timedelta(minutes=minutes if match["sign"] == "+" else -minutes))


def _read_loose(text: str) -> date | time:
    match = _LOOSE.fullmatch(text)
    if match is None or not (match["date"] or match["time"]):
        raise ValueError(text)
    if not match["time"]:
        return date(int(match["year"]), int(match["month"] or 1), int(match["day"] or 1))
    part = match["part"] or ""
    # Without minutes int() gets None: the TypeError tells the caller so, as it tells dlt.
    clock = (
        int(match["hour"]),
        int(match["minute"]),
        int(match["second"] or 0),
        int(f"{part[:6]:0<6}"),
    )
    if not match["date"]:
        return time(*clock)
    day = date(int(match["year"]), int(match["month"] or 1), int(match["day"] or 1))
    return datetime.combine(day, time(*clock))
