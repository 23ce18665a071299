"""What is found in a folder, in which order, and what is left out and why."""

from __future__ import annotations

import os
import socket
import sys
import threading
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

from roost import PathRuleError, UnreadableError
from roost._push.walk import walk

on_posix = pytest.mark.skipif(sys.platform == "win32", reason="needs names and links of POSIX")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


def put(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(path)


def paths(root: Path, **options: object) -> list[str]:
    return [each.path for each in walk(root, **options).files]  # type: ignore[arg-type]


def test_files_come_folder_by_folder_by_name(root: Path) -> None:
    put(root, "b.txt", "a/z.txt", "a/b/c.txt", "a.txt", "c/a.txt")
    assert paths(root) == ["a.txt", "b.txt", "a/z.txt", "a/b/c.txt", "c/a.txt"]


def test_a_file_is_known_by_its_stamp(root: Path) -> None:
    put(root, "a")
    (found,) = walk(root).files
    status = (root / "a").stat()
    assert found.where == str(root / "a")
    assert found.stamp.size == 1
    assert (found.stamp.mtime_ns, found.stamp.inode) == (status.st_mtime_ns, status.st_ino)


def test_some_things_are_never_published(root: Path) -> None:
    put(
        root,
        ".git/config",
        "x/.git/config",
        "node_modules/a.js",
        "x/node_modules/a",
        ".roost-pull/a",
    )
    put(root, "x/.roost-pull/a", "x/.roostignore", ".hidden", "gitignore")
    (root / ".roostignore").touch()
    assert paths(root) == [".hidden", "gitignore", "x/.roostignore", "x/.roost-pull/a"]


def test_patterns_of_the_file_and_of_the_caller(root: Path) -> None:
    put(root, "a.log", "keep.log", "build/x", "src/a.tmp", "src/a.py", "ü.tmp")
    (root / ".roostignore").write_text("# what is built\nbuild/\n*.log\n!keep.log\n", "utf-8")
    assert paths(root, ignore=["*.tmp"]) == ["keep.log", "src/a.py"]


@on_posix
def test_patterns_that_are_not_utf_8(root: Path) -> None:
    put(root, "a")
    (root / os.fsdecode(b"x\xff")).write_text("x")
    (root / ".roostignore").write_bytes(b"x\xff\n")
    assert paths(root) == ["a"]


def test_empty_files_are_told_apart(root: Path) -> None:
    put(root, "a")
    (root / "empty").touch()
    (root / "no files").mkdir()
    tree = walk(root)
    assert [each.path for each in tree.files] == ["a"]
    assert [each.path for each in tree.empty] == ["empty"]


def test_no_folder(root: Path) -> None:
    with pytest.raises(FileNotFoundError):
        walk(root / "nothing")
    put(root, "a")
    with pytest.raises(NotADirectoryError):
        walk(root / "a")


@on_posix
def test_links_are_followed_as_long_as_they_stay_inside(root: Path, tmp_path: Path) -> None:
    put(root, "real/a.txt", "b.txt")
    put(tmp_path, "outside.txt", "outside/c.txt")
    (root / "to file").symlink_to("b.txt")
    (root / "to folder").symlink_to("real")
    (root / "out").symlink_to(tmp_path / "outside.txt")
    (root / "out folder").symlink_to("../outside")
    (root / "dangling").symlink_to("nowhere")
    tree = walk(root)
    found = ["b.txt", "to file", "real/a.txt", "to folder/a.txt"]
    assert [each.path for each in tree.files] == found
    assert tree.skipped == {
        "dangling": "a link to nothing",
        "out": "a link that leads out of the folder",
        "out folder": "a link that leads out of the folder",
    }
    tree = walk(root, symlinks="skip")
    assert [each.path for each in tree.files] == ["b.txt", "real/a.txt"]
    assert set(tree.skipped.values()) == {"a link"}


@on_posix
def test_links_that_go_round_are_left_out(root: Path) -> None:
    put(root, "a/b/c.txt")
    (root / "self").symlink_to(".")
    (root / "a" / "b" / "up").symlink_to("../..")
    (root / "a" / "loop").symlink_to("loop")
    (root / "x").mkdir()
    (root / "x" / "to a").symlink_to("../a")
    tree = walk(root)
    # by way of the link, "up" leads to the root, which it is in, too
    assert [each.path for each in tree.files] == ["a/b/c.txt", "x/to a/b/c.txt"]
    assert set(tree.skipped) == {"self", "a/b/up", "a/loop", "x/to a/b/up", "x/to a/loop"}


@on_posix
def test_the_folder_may_be_a_link_itself(root: Path, tmp_path: Path) -> None:
    put(root, "a")
    (root / "link").symlink_to("a")
    (tmp_path / "alias").symlink_to("root")
    assert paths(tmp_path / "alias") == ["a", "link"]


@on_posix
def test_what_is_no_file_is_left_out(root: Path) -> None:
    put(root, "a")
    os.mkfifo(root / "pipe")
    with socket.socket(socket.AF_UNIX) as bound:
        os.chdir(root)  # the name of a socket may not be long
        bound.bind("socket")
        tree = walk(root)
    assert [each.path for each in tree.files] == ["a"]
    assert tree.skipped == {"pipe": "no regular file", "socket": "no regular file"}


@on_posix
def test_all_names_that_cannot_be_are_named_at_once(root: Path) -> None:
    put(root, "good", "a:b", "x/con.txt", "back\\slash", "line\nbreak")
    (root / os.fsdecode(b"not utf-8 \xff")).write_text("x")
    with pytest.raises(PathRuleError) as raised:
        walk(root)
    assert set(raised.value.offenders) == {
        "a:b", "x/con.txt", "back\\slash", "line\nbreak", "not utf-8 \\udcff",
    }  # fmt: skip
    for path in raised.value.offenders:
        assert path in str(raised.value)
    assert isinstance(raised.value, ValueError)
    assert paths(root, ignore=["*[:b\\\\]*", "con.*", "not*", "line*"]) == ["good"]


def test_names_are_composed(root: Path) -> None:
    decomposed = unicodedata.normalize("NFD", "é.txt")
    put(root, decomposed)
    if (root / unicodedata.normalize("NFC", "é.txt")).exists():
        pytest.skip("this file system composes names itself")
    (found,) = walk(root).files
    assert found.path == unicodedata.normalize("NFC", "é.txt")
    assert Path(found.where).read_text() == decomposed
    put(root, "é.txt")
    with pytest.raises(PathRuleError, match="that of another file"):
        walk(root)


def test_folders_that_cannot_be_read_are_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # a folder without permissions is read all the same by who is root, as in a container
    put(root, "a/x", "b/x", "c/x")
    real = os.scandir

    def scandir(where: str) -> Iterator[os.DirEntry[str]]:
        if where.endswith(("a", "c")):
            raise PermissionError(13, "Permission denied", where)
        return real(where)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(UnreadableError) as raised:
        walk(root)
    assert raised.value.paths == {"a": "Permission denied", "c": "Permission denied"}


def test_a_file_that_goes_meanwhile_is_not_there(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(root, "a", "b")
    real = os.stat

    def stat(where: str, **options: bool) -> os.stat_result:
        if str(where).endswith("a"):
            raise FileNotFoundError
        return real(where, **options)

    monkeypatch.setattr(os, "stat", stat)
    assert paths(root) == ["b"]


def test_it_ends_early_when_it_is_told(root: Path) -> None:
    put(root, "a/b", "c")
    stop = threading.Event()
    stop.set()
    assert walk(root, stop=stop).files == []


def test_deep_folders(root: Path) -> None:
    path = "/".join(["d"] * 300)
    put(root, f"{path}/f")
    assert paths(root) == [f"{path}/f"]
