"""The public log: what sounded and nothing else; no name; sealed days that show every later change."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from makers_web import NOON, Town, settled_town
from makers_wire import STATION as SIGNER

from controller import public_log
from controller.desk.wishes import Wish
from controller.public_log import PublicLogError, close_days, entries_of, examine, opened, redacted
from controller.store.public_days import public_days
from controller.web import remembered
from wire.plan import BulletinClass
from wire.receipt import Step

COMMUNE, OTHER = "lang-son:dong-dang", "lang-son:tam-thanh"
TODAY = date(2026, 11, 24)
KEYS = {SIGNER.public.id: SIGNER.public}
PEOPLE = ("Vi Thị Lan", "Nông Văn Thịnh", "Hoàng Thị Mai", "Lý A Sìn", "quan-tri", "chu-tich", "van-hoa", "tam-thanh-")
HOME = "/nhat-ky-cong-khai"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with settled_town(tmp_path) as town:
        town.settings = replace(town.settings, public_log=True)
        yield town


def wished(town: Town, title: str, who: str = "approver", **changed: object) -> str:
    """An announcement for today at five; its booking."""
    facts = {"text": f"Nội dung của {title}.", "areas": (COMMUNE,), "start": NOON + timedelta(hours=5), "title": title}
    made = town.desk.announce(Wish(**facts | changed), getattr(town, who), town.now)  # type: ignore[arg-type]
    assert made.booking_id is not None
    return made.booking_id


def sounded(town: Town, booking: str, *nodes: str, step: Step = Step.SOUNDED, **said: object) -> None:
    for node in nodes or ("dong-dang-1", "dong-dang-2"):
        town.report(booking, node, step, planned_start=NOON + timedelta(hours=5), **said)


def reader(town: Town) -> FlaskClient:
    return town.app().test_client()


def everything(town: Town) -> str:
    """All that somebody without a name can read, by following every link and format."""
    client = reader(town)
    seen: dict[str, str] = {}
    waiting = [HOME, *(f"{HOME}/{area}/{TODAY}.{form}" for area in (COMMUNE, OTHER) for form in ("json", "csv"))]
    while waiting:
        path = waiting.pop(0)
        answer = client.get(path)
        seen[path] = answer.text
        links = [link.replace("&amp;", "&") for link in re.findall(r'href="(/nhat-ky-cong-khai[^"]*)"', answer.text)]
        waiting += [link for link in links if (link not in seen and "ngay=2026-11-23" in link) or link.count("/") == 2]
        waiting = [path for path in dict.fromkeys(waiting) if path not in seen and len(seen) < 60]
    return "\n".join(seen.values())


def test_it_is_off_unless_the_station_says_so(town: Town) -> None:
    town.settings = replace(town.settings, public_log=False)
    client = reader(town)
    for path in ("", f"/{COMMUNE}", f"/{COMMUNE}/{TODAY}.json", f"/{COMMUNE}/{TODAY}.csv", f"/chung-thuc/{TODAY}.json"):
        assert client.get(HOME + path).status_code == 404
    assert close_days(town.store, SIGNER, town.settings, NOON + timedelta(days=9)) == 0


def test_what_sounded_is_told_with_class_time_place_order_and_proof(town: Town) -> None:
    booking = wished(town, "Tiêm phòng")
    sounded(town, booking)
    sounded(town, booking, "dong-dang-3", level_dbfs=None)
    page = reader(town).get(f"{HOME}/{COMMUNE}").text
    assert "Tiêm phòng" in page
    assert "UBND Xã Đồng Đăng" in page
    assert "3 đã phát, 2 đo được tiếng" in page
    assert "Nội dung của" not in page  # words of an emergency alone
    (row,) = csv.DictReader(io.StringIO(reader(town).get(f"{HOME}/{COMMUNE}/{TODAY}.csv").text.lstrip("\ufeff")))
    assert (row["planned"], row["class"], row["sounded"], row["proven"]) == (
        "2026-11-24T17:00:00+07:00",
        "ordinary",
        "3",
        "2",
    )
    (entry,) = reader(town).get(f"{HOME}/{COMMUNE}/{TODAY}.json").json["entries"]
    assert entry["places"] == [[f"{COMMUNE}:thon-{number}", 1, int(number != 3)] for number in (1, 2, 3)]
    assert "Nothing was aired" not in page
    assert reader(town).get(f"{HOME}/{OTHER}/{TODAY}.json").json["entries"] == []


def test_it_speaks_english_and_needs_no_script(town: Town) -> None:
    client = reader(town)
    client.get("/tieng/en")
    page = client.get(f"{HOME}/{COMMUNE}")
    assert "Nothing was aired in this area" in page.text
    assert "<script" not in page.text
    assert page.headers["Cache-Control"] == "public, max-age=60"
    assert "Set-Cookie" not in page.headers


def test_a_crowd_that_asks_for_days_that_nobody_remembers_holds_no_worker(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembered, "MOST_WAITING", 0)
    app = town.app()
    client, old = app.test_client(), f"{HOME}/{COMMUNE}?ngay={TODAY - timedelta(days=9)}"
    assert client.get(f"{HOME}/{COMMUNE}").status_code == 200
    with app.extensions["public_log"].turn():  # somebody else's day is being worked out
        refused = client.get(old)
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
        assert client.get(f"{HOME}/{COMMUNE}").status_code == 200  # remembered
    assert client.get(old).status_code == 200


def test_no_shared_cache_keeps_the_page_of_somebody_who_is_signed_in(town: Town) -> None:
    client = town.client(town.app(), "van-hoa")
    assert client.get(f"{HOME}/{COMMUNE}").headers["Cache-Control"] == "private, max-age=60"


def test_the_words_of_an_emergency_are_told_and_long_numbers_are_not(town: Town) -> None:
    text = "Lũ về. Gọi 0912 345 678 hoặc ông A, CCCD 001099012345. Đến 17 giờ ngày 24/11/2026."
    booking = wished(town, "Khẩn: lũ 0912.345.678", text=text, bulletin_class=BulletinClass.EMERGENCY)
    sounded(town, booking)
    (entry,) = entries_of(town.store, TODAY, town.settings)
    assert entry.title == "Khẩn: lũ …"
    assert entry.words == "Lũ về. Gọi … hoặc ông A, CCCD …. Đến 17 giờ ngày 24/11/2026."
    assert redacted("5 12 2026 và 1.000.000") == "5 12 2026 và 1.000.000"
    assert redacted("từ 24 - 11 - 2026, khoảng 5 (năm) 2026") == "từ 24 - 11 - 2026, khoảng 5 (năm) 2026"
    for number in ("0912 - 345 - 678", "(0205) 3812345", "(0205) 3 812 345", "0912–345–678", "0912\u00a0345\u00a0678"):
        assert redacted(f"gọi {number} ngay") == "gọi … ngay"


def test_nothing_of_any_other_state_is_to_be_found(town: Town) -> None:
    """What is a draft, waits, was sent back, withdrawn, refused, missed, is to come; and who wrote it."""
    town.desk.announce(Wish("Bí mật một: bản nháp.", title="Bí mật một", draft=True), town.editor, town.now)
    wished(town, "Bí mật hai", "editor")  # waits for approval
    sent_back = wished(town, "Bí mật ba", "editor")
    town.desk.return_(town.announcement_of(sent_back), "Bí mật: lý do", town.approver, town.now)
    withdrawn = wished(town, "Bí mật bốn")
    sounded(town, withdrawn, step=Step.WITHDRAWN)
    for number, step in (("năm", Step.REFUSED), ("sáu", Step.MISSED)):
        sounded(town, wished(town, f"Bí mật {number}"), step=step, reason="no_audio", detail="Bí mật: chi tiết")
    wished(town, "Bí mật bảy")  # approved, to come
    changed = wished(town, "Bí mật tám")
    sounded(town, changed)  # sounded, then edited
    aired = wished(town, "Công khai")
    told = town.store.announcements.get(town.announcement_of(changed))
    assert told is not None
    town.now += timedelta(hours=6)
    with town.store.database.writing() as connection:
        table = public_days.metadata.tables["announcements"]
        put = sa.update(table).where(table.c.id == told.id).values(title="Bí mật tám, bản mới", updated_at=town.now)
        connection.execute(put)
    sounded(town, aired, detail="Bí mật: máy")
    found = everything(town)
    assert "Công khai" in found
    assert "nội dung đã được sửa" in found
    for secret in ("Bí mật", *PEOPLE, "Cụm loa Đồng Đăng 1", "dong-dang-1", "USB Audio"):
        assert secret not in found, secret


def test_an_area_may_be_left_out(town: Town) -> None:
    town.settings = replace(town.settings, public_log_areas=(OTHER,))
    sounded(town, wished(town, "Tiêm phòng", "boss", areas=("lang-son",)), "dong-dang-1", "tam-thanh-1")
    client = reader(town)
    assert client.get(f"{HOME}/{COMMUNE}").status_code == 404
    assert client.get(f"{HOME}/lang-son").status_code == 404
    (entry,) = client.get(f"{HOME}/{OTHER}/{TODAY}.json").json["entries"]
    assert entry["places"] == [[f"{OTHER}:thon-1", 1, 1]]
    assert "Đồng Đăng" not in client.get(f"{HOME}/{OTHER}").text.split("<main")[1]


NOWHERE = (
    "/khong-co",
    f"/{COMMUNE}?ngay=x",
    f"/{COMMUNE}?ngay=2030-01-01",
    f"/{COMMUNE}/9999-99-99.csv",
    f"/{COMMUNE}/0001-01-01.json",
    "/chung-thuc/2026-11-24.json",
    "/" + "a" * 3000,
)


@pytest.mark.parametrize("path", NOWHERE)
def test_what_is_not_there_is_not_found(town: Town, path: str) -> None:
    assert reader(town).get(HOME + path).status_code == 404


def test_no_cell_of_a_table_is_a_formula(town: Town) -> None:
    sounded(town, wished(town, "=HYPERLINK(1)"))
    assert ",'=HYPERLINK(1)," in reader(town).get(f"{HOME}/{COMMUNE}/{TODAY}.csv").text


def test_markup_in_a_title_is_text(town: Town) -> None:
    sounded(town, wished(town, "<script>alert(1)</script>"))
    assert "<script" not in reader(town).get(f"{HOME}/{COMMUNE}").text


def test_many_readers_cost_one_look_a_minute(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[date] = []
    real = public_log.entries_of
    monkeypatch.setattr(public_log, "entries_of", lambda *asked: looks.append(asked[1]) or real(*asked))
    client = reader(town)
    for _ in range(5):
        client.get(f"{HOME}/{COMMUNE}")
    assert looks == [TODAY]
    town.now += timedelta(seconds=61)
    client.get(f"{HOME}/{COMMUNE}")
    assert looks == [TODAY] * 2


# --- sealed days ---------------------------------------------------------------------------------------------


def closed(town: Town, days: int = 3) -> None:
    """Something aired today, and so many days closed."""
    sounded(town, wished(town, "Tiêm phòng"))
    due = NOON + timedelta(days=1) + public_log.CLOSES_AFTER
    assert close_days(town.store, SIGNER, town.settings, due) == 1
    town.now = due + timedelta(days=days - 1)
    assert close_days(town.store, SIGNER, town.settings, town.now) == days - 1
    assert close_days(town.store, SIGNER, town.settings, town.now) == 0


def test_days_are_closed_once_in_order_and_chained(town: Town) -> None:
    assert close_days(town.store, SIGNER, replace(town.settings, public_log=False), NOON + timedelta(days=9)) == 0
    closed(town)
    held = town.store.public_days.closed()
    assert [each.day for each in held] == ["2026-11-26", "2026-11-25", "2026-11-24"]
    assert examine(town.store, KEYS).days == 3
    assert examine(town.store, KEYS).faults == []
    client = reader(town)
    envelope = client.get(f"{HOME}/chung-thuc/{TODAY}.json").data
    assert [each.title for each in opened(envelope, KEYS).entries] == ["Tiêm phòng"]
    assert "đã chốt và ký" in client.get(f"{HOME}/{COMMUNE}?ngay={TODAY}").text
    sounded(town, wished(town, "Báo muộn", start=town.now + timedelta(hours=5)), "dong-dang-4")
    assert "Báo muộn" not in reader(town).get(f"{HOME}/{COMMUNE}?ngay={TODAY}").text


def test_what_the_settings_open_no_more_is_not_read_in_closed_days_either(town: Town) -> None:
    sounded(town, wished(town, "Chuyện phường", "boss", areas=(OTHER,)), "tam-thanh-1")
    sounded(town, wished(town, "Chuyện chung", "boss", areas=("lang-son",)), "dong-dang-1", "tam-thanh-1")
    closed(town)
    envelope, day = f"{HOME}/chung-thuc/{TODAY}.json", f"{HOME}/{OTHER}?ngay={TODAY}"
    assert reader(town).get(envelope).status_code == 200
    town.settings = replace(town.settings, public_log_areas=(OTHER,))
    client = reader(town)
    for path in (envelope, f"{HOME}/{COMMUNE}?ngay={TODAY}", f"{HOME}/{COMMUNE}/{TODAY}.json"):
        assert client.get(path).status_code == 404
    assert str(TODAY) not in client.get(HOME).text
    page = client.get(day).text
    assert all(each in page for each in ("Chuyện phường", "đã chốt và ký"))
    assert "chung-thuc" not in page
    entries = client.get(f"{HOME}/{OTHER}/{TODAY}.json").json["entries"]
    assert [each["places"] for each in entries] == 2 * [[[f"{OTHER}:thon-1", 1, 1]]]
    assert client.get(f"{HOME}/chung-thuc/2026-11-25.json").status_code == 200  # nothing in it that was closed
    assert "Tiêm phòng" not in everything(town)
    assert examine(town.store, KEYS).faults == []


@pytest.mark.parametrize("what", ["bytes", "left out", "swapped", "foreign", "sealed anew"])
def test_a_later_change_is_seen(town: Town, what: str) -> None:
    closed(town)
    oldest = town.store.public_days.closed()[-1]
    day = opened(oldest.envelope, KEYS)
    other = public_log.msgspec.structs.replace(day, entries=())
    kind, codec, seal = public_log.KIND, public_log.codec, public_log.seal
    stranger = seal.Signer.generate()
    changes = {
        "bytes": oldest.envelope.replace(b'"payload":"', b'"payload":"AAAA'),
        "foreign": seal.seal(kind, codec.write(other), stranger),
        "sealed anew": seal.seal(kind, codec.write(other), SIGNER),  # by whoever has the station's key
        "swapped": town.store.public_days.closed()[1].envelope,
    }
    mine = public_days.c.day == oldest.day
    with town.store.database.writing() as connection:
        if what == "left out":
            connection.execute(sa.delete(public_days).where(mine))
        else:
            connection.execute(sa.update(public_days).where(mine).values(envelope=changes[what]))
    assert examine(town.store, KEYS).faults
    if what in ("bytes", "foreign"):
        with pytest.raises(PublicLogError):
            opened(changes[what], KEYS)


@pytest.mark.parametrize(
    "junk", [b"", b"{}", b"[]", b"\xff" * 100, b'{"payloadType":"x","payload":"","signatures":[]}']
)
def test_what_is_no_sealed_day_is_refused(junk: bytes) -> None:
    with pytest.raises(PublicLogError):
        opened(junk, KEYS)
