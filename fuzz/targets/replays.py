"""What is written in a journal by whomever: heads, refusals and answers are ours, or errors."""

from __future__ import annotations

import json
from contextlib import suppress

from fuzz.taking import Taker
from opsnest.errors import ReplayError, SourceError
from opsnest.journal import Head, Kept
from opsnest.journal.journal import moment_of
from opsnest.journal.refusals import error_told, told
from opsnest.json_values import is_object
from opsnest.reading import api
from restarrow.types import Request

ALLOWED = (ReplayError, SourceError)


def one(data: bytes) -> None:
    """Read a head, a refusal, and an answer that was kept."""
    taker = Taker(data)
    about, more = taker.json(), taker.json()
    body = taker.rest()
    if is_object(about):
        head = Head.read(about, body)
        assert head is None or Head.read(json.loads(json.dumps(about)), body) == head
        if head is not None:
            assert head.start
        moment = moment_of(about.get("began"))
        assert moment is None or moment.utcoffset() is not None
    if not is_object(more):
        return
    try:
        error = error_told(more)
    except ALLOWED:
        pass
    else:
        assert str(error_told(json.loads(json.dumps(told(error)))).status) == str(error.status)
    with suppress(*ALLOWED):
        api._kept(Request("GET", "x"), 0, Kept(body, more))  # pyright: ignore[reportPrivateUsage]
