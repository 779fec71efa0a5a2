"""What is read of CAP alerts: true ones whole, hostile ones not at all."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller import cap
from controller.cap import CapError, Kind, Status
from controller.cap.wording import level_of
from controller.roster import Area, AreaKind

GOLDEN = Path(__file__).parent / "golden" / "cap"
NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
TRUE = (GOLDEN / "thunderstorm.xml").read_bytes()
AREAS = [
    Area("lang-son", "Tỉnh Lạng Sơn", AreaKind.PROVINCE),
    Area("lang-son:dong-dang", "Xã Đồng Đăng", AreaKind.COMMUNE),
    Area("lang-son:na-duong", "Xã Na Dương", AreaKind.COMMUNE),
    Area("lang-son:tam-thanh", "Phường Tam Thanh", AreaKind.COMMUNE),
    Area("lang-son:tam-thanh-xa", "Xã Tam Thanh", AreaKind.COMMUNE),
]


def refusal(raw: bytes) -> str:
    with pytest.raises(CapError) as wrong:
        cap.read(raw)
    assert wrong.value.say("vi")
    return wrong.value.key


def but(old: str, new: str) -> bytes:
    assert old.encode() in TRUE
    return TRUE.replace(old.encode(), new.encode())


def test_a_true_alert_is_read_whole_and_its_vietnamese_is_chosen() -> None:
    alert = cap.read(TRUE)
    assert (alert.status, alert.kind, alert.sent) == (
        Status.ACTUAL,
        Kind.ALERT,
        datetime(2026, 11, 24, 2, 40, tzinfo=UTC),
    )
    assert alert.info
    assert (alert.info.language, alert.info.event) == ("vi-vn", "dông, lốc, sét, mưa đá")
    assert alert.info.places[1].geocodes == (("GSO", "06496"),)
    assert alert.info.places[0].polygons[0].startswith("21.90,106.65")
    assert level_of(alert.info) == 1


def test_it_is_worded_in_vietnamese_with_its_level_place_end_and_advice() -> None:
    alert = cap.read((GOLDEN / "flood.xml").read_bytes())
    assert alert.info
    made = cap.words(alert, alert.info.expires or NOW, "Asia/Ho_Chi_Minh")
    assert made.title == "Tin cảnh báo lũ trên sông Kỳ Cùng"
    assert "cấp 3, màu da cam" in made.text
    assert "từ 18 giờ 00 ngày 24/11/2026 đến 18 giờ 00 ngày 25/11/2026" in made.text
    assert "Khu vực: Tỉnh Lạng Sơn." in made.text
    assert "Khuyến cáo: Di chuyển người" in made.text


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "cap.not_xml"),
        (b"<a/>", "cap.not_cap"),
        (TRUE[: len(TRUE) // 2], "cap.not_xml"),
        (b"x" * 10_000_000, "cap.too_big"),
        (b"<!DOCTYPE a [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>]><a>&b;</a>", "cap.dtd"),
        (b"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>", "cap.dtd"),
        (b"<!DOCTYPE a SYSTEM 'http://127.0.0.1:1/a.dtd'><a/>", "cap.dtd"),
        (b"<!DOCTYPE a [<!ENTITY % p SYSTEM 'http://127.0.0.1:1/'> %p;]><a/>", "cap.dtd"),
        (b"<a>" * 10_000 + b"</a>" * 10_000, "cap.too_deep"),
        (b"<a>" + b"<b/>" * 30_000 + b"</a>", "cap.too_many"),
        (TRUE.decode().encode("utf-16"), "cap.not_utf8"),
        (but('encoding="UTF-8"', 'encoding="UTF-7"'), "cap.not_utf8"),
        (but('encoding="UTF-8"', 'encoding="windows-1258"'), "cap.not_utf8"),
        (TRUE.replace(b"Actual", b"Act\x00ual"), "cap.not_xml"),
        (TRUE.replace("Lạng".encode(), b"L\xff"), "cap.not_utf8"),
        (but("cap:1.2", "cap:1.1"), "cap.version"),
        (but("cap:1.2", "cap:1.2:x:other"), "cap.version"),
        (but("urn:oasis:names:tc:emergency:cap:1.2", "urn:other"), "cap.not_cap"),
        (but("<status>Actual</status>", ""), "cap.missing"),
        (but("<status>Actual</status>", "<status>Actual</status><status>Exercise</status>"), "cap.twice"),
        (but("Actual", "actual"), "cap.bad_value"),
        (but("<severity>Severe</severity>", "<severity>Terrible</severity>"), "cap.bad_value"),
        (but("canhbao@kttv", "canhbаo@kttv"), "cap.bad_value"),  # a Cyrillic letter
        (but("KTTV-LS-2026-1124-01", "a,b"), "cap.bad_value"),
        (but("<sent>2026-11-24T09:40:00+07:00", "<sent>2026-11-24T09:40:00"), "cap.bad_value"),
        (but("<sent>2026-11-24T09:40:00+07:00", "<sent>9999-12-31T23:59:59-14:00"), "cap.bad_value"),
        (but("<sent>2026-11-24T09:40:00+07:00", "<sent>2026-02-30T09:40:00+07:00"), "cap.bad_value"),
        (but("<polygon>", "<polygon>" + "1,1 " * 30_000), "cap.too_long"),
        (but("<instruction>", "<instruction>" + "ạ" * 9_000), "cap.too_long"),
        (but("<area>", "<area><areaDesc>x</areaDesc></area>" * 201 + "<area>"), "cap.too_many"),
    ],
)  # fmt: skip
def test_what_is_hostile_or_wrong_is_refused_by_name(raw: bytes, reason: str) -> None:
    assert refusal(raw) == reason


def test_what_nobody_sees_does_not_come_in() -> None:
    alert = cap.read(but("Vào nhà", "Vào\u202e nhà\u200b"))
    assert alert.info
    assert alert.info.instruction.startswith("Vào nhà kiên cố")


def judged(raw: bytes, senders: tuple[str, ...] = (), known: tuple[cap.Earlier, ...] = ()) -> cap.Judged | str:
    try:
        return cap.judge(cap.read(raw), NOW, senders, known)
    except CapError as wrong:
        return wrong.key


def test_only_what_is_for_the_public_true_or_a_drill_and_of_now_is_taken_in() -> None:
    assert judged(but("Actual", "Draft")) == "cap.not_actual"
    assert judged(but("Actual", "System")) == "cap.not_actual"
    assert judged(but("<msgType>Alert", "<msgType>Ack")) == "cap.no_warning"
    assert judged(but("Public", "Restricted")) == "cap.not_public"
    assert judged(but("2026-11-24T13:00", "2026-11-24T09:59")) == "cap.expired"
    assert judged(but("2026-11-24T13:00", "2027-11-24T09:59")) == "cap.too_far"
    assert judged(but("<sent>2026-11-24T09:40", "<sent>2026-11-24T10:16")) == "cap.future"
    assert judged(TRUE, ("other@example.vn",)) == "cap.unknown_sender"
    assert isinstance(listed := judged(TRUE, ("canhbao@kttv.example.vn",)), cap.Judged)
    assert listed.notes == ()
    assert isinstance(open_ := judged(TRUE), cap.Judged)
    assert open_.notes == ("unlisted",)


def test_what_is_known_or_overtaken_or_cancels_nothing_is_refused() -> None:
    own = cap.Reference("canhbao@kttv.example.vn", "KTTV-LS-2026-1124-01")
    newer = cap.Reference("canhbao@kttv.example.vn", "KTTV-LS-2026-1124-02")
    stranger = cap.Reference("other@example.vn", "x")
    assert judged(TRUE, known=(cap.Earlier(own, ()),)) == "cap.known"
    assert judged(TRUE, known=(cap.Earlier(newer, (own,)),)) == "cap.superseded"
    assert isinstance(judged(TRUE, known=(cap.Earlier(stranger, (own,)),)), cap.Judged)
    assert judged((GOLDEN / "cancel.xml").read_bytes()) == "cap.cancels_unknown"


def matched(name: str, *codes: tuple[str, str]) -> cap.Matched:
    from controller.cap.alert import Place

    return cap.match([Place(name, codes)], AREAS, {"GSO=06496": "lang-son:na-duong"})


def test_areas_are_found_by_code_or_name_and_what_is_not_certain_is_left() -> None:
    assert matched("?", ("gso", "06496")).areas == ("lang-son:na-duong",)
    assert matched("Nơi khác", ("EMMA", "06496")) == cap.Matched((), ("Nơi khác",))
    assert matched("Xã Đồng Đăng, tỉnh Lạng Sơn").areas == ("lang-son:dong-dang",)
    assert matched("các xã Đồng Đăng, Na Dương và Bình Gia") == cap.Matched(
        ("lang-son:dong-dang", "lang-son:na-duong"), ("Bình Gia",)
    )
    assert matched("DONG DANG").areas == ("lang-son:dong-dang",)
    assert matched("Tam Thanh") == cap.Matched((), ("Tam Thanh",))  # a ward and a commune
    assert matched("phường Tam Thanh").areas == ("lang-son:tam-thanh",)
    assert matched("Đồng Đăng".replace("o", "о").replace("ồ", "о̂̀")).areas == ()  # Cyrillic


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80), st.text(max_size=80))
def test_any_names_match_areas_that_there_are(name: str, value: str) -> None:
    assert set(matched(name, ("GSO", value)).areas) <= {each.id for each in AREAS}
