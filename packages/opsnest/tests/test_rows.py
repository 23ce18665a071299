"""What is done to a row before dlt sees it."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsnest.rows import Cleaning, cleaner, drop, from_text, to_utc

offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
#: Bar the first and last day of the calendar, which do not exist in all offsets.
moments = st.datetimes(
    min_value=datetime.fromisoformat("0001-01-02"),
    max_value=datetime.fromisoformat("9999-12-30"),
    timezones=offsets,
)


def clean(row: dict[str, Any], **needs: Any) -> dict[str, Any]:
    return cleaner(Cleaning(**needs))(copy.deepcopy(row))


class TestToUtc:
    @pytest.mark.parametrize(
        ("text", "written"),
        [
            ("2026-07-01T03:10:00.000-07:00", "2026-07-01T10:10:00.000000Z"),
            ("2026-07-01T03:10:00Z", "2026-07-01T03:10:00.000000Z"),
            ("2026-07-01T03:10:00", "2026-07-01T03:10:00.000000Z"),
            ("2026-07-01 03:10:00.5", "2026-07-01T03:10:00.500000Z"),
            ("2026-07-01T03:10:00.123456789Z", "2026-07-01T03:10:00.123456Z"),
            ("2026-07-01T03:10:00.123456999+05:30", "2026-06-30T21:40:00.123456Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z"),
        ],
    )
    def test_times(self, text: str, written: str) -> None:
        assert to_utc(text) == written

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "yesterday",
            "1782907200",
            "2026-13-01T00:00:00Z",
            "0001-01-01T00:00:00+05:30",
            "9999-12-31T23:59:59-05:00",
        ],
    )
    def test_what_is_no_time_stays_as_it_is(self, text: str) -> None:
        assert to_utc(text) == text

    @given(st.text(max_size=40))
    def test_no_text_is_too_much(self, text: str) -> None:
        assert isinstance(to_utc(text), str)

    @given(moments)
    def test_the_instant_is_the_same_and_the_width_too(self, moment: datetime) -> None:
        written = to_utc(moment.isoformat())

        assert datetime.fromisoformat(written) == moment
        assert len(written) == len("2026-07-01T10:10:00.000000Z")
        assert to_utc(written) == written

    @given(moments, st.integers(-(10**12), 10**12), offsets)
    def test_the_order_of_the_texts_is_that_of_the_instants(
        self, moment: datetime, microseconds: int, offset: timezone
    ) -> None:
        try:
            other = (moment.astimezone(UTC) + timedelta(microseconds=microseconds)).astimezone(
                offset
            )
        except OverflowError:
            other = moment

        texts = (to_utc(moment.isoformat()), to_utc(other.isoformat()))
        assert (texts[0] < texts[1]) == (moment < other)
        assert (texts[0] == texts[1]) == (moment == other)

    @given(moments, st.text("0123456789", max_size=3))
    def test_what_is_finer_than_a_microsecond_is_cut_off(
        self, moment: datetime, finer: str
    ) -> None:
        local = moment.replace(tzinfo=None).isoformat(timespec="microseconds")

        assert to_utc(f"{local}{finer}Z") == f"{local}Z"


class TestFromText:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ('{"a": [1, null]}', {"a": [1, None]}),
            ('"text"', "text"),
            ("3", 3),
            ("null", None),
            ("", None),
            ("text", "text"),
            ('{"a": ', '{"a": '),
        ],
    )
    def test_values(self, text: str, value: object) -> None:
        assert from_text(text) == value


class TestDrop:
    @pytest.mark.parametrize(
        ("path", "left"),
        [
            ("a", {"list": [{"x": 1, "secret": True}, {"x": 2, "secret": False}, 3]}),
            ("a.b", {"a": {}, "list": [{"x": 1, "secret": True}, {"x": 2, "secret": False}, 3]}),
            ("list[].x", {"a": {"b": 1}, "list": [{"secret": True}, {"secret": False}, 3]}),
            (
                "list[secret].x",
                {"a": {"b": 1}, "list": [{"secret": True}, {"x": 2, "secret": False}, 3]},
            ),
            ("list[secret]", {"a": {"b": 1}, "list": [{"x": 2, "secret": False}, 3]}),
            ("list[]", {"a": {"b": 1}, "list": []}),
        ],
    )
    def test_paths(self, path: str, left: object) -> None:
        data = {"a": {"b": 1}, "list": [{"x": 1, "secret": True}, {"x": 2, "secret": False}, 3]}

        drop(data, path.split("."))

        assert data == left

    @pytest.mark.parametrize(
        "path",
        [
            "no",
            "a.no",
            "a.b.no",
            "no.a",
            "a[].b",
            "a[secret].b",
            "list.x",
            "list[no].x",
            "list[].no",
        ],
    )
    def test_what_is_not_there_is_left_alone(self, path: str) -> None:
        data = {"a": {"b": 1}, "list": [{"x": 1}, 3, None, [{"x": 2}]]}
        before = copy.deepcopy(data)

        drop(data, path.split("."))

        assert data == before

    @pytest.mark.parametrize("data", [None, 3, "text", [], [{"a": 1}]])
    def test_what_is_no_object_is_left_alone(self, data: Any) -> None:
        before = copy.deepcopy(data)

        drop(data, ["a"])

        assert data == before

    @given(st.lists(st.fixed_dictionaries({"secret": st.booleans(), "value": st.text()})))
    def test_no_secret_of_a_list_stays_and_nothing_else_goes(
        self, items: list[dict[str, Any]]
    ) -> None:
        row = {"env": copy.deepcopy(items)}

        drop(row, ["env[secret]", "value"])

        assert [item.get("value") for item in row["env"]] == [
            None if item["secret"] else item["value"] for item in items
        ]


class TestCleaning:
    def test_a_row_that_needs_nothing_is_handed_on_itself(self) -> None:
        row = {"id": "1", "at": "2026-07-01T03:10:00-07:00"}

        assert cleaner(Cleaning())(row) is row
        assert row == {"id": "1", "at": "2026-07-01T03:10:00-07:00"}

    def test_all_at_once(self) -> None:
        row = {
            "id": "1",
            "at": {"changed": "2026-07-01T03:10:00-07:00"},
            "info": json.dumps({"user": "u", "token": "hunter2"}),
            "ended": "1970-01-01T00:00:00Z",
            "_parent_id": "9",
        }

        assert clean(
            row,
            changed="at.changed",
            json_text=("info", "missing"),
            secrets=("info.token", "missing.token"),
            nulls={"ended": frozenset({"", "1970-01-01T00:00:00Z"}), "missing": frozenset({""})},
            renamed={"_parent_id": "parent_id", "missing": "still_missing"},
        ) == {
            "id": "1",
            "at": {"changed": "2026-07-01T10:10:00.000000Z"},
            "info": {"user": "u"},
            "parent_id": "9",
        }

    @pytest.mark.parametrize("changed", [None, 1782907200, "soon", {"at": 1}])
    def test_a_time_that_is_none_is_left_alone(self, changed: object) -> None:
        row = {"id": "1", "attributes": {"updated_at": changed, "name": "n"}}

        cleaned = clean(row, changed="attributes.updated_at")

        assert cleaned["attributes"].get("updated_at") == changed

    @pytest.mark.parametrize("attributes", [None, "text", [], {}])
    def test_nor_does_it_have_to_be_there(self, attributes: object) -> None:
        assert clean({"id": "1", "attributes": attributes}, changed="attributes.at")["id"] == "1"

    def test_json_that_is_decoded_already_is_taken_as_it_is(self) -> None:
        row = {"info": {"a": 1, "token": "hunter2"}}

        assert clean(row, json_text=("info",), secrets=("info.token",)) == {"info": {"a": 1}}

    @pytest.mark.parametrize(
        "text",
        [
            '{"token": "hunter2", "cut',
            json.dumps(json.dumps({"token": "hunter2"})),
            json.dumps([{"token": "hunter2"}]),
            "token=hunter2",
        ],
    )
    def test_secrets_that_cannot_be_found_are_not_loaded_with_the_rest(self, text: str) -> None:
        row = {"id": "1", "info": text}

        cleaned = clean(row, json_text=("info",), secrets=("info.token",))

        assert "hunter2" not in json.dumps(cleaned)

    def test_text_without_secrets_stays_where_it_is_no_json(self) -> None:
        assert clean({"labels": "a, b"}, json_text=("labels",)) == {"labels": "a, b"}

    def test_nulls_are_left_out_of_the_row_and_one_level_below_except_in_json(self) -> None:
        row = {
            "id": "1",
            "none": None,
            "attributes": {"none": None, "data": {"none": None}, "list": [{"none": None, "x": 1}]},
            "info": json.dumps({"none": None}),
        }

        assert clean(row, json=("attributes.data",), json_text=("info",)) == {
            "id": "1",
            "attributes": {"data": {"none": None}, "list": [{"none": None, "x": 1}]},
            "info": {"none": None},
        }

    def test_a_sentinel_that_is_no_text_is_none(self) -> None:
        assert clean({"ended": 0}, nulls={"ended": frozenset({""})}) == {"ended": 0}
