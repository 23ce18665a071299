from __future__ import annotations

from opssim.core.churn import Churn


class _World:
    def __init__(self) -> None:
        self.inserted: list[tuple[str, int]] = []
        self.touched: list[tuple[str, int]] = []
        self.deleted: list[tuple[str, int]] = []

    def insert(self, table: str, count: int) -> None:
        self.inserted.append((table, count))

    def touch(self, table: str, count: int) -> None:
        self.touched.append((table, count))

    def delete(self, table: str, count: int) -> None:
        self.deleted.append((table, count))

    def ask(self, churn: Churn, table: str, times: int) -> None:
        for _ in range(times):
            churn.before_list(table, self.insert, self.touch, self.delete)


def test_without_a_rhythm_nothing_changes() -> None:
    world = _World()
    world.ask(Churn(), "incidents", 10)
    assert world.inserted == []
    assert world.touched == []


def test_every_second_request_changes_the_list() -> None:
    world, churn = _World(), Churn(every=2, insert=3, touch=1)
    world.ask(churn, "incidents", 1)
    assert world.inserted == []
    world.ask(churn, "incidents", 1)
    assert world.inserted == [("incidents", 3)]
    assert world.touched == [("incidents", 1)]


def test_changes_come_to_an_end() -> None:
    world = _World()
    world.ask(Churn(every=1, times=3), "incidents", 10)
    assert len(world.inserted) == 3


def test_lists_change_apart_from_each_other() -> None:
    world, churn = _World(), Churn(every=2, times=1)
    world.ask(churn, "incidents", 2)
    world.ask(churn, "alerts", 1)
    assert world.inserted == [("incidents", 1)]
    world.ask(churn, "alerts", 1)
    assert world.inserted == [("incidents", 1), ("alerts", 1)]


def test_only_touching() -> None:
    world = _World()
    world.ask(Churn(every=1, insert=0, touch=2, times=1), "alerts", 1)
    assert world.inserted == []
    assert world.touched == [("alerts", 2)]
    assert world.deleted == []


def test_only_deleting() -> None:
    world = _World()
    world.ask(Churn(every=1, insert=0, delete=2, times=1), "alerts", 3)
    assert world.inserted == []
    assert world.deleted == [("alerts", 2)]


def test_nothing_is_deleted_for_those_who_cannot() -> None:
    world, churn = _World(), Churn(every=1, delete=2)
    churn.before_list("alerts", world.insert, world.touch)
    assert world.inserted == [("alerts", 1)]
