"""Time stamps: integers (milliseconds since 1970) inside, an organisation's local time outside."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from opssim.core.clock import iso_offset, iso_utc, parse_iso

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def milliseconds(moment: datetime) -> int:
    """Return the whole milliseconds from 1970 to `moment`."""
    return (moment - _EPOCH) // _MILLISECOND


def moment_of(at: int) -> datetime:
    """Return the moment, in UTC, that is `at` milliseconds after 1970."""
    return _EPOCH + timedelta(milliseconds=at)


def instant(value: object) -> int | None:
    """Read a time stamp of a row as milliseconds since 1970; None stays None."""
    return milliseconds(parse_iso(value)) if isinstance(value, str) else None


def exact_instant(text: str) -> float | None:
    """Read a time stamp of a query, finer than a millisecond too; None if it is none."""
    try:
        moment = parse_iso(text)
    except ValueError:
        return None
    return (moment - _EPOCH) / _MILLISECOND


def months_later(moment: datetime, months: int) -> datetime:
    """Return the same day and hour `months` calendar months later, or that month's last day."""
    years, month = divmod(moment.month - 1 + months, 12)
    first = moment.replace(year=moment.year + years, month=month + 1, day=1)
    following = (first + timedelta(days=31)).replace(day=1)
    last_day = (following - timedelta(days=1)).day
    return first.replace(day=min(moment.day, last_day))


class Calendar:
    """Write times as an organisation's clocks show them, summer and winter.

    Args:
        standard: hours from UTC in winter.
        daylight: hours from UTC in summer.
    """

    def __init__(self, standard: int, daylight: int) -> None:
        self._standard = timezone(timedelta(hours=standard))
        self._daylight = timezone(timedelta(hours=daylight))
        self._utc = standard == daylight == 0
        self._summers: dict[int, tuple[datetime, datetime]] = {}

    def text(self, at: int) -> str:
        """Format as `2026-07-01T03:10:00.000-07:00`; UTC as Rails writes it, with a Z."""
        moment = moment_of(at)
        return iso_utc(moment) if self._utc else iso_offset(moment, self._offset(moment))

    def _offset(self, moment: datetime) -> timezone:
        """Return the offset in force: daylight time between March and November."""
        summer = self._summers.get(moment.year)
        if summer is None:
            summer = (
                datetime(moment.year, 3, _sunday(moment.year, 3, 2), 2, tzinfo=self._standard),
                datetime(moment.year, 11, _sunday(moment.year, 11, 1), 2, tzinfo=self._daylight),
            )
            self._summers[moment.year] = summer
        return self._daylight if summer[0] <= moment < summer[1] else self._standard


def _sunday(year: int, month: int, which: int) -> int:
    """Return the day of the month of its first, second, ... Sunday."""
    first = datetime(year, month, 1, tzinfo=UTC)
    return 7 * which - first.weekday()
