"""Ports that nobody takes between finding them free and listening there."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from ports import PROCESSES
from ports import free_port as of_this_process

from fleet import ports
from fleet.ports import HOST, LEAST, begin_of_calls, can_listen, free_port


def test_a_free_port_is_none_that_the_system_gives_to_a_call() -> None:
    if begin_of_calls() <= LEAST:
        pytest.skip("this system gives calls any port")
    found = [free_port() for _ in range(50)]
    assert all(LEAST <= each < begin_of_calls() for each in found)
    assert len(set(found)) > 10
    assert can_listen(found[0])


def test_a_port_that_somebody_has_is_not_free(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        assert not can_listen(port)
        monkeypatch.setattr(ports, "LEAST", port)
        monkeypatch.setattr(ports, "begin_of_calls", lambda: port + 1)  # it is the only one
        assert free_port() != port


@pytest.mark.parametrize(("said", "begin"), [("1024\t65535\n", 1024), ("", 32_768), ("many", 32_768), (None, 32_768)])
def test_whatever_the_system_says_of_calls_there_is_a_port(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str | None, begin: int
) -> None:
    if said is not None:
        (tmp_path / "range").write_text(said)
    monkeypatch.setattr(ports, "RANGE", tmp_path / "range")
    assert begin_of_calls() == begin
    assert can_listen(free_port())


def test_processes_that_run_tests_at_once_never_get_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        monkeypatch.setenv("PYTEST_XDIST_WORKER", f"gw{number}")
        found = [of_this_process() for _ in range(5)]
        assert {(each - LEAST) % PROCESSES for each in found} == {number}
        assert len(set(found)) == 5
