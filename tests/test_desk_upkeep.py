"""Upkeep at the desk: volumes, maintenance that ends by itself, and the tone that tries one loudspeaker."""

from __future__ import annotations

import wave
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from makers_store import NOW, OTHER_COMMUNE, SHA, Bell, furnish, refused, user

from controller import configs
from controller.desk import Desk
from controller.desk.upkeep import LONGEST_MAINTENANCE, MOST_BANDS
from controller.rights import Role
from controller.roster import Maintenance
from controller.settings import Settings
from controller.store import Store
from controller.store.rows import Act, AnnouncementState, VoiceState
from controller.studio import Kept, try_tone
from wire.config import QuietHours, VolumeBand
from wire.names import AssetId

HOUR = timedelta(hours=1)
NIGHT = NOW + timedelta(hours=12)  # 22:00 in Việt Nam
OPERATOR, EDITOR = user("ky-thuat", Role.OPERATOR), user()
ELSEWHERE = user("ky-thuat", Role.OPERATOR, OTHER_COMMUNE)
TONE = Kept(AssetId(SHA), 60_000, 2800, -20.0, "vi")
BANDS = (VolumeBand("06:00", -6.0), VolumeBand("19:00", -12.0))


@pytest.fixture
def bell() -> Bell:
    return Bell()


@pytest.fixture
def desk(store: Store, bell: Bell) -> Desk:
    furnish(store)
    store.people.add(OPERATOR, Act("quan-tri", "added user", OPERATOR.id, "", NOW))
    return Desk(store, "Asia/Ho_Chi_Minh", bell)


def the_node(store: Store):  # type: ignore[no-untyped-def]
    found = store.roster.node("loa-1")
    assert found
    return found


def test_maintenance_has_a_reason_and_an_end_and_is_over_by_itself(store: Store, desk: Desk, bell: Bell) -> None:
    desk.maintain("loa-1", "  thay   ắc quy ", NOW + 2 * HOUR, OPERATOR, NOW)
    held = the_node(store)
    assert (held.maintenance, held.maintenance_until) == (True, NOW + 2 * HOUR)
    assert (held.maintenance_reason, held.maintenance_by) == ("thay ắc quy", "ky-thuat")
    desk.maintain("loa-1", "chờ linh kiện", NOW + 3 * HOUR, OPERATOR, NOW)
    wishes = store.changed()
    assert store.roster.end_maintenance(NOW + 2 * HOUR, "station") == []
    assert store.changed() == wishes  # looking changes nothing
    assert store.roster.end_maintenance(NOW + 3 * HOUR, "station") == ["loa-1"]
    over = the_node(store)
    assert (over.maintenance, over.maintenance_until, over.maintenance_reason, over.maintenance_by) == (
        *(False, None),
        *("", ""),
    )
    assert store.changed() != wishes  # so that the node is told
    assert [act.what for act in store.acts.recent(limit=3)] == ["maintenance over", *["began maintenance"] * 2]
    assert bell.rings == 2


def test_maintenance_without_an_end_is_not_ended_by_the_tick(store: Store, desk: Desk) -> None:
    store.roster.add_node(replace(the_node(store), maintenance=True))
    assert store.roster.end_maintenance(NOW + timedelta(days=900), "station") == []
    desk.end_maintenance("loa-1", OPERATOR, NOW)
    assert not the_node(store).maintenance
    before = store.acts.head()
    desk.end_maintenance("loa-1", OPERATOR, NOW)
    assert store.acts.head() == before


def test_maintenance_that_makes_no_sense_is_refused(store: Store, desk: Desk) -> None:
    for reason, until, key in (
        ("", NOW + HOUR, "no_maintenance_reason"),
        (" \n\t ", NOW + HOUR, "no_maintenance_reason"),
        ("a\x00b", NOW + HOUR, "no_maintenance_reason"),
        ("sửa", None, "bad_maintenance_end"),
        ("sửa", NOW, "bad_maintenance_end"),
        ("sửa", NOW + LONGEST_MAINTENANCE + HOUR, "bad_maintenance_end"),
    ):
        assert refused(desk.maintain, "loa-1", reason, until, OPERATOR, NOW) == key
    assert not the_node(store).maintenance


def test_the_days_after_its_end_are_told_as_days_without_maintenance(store: Store, desk: Desk, tmp_path: Path) -> None:
    node = desk.maintain("loa-1", "sửa", NOW + HOUR, OPERATOR, NOW)
    told = [configs.wanted_config(node, Settings(tmp_path), {}, date(2026, 11, day)) for day in (24, 25)]
    assert [each.maintenance for each in told] == [True, False]
    endless = replace(node, maintenance_until=None)
    assert configs.wanted_config(endless, Settings(tmp_path), {}, date(2027, 1, 1)).maintenance


def test_volumes_are_kept_in_the_order_of_the_day(store: Store, desk: Desk) -> None:
    desk.set_volumes("loa-1", BANDS[::-1], OPERATOR, NOW)
    assert the_node(store).volumes == BANDS
    assert store.acts.recent(limit=1)[0].detail == "06:00/-6dB 19:00/-12dB"
    desk.set_volumes("loa-1", (), OPERATOR, NOW)
    assert the_node(store).volumes == ()


def test_volumes_that_no_node_could_keep_are_refused(desk: Desk) -> None:
    for bands, key in (
        ((VolumeBand("6:00", -6.0),), "bad_band_time"),
        ((VolumeBand("24:00", -6.0),), "bad_band_time"),
        ((VolumeBand("06:00\n", -6.0),), "bad_band_time"),
        ((VolumeBand("06:00", 0.5),), "bad_band_volume"),
        ((VolumeBand("06:00", float("nan")),), "bad_band_volume"),
        ((VolumeBand("06:00", -61.0),), "bad_band_volume"),
        ((VolumeBand("06:00", -6.0), VolumeBand("06:00", -9.0)), "band_twice"),
        (tuple(VolumeBand(f"{n % 24:02}:{n // 24:02}", -6.0) for n in range(MOST_BANDS + 1)), "too_many_bands"),
    ):
        assert refused(desk.set_volumes, "loa-1", bands, OPERATOR, NOW) == key


def test_a_tone_is_booked_for_this_node_alone_and_approved_by_whoever_tries(store: Store, desk: Desk) -> None:
    made_ = desk.try_out("loa-1", TONE, "k", OPERATOR, NOW)
    assert desk.try_out("loa-1", TONE, "k", OPERATOR, NOW) == made_  # a double tap
    assert store.notices.unlisted([made_.announcement_id])  # it is nothing for the public page
    held, booking = store.announcements.get(made_.announcement_id), store.bookings.get(str(made_.booking_id))
    assert held
    assert booking
    assert (booking.areas, booking.start, booking.late_for_seconds) == (("loa-1",), None, 120)
    assert (held.state, held.approver, held.recording) == (AnnouncementState.APPROVED, OPERATOR.id, SHA)
    assert held.voice_state is VoiceState.WAITING  # the station masters it as it does any recording
    assert [each.id for each in store.announcements.waiting_for_voice(10)] == [held.id]
    _, act = store.acts.recent(limit=2)
    assert (act.what, act.subject) == ("tried out a node", "loa-1")
    assert act.detail.startswith(f"booking={booking.id} ")
    again = desk.try_out("loa-1", TONE, "k2", OPERATOR, NOW)
    assert again.booking_id != made_.booking_id


def test_a_tone_is_refused_in_quiet_hours_and_in_maintenance(store: Store, desk: Desk) -> None:
    assert refused(desk.try_out, "loa-1", TONE, "k", OPERATOR, NIGHT) == "quiet_hours"
    store.roster.add_node(replace(the_node(store), quiet=QuietHours("09:00", "11:00")))
    assert refused(desk.try_out, "loa-1", TONE, "k", OPERATOR, NOW) == "quiet_hours"
    store.roster.add_node(replace(the_node(store), quiet=None))
    act = Act("ky-thuat", "began maintenance", "loa-1", "", NOW)
    store.roster.maintain("loa-1", Maintenance("sửa", NOW + HOUR, "ky-thuat"), act)
    assert refused(desk.try_out, "loa-1", TONE, "k", OPERATOR, NOW) == "tone_in_maintenance"
    assert store.bookings.list() == []


def test_only_whoever_looks_after_it_may(desk: Desk) -> None:
    for who, key in ((EDITOR, "not_allowed"), (ELSEWHERE, "not_your_area")):
        assert refused(desk.maintain, "loa-1", "sửa", NOW + HOUR, who, NOW) == key
        assert refused(desk.end_maintenance, "loa-1", who, NOW) == key
        assert refused(desk.set_volumes, "loa-1", BANDS, who, NOW) == key
        assert refused(desk.try_out, "loa-1", TONE, "k", who, NOW) == key
        assert refused(desk.may_try, "loa-1", who, NOW) == key
    assert refused(desk.may_try, "khong-co", OPERATOR, NOW) == "unknown_area"


def test_the_tone_is_a_short_clean_sound_the_same_each_time(tmp_path: Path) -> None:
    first, again = (try_tone.write(tmp_path / name).read_bytes() for name in ("a.wav", "b.wav"))
    assert first == again
    with wave.open(str(tmp_path / "a.wav"), "rb") as sound:
        assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (1, 2, 48_000)
        assert 2.0 < sound.getnframes() / 48_000 < 4.0
    low = try_tone.note(250, 0.8)
    assert abs(low[0]) <= 1 and abs(low[-1]) <= 40  # noqa: PT018 - both ends: nothing clicks
    assert max(low) == pytest.approx(0.25 * 32767, rel=0.05)
    crossings = sum(a < 0 <= b for a, b in pairwise(low))
    assert crossings == pytest.approx(200, abs=2)  # 250 Hz for 0.8 s
