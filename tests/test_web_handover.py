"""Connections between two threads: taken once or closed, whenever the end comes."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from threading import Event, Thread

import pytest

from controller.web.handover import Handover


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    near, far = socket.socketpair()
    with closing(near), closing(far):
        yield near, far


def test_what_is_given_is_taken_once(pair: tuple[socket.socket, socket.socket]) -> None:
    queue: list[Callable[[], None]] = []
    taken: list[str] = []
    handover = Handover()
    handover.give(pair[0], lambda: taken.append("taken"), queue.append)
    assert taken == []
    for thunk in queue * 2:
        thunk()
    handover.end()
    assert taken == ["taken"]
    assert pair[0].fileno() != -1  # whoever took it closes it


def test_what_nobody_took_is_closed_at_the_end_and_never_taken(pair: tuple[socket.socket, socket.socket]) -> None:
    queue: list[Callable[[], None]] = []
    taken: list[str] = []
    handover = Handover()
    handover.give(pair[0], lambda: taken.append("taken"), queue.append)
    handover.end()
    queue[0]()
    assert taken == []
    assert pair[0].fileno() == -1
    assert pair[1].recv(1) == b""


def test_it_is_taken_while_it_is_still_being_given(pair: tuple[socket.socket, socket.socket]) -> None:
    taken: list[str] = []

    def wake(thunk: Callable[[], None]) -> None:
        """As a server whose own lock is held while it takes, and wanted by whoever wakes it."""
        there = Thread(target=thunk, daemon=True)
        there.start()
        there.join(30)
        assert not there.is_alive()

    Handover().give(pair[0], lambda: taken.append("taken"), wake)
    assert taken == ["taken"]


def test_the_end_waits_until_nobody_is_being_woken(pair: tuple[socket.socket, socket.socket]) -> None:
    handover, is_waking, may_go_on = Handover(), Event(), Event()

    def wake(_: Callable[[], None]) -> None:
        is_waking.set()
        assert may_go_on.wait(30)

    giving = Thread(target=lambda: handover.give(pair[0], lambda: None, wake))
    giving.start()
    assert is_waking.wait(30)
    ending = Thread(target=handover.end)
    ending.start()
    assert pair[0].fileno() != -1
    may_go_on.set()
    ending.join(30)
    giving.join(30)
    assert not ending.is_alive()
    assert pair[0].fileno() == -1


def test_after_the_end_nothing_is_given(pair: tuple[socket.socket, socket.socket]) -> None:
    handover = Handover()
    handover.end()
    with pytest.raises(OSError, match="ending"):
        handover.give(pair[0], lambda: None, lambda thunk: thunk())
    assert pair[0].fileno() != -1  # it is the giver's still
