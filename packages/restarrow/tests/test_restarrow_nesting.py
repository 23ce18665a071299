"""How deep JSON is nested, and what becomes of what is too deep."""

from __future__ import annotations

import json
from typing import Any

import pytest

from restarrow.errors import BodyError, NormaliseError, UnsupportedError
from restarrow.http.body import decode_json
from restarrow.nesting import DEEP, depth_of, depth_of_json
from restarrow.normalise import Normaliser, Options, Raws
from restarrow.rows import RowReader
from restarrow.types import Headers, Page, Request


def page(body: bytes) -> Page:
    request = Request("GET", "/things")
    return Page(
        number=3,
        request=request,
        url="https://api.example.com/things",
        status=200,
        headers=Headers(),
        body=body,
    )


def nested(levels: int, kind: str) -> bytes:
    if kind == "lists":
        return b"[" * levels + b"]" * levels
    return b'{"a":' * levels + b"1" + b"}" * levels


@pytest.mark.parametrize(
    ("text", "depth"),
    [
        ("1", 0),
        ("[]", 1),
        ("{}", 1),
        ('[{"a": [[]]}, []]', 4),
        (r'["[[[", "\"[["]', 1),
        ('"[["', 0),
    ],
)
def test_depth(text: str, depth: int) -> None:
    assert depth_of_json(text.encode()) == depth_of(json.loads(text)) == depth


@pytest.mark.parametrize(
    ("body", "depth"),
    [(b"[" * 100_000, 100_000), (b'["[[[[', 1), (b"]]]", 0), (b'"\\', 0), (b"\xff{", 1), (b"", 0)],
)
def test_the_depth_of_what_is_no_json_is_told_as_well(body: bytes, depth: int) -> None:
    assert depth_of_json(body) == depth


@pytest.mark.parametrize("kind", ["lists", "objects"])
@pytest.mark.parametrize("levels", [1100, 100_000])
def test_a_page_that_no_decoder_takes_is_refused(kind: str, levels: int) -> None:
    body = b'{"data": [{"x": ' + nested(levels, kind) + b"}]}"
    for decode in (decode_json, RowReader().decode, RowReader("data").decode):
        with pytest.raises(
            BodyError, match=r"^GET /things, page 3: .* nested [\d,]+ levels"
        ) as caught:
            decode(page(body))
        assert caught.value.reason == "too deep"
        assert f"{levels + 3:,} levels" in str(caught.value)
        assert caught.value.__cause__ is None


def test_brackets_that_never_close_are_refused() -> None:
    with pytest.raises(BodyError, match="nested 100,000 levels deep"):
        decode_json(page(b"[" * 100_000))


def test_an_integer_of_endless_digits_is_refused() -> None:
    with pytest.raises(BodyError, match="more than 4,300 digits at byte 7 of 5009"):
        decode_json(page(b'[{"x": ' + b"9" * 5000 + b"}]"))


@pytest.mark.parametrize("kind", ["lists", "objects"])
@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("levels", [DEEP + 1, 450, 1100, 100_000])
def test_rows_that_are_too_deep_are_left_to_dlt(kind: str, levels: int, *, known: bool) -> None:
    normaliser = Normaliser("things")
    if known:
        normaliser.normalise(Raws([b'{"id": 1, "x": 2}']))
    columns = dict(normaliser.columns)
    with pytest.raises(NormaliseError, match=r"nested more than|names of more than|recursion"):
        normaliser.normalise(Raws([b'{"id": 1, "x": ' + nested(levels, kind) + b"}"]))
    assert normaliser.columns == columns


def test_json_columns_count_their_levels() -> None:
    normaliser = Normaliser("things", options=Options(max_nesting=0))
    many: list[Any] = [{"a": {}} for _ in range(300)]
    assert normaliser.normalise([{"x": many}]).tables["things"].num_rows == 1
    with pytest.raises(UnsupportedError, match="more than 200 levels"):
        normaliser.normalise([{"x": json.loads(nested(DEEP + 1, "objects"))}])


def test_rows_that_are_tangled_count_their_levels() -> None:
    row = {"a": 1, "A": json.loads(nested(DEEP, "objects"))}
    with pytest.raises(UnsupportedError, match="more than 200 levels"):
        Normaliser("things").normalise([row])
