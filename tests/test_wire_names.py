"""Names: a small alphabet, no surprises in a topic, a file name, a URL or a log."""

from __future__ import annotations

import re
import string

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire.names import MAX_AREA_CHARS, SLUG, BadName, area_id, asset_id, lies_within, node_id
from wire.plan import Name

SLUGS = st.from_regex(SLUG, fullmatch=True)
AREAS = st.lists(SLUGS, min_size=1, max_size=4).map(":".join).filter(lambda area: len(area) <= MAX_AREA_CHARS)
ALPHABET = set(string.ascii_lowercase + string.digits + "-:")


@given(AREAS)
def test_slugs_joined_by_colons_are_areas_on_the_wire_too(area: str) -> None:
    assert area_id(area) == area
    assert msgspec.convert(area, Name) == area


@given(st.text(max_size=20))
def test_whatever_is_taken_for_a_name_is_made_of_the_alphabet(text: str) -> None:
    for check in (area_id, node_id):
        try:
            name = check(text)
        except BadName:
            continue
        assert set(name) <= ALPHABET
        assert not re.search(r"(^|:)-|-(:|$)", name)


@given(st.text(max_size=20))
def test_the_wire_and_the_program_agree_on_what_is_a_name(text: str) -> None:
    try:
        area_id(text)
        named = True
    except BadName:
        named = False
    try:
        msgspec.convert(text, Name)
        carried = True
    except msgspec.ValidationError:
        carried = False
    assert named == carried


@pytest.mark.parametrize(
    "text", ["", "A", "a b", "a/b", "../a", "a.b", "a_b", "-a", "a-", "a\n", "a\x00", "đ", "a" * 65]
)
def test_these_are_no_slugs(text: str) -> None:
    with pytest.raises(BadName):
        node_id(text)
    with pytest.raises(BadName):
        area_id(text)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(text, Name)


@pytest.mark.parametrize("text", [":", "a:", ":a", "a::b", "a:-b", "*", ("a" * 49 + ":") * 4 + "abc"])
def test_these_are_no_areas(text: str) -> None:
    with pytest.raises(BadName):
        area_id(text)


def test_a_node_is_one_slug() -> None:
    assert node_id("loa-01") == "loa-01"
    with pytest.raises(BadName, match="node"):
        node_id("lang-son:loa-01")


@pytest.mark.parametrize("text", ["", "ab", "AB" * 32, "gg" * 32, "ab" * 32 + "\n", "ab" * 33])
def test_these_are_no_assets(text: str) -> None:
    with pytest.raises(BadName, match="asset"):
        asset_id(text)


def test_an_asset_is_a_sha_256() -> None:
    assert asset_id("ab" * 32) == "ab" * 32


@given(AREAS, SLUGS)
def test_an_area_lies_within_itself_its_owners_and_everything(area: str, below: str) -> None:
    assert lies_within(area, area)
    assert lies_within(f"{area}:{below}", area)
    assert lies_within(area, "*")
    assert not lies_within(area, f"{area}:{below}")


@given(AREAS, SLUGS)
def test_a_neighbour_with_a_longer_name_is_not_within(area: str, more: str) -> None:
    assert not lies_within(area + more, area)
    assert not lies_within(f"{area}{more}:x", area)
