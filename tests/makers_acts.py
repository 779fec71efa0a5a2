"""Makers of a day's acts at a station: one after the other, each by its own way, as people and loudspeakers do them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

from flask.testing import FlaskClient
from makers_programme_pages import applied
from makers_web import HAMLET, Town

from controller.desk import Giving
from controller.rights import Role
from controller.store.alarm_rows import AlarmRow, Event, MemberRow, Verdict
from controller.store.held import HeldBack
from controller.store.rows import Act
from controller.store.unheard import Ailment, UnheardRow
from wire.presence import State
from wire.receipt import Step

COMMUNE, OTHER = "lang-son:dong-dang", "lang-son:tam-thanh"


def alarm(town: Town, name: str, place: str, *members: str, cleared: bool = False) -> None:
    """The station finds one, or finds it over."""
    at = town.now - timedelta(minutes=5)
    ended = town.now if cleared else None
    row = AlarmRow(name, "offline", place, "bad", at, at, at, len(members), len(members), cleared_at=ended)
    rows = tuple(MemberRow(name, each, at, cleared_at=ended) for each in members)
    town.store.alarms.enter(Verdict((row,), rows, (Event(name, at, "raised"),)), town.now)


def acts_of(town: Town, browser: Callable[[str], FlaskClient]) -> Iterator[str]:
    """Each step does one thing, and gives its name."""
    chief, editor, other, boss = (browser(who) for who in ("chu-tich", "van-hoa", "tam-thanh", "quan-tri"))
    desk, store = town.desk, town.store
    local = town.booked(chief, title="Tiêm phòng")
    yield "a booking"
    town.voice(town.announcement_of(local))
    yield "its voice"
    waits = town.booked(editor, key="1" * 32, title="Cắt điện", areas=[HAMLET], hour="18")
    yield "a booking that waits for a yes"
    desk.return_(town.announcement_of(waits), "sai giờ", town.approver, town.now)
    yield "it comes back"
    elsewhere = town.booked(other, key="2" * 32, title="Ở nơi khác", areas=[OTHER], hour="17")
    yield "another commune's"
    wide = town.booked(boss, key="3" * 32, title="Toàn tỉnh", areas=["lang-son"], bulletin_class="priority", hour="17")
    yield "the province's, which clashes"
    town.voice(town.announcement_of(wide))
    yield "its voice, everywhere"
    desk.approve(town.announcement_of(elsewhere), town.boss, town.now)
    yield "a yes"
    from_above = town.booked(browser("so-van-hoa"), key="4" * 32, title="Từ tỉnh", areas=["lang-son"])
    town.voice(town.announcement_of(from_above))
    yield "a bulletin in every inbox"
    town.report(local, "dong-dang-1", Step.FETCHED, asset="a" * 64)
    yield "audio arrives"
    shared = town.store.bookings.get(wide)
    assert shared is not None
    held = town.store.announcements.get(shared.announcement)
    assert held is not None
    town.wake("dong-dang-3")
    yield "another loudspeaker comes"
    town.report(wide, "dong-dang-3", Step.FETCHED, asset=held.asset)
    yield "what all are to sound arrives in one commune"
    town.report(wide, "tam-thanh-2", Step.STARTED)
    yield "it begins in one commune"
    town.report(wide, "tam-thanh-2")
    yield "it has sounded there"
    town.report(local, "dong-dang-2", Step.MISSED, "no_audio")
    yield "a miss"
    town.wake("dong-dang-1")
    yield "a loudspeaker comes"
    town.wake("dong-dang-1", State.OFFLINE)
    yield "it goes"
    alarm(town, "a1", COMMUNE, "dong-dang-1")
    yield "an alarm"
    desk.take_on("a1", town.boss, town.now)
    yield "somebody takes it on"
    alarm(town, "a1", COMMUNE, "dong-dang-1", cleared=True)
    yield "it is over"
    row = UnheardRow("u1", f"{OTHER}:thon-1", None, Ailment.SILENT, "Không nghe gì", town.now)
    assert store.unheard.tell(row, town.now - timedelta(days=1), 9)
    yield "a listener hears nothing"
    store.held.write([HeldBack(local, COMMUNE, local, "Bị giữ", town.now, "day_minutes", town.now)], [])
    yield "something is held back"
    applied(town)
    yield "a programme"
    town.booked(browser("chu-tich"), key="5" * 32, bulletin_class="emergency", confirm="Xã Đồng Đăng", when="now")
    yield "an emergency"
    desk.withdraw(wide, town.boss, town.now)
    yield "taken back"
    desk.teach(COMMUNE, "Nà Pàn", "Nà Pan", town.boss, town.now)
    yield "a reading"
    desk.give("van-hoa", Giving(Role.APPROVER, COMMUNE), town.boss, town.now)
    yield "a right"
    store.acts.add(Act("quan-tri", "rotated", "k1", "", town.now))
    yield "a line of the audit log"
