"""Texts are the moments that dlt reads, with pendulum, or none."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from dlt.common.data_types.type_helpers import coerce_value
from dlt.common.schema.detections import is_iso_timestamp
from dlt.common.time import normalize_timezone

from fuzz.taking import Taker
from opsnest.rows import to_utc
from restarrow.errors import UnsupportedError
from restarrow.normalise import arrow
from restarrow.normalise.timestamps import is_moment, moment_of_text

ALLOWED = (UnsupportedError, ValueError, OverflowError)


def one(data: bytes) -> None:
    """Read a text as dlt does, as our column does, and as Arrow does."""
    text = Taker(data).text()
    theirs, read = _dlt_reads(text), _we_read(text)
    assert read == theirs, text
    if read != "stops":
        assert is_moment(text) == (bool(text) and is_iso_timestamp(str, text) == "timestamp"), text
    column = arrow.moments(arrow.array([text], "text"))
    if column is not None:
        assert column.to_pylist() == [theirs], text
    again = to_utc(text)
    assert to_utc(again) == again


def _dlt_reads(text: str) -> Any:
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


def _we_read(text: str) -> datetime | str:
    try:
        return moment_of_text(text)
    except UnsupportedError:
        return "stops"
    except ALLOWED:
        return "misfit"
