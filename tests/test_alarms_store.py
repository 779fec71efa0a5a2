"""The book of alarms and what is added up, on both databases: what the watch writes, people do, and pages read."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers_store import COMMUNE, NOW, OTHER_COMMUNE, batch, furnish, health, presence, receipt, refused, user

from controller.alarms import Surroundings, Watch
from controller.desk import Desk
from controller.rights import Role
from controller.settings import Settings
from controller.store import Store
from controller.store.alarm_rows import AlarmRow
from controller.store.rows import Act
from controller.store.tallies import CommuneHour, CommuneState
from controller.tallies import HOUR, Tallies, hours_of, tally
from wire.presence import State
from wire.receipt import Step

UP, DOWN = Surroundings(True), Surroundings(False)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


class Station:
    """A watch over a furnished store, looked through at any moment."""

    def __init__(self, store: Store, folder: Path) -> None:
        furnish(store)
        self.store, self.now, self.restarted = store, NOW, False
        self.watch = Watch(store, Settings(state_dir=folder))
        self.desk = Desk(store, "Asia/Ho_Chi_Minh", lambda: None)
        self.operator = user("vanhanh", Role.OPERATOR)
        store.people.add(self.operator)
        for name in ("loa-1", "loa-2", "loa-3"):
            self.speak(name)
        self.look(after=timedelta(0))
        self.look(after=timedelta(minutes=5), awake=("loa-1", "loa-2", "loa-3"))

    def speak(self, name: str, state: State = State.ONLINE, **vitals: object) -> None:
        self.store.health.take_presence([presence(name, state, self.now)], self.now)
        if state is State.ONLINE:
            self.store.health.take_health([health(name, self.now, **vitals)], self.now)

    def look(self, around: Surroundings = UP, after: timedelta = MINUTE, awake: tuple[str, ...] = ()) -> list[AlarmRow]:
        while after > timedelta(minutes=4) and not self.restarted:  # a watch that looks more rarely has stood still
            self.now, after = self.now + timedelta(minutes=4), after - timedelta(minutes=4)
            self.watch.look(around, self.now)
        self.now, self.restarted = self.now + after, False
        for name in awake:
            self.speak(name)
        self.watch.look(around, self.now)
        return self.open()

    def open(self) -> list[AlarmRow]:
        return sorted(self.store.alarms.open(), key=lambda each: (each.cause, each.place))


@pytest.fixture
def station(store: Store, tmp_path: Path) -> Station:
    return Station(store, tmp_path)


def test_a_commune_that_falls_away_is_one_alarm_that_clears_when_it_is_back(station: Station) -> None:
    for name in ("loa-1", "loa-2"):
        station.speak(name, State.OFFLINE)
    assert station.look(awake=("loa-3",)) == []
    (alarm,) = station.look(after=timedelta(minutes=5), awake=("loa-3",))
    assert (alarm.cause, alarm.place, alarm.open_members, alarm.grade) == ("offline", COMMUNE, 2, "bad")
    assert [each.member for each in station.store.alarms.members(alarm.id, 9)] == ["loa-1", "loa-2"]
    before = station.store.alarms.version()
    station.look(awake=("loa-1", "loa-2", "loa-3"))
    assert station.look(after=2 * MINUTE, awake=("loa-1", "loa-2", "loa-3")) == []
    assert station.store.alarms.version() > before
    assert [each.what for each in station.store.alarms.history(alarm.id)] == ["cleared", "raised"]
    assert station.store.alarms.cleared(5, ["*"])[0].state == "cleared"
    assert [each.id for each in station.store.alarms.of_member("loa-1")] == [alarm.id]


def test_what_a_person_does_stands_beside_what_the_station_judges(station: Station) -> None:
    station.speak("loa-1", State.OFFLINE)
    (alarm,) = station.look(after=timedelta(minutes=6), awake=("loa-2", "loa-3"))
    desk, operator, now = station.desk, station.operator, station.now
    desk.take_on(alarm.id, operator, now)
    desk.hand_over(alarm.id, "u-hoa", now + MINUTE, operator, now)
    desk.keep_quiet(alarm.id, now + timedelta(hours=4), "  Cắt điện   theo lịch. ", operator, now)
    station.speak("loa-2", State.OFFLINE)
    (held,) = station.look(after=timedelta(minutes=6), awake=("loa-3",))
    assert (held.open_members, held.acknowledged_by, held.assignee) == (2, "vanhanh", "u-hoa")
    assert held.is_overdue(station.now)
    assert station.store.alarms.silences(station.now)["offline", COMMUNE].reason == "Cắt điện theo lịch."
    assert station.store.alarms.silences(now + timedelta(hours=4)) == {}, "it ends"
    desk.speak_again(alarm.id, operator, station.now)
    assert station.store.alarms.silences(station.now) == {}
    acts = [each.what for each in station.store.acts.recent(4)]
    told = ["ended a silence", "silenced an alarm", "assigned an alarm", "acknowledged an alarm"]
    assert acts == told
    assert station.store.alarms.unattended() == []
    station.store.people.set_disabled("u-hoa", True, Act("mai", "dismissed", "hoa", "", station.now))
    (left,) = station.open()
    assert (left.assignee, left.deadline, left.acknowledged_by) == (None, held.deadline, "vanhanh"), "nobody's to mend"
    newest = station.store.alarms.history(alarm.id)[0]
    assert (newest.who, newest.what, newest.detail[:2]) == ("mai", "assigned", "- ")


def test_the_desk_says_no_to_silences_for_good_and_to_whoever_may_not(station: Station) -> None:
    station.speak("loa-1", State.OFFLINE)
    (alarm,) = station.look(after=timedelta(minutes=6), awake=("loa-2", "loa-3"))
    desk, operator, now = station.desk, station.operator, station.now
    week = now + timedelta(days=7)
    elsewhere = user("na", Role.OPERATOR, OTHER_COMMUNE)
    assert refused(desk.keep_quiet, alarm.id, week + SECOND, "x", operator, now) == "bad_silence"
    assert refused(desk.keep_quiet, alarm.id, now, "x", operator, now) == "bad_silence"
    assert refused(desk.keep_quiet, alarm.id, week, " \n", operator, now) == "no_silence_reason"
    assert refused(desk.keep_quiet, alarm.id, week, "\0" * 9, operator, now) == "no_silence_reason"
    assert refused(desk.hand_over, alarm.id, "u-nobody", None, operator, now) == "unknown_user"
    assert refused(desk.hand_over, alarm.id, "", now, operator, now) == "bad_deadline"
    assert refused(desk.take_on, "x" * 99, operator, now) == "unknown_alarm"
    assert refused(desk.take_on, alarm.id, elsewhere, now) == "not_your_area"
    assert refused(desk.take_on, alarm.id, user("e", Role.EDITOR), now) == "not_allowed"
    assert refused(desk.tell_of_stations, COMMUNE, -1, 0, operator, now) == "bad_stations"
    assert refused(desk.tell_of_stations, "lang-son", 1, 0, operator, now) == "unknown_area"
    desk.tell_of_stations(COMMUNE, 1, 2, operator, now)
    assert station.store.tallies.other_stations()[COMMUNE].fm == 2
    station.look(awake=("loa-1", "loa-2", "loa-3"))
    station.look(after=3 * MINUTE, awake=("loa-1", "loa-2", "loa-3"))
    assert refused(desk.take_on, alarm.id, operator, station.now) == "alarm_over"


def test_without_a_broker_nobody_is_called_away_and_what_was_known_stays(station: Station) -> None:
    station.speak("loa-1", State.OFFLINE)
    station.look(after=timedelta(minutes=6), awake=("loa-2", "loa-3"))
    station.look(DOWN, after=SECOND)
    lost = station.look(DOWN, after=timedelta(minutes=30))
    assert [(each.cause, each.under is None) for each in lost] == [("broker", True), ("offline", False)]
    station.look(after=SECOND, awake=("loa-2", "loa-3"))
    back = station.look(after=timedelta(minutes=3), awake=("loa-2", "loa-3"))
    assert [(each.cause, each.under) for each in back] == [("offline", None)]


def test_missed_mute_hot_and_forged_are_told_and_clear_by_proof(station: Station) -> None:
    told = receipt(1, "b1", Step.MISSED, planned_start=station.now, reason="no_audio")
    station.store.asrun.store_receipts(batch(told), station.now)
    station.store.refusals.count("bad_seal", "loa-3/receipts", "x", station.now)
    station.now += SECOND
    station.speak("loa-2", cpu_celsius=95.0)
    causes = [(each.cause, each.place) for each in station.look(after=SECOND, awake=("loa-1", "loa-3"))]
    assert causes == [("hot", COMMUNE), ("missed", COMMUNE), ("refused_bad_seal", OTHER_COMMUNE)]
    good = receipt(2, "b2", Step.SOUNDED, planned_start=station.now + SECOND)
    station.store.asrun.store_receipts(batch(good), station.now)
    station.look(awake=("loa-1", "loa-2", "loa-3"))
    left = station.look(after=3 * MINUTE, awake=("loa-1", "loa-2", "loa-3"))
    assert [each.cause for each in left] == ["refused_bad_seal"]


def test_a_station_that_is_started_again_goes_on_and_says_that_it_stood(station: Station, tmp_path: Path) -> None:
    station.speak("loa-1", State.OFFLINE)
    (alarm,) = station.look(after=timedelta(minutes=6), awake=("loa-2", "loa-3"))
    station.watch, station.restarted = Watch(station.store, Settings(state_dir=tmp_path)), True
    started = station.look(after=timedelta(hours=2), awake=("loa-2", "loa-3"))
    assert [(each.cause, each.id == alarm.id) for each in started] == [("offline", True), ("station_stood", False)]
    assert [each.cause for each in station.look(after=SECOND, awake=("loa-2", "loa-3"))] == ["offline", "station_stood"]
    assert [each.cause for each in station.look(after=3 * MINUTE, awake=("loa-2", "loa-3"))] == ["offline"]


def test_states_hours_and_the_day_are_added_up_by_commune(station: Station) -> None:
    station.speak("loa-3", State.OFFLINE)
    station.look(awake=("loa-1", "loa-2"))
    states = {each.area: each for each in station.store.tallies.states()}
    assert states[COMMUNE] == CommuneState(COMMUNE, 2, online=2)
    assert states[OTHER_COMMUNE] == CommuneState(OTHER_COMMUNE, 1, offline=1)
    done = receipt(1, "b1", Step.SOUNDED, planned_start=station.now)
    station.store.asrun.store_receipts(batch(done), station.now)
    tallies = Tallies(station.store, "Asia/Ho_Chi_Minh")
    station.now = NOW + timedelta(hours=2)
    for _ in range(40):
        tallies.add_up(station.now)
    assert station.store.tallies.newest_hour() == NOW + HOUR
    there = station.store.tallies.availability(NOW)
    assert there[COMMUNE] == (4 * 3600, 4 * 3600)
    assert there[OTHER_COMMUNE] == (5 * 60, 2 * 3600)
    (day,) = station.store.tallies.day("2026-11-24")
    assert (day.area, day.sounded, day.missed) == (COMMUNE, 1, 0)


@given(st.lists(st.tuples(st.integers(-90, 90), st.integers(0, 90)), max_size=6))
def test_nobody_is_there_for_longer_than_the_hour(found: list[tuple[int, int]]) -> None:
    ends = sorted({moment for begin, length in found for moment in (begin, begin + length)})
    spells = [("loa-1", at(begin), at(end)) for begin, end in zip(ends[::2], ends[1::2], strict=False)]
    (row,) = hours_of(spells, {"loa-1": at(-60)}, {"loa-1": COMMUNE}, NOW)
    minutes = {m for _, begin, end in spells for m in range(60) if begin <= at(m) < end}
    assert row == CommuneHour(NOW, COMMUNE, 60 * len(minutes), 3600)


def at(minute: int) -> datetime:
    return NOW + timedelta(minutes=minute)


def test_a_day_counts_what_ended_what_is_owed_and_what_is_to_come() -> None:
    ended = [(COMMUNE, "a", "sounded", 7), (COMMUNE, "a", "missed", 1), (COMMUNE, "b", "preempted", 2)]
    ended += [(COMMUNE, "c", "withdrawn", 9)]
    due = {("a", COMMUNE): (NOW - HOUR, 10), ("c", COMMUNE): (NOW - HOUR, 9), ("d", COMMUNE): (NOW + HOUR, 10)}
    (day,) = tally("2026-11-24", ended, due, NOW)
    assert (day.sounded, day.missed, day.otherwise, day.unheard, day.ahead) == (7, 1, 2, 2, 10)
