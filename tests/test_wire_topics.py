"""The table of topics: what is recognised, what matches, and whom the access rules let do what."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers_wire import AREA, NODE

from wire import topics
from wire.names import MAX_AREA_CHARS, BadName

NAMES = {"area": AREA, "node": NODE, "session": "b0123456789ab"}
SEGMENT = st.text("ab-", min_size=0, max_size=3)


@pytest.mark.parametrize("line", topics.TABLE, ids=lambda line: line.name)
def test_every_topic_of_the_table_is_recognised_with_its_names(line: topics.Line) -> None:
    expected = {key: name for key, name in NAMES.items() if f"{{{key}}}" in line.pattern}
    assert topics.recognise(line.topic(**NAMES)) == (line, expected)
    assert topics.matches(line.filter(), line.topic(**NAMES))


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "radio/v1",
        "radio/v2/trust",
        "radio/v1/trust/",
        "/radio/v1/trust",
        "radio/v1/trust\n",
        "radio/v1/areas//plan",
        "radio/v1/areas/+/plan",
        "radio/v1/areas/#",
        "radio/v1/areas/a/b/plan",
        "radio/v1/areas/Lạng-Sơn/plan",
        "radio/v1/areas/a\n/plan",
        "radio/v1/areas/a:/plan",
        "radio/v1/nodes/a:b/health",
        "radio/v1/nodes/loa-01/HEALTH",
        "radio/v1/nodes/loa-01/receipts/x",
        "$SYS/broker/version",
        "radio/v1/areas/" + "a:" * 400 + "a/plan",
    ],
)
def test_no_other_topic_is_recognised(topic: str) -> None:
    assert topics.recognise(topic) is None


@given(st.text(max_size=80))
def test_no_text_is_more_than_recognised_or_not(text: str) -> None:
    topics.recognise(text)
    assert topics.recognise(f"radio/v1/areas/{text}/plan") is None or "/" not in text


def test_the_longest_area_is_recognised() -> None:
    longest = ("a" * 49 + ":") * 4
    assert topics.recognise(topics.PLAN.topic(area=longest[: MAX_AREA_CHARS - 1])) is not None


@pytest.mark.parametrize(
    ("wanted", "topic", "covered"),
    [
        ("a/b", "a/b", True),
        ("a/+", "a/b", True),
        ("a/+", "a/", True),
        ("a/+", "a", False),
        ("a/+", "a/b/c", False),
        ("+/+", "/a", True),
        ("+", "/a", False),
        ("#", "a/b/c", True),
        ("a/#", "a", True),
        ("a/#", "a/b/c", True),
        ("a/#", "ab", False),
        ("a/+/c", "a/b/c", True),
        ("a/+/c", "a/b/d", False),
        ("#", "$SYS/x", False),
        ("+/x", "$SYS/x", False),
        ("$SYS/#", "$SYS/x", True),
        ("a", "A", False),
    ],
)
def test_filters_cover_as_mqtt_says(wanted: str, topic: str, covered: bool) -> None:
    assert topics.matches(wanted, topic) is covered


@given(st.lists(SEGMENT, min_size=1, max_size=5), st.data())
def test_a_filter_made_from_a_topic_covers_it(levels: list[str], data: st.DataObject) -> None:
    holes = data.draw(st.lists(st.booleans(), min_size=len(levels), max_size=len(levels)))
    cut = data.draw(st.integers(0, len(levels)))
    with_holes = ["+" if hole else level for level, hole in zip(levels, holes, strict=True)]
    assert topics.matches("/".join(with_holes), "/".join(levels))
    assert topics.matches("/".join([*with_holes[:cut], "#"]), "/".join(levels))


def test_a_node_listens_to_itself_its_areas_and_trust() -> None:
    assert topics.of_node(NODE, [AREA, AREA]) == [
        "radio/v1/trust",
        f"radio/v1/nodes/{NODE}/config",
        f"radio/v1/nodes/{NODE}/acks",
        f"radio/v1/nodes/{NODE}/certificate",
        f"radio/v1/areas/{AREA}/plan",
        f"radio/v1/areas/{AREA}/urgent",
        f"radio/v1/areas/{NODE}/plan",
        f"radio/v1/areas/{NODE}/urgent",
    ]
    assert all(topics.recognise(topic) for topic in topics.of_node(NODE, [AREA]))


def test_access_rules_name_every_right_and_no_more() -> None:
    rules = topics.access_rules("station", [(NODE, ["lang-son"])])
    station, *blocks = rules.split("\nuser ")
    assert [line for line in station.splitlines() if "write" in line] == [
        "topic readwrite radio/v1/#",
        *(f"pattern write radio/v1/nodes/%u/{name}" for name in ("presence", "health", "receipts", "renewal")),
    ]
    assert [line for line in station.splitlines() if "pattern read" in line] == [
        *(f"pattern read radio/v1/areas/%u/{name}" for name in ("plan", "urgent", "live/+")),
        "pattern read radio/v1/nodes/%u/config",
        "pattern read radio/v1/trust",
        *(f"pattern read radio/v1/nodes/%u/{name}" for name in ("acks", "certificate")),
    ]
    assert blocks[0].splitlines() == [NODE, "topic read radio/v1/areas/lang-son/#"]
    assert topics.access_rules("station", [], [NODE]).splitlines()[-2:] == [f"user {NODE}", "topic deny radio/v1/#"]


@pytest.mark.parametrize(
    ("node", "areas"),
    [
        ("loa\ntopic readwrite #", []),
        ("loa 01", []),
        ("+", []),
        ("", []),
        ("a:b", []),
        ("station", []),
        ("loa-01", ["#"]),
        ("loa-01", ["a\ntopic readwrite #"]),
        ("loa-01", ["+"]),
    ],
)
def test_a_name_that_would_be_a_rule_of_its_own_is_refused(node: str, areas: list[str]) -> None:
    with pytest.raises(BadName):
        topics.access_rules("station", [(node, areas)])


def test_the_largest_document_is_the_links_limit() -> None:
    assert max(line.most_bytes for line in topics.TABLE) == topics.MOST_BYTES
    assert topics.URGENT.most_bytes < topics.PLAN.most_bytes
