"""What the station keeps on its nodes before it is needed: siren, prepared announcements; and words before sound."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import makers_store as made
import pytest
from makers_station import Radio, furnished
from makers_store import COMMUNE, HAMLET, NOW, PROVINCE

from controller.configs import MOST_STANDBY, Standby
from controller.desk import Desk, Wish
from controller.rights import Role
from controller.store import Store
from controller.store.rows import Announced, AnnouncementState, VoiceState
from controller.store.standby import KeptRow
from controller.studio import Shelf, Studio, Style, Trouble, VoiceError, make_chain
from schedules.booking import Booking
from wire import topics
from wire.config import NodeConfig
from wire.plan import Asset, BulletinClass, Job

SECOND = timedelta(seconds=1)
TEXT = "Khẩn cấp: lũ quét đang về, bà con lên nhà văn hóa."


class Broken:
    """A voice that never speaks, and says what the plan held while it was asked."""

    name = "broken"

    def __init__(self) -> None:
        self.during: list[Job] = []
        self.radio: Radio | None = None

    def why_not(self) -> VoiceError | None:
        return None

    def speak(self, text: str, work_dir: Path) -> Path:
        if self.radio:
            self.radio.station.plan(NOW + SECOND)
            self.during += self.radio.jobs(now=NOW + SECOND).values()
        raise VoiceError(Trouble.REFUSED, "studio.nothing_to_say")


@pytest.fixture
def radio(store: Store, tmp_path: Path) -> Radio:
    return furnished(store, tmp_path)


def config(radio: Radio, node: str = "loa-1") -> NodeConfig:
    held = radio.gate(node).config
    assert held
    return held


def warn(radio: Radio, **rest: object) -> Announced:
    desk = Desk(radio.store, radio.settings.zone, lambda: None)
    wish = Wish(TEXT, (COMMUNE,), bulletin_class=BulletinClass.EMERGENCY, **rest)  # type: ignore[arg-type]
    return desk.announce(wish, made.user("hoa", Role.APPROVER), NOW)


def published(radio: Radio, nodes: Iterable[str] = ("loa-1", "loa-2", "loa-3")) -> list[str]:
    """The configs that went out since the last look."""
    mine = {topics.CONFIG.topic(node=node) for node in nodes}
    found = [each for each in radio.link.published if each in mine]
    radio.link.published.clear()
    return found


# --- the siren ------------------------------------------------------------------------------------------------


def test_the_siren_is_the_same_bytes_wherever_it_is_made(tmp_path: Path) -> None:
    made_ = [
        Studio(Shelf(tmp_path / name), make_chain(("espeak",)), tmp_path / f"{name}-work").make_siren()
        for name in ("a", "b")
    ]
    assert made_[0].sha256 == made_[1].sha256 == hashlib.sha256(made_[0].path.read_bytes()).hexdigest()
    assert 9_500 < made_[0].duration_ms < 12_000
    assert made_[0].lufs == pytest.approx(-16.0, abs=0.5)
    assert made_[0].peak_dbtp <= -1.0


def test_every_node_is_told_of_the_siren_once_and_a_restart_says_nothing_new(radio: Radio) -> None:
    assert config(radio).siren is None
    published(radio)
    assert radio.station.stand_by(NOW)
    radio.station.enrol(NOW)
    assert len(published(radio)) == 3
    held = config(radio)
    assert [each.sha256 for each in held.standby] == [held.siren]
    assert radio.studio.has(str(held.siren))
    assert not radio.station.stand_by(NOW)
    again = radio.restarted()
    again.station.start(NOW + SECOND)
    assert not again.station.stand_by(NOW + SECOND)
    again.station.enrol(NOW + SECOND)
    assert config(again).serial == held.serial


def test_another_recipe_makes_another_siren_and_tells_every_node_once(radio: Radio, tmp_path: Path) -> None:
    radio.station.stand_by(NOW)
    radio.station.enrol(NOW)
    before = config(radio).siren
    radio.studio._style = Style(lead_in_ms=0)
    published(radio)
    assert radio.station.stand_by(NOW + SECOND)
    radio.station.enrol(NOW + SECOND)
    assert len(published(radio)) == 3
    assert config(radio).siren not in (None, before)


def test_a_siren_that_is_gone_from_the_shelf_is_made_again(radio: Radio) -> None:
    radio.station.stand_by(NOW)
    held = radio.store.standby.siren()
    assert held
    radio.studio._shelf.path(held.asset).unlink()
    assert radio.station.stand_by(NOW)
    assert radio.studio.has(held.asset)
    assert radio.store.standby.siren() == held


def test_a_station_without_ffmpeg_says_so_once_and_goes_on(
    radio: Radio, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with caplog.at_level(logging.WARNING, "controller.siren"):
        assert not radio.station.stand_by(NOW)
        assert not radio.station.stand_by(NOW)
    assert sum(each.name == "controller.siren" for each in caplog.records) == 1
    assert "ffmpeg" in caplog.text
    assert radio.store.standby.siren() is None


# --- what is kept ready ---------------------------------------------------------------------------------------


def test_what_is_kept_for_an_area_lies_on_its_nodes_and_no_others(radio: Radio) -> None:
    made.on_the_air(radio.store)
    radio.store.standby.keep(KeptRow(HAMLET, "a1", "u-hoa", NOW))
    radio.station.enrol(NOW)
    assert [each.sha256 for each in config(radio).standby] == [made.SHA]
    assert config(radio).siren is None
    assert config(radio, "loa-3").standby == ()
    held = radio.store.announcements.get("a1")
    assert held
    radio.store.announcements.update(made.announcement(1, state=AnnouncementState.WITHDRAWN), held.version)
    radio.station.enrol(NOW + SECOND)
    assert config(radio).standby == ()


def test_a_config_holds_the_siren_and_the_nearest_and_no_more_than_it_can() -> None:
    def assets(name: str, count: int) -> tuple[Asset, ...]:
        return tuple(
            Asset(f"{name}{number:0>3}".encode().hex().ljust(64, "0"), 1, 1, "a", "b") for number in range(count)
        )

    siren, near, far = assets("s", 1)[0], assets("n", 12), assets("f", 12)
    kept = Standby(siren, {PROVINCE: far, HAMLET: near}).of(made.node())
    assert len(kept) == MOST_STANDBY
    assert kept == (siren, *near, *far[:7])
    assert Standby(None, {PROVINCE: near, HAMLET: near}).of(made.node()) == near


# --- words before sound ---------------------------------------------------------------------------------------


def test_an_emergency_is_planned_as_words_while_its_voice_is_still_at_work(store: Store, tmp_path: Path) -> None:
    voice = Broken()
    radio = voice.radio = furnished(store, tmp_path, voices=(voice,))
    made_ = warn(radio)
    assert radio.station.voice_emergencies(NOW) == 0
    (job,) = voice.during
    assert (job.id, job.asset, job.start) == (made_.booking_id, None, NOW + SECOND)
    assert "lũ quét đang về" in job.spoken
    held = radio.store.announcements.get(made_.announcement_id)
    assert held
    assert held.voice_state is VoiceState.FAILED
    radio.station.plan(NOW + 2 * SECOND)
    assert list(radio.jobs(now=NOW + 2 * SECOND).values()) == [job]


def test_the_audio_comes_by_an_edit_of_the_same_job(radio: Radio) -> None:
    made_ = warn(radio)
    held = radio.store.announcements.get(made_.announcement_id)
    assert held
    radio.station._put_into_words([held])
    radio.station.plan(NOW)
    words = radio.jobs()[str(made_.booking_id)]
    assert radio.station.voice_emergencies(NOW + SECOND) == 1
    radio.station.plan(NOW + SECOND)
    voiced = radio.jobs(now=NOW + SECOND)[str(made_.booking_id)]
    assert (words.asset, words.start, words.spoken) == (None, voiced.start, voiced.spoken)
    assert voiced.asset


@pytest.mark.parametrize("rest", [{"bulletin_class": BulletinClass.ORDINARY}, {"state": AnnouncementState.SUBMITTED}])
def test_only_an_approved_emergency_is_planned_as_words(radio: Radio, rest: dict[str, object]) -> None:
    approved = {"state": AnnouncementState.APPROVED, "bulletin_class": BulletinClass.EMERGENCY}
    facts = {**approved, "spoken": TEXT, **rest}
    bulletin_class = facts["bulletin_class"]
    row = made.booking(bulletin_class=bulletin_class)
    radio.store.announcements.create(made.announcement(**facts), row)
    assert radio.store.bookings.to_plan(NOW) == []
    radio.store.announcements.create(
        made.announcement(
            2, **{**facts, "state": AnnouncementState.APPROVED, "bulletin_class": BulletinClass.EMERGENCY}
        ),
        made.booking(2, bulletin_class=BulletinClass.EMERGENCY),
    )
    (planned,) = radio.store.bookings.to_plan(NOW)
    assert isinstance(planned, Booking)
    assert (planned.id, planned.asset, planned.spoken) == ("b2", None, TEXT)


def test_a_message_of_six_hundred_bytes_is_enough_to_warn_a_village(radio: Radio) -> None:
    made_ = warn(radio)
    held = radio.store.announcements.get(made_.announcement_id)
    assert held
    radio.station._put_into_words([held])
    radio.station.plan(NOW)
    assert len(radio.broker.retained[topics.URGENT.topic(area=COMMUNE)]) <= 600
