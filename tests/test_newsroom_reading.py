"""Reading written Vietnamese: figures, dates, times, units, money, documents, acronyms."""

from __future__ import annotations

import pytest

from controller.newsroom import spoken

CASES = [
    ("có 0 ca", "có không ca"),
    ("21 hộ", "hai mươi mốt hộ"),
    ("15 hộ", "mười lăm hộ"),
    ("105 hộ", "một trăm linh năm hộ"),
    ("1.234.567 người", "một triệu hai trăm ba mươi tư nghìn năm trăm sáu mươi bảy người"),
    ("1 500 000 cây", "một triệu năm trăm nghìn cây"),
    ("tăng 8,35%", "tăng tám phẩy ba năm phần trăm"),
    ("-3°C", "âm ba độ c"),
    ("ngày 24/11/2025", "ngày hai mươi tư tháng mười một năm hai nghìn hai mươi lăm"),
    ("Sáng 5-4-2025", "Sáng ngày năm tháng tư năm hai nghìn hai mươi lăm"),
    ("2025-11-24", "ngày hai mươi tư tháng mười một năm hai nghìn hai mươi lăm"),
    ("lễ 2/9", "lễ ngày hai tháng chín"),
    ("từ 15-20/6", "từ mười lăm đến hai mươi tháng sáu"),
    ("tháng 4/2026", "tháng tư năm hai nghìn hai mươi sáu"),
    ("quý I/2022", "quý một năm hai nghìn hai mươi hai"),
    ("1/2 số hộ", "một phần hai số hộ"),
    ("12/18 xã", "mười hai trên mười tám xã"),
    ("lúc 7h30", "lúc bảy giờ ba mươi phút"),
    ("lúc 19h45'", "lúc mười chín giờ bốn mươi lăm phút"),
    ("từ 7h-9h15", "từ bảy giờ đến chín giờ mười lăm phút"),
    ("từ 8:00 đến 10:30", "từ tám giờ đến mười giờ ba mươi phút"),
    ("70-120 mm", "bảy mươi đến một trăm hai mươi mi li mét"),
    ("4,8 tấn/ha", "bốn phẩy tám tấn trên héc ta"),
    ("2 lần/ngày", "hai lần trên ngày"),
    ("giá 50.000đ/kg", "giá năm mươi nghìn đồng trên ki lô gam"),
    ("1,5 tỷ VNĐ", "một phẩy năm tỷ đồng"),
    ("gọi 0912.345.678", "gọi không chín một hai, ba bốn năm, sáu bảy tám"),
    ("gọi 114", "gọi một một bốn"),
    ("có 114 hộ", "có một trăm mười bốn hộ"),
    ("số 197/QĐ-UBND", "số một trăm chín mươi bảy trên quyết định Ủy ban nhân dân"),
    ("49/2024/NĐ-CP", "bốn mươi chín trên hai nghìn hai mươi tư trên nghị định Chính phủ"),
    ("số 57-NQ/TW", "số năm mươi bảy nghị quyết Trung ương"),
    ("QL1A và QL 4B", "quốc lộ một A và quốc lộ bốn B"),
    ("TP. Lạng Sơn", "thành phố Lạng Sơn"),
    ("HĐND – UBND xã", "Hội đồng nhân dân – Ủy ban nhân dân xã"),
    ("KT-XH", "kinh tế, xã hội"),
    ("thế kỷ XXI", "thế kỷ hai mươi mốt"),
    ("Chú ý 📢 bão!", "Chú ý bão!"),
    ("- Trực 24/24h", "Trực hai mươi tư trên hai mươi tư giờ"),
]


@pytest.mark.parametrize(("written", "heard"), CASES, ids=[written for written, _ in CASES])
def test_it_is_read_as_a_presenter_reads_it(written: str, heard: str) -> None:
    assert spoken(written).text == heard


def test_each_rewrite_says_where_it_stood_and_why() -> None:
    said = spoken("UBND xã họp lúc 7h30.")
    assert [(r.written, r.spoken, r.why) for r in said.rewrites] == [
        ("UBND", "Ủy ban nhân dân", "acronym"),
        ("7h30", "bảy giờ ba mươi phút", "clock"),
    ]
    assert all(said.source[r.start : r.end] == r.written for r in said.rewrites)


def test_capitals_in_no_table_are_spelt_out_and_flagged() -> None:
    said = spoken("Dự án XKCD họp.")
    assert [flag.written for flag in said.flags] == ["XKCD"]
    assert said.text == "Dự án ích ca xê dê họp."


def test_a_title_in_capitals_is_words_and_not_flagged() -> None:
    said = spoken("THÔNG BÁO KHẨN CẤP VỀ VIỆC DI DỜI")
    assert not said.flags
    assert said.text == "THÔNG BÁO KHẨN CẤP VỀ VIỆC DI DỜI"


def test_a_line_broken_in_mid_sentence_is_joined_and_a_heading_is_not() -> None:
    assert spoken("Bà con chú ý\nđề phòng lũ.").text == "Bà con chú ý đề phòng lũ."
    assert spoken("THÔNG BÁO\nNgày mai có mưa.").text == "THÔNG BÁO.\nNgày mai có mưa."


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("GPLX hạng C", "giấy phép lái xe hạng xê"),
        ("Hộ loại C, khu D", "Hộ loại xê, khu dê"),
        ("điểm c, khoản 2 Điều 5", "điểm xê, khoản hai Điều năm"),
        ("khóa V, thế kỷ XXI", "khóa năm, thế kỷ hai mươi mốt"),
        ("vùng DTTS&MN, DTTS và MN", "vùng dân tộc thiểu số và miền núi, dân tộc thiểu số và miền núi"),
        ("Q. Chủ tịch, Q. Ba Đình", "quyền Chủ tịch, quận Ba Đình"),
        ("KT. CHỦ TỊCH", "ký thay CHỦ TỊCH"),
        ("T/M UBND xã", "thay mặt Ủy ban nhân dân xã"),
        ("dầu DO 0,05S", "dầu DO không phẩy không năm S"),
        ("tọa độ 21,85N", "tọa độ hai mươi mốt phẩy tám năm độ vĩ Bắc"),
    ],
)
def test_letters_that_name_are_no_numbers_and_letters_behind_figures_no_places(text: str, heard: str) -> None:
    assert spoken(text).text == heard


def test_what_is_built_as_no_syllable_is_reported_once_and_left_alone() -> None:
    read = spoken("Mời nguời dân, tổ chưc họpp lúc 7h30 tại Đắk Lắk, 5 trđ, quýt, khuỷu tay.")
    assert [(flag.written, flag.why) for flag in read.flags] == [
        *(("nguời", "syllable"), ("chưc", "syllable"), ("họpp", "syllable")),
    ]
    assert "nguời dân, tổ chưc họpp" in read.text


@pytest.mark.parametrize(
    ("text", "flagged"),
    [
        ("phục vụ 300t", ["300t"]),
        ("còn 5g", ["5g"]),
        ("trẻ dưới 6t uống 1g lúc 7g, xe 5t, vay 5t", []),
    ],
)
def test_a_letter_of_several_units_is_told_apart_by_what_stands_beside_or_flagged(
    text: str, flagged: list[str]
) -> None:
    assert [flag.written for flag in spoken(text).flags if flag.why == "two_meanings"] == flagged
