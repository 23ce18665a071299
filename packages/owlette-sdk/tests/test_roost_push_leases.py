"""Leases on files: granted while nobody can change them, given up at once, not trusted after."""

from __future__ import annotations

import errno
import hashlib
import mmap
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from io import FileIO
from pathlib import Path

import pytest
from push_cases import CHUNK, ROOST, meanwhile, options, texts
from small_owlette import SmallOwlette

from roost import FileChangedError, Roost, UnreadableError
from roost._push import leases as leases_module
from roost._push.hashing import ChangedError, chunk_size, read_chunk
from roost._push.leases import Leases
from roost._push.walk import LocalFile, stamp_of

#: Far more than a lease holds up whoever writes, far less than the kernel waits by itself (45 s).
SOON_S = 5.0


@pytest.fixture
def stop() -> threading.Event:
    return threading.Event()


@pytest.fixture
def leases(stop: threading.Event) -> Iterator[Leases]:
    made = Leases(stop)
    yield made
    stop.set()
    made.close()


@pytest.fixture
def file(tmp_path: Path) -> LocalFile:
    where = tmp_path / "large.bin"
    where.write_bytes(b"as it was")
    return found(where)


@pytest.fixture
def granted(file: LocalFile, leases: Leases) -> LocalFile:
    """A file with a lease, where the file system of the tests has any."""
    leases.take(file)
    if not leases.holds(file):
        pytest.skip("there are no leases here")
    return file


def found(where: Path) -> LocalFile:
    return LocalFile(where.name, str(where), stamp_of(where.stat()))


def test_a_file_that_was_never_asked_for_is_not_held(file: LocalFile, leases: Leases) -> None:
    assert not leases.holds(file)


def test_who_reads_does_not_end_a_lease(granted: LocalFile, leases: Leases) -> None:
    assert Path(granted.where).read_bytes() == b"as it was"
    assert leases.holds(granted)


def test_who_writes_waits_for_a_moment_and_ends_it(granted: LocalFile, leases: Leases) -> None:
    began = time.monotonic()
    with Path(granted.where).open("r+b") as opened:
        assert time.monotonic() - began < SOON_S
        assert not leases.holds(granted)
        opened.write(b"is")
    assert not leases.holds(granted)


def test_who_cuts_a_file_short_ends_it(granted: LocalFile, leases: Leases) -> None:
    os.truncate(granted.where, 2)
    assert not leases.holds(granted)


def test_a_lease_that_was_lost_is_never_taken_again(granted: LocalFile, leases: Leases) -> None:
    with Path(granted.where).open("r+b"):
        pass
    leases.take(granted)
    assert not leases.holds(granted)


def test_a_process_that_writes_ends_it_and_no_signal_ends_ours(
    granted: LocalFile, leases: Leases
) -> None:
    code = "import sys; open(sys.argv[1], 'r+b').write(b'by another')"
    subprocess.run([sys.executable, "-c", code, granted.where], check=True, timeout=SOON_S * 4)
    assert not leases.holds(granted)
    assert Path(granted.where).read_bytes().startswith(b"by another")


def test_a_file_that_is_open_for_writing_gets_none(file: LocalFile, leases: Leases) -> None:
    with Path(file.where).open("r+b"):
        leases.take(file)
        assert not leases.holds(file)


def test_a_file_that_is_written_by_way_of_a_mapping_gets_none(
    file: LocalFile, leases: Leases
) -> None:
    with Path(file.where).open("r+b") as opened:
        mapping = mmap.mmap(opened.fileno(), 0)
    with mapping:  # no stamp tells of what is written here
        leases.take(file)
        assert not leases.holds(file)


def test_a_file_that_has_taken_the_place_of_another_gets_none(
    file: LocalFile, leases: Leases, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.write_bytes(b"another")
    other.replace(file.where)
    leases.take(file)
    assert not leases.holds(file)
    leases.take(found(Path(file.where)))  # is another file: it may have one
    assert not leases.holds(file)


def test_a_lease_says_nothing_of_another_name_of_its_file(
    granted: LocalFile, leases: Leases, tmp_path: Path
) -> None:
    other = tmp_path / "other name"
    other.hardlink_to(granted.where)
    assert not leases.holds(found(other))  # its hashes may be of an earlier push
    assert leases.holds(granted)


def test_a_file_that_is_gone_or_no_file_gets_none(
    file: LocalFile, leases: Leases, tmp_path: Path
) -> None:
    Path(file.where).unlink()
    leases.take(file)
    assert not leases.holds(file)
    leases.take(found(tmp_path))
    assert not leases.holds(found(tmp_path))


def test_all_are_given_up_in_the_end(
    granted: LocalFile, leases: Leases, stop: threading.Event
) -> None:
    assert is_open(granted)
    stop.set()
    leases.close()
    assert not leases.holds(granted)
    assert not is_open(granted)
    assert "roost-lease" not in {thread.name for thread in threading.enumerate()}


def is_open(file: LocalFile) -> bool:
    """Tell whether this process has a file open."""
    links = Path("/proc/self/fd").iterdir()
    return any(os.path.realpath(each) == os.path.realpath(file.where) for each in links)


def test_none_is_taken_once_all_ends(
    file: LocalFile, leases: Leases, stop: threading.Event
) -> None:
    stop.set()
    leases.take(file)
    assert not leases.holds(file)


def test_there_are_only_so_many(
    granted: LocalFile, leases: Leases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases_module, "_MOST", 2)
    files = [tmp_path / f"{number}.bin" for number in range(3)]
    for each in files:
        each.write_bytes(b"bytes")
        leases.take(found(each))
    assert [leases.holds(found(each)) for each in files] == [True, False, False]
    assert leases.holds(granted)


@pytest.mark.parametrize("system", ["nfs4", "cifs", "fuse.sshfs", "9p", "overlay", "vboxsf"])
def test_file_systems_that_may_change_from_elsewhere_have_none(
    file: LocalFile, leases: Leases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, system: str
) -> None:
    device = file.stamp.device
    place = f"{os.major(device)}:{os.minor(device)}"
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"22 1 {place} / / rw,relatime shared:1 - {system} there rw\n")
    monkeypatch.setattr(leases_module, "_MOUNTS", mounts)
    leases.take(file)
    assert not leases.holds(file)


def test_where_no_mounts_are_told_there_are_none(
    file: LocalFile, leases: Leases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases_module, "_MOUNTS", tmp_path / "nowhere")
    leases.take(file)
    assert not leases.holds(file)


def joined(file: LocalFile, number: int, digest: str, leases: Leases) -> bytes:
    return b"".join(map(bytes, read_chunk(file, number, digest, leases)))


def test_a_chunk_is_proven_by_its_hash_or_by_the_lease(granted: LocalFile, leases: Leases) -> None:
    other = hashlib.sha256(b"something else").hexdigest()
    # only that it is not hashed again can be seen from here: the hash given is another one
    assert joined(granted, 0, other, leases) == b"as it was"
    with Path(granted.where).open("r+b"):
        pass
    with pytest.raises(ChangedError):
        read_chunk(granted, 0, other, leases)
    digest = hashlib.sha256(b"as it was").hexdigest()
    assert joined(granted, 0, digest, leases) == b"as it was"


@pytest.fixture
def two_chunks(tmp_path: Path, leases: Leases) -> LocalFile:
    where = tmp_path / "two.bin"
    where.write_bytes(os.urandom(CHUNK + 3_000_000))
    file = found(where)
    leases.take(file)
    return file


def test_a_chunk_is_given_in_pieces_and_whole(two_chunks: LocalFile, leases: Leases) -> None:
    content = Path(two_chunks.where).read_bytes()
    for number, part in enumerate((content[:CHUNK], content[CHUNK:])):
        digest = hashlib.sha256(part).hexdigest()
        pieces = [bytes(each) for each in read_chunk(two_chunks, number, digest, leases)]
        assert b"".join(pieces) == part
        assert len(pieces) > 2


@pytest.mark.parametrize("number", [0, 1])
def test_the_last_piece_of_a_chunk_is_not_given_once_the_lease_is_lost(
    two_chunks: LocalFile, leases: Leases, number: int
) -> None:
    if not leases.holds(two_chunks):
        pytest.skip("there are no leases here")
    size = chunk_size(two_chunks, number)
    given = 0
    with pytest.raises(ChangedError):  # noqa: PT012 - it is about how far it comes
        for piece in read_chunk(two_chunks, number, "", leases):
            if not given:
                with Path(two_chunks.where).open("r+b"):
                    pass  # whoever it is may write from here on
            given += len(piece)
    assert 0 < given < size


def test_a_file_that_cannot_be_read_any_more_is_named_with_and_without_a_lease(
    two_chunks: LocalFile, leases: Leases, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> int:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr("roost._push.hashing.FileIO", type("F", (FileIO,), {"readinto": fails}))
    with pytest.raises(UnreadableError, match=r"two\.bin: Input/output error"):
        joined(two_chunks, 0, "", leases)
    with Path(two_chunks.where).open("r+b"):
        pass
    with pytest.raises(UnreadableError, match=r"two\.bin: Input/output error"):
        joined(two_chunks, 0, "", leases)


@pytest.mark.parametrize("kind", ["mint", "put"])
@pytest.mark.parametrize("after_s", [0.0, 0.002, 0.01, 0.03, 0.1])
async def test_whenever_it_is_that_somebody_writes_what_is_stored_has_its_hash(
    owlette: SmallOwlette, client: Roost, root: Path, large: Path, kind: str, after_s: float
) -> None:
    began = threading.Event()

    def write() -> None:
        began.wait(SOON_S)
        time.sleep(after_s)
        stamp = large.stat()
        with large.open("r+b") as opened:
            for at in range(0, 20 * CHUNK, CHUNK // 2):
                opened.seek(at)
                opened.write(b"changed")
                opened.flush()
                os.utime(large, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))

    meanwhile(owlette, kind, 1, lambda _: began.set())
    writing = threading.Thread(target=write)
    writing.start()
    async with client:
        try:
            await client.roosts.push(root, ROOST, options())
        except FileChangedError as error:
            assert "large.bin" in str(error)  # noqa: PT017 - it may be in time, or not
        else:
            assert set(owlette.files(ROOST)) == set(texts(root))
    writing.join()
    for digest, content in owlette.chunks.items():
        assert hashlib.sha256(content).hexdigest() == digest


async def test_what_is_written_through_a_mapping_while_a_push_waits_is_published(
    owlette: SmallOwlette, client: Roost, root: Path, large: Path
) -> None:
    def change(_: int) -> None:
        stamp = large.stat()
        with large.open("r+b") as opened, mmap.mmap(opened.fileno(), 0) as mapping:
            mapping[18 * CHUNK : 18 * CHUNK + 7] = b"changed"
        os.utime(large, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))

    meanwhile(owlette, "mint", 1, change)
    async with client:
        await client.roosts.push(root, ROOST, options())
    assert owlette.files(ROOST) == texts(root)
    assert all(
        hashlib.sha256(content).hexdigest() == digest for digest, content in owlette.chunks.items()
    )


async def test_a_callback_may_write_to_a_file_of_the_push(
    owlette: SmallOwlette, client: Roost, root: Path, large: Path
) -> None:
    waited: list[float] = []

    def write(_: object) -> None:
        began = time.monotonic()
        with large.open("ab"):
            waited.append(time.monotonic() - began)

    async with client:
        await client.roosts.push(root, ROOST, options(on_progress=write))
    assert max(waited) < SOON_S
    assert owlette.files(ROOST) == texts(root)


async def test_a_push_that_has_ended_holds_nobody_up(
    owlette: SmallOwlette, client: Roost, root: Path, large: Path
) -> None:
    async with client:
        await client.roosts.push(root, ROOST, options())
    descriptor = os.open(large, os.O_RDWR | os.O_NONBLOCK)  # would fail under a lease
    os.close(descriptor)
    assert owlette.files(ROOST) == texts(root)
