"""The whole node over the loopback broker, by a hand-turned clock."""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path

import pytest
from makers_node import (
    COMMUNE,
    HAMLET,
    NODE,
    T0,
    after,
    make_asset,
    make_config,
    make_emergency,
    make_grant,
    make_job,
    trust_message,
)
from makers_radio import Radio

from edge_node import disk, ledger
from edge_node.agent import IDLE
from edge_node.health import SPREAD_SECONDS
from edge_node.restart import RESTART_EXIT
from wire.errors import Reason
from wire.plan import AfterCut
from wire.presence import State
from wire.receipt import Step
from wire.seal import Signer
from wire.topics import PLAN


@pytest.fixture
def radio(tmp_path: Path) -> Radio:
    return Radio(tmp_path)


def test_a_planned_job_sounds_on_its_second_and_is_proven(radio: Radio) -> None:
    job = make_job(start=after(5))
    radio.plan(job)
    radio.start()
    radio.run(20)
    assert radio.steps("b1") == ["accepted", "started", "sounded"]
    measured = radio.outcome("b1").measured
    assert measured
    assert (measured.started_at, measured.sounded_ms, measured.skew_ms) == (after(5), 10_000, 0)
    assert radio.stretches("b1") == [(0, 10_000)]
    assert radio.agent.ledger.waiting() == 0


def test_a_late_joiner_sounds_what_may_still_begin_and_reports_what_it_missed(radio: Radio) -> None:
    radio.plan(make_job("gone", after(-7200)), make_job("late", after(-60)))
    radio.start()
    radio.run(15)
    assert (radio.outcome("gone").step, radio.outcome("gone").reason) == (Step.MISSED, Reason.LATE)
    assert radio.outcome("late").step is Step.SOUNDED


def test_a_replayed_message_changes_nothing(radio: Radio) -> None:
    old = radio.plan(make_job("b1", after(1)))
    radio.start()
    radio.run(15)
    radio.plan(make_job("b1", after(1)), make_job("b2", after(3600)))
    radio.run(1)
    radio.say(old)
    radio.run(15)
    assert radio.stretches("b1") == [(0, 10_000)]
    assert radio.agent.refusals.counts == {"rolled_back": 1}
    assert radio.steps("b2") == ["accepted"]


def test_an_edited_job_sounds_as_the_newest_plan_says(radio: Radio) -> None:
    radio.plan(make_job(start=after(5)))
    radio.start()
    radio.run(4)
    new = make_job(start=after(8), asset=make_asset("new", 4000))
    radio.plan(new)
    radio.run(20)
    assert radio.steps("b1") == ["accepted", "accepted", "started", "sounded"]
    assert radio.outcome("b1").asset == new.asset.sha256
    assert radio.outcome("b1").planned_start == after(8)
    assert radio.stretches("b1") == [(0, 4000)]


def test_a_job_withdrawn_on_air_is_cut_at_once(radio: Radio) -> None:
    radio.plan(make_job(start=after(1)))
    radio.start()
    radio.run(4)
    radio.plan()
    radio.run(1)
    assert radio.outcome("b1").step is Step.WITHDRAWN
    assert radio.stretches("b1") == [(0, 3000)]


def test_a_job_withdrawn_before_its_start_never_sounds(radio: Radio) -> None:
    radio.plan(make_job(start=after(60)))
    radio.start()
    radio.plan()
    radio.run(90, step=1)
    assert radio.outcome("b1").step is Step.WITHDRAWN
    assert radio.heard == []


def test_a_job_that_left_the_plan_before_it_began_and_is_back_in_time_sounds(radio: Radio) -> None:
    """A programme undone, a policy tightened and loosened again: the plan says the same as before."""
    job = make_job(start=after(60))
    radio.plan(job)
    radio.start()
    radio.plan()
    radio.run(20, step=1)
    assert radio.outcome("b1").step is Step.WITHDRAWN
    radio.plan(job)
    radio.run(90, step=1)
    steps = radio.steps("b1")
    assert steps.count(Step.ACCEPTED) == 2
    assert steps[-1] == Step.SOUNDED
    assert steps.count(Step.SOUNDED) == 1
    radio.plan()
    radio.plan(job)
    radio.run(10, step=1)
    assert radio.steps("b1") == steps, "what has sounded does not come again"


def test_a_job_that_came_back_is_remembered_over_a_restart(radio: Radio) -> None:
    job = make_job(start=after(60))
    radio.plan(job)
    radio.start()
    radio.plan()
    radio.run(10, step=1)
    radio.restart()
    radio.plan(job)
    radio.run(90, step=1)
    assert radio.steps("b1")[-1] == Step.SOUNDED


def test_a_booking_that_moves_to_another_area_is_not_lost_between_two_plans(radio: Radio) -> None:
    job = make_job(start=after(10))
    radio.plan(job)
    radio.start()
    radio.plan()
    radio.run(1)
    radio.plan(job, area=HAMLET)
    radio.run(25)
    assert radio.outcome("b1").step is Step.SOUNDED


def test_a_job_in_two_areas_sounds_once(radio: Radio) -> None:
    for area in (COMMUNE, HAMLET, NODE):
        radio.plan(make_job(start=after(1)), area=area)
    radio.start()
    radio.run(30)
    assert radio.steps("b1") == ["accepted", "started", "sounded"]
    assert len(radio.heard) == 1


def test_an_emergency_cuts_in_and_the_item_goes_on_where_it_stopped(radio: Radio) -> None:
    radio.plan(make_job(start=after(1)))
    radio.start()
    radio.run(5)
    radio.urgent(make_emergency(start=after(5), asset=make_asset("siren", 3000)))
    radio.run(20)
    assert radio.heard == [("b1", 0, 4000), ("e1", 0, 3000), ("b1", 4000, 10_000)]
    assert radio.steps("b1") == ["accepted", "started", "paused", "resumed", "sounded"]
    measured = radio.outcome("b1").measured
    assert measured
    assert measured.sounded_ms == 10_000


def test_an_item_that_is_not_to_be_resumed_ends_as_preempted(radio: Radio) -> None:
    radio.plan(make_job(start=after(1), after_cut=AfterCut.DROP))
    radio.start()
    radio.run(5)
    radio.urgent(make_emergency(start=after(5)))
    radio.run(20)
    assert (radio.outcome("b1").step, radio.outcome("b1").reason) == (Step.PREEMPTED, Reason.OUTRANKED)


def test_missing_audio_ends_as_missed_with_its_reason(radio: Radio) -> None:
    job = make_job(start=after(1), late_for=10)
    radio.cache.missing[job.asset.sha256] = Reason.NO_AUDIO
    radio.plan(job)
    radio.start()
    radio.run(15)
    assert (radio.outcome("b1").step, radio.outcome("b1").reason) == (Step.MISSED, Reason.NO_AUDIO)


def test_a_job_without_any_audio_such_as_an_old_node_sees_in_a_relay_is_missed(radio: Radio) -> None:
    radio.plan(make_job(start=after(1), late_for=10, asset=None))
    radio.start()
    radio.run(15)
    assert (radio.outcome("b1").step, radio.outcome("b1").reason) == (Step.MISSED, Reason.NO_AUDIO)


def test_what_a_power_cut_swallowed_was_late_and_not_without_audio(radio: Radio) -> None:
    job = make_job(start=after(60), late_for=10)
    radio.plan(job)
    radio.start()
    radio.run(5)
    radio.die()
    radio.hand.turn(3600)
    radio.cache.missing[job.asset.sha256] = Reason.NO_AUDIO  # not looked at again yet
    radio.new_node()
    radio.start()
    assert (radio.outcome("b1").step, radio.outcome("b1").reason) == (Step.MISSED, Reason.LATE)


def test_audio_that_spoilt_on_disk_is_not_sounded_and_the_next_job_is(radio: Radio) -> None:
    bad, good = make_job("b1", after(1), late_for=30), make_job("b2", after(1), asset=make_asset("good"))
    radio.cache.spoilt.add(bad.asset.sha256)
    radio.plan(bad, good)
    radio.start()
    radio.run(40)
    assert [job for job, _, _ in radio.heard] == ["b2"]
    assert (radio.outcome("b1").step, radio.outcome("b1").reason) == (Step.MISSED, Reason.BAD_HASH)


@pytest.mark.parametrize(("reason", "step"), [(Reason.BAD_AUDIO, Step.REFUSED), (Reason.AUDIO_DEVICE, Step.REFUSED)])
def test_a_job_that_the_player_cannot_sound_is_refused(radio: Radio, reason: Reason, step: Step) -> None:
    radio.plan(make_job(start=after(1), late_for=10))
    radio.player.fails = reason
    radio.start()
    radio.run(15)
    assert (radio.outcome("b1").step, radio.outcome("b1").reason) == (step, reason)


def test_a_device_that_comes_back_before_the_deadline_sounds_the_job(radio: Radio) -> None:
    radio.plan(make_job(start=after(1), late_for=30))
    radio.player.fails = Reason.AUDIO_DEVICE
    radio.start()
    radio.run(15)
    radio.player.fails = None
    radio.run(30)
    assert radio.outcome("b1").step is Step.SOUNDED


def test_receipts_wait_for_the_station_and_are_numbered_without_gaps(radio: Radio) -> None:
    radio.broker.down()
    radio.start()
    radio.broker.up()
    radio.acks = False
    radio.plan(*[make_job(f"b{n}", after(-7200 - n)) for n in range(300)])
    radio.run(30, step=1)
    assert len(radio.received) == 600
    assert radio.agent.ledger.waiting() == 600
    radio.acks = True
    radio.run(60, step=1)
    assert radio.agent.ledger.waiting() == 0


def test_without_a_broker_the_held_plan_is_sounded_after_a_restart(radio: Radio) -> None:
    radio.plan(make_job(start=after(30)))
    radio.start()
    radio.run(1)
    radio.die()
    radio.broker.forget()
    radio.broker.down()
    radio.new_node()
    radio.start()
    radio.run(45, step=0.5)
    assert radio.stretches("b1") == [(0, 10_000)]
    radio.broker.up()
    radio.run(1)
    assert radio.outcome("b1").step is Step.SOUNDED


def test_presence_is_online_on_each_connection_offline_by_will_and_clean_at_the_end(radio: Radio) -> None:
    radio.start()
    radio.broker.drop(radio.link)
    radio.broker.restore(radio.link)
    radio.run(0.2)
    radio.agent.stop()
    radio.listen()
    said = [(each.state, each.clean) for each in radio.presence]
    assert said == [(State.ONLINE, False), (State.OFFLINE, False), (State.ONLINE, False), (State.OFFLINE, True)]


def test_health_tells_what_is_held_soon_after_it_changed(radio: Radio) -> None:
    radio.start()
    radio.run(5)
    radio.plan(make_job(start=after(600)))
    radio.run(5)
    health = radio.health[-1]
    assert (health.trust_serial, health.config_serial, health.jobs_ahead, health.audio_ready) == (1, 1, 1, 1)
    assert [(held.area, held.plan, held.urgent) for held in health.held] == [(COMMUNE, 1, 0)]
    before = len(radio.health)
    radio.run(61, step=1)
    assert len(radio.health) == before + 1


def test_a_node_wakes_for_its_health_and_rests_while_nobody_could_hear_it(radio: Radio) -> None:
    radio.start()
    radio.run(30)
    rest = radio.agent.rest_seconds()
    assert 0 < rest <= IDLE.total_seconds()
    radio.plan(make_job(start=after(3600)))
    radio.agent.tick()
    before = len(radio.health)
    assert radio.agent.rest_seconds() <= SPREAD_SECONDS
    radio.run(radio.agent.rest_seconds(), step=60)
    assert len(radio.health) == before + 1
    radio.broker.down()
    radio.run(3600, step=60)
    assert radio.agent.rest_seconds() > 0


def test_a_clean_stop_on_air_goes_on_at_the_next_start(radio: Radio) -> None:
    radio.plan(make_job(start=after(1)))
    radio.start()
    radio.run(5)
    radio.agent.stop()
    radio.hand.turn(60)
    radio.new_node()
    radio.start()
    radio.run(15)
    assert radio.stretches("b1") == [(0, 4000), (4000, 10_000)]
    assert radio.steps("b1") == ["accepted", "started", "resumed", "sounded"]


def test_a_job_cut_by_a_power_cut_past_its_deadline_ends_as_interrupted(radio: Radio) -> None:
    radio.plan(make_job(start=after(1), late_for=60))
    radio.start()
    radio.run(5)
    radio.die()
    radio.hand.turn(600)
    radio.new_node()
    radio.start()
    radio.run(5)
    assert (radio.outcome("b1").step, radio.outcome("b1").reason) == (Step.INTERRUPTED, Reason.LATE)
    measured = radio.outcome("b1").measured
    assert measured
    assert measured.sounded_ms == pytest.approx(4000, abs=200)


def test_a_restart_is_asked_for_once_for_each_value(radio: Radio) -> None:
    radio.start()
    radio.configure(make_config(2, restart_request="r1"))
    radio.run(0.2)
    assert radio.agent.exit_code == RESTART_EXIT
    radio.restart()
    assert radio.agent.exit_code == 0
    radio.configure(make_config(3, restart_request="r1"))
    radio.run(0.2)
    assert radio.agent.exit_code == 0
    radio.configure(make_config(4, restart_request="r2"))
    radio.run(0.2)
    assert radio.agent.exit_code == RESTART_EXIT


def test_a_spoilt_held_file_is_refused_and_removed_and_no_job_is_lost_by_it(radio: Radio, tmp_path: Path) -> None:
    radio.plan(make_job(start=after(30)))
    radio.start()
    radio.run(1)
    radio.die()
    spoilt = tmp_path / "held" / f"{PLAN.topic(area=COMMUNE).replace('/', '~')}.json"
    spoilt.write_bytes(b"{")
    radio.broker.down()
    radio.new_node()
    radio.start()
    assert not spoilt.exists()
    assert radio.agent.refusals.counts == {"malformed": 1}
    radio.run(5)
    radio.broker.up()
    radio.run(60)
    assert radio.outcome("b1").step is Step.SOUNDED


def test_a_spoilt_ledger_is_moved_aside_and_the_radio_goes_on(
    radio: Radio, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    radio.start()
    radio.run(1)
    radio.die()
    for name in ("ledger.sqlite", "ledger.sqlite-wal"):
        (tmp_path / name).write_bytes(b"not a database" * 1000)
    radio.new_node()
    radio.plan(make_job(start=after(3)))
    radio.start()
    radio.run(20)
    assert radio.outcome("b1").step is Step.SOUNDED
    assert radio.health[-1].refusals["ledger_spoilt"] == 1
    assert "ledger_spoilt" in caplog.text


def test_garbage_is_refused_and_the_walk_goes_on(radio: Radio, caplog: pytest.LogCaptureFixture) -> None:
    radio.start()
    with caplog.at_level(logging.WARNING):
        for raw in (b"", b"\xff" * 100, b"[" * 100_000, b"{}", b'{"payloadType":"x","payload":"","signatures":[]}'):
            radio.say((PLAN.topic(area=COMMUNE), raw))
        radio.plan(make_job(start=after(1)))
        radio.run(15)
    assert radio.outcome("b1").step is Step.SOUNDED
    assert radio.agent.refusals.counts == {"malformed": 4}
    assert caplog.text.count("refused reason=malformed") == 1


def test_a_revoked_key_silences_what_it_planned(radio: Radio) -> None:
    radio.plan(make_job(start=after(1)))
    radio.start()
    radio.run(4)
    radio.say(trust_message(make_grant(Signer(b"n" * 32)), serial=2))
    radio.run(1)
    assert radio.stretches("b1") == [(0, 3000)]
    radio.restart()
    radio.run(5)
    assert radio.stretches("b1") == [(0, 3000)]
    assert radio.agent.gate.plans() == []


def test_with_a_full_disk_the_node_sounds_and_reports_later(radio: Radio, monkeypatch: pytest.MonkeyPatch) -> None:
    radio.start()
    radio.run(1)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(disk, "write", full)
        radio.agent.ledger.book.database.execute("PRAGMA max_page_count = 1")
        radio.plan(
            *[make_job(f"b{n}", after(2 + 20 * n), title="x" * 200, asset=make_asset(f"a{n}")) for n in range(9)]
        )
        radio.run(200, step=0.5)
        assert radio.health[-1].refusals["disk_full"] > 0
    assert [job for job, _, _ in radio.heard] == [f"b{n}" for n in range(9)]
    radio.agent.ledger.book.database.execute("PRAGMA max_page_count = 100000")
    radio.run(15)
    assert {radio.outcome(f"b{n}").step for n in range(9)} == {Step.SOUNDED}


class Cut(BaseException):
    """The power is gone."""


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("write", range(1, 60))
def test_a_power_cut_at_any_write_loses_and_repeats_nothing(
    radio: Radio, monkeypatch: pytest.MonkeyPatch, write: int, late: bool
) -> None:
    count = 0

    def counted(original: object, late: bool) -> object:
        def call(*args: object, **named: object) -> object:
            nonlocal count
            count += 1
            if count == write and not late:
                raise Cut
            answer = original(*args, **named)  # type: ignore[operator]
            if count == write and late:
                raise Cut
            return answer

        return call

    monkeypatch.setattr(disk, "write", counted(disk.write, late))
    monkeypatch.setattr(disk.Checkpoint, "save", counted(disk.Checkpoint.save, late))
    monkeypatch.setattr(ledger.Ledger, "flush", counted(ledger.Ledger.flush, late))
    radio.plan(make_job("b1", after(1)), make_job("b2", after(2), asset=make_asset("two", 3000)))
    siren = make_emergency("e1", after(3), asset=make_asset("siren", 2000))
    try:
        radio.start()
        radio.urgent(siren)
        radio.run(30, step=0.5)
        assert write > 30, "the test cuts nothing"
    except Cut:
        radio.restart()
        radio.urgent(siren)
        radio.run(40)
    for job in ("b1", "b2", "e1"):
        assert radio.outcome(job).step is Step.SOUNDED
    for job, length in (("b1", 10_000), ("b2", 3000)):
        assert covered(radio.stretches(job), length)
    assert radio.stretches("e1")[-1] == (0, 2000)


def covered(stretches: list[tuple[int, int]], length: int) -> bool:
    """Everything was heard, in order, and nothing twice but what one checkpoint may repeat."""
    at = 0
    for since, until in stretches:
        if since > at or at - since > 600:
            return False
        at = until
    return length - at <= 300


def test_the_clock_that_jumps_back_for_a_while_repeats_nothing(radio: Radio) -> None:
    radio.plan(make_job(start=after(1)))
    radio.start()
    radio.run(20)
    radio.hand.moment -= timedelta(hours=3)
    radio.run(20)
    radio.hand.moment = T0 + timedelta(minutes=2)
    radio.run(5)
    assert radio.stretches("b1") == [(0, 10_000)]
