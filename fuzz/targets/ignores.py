"""Patterns of `.roostignore`: the same paths are left out as by git, and in no time."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from fuzz.taking import Taker
from roost._push.ignore import Ignore

ALLOWED: tuple[type[Exception], ...] = ()

#: Where stars touch something else, git does not do what its manual says.
_ODD = re.compile(r"[^/!\n]\*\*|\*\*[^/\n]")
_LONGEST = 200
#: With more, git takes its time.
_FEW_STARS = 4
#: Seconds of the processor that patterns of an input may take.
_MOST_SECONDS = 1.0


def one(data: bytes) -> None:
    """Ask for a path, by the patterns in front of it."""
    taker = Taker(data)
    path = taker.line().decode("utf-8", "replace")[:_LONGEST]
    patterns = taker.text()[:_LONGEST].split("\n")
    began = time.process_time()
    ignore = Ignore(patterns)
    ours = _is_out(ignore, path) if path else False
    assert time.process_time() - began < _MOST_SECONDS
    text = "\n".join(patterns)
    is_plain = text.isascii() and not {"\r", "\0"} & set(text) and text.count("*") <= _FEW_STARS
    if is_plain and _is_plain(path) and not _ODD.search(text):
        git = _git_leaves_out(patterns, path)
        assert git is None or git == ours, (patterns, path)


def _is_plain(path: str) -> bool:
    """Tell whether git takes this for a path in the work tree."""
    parts = path.split("/")
    return (
        path.isascii()
        and path.isprintable()
        and not path.startswith(":")
        and "\\" not in path
        and not {"", ".", ".."} & set(parts)
        and ".git" not in path.lower()
    )


def _is_out(ignore: Ignore, path: str) -> bool:
    parts = path.split("/")
    folders = ["/".join(parts[:count]) for count in range(1, len(parts))]
    return any(ignore.leaves_out(each, is_folder=True) for each in folders) or ignore.leaves_out(
        path, is_folder=False
    )


@cache
def _repository() -> Path | None:
    """Return an empty repository; None without git."""
    if shutil.which("git") is None:
        return None
    folder = Path(mkdtemp(prefix="fuzz-ignores-"))
    subprocess.run(["git", "init", "-q", folder], check=True, capture_output=True)
    (folder / ".git" / "info").mkdir(exist_ok=True)
    return folder


def _git_leaves_out(patterns: list[str], path: str) -> bool | None:
    folder = _repository()
    if folder is None:
        return None
    text = "".join(f"{each}\n" for each in patterns)
    (folder / ".git" / "info" / "exclude").write_bytes(text.encode())
    asked = subprocess.run(
        ["git", "-c", "core.excludesFile=", "check-ignore", "--no-index", "-q", "--", path],
        cwd=folder,
        capture_output=True,
        check=False,
    )
    return {0: True, 1: False}.get(asked.returncode)
