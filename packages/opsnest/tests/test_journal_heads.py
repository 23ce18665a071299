"""Journals that are not ours, or are damaged where no checksum tells: an error, or nothing kept."""

from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest

from opsnest import clock
from opsnest.errors import AccessError, AnswerError, ReplayError, SourceError, UnreachableError
from opsnest.journal import Head, Journal, Replay
from opsnest.journal.file import RecordFile
from opsnest.journal.refusals import error_told, told
from restarrow.types import Request

ME = "me"
FIRST = Request("GET", "v1/incidents", {"page[size]": 100})


def journal(folder: Path) -> Journal:
    return Journal(folder / "pages", Head("a_source", ("incidents",), {"since": "the beginning"}))


#: What a program that is not ours may have written, each a head and its state.
NO_HEADS: list[tuple[Any, bytes]] = [
    ({}, b"{}"),
    ({"began": None}, b"{}"),
    ({"began": 5}, b"{}"),
    ({"began": "yesterday"}, b"{}"),
    ({"began": "2026-03-01T10:00:00"}, b"{}"),  # where?
    ({"source": None}, b"{}"),
    ({"source": ["a"]}, b"{}"),
    ({"resources": "incidents"}, b"{}"),
    ({"resources": 5}, b"{}"),
    ({"resources": [["incidents"]]}, b"{}"),
    ({"version": 5}, b"{}"),
    ({}, b"[]"),
    ({}, b"nothing"),
    ({}, b""),
]


@pytest.mark.parametrize(("head", "state"), NO_HEADS)
def test_a_file_that_begins_otherwise_is_no_journal(
    tmp_path: Path, head: dict[str, Any], state: bytes
) -> None:
    good = {"began": clock.now().isoformat(), "source": "a", "resources": ["b"], "version": "1"}
    file = RecordFile(tmp_path / "pages")
    about = {**good, **head} if head or state != b"{}" else {}
    file.append(about, state)
    file.close()
    with pytest.raises(ReplayError, match="is no page journal"):
        Replay(tmp_path / "pages")


@pytest.mark.parametrize("began", [None, 5, [], "yesterday", "2026-03-01T10:00:00"])
def test_a_journal_whose_head_says_no_moment_is_begun_anew(tmp_path: Path, began: Any) -> None:
    file = RecordFile(tmp_path / "pages")
    head = Head("a_source", ("incidents",), {"since": "the beginning"})
    file.append({"start": head.start, "began": began})
    file.close()
    again = journal(tmp_path)
    assert again.left == 0
    again.close()


def test_records_that_are_not_ours_are_no_pages(tmp_path: Path) -> None:
    first = journal(tmp_path)
    first.keep(ME, "incidents", FIRST, b"1")
    first.close()
    file = RecordFile(tmp_path / "pages")
    assert len(list(file.records())) == 2
    strange: list[dict[str, Any]] = [
        *({}, {"of": []}, {"of": "x"}, {"by": 5, "of": "x"}, {"of": {}, "by": "x"})
    ]
    for about in strange:
        file.append(about, b"2")
    file.append({"of": "y", "more": 5}, b"3")
    file.close()
    again = journal(tmp_path)
    assert again.left == 1
    again.close()
    replayed = Replay(tmp_path / "pages")
    assert replayed.take(ME, "incidents", FIRST).body == b"1"
    with pytest.raises(ReplayError, match="has no answer"):
        replayed.take(ME, "incidents", FIRST)
    replayed.close()


@pytest.mark.parametrize("words", [b"[]", b"5", b"null", b"nothing", b"\xff", b"[" * 100_000])
def test_a_record_that_is_about_nothing_ends_the_file(tmp_path: Path, words: bytes) -> None:
    lengths = struct.pack("<III", len(words), 0, 0)
    checksum = struct.pack("<I", zlib.crc32(words, zlib.crc32(lengths)))
    (tmp_path / "pages").write_bytes(lengths + checksum + words)
    with pytest.raises(ReplayError, match="is no page journal"):
        Replay(tmp_path / "pages")
    again = journal(tmp_path)
    assert again.left == 0
    again.close()


def test_an_answer_that_cannot_be_decompressed_is_asked_for_again(tmp_path: Path) -> None:
    first = journal(tmp_path)
    first.keep(ME, "incidents", FIRST, b"1" * 100)
    first.close()
    file = RecordFile(tmp_path / "pages")
    *_, last = file.records()
    file.close()
    content = bytearray((tmp_path / "pages").read_bytes())
    words = json.dumps(last.about, separators=(",", ":")).encode()
    rest = words + bytes(last.packed)
    lengths = struct.pack("<III", len(words), last.packed, last.length)
    checksum = struct.pack("<I", zlib.crc32(rest, zlib.crc32(lengths)))
    content[last.at - len(words) - len(lengths) - len(checksum) :] = lengths + checksum + rest
    (tmp_path / "pages").write_bytes(content)
    replayed = Replay(tmp_path / "pages")
    with pytest.raises(ReplayError, match="is damaged"):
        replayed.take(ME, "incidents", FIRST)
    replayed.close()
    again = journal(tmp_path)
    assert (again.left, again.take(ME, "incidents", FIRST)) == (1, None)
    again.close()


@pytest.mark.parametrize(
    "more",
    [
        {"status": 404},
        {"error": None},
        {"error": ["AccessError"]},
        {"error": "KeyboardInterrupt"},
        {"error": "AccessError"},
        {"error": "AccessError", "self": 1},
    ],
)
def test_an_error_that_is_none_of_ours_is_none(more: dict[str, Any]) -> None:
    with pytest.raises(ReplayError, match="none of ours"):
        error_told(more)


@pytest.mark.parametrize("kind", [AccessError, AnswerError, SourceError, UnreachableError])
def test_an_error_is_told_again(kind: type[SourceError]) -> None:
    error = kind("a", "b", "GET", "/c", "went wrong", "do that", 404, "it said so", "x7")
    again = error_told(json.loads(json.dumps(told(error))))
    assert (again.status, again.problem, again.message) == (404, "went wrong", None)
    assert isinstance(again, kind) == (kind is not UnreachableError)
