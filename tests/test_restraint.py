"""What a station holds back of its plans: never on a node, never silently, and decided once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import makers_store as made
import pytest
from makers_programmes import aired, asset
from makers_station import Radio, furnished
from makers_store import COMMUNE, HAMLET, NOW, PROVINCE

from controller.store import Store
from controller.store.rows import Act, BookingRow
from schedules.calendars import Recurrence
from schedules.rulebook import Rulebook
from schedules.rulebook_text import Policy
from wire.config import Limits, QuietHours
from wire.errors import Reason
from wire.plan import BulletinClass

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NIGHT = datetime(2026, 11, 24, 20, 15, tzinfo=UTC)  # 03:15 in Lạng Sơn
ONE_MINUTE = Rulebook(Limits(day_minutes=(1,) * 7))
TODAY = (NOW + 7 * HOUR).date()


@pytest.fixture
def radio(store: Store, tmp_path: Path) -> Radio:
    return furnished(store, tmp_path)


def policy(area: str = COMMUNE, rules: Rulebook = ONE_MINUTE) -> Policy:
    return Policy(area, TODAY, rules)


def told(radio: Radio, number: int, seconds: int = 60, **more: object) -> BookingRow:
    return aired(radio.store, number, asset("abc"[number % 3], seconds), **more)


def acts(radio: Radio) -> list[Act]:
    return [act for act in reversed(radio.store.acts.recent()) if act.who == "station"]


def plan(radio: Radio, now: datetime = NOW) -> None:
    radio.station.enrol(now)
    radio.station.plan(now)


def test_a_booking_that_came_past_the_desk_into_the_night_reaches_no_node(radio: Radio) -> None:
    told(radio, 1, start=NIGHT)
    told(radio, 2, start=NOW + HOUR)
    plan(radio)
    assert set(radio.jobs()) == {"b2"}
    (held,) = radio.store.held.of("b1")
    assert (held.area, held.start, held.reason, held.title) == (COMMUNE, NIGHT, Reason.QUIET_HOURS, "Bản tin 1")
    (act,) = acts(radio)
    assert (act.what, act.subject, act.detail) == ("held back", "b1", f"job=b1 area={COMMUNE} reason=quiet_hours")


def test_it_is_said_once_and_a_station_that_begins_again_knows_it(radio: Radio) -> None:
    told(radio, 1, start=NIGHT)
    for minutes in (0, 1, 90):
        plan(radio, NOW + timedelta(minutes=minutes))
    again = radio.restarted()
    again.station.start(NOW + 2 * HOUR)
    plan(again, NOW + 2 * HOUR)
    assert len(acts(again)) == 1
    assert again.jobs() == {}


def test_a_policy_that_is_set_holds_back_and_one_that_is_mended_lets_go(radio: Radio) -> None:
    for number in (1, 2):
        told(radio, number, start=NOW + number * HOUR)
    plan(radio)
    assert set(radio.jobs()) == {"b1", "b2"}
    radio.store.policies.set(policy(), "u-quan", NOW)
    plan(radio)
    assert set(radio.jobs()) == {"b1"}
    radio.store.policies.set(policy(rules=Rulebook()), "u-quan", NOW)
    plan(radio)
    assert set(radio.jobs()) == {"b1", "b2"}
    assert radio.store.held.of("b2") == []
    assert [(act.what, act.subject) for act in acts(radio)] == [("held back", "b2"), ("released", "b2")]


def test_what_is_past_stays_as_it_was_decided(radio: Radio) -> None:
    radio.store.policies.set(policy(), "u-quan", NOW)
    for number in (1, 2):
        told(radio, number, start=NOW + number * HOUR)
    plan(radio)
    radio.store.policies.set(policy(rules=Rulebook()), "u-quan", NOW)
    later = NOW + 3 * HOUR
    plan(radio, later)
    assert set(radio.jobs(now=later)) == {"b1"}, "nothing enters a plan after its second"
    assert [row.job for row in radio.store.held.of("b2")] == ["b2"]
    radio.store.policies.set(policy(rules=Rulebook(Limits(day_minutes=(0,) * 7))), "u-quan", NOW)
    plan(radio, later + HOUR)
    assert set(radio.jobs(now=later + HOUR)) == {"b1"}, "nor leaves it"


def test_a_day_that_is_full_is_full_for_what_a_province_says_too_and_never_for_an_emergency(radio: Radio) -> None:
    radio.store.policies.set(policy(PROVINCE), "u-quan", NOW)
    told(radio, 1, start=NOW + HOUR, areas=(PROVINCE,))
    told(radio, 2, start=NOW + 2 * HOUR, areas=(HAMLET,))
    told(radio, 3, start=NOW + 3 * HOUR, areas=(PROVINCE,), bulletin_class=BulletinClass.EMERGENCY)
    plan(radio)
    assert set(radio.jobs()) == {"b1", "b3"}
    assert [row.reason for row in radio.store.held.of("b2")] == [Reason.DAY_MINUTES]


def test_where_one_node_has_other_quiet_hours_the_job_goes_out_and_each_decides(radio: Radio) -> None:
    awake = made.node("loa-1", quiet=QuietHours("00:00", "00:00"))
    radio.store.roster.add_node(awake)
    told(radio, 1, start=NIGHT)
    plan(radio)
    assert set(radio.jobs("loa-1")) == set(radio.jobs("loa-2")) == {"b1"}
    assert radio.store.held.of("b1") == []


def test_every_coming_of_a_booking_is_judged_by_its_own_day(radio: Radio) -> None:
    weekdays = Rulebook(Limits(day_minutes=(5, 5, 5, 5, 5, 0, 0)))
    radio.store.policies.set(policy(rules=weekdays), "u-quan", NOW)
    told(radio, 1, start=NOW + HOUR, recurrence=Recurrence("FREQ=DAILY"))
    plan(radio)
    held = radio.store.held.of("b1")
    assert {row.start.weekday() for row in held} == {5, 6}
    assert len(held) == 4
    assert len(radio.jobs()) == 14 - 4


def test_what_is_withdrawn_is_held_back_no_more(radio: Radio) -> None:
    told(radio, 1, start=NIGHT)
    plan(radio)
    radio.store.bookings.withdraw("b1")
    plan(radio)
    assert radio.store.held.of("b1") == []
    assert [act.what for act in acts(radio)] == ["held back"]


def test_an_emergency_is_issued_before_anything_is_judged(radio: Radio, monkeypatch: pytest.MonkeyPatch) -> None:
    told(radio, 1, start=NOW, areas=(PROVINCE,), bulletin_class=BulletinClass.EMERGENCY)
    told(radio, 2, start=NOW + HOUR)

    def judging(*_: object) -> None:
        raise RuntimeError("the rules cannot be read")

    monkeypatch.setattr(radio.station.restraint, "weigh", judging)
    with pytest.raises(RuntimeError):
        radio.station.plan(NOW)
    assert set(radio.jobs()) == {"b1"}
