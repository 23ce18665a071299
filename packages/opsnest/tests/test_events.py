"""Events: who hears them, and for how long."""

from __future__ import annotations

import threading

import pytest

from opsnest.events import PageRead, listening, publish


def page(resource: str = "events") -> PageRead:
    return PageRead("roost_source", resource, bytes=10, seconds=0.5)


def test_everybody_who_listens_is_told_until_the_block_ends() -> None:
    first: list[PageRead] = []
    second: list[PageRead] = []
    pages = [page(name) for name in "abcd"]

    publish(pages[0])
    with listening(first.append):
        publish(pages[1])
        with listening(second.append):
            publish(pages[2])
        publish(pages[3])
    publish(pages[0])

    assert first == pages[1:]
    assert second == [pages[2]]


def test_listening_ends_with_a_block_that_fails() -> None:
    heard: list[PageRead] = []

    with pytest.raises(KeyError), listening(heard.append):
        raise KeyError
    publish(page())

    assert heard == []


def test_one_who_listens_twice_goes_on_listening_behind_the_inner_block() -> None:
    heard: list[PageRead] = []
    listener = heard.append

    with listening(listener):
        with listening(listener):
            publish(page("twice"))
        publish(page("once"))

    assert [each.resource for each in heard] == ["twice", "twice", "once"]


def test_pages_are_heard_from_any_thread_while_others_come_and_go() -> None:
    heard: list[PageRead] = []

    def load() -> None:
        for _ in range(200):
            with listening(lambda _: None):
                publish(page())

    threads = [threading.Thread(target=load) for _ in range(8)]
    with listening(heard.append):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert len(heard) == 8 * 200


def test_a_page_knows_when_it_was_read_and_cannot_be_changed() -> None:
    first, second = page(), page()

    assert first.at <= second.at
    with pytest.raises(AttributeError):
        first.bytes = 11  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
