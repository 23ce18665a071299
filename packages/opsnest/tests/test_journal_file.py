"""The file of a journal: whatever is cut off or damaged, what was whole before it stays."""

from __future__ import annotations

import errno
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from opsnest.journal.file import RecordFile

Written = list[tuple[dict[str, Any], bytes]]

RECORDS: Written = [
    ({"start": "here"}, b""),
    ({"of": "first"}, b"a page " * 100),
    ({"of": "second"}, b"\x00\xff"),
    ({"of": "first"}, b"another"),
]


def write(path: Path, records: Written) -> None:
    file = RecordFile(path)
    assert list(file.records()) == []
    for about, body in records:
        file.append(about, body)
    file.close()


def read(path: Path) -> Written:
    file = RecordFile(path)
    found = [(record.about, file.body(record)) for record in file.records()]
    file.close()
    return found


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "pages"
    write(path, RECORDS)
    assert read(path) == RECORDS
    assert stat.S_IMODE(path.stat().st_mode) == 0o600, "nobody else may read it"


@given(length=some.integers(0, 10_000))
def test_what_is_cut_off_anywhere_leaves_the_records_before(length: int) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "pages"
        write(path, RECORDS)
        os.truncate(path, min(length, path.stat().st_size))
        found = read(path)
        assert found == RECORDS[: len(found)]
        # and it goes on from there
        file = RecordFile(path)
        list(file.records())
        file.append({"of": "later"}, b"more")
        file.close()
        assert read(path) == [*found, ({"of": "later"}, b"more")]


@given(at=some.integers(0, 10_000), bit=some.integers(0, 7))
def test_what_is_damaged_anywhere_leaves_the_records_before(at: int, bit: int) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "pages"
        write(path, RECORDS)
        content = bytearray(path.read_bytes())
        content[at % len(content)] ^= 1 << bit
        path.write_bytes(content)
        found = read(path)
        assert len(found) < len(RECORDS)
        assert found == RECORDS[: len(found)]


@given(content=some.binary(max_size=200))
def test_a_file_of_anything_is_no_fault(content: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "pages"
        path.write_bytes(content)
        assert read(path) == []


def test_threads_write_one_after_the_other(tmp_path: Path) -> None:
    path = tmp_path / "pages"
    file = RecordFile(path)

    def append(number: int) -> None:
        file.append({"of": number}, bytes([number]) * number)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(append, range(200)))
    file.close()
    found = read(path)
    assert sorted(about["of"] for about, _ in found) == list(range(200))
    assert all(body == bytes([about["of"]]) * about["of"] for about, body in found)


def test_a_disk_that_is_full_leaves_whole_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "pages"
    file = RecordFile(path)
    file.append({"of": "first"}, b"page")
    write_at = os.pwrite

    def half(descriptor: int, data: bytes, at: int) -> int:
        if at > file.size:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write_at(descriptor, data[:9], at)

    monkeypatch.setattr(os, "pwrite", half)
    with pytest.raises(OSError, match="No space"):
        file.append({"of": "second"}, b"another page")
    monkeypatch.undo()
    file.append({"of": "third"}, b"room again")
    file.close()
    assert read(path) == [({"of": "first"}, b"page"), ({"of": "third"}, b"room again")]
