"""What decoded JSON turns out to be."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsnest.json_values import is_list, is_object, look_up

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=2), inner),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("page.total", 5),
        ("page", {"total": 5, "none": None}),
        ("page.none", None),
        ("page.none.deeper", None),
        ("page.total.deeper", None),
        ("list.0", None),
        ("missing", None),
        ("", None),
    ],
)
def test_look_up(path: str, found: object) -> None:
    assert look_up({"page": {"total": 5, "none": None}, "list": [1]}, path) == found


@given(json_values, st.lists(st.sampled_from(["a", "b", "ab", ""]), min_size=1, max_size=4))
def test_look_up_finds_what_is_there_and_never_fails(data: Any, names: list[str]) -> None:
    found = look_up(data, ".".join(names))

    at: Any = data
    for name in names:
        at = at[name] if is_object(at) and name in at else None
    assert found == at


@given(json_values)
def test_kinds(value: Any) -> None:
    assert is_object(value) == isinstance(value, dict)
    assert is_list(value) == isinstance(value, list)
