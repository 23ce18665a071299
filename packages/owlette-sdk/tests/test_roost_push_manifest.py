"""Manifests and the ids of versions: the contract's vectors, and JavaScript's way of writing."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost._push.manifest import Entry, canonical, manifest_bytes, version_id_of
from roost._push.rules import path_problem, shown

HELLO = "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9"


def test_the_vector_of_the_contract() -> None:
    made = manifest_bytes([Entry("a.txt", 11, ((HELLO, 11),))])
    assert made.decode() == (
        '{"config":{},"files":[{"chunks":[{"hash":"' + HELLO + '","size":11}],"path":"a.txt",'
        '"size":11}],"mediaType":"application/vnd.owlette.version.v1+json","schemaVersion":2}'
    )
    id_of_it = "37845407462617f538e03f3eae812b1fc9a4abde1105a7379b973b578d55c202"
    assert version_id_of(made) == version_id_of(json.loads(made)) == id_of_it


def test_the_vector_that_is_not_ascii() -> None:
    manifest: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.owlette.version.v1+json",
        "config": {"producer": "x", "é": "ü😀\u2028"},
        "files": [{"path": "dir/ü.bin", "size": 0, "chunks": []}],
    }
    id_of_it = "57962a036603326420e8c164aa362f81178d138be2ce3340e5889ee6c77768b4"
    assert version_id_of(manifest) == id_of_it


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (-1.5, "-1.5"),
        (1e21, "1e+21"),
        (1e20, "100000000000000000000"),
        (123456789.125, "123456789.125"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (1.25e-9, "1.25e-9"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (5e-324, "5e-324"),
        (2**53 + 1, "9007199254740992"),
        (10**25, "1e+25"),
        (math.nan, "null"),
        (math.inf, "null"),
        (10**400, "null"),
    ],
)
def test_numbers_as_javascript_writes_them(number: float, written: str) -> None:
    assert canonical(number).decode() == written


def test_keys_as_javascript_orders_them() -> None:
    assert canonical({"9" * 5000: 1, "2": 2}).startswith(b'{"2":2,"999')
    value = {"b": 1, "10": 2, "9": 3, "a": 4, "01": 5, "\U00010000": 6, "\uffff": 7}
    assert canonical(value).decode() == (
        '{"9":3,"10":2,"01":5,"a":4,"b":1,"\U00010000":6,"\uffff":7}'
    )


def test_half_of_a_pair_is_escaped() -> None:
    assert canonical("a\ud800b") == b'"a\\ud800b"'


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text('aé\n"\\ü😀', max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab_é"), inner, max_size=3),
    max_leaves=20,
)


@given(_JSON)
def test_the_rest_is_pythons_json_with_sorted_keys(value: Any) -> None:
    plain = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert canonical(value).decode() == plain


_ENTRIES = st.lists(
    st.builds(
        Entry,
        st.text('abcé/"', min_size=1, max_size=6),
        st.integers(0, 2**40),
        st.lists(st.tuples(st.just(HELLO), st.integers(1, 99)), max_size=3).map(tuple),
    ),
    max_size=8,
    unique_by=lambda each: each.path,
)


@given(_ENTRIES)
def test_a_manifest_is_canonical_and_does_not_depend_on_the_order(entries: list[Entry]) -> None:
    made = manifest_bytes(entries)
    assert made == canonical(json.loads(made)) == manifest_bytes(reversed(entries))


def test_many_files_are_one_list() -> None:
    entries = [Entry(f"f-{number:05}", 0, ()) for number in range(1234)]
    files = json.loads(manifest_bytes(entries))["files"]
    assert [each["path"] for each in files] == [each.path for each in entries]


@pytest.mark.parametrize(
    "path",
    [
        "../a", "a/../b", "/a", "a//b", "a/", ".", "a/.", "a\\b", "C:/a", "a:b", "a\0", "a\nb",
        "a\rb", "con", "x/NUL.txt", "lpt1", "com9.tar.gz", "é" * 513, "a\udcff", "",
    ],
)  # fmt: skip
def test_paths_that_no_version_can_have(path: str) -> None:
    assert path_problem(path)
    assert shown(path).isprintable() or "\n" in path or "\r" in path or "\0" in path


@pytest.mark.parametrize("path", ["a", ".a", "a b/c.d", "console", "com10", "lpt", "…/ü", "a..b"])
def test_paths_that_are_good(path: str) -> None:
    assert path_problem(path) is None
