"""Dataclasses of answers: whatever comes, what is known of it is there, and all of it is kept."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import roost
from roost._model import Model


@dataclass(slots=True)
class Part(Model):
    part_id: str
    size: int = 0


@dataclass(slots=True)
class Whole(Model):
    whole_id: str
    count: int
    ratio: float
    is_good: bool
    parts: list[Part]
    main: Part
    names: list[str] = field(default_factory=list[str])
    other: Part | None = None
    either: int | str | None = None
    renamed: str | None = field(default=None, metadata={"keys": ("oldName",)})


def test_camel_and_snake_case() -> None:
    for payload in ({"partId": "p", "size": 3}, {"part_id": "p", "size": 3}):
        assert Part.from_json(payload) == Part("p", 3)
    assert Whole.from_json({"wholeId": "w", "oldName": "o"}).renamed == "o"


def test_what_is_inside_is_made_too() -> None:
    whole = Whole.from_json(
        {
            "wholeId": "w",
            "parts": [{"partId": "1"}, {"partId": "2"}],
            "main": {"partId": "3"},
            "other": {"partId": "4", "new": 1},
            "either": "x",
        }
    )
    assert whole.parts == [Part("1"), Part("2")]
    assert (whole.main, whole.other, whole.either) == (Part("3"), Part("4"), "x")
    assert whole.other is not None
    assert whole.other.raw == {"partId": "4", "new": 1}


def test_what_is_missing_is_empty() -> None:
    whole = Whole.from_json({})
    assert (whole.whole_id, whole.count, whole.ratio, whole.is_good) == ("", 0, 0.0, False)
    assert (whole.parts, whole.main, whole.other, whole.names) == ([], Part(""), None, [])


def test_null_is_as_if_it_were_missing() -> None:
    nothing = dict.fromkeys(("wholeId", "count", "parts", "main", "names", "other"))
    assert Whole.from_json(nothing) == Whole.from_json({})


def test_the_object_itself_is_kept_and_does_not_count() -> None:
    one, other = Part.from_json({"partId": "p", "x": 1}), Part.from_json({"partId": "p"})
    assert one == other
    assert one.raw == {"partId": "p", "x": 1}
    assert repr(one) == "Part(part_id='p', size=0)"


@pytest.mark.parametrize("payload", [None, [], "x", 5, True])
def test_what_is_no_object_is_empty(payload: object) -> None:
    assert Part.from_json(payload) == Part("")


@pytest.mark.parametrize(
    ("payload", "ids"),
    [
        ([{"partId": "1"}], ["1"]),
        ({"parts": [{"partId": "1"}]}, ["1"]),
        ({"items": [{"partId": "1"}]}, ["1"]),
        ({"parts": [], "items": [{"partId": "1"}]}, []),
        ({"parts": None, "items": [{"partId": "1"}]}, ["1"]),
        ({"other": [{"partId": "1"}]}, []),
        (None, []),
    ],
)
def test_lists(payload: object, ids: list[str]) -> None:
    assert [part.part_id for part in Part.list_of(payload, "parts", "items")] == ids


MODELS: list[type[Model]] = [
    each
    for each in (getattr(roost, name) for name in roost.__all__)
    if isinstance(each, type) and issubclass(each, Model)
]
_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_the_models_of_the_package(model: type[Model]) -> None:
    made: Any = model.from_json({})
    assert is_dataclass(made)
    assert not hasattr(made, "__dict__")  # slots
    names = [each.name for each in fields(made)]
    assert "raw" in names
    assert model.__doc__


@given(st.sampled_from(MODELS), st.data())
def test_any_values_do_no_harm(model: type[Model], data: st.DataObject) -> None:
    kind: Any = model
    names = [each.name for each in fields(kind) if each.name != "raw"]
    payload = {name: data.draw(_JSON) for name in names if data.draw(st.booleans())}
    made = model.from_json(payload)
    assert made.raw == payload
    assert made == model.from_json(payload)
