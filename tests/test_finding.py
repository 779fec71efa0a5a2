"""Finding announcements again, on SQLite and PostgreSQL alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from hypothesis import given
from hypothesis import strategies as st
from makers_store import COMMUNE, HAMLET, NOW, OTHER_COMMUNE, PROVINCE, announcement, booking, furnish

from controller.store import Store
from controller.store.finding import MOST_PAGE, Sought, plain, words_of
from controller.store.migrations.versions import m0018_findable
from controller.store.rows import AnnouncementState
from wire.plan import BulletinClass

TEXTS = (
    ("Tiêm phòng cho trẻ em", "Trạm y tế xã tiêm phòng sởi ngày 25/11.", (COMMUNE,)),
    ("Lịch cắt điện", "Thôn 2 tạm ngừng cấp điện từ 7h.", (HAMLET,)),
    ("Đề phòng lũ quét", "Mưa to, đề phòng lũ quét và sạt lở đất.", (PROVINCE,)),
    ("Họp thôn", "Mời bà con đến nhà văn hoá.", (OTHER_COMMUNE,)),
    ("Một việc ở cụm loa", "Thử loa tại trạm.", ("loa-3",)),
)


@pytest.fixture
def filled(store: Store) -> Store:
    """Five approved announcements, each placed where `TEXTS` says."""
    furnish(store)
    for number, (title, text, areas) in enumerate(TEXTS, start=1):
        made = announcement(
            number,
            title=title,
            text=text,
            state=AnnouncementState.APPROVED,
            created_at=NOW + timedelta(days=number),
            bulletin_class=BulletinClass.PRIORITY if number == 3 else BulletinClass.ORDINARY,
        )
        store.announcements.create(made, booking(number, areas=areas))
    return store


def names(store: Store, words: str = "", **more: Any) -> list[str]:
    return [each.announcement.id for each in store.finder.find(Sought(words, **more))]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("tiêm phòng", ["a1"]),
        ("TIEM PHONG", ["a1"]),
        ("tram", ["a5", "a1"]),
        ("đe phong", ["a3"]),
        ("de ph", ["a3"]),
        ("lu quet dat", ["a3"]),
        ("25/11", ["a1"]),
        ("cắt lũ", []),
        ("oa", []),
        ("", ["a5", "a4", "a3", "a2", "a1"]),
        ("  ,;  ", ["a5", "a4", "a3", "a2", "a1"]),
    ],
)
def test_words_are_found_without_accents_and_as_they_begin_the_newest_first(
    filled: Store, words: str, found: list[str]
) -> None:
    assert names(filled, words) == found


@pytest.mark.parametrize(
    ("area", "found"),
    [
        (PROVINCE, ["a5", "a4", "a3", "a2", "a1"]),
        (COMMUNE, ["a2", "a1"]),
        (HAMLET, ["a2"]),
        (OTHER_COMMUNE, ["a5", "a4"]),
        ("nowhere", []),
        ("*", ["a5", "a4", "a3", "a2", "a1"]),
    ],
)
def test_an_area_is_found_with_all_below_it(filled: Store, area: str, found: list[str]) -> None:
    assert names(filled, areas=(area,)) == found


def test_what_one_wrote_oneself_is_found_wherever_it_is(filled: Store) -> None:
    filled.announcements.create(
        announcement(6, author="u-hoa", text="Chưa đặt giờ.", state=AnnouncementState.SUBMITTED)
    )
    assert names(filled, areas=(HAMLET,)) == ["a2"]
    assert names(filled, areas=(HAMLET,), or_by="u-hoa") == ["a6", "a2"]
    assert names(filled, "gio", areas=(HAMLET,), or_by="u-hoa") == ["a6"]


@pytest.mark.parametrize("state", [AnnouncementState.DRAFT, AnnouncementState.RETURNED])
def test_what_is_not_sent_is_its_authors_alone(filled: Store, state: AnnouncementState) -> None:
    filled.announcements.create(announcement(6, text="Còn đang viết.", state=state))
    assert names(filled, "viet") == names(filled, "viet", asking="u-hoa") == []
    assert names(filled, "viet", asking="u-lan") == ["a6"]


def test_kind_state_and_time_narrow_it(filled: Store) -> None:
    assert names(filled, bulletin_class=BulletinClass.PRIORITY) == ["a3"]
    assert names(filled, state=AnnouncementState.WITHDRAWN) == []
    assert names(filled, since=NOW + timedelta(days=2), until=NOW + timedelta(days=4)) == ["a3", "a2"]


def test_the_next_page_begins_where_the_last_one_ended(filled: Store) -> None:
    first = filled.finder.find(Sought(), limit=2)
    second = filled.finder.find(Sought(below=first[-1].number), limit=2)
    third = filled.finder.find(Sought(below=second[-1].number), limit=2)
    assert [each.announcement.id for page in (first, second, third) for each in page] == names(filled)


def test_a_page_has_its_bounds(filled: Store) -> None:
    assert len(filled.finder.find(Sought(), limit=-5)) == 1
    assert len(filled.finder.find(Sought(), limit=10 * MOST_PAGE)) == 5


def test_changed_words_are_found_and_the_old_ones_are_not(filled: Store) -> None:
    held = filled.announcements.get("a1")
    assert held is not None
    filled.announcements.update(replace(held, title="Uống vitamin", text="Mời đến trạm."), held.version)
    assert names(filled, "soi") == []
    assert names(filled, "vitamin tram", areas=(COMMUNE,)) == ["a1"]


def test_a_second_booking_is_one_more_place(filled: Store) -> None:
    filled.bookings.add(booking(9, announcement="a1", areas=(OTHER_COMMUNE,)))
    assert names(filled, "tiem", areas=(OTHER_COMMUNE,)) == names(filled, "tiem", areas=(COMMUNE,)) == ["a1"]


def test_what_was_there_before_the_migration_is_found(filled: Store) -> None:
    before = [names(filled, words, areas=(area,)) for words in ("", "lu", "tram") for area in ("*", PROVINCE, HAMLET)]
    with filled.database.changing_shape() as connection:
        if filled.database.is_sqlite:
            connection.execute(sa.text("DROP TABLE findable_text"))
        connection.execute(sa.text("DROP TABLE findable"))
        with Operations.context(MigrationContext.configure(connection)):
            m0018_findable.upgrade()
    assert [
        names(filled, words, areas=(area,)) for words in ("", "lu", "tram") for area in ("*", PROVINCE, HAMLET)
    ] == before


HOSTILE = [
    '"',
    "'; DROP TABLE findable; --",
    "a AND OR NOT",
    "* ^ : ( ) { }",
    "NEAR(a b)",
    "\x00",
    "𝕬",
    "a" * 5000,
    "a " * 5000,
]


@pytest.mark.parametrize("words", HOSTILE)
def test_nothing_that_is_typed_is_more_than_words(filled: Store, words: str) -> None:
    assert isinstance(names(filled, words, areas=(words[:200],), or_by=words[:200]), Sequence)
    assert len(names(filled)) == 5


@given(st.text(max_size=40), st.text(max_size=40))
def test_folded_words_are_letters_figures_and_single_spaces(title: str, text: str) -> None:
    folded = words_of(title, text)
    assert folded == " ".join(folded.split())
    assert all(char in "abcdefghijklmnopqrstuvwxyz0123456789 " for char in folded)
    assert words_of(folded, "") == folded


def test_plain_text_has_no_accents() -> None:
    assert plain("  Đề   PHÒNG lũ  ") == "de phong lu"
