"""The spoken form for the eye: every rewrite marked exactly where it is read, whatever was typed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.newsroom import Spoken, spoken
from controller.web import seen as seen_room
from controller.web.seen import Seen, seen

TEXT = (
    "Thông báo: ngày 25/11/2026, UBND xã họp lúc 7h30 – 8h với XYZQ 🔊 và 3 hộ.\n"
    "- Mang sổ/bút, khoong muộn (QĐ 15/2026/QĐ-UBND)! Ba hộ, 3 hộ."
)
HOSTILE = {
    "markup": "<script>alert(1)</script> & \"UBND\" 'x' 5%",
    "right to left": "\u202e\u2067UBND 7h30\u202c abc \u200f12 hộ",
    "marks": "a" + "\u0301" * 300 + " 7h30",
    "figures": "1 " * 10_000,
    "unknown": "XYZQ. " * 3_300,
    "one word": "a" * 20_000,
    "one sentence": "một hộ, " * 2_500,
    "sentences": "A. " * 6_600,
    "pictures": "🔊" * 20_000,
    "signs": "<>|{}[]+=~^$#*_ " * 1_200,
    "english": "The meeting will start at 7h30 in the hall of XYZQ. " * 350,
    "accentless": "moi ba con den hop tai nha van hoa thon luc 7h30. " * 350,
    "script": "村民会议 7h30 собрание. " * 800,
    "blank": " \n\t ",
}


def marked(found: Seen) -> list[tuple[str, str]]:
    """What is marked, in order: written, and the stretch of the spoken form."""
    return [(bit.change.written, bit.text) for line in found.lines for bit in line.bits if bit.change]


def whole(found: Seen) -> str:
    """All letters and digits that are shown."""
    text = "".join(bit.text for line in found.lines for bit in line.bits) + found.rest
    return "".join(char for char in text if char.isalnum())


def test_each_rewrite_is_marked_where_it_is_read_and_nowhere_else() -> None:
    found = seen(spoken(TEXT))
    assert marked(found) == [
        ("25/11/2026", "hai mươi lăm tháng mười một năm hai nghìn hai mươi sáu"),
        ("UBND", "Ủy ban nhân dân"),
        ("7h30", "bảy giờ ba mươi phút"),
        ("–", "đến"),
        ("8h", "tám giờ"),
        ("XYZQ", "ích i dét quy"),
        ("🔊", ""),
        ("3", "ba"),
        ("/", ","),
        ("khoong", "khoong"),
        ("QĐ", "quyết định"),
        ("15/2026/QĐ-UBND", "mười lăm trên hai nghìn hai mươi sáu trên quyết định Ủy ban nhân dân"),
        ("3", "ba"),
    ]
    last = found.lines[-1]
    assert [bit.text for bit in last.bits] == ["Ba hộ, ", "ba", " hộ."]


def test_what_is_not_read_is_marked_and_its_neighbours_are_not() -> None:
    found = seen(spoken("Liên hệ trạm y tế 🔊. Cảm ơn 🔊 bà con."))
    assert marked(found) == [("🔊", ""), ("🔊", "")]
    assert [line.text for line in found.lines] == ["Liên hệ trạm y tế.", "Cảm ơn bà con."]


def test_lines_are_the_sentences_that_a_voice_reads() -> None:
    read = spoken(TEXT)
    found = seen(read)
    assert [line.number for line in found.lines] == [0, 1, 2]
    assert [line.ends for line in found.lines] == [True, False, True]
    assert all(line.text in read.text for line in found.lines)
    assert whole(found) == "".join(char for char in read.text if char.isalnum())


def test_what_is_doubtful_is_told_from_what_is_known_with_what_was_probably_meant() -> None:
    found = seen(spoken(TEXT))
    assert [(change.written, change.why, change.suggestion) for change in found.doubts] == [
        ("XYZQ", "unknown_capitals", ""),
        ("khoong", "telex", "không"),
    ]
    assert [change.number for change in found.changes] == list(range(len(found.changes)))


def test_a_sentence_in_doubt_is_marked_around_what_is_rewritten_in_it() -> None:
    found = seen(spoken("Họp thôn. The meeting will start at 7h30 in the village hall. Mời bà con."))
    [doubt] = found.doubts
    assert (doubt.why, doubt.written) == ("language", "The meeting will start at 7h30 in the village hall")
    assert [bit.text for bit in found.lines[1].bits if bit.change == doubt] == [
        "The meeting will start at",
        "in the village hall",
    ]
    assert ("7h30", "bảy giờ ba mươi phút") in marked(found)


def test_a_lexicon_s_word_is_marked_and_no_longer_doubtful() -> None:
    found = seen(spoken(TEXT, {"XYZQ": "ban dự án"}))
    assert ("XYZQ", "ban dự án") in marked(found)
    assert [change.written for change in found.doubts] == ["khoong"]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_is_shown_whole_in_bounded_pieces(text: str) -> None:
    read = spoken(text)
    found = seen(read)
    assert whole(found) == "".join(char for char in read.text if char.isalnum())
    assert len(found.lines) <= seen_room.MOST_LINES
    assert all(len(line.text) <= seen_room.MOST_LINE_CHARS for line in found.lines)
    assert len(marked(found)) <= seen_room.MOST_MARKS


@given(st.text(alphabet="aàUBNDXYZ 0123456789.,;:/-–%<>&\n🔊\u0301\u202e(\"h'", max_size=200))
def test_any_text_loses_no_letter(text: str) -> None:
    read = spoken(text)
    found = seen(read)
    assert whole(found) == "".join(char for char in read.text if char.isalnum())
    for line in found.lines:
        assert "".join(bit.text for bit in line.bits).strip() == line.text


def test_rewrites_of_another_version_are_not_marked_in_the_wrong_place() -> None:
    read = spoken("Họp lúc 7h30 tại xã.")
    stale = replace(read, text="Họp.")
    assert marked(seen(stale)) == []
    assert seen(Spoken("", "", (), ())) == Seen((), ())
