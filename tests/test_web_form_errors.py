"""What is wrong with a form is told by the station: a summary on top whose every line leads to its field.

- The browser's own words are never used (they come in the browser's language, one at a time): every form that changes
  something is ``novalidate``, and the station says the same and more.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask import Flask
from makers_web import NOON, PASSWORD, Town, a_day, form_key, settled_town
from werkzeug.test import TestResponse

from controller.alarms import Surroundings, Watch

TEMPLATES = Path(__file__).parent.parent / "controller" / "web" / "templates"
COMMUNE = "lang-son:dong-dang"
PAGES = {
    None: ("/dang-nhap", f"/thong-bao/{COMMUNE}/khong-nghe"),
    "chu-tich": ("/tu-dien", "/tai-khoan", "/tin-cap", f"/khung-chuong-trinh/{COMMUNE}/sua"),
    "quan-tri": (
        "/nguoi-dung",
        "/nguoi-dung/{person}",
        "/dia-ban",
        "/cum-loa-moi",
        "/cum-loa/dong-dang-1",
        "/tai-khoan/khoa-api",
        "/canh-bao/{alarm}",
        "/phan-anh",
    ),
}
ALL = [(who, page) for who, pages in PAGES.items() for page in pages]


@dataclass
class Form:
    """A form as a page has it: where it is sent, what a browser would send untouched, what it asks for."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)


class Forms(HTMLParser):
    """The forms of a page that change something, and every id on it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.ids: set[str] = set()
        self.links: list[str] = []
        self._within: Form | None = None
        self._select = self._pressed = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of one element."""
        at = {name: value or "" for name, value in attrs}
        self.ids.add(at.get("id", ""))
        if tag == "a":
            self.links.append(at.get("href", ""))
        if tag == "form":
            self._within = Form(at.get("action", "")) if at.get("method") == "post" else None
            self.forms += [self._within] if self._within else []
        if self._within is None:
            return
        name = at.get("name", "")
        if tag == "option" and self._select and ("selected" in at or self._select not in self._within.fields):
            self._within.fields[self._select] = at.get("value", "")
        self._select = name if tag == "select" else self._select if tag == "option" else ""
        if "required" in at and name not in self._within.asked:
            self._within.asked.append(name)
        if tag == "button" and name and not self._pressed:
            self._within.fields[name], self._pressed = at.get("value", ""), name
        is_off = at.get("type") in ("radio", "checkbox") and "checked" not in at
        if tag in ("input", "textarea") and name and not is_off:
            self._within.fields[name] = at.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        """A form ends."""
        if tag == "form":
            self._within, self._pressed = None, ""


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with settled_town(tmp_path_factory.mktemp("town")) as made:
        yield made


@pytest.fixture(scope="module")
def app(town: Town) -> Flask:
    town.settings = replace(town.settings, public_bulletins=True)
    made = town.app()
    a_day(town, made)
    watch = Watch(town.store, town.settings)
    for minutes in (0, 4, 2):
        town.now += timedelta(minutes=minutes)
        for number in (1, 3, 4, 5) if minutes == 2 else ():
            town.wake(f"dong-dang-{number}")
        watch.look(Surroundings(True), town.now)
    return made


def shown(town: Town, page: str) -> str:
    alarm = town.store.alarms.open()[0].id
    return page.format(person=town.editor.id, alarm=alarm)


def refused(answer: TestResponse) -> list[str]:
    """The sentences of the summary; each leads to something that stands on the page."""
    assert answer.status_code == 422, (answer.request.path, answer.status_code, answer.text[-900:])
    page = Forms(answer.text)
    summary = re.search(r'id="summary".*?<ul>(.*?)</ul>', answer.text, re.DOTALL)
    assert summary, answer.request.path
    lines = re.findall(r'<li><a href="#([^"]+)">([^<]+)</a></li>', summary[1])
    assert lines
    assert {target for target, _ in lines} <= page.ids, lines
    return [sentence for _, sentence in lines]


def test_no_form_leaves_its_errors_to_the_browser() -> None:
    left = [
        f"{each.name}: {tag}"
        for each in sorted(TEMPLATES.glob("*.html"))
        for tag in re.findall(r'<form\b(?:[^>"]|"[^"]*")*>', each.read_text("utf-8"))
        if 'method="post"' in tag and "novalidate" not in tag and 'class="compose"' not in tag
    ]
    assert left == []
    native = re.compile(r'type="(date|time|datetime-local|month|week|number)"')
    assert [each.name for each in TEMPLATES.glob("*.html") if native.search(each.read_text("utf-8"))] == []


@pytest.mark.parametrize(
    "page", [(who, page) for who, pages in PAGES.items() for page in pages], ids=lambda page: page[1]
)
def test_a_form_sent_empty_comes_back_with_a_linked_sentence(
    town: Town, app: Flask, page: tuple[str | None, str]
) -> None:
    who, path = page[0], shown(town, page[1])
    if path == "/phan-anh":
        stranger = app.test_client()
        told = f"/thong-bao/{COMMUNE}/khong-nghe"
        assert stranger.post(told, data={"csrf_token": form_key(stranger, told), "kind": "silent"}).status_code == 200
    client = town.client(app, who) if who else app.test_client()
    answer = client.get(path)
    assert answer.status_code == 200, path
    asking = [form for form in Forms(answer.text).forms if form.asked]
    assert asking, path
    for form in asking:
        sent = {name: value for name, value in form.fields.items() if name not in form.asked}
        refused(client.post(form.action or path, data=sent))


def test_a_reason_that_is_missing_is_asked_for_where_it_is_typed(town: Town, app: Flask) -> None:
    editor, approver = town.client(app, "van-hoa"), town.client(app, "chu-tich")
    name = town.announcement_of(town.booked(editor, key="8" * 32, day="2026-12-05", title="Không lý do"))
    answer = approver.post(f"/duyet/{name}/tra-lai", data={"csrf_token": form_key(approver), "reason": " "})
    assert refused(answer) == ["Hãy ghi lý do trả lại để người soạn biết cần sửa gì."]
    assert f'id="tra-{name}" open' in answer.text


def test_a_wrong_password_leads_to_its_field(app: Flask) -> None:
    client = app.test_client()
    typed = {"csrf_token": form_key(client, "/dang-nhap"), "name": "chu-tich", "password": PASSWORD + "x"}
    assert refused(client.post("/dang-nhap", data=typed)) == ["Tên đăng nhập hoặc mật khẩu không đúng."]


def test_a_link_says_by_what_name_one_comes_in_and_a_spent_one_says_so_before_anything_is_typed(
    town: Town, app: Flask
) -> None:
    path = f"/chao/{town.desk.invite(town.editor.id, town.boss, town.now)}"
    client = app.test_client()
    page = client.get(path)
    assert page.status_code == 200
    assert "van-hoa" in page.text
    typed = {"csrf_token": form_key(client, path), "password": "ngắn", "again": "ngắn"}
    assert len(refused(client.post(path, data=typed))) == 1
    assert client.post(path, data=typed | {"password": PASSWORD, "again": PASSWORD}).status_code == 302
    for spent in (path, "/chao/never-given"):
        gone = app.test_client().get(spent)
        assert gone.status_code == 410
        assert "không còn hiệu lực" in gone.text
        assert "password" not in gone.text


def test_an_hour_that_is_over_is_offered_for_tomorrow(town: Town, app: Flask) -> None:
    town.now = NOON.replace(day=26, hour=3)  # ten in the morning here
    client = town.client(app, "chu-tich")
    assert re.search(r'value="2026-11-26" checked', client.get("/soan").text)
    town.now = NOON.replace(day=26, hour=11)
    assert re.search(r'value="2026-11-27" checked', client.get("/soan").text)


def test_a_warning_without_a_file_or_with_an_empty_one_is_told_so(app: Flask, town: Town) -> None:
    client = town.client(app, "chu-tich")
    for content, name, says in ((b"", "", "Hãy chọn một tệp."), (b"", "a.xml", "Tệp này rỗng. Hãy chọn lại.")):
        data = {"csrf_token": form_key(client, "/tin-cap"), "file": (io.BytesIO(content), name)}
        assert refused(client.post("/tin-cap", data=data)) == [says]
