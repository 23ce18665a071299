"""What is in a folder: its files, in order, and what was left out and why."""

from __future__ import annotations

import os
import threading
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from roost._errors import PathRuleError, UnreadableError
from roost._push.ignore import ALWAYS_IGNORED, IGNORE_FILE, Ignore
from roost._push.rules import path_problem, shown

__all__ = ["LocalFile", "Stamp", "Symlinks", "Tree", "stamp_of", "walk"]

#: What to do with symbolic links: follow those that stay in the folder, or leave all out.
Symlinks = Literal["follow", "skip"]


class Stamp(NamedTuple):
    """What tells that a file is another one now: times are nanoseconds since 1970."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    device: int


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file of the folder: its path in the manifest, where it is, and how it was found."""

    path: str
    where: str
    stamp: Stamp


@dataclass(slots=True)
class Tree:
    """What is in a folder.

    Attributes:
        root: the folder, resolved.
        files: those that have something in them: of a folder by name, and then of its folders.
        empty: those that have nothing in them.
        skipped: what is neither published nor ignored, and why.
    """

    root: str
    files: list[LocalFile] = field(default_factory=list[LocalFile])
    empty: list[LocalFile] = field(default_factory=list[LocalFile])
    skipped: dict[str, str] = field(default_factory=dict[str, str])


class _Folder(NamedTuple):
    """A folder on the way down: by its path, where it really is, and what it is in."""

    path: str
    where: str
    real: str
    parent: _Folder | None

    def is_in(self, real: str) -> bool:
        """Tell whether it is this folder, or inside of it."""
        folder: _Folder | None = self
        while folder is not None:
            if folder.real == real:
                return True
            folder = folder.parent
        return False


def stamp_of(status: os.stat_result) -> Stamp:
    """Return what tells a file from what it is later."""
    return Stamp(
        status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev
    )


def walk(
    root: str | os.PathLike[str],
    *,
    ignore: Sequence[str] = (),
    symlinks: Symlinks = "follow",
    stop: threading.Event | None = None,
) -> Tree:
    """Return what is in a folder.

    Args:
        root: the folder.
        ignore: patterns of what to leave out, beside those of its `.roostignore`.
        symlinks: whether to follow the links that lead to somewhere in the folder.
        stop: ends the walk early, when it is set.

    Raises:
        FileNotFoundError: there is no such folder.
        NotADirectoryError: it is something else.
        UnreadableError: folders cannot be read.
        PathRuleError: files have paths that no version can have.
    """
    return _Walk(os.fspath(root), ignore, symlinks, stop or threading.Event()).tree()


class _Walk:
    def __init__(
        self, root: str, ignore: Sequence[str], symlinks: Symlinks, stop: threading.Event
    ) -> None:
        self._tree = Tree(os.path.realpath(root))
        os.stat(root)
        if not os.path.isdir(root):
            raise NotADirectoryError(20, "this is no folder", root)
        self._ignore = Ignore([*ALWAYS_IGNORED, *_patterns_in(self._tree.root), *ignore])
        self._symlinks = symlinks
        self._stop = stop
        self._unreadable: dict[str, str] = {}
        self._offenders: dict[str, str] = {}
        self._paths: dict[str, str] = {}

    def tree(self) -> Tree:
        left = [_Folder("", self._tree.root, self._tree.root, None)]
        while left and not self._stop.is_set():
            inside = list(self._inside(left.pop()))
            left.extend(reversed(inside))
        if self._unreadable:
            raise UnreadableError(self._unreadable)
        if self._offenders:
            raise PathRuleError(self._offenders)
        return self._tree

    def _inside(self, folder: _Folder) -> Iterator[_Folder]:
        """Take the files of a folder, and yield its folders."""
        try:
            with os.scandir(folder.where) as found:
                entries = sorted(found, key=lambda each: each.name)
        except OSError as error:
            self._unreadable[shown(folder.path) or "."] = error.strerror or str(error)
            return
        for entry in entries:
            path = f"{folder.path}/{entry.name}" if folder.path else entry.name
            try:
                inner = self._entry(folder, entry, path)
            except FileNotFoundError:
                continue  # gone since the folder was read
            if inner is not None:
                yield inner

    def _entry(self, folder: _Folder, entry: os.DirEntry[str], path: str) -> _Folder | None:
        is_link = entry.is_symlink()
        # of a link that leads to itself, `is_dir` would raise
        is_folder = os.path.isdir(entry.path) if is_link else entry.is_dir()
        # as for git, a link is no folder, wherever it leads
        if self._ignore.leaves_out(path, is_folder=is_folder and not is_link):
            return None
        real = os.path.join(folder.real, entry.name)
        if is_link:
            real = os.path.realpath(entry.path)
            if (why := self._why_not(real)) is not None:
                self._tree.skipped[shown(path)] = why
                return None
        if is_folder:
            if is_link and folder.is_in(real):
                self._tree.skipped[shown(path)] = "a link to a folder that it is in"
                return None
            return _Folder(path, entry.path, real, folder)
        if not entry.is_file():
            self._tree.skipped[shown(path)] = "no regular file"
            return None
        self._take(path, entry)
        return None

    def _why_not(self, real: str) -> str | None:
        """Return why a link is not followed that leads here; None if it is."""
        if self._symlinks == "skip":
            return "a link"
        if not os.path.exists(real):
            return "a link to nothing"
        root = self._tree.root
        if real != root and not real.startswith(root.rstrip(os.sep) + os.sep):
            return "a link that leads out of the folder"
        return None

    def _take(self, path: str, entry: os.DirEntry[str]) -> None:
        name = unicodedata.normalize("NFC", path)
        if (problem := path_problem(name)) is not None:
            self._offenders[shown(path)] = problem
        elif name in self._paths:
            other = shown(self._paths[name])
            self._offenders[shown(path)] = f"its name is that of another file, {other!r}, in NFC"
        else:
            self._paths[name] = path
            # not of the entry: on Windows that has no inode
            file = LocalFile(name, entry.path, stamp_of(os.stat(entry.path)))
            (self._tree.files if file.stamp.size else self._tree.empty).append(file)


def _patterns_in(root: str) -> list[str]:
    try:
        with open(os.path.join(root, IGNORE_FILE), "rb") as file:
            # as the names of files are: what is not UTF-8 fits what is not, either
            return os.fsdecode(file.read()).splitlines()
    except FileNotFoundError:
        return []
