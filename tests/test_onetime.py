"""One-time codes: what a person may type, and what shows at once that it was mistyped."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire import onetime
from wire.onetime import ALPHABET, BadCode, Code

codes = st.builds(Code, st.text(ALPHABET, min_size=3, max_size=3), st.text(ALPHABET, min_size=12, max_size=12))


@given(codes)
def test_a_code_is_read_as_it_was_shown(code: Code) -> None:
    shown = code.shown()
    assert [len(group) for group in shown.split("-")] == [4, 4, 4, 4]
    for typed in (shown, shown.lower(), shown.replace("-", " "), f"  {shown.replace('-', '')}\n"):
        assert onetime.read(typed) == code


@given(codes, st.integers(0, 15), st.sampled_from(ALPHABET))
def test_one_wrong_letter_shows(code: Code, at: int, other: str) -> None:
    letters = code.shown().replace("-", "")
    if letters[at] != other:
        with pytest.raises(BadCode, match="check"):
            onetime.read(letters[:at] + other + letters[at + 1 :])


@given(codes, st.integers(0, 15), st.integers(0, 15))
def test_two_letters_that_changed_places_show(code: Code, one: int, other: int) -> None:
    letters = list(code.shown().replace("-", ""))
    if letters[one] != letters[other]:
        letters[one], letters[other] = letters[other], letters[one]
        with pytest.raises(BadCode, match="check"):
            onetime.read("".join(letters))


@pytest.mark.parametrize(
    ("typed", "what"),
    [
        ("", "length"),
        ("KMW7", "length"),
        ("2" * 17, "length"),
        ("O" * 16, "letters"),
        ("đ" * 16, "letters"),
        ("2222-2222-2222-222\0", "letters"),
        ("2" * 100_000, "length"),
    ],
)
def test_what_is_no_code_is_told_apart(typed: str, what: str) -> None:
    with pytest.raises(BadCode, match=what):
        onetime.read(typed)


def test_new_codes_differ_and_hide_their_secret() -> None:
    made = [onetime.new() for _ in range(200)]
    assert len({code.secret for code in made}) == 200
    assert all(code.secret not in repr(code) for code in made)
    assert len(ALPHABET) == len(set(ALPHABET)) == 32
    assert onetime.new("KMW").name == "KMW"
