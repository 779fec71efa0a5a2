"""A revoked node that the broker lets sit there is thrown out as soon as it can be, however late, and that is told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from makers_enrolment import Commune, eventually, utc_now
from makers_web import NOON
from test_node_identity import link

from controller import eviction, flags
from controller.eviction import MANY, SETTLED, Case
from fleet import mosquitto
from wire import topics

SECOND = timedelta(seconds=1)


def test_a_case_is_open_until_a_visit_was_followed_by_silence() -> None:
    case = Case(NOON)
    assert case.due(NOON + timedelta(hours=9))  # the broker was out of reach meanwhile
    case.visited(False, 1, NOON)
    assert not case.due(NOON + 4 * SECOND)
    assert case.due(NOON + 5 * SECOND)
    case.visited(True, 1, NOON + 5 * SECOND)
    assert not case.settle(NOON + 6 * SECOND)
    case.heard(NOON + 7 * SECOND)  # the rules were not read: it spoke, or our own word came through
    assert not case.settle(NOON + 60 * SECOND)
    assert case.due(NOON + 60 * SECOND)
    case.visited(True, 1, NOON + 60 * SECOND)
    assert case.settle(NOON + 60 * SECOND + SETTLED)
    assert not case.due(NOON + timedelta(days=1))
    case.heard(NOON + timedelta(days=2))  # the broker was put back as it had been
    assert case.due(NOON + timedelta(days=2))
    assert case.tries == 0


def test_visits_come_later_and_later_and_never_less_than_one_a_minute() -> None:
    case, now, gaps = Case(NOON), NOON, []
    for _ in range(10):
        case.visited(False, 1, now)
        gaps.append(next(each for each in range(200) if case.due(now + each * SECOND)))
        now += gaps[-1] * SECOND
    assert gaps == [5, 10, 20, 40, 60, 60, 60, 60, 60, 60]


def test_where_one_refusal_may_be_chance_two_in_a_row_are_needed() -> None:
    case = Case(NOON)
    for good in (True, False, True):
        case.visited(good, 2, NOON)
        assert case.worked_at is None
    case.visited(True, 2, NOON)
    assert case.worked_at == NOON


@pytest.fixture
def commune(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Commune]:
    if mosquitto.find() is None:
        pytest.skip("mosquitto is not installed: apt-get install mosquitto")
    monkeypatch.setattr(eviction, "PAUSES", (0, 0.1))
    monkeypatch.setattr(eviction, "SETTLED", timedelta(seconds=3))
    with Commune(tmp_path) as made:
        yield made


def test_who_was_revoked_while_the_broker_was_away_is_out_once_it_is_back_and_told_while_it_is_not(
    commune: Commune,
) -> None:
    assert commune.enrol(commune.code().shown(), "loa-01").returncode == 0
    commune.take_over()
    station, store = commune.running.station, commune.store
    node = link(commune, "loa-01")
    node.start()
    eventually(node.connected)
    commune.broker.terminate()
    commune.broker.wait()
    eventually(lambda: not station.link.connected())
    commune.desk.revoke_node("loa-01", commune.boss, utc_now() - timedelta(hours=1))
    commune.run_broker()  # with the rules that it had
    eventually(lambda: station.link.connected() and node.connected())

    def told() -> bool:
        station.evict(utc_now())
        return flags.find(store, flags.STILL_IN) is not None

    eventually(told)
    assert flags.find(store, flags.STILL_IN).facts == {"count": "1", "names": "loa-01"}
    assert station._eviction._cases["loa-01"].tries >= MANY
    commune.take_over()

    def is_out() -> bool:
        station.evict(utc_now())
        return station._eviction._cases["loa-01"].is_out

    eventually(is_out)
    station.evict(utc_now())
    assert flags.find(store, flags.STILL_IN) is None
    tries = station._eviction._cases["loa-01"].tries
    node.publish(topics.HEALTH.topic(node="loa-01"), b"{}", retain=False, qos=0)
    assert not node.connected()
    for _ in range(3):
        station.evict(utc_now())
    assert station._eviction._cases["loa-01"].tries == tries
    node.stop()
