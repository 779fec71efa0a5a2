"""Foresight at the desk: what a wish meets, the offers that then hold, what a day has left; and nothing is written."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import makers_programmes as slots
import pytest
from makers_store import COMMUNE, HAMLET, NOW, OTHER_COMMUNE, PROVINCE, furnish, on_the_air, refused, user

from controller.desk import Desk, Placing, Wish
from controller.desk.foresight import Foreseen
from controller.desk.telling import Telling
from controller.rights import Role
from controller.store import Store
from schedules import moments
from schedules.calendars import Recurrence
from schedules.conflicts import Turn
from schedules.offers import Kind
from schedules.relays import Source
from schedules.rulebook import Rulebook
from schedules.rulebook_text import Policy
from wire.config import Limits
from wire.plan import BulletinClass, Level

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
ZONE = "Asia/Ho_Chi_Minh"
EDITOR, APPROVER, ADMINISTRATOR = user(), user("hoa", Role.APPROVER), user("quan", Role.ADMINISTRATOR)
VIETNAMESE = Telling(ZONE, "vi", NOW, {COMMUNE: "Xã Đồng Đăng", HAMLET: "Thôn 1"})
LONG = "Thông báo. " * 120  # two minutes and twelve seconds


@pytest.fixture
def desk(store: Store) -> Desk:
    furnish(store)
    return Desk(store, ZONE, lambda: None)


def wish(**changes: Any) -> Wish:
    return Wish(**{"text": LONG, "areas": (COMMUNE,), "start": NOW + HOUR, "title": "Bản tin sáng", **changes})


def at(clock: str) -> datetime:
    return moments.read(clock, NOW, ZONE)


def foreseen(desk: Desk, wanted: Wish, now: datetime = NOW) -> Foreseen:
    return desk.foresee(wanted, EDITOR, now)


def kinds(told: Foreseen) -> list[Kind]:
    return [each.kind for each in told.offers]


def test_a_free_time_meets_nothing_and_nothing_is_written(store: Store, desk: Desk) -> None:
    told = foreseen(desk, wish())
    assert (told.conflicts, told.offers, told.comings) == ((), (), (NOW + HOUR,))
    assert told.budget is not None
    assert (told.budget.used, told.budget.most) == (timedelta(0), None)
    assert store.bookings.list() == []
    assert store.acts.recent() == []


def test_one_that_waits_for_approval_is_met_and_said_in_one_sentence(desk: Desk) -> None:
    desk.announce(wish(), EDITOR, NOW)
    told = foreseen(desk, wish(start=NOW + HOUR + MINUTE))
    [met] = told.conflicts
    assert VIETNAMESE.conflict(met) == (
        "Lúc 11:01 ngày 24/11, 2 cụm loa đang phát “Bản tin sáng” (2 phút 12 giây); bản tin này sẽ phải chờ đến 11:02."
    )
    assert kinds(told) == [Kind.AFTER, Kind.MOVE]
    assert [VIETNAMESE.offer(each) for each in told.offers] == ["Phát ngay sau đó, lúc 11:03", "Chuyển sang 11:05"]


def test_an_offer_that_is_taken_meets_nothing_and_stands(desk: Desk) -> None:
    desk.announce(wish(), APPROVER, NOW)
    wanted = wish(start=NOW + HOUR + MINUTE, text="Văn bản khác. " * 50)
    for offer in foreseen(desk, wanted).offers:
        assert foreseen(desk, replace(wanted, start=offer.start)).conflicts == ()
        desk.consider(replace(wanted, start=offer.start), EDITOR, NOW)


def test_where_only_some_places_are_taken_the_others_are_offered(desk: Desk) -> None:
    desk.announce(wish(areas=(HAMLET,)), APPROVER, NOW)
    told = foreseen(desk, wish(areas=(HAMLET, OTHER_COMMUNE)))
    assert told.conflicts[0].shared == {"loa-1"}
    assert told.offers[-1].areas == (OTHER_COMMUNE,)


def test_the_same_wish_sent_twice_and_its_own_draft_are_not_in_their_own_way(desk: Desk) -> None:
    desk.announce(wish(idempotency_key="k1"), EDITOR, NOW)
    assert foreseen(desk, wish(idempotency_key="k1")).conflicts == ()
    assert len(foreseen(desk, wish(idempotency_key="k2")).conflicts) == 1
    draft = desk.announce(wish(draft=True), EDITOR, NOW)
    desk.submit(draft.announcement_id, Placing((HAMLET,), NOW + 5 * HOUR), EDITOR, NOW)
    mine = desk.foresee(wish(areas=(HAMLET,), start=NOW + 5 * HOUR), EDITOR, NOW, draft.announcement_id)
    assert mine.conflicts == ()


def test_an_emergency_is_told_what_it_cuts_and_is_offered_nothing(desk: Desk) -> None:
    desk.announce(wish(), APPROVER, NOW)
    told = foreseen(desk, wish(start=NOW + HOUR + MINUTE, bulletin_class=BulletinClass.EMERGENCY))
    assert [each.turn for each in told.conflicts] == [Turn.CUTS]
    assert told.offers == ()
    assert "sẽ cắt ngang “Bản tin sáng” trên 2 cụm loa" in VIETNAMESE.conflict(told.conflicts[0], True)


def test_what_comes_again_is_met_on_its_days_and_may_leave_them_out(desk: Desk) -> None:
    desk.announce(wish(start=at("26/11/2026 17:00")), APPROVER, NOW)
    daily = Recurrence("FREQ=DAILY", ZONE)
    told = foreseen(desk, wish(start=at("24/11/2026 17:00"), recurrence=daily))
    assert [each.at for each in told.conflicts] == [at("26/11/2026 17:00")]
    assert (len(told.comings), kinds(told)) == (5, [Kind.AFTER, Kind.MOVE, Kind.SKIP])
    assert told.offers[-1].days == (date(2026, 11, 26),)
    spared = foreseen(desk, wish(start=at("24/11/2026 17:00"), recurrence=replace(daily, but=("2026-11-26",))))
    assert spared.conflicts == ()


def test_a_time_far_beyond_the_horizon_of_plans_is_looked_at_too(desk: Desk) -> None:
    desk.announce(wish(start=NOW + timedelta(days=200)), APPROVER, NOW)
    assert len(foreseen(desk, wish(start=NOW + timedelta(days=200))).conflicts) == 1


def test_what_stands_in_a_programme_is_met_and_waits_for_nobody(store: Store, desk: Desk) -> None:
    slots.with_items(store)
    store.programmes.apply(slots.row())
    met, *others = foreseen(desk, wish(start=at("24/11/2026 16:59"))).conflicts
    assert (met.other.kind, met.turn) == ("opening", Turn.TAKES)
    assert [each.other.kind for each in others] == ["closing"]
    assert "phần mở đầu “Nhạc hiệu” sẽ bị bỏ lỡ" in VIETNAMESE.conflict(met)
    relayed = foreseen(desk, wish(start=at("24/11/2026 18:10"))).conflicts
    assert [each.other.kind for each in relayed] == ["relay"]


def test_a_relay_that_is_sent_waits_for_what_runs_into_it_and_then_is_in_its_middle(store: Store, desk: Desk) -> None:
    store.airing.sources = {"VOV1": Source("VOV1", "https://vov.example/1")}
    store.programmes.apply(slots.row())
    (met,) = foreseen(desk, wish(start=at("24/11/2026 17:59"), text="Họp thôn. " * 300)).conflicts
    assert (met.other.kind, met.other.counts, met.turn) == ("relay", True, Turn.FIRST)
    store.airing.sources = {}
    (met,) = foreseen(desk, wish(start=at("24/11/2026 17:59"), text="Họp thôn. " * 300)).conflicts
    assert (met.other.kind, met.other.counts, met.turn) == ("relay", False, Turn.TAKES)


def test_what_asks_for_a_slot_is_foreseen_where_it_would_stand(store: Store, desk: Desk) -> None:
    slots.with_items(store)
    store.programmes.apply(slots.row())
    told = foreseen(desk, wish(start=None, slot="ban-tin-xa"))
    assert told.comings == (at("24/11/2026 17:00") + timedelta(seconds=11),)
    desk.announce(wish(start=at("24/11/2026 17:01")), APPROVER, NOW)
    met = foreseen(desk, wish(start=None, slot="ban-tin-xa")).conflicts
    assert [each.turn for each in met] == [Turn.FIRST]
    assert refused(foreseen, desk, wish(start=None, slot="khong-co")) == "unknown_series"


def test_the_budget_is_that_of_the_day_and_of_the_policy(desk: Desk) -> None:
    rules = Rulebook(Limits(day_minutes=(5,) * 7, session_minutes=(4,) * 7))
    desk.set_policy(Policy(COMMUNE, date(2026, 1, 1), rules), ADMINISTRATOR, NOW)
    desk.announce(wish(), APPROVER, NOW)
    told = foreseen(desk, wish(start=NOW + 3 * HOUR, text="Mời bà con đi họp."))
    assert told.budget is not None
    assert VIETNAMESE.budget(told.budget, told.estimated) == (
        "Hôm nay: đã đặt 3 trong 5 phút; bản tin này thêm khoảng 2 giây. Buổi phát này sẽ kéo dài 1 trong 4 phút."
    )


def test_offers_keep_the_policy(desk: Desk) -> None:
    desk.announce(wish(), APPROVER, NOW)
    desk.set_policy(Policy(COMMUNE, date(2026, 1, 1), Rulebook(Limits(sessions=(1,) * 7))), ADMINISTRATOR, NOW)
    starts = [each.start for each in foreseen(desk, wish()).offers if each.start]
    assert starts
    assert all(abs(each - NOW - HOUR) < 15 * MINUTE for each in starts)


def test_what_a_policy_forbids_is_refused_while_looking_ahead(desk: Desk) -> None:
    desk.announce(wish(), APPROVER, NOW)
    desk.set_policy(Policy(COMMUNE, date(2026, 1, 1), Rulebook(Limits(sessions=(1,) * 7))), ADMINISTRATOR, NOW)
    assert refused(foreseen, desk, wish(start=NOW + 4 * HOUR)) == "policy"


def test_a_kept_booking_is_foreseen_as_it_stands(store: Store, desk: Desk) -> None:
    made = desk.announce(wish(), EDITOR, NOW)
    later = desk.announce(wish(start=NOW + HOUR + MINUTE), EDITOR, NOW)

    def of(booking: str | None) -> Foreseen:
        row = store.bookings.get(str(booking))
        assert row is not None
        return desk.foresee_booking(row, NOW)

    assert [each.turn for each in of(made.booking_id).conflicts] == [Turn.FIRST]
    assert [each.turn for each in of(later.booking_id).conflicts] == [Turn.WAITS]
    desk.withdraw(str(later.booking_id), EDITOR, NOW)
    assert of(made.booking_id).conflicts == of(later.booking_id).conflicts == ()


def test_what_each_commune_places_itself_meets_nothing_yet(desk: Desk) -> None:
    desk.announce(wish(), APPROVER, NOW)
    assert foreseen(desk, wish(areas=(PROVINCE,), level=Level.PROVINCE)).conflicts == ()


def test_a_place_without_loudspeakers_meets_nothing(desk: Desk) -> None:
    desk.announce(wish(), APPROVER, NOW)
    assert foreseen(desk, wish(areas=("lang-son:na-sam",))).conflicts == ()


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"areas": ()}, "no_area"),
        ({"areas": ("nowhere",)}, "unknown_area"),
        ({"start": NOW - HOUR}, "past_time"),
        ({"start": NOW + 12 * HOUR}, "quiet_hours"),
        ({"recurrence": Recurrence("FREQ=DAILY", ZONE), "start": None}, "recurring_now"),
    ],
)
def test_what_no_wish_may_be_is_refused_as_it_would_be_when_sent(desk: Desk, changes: Any, key: str) -> None:
    assert refused(foreseen, desk, wish(**changes)) == key


def test_a_text_that_is_not_there_yet_has_no_length_and_meets_nothing(store: Store, desk: Desk) -> None:
    on_the_air(store)
    told = foreseen(desk, wish(text=""))
    assert (told.length, told.conflicts) == (timedelta(0), ())


def test_no_time_is_offered_that_would_run_into_quiet_hours(desk: Desk) -> None:
    desk.announce(wish(start=at("20:55")), APPROVER, NOW)
    told = foreseen(desk, wish(start=at("20:56")))
    assert [(each.kind, each.start) for each in told.offers] == [(Kind.MOVE, at("20:50"))], "20:58 would be too late"
