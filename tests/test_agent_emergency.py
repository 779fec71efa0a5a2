"""The whole node in an emergency whose audio is not there: by a hand-turned clock, espeak-ng being the real one."""

from __future__ import annotations

from pathlib import Path

import pytest
from makers_emergency import TEXT, spoken_emergency
from makers_node import after, make_asset, make_config, make_emergency, make_job
from makers_radio import Radio, changed

from edge_node import stand_in
from edge_node.own_voice import NoVoice, OwnVoice
from schedules.standing_in import siren_name, spoken_name
from wire.errors import Reason
from wire.receipt import Step

SIREN = make_asset("siren", 10_000)
VOICED = make_asset("voiced", 20_000)


@pytest.fixture
def radio(tmp_path: Path) -> Radio:
    made = Radio(tmp_path)
    made.durations[SIREN.sha256] = SIREN.duration_ms
    made.configure(make_config(serial=2, standby=(SIREN,), siren=SIREN.sha256))
    return made


@pytest.fixture
def mute(monkeypatch: pytest.MonkeyPatch) -> None:
    """The node has no espeak-ng."""
    monkeypatch.setattr(OwnVoice, "works", False)


def settled(radio: Radio, seconds: float) -> None:
    """Time passes, and the node's own voice keeps up with it."""
    for _ in range(round(seconds / 0.5)):
        radio.run(0.5)
        radio.agent._stand_ins.close()
    radio.run(0)


def test_a_text_without_audio_is_spoken_after_a_short_patience(radio: Radio) -> None:
    job = spoken_emergency(start=after(0))
    radio.urgent(job)
    radio.start()
    settled(radio, 2)
    assert radio.steps("e1") == ["accepted"]
    settled(radio, 60)
    assert radio.steps("e1") == ["accepted", "started", "sounded"]
    outcome = radio.outcome("e1")
    assert (outcome.asset, outcome.detail, outcome.reason) == (spoken_name(job), "spoken by the node", "")
    assert outcome.measured
    assert outcome.measured.skew_ms == pytest.approx(3000, abs=600)
    assert outcome.measured.sounded_ms > 8_000
    assert list((radio.folder / "spoken").iterdir()) == []


def test_audio_that_comes_in_time_is_preferred_and_sounds_alone(radio: Radio) -> None:
    radio.urgent(spoken_emergency())
    radio.start()
    settled(radio, 2)
    radio.urgent(spoken_emergency(asset=VOICED))
    settled(radio, 40)
    assert radio.heard == [("e1", 0, 20_000)]
    assert radio.outcome("e1").asset == VOICED.sha256
    assert radio.steps("e1") == ["accepted", "accepted", "started", "sounded"]


def test_audio_that_comes_while_the_node_speaks_does_not_sound_again(radio: Radio) -> None:
    radio.urgent(spoken_emergency())
    radio.start()
    settled(radio, 5)
    assert radio.agent._on_air
    radio.urgent(spoken_emergency(asset=VOICED))
    settled(radio, 90)
    assert len(radio.heard) == 1
    assert radio.outcome("e1").asset == spoken_name(spoken_emergency())


def test_while_bytes_come_the_node_waits_a_little_longer(radio: Radio) -> None:
    radio.cache.missing[VOICED.sha256] = Reason.NO_AUDIO
    radio.urgent(spoken_emergency(asset=VOICED))
    radio.start()
    for second in range(14):
        radio.cache.came[VOICED.sha256] = second * 10_000
        settled(radio, 0.5)
    assert radio.agent._on_air is None
    del radio.cache.missing[VOICED.sha256]
    settled(radio, 30)
    assert radio.heard == [("e1", 0, 20_000)]


def test_and_not_for_ever(radio: Radio) -> None:
    radio.cache.missing[VOICED.sha256] = Reason.NO_AUDIO
    radio.urgent(spoken_emergency(asset=VOICED))
    radio.start()
    for second in range(120):
        radio.cache.came[VOICED.sha256] = second * 100
        settled(radio, 0.5)
    outcome = radio.outcome("e1")
    assert (outcome.step, outcome.asset) == (Step.SOUNDED, spoken_name(spoken_emergency()))
    assert outcome.measured
    assert outcome.measured.skew_ms == pytest.approx(stand_in.MOST_SECONDS * 1000, abs=600)


def test_a_failed_fetch_ends_the_patience_at_once_and_the_words_are_ready_on_the_second(radio: Radio) -> None:
    radio.cache.missing[VOICED.sha256] = Reason.BAD_HASH
    radio.urgent(spoken_emergency(start=after(20), asset=VOICED))
    radio.start()
    settled(radio, 80)
    outcome = radio.outcome("e1")
    assert (outcome.step, outcome.asset) == (Step.SOUNDED, spoken_name(spoken_emergency()))
    assert outcome.measured
    assert 0 <= outcome.measured.skew_ms <= 600


@pytest.mark.usefixtures("mute")
def test_without_a_voice_the_siren_sounds_once_and_the_words_come_when_they_come(radio: Radio) -> None:
    radio.cache.missing[VOICED.sha256] = Reason.NO_AUDIO
    radio.urgent(spoken_emergency(asset=VOICED))
    radio.start()
    settled(radio, 60)
    assert radio.heard == [("e1", 0, 10_000)]
    assert radio.steps("e1") == ["accepted", "started", "paused"]
    (paused,) = [each for each in radio.received.values() if each.step is Step.PAUSED]
    assert (paused.reason, paused.detail) == ("no_voice", "the siren alone")
    assert paused.asset == siren_name(spoken_emergency())
    radio.restart()
    del radio.cache.missing[VOICED.sha256]
    settled(radio, 40)
    assert radio.heard == [("e1", 0, 10_000), ("e1", 0, 20_000)]
    assert radio.steps("e1") == ["accepted", "started", "paused", "resumed", "sounded"]
    assert radio.outcome("e1").asset == VOICED.sha256


@pytest.mark.usefixtures("mute")
def test_a_siren_whose_words_never_come_is_no_broadcast_that_sounded(radio: Radio) -> None:
    radio.urgent(spoken_emergency(late_for=30))
    radio.start()
    settled(radio, 45)
    assert radio.heard == [("e1", 0, 10_000)]
    outcome = radio.outcome("e1")
    assert (outcome.step, outcome.reason) == (Step.INTERRUPTED, Reason.NO_VOICE)
    assert outcome.measured
    assert outcome.measured.sounded_ms == 10_000


@pytest.mark.usefixtures("mute")
def test_without_voice_and_siren_the_outcome_names_it(radio: Radio) -> None:
    radio.configure(make_config(serial=3))
    radio.urgent(spoken_emergency(late_for=30))
    radio.start()
    settled(radio, 45)
    assert radio.heard == []
    assert (radio.outcome("e1").step, radio.outcome("e1").reason) == (Step.MISSED, Reason.NO_VOICE)


@pytest.mark.usefixtures("mute")
def test_a_drill_has_no_siren(radio: Radio) -> None:
    radio.urgent(spoken_emergency(drill=True, late_for=30))
    radio.start()
    settled(radio, 45)
    assert radio.heard == []
    assert radio.outcome("e1").step is Step.MISSED


def test_what_has_no_words_and_what_is_no_emergency_waits_for_its_audio(radio: Radio) -> None:
    radio.cache.missing[VOICED.sha256] = Reason.NO_AUDIO
    radio.urgent(make_emergency("e2", asset=VOICED, late_for=30))
    radio.plan(
        make_job("b1", asset=VOICED, spoken=TEXT, late_for=30), make_job("b2", asset=None, spoken=TEXT, late_for=30)
    )
    radio.start()
    settled(radio, 45)
    assert radio.heard == []
    assert {radio.outcome(name).reason for name in ("e2", "b1", "b2")} == {Reason.NO_AUDIO}


def test_a_full_disk_leaves_the_siren(radio: Radio, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(OwnVoice, "speak", full)
    radio.urgent(spoken_emergency(late_for=30))
    radio.start()
    settled(radio, 45)
    assert radio.heard == [("e1", 0, 10_000)]
    assert (radio.outcome("e1").step, radio.outcome("e1").reason) == (Step.INTERRUPTED, Reason.DISK_FULL)


def test_a_voice_that_comes_back_speaks_after_the_siren(radio: Radio, monkeypatch: pytest.MonkeyPatch) -> None:
    speak, failed = OwnVoice.speak, []

    def once(self: OwnVoice, text: str, target: Path) -> None:
        if not failed:
            failed.append(text)
            raise NoVoice("not now")
        speak(self, text, target)

    monkeypatch.setattr(OwnVoice, "speak", once)
    radio.urgent(spoken_emergency())
    radio.start()
    settled(radio, 90)
    assert radio.steps("e1") == ["accepted", "started", "paused", "resumed", "sounded"]
    assert radio.outcome("e1").asset == spoken_name(spoken_emergency())


def test_a_killed_node_starts_over_and_says_it_once(radio: Radio) -> None:
    radio.urgent(spoken_emergency())
    radio.start()
    settled(radio, 6)
    radio.restart()
    settled(radio, 60)
    assert [since for since, _ in radio.stretches("e1")] == [0, 0]
    assert radio.steps("e1") == ["accepted", "started", "resumed", "sounded"]
    assert radio.outcome("e1").detail == "spoken by the node"


def test_a_killed_node_uses_audio_that_has_come_meanwhile(radio: Radio) -> None:
    radio.urgent(spoken_emergency())
    radio.start()
    settled(radio, 6)
    radio.urgent(spoken_emergency(asset=VOICED))
    radio.restart()
    settled(radio, 60)
    assert radio.outcome("e1").asset == VOICED.sha256
    assert radio.heard[-1] == ("e1", 0, 20_000)


def test_a_withdrawn_text_is_not_spoken_to_its_end(radio: Radio) -> None:
    radio.urgent(spoken_emergency())
    radio.start()
    settled(radio, 5)
    radio.urgent()
    settled(radio, 5)
    assert radio.outcome("e1").step is Step.WITHDRAWN
    assert radio.agent._on_air is None


def test_with_the_time_unknown_an_emergency_is_spoken_all_the_same(
    radio: Radio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(radio.agent._clock, "known", lambda: False)
    radio.urgent(spoken_emergency(start=after(-60)))
    radio.start()
    settled(radio, 60)
    assert radio.outcome("e1").detail == "spoken by the node"


def test_an_emergency_that_is_spoken_cuts_into_what_sounds(radio: Radio) -> None:
    radio.plan(make_job(start=after(1), asset=make_asset("item", 60_000)))
    radio.start()
    settled(radio, 5)
    radio.urgent(spoken_emergency(start=after(5)))
    settled(radio, 120)
    assert [name for name, _, _ in radio.heard] == ["b1", "e1", "b1"]
    assert radio.outcome("b1").step is Step.SOUNDED


def test_the_siren_is_fetched_before_the_days_audio(radio: Radio) -> None:
    item = make_job(asset=make_asset("item"))
    radio.plan(item)
    radio.urgent(make_emergency(start=after(600), asset=VOICED))
    radio.start()
    assert radio.cache.wanted[:3] == [VOICED.sha256, SIREN.sha256, item.asset.sha256]  # type: ignore[union-attr]


def test_an_edited_text_is_spoken_as_it_says_now(radio: Radio) -> None:
    radio.urgent(spoken_emergency(start=after(10)))
    radio.start()
    settled(radio, 3)
    newer = changed(spoken_emergency(start=after(10)), spoken=f"{TEXT} Tất cả lên nhà văn hóa.")
    radio.urgent(newer)
    settled(radio, 90)
    assert radio.outcome("e1").asset == spoken_name(newer)
