"""Connections between two threads: taken once or closed, whenever the end comes."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import closing

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


def test_after_the_end_nothing_is_given(pair: tuple[socket.socket, socket.socket]) -> None:
    handover = Handover()
    handover.end()
    with pytest.raises(OSError, match="ending"):
        handover.give(pair[0], lambda: None, lambda thunk: thunk())
    assert pair[0].fileno() != -1  # it is the giver's still
