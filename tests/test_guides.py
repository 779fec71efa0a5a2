"""The guides name what is there: every bold word is one on a screen, every path a page, every verb a verb.

In `docs/guide-*.md` bold is what stands on a button, a link, a heading or a field, word for word; anything else is not.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from makers_web import settled_town

from loa import parser
from words import table

DOCS = Path(__file__).parent.parent / "docs"
GUIDES = ("guide-commune.md", "guide-province.md")
HEADINGS = {"Nếu trục trặc", "Nếu trục trặc."}  # the guides' own


def read(guide: str) -> str:
    return (DOCS / guide).read_text("utf-8")


def labels(guide: str) -> set[str]:
    bold = re.findall(r"\*\*([^*]+)\*\*", read(guide))
    return {part.strip() for each in bold for part in " ".join(each.split()).split("→")} - HEADINGS


@pytest.mark.parametrize("guide", GUIDES)
def test_every_word_in_bold_is_a_word_on_a_screen(guide: str) -> None:
    words = {words for key, words in table("vi").items() if key.startswith(("web.", "condition."))}
    filled = [re.sub(r"\\{\w+\\}", ".+", re.escape(each)) for each in words if re.search(r"^\w.*\{\w+\}", each)]
    known = re.compile("|".join(filled))
    assert len(labels(guide)) > 20
    assert sorted(each for each in labels(guide) if each not in words and not known.fullmatch(each)) == []


@pytest.mark.parametrize("guide", GUIDES)
def test_what_a_guide_quotes_is_said_somewhere(guide: str) -> None:
    said = " ".join(table("vi").values())
    quoted = {each.strip("“”") for each in re.findall(r"“[^”]+”", read(guide))} - {"tên bản tin"}
    assert {each for each in quoted if each not in said} == set()


def test_every_path_that_a_guide_names_is_a_page(tmp_path: Path) -> None:
    named = {path for guide in GUIDES for path in re.findall(r"`(/[a-z][^` ]*)`", read(guide))}
    with settled_town(tmp_path) as town:
        rules = [re.sub(r"<[^>]+>", "", rule.rule) for rule in town.app().url_map.iter_rules()]
    assert named
    assert named - set(rules) == set()


@pytest.mark.parametrize("guide", GUIDES)
def test_every_command_of_a_guide_is_a_verb(guide: str) -> None:
    usage = parser.make("vi").format_help()
    named = set(re.findall(r"(?:`|^ {3}(?=.*--))loa ([a-z-]+)", read(guide), re.MULTILINE))
    assert {verb for verb in named if not re.search(rf"\b{verb}\b", usage)} == set()
