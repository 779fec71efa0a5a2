"""What happens at the station of the screenshots (`shot_town`): a week, and a Tuesday until a quarter past five."""

from __future__ import annotations

from datetime import datetime, timedelta

from shot_town import BEGINS, COMMUNE, HAMLETS, HOUR, OTHER, PROVINCE, TODAY, ShotTown

from controller.desk import Enrolment, Wish
from controller.store.unheard import Ailment
from controller.tallies import comings
from schedules.rulebook import Rulebook
from schedules.rulebook_text import Policy
from wire.plan import Lane, Level
from wire.receipt import Step

DAY = timedelta(days=1)
EVENING = timedelta(hours=9)  # after 8:00
LONG_TEXT = (
    "Kính thưa bà con! Thực hiện kế hoạch của Ủy ban nhân dân xã, đúng 7h30 ngày 25/11/2026, Trạm Y tế xã tổ chức "
    "tiêm phòng sởi – rubella cho trẻ từ 1 đến 10 tuổi. Mời bà con đưa trẻ đến đúng giờ, mang theo sổ tiêm chủng. "
    "Mọi thắc mắc xin gọi số 0205.3855.115. Xin trân trọng cảm ơn!"
)
WEEK = (
    ("Vệ sinh đường làng cuối tuần", "Mời bà con tham gia vệ sinh đường làng, ngõ xóm vào 7h sáng thứ bảy."),
    ("Phòng cháy rừng mùa hanh khô", "Trời hanh khô, đề nghị bà con không đốt nương, không đốt rác gần rừng."),
    ("Thu tiền điện tháng 11", "Điện lực thu tiền điện tháng 11 tại nhà văn hóa các thôn, từ 8h đến 11h."),
    ("Tiêm phòng cho trâu, bò", "Thú y xã tiêm phòng lở mồm long móng cho trâu, bò từ thứ hai tuần sau."),
    ("Hội khuyến học trao quà", "Hội khuyến học xã trao quà cho học sinh nghèo vượt khó vào 8h ngày 20/11."),
    ("Lịch tiếp công dân tháng 12", "Chủ tịch xã tiếp công dân vào sáng thứ năm hằng tuần tại trụ sở."),
    ("Giống lúa vụ xuân", "Hợp tác xã cung ứng giống lúa vụ xuân, bà con đăng ký với trưởng thôn."),
)
PROGRAMME = """[programme]
area = "lang-son:dong-dang"
title = "Khung chương trình Truyền thanh xã Đồng Đăng"
zone = "Asia/Ho_Chi_Minh"

[[slot]]
label = "Tiếp sóng thời sự sáng VOV1"
days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
start = "05:30"
minutes = 25

[[slot.item]]
kind = "relay"
source = "VOV1"

[[slot]]
label = "Bản tin của xã"
days = ["mon", "wed", "fri"]
start = "17:30"
minutes = 15

[[slot.item]]
kind = "opening"
asset = "Nhạc hiệu"

[[slot.item]]
kind = "announcements"
series = "ban-tin-xa"
"""
PLACES = b"""id,latitude,longitude
lang-son:dong-dang,21.9463,106.6965
lang-son:tam-thanh,21.8560,106.7480
dong-dang-1,21.9520,106.6900
dong-dang-2,21.9300,106.7200
dong-dang-3,21.9640,106.7050
dong-dang-4,21.9410,106.6720
dong-dang-5,21.9280,106.6880
dong-dang-6,21.9560,106.7240
tam-thanh-1,21.8610,106.7420
tam-thanh-2,21.8500,106.7560
tam-thanh-3,21.8660,106.7600
tam-thanh-4,21.8470,106.7380
tam-thanh-5,21.8560,106.7300
tam-thanh-6,21.8420,106.7500
"""
ALERT = """<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>KTTV-LS-2026-1124-02</identifier>
<sender>canhbao@kttv.example.vn</sender><sent>2026-11-24T16:20:00+07:00</sent><status>Actual</status>
<msgType>Alert</msgType><scope>Public</scope><info><language>vi-VN</language><category>Met</category>
<event>rét hại</event><urgency>Expected</urgency><severity>Moderate</severity><certainty>Likely</certainty>
<effective>2026-11-24T19:00:00+07:00</effective><expires>2026-11-26T07:00:00+07:00</expires>
<senderName>Đài Khí tượng Thủy văn tỉnh Lạng Sơn</senderName><headline>Cảnh báo rét hại tại Lạng Sơn</headline>
<description>Đêm nay và sáng mai vùng núi rét hại, nhiệt độ thấp nhất 6 đến 9 độ C.</description>
<instruction>Giữ ấm cho người già, trẻ nhỏ và gia súc; không đốt than trong phòng kín.</instruction>
<area><areaDesc>Xã Đồng Đăng, tỉnh Lạng Sơn</areaDesc></area></info></alert>
"""


def nodes_of(commune: str) -> tuple[str, ...]:
    """The loudspeakers of a commune."""
    return tuple(f"{commune.split(':')[1]}-{number}" for number in range(1, len(HAMLETS[commune]) + 1))


def happen(town: ShotTown) -> dict[str, str]:
    """The week and the day. What pages are about, by the names that `shot_list` calls them by."""
    town.settle()
    _set_up(town)
    for number in range((TODAY - BEGINS).days):
        _past_day(town, BEGINS + number * DAY, number)
    town.until(TODAY)
    found = _today(town)
    offline = next(each for each in town.store.alarms.open() if each.cause == "offline")
    town.desk.take_on(offline.id, town.keeper, town.now)
    town.desk.hand_over(offline.id, town.keeper.id, town.now + 2 * DAY, town.keeper, town.now)
    return found | {"alarm": offline.id, "person": town.chief.id, "area": COMMUNE, "node": "dong-dang-2"}


def _set_up(town: ShotTown) -> None:
    boss, now = town.boss, town.now
    town.desk.locate_all(PLACES, town.boss, now)
    town.desk.tell_of_stations(COMMUNE, 0, 1, boss, now)
    town.desk.teach(COMMUNE, "Bó Mu", "Bó Mù", town.editor, now)
    town.desk.teach(COMMUNE, "NVH", "nhà văn hóa", town.chief, now)
    town.desk.teach(COMMUNE, "Pác Mòong", "Pác Moong", town.chief, now)
    town.desk.set_policy(Policy(COMMUNE, now.date(), Rulebook()), boss, now)
    town.report_health()
    town.announce("Nhạc hiệu", "Đây là Đài truyền thanh xã Đồng Đăng.", town.chief, now + HOUR)
    town.desk.apply_programme(PROGRAMME, None, boss, now)


def _past_day(town: ShotTown, morning: datetime, number: int) -> None:
    """One bulletin in each commune at five; now and then a loudspeaker misses it."""
    town.until(morning)
    title, text = WEEK[number % len(WEEK)]
    made = [
        (commune, town.announce(title, text, who, morning + EVENING))
        for commune, who in ((COMMUNE, town.chief), (OTHER, town.other))
    ]
    town.until(morning + EVENING + timedelta(minutes=2))
    for commune, booking in made:
        nodes = nodes_of(commune)
        missing = nodes[number % 6] if commune == COMMUNE and number % 3 == 1 else ""
        town.sounded(booking, *(each for each in nodes if each != missing))
        if missing:
            town.sounded(booking, missing, step=Step.MISSED, reason="no_audio")


def _today(town: ShotTown) -> dict[str, str]:
    chief, editor = town.chief, town.editor
    announce = town.announce
    _programme(town)
    noon = announce("Thu gom rác thải sinh hoạt", "Xe thu gom rác đến các thôn từ 13h chiều nay.", chief, _at(4))
    evening = announce("Lịch tiêm phòng sởi – rubella", LONG_TEXT, chief, _at(9))
    announce("Họp thôn Kéo Cắng", "Mời bà con dự họp thôn lúc 19h30 tại NVH.", chief, _at(10, 30))
    announce("Lịch cắt điện ngày 26/11", "Điện lực cắt điện từ 8h đến 11h.", editor, _at(33), f"{COMMUNE}:thon-2")
    announce("Phát động Tết trồng cây", "Mời bà con trồng cây đầu xuân.", editor, _at(57))
    announce("Lịch bơm nước vụ đông", "Trạm bơm mở nước từ 6h sáng mai.", chief, _at(34))
    town.until(_at(4, 1))
    town.sounded(noon, *nodes_of(COMMUNE))
    town.until(_at(6))
    draft = town.desk.announce(Wish(LONG_TEXT, draft=True, title="Mời đi khám sức khỏe"), editor, town.now)
    back = announce("Bán hàng lưu động", "Cửa hàng bán tại chợ xã.", editor, _at(58))
    row = town.store.bookings.get(back)
    assert row is not None
    town.desk.return_(row.announcement, "Ghi rõ ngày và giờ bán.", chief, town.now)
    above = Wish("Phòng, chống rét cho gia súc: che chắn chuồng trại.", (PROVINCE,), _at(34, 30),
                 "Phòng, chống rét cho gia súc", level=Level.PROVINCE)  # fmt: skip
    town.desk.announce(above, town.boss, town.now)
    town.until(_at(8))
    town.leaves("dong-dang-2")
    town.until(_at(8, 30))
    town.desk.take_in(ALERT.encode(), chief, town.now)
    town.until(_at(9, 2))
    town.sounded(evening, *(each for each in nodes_of(COMMUNE) if each not in town.away))
    town.until(_at(9, 5))
    _listeners(town, evening)
    town.desk.invite_node(Enrolment("dong-dang-7", "Cụm loa Thôn Bản Lìn", f"{COMMUNE}:thon-1"), town.keeper, town.now)
    town.until(_at(9, 10))
    kept = town.store.bookings.get(evening)
    assert kept is not None
    return {"booking": evening, "announcement": kept.announcement, "draft": draft.announcement_id}


def _programme(town: ShotTown) -> None:
    """Loudspeakers have what the programme needs, and sounded this morning's."""
    issued = town.store.plans.of(COMMUNE, Lane.PLAN)
    for coming in comings(issued) if issued else ():
        if town.store.bookings.get(coming.job.id) is not None:
            continue
        for node in nodes_of(COMMUNE):
            if coming.job.asset:
                town.has(node, coming.job.id, coming.job.asset.sha256)
            elif coming.job.start < town.now:
                town.relayed(node, coming.job.id, coming.job.start, coming.end)


def _listeners(town: ShotTown, booking: str) -> None:
    """People say that they did not hear it."""
    row = town.store.bookings.get(booking)
    assert row is not None
    town.desk.tell_unheard(f"{COMMUNE}:thon-2", Ailment.SILENT, "Loa đầu ngõ chiều nay không kêu.", None, town.now)
    town.desk.tell_unheard(COMMUNE, Ailment.FAINT, "Gió to, nghe không rõ giờ.", row.announcement, town.now)


def _at(hours: int, minutes: int = 0) -> datetime:
    """Today, so long after 8:00."""
    return TODAY + timedelta(hours=hours, minutes=minutes)
