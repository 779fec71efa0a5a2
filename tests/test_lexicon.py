"""Teaching a reading: who may, what fits, what it changes; and what a place inherits."""

from __future__ import annotations

import pytest
from makers_store import COMMUNE, HAMLET, NOW, OTHER_COMMUNE, PROVINCE, Bell, asset, furnish, refused, user

from controller.desk import Desk, Draft, Wish
from controller.desk import lexicon as desk_lexicon
from controller.rights import Role
from controller.store import Store
from controller.store.lexicon import EVERYWHERE
from controller.store.rows import VoiceState

EDITOR, VILLAGER = user(), user("hoa", Role.EDITOR, COMMUNE)


@pytest.fixture
def bell() -> Bell:
    return Bell()


@pytest.fixture
def desk(store: Store, bell: Bell) -> Desk:
    furnish(store)
    return Desk(store, "Asia/Ho_Chi_Minh", bell)


def test_what_is_taught_is_kept_with_who_and_when_and_the_audit_says_so(store: Store, desk: Desk, bell: Bell) -> None:
    desk.teach(COMMUNE, " Nà\n Pàn ", "Nà Pan", EDITOR, NOW)
    (reading,) = store.lexicon.of(COMMUNE)
    assert (reading.written, reading.spoken, reading.taught_by, reading.taught_at) == (
        "Nà Pàn",
        "Nà Pan",
        EDITOR.id,
        NOW,
    )
    act = store.acts.recent(1)[0]
    assert (act.who, act.what, act.subject, act.detail) == ("lan", "taught", COMMUNE, "Nà Pàn = Nà Pan")
    assert bell.rings == 1


def test_a_hamlet_has_what_its_commune_its_province_and_everybody_was_taught(store: Store, desk: Desk) -> None:
    for area, spoken in ((EVERYWHERE, "tất cả"), (PROVINCE, "tỉnh"), (COMMUNE, "xã")):
        desk.teach(area, "Pàn", spoken, EDITOR, NOW)
    desk.teach(PROVINCE, "Kỳ Cùng", "Kì Cùng", EDITOR, NOW)
    assert store.lexicon.readings(HAMLET) == {"Pàn": "xã", "Kỳ Cùng": "Kì Cùng"}
    assert store.lexicon.readings(OTHER_COMMUNE) == {"Pàn": "tỉnh", "Kỳ Cùng": "Kì Cùng"}
    assert store.lexicon.readings("elsewhere") == {"Pàn": "tất cả"}
    assert store.lexicon.readings(EVERYWHERE) == {"Pàn": "tất cả"}


def test_an_author_has_the_readings_of_their_own_area(store: Store, desk: Desk) -> None:
    desk.teach(COMMUNE, "Pàn", "xã", EDITOR, NOW)
    store.people.add(user("mai", Role.EDITOR, COMMUNE))
    assert store.lexicon.for_author("u-mai") == {"Pàn": "xã"}
    assert store.lexicon.for_author("u-lan") == {}
    assert store.lexicon.for_author("nobody") == {}


def test_teaching_again_replaces_and_unteaching_forgets(store: Store, desk: Desk, bell: Bell) -> None:
    desk.teach(COMMUNE, "Pàn", "một", EDITOR, NOW)
    desk.teach(COMMUNE, "Pàn", "hai", EDITOR, NOW)
    assert store.lexicon.readings(COMMUNE) == {"Pàn": "hai"}
    desk.unteach(COMMUNE, "Pàn", EDITOR, NOW)
    desk.unteach(COMMUNE, "Pàn", EDITOR, NOW)
    assert store.lexicon.readings(COMMUNE) == {}
    assert [act.what for act in store.acts.recent(9)].count("untaught") == 1
    assert bell.rings == 3


def test_nobody_teaches_for_an_area_that_is_not_theirs(store: Store, desk: Desk) -> None:
    for area in (PROVINCE, OTHER_COMMUNE, EVERYWHERE):
        assert refused(desk.teach, area, "Pàn", "pan", VILLAGER, NOW) == "not_your_area"
        assert refused(desk.unteach, area, "Pàn", VILLAGER, NOW) == "not_your_area"
    assert refused(desk.teach, "lang-son:nowhere", "Pàn", "pan", EDITOR, NOW) == "unknown_area"
    assert refused(desk.teach, COMMUNE, "Pàn", "pan", user(disabled=True), NOW) == "not_allowed"
    desk.teach(HAMLET, "Pàn", "pan", VILLAGER, NOW)
    assert store.lexicon.of(COMMUNE) == []


@pytest.mark.parametrize("written", ["", " ", "a", "...", "-x", "x-", "12", "\u202e\u200b", "📢📢", "N" * 81, "\x00"])
def test_what_is_no_word_cannot_be_taught(store: Store, desk: Desk, written: str) -> None:
    assert refused(desk.teach, COMMUNE, written, "đọc", EDITOR, NOW) == "bad_written"
    assert store.lexicon.of(COMMUNE) == []


@pytest.mark.parametrize("spoken", ["", "...", "📢", "\u200b", "đ" * 81])
def test_a_reading_is_words(store: Store, desk: Desk, spoken: str) -> None:
    assert refused(desk.teach, COMMUNE, "Pàn", spoken, EDITOR, NOW) == "bad_reading"
    assert store.lexicon.of(COMMUNE) == []


@pytest.mark.parametrize(
    "written", ["x'; DROP TABLE lexicon; --x", "b>Nà</b", "x%_%x", "Na\u0300 Pàn", "ß" * 80, "\ud800xa"]
)
def test_hostile_words_are_kept_as_the_words_they_are(store: Store, desk: Desk, written: str) -> None:
    reading = desk.teach(COMMUNE, written, "đọc", EDITOR, NOW)
    assert store.lexicon.readings(COMMUNE) == {reading.written: "đọc"}


def test_an_area_holds_only_so_many_readings(store: Store, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    assert desk_lexicon.MOST_ENTRIES == 2000
    monkeypatch.setattr(desk_lexicon, "MOST_ENTRIES", 2)
    desk.teach(COMMUNE, "Pàn", "một", EDITOR, NOW)
    desk.teach(COMMUNE, "Kham", "hai", EDITOR, NOW)
    assert refused(desk.teach, COMMUNE, "Liếp", "ba", EDITOR, NOW) == "too_many_readings"
    desk.teach(COMMUNE, "Kham", "bốn", EDITOR, NOW)
    desk.teach(HAMLET, "Liếp", "ba", EDITOR, NOW)
    assert len(store.lexicon.of(COMMUNE)) == 2
    assert [act.what for act in store.acts.recent(9)] == ["taught"] * 4


def test_a_draft_with_the_word_in_it_is_voiced_anew_and_what_was_sent_is_not(store: Store, desk: Desk) -> None:
    drafted = desk.announce(Wish("Họp tại nà pàn.", draft=True), EDITOR, NOW).announcement_id
    other = desk.announce(Wish("Họp tại xã.", draft=True), EDITOR, NOW).announcement_id
    sent = desk.announce(Wish("Họp tại Nà Pàn.", areas=(COMMUNE,)), EDITOR, NOW).announcement_id
    store.assets.put(asset())
    for each in (drafted, other, sent):
        held = store.announcements.get(each)
        assert held
        assert store.announcements.set_voiced(each, held.script_hash, asset().sha256)
    desk.teach(EVERYWHERE, "Nà Pàn", "Nà Pan", EDITOR, NOW)
    assert [store.announcements.get(each).voice_state for each in (drafted, other, sent)] == [  # type: ignore[union-attr]
        VoiceState.WAITING,
        VoiceState.DONE,
        VoiceState.DONE,
    ]
    desk.edit(drafted, 1, Draft("Họp tại Nà Pàn."), EDITOR, NOW)


def test_two_areas_keep_the_same_word_apart(store: Store, desk: Desk) -> None:
    desk.teach(COMMUNE, "Pàn", "một", EDITOR, NOW)
    desk.teach(OTHER_COMMUNE, "Pàn", "hai", EDITOR, NOW)
    desk.unteach(COMMUNE, "Pàn", EDITOR, NOW)
    assert store.lexicon.readings(OTHER_COMMUNE) == {"Pàn": "hai"}


@pytest.mark.parametrize(("written", "text"), [("văn hoá", "Nhà VĂN HÓA."), ("Nà Pàn", "Họp ở Nà\n  Pàn.")])
def test_a_draft_is_voiced_anew_wherever_the_newsroom_finds_the_word(
    store: Store, desk: Desk, written: str, text: str
) -> None:
    drafted = desk.announce(Wish(text, draft=True), EDITOR, NOW).announcement_id
    store.assets.put(asset())
    held = store.announcements.get(drafted)
    assert held
    assert store.announcements.set_voiced(drafted, held.script_hash, asset().sha256)
    desk.teach(EVERYWHERE, written, "cách đọc", EDITOR, NOW)
    voiced = store.announcements.get(drafted)
    assert voiced
    assert voiced.voice_state is VoiceState.WAITING


def test_what_was_taught_around_an_area_is_listed_with_its_parents_and_children(store: Store, desk: Desk) -> None:
    for area in (EVERYWHERE, PROVINCE, COMMUNE, OTHER_COMMUNE, HAMLET):
        desk.teach(area, "Pàn", "pan", EDITOR, NOW)
    assert [each.area for each in store.lexicon.around(COMMUNE)] == sorted([EVERYWHERE, PROVINCE, COMMUNE, HAMLET])
    assert [each.area for each in store.lexicon.around(HAMLET)] == sorted([EVERYWHERE, PROVINCE, COMMUNE, HAMLET])
    assert len(store.lexicon.around(EVERYWHERE)) == 5
    for stranger in (f"{COMMUNE}_", f"{PROVINCE}:%"):
        assert {each.area for each in store.lexicon.around(stranger)} == {EVERYWHERE, PROVINCE}
