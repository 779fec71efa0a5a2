"""`./run shots`: every page is in a picture or says why not; the guides show pictures that stand."""

from __future__ import annotations

import importlib
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from makers_web import settled_town

TOP = Path(__file__).parent.parent
SHOTS = TOP / "docs" / "shots"
GUIDES = ("guide-commune.md", "guide-province.md")
MOST_BYTES, MOST_ALL_BYTES = 80_000, 4_000_000


@pytest.fixture(scope="module")
def listed() -> Iterator[ModuleType]:
    sys.path.insert(0, str(TOP / "deploy"))
    yield importlib.import_module("shot_list")
    sys.path.remove(str(TOP / "deploy"))


def test_every_page_has_a_picture_or_a_reason(listed: ModuleType, tmp_path: Path) -> None:
    with settled_town(tmp_path) as town:
        rules = {rule.rule for rule in town.app().url_map.iter_rules() if "GET" in (rule.methods or ())}
    # /api answers machines, and the library has a page of its own for its document
    rules = {rule for rule in rules if not rule.startswith(("/api", "/openapi"))}
    shown = {shot.route for shot in listed.SHOTS}
    left_out = {*listed.NONE, *listed.NO_PAGES}
    assert shown & left_out == set()
    assert rules - shown - left_out == set()  # a new page: a line in deploy/shot_list.py
    assert (shown | left_out) - rules == set()  # a page that is gone
    assert all(len(why) > 3 for why in (*listed.NONE.values(), *listed.NO_PAGES.values()))


def test_names_are_unlike_and_each_path_is_of_its_route(listed: ModuleType) -> None:
    names = [shot.name for shot in listed.SHOTS]
    assert len(set(names)) == len(names)
    for shot in listed.SHOTS:
        path = re.sub(r"\{\w+\}", "x", shot.path.partition("?")[0])
        assert re.fullmatch(re.sub(r"<[^>]+>", "[^/]+", shot.route), path), shot


def test_the_pictures_that_stand_are_those_of_the_list_and_small(listed: ModuleType) -> None:
    files = {each.name: each.stat().st_size for each in SHOTS.iterdir()}
    assert files.keys() == {f"{shot.name}-{screen}.png" for shot in listed.SHOTS for screen in shot.screens}
    assert {name: size for name, size in files.items() if size > MOST_BYTES} == {}
    assert sum(files.values()) <= MOST_ALL_BYTES


def test_the_guides_show_pictures_that_stand_and_lead_to_each_other() -> None:
    for guide in GUIDES:
        text = (TOP / "docs" / guide).read_text("utf-8")
        shown = re.findall(r'(?:\]\(|src=")(shots/[\w.-]+)', text)
        assert len(shown) >= 8
        assert [each for each in shown if not (TOP / "docs" / each).is_file()] == []
        for link in re.findall(r"\]\(([\w-]+\.md)", text):
            assert (TOP / "docs" / link).is_file(), link
        assert text.count("**Nếu trục trặc.**") == len(re.findall(r"^## \d+", text, re.M))


def test_what_the_guides_print_in_bold_stands_so_on_the_pages() -> None:
    vietnamese = [tomllib.loads(each.read_text("utf-8")) for each in sorted((TOP / "words" / "vi").glob("*.toml"))]
    shown = {words.rstrip("…:").lower() for room in vietnamese for words in room.values()}
    filled = [re.sub(r"\\{\w+\\}", ".+", re.escape(each)) for each in shown if "{" in each and len(each) > 8]
    named = 0
    for guide in GUIDES:
        text = (
            (TOP / "docs" / guide).read_text("utf-8").replace("**Nếu trục trặc.**", "").replace("**Nếu trục trặc**", "")
        )
        for label in (
            " ".join(each.split()) for bold in re.findall(r"\*\*([^*]+)\*\*", text) for each in bold.split("→")
        ):
            named += 1
            known = label.lower() in shown or any(re.fullmatch(each, label.lower()) for each in filled)
            assert known, f"{guide}: no page says {label!r}"
    assert named > 60
