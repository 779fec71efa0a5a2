"""Looking after a loudspeaker on its page: what the forms mean, and what a stranger's form gets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from makers_node_past import a_year
from makers_web import NOON, Town, form_key, settled_town
from werkzeug.datastructures import MultiDict

from controller.roster import Node
from controller.web import upkeep_forms
from wire.config import VolumeBand

NODE = "dong-dang-1"
PAGE = f"/cum-loa/{NODE}"
ZONE = "Asia/Ho_Chi_Minh"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with settled_town(tmp_path) as made:
        yield made


def held(town: Town) -> Node:
    found = town.store.roster.node(NODE)
    assert found
    return found


def sent(client: FlaskClient, act: str, **fields: object):  # type: ignore[no-untyped-def]
    return client.post(f"{PAGE}/{act}", data={"csrf_token": form_key(client, PAGE), **fields})


def test_the_page_is_read_by_its_range_and_page_and_nothing_odd_breaks_it(town: Town) -> None:
    client = town.client(town.app(), "quan-tri")
    assert "chưa phát bản tin nào" in client.get(PAGE).text
    a_year(town, NODE, 20)
    town.wake(NODE)
    whole = client.get(PAGE).text
    assert whole.count('class="past chart"') == 4
    assert 'rel="next"' in whole
    for odd in ("?khoang=90", "?khoang=24", "?khoang=1e9&trang=-3", "?trang=999999999999", "?trang=x"):
        assert client.get(PAGE + odd).status_code == 200
    assert 'rel="prev"' in client.get(f"{PAGE}?trang=2").text
    client.set_cookie("loa_tieng", "en")
    english = client.get(PAGE).text
    assert "Last sounded" in english
    assert "web." not in english


def test_volumes_are_saved_and_what_cannot_be_is_shown_again(town: Town) -> None:
    client = town.client(town.app(), "quan-tri")
    rows = {"since_hour": ["19", "06", ""], "since_minute": ["00", "30", "00"], "level": ["-12.0", "-3", "0.0"]}
    assert sent(client, "am-luong", **rows).status_code == 303
    assert held(town).volumes == (VolumeBand("06:30", -3.0), VolumeBand("19:00", -12.0))
    assert "từ 06:30 −3 dB" in client.get(PAGE).text.replace("\u00a0", " ")
    for bad in (
        {"since_hour": ["25"], "since_minute": ["00"], "level": ["-3"]},
        {"since_hour": ["05"], "since_minute": ["<b>"], "level": ["-3"]},
        {"since_hour": ["05"], "since_minute": ["00"], "level": ["to"]},
        {"since_hour": ["05"], "since_minute": ["00"], "level": ["nan"]},
        {"since_hour": ["05", "05"], "since_minute": ["00", "00"], "level": ["-3", "-6"]},
    ):
        answer = sent(client, "am-luong", **bad)
        assert answer.status_code == 422
        assert 'href="#volumes"' in answer.text
        assert "<b>" not in answer.text.partition("volumes-form")[2].partition("</form>")[0]
    assert len(held(town).volumes) == 2
    assert sent(client, "am-luong").status_code == 303
    assert held(town).volumes == ()


def test_maintenance_is_begun_changed_and_ended(town: Town) -> None:
    client = town.client(town.app(), "quan-tri")
    assert sent(client, "bao-tri", reason="Thay ắc quy", hours="4").status_code == 303
    assert (held(town).maintenance, held(town).maintenance_until) == (True, NOON + timedelta(hours=4))
    page = client.get(PAGE).text
    assert "Lý do: Thay ắc quy" in page
    assert "phat-thu" not in page  # it would not sound
    other = {"hours": "other", "day": "26/11/2026", "hour": "17", "minute": "30"}
    assert sent(client, "bao-tri", reason="Chờ linh kiện", **other).status_code == 303
    assert held(town).maintenance_until == NOON + timedelta(days=2, hours=5, minutes=30)
    for bad in ({"reason": ""}, {"hours": "999"}, {"hours": "other", "day": "31/02/2026"}, {"hours": "²"}):
        answer = sent(client, "bao-tri", **({"reason": "Sửa", "hours": "4"} | bad))
        assert answer.status_code == 422
        assert 'class="summary"' in answer.text
    assert held(town).maintenance_reason == "Chờ linh kiện"
    assert sent(client, "het-bao-tri").status_code == 303
    assert not held(town).maintenance


def test_a_tone_is_refused_in_quiet_hours_with_the_sentence_on_the_page(town: Town) -> None:
    client = town.client(town.app(), "quan-tri")
    town.now = NOON + timedelta(hours=10)  # ten in the evening
    answer = sent(client, "phat-thu", key="1" * 32)
    assert answer.status_code == 422
    assert "giờ yên tĩnh" in answer.text
    assert town.store.bookings.list() == []


def test_a_tone_goes_through_the_archive_and_a_double_tap_sends_one(town: Town) -> None:
    client = town.client(town.app(), "quan-tri")
    assert [sent(client, "phat-thu", key="1" * 32).status_code for _ in range(2)] == [303, 303]
    (view,) = town.store.bookings.list()
    announcement = town.store.announcements.get(view.booking.announcement)
    assert announcement
    assert view.booking.areas == (NODE,)
    recording = town.store.recordings.get(announcement.recording or "")
    assert recording
    assert 2000 < recording.duration_ms < 4000
    assert list((town.folder / "recordings").rglob(recording.sha256))  # where the station finds it
    acts = client.get("/nhat-ky").text
    assert "Phát tiếng thử" in acts


def test_what_was_typed_means_what_it_says() -> None:
    node = Node(NODE, "Cụm", "x", "", NOON, volumes=(VolumeBand("06:07", -4.5),))
    shown = upkeep_forms.offered(node, upkeep_forms.blank(node))
    assert "07" in shown["band_minutes"]
    assert -4.5 in shown["levels"]
    assert [row.hour for row in shown["rows"]] == ["06", "", "", ""]
    many = MultiDict([("since_hour", "05")] * 99 + [("since_minute", "00")] * 99 + [("level", "0")] * 99)
    assert len(upkeep_forms.volumes(many, node).rows) == upkeep_forms.MOST_ROWS
    typed = upkeep_forms.maintenance({"hours": "24", "reason": "x" * 999}, node)
    assert len(typed.reason) == upkeep_forms.MOST_CHARS
    assert upkeep_forms.until(typed, NOON, ZONE) == NOON + timedelta(days=1)
