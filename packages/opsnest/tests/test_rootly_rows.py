"""Rows of Rootly come in several shapes, and are loaded in one."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsnest.catalogue.rootly import ROOTLY
from opsnest.sources.rootly_rows import cleaner_of

Row = dict[str, Any]
LINKED = ("environments", "functionalities", "groups", "incident_types", "services")

clean_incident = cleaner_of(ROOTLY.by_name["incidents"])
clean_alert = cleaner_of(ROOTLY.by_name["alerts"])

scalars = st.one_of(st.text(max_size=5), st.integers(), st.booleans(), st.floats(allow_nan=False))
labels = st.dictionaries(st.text(max_size=5), scalars, max_size=4)
links = st.lists(st.fixed_dictionaries({"id": st.uuids().map(str), "type": st.just("x")}))
linked = st.fixed_dictionaries(dict.fromkeys(LINKED, links))


def incident(**attributes: Any) -> Row:
    return {"id": "1", "type": "incidents", "attributes": {"title": "t", **attributes}}


# Labels


@given(labels=labels)
def test_labels_are_the_same_table_whichever_form_they_came_in(labels: dict[str, Any]) -> None:
    pairs = [{"key": key, "value": value} for key, value in labels.items()]

    as_object = clean_incident(incident(labels=dict(labels)))
    as_list = clean_incident(incident(labels=deepcopy(pairs)))

    assert as_object == as_list


@given(labels=labels)
def test_keys_and_values_of_labels_are_texts(labels: dict[str, Any]) -> None:
    found = clean_alert(incident(labels=dict(labels)))["attributes"].get("labels", [])

    assert [label["key"] for label in found] == list(labels)
    assert all(type(label["value"]) is str for label in found)


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "true"), (False, "false"), (3, "3"), (2.5, "2.5"), ("x", "x"), (None, "")],
)
def test_the_value_of_a_label_is_written_as_it_is_in_json(value: Any, text: str) -> None:
    row = clean_alert(incident(labels=[{"key": "k", "value": value}]))

    assert row["attributes"]["labels"] == [{"key": "k", "value": text}]


@pytest.mark.parametrize("odd", [None, [], {}, [None], ["text"], [{"value": "no key"}], "text", 7])
def test_what_is_no_label_is_left_out(odd: Any) -> None:
    assert not clean_alert(incident(labels=odd))["attributes"].get("labels")


def test_a_row_without_labels_gets_none() -> None:
    assert "labels" not in clean_alert(incident())["attributes"]


# What an incident is linked to


@given(linked=linked)
def test_links_are_the_same_table_whichever_form_they_came_in(
    linked: dict[str, list[Row]],
) -> None:
    related = {name: {"data": deepcopy(data)} for name, data in linked.items()}
    shapes: list[Row] = [
        {name: [{"data": deepcopy(each)} for each in data] for name, data in linked.items()},
        {name: {"data": deepcopy(data)} for name, data in linked.items()},
        {},
        dict.fromkeys(linked),
        {name: {"data": None} for name in linked},
    ]

    cleaned = [
        clean_incident(incident(**shape) | {"relationships": deepcopy(related)}) for shape in shapes
    ]

    assert all(each == cleaned[0] for each in cleaned)
    for name, data in linked.items():
        found: list[Row] = cleaned[0]["attributes"].get(name) or []
        assert [each["data"] for each in found] == data


@pytest.mark.parametrize("relationships", [None, {}, {"services": None}, {"services": {}}])
def test_an_incident_that_is_linked_to_nothing_has_no_links(relationships: Any) -> None:
    row = clean_incident(incident() | {"relationships": relationships})

    assert not any(row["attributes"].get(name) for name in LINKED)


def test_other_rows_keep_what_they_are_linked_to_as_it_is() -> None:
    services = [{"id": "1", "name": "checkout"}]

    assert clean_alert(incident(services=deepcopy(services)))["attributes"]["services"] == services


# Rows as such


def test_a_row_without_attributes_stays() -> None:
    assert clean_incident({"id": "1", "type": "incidents"}) == {"id": "1", "type": "incidents"}


@pytest.mark.parametrize("name", [each.name for each in ROOTLY.entries if each.secrets])
def test_secrets_are_left_out(name: str) -> None:
    entry = ROOTLY.by_name[name]
    fields = [path.removeprefix("attributes.") for path in entry.secrets]

    row = cleaner_of(entry)(incident(**dict.fromkeys(fields, "s3cret")))

    assert "s3cret" not in repr(row)
    assert row["attributes"]["title"] == "t"
