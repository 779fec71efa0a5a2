"""CAP alerts at the desk: each waits for a person, whoever took it in; updates and cancels touch what still waits."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from makers_web import HAMLET, NOON, Town, settled_town

from controller.cap import CapError
from controller.desk import DeskError
from controller.store.rows import Act, Announcement, AnnouncementState, User
from wire.plan import BulletinClass

GOLDEN = Path(__file__).parent / "golden" / "cap"
NOW = NOON - timedelta(hours=2)  # 10:00


def raw(name: str) -> bytes:
    return (GOLDEN / f"{name}.xml").read_bytes()


@pytest.fixture
def town(tmp_path: Path):  # type: ignore[no-untyped-def]
    with settled_town(tmp_path) as made:
        yield made


def boss(town: Town) -> User:
    return next(each for each in town.store.people.all() if each.area == "*")


def got(town: Town, name: str | None) -> Announcement:
    found = town.store.announcements.get(name or "")
    assert found
    return found


def acts(town: Town) -> list[Act]:
    return [each.act for each in town.store.acts.links()]


def test_an_alert_waits_for_approval_even_of_whoever_may_do_everything(town: Town) -> None:
    made = town.desk.take_in(raw("thunderstorm"), boss(town), NOW)
    held = got(town, made.row.announcement)
    assert (held.state, held.bulletin_class, held.drill) == (
        AnnouncementState.SUBMITTED,
        BulletinClass.EMERGENCY,
        False,
    )
    (booking,) = town.store.bookings.of(held.id)
    assert booking.areas == ("lang-son:dong-dang",)
    assert made.row.unknown == ("Xã Na Dương",)
    assert town.store.bookings.unplaced() == []
    assert [each.what for each in acts(town)][-1:] == ["took in alert"]
    with pytest.raises(CapError, match="before"):
        town.desk.take_in(raw("thunderstorm"), boss(town), NOW)
    assert [each.what for each in acts(town)][-1:] == ["refused alert"]


def test_it_is_never_heard_after_its_end(town: Town) -> None:
    made = town.desk.take_in(raw("thunderstorm"), boss(town), NOW)
    town.desk.approve(made.row.announcement or "", boss(town), NOW + timedelta(hours=1))
    (booking,) = town.store.bookings.of(made.row.announcement or "")
    assert booking.start
    assert booking.start + timedelta(seconds=booking.late_for_seconds) == made.row.expires
    late = town.desk.take_in(raw("flood"), boss(town), NOW)
    at = late.row.expires
    with pytest.raises(DeskError, match="expired"):
        town.desk.approve(late.row.announcement or "", boss(town), at)


def test_an_exercise_is_a_drill(town: Town) -> None:
    assert got(town, town.desk.take_in(raw("exercise"), boss(town), NOW).row.announcement).drill


def test_an_update_takes_the_place_of_what_waits(town: Town) -> None:
    first = town.desk.take_in(raw("thunderstorm"), boss(town), NOW)
    second = town.desk.take_in(raw("update"), boss(town), NOW)
    assert got(town, first.row.announcement).state is AnnouncementState.WITHDRAWN
    assert got(town, second.row.announcement).state is AnnouncementState.SUBMITTED


def test_a_cancel_takes_back_what_waits_and_makes_nothing_else(town: Town) -> None:
    first = town.desk.take_in(raw("thunderstorm"), boss(town), NOW)
    made = town.desk.take_in(raw("cancel"), boss(town), NOW)
    assert made.announcement is None
    assert got(town, first.row.announcement).state is AnnouncementState.WITHDRAWN


def test_a_cancel_of_what_was_approved_prepares_the_words_and_withdraws_nothing(town: Town) -> None:
    first = town.desk.take_in(raw("thunderstorm"), boss(town), NOW)
    town.desk.approve(first.row.announcement or "", boss(town), NOW)
    made = town.desk.take_in(raw("cancel"), boss(town), NOW)
    assert got(town, first.row.announcement).state is AnnouncementState.APPROVED
    held = got(town, made.row.announcement)
    assert held.state is AnnouncementState.SUBMITTED
    assert "đã được hủy" in held.text
    assert made.row.areas == ("lang-son:dong-dang",)


def test_codes_name_areas_and_senders_can_be_named(town: Town) -> None:
    town.desk.set_codes(HAMLET, ["GSO=06496"], boss(town), NOW)
    town.desk.alert_senders = frozenset({"other@example.vn"})
    with pytest.raises(CapError, match="not among"):
        town.desk.take_in(raw("thunderstorm"), boss(town), NOW)
    town.desk.alert_senders = frozenset({"canhbao@kttv.example.vn"})
    made = town.desk.take_in(raw("thunderstorm"), boss(town), NOW)
    assert (made.row.unknown, made.row.notes) == ((), ())
    with pytest.raises(DeskError):
        town.desk.set_codes(HAMLET, ["06496"], boss(town), NOW)
