"""What holds for any text at all: no digit survives, nothing raises, work stays in proportion, nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from controller.newsroom import MAX_CHARS, NewsroomError, clean, has_words, parts, sentences, spoken

ARTICLES = sorted((Path(__file__).parent / "data" / "articles").glob("*.txt"))

_WRITTEN = st.sampled_from(
    [
        "UBND",
        "HĐND",
        "xã",
        "ngày",
        "tháng",
        "4",
        "12",
        "2025",
        "1.500",
        "7h30",
        "25/11",
        "30/4/2025",
        "50.000đ",
        "12,5%",
        "kg",
        "km/h",
        "QL1A",
        "0912345678",
        "số",
        "197/QĐ-UBND",
        "quý",
        "I/2022",
        "thứ",
        "2",
        "-",
        "–",
        ",",
        ".",
        "(",
        ")",
        "/",
        ":",
        "XKCD",
        "THÔNG",
        "BÁO",
        "m²",
        "½",
        "²",
        "📢",
        "và",
        "đến",
        "từ",
        "giờ",
        "\n",
        "24/24h",
        "1m65",
        "1tr2",
        "$5",
        "-3",
        "+84",
        "www.a.vn",
    ]
)
_TEXTS = st.one_of(
    st.text(max_size=200), st.lists(_WRITTEN, max_size=25).map(" ".join), st.lists(_WRITTEN).map("".join)
)


@settings(max_examples=300, deadline=None)
@given(_TEXTS)
def test_no_digit_survives_and_every_span_points_at_its_text(text: str) -> None:
    said = spoken(text)
    assert not any(char.isdigit() for char in said.text)
    assert all(said.source[r.start : r.end] == r.written for r in said.rewrites)
    ends = [0, *(r.end for r in said.rewrites)]
    assert all(r.start >= end for r, end in zip(said.rewrites, ends, strict=False))


@pytest.mark.parametrize("path", ARTICLES, ids=lambda path: path.stem)
def test_spoken_text_is_left_as_it_is(path: Path) -> None:
    once = spoken(path.read_text("utf-8")).text
    assert spoken(once).text == once


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "UBND",
                "họp",
                "ngày",
                "24/11/2025",
                "lúc",
                "7h30",
                "tại",
                "xã",
                ",",
                "chi",
                "50.000đ",
                "tăng",
                "8,5%",
                "trong",
                "quý",
                "I/2022",
                ".",
            ]
        )
    )
)
@example(["UBND", ".", ",", ".", "."])
def test_spoken_phrases_are_left_as_they_are(words: list[str]) -> None:
    once = spoken(" ".join(words)).text
    assert spoken(once).text == once


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300))
def test_cleaning_is_done_once(text: str) -> None:
    assert clean(clean(text)) == clean(text)


def test_control_and_bidirectional_characters_are_taken_out() -> None:
    assert clean("a\u202eb\x00c\u200bd\r\ne\te\u0301") == "abcd\ne é"


def test_text_beyond_the_limit_is_refused_in_a_sentence() -> None:
    assert len(clean("x" * MAX_CHARS)) == MAX_CHARS
    with pytest.raises(NewsroomError) as refused:
        clean("x" * (MAX_CHARS + 1))
    assert "20001" in refused.value.say("vi")


def test_only_emoji_and_signs_is_no_text() -> None:
    assert not has_words(spoken("📢 !!! ...").text)
    assert has_words("Bão")


_HOSTILE = (
    "1",
    "1.",
    "111.",
    "1/",
    "1-",
    "9:",
    "-",
    " ",
    "A",
    "XI ",
    "quý ",
    "\n",
    "0 ",
    "a@",
    "a.",
    "(",
    "½",
    "h1",
    "7h",
    "📢",
    "www.",
)


@pytest.mark.timeout(120)  # work that grows with the square of the length would take hours
@pytest.mark.parametrize("seed", _HOSTILE)
def test_endless_repetition_is_read_in_proportion(seed: str) -> None:
    assert not any(char.isdigit() for char in spoken((seed * 60_000)[:60_000]).text)


@pytest.mark.timeout(120)
def test_a_megabyte_of_everything_is_read_in_proportion() -> None:
    text = "".join(seed * 5000 for seed in _HOSTILE)
    assert not any(char.isdigit() for char in spoken((text * 5)[:1_000_000]).text)


@pytest.mark.parametrize("most", [1, 20, 100, 3000])
def test_parts_are_short_enough_and_lose_no_word(most: int) -> None:
    text = spoken(ARTICLES[0].read_text("utf-8")).text
    cut = parts(text, most)
    assert all(0 < len(part) <= most for part in cut)
    assert "".join("".join(cut).split()) == "".join("".join(sentences(text)).split())


def test_sentences_end_at_marks_and_line_ends() -> None:
    assert sentences('Một. "Hai!" Ba\nBốn, năm…') == ["Một.", '"Hai!"', "Ba", "Bốn, năm…"]
