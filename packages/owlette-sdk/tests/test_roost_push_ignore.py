"""Patterns of what is left out: by example, and against git itself."""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from roost._push.ignore import Ignore
from roost._push.stars import OF_STARS, StarMachine


@pytest.mark.parametrize(
    ("pattern", "left_out", "kept"),
    [
        ("*.bin", ["a.bin", "x/y/a.bin", ".bin"], ["a.bins", "bin"]),
        ("node_modules", ["node_modules", "a/node_modules"], ["node_modules2", "a_node_modules"]),
        ("/a.txt", ["a.txt"], ["b/a.txt"]),
        ("docs/*.md", ["docs/a.md"], ["x/docs/a.md", "docs/x/a.md"]),
        ("**/cache/*", ["cache/a", "x/y/cache/a"], ["cache", "cache2/a"]),
        ("a/**/z", ["a/z", "a/b/z", "a/b/c/z"], ["az", "b/a/z"]),
        ("logs/**", ["logs/a", "logs/a/b"], ["logs", "x/logs/a"]),
        ("a?c", ["abc", "x/a.c"], ["ac", "abbc", "a/c"]),
        ("[a-c].txt", ["a.txt", "x/c.txt"], ["d.txt", "-.txt"]),
        ("[!a-c].txt", ["d.txt"], ["a.txt", "/.txt"]),
        ("[b-a].txt", ["b.txt"], ["a.txt", "-.txt"]),
        ("[!b-a].txt", ["a.txt"], ["b.txt"]),
        ("[]x].txt", ["].txt", "x.txt"], ["[.txt"]),
        (r"\#a", ["#a"], ["\\#a"]),
        (r"\!a", ["!a"], ["a"]),
        ("a\\ ", ["a "], ["a"]),
        ("a   ", ["a"], ["a   "]),
        ("a[", [], ["a[", "a"]),
    ],
)
def test_patterns(pattern: str, left_out: list[str], kept: list[str]) -> None:
    ignore = Ignore([pattern])
    assert [each for each in left_out if not ignore.leaves_out(each, is_folder=False)] == []
    assert [each for each in kept if ignore.leaves_out(each, is_folder=False)] == []


@pytest.mark.parametrize("line", ["", "   ", "# a", "/", "!", "\n"])
def test_lines_that_say_nothing(line: str) -> None:
    ignore = Ignore([line])
    assert not ignore.leaves_out("a", is_folder=False)
    assert not ignore.leaves_out("# a", is_folder=True)


def test_a_slash_at_the_end_means_folders_only() -> None:
    ignore = Ignore(["build/"])
    assert ignore.leaves_out("build", is_folder=True)
    assert ignore.leaves_out("x/build", is_folder=True)
    assert not ignore.leaves_out("build", is_folder=False)


def test_the_last_pattern_that_fits_decides() -> None:
    ignore = Ignore(["*.log", "!keep.log", "x/keep.log"])
    assert ignore.leaves_out("a.log", is_folder=False)
    assert not ignore.leaves_out("keep.log", is_folder=False)
    assert ignore.leaves_out("x/keep.log", is_folder=False)


@pytest.mark.parametrize(
    ("pattern", "left_out", "kept"),
    [
        ("*a*a*a*a*a*a*a*a*b", "a" * 200 + "b", "a" * 200),
        ("*?*?*?*?*?*?*?*?*b", "c" * 200 + "b", "c" * 200),
        ("**/a/**/a/**/a/**/b", "a/" * 200 + "b", "a/" * 200 + "c"),
        ("/**/*a*/**/*a*/**/b", "a/" * 200 + "b", "a/" * 200 + "c"),
        ("x/*[!b]*[!b]*[!b]*[!b]*b", "x/" + "a" * 200 + "b", "x/" + "a" * 200),
        ("*a*a*a*/**", "aaa/b/c", "a" * 200),
    ],
)
def test_patterns_of_many_stars_take_no_longer(pattern: str, left_out: str, kept: str) -> None:
    ignore = Ignore([pattern])
    began = time.process_time()
    assert ignore.leaves_out(left_out, is_folder=False)
    assert not ignore.leaves_out(kept, is_folder=False)
    assert time.process_time() - began < 1


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["a", "b", "/", "[^/]", "(?!/)[ab]", *OF_STARS]), max_size=8),
    st.lists(st.text("ab/", max_size=12), min_size=1, max_size=20),
)
def test_a_machine_fits_what_a_regular_expression_fits(made: list[str], paths: list[str]) -> None:
    machine, regex = StarMachine(made), re.compile("".join(made), re.DOTALL)
    assert [path for path in paths if machine.fits(path)] == list(filter(regex.fullmatch, paths))


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repository")
    try:
        subprocess.run(["git", "init", "-q", folder], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("git is not here")
    (folder / ".git" / "info").mkdir(exist_ok=True)
    return folder


_PIECES = st.sampled_from(
    ["a", "b", "ab", ".", "*", "**", "?", "/", "[ab]", "[!a]", "[a-", "]", "!", "#", "\\", " ", "-"]
)
# where stars touch something else, git does not do what its manual says: `a**/b` fits `ab`
_ODD = re.compile(r"[^/!]\*\*|\*\*[^/]")
_PATTERN = st.lists(_PIECES, min_size=1, max_size=6).map("".join)
_PATTERNS = st.lists(_PATTERN.filter(lambda each: not _ODD.search(each)), max_size=4)
_NAMES = st.sampled_from(["a", "b", "ab", "ba", "a.b", ".a", "a-", "!a", "#b", "a b", "]", "aab"])
_PATHS = st.lists(_NAMES, min_size=1, max_size=3).map("/".join)


@pytest.mark.slow
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@example(["[a-.]", "!b"], ["a", "b", "a.b"])
@given(_PATTERNS, st.lists(_PATHS, min_size=1, max_size=30, unique=True))
def test_git_leaves_out_the_same(repository: Path, patterns: list[str], paths: list[str]) -> None:
    (repository / ".git" / "info" / "exclude").write_text("".join(f"{each}\n" for each in patterns))
    asked = subprocess.run(
        ["git", "-c", "core.excludesFile=", "check-ignore", "--no-index", "-z", "--stdin"],
        cwd=repository,
        input="\0".join(paths),
        capture_output=True,
        text=True,
        check=False,
    )
    expected = set(asked.stdout.split("\0")) - {""}
    ignore = Ignore(patterns)
    assert {each for each in paths if _is_out(ignore, each)} == expected


def _is_out(ignore: Ignore, path: str) -> bool:
    """Tell whether a walk would leave a path out: it does not enter folders that are left out."""
    parts = path.split("/")
    folders = ["/".join(parts[:count]) for count in range(1, len(parts))]
    return any(ignore.leaves_out(each, is_folder=True) for each in folders) or ignore.leaves_out(
        path, is_folder=False
    )
