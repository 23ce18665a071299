"""Names: the same as those of dlt's snake case, for any keys and limits."""

from __future__ import annotations

from typing import Any

import pytest
from dlt.common.normalizers.naming.snake_case import NamingConvention
from hypothesis import given, settings
from hypothesis import strategies as st

from restarrow.normalise.naming import EMPTY, Naming


def dlt_naming(limit: Any = None) -> NamingConvention:
    return NamingConvention(limit)


LETTERS = st.sampled_from([*"abcXYZ019 _-+*@|.é日٣ſİ", "__", "ABC", "Id", "\t", "\u00a0", "x" * 9])
TEXTS = st.one_of(st.lists(LETTERS, max_size=8).map("".join), st.text(max_size=8))
LIMITS = st.sampled_from([None, 10, 11, 24, 63])


@settings(max_examples=500, deadline=None, database=None)
@given(TEXTS, LIMITS)
def test_keys(key: str, limit: int | None) -> None:
    theirs = dlt_naming(limit)
    assert Naming(limit).path(key) == theirs.normalize_path(key)
    if key and not key.isspace():
        assert Naming(limit).column(key) == theirs.normalize_path(key)


@settings(max_examples=500, deadline=None, database=None)
@given(
    st.lists(st.sampled_from(["a", "b_c", "long" * 5, "", "_empty", "x__y"]), min_size=1), LIMITS
)
def test_paths(fragments: list[str], limit: int | None) -> None:
    theirs = dlt_naming(limit)
    assert Naming(limit).join(*fragments) == theirs.shorten_fragments(*fragments)


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("camelCase", "camel_case"),
        ("HTTPServer", "http_server"),
        ("1abc", "_1abc"),
        ("tail_", "tailx"),
        ("tail__", "tail"),
        ("x-y z", "x_y_z"),
        ("@at", "aat"),
        ("a|b", "alb"),
        ("é", "x"),
        ("日本", "x"),
        ("", EMPTY),
        ("  ", EMPTY),
        ("__", ""),
    ],
)
def test_some_names(key: str, name: str) -> None:
    naming = Naming()
    assert naming.column(key) == name
    assert naming.column(key) == name, "the second time it is remembered"


def test_names_that_are_too_long_keep_head_and_tail() -> None:
    name = Naming(20).column("a_long_name_that_is_shortened")
    assert len(name) == 20
    assert name.startswith("a_long_")
    assert name.endswith("rtened")
