"""Row ids: of the same make as dlt's."""

from __future__ import annotations

import base64

import pytest
from dlt.common.normalizers.json.helpers import get_nested_row_hash, get_row_hash

from restarrow.normalise import arrow
from restarrow.normalise.ids import (
    CHARACTERS,
    PADDED,
    child_ids,
    key_ids,
    padded_child_ids,
    pick,
    random_ids,
)
from restarrow.normalise.walker import key_text


def test_random_ids_are_ten_bytes_in_base_64() -> None:
    ids = random_ids(1000)
    assert len(set(ids)) == 1000
    assert {len(base64.b64decode(row_id + "==", validate=True)) for row_id in ids} == {10}
    assert random_ids(0) == []


def test_children_have_ids_of_their_parent_and_place() -> None:
    parents, positions = ["abc", "abc", "日本"], [0, 1, 12]
    assert child_ids(parents, "t__x", positions) == [
        get_nested_row_hash(parent, "t__x", position)
        for parent, position in zip(parents, positions, strict=True)
    ]


@pytest.mark.parametrize("count", [0, 1, 300])
def test_a_column_of_ids_is_what_their_texts_are(count: int) -> None:
    parents, positions = [f"parent {row}" for row in range(count)], range(count)
    padded = padded_child_ids(parents, "t__x", positions)
    column = arrow.prefixes(padded, PADDED, CHARACTERS)
    assert column.type == arrow.TYPES["text"]
    assert column.to_pylist() == child_ids(parents, "t__x", positions)


def test_keys_make_ids() -> None:
    row = {"b": 'x"é', "a": 1, "c": True, "other": 0}
    assert key_ids([key_text(row, ("b", "a", "c"))]) == [get_row_hash(row, ["b", "a", "c"])]


def test_ids_are_picked_by_row() -> None:
    assert pick(["a", "b"], [1, 1, 0]) == ["b", "b", "a"]
