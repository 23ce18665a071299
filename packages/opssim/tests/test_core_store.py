from __future__ import annotations

import threading

import pytest

from opssim.core.store import JsonObject, Row, Table, decode, encode


def _table(count: int = 0) -> Table:
    table = Table(
        "things", key=lambda row: str(row["id"]), fields=lambda row: {"size": row["size"]}
    )
    table.extend(
        {"id": number, "size": number % 3, "name": f"ü{number}"} for number in range(count)
    )
    return table


def _by_size(rows: list[Row]) -> None:
    rows.sort(key=lambda row: (row.fields["size"], row.key))


def test_rows_are_kept_encoded_beside_their_fields() -> None:
    row = _table().insert({"id": 4, "size": 2, "name": "größer"})
    assert row.key == "4"
    assert row.fields == {"size": 2}
    assert row.body == '{"id":4,"size":2,"name":"größer"}'.encode()


def test_data_is_a_copy() -> None:
    table = _table(1)
    row = table.get("0")
    assert row is not None
    row.data()["name"] = "changed"
    assert row.data()["name"] == "ü0"


def test_encoding_goes_both_ways() -> None:
    data: JsonObject = {"text": '"\n\\ 🔥', "number": 1.5, "nothing": None, "list": [{}]}
    assert decode(encode(data)) == data


def test_a_missing_row_is_none() -> None:
    assert _table(1).get("9") is None


def test_a_table_knows_its_keys_in_the_order_of_insertion() -> None:
    table = _table(3)
    assert table.keys() == ["0", "1", "2"]
    assert len(table) == 3
    assert "2" in table
    assert "3" not in table
    assert [row.key for row in table] == ["0", "1", "2"]


def test_inserting_a_key_again_replaces_its_row() -> None:
    table = _table(3)
    table.insert({"id": 1, "size": 9, "name": "new"})
    assert len(table) == 3
    assert [row.data()["name"] for row in table] == ["ü0", "new", "ü2"]


def test_update_changes_body_and_fields() -> None:
    table = _table(2)
    table.update("1", lambda row: row.update(size=7))
    row = table.get("1")
    assert row is not None
    assert row.fields == {"size": 7}
    assert row.data()["size"] == 7


def test_update_of_a_missing_row_fails() -> None:
    with pytest.raises(KeyError):
        _table(1).update("9", lambda row: None)


def test_an_update_that_fails_changes_nothing() -> None:
    table = _table(1)

    def fail(row: JsonObject) -> None:
        row["size"] = 8
        raise RuntimeError

    with pytest.raises(RuntimeError):
        table.update("0", fail)
    row = table.get("0")
    assert row is not None
    assert row.fields == {"size": 0}


def test_delete() -> None:
    table = _table(2)
    table.delete("0")
    assert table.keys() == ["1"]
    with pytest.raises(KeyError):
        table.delete("0")


def test_iteration_is_over_the_rows_of_its_start() -> None:
    table = _table(2)
    seen: list[str] = []
    for row in table:
        seen.append(row.key)
        table.insert({"id": 10 + len(seen), "size": 0})
    assert seen == ["0", "1"]


def test_a_view_filters_and_sorts() -> None:
    view = _table(7).view("small", where=lambda row: row.fields["size"] < 2, order=_by_size)
    assert [row.key for row in view] == ["0", "3", "6", "1", "4"]


def test_a_view_without_arguments_is_the_table() -> None:
    assert [row.key for row in _table(3).view("all")] == ["0", "1", "2"]


def test_a_view_is_computed_once_for_each_state_of_the_table() -> None:
    table = _table(3)
    looks = 0

    def where(row: Row) -> bool:
        nonlocal looks
        looks += 1
        return True

    first = table.view("counted", where=where)
    assert table.view("counted", where=where) is first
    assert looks == 3
    table.insert({"id": 3, "size": 0})
    assert len(table.view("counted", where=where)) == 4
    assert looks == 7


@pytest.mark.parametrize("change", ["update", "delete"])
def test_a_view_follows_changes(change: str) -> None:
    table = _table(3)

    def zeros() -> list[str]:
        return [row.key for row in table.view("zeros", where=lambda row: row.fields["size"] == 0)]

    assert zeros() == ["0"]
    if change == "update":
        table.update("1", lambda row: row.update(size=0))
        assert zeros() == ["0", "1"]
    else:
        table.delete("0")
        assert zeros() == []


def test_a_view_stays_as_it_was_for_those_who_hold_it() -> None:
    table = _table(3)
    held = table.view("all")
    table.delete("0")
    assert len(held) == 3


def test_old_views_are_forgotten() -> None:
    table = _table(3)
    first = table.view("first")
    for number in range(40):
        table.view(number)
    assert table.view("first") is not first


def test_a_view_in_use_is_not_forgotten() -> None:
    table = _table(3)
    first = table.view("first")
    for number in range(40):
        table.view(number)
        assert table.view("first") is first


def test_threads_may_insert_and_read_at_once() -> None:
    table = _table()
    failures: list[Exception] = []

    def insert(start: int) -> None:
        try:
            for number in range(start, start + 200):
                table.insert({"id": number, "size": 0})
                table.view("all")
                list(table)
        except RuntimeError as error:  # "changed size during iteration"
            failures.append(error)

    threads = [threading.Thread(target=insert, args=(1000 * index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert len(table) == len(table.view("all")) == 800
