"""Sentences with a number in them: English says “1 loudspeaker has”, “2 loudspeakers have”."""

from __future__ import annotations

import re

import pytest

from words import say, table

COUNTED = re.compile(
    r"\{(?:count|nodes|lines|hours|minutes|days|weeks|slots|expected|total|new)\} (?:more |new )?\w{2,}s\b"
)


@pytest.mark.parametrize(
    ("key", "facts", "said"),
    [
        ("web.waiting_for_nodes", {"count": 1}, "1 loudspeaker has yet to report:"),
        ("web.waiting_for_nodes", {"count": 2}, "2 loudspeakers have yet to report:"),
        ("web.waiting_for_nodes", {"count": 0}, "0 loudspeakers have yet to report:"),
        ("web.rule_before_tet", {"count": 1}, "1 day before the first of Tết"),
        ("web.tally", {"sounded": 1, "expected": 1}, "Sounded on 1 of 1 loudspeaker"),
        ("web.alarm_mute", {"count": 1}, "1 node says it sounded, but silence was measured"),
        ("web.count_nodes", {"count": "{count}"}, "{count} loudspeakers"),  # for a script to fill in
    ],
)
def test_english_bends_what_is_counted(key: str, facts: dict[str, object], said: str) -> None:
    assert say(key, "en", **facts) == said


def test_no_english_sentence_counts_one_as_many() -> None:
    assert [key for key, sentence in table("en").items() if COUNTED.search(sentence)] == []


def test_both_languages_fill_in_the_same_words_and_only_english_bends() -> None:
    assert [key for key, sentence in table("vi").items() if re.search(r"\{[^}]*\|", sentence)] == []
    assert [key for key, sentence in table("en").items() if re.search(r"\{\w+:[^}|]+\|[^}]*\|", sentence)] == []
