"""The yearbook's sums against counting the log itself; the report on the page and as files."""

from __future__ import annotations

import csv
import io
import random
import zipfile
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from defusedxml.ElementTree import fromstring
from makers_store import NOW, node
from makers_web import NOON, Town, settled_town

from controller import yearbook
from controller.desk.wishes import Wish
from controller.roster import Area, AreaKind
from controller.store import Store
from controller.store.yearbook import SUMS
from controller.tallies import Tallies
from wire.receipt import Measured, Receipt, Receipts, Step

ZONE = "Asia/Ho_Chi_Minh"
COMMUNE, OTHER = "lang-son:dong-dang", "lang-son:tam-thanh"
MINUTE = timedelta(minutes=1)
ENDS = (Step.SOUNDED, Step.SOUNDED, Step.MISSED, Step.PREEMPTED, Step.REFUSED, Step.WITHDRAWN)


def outcome(number: int, job: str, step: Step, day: int, ms: int) -> Receipt:
    planned = NOW + timedelta(days=day)
    measured = Measured(planned, planned, 1.0, ms, -18.0, -3.0, "x") if step is Step.SOUNDED else None
    return Receipt(number, job, step, planned, planned, measured=measured)


def furnished(store: Store) -> dict[str, str]:
    """Two communes of three loudspeakers: the commune of each."""
    store.roster.add_area(Area("p", "P", AreaKind.PROVINCE))
    homes = {}
    for commune in ("p:a", "p:b"):
        store.roster.add_area(Area(commune, commune.upper(), AreaKind.COMMUNE))
        store.roster.add_area(Area(f"{commune}:thon", "Thôn", AreaKind.HAMLET))
        for number in range(3):
            name = f"{commune[-1]}-{number}"
            homes[name] = commune
            store.roster.add_node(node(name, f"{commune}:thon"))
    return homes


@pytest.mark.parametrize("seed", range(3))
def test_the_sums_are_what_counting_the_log_gives_whenever_it_is_counted(store: Store, seed: int) -> None:
    drawn, homes = random.Random(seed), furnished(store)
    told: list[tuple[str, str, Step, int]] = []
    numbers: Counter[str] = Counter()
    at = NOW
    places = [(name, f"b{number}") for name in homes for number in range(20)]
    for name, job in drawn.sample(places, 90):
        step, ms = drawn.choice(ENDS), drawn.randrange(1, 90_000)
        numbers[name] += 1
        at += drawn.randrange(40) * timedelta(seconds=1)  # many in one second, too
        receipt = outcome(numbers[name], job, step, int(job[1:]) % 3, ms)
        store.asrun.store_receipts(Receipts(name, "s1", (receipt,)), at)
        told.append((homes[name], job, step, ms))
        if drawn.random() < 0.1:
            yearbook.count(store, ZONE, at)
    assert yearbook.count(store, ZONE, at + 2 * MINUTE) > 0
    assert yearbook.count(store, ZONE, at + 2 * MINUTE) == 0
    sums = {row.area: row for row in store.yearbook.by_area("2026-11-24", "2026-11-26")}
    for commune in ("p:a", "p:b"):
        mine = [each for each in told if each[0] == commune and each[2] is not Step.WITHDRAWN]
        sounded = [each for each in mine if each[2] is Step.SOUNDED]
        longest = {job: max(ms for _, other, _, ms in sounded if other == job) for _, job, _, _ in sounded}
        got = sums[commune]
        assert (got.jobs, got.jobs_sounded) == (len({job for _, job, _, _ in mine}), len(longest))
        assert (got.sounded, got.missed) == (len(sounded), sum(each[2] is Step.MISSED for each in mine))
        assert got.sounded + got.missed + got.otherwise == len(mine)
        assert got.longest_ms == sum(longest.values())
    by_day = store.yearbook.by_day("2026-11-24", "2026-11-26", ["p:a", "p:b"])
    assert {name: sum(getattr(row, name) for row in by_day) for name in SUMS} == {
        name: sum(getattr(row, name) for row in sums.values()) for name in SUMS
    }
    assert store.yearbook.by_area("2026-11-27", "2027-01-01") == []


def test_what_came_in_just_now_waits_and_a_bulletin_after_midnight_belongs_to_the_new_day(store: Store) -> None:
    furnished(store)
    late = NOW + timedelta(hours=14, minutes=30)  # half past midnight in Việt Nam
    receipt = Receipt(1, "b1", Step.MISSED, late, late)
    store.asrun.store_receipts(Receipts("a-0", "s1", (receipt,)), late)
    assert yearbook.count(store, ZONE, late + timedelta(seconds=59)) == 0
    assert yearbook.count(store, ZONE, late + timedelta(seconds=60)) == 1
    assert [(row.day, row.kind, row.missed) for row in store.yearbook.by_day("2026-11-01", "2026-12-01", ["p:a"])] == [
        ("2026-11-25", "item", 1)
    ]


def test_the_station_counts_whenever_it_adds_up(store: Store) -> None:
    furnished(store)
    store.asrun.store_receipts(Receipts("a-0", "s1", (outcome(1, "b1", Step.SOUNDED, 0, 5000),)), NOW)
    Tallies(store, ZONE).add_up(NOW + 2 * MINUTE)
    assert [(row.area, row.jobs_sounded) for row in store.yearbook.by_area("2026-11-24", "2026-11-24")] == [("p:a", 1)]


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with settled_town(tmp_path) as town:
        five = NOON + timedelta(hours=5)
        for title, changed in (("Tiêm phòng", {}), ("Cháy rừng", {"drill": True})):
            wish = Wish(f"{title}.", (COMMUNE,), five, title=title, **changed)
            made = town.desk.announce(wish, town.approver, town.now)
            assert made.booking_id
            town.report(made.booking_id, "dong-dang-1", planned_start=five)
            town.report(made.booking_id, "dong-dang-2", Step.MISSED, reason="no_power", planned_start=five)
        town.now += timedelta(hours=6)
        yearbook.count(town.store, ZONE, town.now)
        yield town


def test_the_report_says_of_a_commune_what_was_aired(town: Town) -> None:
    page = town.client(town.app(), "quan-tri").get("/bao-cao").text
    assert "Từ 01/11/2026 đến 24/11/2026" in page
    assert "2 / 2" in page
    assert "50,0" in page
    assert "Diễn tập" in page
    drills = town.client(town.app(), "quan-tri").get("/bao-cao?loai=drill").text
    assert "1 / 1" in drills
    assert "2 / 2" not in drills


def test_everybody_sees_their_own_communes_only(town: Town) -> None:
    page = town.client(town.app(), "tam-thanh").get("/bao-cao").text
    assert "Phường Tam Thanh" in page
    assert "Xã Đồng Đăng" not in page
    for path in ("/bao-cao", "/bao-cao/bang.csv", "/bao-cao/bang.xlsx"):
        assert town.client(town.app(), "tam-thanh").get(f"{path}?dia-ban={COMMUNE}").status_code == 404
    assert "Đồng Đăng" not in town.client(town.app(), "tam-thanh").get("/bao-cao/bang.csv").text


def test_what_cannot_be_a_period_is_said_beside_its_field(town: Town) -> None:
    client = town.client(town.app(), "quan-tri")
    for query in ("tu-ngay=31/02/2026", "tu-ngay=2/11/2026&den-ngay=1/11/2026", "tu-ngay=1/1/2020", "den-ngay=%00"):
        answer = client.get(f"/bao-cao?{query}")
        assert answer.status_code in (400, 422), query
        assert client.get(f"/bao-cao/bang.csv?{query}").status_code in (400, 404)
    assert client.get("/bao-cao?tu-ngay=9/9/9999&den-ngay=9/9/9999").status_code == 200
    assert client.get("/bao-cao/bang.pdf").status_code == 404


def test_the_files_say_the_same_and_hold_no_formula(town: Town) -> None:
    town.store.roster.add_area(Area(COMMUNE, '=HYPERLINK("http://x")', AreaKind.COMMUNE))
    client = town.client(town.app(), "quan-tri")
    answer = client.get("/bao-cao/bang.csv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="bao-cao-2026-11-01-2026-11-24.csv"'
    head, first, _, foot = csv.reader(io.StringIO(answer.text.lstrip("\ufeff")))
    assert first[0] == '\'=HYPERLINK("http://x")'
    assert dict(zip(head, first, strict=True))["Lượt lỡ"] == dict(zip(head, foot, strict=True))["Lượt lỡ"] == "2"
    with zipfile.ZipFile(io.BytesIO(client.get("/bao-cao/bang.xlsx").data)) as book:
        assert fromstring(book.read("xl/workbook.xml")) is not None
        sheet, texts = book.read("xl/worksheets/sheet1.xml"), book.read("xl/sharedStrings.xml").decode()
    assert b"<f>" not in sheet
    assert "=HYPERLINK(" in texts
