"""Which pages are in the pictures, who looks at them, and which have none and why.

``path`` may name things of the town in braces (`shot_week.happen`). A test holds the list against the app's own routes:
a new page is a new line here, or a reason below.
"""

from __future__ import annotations

from dataclasses import dataclass

BOSS, CHIEF, EDITOR = "boss", "chief", "editor"


@dataclass(frozen=True)
class Shot:
    """A page in a picture: ``name`` of its files, ``route`` it is one of, ``path`` with its query, ``who`` looks.

    ``who`` empty: anybody. ``act``: what is done first (`shots.ACTS`). ``most`` pixels high: what is below
    is more of the same. ``screens``: a phone, a desk or both.
    """

    name: str
    route: str
    path: str
    who: str = BOSS
    act: str = ""
    most: int = 2400
    screens: tuple[str, ...] = ("phone", "desk")


SHOTS = (
    Shot("dang-nhap", "/dang-nhap", "/dang-nhap", ""),
    Shot("trang-chinh", "/", "/", CHIEF),
    Shot("soan", "/soan", "/soan", EDITOR, "read", 2600),
    Shot("ban-nhap", "/soan/<announcement>", "/soan/{draft}", EDITOR, most=3000),
    Shot("ban-ghi", "/ban-ghi", "/ban-ghi", EDITOR),
    Shot("lich", "/lich", "/lich?dia-ban={area}", CHIEF),
    Shot("lich-in", "/lich", "/lich?dia-ban={area}", CHIEF, "print", screens=("desk",)),
    Shot("nhung-ngay-toi", "/cum-loa/<place>/nhung-ngay-toi", "/cum-loa/dong-dang-1/nhung-ngay-toi", CHIEF, most=1500),
    Shot("nhung-ngay-toi-xa", "/dia-ban/<place>/nhung-ngay-toi", "/dia-ban/{area}/nhung-ngay-toi", CHIEF, most=1500),
    Shot("ban-tin-mot", "/lich-phat/<booking>", "/lich-phat/{booking}", CHIEF),
    Shot("ke-hoach", "/ke-hoach", "/ke-hoach?dia-ban={area}", CHIEF),
    Shot("duyet", "/duyet", "/duyet", CHIEF),
    Shot("hop-tin", "/hop-tin", "/hop-tin", CHIEF),
    Shot("ban-tin", "/ban-tin", "/ban-tin", CHIEF),
    Shot("tu-dien", "/tu-dien", "/tu-dien", CHIEF),
    Shot("phan-anh", "/phan-anh", "/phan-anh", CHIEF),
    Shot("tin-cap", "/tin-cap", "/tin-cap", CHIEF),
    Shot("khung-chuong-trinh", "/khung-chuong-trinh/<area>", "/khung-chuong-trinh/{area}", CHIEF),
    Shot("khung-sua", "/khung-chuong-trinh/<area>/sua", "/khung-chuong-trinh/{area}/sua", CHIEF),
    Shot("khung-van-ban", "/khung-chuong-trinh/<area>/van-ban", "/khung-chuong-trinh/{area}/van-ban", CHIEF),
    Shot("quy-che", "/khung-chuong-trinh/<area>/quy-che", "/khung-chuong-trinh/{area}/quy-che"),
    Shot("tong-quan", "/tong-quan", "/tong-quan"),
    Shot("man-hinh", "/tong-quan", "/tong-quan?man-hinh=1"),
    Shot("canh-bao", "/canh-bao", "/canh-bao"),
    Shot("canh-bao-mot", "/canh-bao/<alarm>", "/canh-bao/{alarm}"),
    Shot("cum-loa", "/cum-loa", "/cum-loa"),
    Shot("ban-do", "/cum-loa/ban-do", "/cum-loa/ban-do", act="map"),
    Shot("cum-loa-mot", "/cum-loa/<name>", "/cum-loa/{node}", most=1600),
    Shot("cum-loa-moi", "/cum-loa-moi", "/cum-loa-moi"),
    Shot("nhat-ky-phat", "/nhat-ky-phat", "/nhat-ky-phat?dia-ban={area}", most=1500),
    Shot("bao-cao", "/bao-cao", "/bao-cao", most=3000),
    Shot("dia-ban", "/dia-ban", "/dia-ban", most=3600),
    Shot("nguoi-dung", "/nguoi-dung", "/nguoi-dung"),
    Shot("nguoi-dung-mot", "/nguoi-dung/<user>", "/nguoi-dung/{person}", most=3000),
    Shot("khoa", "/khoa", "/khoa"),
    Shot("nhat-ky", "/nhat-ky", "/nhat-ky", most=1500),
    Shot("nhat-ky-mot", "/nhat-ky/<number>", "/nhat-ky/1"),
    Shot("may", "/thiet-lap/may", "/thiet-lap/may"),
    Shot("thiet-lap", "/thiet-lap", "/thiet-lap", most=1700),
    Shot("tai-khoan", "/tai-khoan", "/tai-khoan", CHIEF),
    Shot("khoa-api", "/tai-khoan/khoa-api", "/tai-khoan/khoa-api"),
    Shot("ngoai-tuyen", "/ngoai-tuyen", "/ngoai-tuyen", ""),
    Shot("thong-bao", "/thong-bao", "/thong-bao", ""),
    Shot("thong-bao-xa", "/thong-bao/<area>", "/thong-bao/{area}", ""),
    Shot("thong-bao-mot", "/thong-bao/<area>/<announcement>", "/thong-bao/{area}/{announcement}", ""),
    Shot("khong-nghe", "/thong-bao/<area>/khong-nghe", "/thong-bao/{area}/khong-nghe", ""),
    Shot("nhat-ky-cong-khai", "/nhat-ky-cong-khai", "/nhat-ky-cong-khai", ""),
    Shot("nhat-ky-cong-khai-xa", "/nhat-ky-cong-khai/<area>", "/nhat-ky-cong-khai/{area}", ""),
)

NONE = {
    "/chao/<token>": "a one-time link: its address is a secret",
    "/dang-nhap/buoc-hai": "is there for five minutes, between a password and a code",
    "/chung-chi": "a station with an authority of its own only",
    "/nghe-thu/<announcement>": "a part of the compose page, which is in a picture with it",
    "/hop-tin/<announcement>/<area>/xep": "leads back to the inbox",
    "/nguoi-dung/<user>/<path:act>": "leads back to the person",
    "/canh-bao/<alarm>/<act>": "leads back to the alarm",
    "/tong-quan/dai-khac": "leads back to the overview",
    "/khung-chuong-trinh": "leads on to an area's programme",
    "/tieng/<wanted>": "leads back, in the other language",
}
NO_PAGES = {
    "/static/<name>": "what pages are made of",
    "/audio/<name>": "sound",
    "/audio/<name>.opus": "sound",
    "/tu-dien/nghe": "sound",
    "/thiet-lap/may/nghe/<voice>": "sound",
    "/nghe-thu/<announcement>/cau/<int:number>": "sound",
    "/nghe-thu/<announcement>/thoi-luong": "a sentence for a script",
    "/song-am/<name>": "numbers for a script",
    "/su-kien": "a live stream",
    "/suc-khoe": "for machines",
    "/ngoai-tuyen.js": "a script",
    "/chung-chi.crt": "a file",
    "/so-viec": "figures of the bar for a script",
    "/cum-loa/ban-do.json": "numbers for a script",
    "/cum-loa/<place>/nhung-ngay-toi.json": "a file",
    "/dia-ban/<place>/nhung-ngay-toi.json": "a file",
    "/bao-cao/bang.<form>": "a file",
    "/khung-chuong-trinh/<area>/khung.toml": "a file",
    "/khung-chuong-trinh/<area>/quy-che.toml": "a file",
    "/ban-ghi/tep/<name>": "how much of an upload arrived",
    "/thong-bao/<area>/atom.xml": "a feed",
    "/thong-bao/<area>/podcast.xml": "a feed",
    "/nhat-ky-cong-khai/<area>/<day>.json": "a file",
    "/nhat-ky-cong-khai/<area>/<day>.csv": "a file",
    "/nhat-ky-cong-khai/chung-thuc/<day>.json": "a file",
}
