"""`loa simulate` and recurring announcements on the command line, over a store of their own."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import makers_store as made
import pytest

from controller.store import Store
from controller.store.rows import AnnouncementState
from loa import house
from loa.__main__ import main
from schedules.calendars import Recurrence
from schedules.rulebook import Rulebook
from schedules.rulebook_text import Policy
from wire.config import Limits
from wire.plan import BulletinClass

DAY = datetime(2027, 2, 16, 17, 0, tzinfo=UTC)  # 17 February 2027 in Lạng Sơn, a Wednesday


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOA_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("LOA_LANG", "en")
    monkeypatch.setattr(house, "now", lambda: made.NOW)  # the days named here are still to come
    store = Store(f"sqlite:///{tmp_path}/loa.db")
    store.migrate()
    made.furnish(store)
    store.assets.put(made.asset())
    weekly = Recurrence("FREQ=WEEKLY;BYDAY=MO,WE")
    for number, at, more in (
        (1, timedelta(hours=5, minutes=30), {"recurrence": weekly}),
        (2, timedelta(hours=3, minutes=15), {}),
        (3, timedelta(hours=5, minutes=30, seconds=4), {"bulletin_class": BulletinClass.EMERGENCY}),
    ):
        announcement = made.announcement(number, state=AnnouncementState.APPROVED)
        store.announcements.create(announcement, made.booking(number, start=DAY + at, **more))
        store.announcements.set_voiced(announcement.id, announcement.script_hash, made.SHA)
    store.close()
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_a_day_is_printed_to_the_second_with_what_will_not_sound(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", made.COMMUNE, "--day", "17/02/2027"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines] == [
        "17/02/2027 05:30:00 – 05:30:04",
        "17/02/2027 05:30:04 – 05:30:14",
        "17/02/2027 05:30:14 – 05:30:20",
        "17/02/2027 03:15:00",
    ]
    assert "refused (quiet_hours)" in lines[-1]


@pytest.mark.usefixtures("folder")
def test_a_programme_reads_it_as_json_also_for_a_node(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "loa-1", "--day", "2027-02-22", "--json"]) == 0  # a Monday
    day = json.loads(capsys.readouterr().out)
    assert [each["job"] for each in day["sounds"]] == ["b1:20270221t223000"]
    assert [each["outcome"] for each in day["outcomes"]] == ["sounded"]


@pytest.mark.usefixtures("folder")
def test_a_silent_day_and_wrong_wishes_are_answered_in_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", made.OTHER_COMMUNE, "--day", "2027-02-17"]) == 0
    assert "Nothing sounds on 17/02/2027." in capsys.readouterr().out
    assert main(["simulate", "nowhere"]) == 1
    assert main(["simulate", made.COMMUNE, "--day", "2027-02-30"]) == 2
    announce = ["announce", "Xin chào", "--area", made.COMMUNE]
    assert main([*announce, "--until", "17:00"]) == 1
    assert main([*announce, "--repeat", "FREQ=DAILY", "--at", "+1h", "--wait"]) == 1
    assert main([*announce, "--repeat", "FREQ=HOURLY", "--at", "+1h"]) == 1
    assert main([*announce, "--repeat", "LUNAR:32", "--at", "+1h"]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 6


def test_an_announcement_comes_by_the_lunar_calendar_and_not_in_quiet_hours(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["announce", "Hôm nay mùng một", "--area", made.COMMUNE, "--repeat", "LUNAR:1,15", "--at"]
    assert main([*words, "2027-03-01 23:30"]) == 1
    assert "08/03/2027 lies in the quiet hours" in capsys.readouterr().err
    assert main([*words, "2027-03-01 05:30"]) == 0
    store = Store(f"sqlite:///{folder}/loa.db")
    (kept,) = [each.booking for each in store.bookings.list() if each.title == "Hôm nay mùng một"]
    assert kept.recurrence == Recurrence("LUNAR:1,15")
    store.announcements.set_voiced(kept.announcement, store.announcements.get(kept.announcement).script_hash, made.SHA)
    (planned,) = [each for each in store.bookings.to_plan(DAY + timedelta(days=15)) if each.id == kept.id]
    store.close()
    assert [f"{start:%Y-%m-%dT%H:%M}" for start in planned.starts] == ["2027-03-07T22:30"]
    capsys.readouterr()
    assert main(["simulate", made.COMMUNE, "--day", "2027-03-08"]) == 0
    assert "Hôm nay mùng một" in capsys.readouterr().out


def test_a_recurring_announcement_is_kept_as_it_was_asked_for(folder: Path) -> None:
    words = ["announce", "Khẩu hiệu", "--area", made.COMMUNE, "--at", "2027-03-01 17:00", "--repeat", "FREQ=WEEKLY"]
    assert main([*words, "--except", "2027-03-08", "--until", "2027-12-31"]) == 0
    store = Store(f"sqlite:///{folder}/loa.db")
    (kept,) = [each.booking.recurrence for each in store.bookings.list() if each.title == "Khẩu hiệu"]
    store.close()
    assert kept == Recurrence("FREQ=WEEKLY", but=("2027-03-08",), until=datetime(2027, 12, 30, 17, 0, tzinfo=UTC))


def test_what_a_policy_refuses_is_told_as_the_node_will_be_told(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Store(f"sqlite:///{folder}/loa.db")
    limits = Limits(sessions=(0,) * 7)
    store.policies.set(Policy(made.COMMUNE, date(2027, 2, 22), Rulebook(limits)), "u-quan", made.NOW)
    store.close()
    assert main(["simulate", "loa-1", "--day", "2027-02-22"]) == 0
    assert "refused (sessions_a_day)" in capsys.readouterr().out
    assert main(["simulate", "loa-1", "--day", "2027-02-17"]) == 0  # before it holds
    assert "sessions_a_day" not in capsys.readouterr().out
