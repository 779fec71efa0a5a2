"""What comes from above: it waits for the commune, which places or declines it; and the commune orders what clashes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import makers_store as made
import pytest
from makers_station import Radio, furnished
from makers_store import COMMUNE, HAMLET, NOW, OTHER_COMMUNE, PROVINCE, Bell, furnish, refused, user

from controller.desk import Desk, Wish, rules
from controller.rights import Role
from controller.roster import Area, AreaKind, Node, communes_of
from controller.store import Store
from controller.store.rows import BookingState, InboxState
from schedules import moments
from schedules.calendars import Recurrence, occurrences
from wire.plan import BulletinClass, Level

HOUR = timedelta(hours=1)


def at(clock: str) -> datetime:
    """``26/11/2026 10:00`` in Việt Nam."""
    return moments.read(clock, NOW, "Asia/Ho_Chi_Minh")


SENDER = user("so", Role.APPROVER, area=PROVINCE)
EDITOR, STRANGER = user("mai", area=COMMUNE), user("tam", area=OTHER_COMMUNE)


@pytest.fixture
def desk(store: Store) -> Desk:
    furnish(store)
    for each in (SENDER, EDITOR, STRANGER):
        store.people.add(each)
    return Desk(store, "Asia/Ho_Chi_Minh", Bell())


def voiced(store: Store, announcement: str) -> None:
    held = store.announcements.get(announcement)
    assert held is not None
    store.assets.put(made.asset())
    assert store.announcements.set_voiced(held.id, held.script_hash, made.SHA)


def from_above(desk: Desk, **changes: Any) -> str:
    wish = {"text": "Tỉnh thông báo.", "areas": (PROVINCE,), "start": NOW + HOUR, "level": Level.PROVINCE, **changes}
    return desk.announce(Wish(**wish), SENDER, NOW).announcement_id


def test_an_ordinary_bulletin_from_above_waits_in_every_commune_and_is_not_planned(store: Store, desk: Desk) -> None:
    sent = from_above(desk)
    voiced(store, sent)
    assert {(each.area, each.state) for each in store.inbox.of(sent)} == {
        (COMMUNE, InboxState.WAITING),
        (OTHER_COMMUNE, InboxState.WAITING),
    }
    assert store.bookings.to_plan(NOW) == []
    assert [each.state for each in store.bookings.of(sent)] == [BookingState.OFFERED]
    assert [each.area for each in desk.inbox(EDITOR, NOW)] == [COMMUNE]
    assert [each.area for each in desk.inbox(STRANGER, NOW)] == [OTHER_COMMUNE]


def test_the_commune_places_it_at_a_time_of_its_own(store: Store, desk: Desk) -> None:
    sent = from_above(desk)
    voiced(store, sent)
    booking = desk.place(sent, COMMUNE, NOW + 3 * HOUR, EDITOR, NOW)
    (planned,) = store.bookings.to_plan(NOW)
    assert (planned.id, planned.areas, planned.starts) == (booking.id, (COMMUNE,), (NOW + 3 * HOUR,))
    assert planned.level is Level.PROVINCE
    item = store.inbox.get(sent, COMMUNE)
    assert item is not None
    assert (item.state, item.decided_by, item.booking) == (InboxState.PLACED, EDITOR.id, booking.id)
    assert refused(desk.place, sent, COMMUNE, NOW + HOUR, EDITOR, NOW) == "decided_already"
    assert ("placed", sent) in [(act.what, act.subject) for act in store.acts.recent()]


def test_it_is_declined_with_a_reason_or_lapses_and_nothing_is_lost_in_silence(store: Store, desk: Desk) -> None:
    sent = from_above(desk)
    assert refused(desk.decline, sent, COMMUNE, " ", EDITOR, NOW) == "no_decline_reason"
    desk.decline(sent, COMMUNE, "Đã phát hôm qua.", EDITOR, NOW)
    assert store.inbox.lapse(NOW + HOUR, "station") == []
    (lapsed,) = store.inbox.lapse(NOW + HOUR + timedelta(seconds=1), "station")
    assert (lapsed.area, lapsed.state) == (OTHER_COMMUNE, InboxState.LAPSED)
    states = {each.area: (each.state, each.reason) for each in store.inbox.of(sent)}
    assert states[COMMUNE] == (InboxState.DECLINED, "Đã phát hôm qua.")
    assert {act.what for act in store.acts.recent()} >= {"declined", "lapsed"}
    assert refused(desk.place, sent, OTHER_COMMUNE, NOW + 2 * HOUR, STRANGER, NOW + HOUR) == "decided_already"


def test_what_must_not_be_placed_is_refused(store: Store, desk: Desk) -> None:
    sent = from_above(desk)
    assert refused(desk.place, sent, OTHER_COMMUNE, NOW + HOUR, EDITOR, NOW) == "not_your_area"
    assert refused(desk.place, "a-none", COMMUNE, NOW + HOUR, EDITOR, NOW) == "unknown_announcement"
    assert refused(desk.place, sent, COMMUNE, NOW + 13 * HOUR, EDITOR, NOW) == "quiet_hours"
    assert refused(desk.place, sent, COMMUNE, NOW - HOUR, EDITOR, NOW) == "past_time"
    desk.withdraw_announcement(sent, SENDER, NOW)
    assert refused(desk.place, sent, COMMUNE, NOW + HOUR, EDITOR, NOW) == "decided_already"
    assert {each.state for each in store.inbox.of(sent)} == {InboxState.WITHDRAWN}


def test_what_the_sender_takes_back_sounds_in_no_commune_and_waits_in_none(store: Store, desk: Desk) -> None:
    sent = from_above(desk, areas=(HAMLET, OTHER_COMMUNE))
    voiced(store, sent)
    (offer,) = store.bookings.of(sent)
    placed = desk.place(sent, OTHER_COMMUNE, NOW + 3 * HOUR, STRANGER, NOW)
    assert [each.id for each in store.bookings.to_plan(NOW)] == [placed.id]
    desk.withdraw(offer.id, SENDER, NOW)
    assert {each.state for each in store.bookings.of(sent)} == {BookingState.WITHDRAWN}
    assert store.bookings.to_plan(NOW) == []
    assert desk.inbox(EDITOR, NOW) == []
    assert refused(desk.place, sent, COMMUNE, NOW + HOUR, EDITOR, NOW) == "decided_already"
    assert refused(desk.decline, sent, COMMUNE, "Trùng.", EDITOR, NOW) == "decided_already"
    desk.withdraw(offer.id, SENDER, NOW)


def test_a_commune_that_takes_its_own_time_back_leaves_the_others_theirs(store: Store, desk: Desk) -> None:
    sent = from_above(desk)
    placed = desk.place(sent, OTHER_COMMUNE, NOW + 3 * HOUR, STRANGER, NOW)
    desk.withdraw(placed.id, STRANGER, NOW)
    assert [each.area for each in desk.inbox(EDITOR, NOW)] == [COMMUNE]
    assert desk.place(sent, COMMUNE, NOW + HOUR, EDITOR, NOW).state is BookingState.WANTED


def test_what_comes_again_keeps_its_days_at_the_hour_that_the_commune_chose(store: Store, desk: Desk) -> None:
    rule = Recurrence("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH;BYHOUR=10;BYMINUTE=0", until=at("21/12/2026 10:00"))
    sent = from_above(desk, start=at("26/11/2026 10:00"), recurrence=rule)
    (offer,) = store.bookings.of(sent)
    assert desk.comings(offer, NOW) == [], "it is on nobody's air yet"
    assert refused(desk.place, sent, COMMUNE, None, EDITOR, NOW) == "repeats_at"
    assert refused(desk.place, sent, COMMUNE, at("25/11/2026 23:00"), EDITOR, NOW) == "quiet_hours"
    placed = desk.place(sent, COMMUNE, at("25/11/2026 17:30"), EDITOR, NOW)
    days = ["26/11/2026", "07/12/2026", "10/12/2026", "21/12/2026"]  # a Wednesday was named: its hour counts
    assert desk.comings(placed, NOW) == [at(f"{day} 17:30") for day in days]
    voiced(store, sent)
    (planned,) = store.bookings.to_plan(NOW)
    assert planned.starts[:2] == (at("26/11/2026 17:30"), at("07/12/2026 17:30"))


@pytest.mark.parametrize(
    ("rule", "until", "last"),
    [
        ("FREQ=DAILY", at("27/11/2026 10:00"), "27/11/2026 17:30"),
        ("FREQ=DAILY", at("27/11/2026 09:59"), "26/11/2026 17:30"),
        ("RRULE:BYHOUR=10;FREQ=DAILY;UNTIL=20261127T030000Z", None, "27/11/2026 17:30"),
        ("DATES:20261126,20261127", None, "27/11/2026 17:30"),
    ],
)
def test_a_later_hour_neither_loses_the_last_day_nor_adds_one(rule: str, until: datetime | None, last: str) -> None:
    found = rules.at_hour(Recurrence(rule, until=until), at("26/11/2026 10:00"), at("01/12/2026 17:30"))
    days = occurrences(*found, at("26/11/2026 00:00"), at("31/12/2026 00:00"))
    assert (days[0], days[-1]) == (at("26/11/2026 17:30"), at(last))


@pytest.mark.parametrize("act", ["decline", "return_"])
def test_a_reason_is_kept_whole_or_refused(store: Store, desk: Desk, act: str) -> None:
    writer = user("thao", area=PROVINCE)
    store.people.add(writer)
    wish = Wish("Tỉnh thông báo.", (PROVINCE,), NOW + HOUR, level=Level.PROVINCE)
    sent = desk.announce(wish, writer if act == "return_" else SENDER, NOW).announcement_id

    def say(reason: str) -> str:
        if act == "return_":
            return desk.return_(sent, reason, SENDER, NOW).reason
        return desk.decline(sent, COMMUNE, reason, EDITOR, NOW).reason

    assert refused(say, "a" * 1001) == "reason_too_long"
    assert say("a\r\n" * 499 + "a ") == "a\n" * 499 + "a", "a line break is one character, as the page counts"


def test_what_was_meant_for_a_hamlet_never_becomes_the_whole_communes(store: Store, desk: Desk) -> None:
    sent = from_above(desk, areas=(HAMLET,))
    (offer,) = store.bookings.of(sent)
    store.bookings.withdraw(offer.id)  # what waits has outlived its offer
    assert refused(desk.place, sent, COMMUNE, NOW + HOUR, EDITOR, NOW) == "decided_already"
    assert [each.id for each in store.bookings.of(sent)] == [offer.id]


@pytest.mark.parametrize(
    ("changes", "planned"),
    [
        ({"bulletin_class": BulletinClass.PRIORITY}, True),
        ({"bulletin_class": BulletinClass.EMERGENCY}, True),
        ({"level": Level.COMMUNE}, True),
        ({"level": Level.CENTRAL}, False),
        ({"level": Level.DISTRICT}, False),
        ({"areas": (HAMLET,)}, False),
    ],
)
def test_only_the_ordinary_from_above_waits(store: Store, desk: Desk, changes: dict[str, Any], planned: bool) -> None:
    sent = from_above(desk, **changes)
    voiced(store, sent)
    assert (store.bookings.to_plan(NOW) != []) is planned
    assert (store.inbox.of(sent) == []) is planned


def test_it_is_delivered_once_it_is_approved(store: Store, desk: Desk) -> None:
    writer = user("thao", area=PROVINCE)
    store.people.add(writer)
    wish = Wish("Tỉnh thông báo.", (HAMLET,), level=Level.PROVINCE)
    sent = desk.announce(wish, writer, NOW).announcement_id
    assert store.inbox.of(sent) == []
    desk.approve(sent, SENDER, NOW)
    (item,) = store.inbox.of(sent)
    assert (item.area, item.deadline) == (COMMUNE, NOW + timedelta(days=3))
    assert desk.place(sent, COMMUNE, None, EDITOR, NOW).areas == (HAMLET,)


def test_which_communes_an_area_reaches() -> None:
    areas = [Area("p", "", AreaKind.PROVINCE), Area("p:a", "", AreaKind.COMMUNE), Area("p:b", "", AreaKind.COMMUNE)]
    areas += [Area("p:a:1", "", AreaKind.HAMLET), Area("g", "", AreaKind.GROUP)]
    nodes = [Node("n1", "", "p:a:1", "", NOW, groups=("g",)), Node("n2", "", "p:b", "", NOW)]
    assert communes_of(areas, nodes, ("p",)) == {"p:a": ("p:a",), "p:b": ("p:b",)}
    assert communes_of(areas, nodes, ("p:a:1", "g", "n2")) == {"p:a": ("p:a:1", "n1"), "p:b": ("n2",)}
    assert communes_of(areas, nodes, ("x",)) == {}


# --- two priority items that clash ---------------------------------------------------------------------------


@pytest.fixture
def radio(store: Store, tmp_path: Path) -> Iterator[Radio]:
    started = furnished(store, tmp_path)
    for each in (SENDER, EDITOR, STRANGER):
        store.people.add(each)
    yield started
    started.station.stop()


def clashing(desk: Desk, store: Store, own_start: datetime) -> tuple[str, str]:
    wishes = [
        ("Của xã.", COMMUNE, own_start, user("hoa", Role.APPROVER), Level.COMMUNE),
        ("Của tỉnh.", PROVINCE, NOW + HOUR, SENDER, Level.PROVINCE),
    ]
    found = []
    for text, area, start, approver, level in wishes:
        wish = Wish(text, (area,), start, bulletin_class=BulletinClass.PRIORITY, level=level)
        sent = desk.announce(wish, approver, NOW)
        voiced(store, sent.announcement_id)
        found.append(str(sent.booking_id))
    return found[0], found[1]


def first_of(radio: Radio) -> str:
    """What a node that holds the plans sounds first."""
    from schedules.simulation import simulate

    radio.station.plan(NOW)
    gate = radio.gate()
    assert gate.config is not None
    day = simulate(gate.jobs(NOW), gate.config, NOW, NOW + 3 * HOUR)
    assert {each.step.value for each in day.endings} == {"sounded"}
    return day.stretches[0].job.id


def test_the_level_decides_until_the_commune_does(radio: Radio) -> None:
    desk = Desk(radio.store, radio.settings.zone, Bell())
    own, above = clashing(desk, radio.store, NOW + HOUR + timedelta(seconds=3))
    (clash,) = desk.clashes(EDITOR, NOW)
    assert (clash.own.id, clash.above.id, clash.own_first) == (own, above, False)
    assert clash.decide_by == NOW + HOUR - timedelta(minutes=1)
    assert first_of(radio) == above
    desk.order(own, above, True, EDITOR, NOW)
    assert first_of(radio) == own
    assert desk.clashes(EDITOR, NOW)[0].own_first
    desk.order(own, above, False, EDITOR, NOW)
    assert first_of(radio) == above
    assert [act.what for act in radio.store.acts.recent()].count("ordered") == 2


def test_what_nobody_has_ordered_in_time_goes_by_the_level_and_the_log_says_so_once(radio: Radio) -> None:
    desk = Desk(radio.store, radio.settings.zone, Bell())
    own, above = clashing(desk, radio.store, NOW + HOUR)
    assert radio.station.settle(NOW) == 0, "there is time still"
    late = NOW + HOUR - timedelta(seconds=30)
    assert [radio.station.settle(late) for _ in range(2)] == [1, 0]
    (act,) = [each for each in radio.store.acts.about(own) if each.who == "station"]
    assert (act.what, act.detail, act.at) == ("ordered by default", f"after={above} level=province", late)


@pytest.mark.parametrize("own_first", [True, False])
def test_what_somebody_has_ordered_is_nobodys_default(radio: Radio, own_first: bool) -> None:
    desk = Desk(radio.store, radio.settings.zone, Bell())
    own, above = clashing(desk, radio.store, NOW + HOUR)
    desk.order(own, above, own_first, EDITOR, NOW)
    assert radio.station.settle(NOW + HOUR - timedelta(seconds=30)) == 0


def test_an_order_that_cannot_be_given_is_refused(radio: Radio) -> None:
    desk = Desk(radio.store, radio.settings.zone, Bell())
    own, above = clashing(desk, radio.store, NOW + HOUR)
    assert refused(desk.order, own, "b-none", True, EDITOR, NOW) == "no_clash"
    assert refused(desk.order, own, above, True, STRANGER, NOW) == "no_clash"
    assert refused(desk.order, own, above, True, EDITOR, NOW + HOUR - timedelta(seconds=30)) == "too_late_to_order"
    assert desk.clashes(EDITOR, NOW + 2 * HOUR) == []


def test_what_does_not_overlap_or_meet_on_a_loudspeaker_is_no_clash(radio: Radio) -> None:
    desk = Desk(radio.store, radio.settings.zone, Bell())
    clashing(desk, radio.store, NOW + 2 * HOUR)
    assert desk.clashes(EDITOR, NOW) == []
