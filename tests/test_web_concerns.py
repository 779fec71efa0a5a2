"""No open page is left as it was: whatever changes a page's live parts, its stream tells of it.

Every page of several people is looked at before and after each of many acts, at one moment of the clock.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from makers_acts import acts_of
from makers_web import Town, settled_town

from controller.rights import Role
from controller.web.concerns import Change, Interest, kinds_of, own_areas, places_of
from controller.web.news import NODES_SECONDS, News

OPEN = {
    "quan-tri": ("/", "/tong-quan", "/cum-loa", "/nhat-ky"),
    "chu-tich": ("/", "/duyet", "/lich", "/ke-hoach", "/canh-bao"),
    "van-hoa": ("/", "/nhat-ky-phat", "/cum-loa/dong-dang-1"),
    "tam-thanh": ("/", "/lich", "/tong-quan", "/phan-anh", "/cum-loa/tam-thanh-2/nhung-ngay-toi"),
}
VOID = ("input", "img", "br", "link", "meta", "use", "source", "hr", "area", "col", "wbr")


class Parts(HTMLParser):
    """The live parts of a page: what each names, and what stands in it but for the keys of its forms."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.shown: dict[str, str] = {}
        self.kinds: set[str] = set()
        self.everything, self.places = False, set[str]()
        self._in, self._depth = "", 0
        self.feed(re.sub(r'name="csrf_token" value="[^"]*"', "", page))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if not self._in and "data-live" in dict(attrs):
            facts = dict(attrs)
            self._in, self._depth = str(facts["id"]), 0
            self.shown[self._in] = ""
            self.kinds |= set((facts.get("data-live-of") or "").split())
            self.everything |= "data-live-of" not in facts
            self.places |= set((facts.get("data-live-in") or "").split())
            self.places |= set() if "data-live-of" in facts else {"*"}
        self._add(self.get_starttag_text() or "")
        self._depth += tag not in VOID

    def handle_endtag(self, tag: str) -> None:
        self._depth -= tag not in VOID
        self._add(f"</{tag}>")
        if self._in and not self._depth:
            self._in = ""

    def handle_data(self, data: str) -> None:
        self._add(data)

    def _add(self, text: str) -> None:
        if self._in:
            self.shown[self._in] += text


@dataclass
class Open:
    """A page that somebody has open."""

    client: FlaskClient
    path: str
    who: str
    parts: Parts

    def again(self) -> Parts:
        answer = self.client.get(self.path)
        return Parts(answer.text) if answer.status_code == 200 else Parts("")

    def interest(self, town: Town) -> Interest:
        """As `live.js` and the view behind it say it."""
        user = town.store.people.by_name(self.who)
        assert user is not None
        kinds = kinds_of("" if self.parts.everything else ",".join(sorted(self.parts.kinds)))
        areas = own_areas((user.area, *(grant.area for grant in user.grants)))
        return Interest(kinds, areas, user.id, places_of(" ".join(self.parts.places)))


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with settled_town(tmp_path) as made:
        made.person("so-van-hoa", Role.APPROVER, "lang-son", "Chu Thị Ngọc")
        yield made


def test_whatever_changes_a_page_wakes_it(town: Town) -> None:
    app, clock = town.app(), [1000.0]
    browsers = {who: town.client(app, who) for who in (*OPEN, "so-van-hoa")}
    news = News(town.store, lambda: clock[0])
    watched = [Open(browsers[who], path, who, Parts("")) for who, paths in OPEN.items() for path in paths]
    for each in watched:
        each.parts = each.again()
        assert each.parts.shown, each.path
    news()
    changed, quiet = 0, set[str]()  # steps of which another commune's home page hears nothing
    for step in acts_of(town, browsers.__getitem__):
        clock[0] += 2 * NODES_SECONDS
        changes: list[Change] = news()
        for each in watched:
            is_told = any(each.interest(town).is_met_by(change) for change in changes)
            fresh = each.again()
            differs = [name for name, shown in fresh.shown.items() if each.parts.shown.get(name, shown) != shown]
            assert is_told or not differs, (step, each.who, each.path, differs)
            each.parts, changed = fresh, changed + bool(differs)
            quiet |= {step} if not is_told and (each.who, each.path) == ("tam-thanh", "/") else set()
        if step == "the province's, which clashes":  # a commune's page that shows what is far from it
            wide = next(view.booking.id for view in town.store.bookings.list() if view.title == "Toàn tỉnh")
            watched.append(Open(browsers["tam-thanh"], f"/lich-phat/{wide}", "tam-thanh", Parts("")))
            watched[-1].parts = watched[-1].again()
    assert changed > 80
    assert quiet > {"a booking", "its voice", "it comes back", "audio arrives", "a miss", "it goes", "an alarm"}
