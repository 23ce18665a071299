"""The byte lane: what the letters of JSON may be, beside what they mean."""

from __future__ import annotations

import itertools
import json
from typing import Any
from unittest import mock

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packages.restarrow.tests.normalise_cases import Settings, assert_same, ours, theirs

from restarrow.errors import UnsupportedError
from restarrow.normalise import Batch, Raws, normaliser

#: One key of each type, one that is always null, and ways to nest them.
KNOWN: dict[str, Any] = {
    "text": "x",
    "int": 1,
    "num": 1.5,
    "flag": True,
    "at": "2024-01-01T00:00:00Z",
    "none": None,
    "in": {"num": 0.5, "none": None, "empty": {}},
    "rows": [{"n": 1, "t": "a", "deep": [1]}, None],
    "nums": [0.5, None],
    "nulls": [None],
    "lists": [[1], None, []],
    "nothing": [],
}
LEARNT = json.dumps(KNOWN)


def both(*texts: str, known: str = LEARNT) -> tuple[dict[str, Any] | None, Batch]:
    """Learn a shape, then read rows of these letters; return dlt's tables and ours."""
    reference, normalise = theirs(Settings(root_key=True)), ours(Settings(root_key=True))
    numbers = itertools.count()

    def ids(count: int) -> list[str]:
        return [f"root-{next(numbers):09}" for _ in range(count)]

    with mock.patch.object(normaliser, "random_ids", ids):
        normalise.normalise(Raws([known.encode()]))
        reference.normalise([json.loads(known)])
        batch = normalise.normalise(Raws([text.encode() for text in texts]))
    return reference.normalise([json.loads(text) for text in texts]), batch


def lane(*texts: str, known: str = LEARNT) -> str:
    """Return the lane that rows of these letters took, having compared all their cells."""
    expected, batch = both(*texts, known=known)
    assert expected is not None
    assert_same(expected, batch)
    (lanes,) = set(batch.lanes.values())
    return lanes


def test_rows_of_the_known_shape_are_read_as_bytes() -> None:
    assert lane(LEARNT, "{}", LEARNT) == "bytes"


@pytest.mark.parametrize(
    "text",
    [
        '{"int":-0}',
        '{"num":1}',
        '{"num":1e5}',
        '{"num":1E-5}',
        '{"num":-12.5e+3}',
        '{"num":9007199254740993}',
        '{"num":0.1}',
        '{"num":123456789012345678}',
        '{"num":2.2250738585072014e-308}',
        '{"num":4.9e-324}',
        '{"int":9223372036854775807}',
        '{"int":-9223372036854775808}',
        '{"text":"\\u0000"}',
        '{"text":"\\ud83d\\ude00 \\u00e9\\n\\t\\/\\"\\\\"}',
        '{"text":"😀 é"}',
        '{"text":"' + "long " * 50_000 + '"}',
        '{"text":""}',
        ' {\n "int" :\r\n\t7 , "rows" : [ ] } ',
        '{"in":null,"rows":null,"lists":null}',
        '{"in":{}}',
        '{"in":{"empty":null}}',
        '{"nulls":[null,null,null]}',
        '{"lists":[[],null,[1,null]]}',
        '{"at":"2024-02-29T23:59:59.123456+05:30"}',
        '{"at":"2024-01-01T00:00:00.1Z"}',
        '{"at":"2024-01-01"}',
        '{"\\u0069nt":3}',
    ],
)
def test_letters_that_mean_the_same_to_arrow(text: str) -> None:
    assert lane(text) == "bytes"


@pytest.mark.parametrize(
    "text",
    [
        '{"int":1.0}',
        '{"int":1e2}',
        '{"int":"7"}',
        '{"int":true}',
        '{"int":1.5}',
        '{"num":-0}',
        '{"num":-0.0}',
        '{"num":1e300}',
        '{"num":"1"}',
        '{"flag":1}',
        '{"flag":"yes"}',
        '{"text":1}',
        '{"text":{"a":1}}',
        '{"text":["a"]}',
        '{"none":0}',
        '{"none":{}}',
        '{"none":[]}',
        '{"new":1}',
        '{"new":null}',
        '{"in":{"new":1}}',
        '{"in":{"empty":{"a":1}}}',
        '{"in":[1]}',
        '{"rows":{"n":1}}',
        '{"rows":[1]}',
        '{"rows":[{"new":1}]}',
        '{"nulls":[true]}',
        '{"nulls":[1]}',
        '{"lists":[1]}',
        '{"nothing":[null]}',
        '{"nothing":[{}]}',
        '{"int":1,"int":2}',
        '{"rows":[{"n":1,"n":2}]}',
        '{"at":"2024-01-01T00:00:00.1234567Z"}',
        '{"at":"never"}',
        '{"at":""}',
        '{"at":"1704067200"}',
        '{"at":"0000-01-01T00:00:00Z"}',
    ],
)
def test_letters_that_the_column_lane_must_look_at(text: str) -> None:
    assert lane(text).startswith("columns")


@pytest.mark.parametrize(
    "body",
    [
        b'{"text":"\xff"}',
        b'{"text":"\\ud800"}',
        b'{"text":"\\udc00"}',
        b'{"num":1e400}',
        b'{"num":NaN}',
        b'{"num":18446744073709551616}',
        b'{"int":9223372036854775808}',
        b'{"text":"\\uf026x"}',
        b'{"text":"\xef\x80\xa6x"}',
        b'{"text":"a\nb"}',
        b'{"int":01}',
        b'{"int":1}}',
    ],
)
def test_what_neither_lane_takes(body: bytes) -> None:
    normalise = ours(Settings())
    normalise.normalise(Raws([LEARNT.encode()]))
    before = {table: dict(columns) for table, columns in normalise.columns.items()}
    with pytest.raises(UnsupportedError):
        normalise.normalise(Raws([LEARNT.encode(), body]))
    assert normalise.columns == before


def test_rows_that_are_no_objects_go_row_by_row() -> None:
    normalise = ours(Settings())
    normalise.normalise(Raws([b'{"value":1}']))
    batch = normalise.normalise(Raws([b"2", b"null", b'{"value":3}']))
    assert batch.tables["things"].column("value").to_pylist() == [2, None, 3]
    assert batch.lanes["things"] == "rows: not all rows are objects"


@pytest.mark.parametrize(
    "rows", [[b"null", b'{"a":2}'], [b'{"a":2}', b"null"], [b"null"], [b" \n null ", b'{"a":2}']]
)
def test_null_rows_are_not_shown_to_arrow_which_they_crash(rows: list[bytes]) -> None:
    normalise = ours(Settings())
    normalise.normalise(Raws([b'{"a":1}']))
    batch = normalise.normalise(Raws(rows))
    found = [2 if b"2" in row else None for row in rows]
    assert batch.tables["things"].column("a").to_pylist() == found
    assert batch.lanes["things"] == "rows: not all rows are objects"


def test_json_columns_keep_rows_from_the_byte_lane() -> None:
    normalise = ours(Settings(max_nesting=0))
    normalise.normalise(Raws([b'{"a":{"b":1.0}}']))
    batch = normalise.normalise(Raws([b'{"a":{"b":1.0}}']))
    assert batch.tables["things"].column("a").to_pylist() == ['{"b":1.0}']
    assert batch.lanes["things"] == "columns: the column a holds JSON or values of another type"


def test_the_byte_lane_rests_after_several_surprises_and_tries_again() -> None:
    normalise = ours(Settings())
    known, odd = Raws([b'{"a":1}']), Raws([b'{"a":1.0}'])
    normalise.normalise(known)
    lanes = [normalise.normalise(odd).lanes["things"] for _ in range(5)]
    assert "last batches" not in lanes[0]
    assert "last batches" in lanes[4]
    assert "bytes" in [normalise.normalise(known).lanes["things"] for _ in range(12)]


def test_raw_values_of_msgspec_are_taken_as_they_are() -> None:
    normalise = ours(Settings())
    rows = msgspec.json.decode(b'[{"a":1},{"a":2}]', type=list[msgspec.Raw])
    normalise.normalise(Raws(rows))
    batch = normalise.normalise(Raws(rows))
    assert batch.tables["things"].column("a").to_pylist() == [1, 2]
    assert batch.lanes == {"things": "bytes"}


def test_no_rows_make_no_tables() -> None:
    assert ours(Settings()).normalise(Raws([])).tables == {}
    learnt = ours(Settings())
    learnt.normalise(Raws([b'{"a":1}']))
    assert learnt.normalise(Raws([])).tables == {}


LITERALS = st.sampled_from(
    [
        *(
            "null",
            "true",
            "0",
            "-0",
            "1",
            "1.0",
            "-0.0",
            "1e2",
            "1E+2",
            "1e-3",
            "12345678901234567890",
        ),
        *(
            "9223372036854775807",
            "0.1",
            "1e22",
            "1e308",
            '""',
            '"x"',
            '"\\u00e9"',
            '"é"',
            '"\\u0000"',
        ),
        *(
            '"2024-01-01T00:00:00Z"',
            '"2024-01-01T00:00:00+02:00"',
            '"2024-01-01"',
            '"12"',
            "[]",
            "{}",
        ),
        *(
            "[null]",
            "[1]",
            "[[1]]",
            '{"n":1}',
            '[{"n":1}]',
            '[{"n":null},null]',
            '{"num":1}',
            "[1.5,2]",
        ),
    ]
)
ROWS = st.lists(
    st.dictionaries(st.sampled_from(list(KNOWN)), LITERALS, max_size=3).map(
        lambda row: "{" + ", ".join(f'"{key}":{value}' for key, value in row.items()) + "}"
    ),
    min_size=1,
    max_size=3,
)


@settings(max_examples=200, deadline=None, database=None)
@given(ROWS)
def test_any_letters_after_a_known_shape(texts: list[str]) -> None:
    try:
        expected, batch = both(*texts)
    except (UnsupportedError, TypeError):
        return
    assert expected is not None
    assert_same(expected, batch)
