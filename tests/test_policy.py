"""Policy: quiet hours and volumes, the same on the station and on the node."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers_schedules import HANOI, NOW, clocks, moments_utc, zones

from schedules import moments, policy
from wire.config import NodeConfig, QuietHours, VolumeBand
from wire.plan import BulletinClass

MIDNIGHT = moments.read("24/11/2026 00:00", NOW, HANOI)
LOWER = [BulletinClass.ORDINARY, BulletinClass.PRIORITY]


def config(*bands: tuple[str, float], emergency: float = 0.0) -> NodeConfig:
    volumes = tuple(VolumeBand(since, level) for since, level in bands)
    return NodeConfig("cum-1", 1, NOW, ("cum-1",), "http://media/", volumes=volumes, emergency_volume_dbfs=emergency)


def at(clock: str) -> datetime:
    return moments.at_local(moments.local(MIDNIGHT, HANOI).date(), moments.clock_time(clock), HANOI)


@pytest.mark.parametrize(
    ("clock", "quiet"),
    [("20:59", False), ("21:00", True), ("23:59", True), ("00:00", True), ("04:59", True), ("05:00", False)],
)
def test_default_quiet_hours_go_over_midnight_from_nine_to_five(clock: str, quiet: bool) -> None:
    assert policy.is_quiet(at(clock), QuietHours(), HANOI) is quiet
    assert all(policy.may_sound(each, at(clock), QuietHours(), HANOI) is not quiet for each in LOWER)


def test_the_last_microsecond_of_quiet_hours_is_quiet() -> None:
    assert policy.is_quiet(at("05:00") - timedelta(microseconds=1), QuietHours(), HANOI)
    assert not policy.is_quiet(at("21:00") - timedelta(microseconds=1), QuietHours(), HANOI)


@given(moments_utc, clocks, zones)
def test_equal_ends_are_never_quiet(moment: datetime, clock: time, zone: str) -> None:
    quiet = QuietHours(f"{clock:%H:%M}", f"{clock:%H:%M}")
    assert not policy.is_quiet(moment, quiet, zone)


@given(moments_utc, clocks, clocks, zones)
def test_quiet_is_a_matter_of_the_zones_clock_alone(moment: datetime, since: time, until: time, zone: str) -> None:
    quiet = QuietHours(f"{since:%H:%M}", f"{until:%H:%M}")
    clock = moments.local(moment, zone).time()
    minutes = range(since.hour * 60 + since.minute, until.hour * 60 + until.minute + (1440 if since > until else 0))
    expected = clock.hour * 60 + clock.minute in {minute % 1440 for minute in minutes}
    assert policy.is_quiet(moment, quiet, zone) is expected


@given(moments_utc, clocks, clocks)
def test_an_emergency_may_always_sound(moment: datetime, since: time, until: time) -> None:
    quiet = QuietHours(f"{since:%H:%M}", f"{until:%H:%M}")
    assert policy.may_sound(BulletinClass.EMERGENCY, moment, quiet, HANOI)


def test_a_relay_set_to_a_quarter_past_three_may_not_sound() -> None:
    assert not any(policy.may_sound(each, at("03:15"), QuietHours(), HANOI) for each in LOWER)


@pytest.mark.parametrize(("clock", "level"), [("05:59", -12.0), ("06:00", -3.0), ("20:59", -3.0), ("21:00", -12.0)])
def test_the_night_band_is_in_force_until_the_first_band_of_the_day(clock: str, level: float) -> None:
    for bands in ([("06:00", -3.0), ("21:00", -12.0)], [("21:00", -12.0), ("06:00", -3.0)]):
        assert policy.volume_dbfs(BulletinClass.PRIORITY, at(clock), config(*bands)) == level


def test_without_bands_audio_is_full_scale_and_an_emergency_has_its_own_volume() -> None:
    assert policy.volume_dbfs(BulletinClass.ORDINARY, at("12:00"), config()) == 0.0
    loud = config(("00:00", -20.0), emergency=-1.0)
    assert policy.volume_dbfs(BulletinClass.EMERGENCY, at("12:00"), loud) == -1.0
    assert policy.volume_dbfs(BulletinClass.ORDINARY, at("12:00"), loud) == -20.0


@given(st.sets(clocks, min_size=1, max_size=6), moments_utc)
def test_the_band_in_force_is_the_last_one_that_began(since: set[time], moment: datetime) -> None:
    bands = [(f"{clock:%H:%M}", -float(number)) for number, clock in enumerate(since)]
    clock = moments.local(moment, HANOI).time()

    def age(band: tuple[str, float]) -> int:
        begun = moments.clock_time(band[0])
        return ((clock.hour * 60 + clock.minute) - (begun.hour * 60 + begun.minute)) % 1440

    assert policy.volume_dbfs(BulletinClass.ORDINARY, moment, config(*bands)) == min(bands, key=age)[1]
