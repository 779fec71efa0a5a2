"""HLS playlists: which variant, which segments, and what is refused."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_node.tuner.playlists import MOST_SEGMENTS, MOST_TARGET_SECONDS, BadPlaylist, Segment, read

AT = "https://radio.example/live/index.m3u8?key=1"
MEDIA = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n"


def test_the_leanest_variant_is_taken_whatever_its_place() -> None:
    both = '#EXT-X-STREAM-INF:BANDWIDTH=900000,CODECS="a,b"\nhi.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=96000\n/lo.m3u8\n'
    text = "#EXTM3U\n" + both
    assert read(text, AT).variant == "https://radio.example/lo.m3u8"


def test_sound_that_is_offered_alone_is_taken_alone() -> None:
    text = '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",URI="sound.m3u8"\n#EXT-X-STREAM-INF:BANDWIDTH=1\nall.m3u8\n'
    assert read(text, AT).variant == "https://radio.example/live/sound.m3u8"


def test_segments_are_numbered_from_where_the_playlist_begins() -> None:
    text = (
        "\ufeff"
        + MEDIA
        + "#EXT-X-MEDIA-SEQUENCE:41\r\n\r\n#EXTINF:4,\r\na.ts\r\n#EXTINF:4,\r\nhttp://other.example/b.ts\r\n"
    )
    found = read(text, AT)
    assert found.segments == (
        Segment(41, "https://radio.example/live/a.ts"),
        Segment(42, "http://other.example/b.ts"),
    )
    assert (found.target_seconds, found.ended) == (4.0, False)


def test_what_must_come_first_is_known_with_each_segment_and_an_end_is_seen() -> None:
    found = read(MEDIA + '#EXT-X-MAP:URI="init.mp4"\n#EXTINF:4,\na.m4s\n#EXT-X-ENDLIST\n', AT)
    assert found.segments[0].head == "https://radio.example/live/init.mp4"
    assert found.ended


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not an HLS"),
        ("<html>", "not an HLS"),
        ("[playlist]\nFile1=http://a.b/", "not an HLS"),
        ("#EXTM3U\nhttp://a.b/stream", "name the stream itself"),
        (MEDIA + '#EXT-X-KEY:METHOD=AES-128,URI="k"\na.ts', "encrypted"),
        (MEDIA + "#EXT-X-BYTERANGE:5@0\na.ts", "byte ranges"),
        (MEDIA + '#EXT-X-MAP:URI="i",BYTERANGE="5@0"\na.ts', "byte ranges"),
        (MEDIA + "http://[::1\n", "Invalid"),
        (MEDIA + "a.ts\n" * (MOST_SEGMENTS + 1), "more than"),
    ],
)
def test_what_cannot_be_relayed_is_refused(text: str, why: str) -> None:
    with pytest.raises(BadPlaylist, match=why):
        read(text, AT)


def test_no_playlist_makes_a_node_wait_for_long() -> None:
    for written in ("999999999", "9" * 40, "-5", "x", "0"):
        target = read(f"#EXTM3U\n#EXT-X-TARGETDURATION:{written}\na.ts", AT).target_seconds
        assert 1.0 <= target <= MOST_TARGET_SECONDS


@given(st.text(max_size=300) | st.text('#EXTM3U-INF:KEYAP="=,0123\n/.ts', max_size=300).map((MEDIA + "{}").format))
def test_any_text_is_a_playlist_or_is_refused(text: str) -> None:
    with suppress(BadPlaylist):
        assert len(read(text, AT).segments) <= MOST_SEGMENTS
