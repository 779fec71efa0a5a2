"""Makers for the pages of programmes: a page's form as a browser without scripts would send it back."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

from flask.testing import FlaskClient
from makers_web import Town
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

SAMPLES = Path(__file__).parent.parent / "schedules" / "samples"
COMMUNE = "lang-son:dong-dang"
PAGE = f"/khung-chuong-trinh/{COMMUNE}"
EDIT, TEXT, POLICY = f"{PAGE}/sua", f"{PAGE}/van-ban", f"{PAGE}/quy-che"


def sample(name: str = "dong-dang") -> str:
    return (SAMPLES / f"{name}.toml").read_text("utf-8")


def applied(town: Town, text: str = "") -> None:
    """The commune has the sample as its programme, from today on."""
    town.desk.apply_programme(text or sample(), None, town.boss, town.now)


class _Fields(HTMLParser):
    """The successful controls of every form of a page (HTML, 4.10.22.4), without its buttons."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: MultiDict[str, str] = MultiDict()
        self._select = self._area = ""
        self._text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = dict(attrs)
        name, value = facts.get("name") or "", facts.get("value") or ""
        if tag == "input" and name and facts.get("type") != "file":
            if facts.get("type") not in ("checkbox", "radio") or "checked" in facts:
                self.found.add(name, value)
        elif tag == "select":
            self._select = name
        elif tag == "option" and "selected" in facts and self._select:
            self.found.add(self._select, value)
        elif tag == "textarea":
            self._area, self._text = name, ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""
        elif tag == "textarea" and self._area:
            self.found.add(self._area, self._text.removeprefix("\n"))
            self._area = ""


def fields(page: str) -> MultiDict[str, str]:
    """What the forms in the main part of a page would send."""
    reader = _Fields()
    reader.feed(page[page.index("<main") :])
    return reader.found


def pressed(client: FlaskClient, path: str, page: str, act: str, **changed: object) -> TestResponse:
    """A button of a page's form is pressed, after some fields were changed."""
    form = fields(page)
    form["act"] = act
    for name, value in changed.items():
        key = name.replace("__", "-")
        form.setlist(key, value if isinstance(value, list) else [value])  # type: ignore[list-item]
    return client.post(path, data=form, content_type="multipart/form-data")


def problems(page: str) -> list[tuple[str, str]]:
    """The problems that a page names: the field each leads to, and its sentence."""
    summary = re.search(r'<div class="summary".*?</div>', page, re.DOTALL)
    return (
        [(field, unescape(said)) for field, said in re.findall(r'<a href="#([^"]+)">([^<]+)</a>', summary[0])]
        if summary
        else []
    )
