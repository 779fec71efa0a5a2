"""The station's walk over a real store and a real voice, tick by tick."""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path

import makers_store as made
import pytest
from makers_station import Radio, furnished, online

from controller.desk import Desk, Wish
from controller.rights import Role
from controller.store import Store
from controller.store.lexicon import Reading
from controller.store.rows import Announced, VoiceState
from controller.studio import Trouble, VoiceError
from controller.studio.espeak_voice import EspeakVoice
from wire import topics
from wire.link import Message
from wire.plan import BulletinClass
from wire.receipt import Ack, Step

NOW = made.NOW
SECOND = timedelta(seconds=1)


class MoodyVoice:
    """A real voice that fails first, as often and in the way it is told to."""

    name = "moody"

    def __init__(self, *failures: Trouble) -> None:
        self.failures, self.asked = list(failures), 0
        self._voice = EspeakVoice()

    def why_not(self) -> VoiceError | None:
        return None

    def speak(self, text: str, work_dir: Path) -> Path:
        self.asked += 1
        if self.failures:
            raise VoiceError(self.failures.pop(0), "studio.nothing_to_say")
        return self._voice.speak(text, work_dir)


def announce(radio: Radio, text: str = "Xin chào.", **rest: object) -> Announced:
    """A wish of the approver, at the desk, for the commune."""
    desk = Desk(radio.store, radio.settings.zone, lambda: None)
    wish = Wish(text, (made.COMMUNE,), **rest)  # type: ignore[arg-type]
    return desk.announce(wish, made.user("hoa", Role.APPROVER), NOW)


@pytest.fixture
def radio(store: Store, tmp_path: Path) -> Radio:
    return furnished(store, tmp_path)


def test_a_text_becomes_a_job_that_a_node_may_sound(radio: Radio) -> None:
    made_ = announce(radio, "Sáng 28/11, tiêm phòng cho trẻ dưới 5 tuổi.")
    assert radio.station.voice(NOW) == 1
    radio.station.plan(NOW + SECOND)
    job = radio.jobs(now=NOW + SECOND)[str(made_.booking_id)]
    assert job.start == NOW + SECOND + timedelta(seconds=radio.settings.now_lead_seconds)
    assert "hai mươi tám tháng mười một" in job.spoken
    assert job.asset
    assert radio.studio._shelf.find(job.asset.sha256)
    kept = radio.store.assets.get(job.asset.sha256)
    assert kept
    assert (kept.duration_ms, kept.voice) == (job.asset.duration_ms, "espeak")
    held = radio.store.announcements.get(made_.announcement_id)
    assert held
    assert any(each["written"].startswith("28/11") for each in held.spoken_rewrites)


def test_a_place_says_its_own_words_its_own_way(radio: Radio) -> None:
    radio.store.lexicon.teach(Reading("*", "TDP", "tổ dân phố", "u-hoa", NOW), 10)
    told = announce(radio, "Họp TDP số 3.")
    assert radio.station.voice(NOW) == 1
    held = radio.store.announcements.get(told.announcement_id)
    assert held
    assert held.spoken == "Họp tổ dân phố số ba."


def test_an_emergency_is_voiced_in_its_own_tick_and_begins_at_once(radio: Radio) -> None:
    announce(radio, "Bản tin thường.")
    urgent = announce(radio, "Lũ quét, sơ tán ngay!", bulletin_class=BulletinClass.EMERGENCY)
    assert radio.station.voice_emergencies(NOW) == 1
    radio.station.plan(NOW + SECOND)
    (job,) = radio.jobs(now=NOW + SECOND).values()
    assert (job.id, job.start) == (urgent.booking_id, NOW + SECOND)
    assert radio.station.voice(NOW) == 1
    assert radio.station.voice_emergencies(NOW) == radio.station.voice(NOW) == 0


def test_a_failure_that_may_pass_is_tried_again_later_and_later_then_a_person_must_look(
    store: Store, tmp_path: Path
) -> None:
    voice = MoodyVoice(*[Trouble.TEMPORARY] * 6)
    radio = furnished(store, tmp_path, voices=(voice,))
    announced = announce(radio)
    now = NOW
    for pause in (2, 5, 15, 60, 300):
        assert radio.station.voice(now) == 0
        assert radio.station.voice(now + timedelta(seconds=pause - 1)) == 0
        now += timedelta(seconds=pause)
    assert voice.asked == 5
    assert radio.station.voice(now) == 0
    held = store.announcements.get(announced.announcement_id)
    assert held
    assert held.voice_state is VoiceState.FAILED
    assert held.voice_error
    store.announcements.voice_again(held.id)
    assert radio.station.voice(now + SECOND) == 1


def test_a_failure_that_will_not_pass_is_told_at_once(store: Store, tmp_path: Path) -> None:
    radio = furnished(store, tmp_path, voices=(MoodyVoice(Trouble.BAD_TEXT),))
    announced = announce(radio)
    assert radio.station.voice(NOW) == 0
    held = store.announcements.get(announced.announcement_id)
    assert held
    assert held.voice_state is VoiceState.FAILED


def test_a_voice_that_was_passed_over_is_named_to_the_author(store: Store, tmp_path: Path) -> None:
    radio = furnished(store, tmp_path, voices=(MoodyVoice(Trouble.QUOTA), EspeakVoice()))
    announced = announce(radio)
    assert radio.station.voice(NOW) == 1
    held = store.announcements.get(announced.announcement_id)
    assert held
    assert held.voice_state is VoiceState.DONE
    assert held.voice_error
    assert held.voice_error.key == "studio.nothing_to_say"


def test_one_bad_text_keeps_nobody_else_waiting(store: Store, tmp_path: Path) -> None:
    radio = furnished(store, tmp_path, voices=(MoodyVoice(Trouble.TEMPORARY),))
    announce(radio, "Một.")
    second = announce(radio, "Hai.")
    assert [radio.station.voice(NOW), radio.station.voice(NOW)] == [0, 1]
    held = store.announcements.get(second.announcement_id)
    assert held
    assert held.voice_state is VoiceState.DONE


def test_a_text_that_changes_while_it_is_voiced_is_voiced_anew(radio: Radio, monkeypatch: pytest.MonkeyPatch) -> None:
    from controller.desk import Draft

    desk = Desk(radio.store, radio.settings.zone, lambda: None)
    lan = made.user("lan")
    drafted = desk.announce(Wish("Cũ.", draft=True), lan, NOW)
    make = radio.studio.make

    def edits_meanwhile(*arguments: object) -> object:
        monkeypatch.undo()
        desk.edit(drafted.announcement_id, 1, Draft("Mới."), lan, NOW)
        return make(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(radio.studio, "make", edits_meanwhile)
    assert radio.station.voice(NOW) == 0
    held = radio.store.announcements.get(drafted.announcement_id)
    assert held
    assert held.asset is None
    assert radio.station.voice(NOW) == 1


def test_what_is_booked_for_a_time_keeps_it_and_withdrawing_takes_it_out(radio: Radio) -> None:
    announced = announce(radio, start=NOW + timedelta(hours=2))
    radio.station.voice(NOW)
    radio.station.plan(NOW + SECOND)
    (job,) = radio.jobs(now=NOW + SECOND).values()
    assert job.start == NOW + timedelta(hours=2)
    radio.store.bookings.withdraw(str(announced.booking_id))
    radio.station.plan(NOW + 2 * SECOND)
    assert radio.jobs(now=NOW + 2 * SECOND) == {}


def test_nothing_unapproved_is_in_the_air(radio: Radio) -> None:
    desk = Desk(radio.store, radio.settings.zone, lambda: None)
    desk.announce(Wish("Chờ duyệt.", (made.COMMUNE,)), made.user("lan"), NOW)
    assert radio.station.voice(NOW) == 1  # so that it can be heard before it is approved
    radio.station.plan(NOW + SECOND)
    assert radio.jobs(now=NOW + SECOND) == {}


def test_the_plan_looks_again_every_minute_without_any_wish(radio: Radio) -> None:
    far = NOW + timedelta(days=14, seconds=30)
    made.on_the_air(radio.store, start=far)
    radio.station.plan(NOW)
    assert radio.jobs() == {}
    radio.station.plan(NOW + timedelta(seconds=30))
    assert radio.jobs(now=NOW + timedelta(seconds=30)) == {}
    radio.station.plan(NOW + timedelta(seconds=61))
    assert set(radio.jobs(now=NOW + timedelta(seconds=61))) == {"b1"}


def test_receipts_are_stored_and_acknowledged_and_only_under_the_nodes_own_seal(radio: Radio) -> None:
    good = made.sealed(made.batch(made.receipt(1), made.receipt(2, step=Step.SOUNDED)))
    forged = made.sealed(made.batch(made.receipt(1), node="loa-2"), by=made.signer("loa-1"))
    for message in (good, forged):
        radio.broker.publish(message)
    assert radio.station.hear(NOW) == 2
    assert [each.node for each in radio.store.asrun.outcomes()] == ["loa-1"]
    assert topics.ACKS.topic(node="loa-2") not in radio.broker.retained
    ack = radio.gate().admit(topics.ACKS.topic(node="loa-1"), radio.broker.retained["radio/v1/nodes/loa-1/acks"], NOW)
    assert getattr(ack, "document", None) == Ack("loa-1", "s1", 2, NOW)


def test_a_node_enrolled_while_the_station_runs_is_known_and_configured(radio: Radio) -> None:
    batch = made.sealed(made.batch(made.receipt(1), node="loa-9"))
    radio.broker.publish(batch)
    radio.station.hear(NOW)
    assert radio.store.asrun.upto("loa-9", "s1") == 0
    radio.store.roster.add_node(made.node("loa-9"))
    radio.station.enrol(NOW + SECOND)
    radio.broker.publish(batch)
    radio.station.hear(NOW + SECOND)
    assert radio.store.asrun.upto("loa-9", "s1") == 1
    assert radio.gate("loa-9", NOW + SECOND).config


def test_hostile_messages_are_refused_counted_and_harm_nothing(radio: Radio, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    deep = b"[" * 100_000 + b"]" * 100_000
    huge = b"x" * (topics.RECEIPTS.most_bytes + 1)
    for payload in (b"", b"\xff\xfe", b"{}", b'{"node": 7}', deep, huge):
        for line in (topics.PRESENCE, topics.HEALTH, topics.RECEIPTS):
            radio.broker.publish(Message(line.topic(node="loa-1"), payload))
    radio.broker.publish(made.said(made.health("loa-2"), topic_of="loa-1"))
    online(radio, radio.gate(), "loa-1", NOW)
    radio.station.hear(NOW)
    reasons = {each.reason for each in radio.store.refusals.all()}
    assert reasons >= {"malformed", "too_big", "wrong_area"}
    condition = radio.store.health.condition("loa-1")
    assert condition
    assert condition.online


def test_a_store_that_cannot_write_loses_no_receipt(radio: Radio, monkeypatch: pytest.MonkeyPatch) -> None:
    from controller.store import StoreError

    batch = made.sealed(made.batch(made.receipt(1)))

    def full(*_: object) -> None:
        raise StoreError("store.full", detail="no room")

    monkeypatch.setattr(radio.store.asrun, "store_batches", full)
    radio.broker.publish(batch)
    with pytest.raises(StoreError):
        radio.station.hear(NOW)
    assert topics.ACKS.topic(node="loa-1") not in radio.broker.retained
    monkeypatch.undo()
    radio.broker.publish(batch)  # the node says it again, for nobody acknowledged it
    radio.station.hear(NOW + SECOND)
    assert radio.store.asrun.upto("loa-1", "s1") == 1
