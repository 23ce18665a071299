"""Answers that are larger than they look: what is read of them has a bound, and so has memory."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib

import pytest
from packages.restarrow.tests.scripted_server import Server, queued, reply, scripted

from opsnest.answers import what_it_said
from opsnest.errors import AnswerError, ConfigurationError
from opsnest.http import ApiSession, Patience

LIMIT = 1024 * 1024
#: What the bombs become, as long as nobody stops them.
SIZE = 256 * LIMIT


def bomb(window: int) -> bytes:
    """Compress blanks, without ever having them all."""
    packer = zlib.compressobj(9, wbits=window)
    parts = [packer.compress(b" " * LIMIT) for _ in range(SIZE // LIMIT)]
    return b"".join([*parts, packer.flush()])


def session_of(server: Server) -> ApiSession:
    patience = Patience(attempts=1, first_attempts=1, sleep=lambda _: None)
    return ApiSession(server.url, source="roost_source", patience=patience)


def ask(answer: bytes) -> tuple[AnswerError, int]:
    """Ask for what is refused, and return the error and the peak of memory."""
    with scripted(queued(answer)) as server, session_of(server) as session:
        tracemalloc.start()
        try:
            with pytest.raises(AnswerError) as caught:
                session.get(f"{server.url}/items?token=hunter2")
            return caught.value, tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()


@pytest.fixture(autouse=True)
def _limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESTARROW__MAX_BODY", str(LIMIT))


@pytest.mark.parametrize(("encoding", "window"), [("gzip", 31), ("deflate", 15)])
def test_a_bomb_is_stopped_at_the_limit(encoding: str, window: int) -> None:
    packed = bomb(window)
    headers = {"Content-Encoding": encoding}
    error, peak = ask(reply(packed, headers=headers))
    assert error.problem == (
        f"the answer has more than {LIMIT:,} bytes, which is the limit, decompressed"
    )
    assert "RESTARROW__MAX_BODY" in error.advice
    assert error.path == "/items"
    assert peak < 4 * LIMIT + 2 * len(packed)


def test_so_is_a_bomb_in_a_bomb() -> None:
    packed = gzip.compress(bomb(31))
    error, peak = ask(reply(packed, headers={"Content-Encoding": "gzip, gzip"}))
    assert "more than" in error.problem
    assert peak < 8 * LIMIT


def test_what_says_that_it_is_too_large_is_not_read() -> None:
    error, peak = ask(reply(b"[", length=SIZE))
    assert error.problem == f"the answer has {SIZE:,} bytes, where {LIMIT:,} bytes are the limit"
    assert peak < LIMIT


def test_a_size_beyond_all_numbers_is_too_large() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000
    error, _ = ask(head + b"\r\nConnection: close\r\n\r\n[]")
    assert error.problem.startswith("the answer has 9,999,999,999,999,999,999 bytes")


def test_what_has_no_length_is_read_to_the_limit() -> None:
    error, _ = ask(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"x" * (LIMIT + 1))
    assert error.problem == f"the answer has more than {LIMIT:,} bytes, which is the limit"


def test_what_is_as_large_as_may_be_is_read() -> None:
    body = b'"' + b"x" * (LIMIT - 2) + b'"'
    packed = reply(gzip.compress(body), headers={"Content-Encoding": "gzip"})
    with scripted(queued(packed, reply(body))) as server, session_of(server) as session:
        for _ in range(2):
            assert session.get(f"{server.url}/items").content == body
        assert server.connections == 1


def test_of_a_refusal_the_beginning_is_read() -> None:
    answer = reply(bomb(31), 422, {"Content-Encoding": "gzip"})
    with scripted(queued(answer, reply([1]))) as server, session_of(server) as session:
        refused = session.get(f"{server.url}/items")
        assert LIMIT <= len(refused.content) <= 2 * LIMIT
        assert what_it_said(refused).message is None
        assert session.get(f"{server.url}/items").json() == [1]


def test_a_limit_that_makes_no_sense(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted(queued(reply([1]))) as server, session_of(server) as session:
        for wrong in ("0", "much", "-5", str(2**31)):
            monkeypatch.setenv("RESTARROW__MAX_BODY", wrong)
            with pytest.raises(ConfigurationError, match=r"roost_source: restarrow\.max_body"):
                session.get(f"{server.url}/items")
