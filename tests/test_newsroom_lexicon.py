"""A place's own readings go before every rule; and what a person is asked about: capitals and slips of the keyboard."""

from __future__ import annotations

import tomllib
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.newsroom import MOST_ENTRY_CHARS, has_words, one_line, reason, spoken
from controller.newsroom.acronyms import UNKNOWN
from controller.newsroom.editor import PASSES
from controller.newsroom.slips import SYLLABLE
from controller.newsroom.strangers import ACCENTLESS, LANGUAGE, SCRIPT
from words import LANGUAGES

LEXICON = {
    "Nà Pàn": "Nà Pan",
    "Nà Pàn Trên": "Nà Pan ở trên",
    "QL1A": "đường một cũ",
    "then": "thèn",
    "UBND": "Ủy ban",
    "hoà": "hoa",
}


@pytest.mark.parametrize(
    ("written", "heard"),
    [
        ("thôn Nà Pàn", "thôn Nà Pan"),
        ("thôn Nà Pàn Trên", "thôn Nà Pan ở trên"),
        ("THÔN NÀ PÀN", "THÔN Nà Pan"),
        ("thôn nà pàn", "thôn nà pàn"),
        ("thôn Nà Pành", "thôn Nà Pành"),
        ("hát Then, hát then", "hát thèn, hát thèn"),
        ("authentic then2", "authentic then hai"),
        ("UBND xã, trên QL1A", "Ủy ban xã, trên đường một cũ"),
        ("hòa và hoà", "hoa và hoa"),
        ("7h30 tại Nà Pàn", "bảy giờ ba mươi phút tại Nà Pan"),
    ],
)
def test_a_taught_word_is_read_as_taught(written: str, heard: str) -> None:
    assert spoken(written, LEXICON).text == heard


def test_a_taught_word_is_a_rewrite_with_its_reason_and_no_longer_flagged() -> None:
    said = spoken("Dự án XKCD tại Nà Pàn", {"XKCD": "ích ca", "Nà Pàn": "Nà Pan"})
    assert [(each.written, each.why) for each in said.rewrites] == [("XKCD", "lexicon"), ("Nà Pàn", "lexicon")]
    assert all(said.source[each.start : each.end] == each.written for each in said.rewrites)
    assert said.flags == ()


def test_figures_in_a_taught_reading_become_words() -> None:
    assert spoken("trạm X5", {"X5": "số 5, tổ 2"}).text == "trạm số năm, tổ hai"


@pytest.mark.parametrize(
    "lexicon",
    [
        {"": "trống"},
        {"Nà Pàn": ""},
        {"Nà Pàn": "   \n"},
        {"...": "ba chấm"},
        {"N" * 81: "dài"},
        {"\ue000": "dấu", "\u202e": "ngược", "\x00": "không"},
    ],
)
def test_an_entry_that_is_none_changes_nothing(lexicon: dict[str, str]) -> None:
    text = "Họp tại Nà Pàn lúc 7h.\n" + "N" * 90
    assert spoken(text, lexicon).text == spoken(text).text


_WORDS = st.text(st.sampled_from("aàbNP12 .-\n\u0301"), max_size=12)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=120) | _WORDS, st.dictionaries(st.text(max_size=20) | _WORDS, st.text(max_size=20), max_size=8))
def test_any_lexicon_leaves_no_digit_and_true_spans(text: str, lexicon: dict[str, str]) -> None:
    said = spoken(text, lexicon)
    assert not any(char.isdigit() for char in said.text)
    assert all(said.source[each.start : each.end] == each.written for each in said.rewrites)
    ends = [0, *(each.end for each in said.rewrites)]
    assert all(each.start >= end for each, end in zip(said.rewrites, ends, strict=False))


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=30))
def test_every_word_can_be_taught(word: str) -> None:
    written = one_line(word)
    if written and written[0].isalnum() and not any(unicodedata.combining(char) for char in written):
        assert spoken(written, {written: "như đã dạy"}).text == "như đã dạy"


@pytest.mark.timeout(60)  # entries tried one after another at each word would take an hour
def test_a_full_lexicon_of_like_words_takes_no_longer_than_the_text() -> None:
    lexicon = {f"{'a' * (each % 70 + 1)} b{each}": "một" for each in range(2000)}
    assert not any(char.isdigit() for char in spoken("a " * 50_000 + "aaaa b3", lexicon).text)


def test_an_entry_is_one_line_of_limited_length() -> None:
    assert MOST_ENTRY_CHARS == 80
    assert one_line("  Nà\n\tPàn\u200b ") == "Nà Pàn"


# --- what a person is asked ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "keys", "meant"),
    [
        ("thoong baos hopj", "telex", "thông báo họp"),
        ("Nguyeenx Vawn dduowngf", "telex", "Nguyễn Văn đường"),
        ("bafn vieecj hoaf quaan", "telex", "bàn việc hòa quân"),
        ("quyeets ddinhj gias giuwx", "telex", "quyết định giá giữ"),
        ("tho6ng ba1o d9i", "vni", "thông báo đi"),
        ("ho5p nu7o7c1 quye6t1", "vni", "họp nước quyết"),
    ],
)
def test_a_slip_of_the_keyboard_is_reported_with_what_was_meant(written: str, keys: str, meant: str) -> None:
    flags = spoken(written).flags
    assert [flag.written for flag in flags] == written.split()
    assert [flag.suggestion for flag in flags] == meant.split()
    assert {flag.why for flag in flags} == {keys}


@pytest.mark.parametrize(
    "text",
    [
        "bình gas 12kg, xe bus, tủ box, quán bar",
        "xoong nồi, boong tàu, cái xoong",
        "email, online, Facebook, website, test nhanh",
        "200 m2, 15 m3, 35kV, 4G, H5N1, xăng E5",
        "xem tại congan@langson.gov.vn, www.baos.vn",
        "hòa bình, hoà bình, thuỷ lợi, khoẻ mạnh, quý, quí, kỉ luật",
        "Tày, Nùng, Dao, Mông; Pác Nặm, Bắc Xa, Kéo Kham",
        "QL1A, Km5+200, lớp 10A1, ĐT.234",
    ],
)
def test_what_is_right_is_not_reported(text: str) -> None:
    assert spoken(text).flags == ()


def test_letters_of_several_meanings_are_told_apart_or_asked_about() -> None:
    assert spoken("Đoàn TN xã").text == "Đoàn Thanh niên xã"
    assert spoken("thi TN THPT").text == "thi tốt nghiệp trung học phổ thông"
    assert [flag.written for flag in spoken("Số liệu TN tháng này").flags] == ["TN"]


def test_a_word_in_capitals_among_words_in_capitals_is_no_acronym() -> None:
    assert spoken("CA NGỢI TẤM GƯƠNG").text == "CA NGỢI TẤM GƯƠNG"
    assert spoken("CA xã").text == "Công an xã"


@pytest.mark.parametrize("text", ["", " \n\t", "📢🎉", "\u202e\u200f", "\x00\x1b", "\ue000\ue001", "....", "—"])
def test_text_without_a_word_is_read_as_none(text: str) -> None:
    assert not has_words(spoken(text).text)
    assert spoken(text).flags == ()


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("Họp \u202elúc\u202c 7h\u200f30", "Họp lúc bảy giờ ba mươi phút"),
        ("lúc\xa07h\u200b30", "lúc bảy giờ ba mươi phút"),
        ("có ٤٢ hộ, １５ người", "có bốn mươi hai hộ, mười lăm người"),
        ("Москва 5 km, 東京 3 giờ", "Москва năm ki lô mét, 東京 ba giờ"),
        ("xã\x00 Đồng\x1b Đăng", "xã Đồng Đăng"),
        ("đe\u0302\u0301n ngày 5", "đến ngày năm"),
    ],
)
def test_marks_controls_and_other_scripts_do_no_harm(text: str, heard: str) -> None:
    assert spoken(text).text == heard


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        ("Mời bà con. 中文公告, 通知 của xã.", [("中文公告, 通知", SCRIPT)]),
        ("Привет всем, bà con!", [("Привет всем", SCRIPT)]),
        (
            "Kính mời bà con. Please attend the meeting tomorrow.",
            [("Please attend the meeting tomorrow", LANGUAGE)],
        ),
        ("Kinh moi ba con den nha van hoa hop.", [("Kinh moi ba con den nha van hoa hop", ACCENTLESS)]),
        (
            "Thong bao cat dien ngay mai tai thon ba de sua duong day",
            [("Thong bao cat dien ngay mai tai thon ba de sua duong day", ACCENTLESS)],
        ),
        (
            "Mời bà con. Nuoc lu dang len nhanh, de nghi di doi nguoi gia va tre em.",
            [("Nuoc lu dang len nhanh, de nghi di doi nguoi gia va tre em", ACCENTLESS)],
        ),
        ("Happy new year to all of you.", [("Happy new year to all of you", LANGUAGE)]),
        ("Hai con trai đi xa ba nam.", []),
        ("Samsung Electronics Vietnam.", []),
        ("Bà con thôn Nà Pàn, Khuổi Mươi, Kéo Còi đến họp.", []),
        ("UBND QĐ HĐND TT BTTTT", []),
        ("Truy cập facebook, zalo, internet, website, email.", []),
        ("a b c d e f g h", []),
    ],
)
def test_what_is_not_vietnamese_is_reported_and_left_alone(text: str, flags: list[tuple[str, str]]) -> None:
    read = spoken(text)
    assert [(flag.written, flag.why) for flag in read.flags if flag.why != UNKNOWN] == flags
    assert all(read.source[flag.start : flag.end] == flag.written for flag in read.flags)
    assert all(written in read.text for written, _ in flags)


def test_every_reason_can_be_said_in_every_language() -> None:
    codes = {rule.why for rule in PASSES} | {"lexicon", "telex", "vni", UNKNOWN, SCRIPT, LANGUAGE, ACCENTLESS, SYLLABLE}
    for language in LANGUAGES:
        assert all(reason(code, language) for code in codes)
        known = {key.removeprefix("why_") for key in _sentences(language) if key.startswith("why_")}
        assert known == codes


def _sentences(language: str) -> dict[str, str]:
    return tomllib.loads((Path(__file__).parents[1] / "words" / language / "newsroom.toml").read_text("utf-8"))


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("lô CN-05", ["CN"]),
        ("KH Viettel và CĐ Viettel", ["KH", "CĐ"]),
        ("BTC và ĐBP", ["BTC", "ĐBP"]),
        ("mẫu CT01, CT05", ["CT"]),
        ("đ/v các hộ, t/h và b/c", ["đ/v", "t/h"]),
        ("Người dân nộp thuế qua ứng dụng eTax, số kWh, VNeID, TikTok", ["eTax"]),
        ("Xem Tr. này", ["Tr."]),
        ("họp CN, THT sản xuất", []),
    ],
)
def test_letters_that_nothing_beside_them_decides_are_reported(text: str, asked: list[str]) -> None:
    assert [flag.written for flag in spoken(text).flags] == asked


def test_a_code_that_no_table_knows_is_spelt_and_reported() -> None:
    read = spoken("Công văn số 12/QĐ-XKCD của UBND, số 13/QĐ-UBND")
    assert [(flag.written, flag.why) for flag in read.flags] == [("12/QĐ-XKCD", UNKNOWN)]
    assert "mười hai trên quyết định ích ca xê dê" in read.text
