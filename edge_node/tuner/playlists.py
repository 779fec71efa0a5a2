"""HLS playlists (RFC 8216) as far as a radio needs them: which variant, which segments. Pure: text in, addresses out.

- Of several variants the leanest, or the sound alone where it is offered alone.
- Encrypted segments, and pieces of one file (byte ranges), are not read: that is said.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import urljoin

MOST_SEGMENTS = 2000
MOST_TARGET_SECONDS = 60.0
_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"\r\n]*"|[^,\r\n]*)')


class BadPlaylist(Exception):
    """A text that is no playlist to relay from."""


@dataclass(frozen=True)
class Segment:
    """A piece of the stream. ``head``: what must come before it once, or empty."""

    number: int
    url: str
    head: str = ""


@dataclass(frozen=True)
class Playlist:
    """``variant``: where the segments are really listed, or empty; ``ended``: nothing more will come."""

    variant: str = ""
    segments: tuple[Segment, ...] = ()
    target_seconds: float = 6.0
    ended: bool = False


def read(text: str, url: str) -> Playlist:
    """What the playlist that came from ``url`` says. Raises BadPlaylist."""
    lines = [line.strip() for line in text.lstrip("\ufeff").splitlines() if line.strip()]
    if not lines or not lines[0].startswith("#EXTM3U"):
        raise BadPlaylist("not an HLS playlist")
    variant = _variant(lines)
    if not variant and not any(line.startswith("#EXT-X-TARGETDURATION:") for line in lines):
        raise BadPlaylist("not an HLS playlist: name the stream itself")
    try:
        return Playlist(variant=urljoin(url, variant)) if variant else _media(lines, url)
    except ValueError as wrong:  # an address that is none
        raise BadPlaylist(str(wrong)[:100]) from None


def _variant(lines: list[str]) -> str:
    """The address of the leanest variant of a master playlist; empty for a media playlist."""
    sound = [told["URI"] for told in _all(lines, "#EXT-X-MEDIA:") if told.get("TYPE") == "AUDIO" and told.get("URI")]
    if sound:
        return sound[0]
    found = []
    for line, following in pairwise(lines):
        if line.startswith("#EXT-X-STREAM-INF:") and not following.startswith("#"):
            width = _attributes(line).get("BANDWIDTH", "")
            found.append((int(width) if width.isdigit() and len(width) < 12 else 0, following))
    return min(found)[1] if found else ""


def _media(lines: list[str], url: str) -> Playlist:
    first = _number(lines, "#EXT-X-MEDIA-SEQUENCE:", 0)
    target = min(max(1.0, float(_number(lines, "#EXT-X-TARGETDURATION:", 6))), MOST_TARGET_SECONDS)
    segments: list[Segment] = []
    head = ""
    for line in lines:
        if line.startswith("#EXT-X-BYTERANGE:") or (line.startswith("#EXT-X-MAP:") and "BYTERANGE" in line):
            raise BadPlaylist("pieces of one file (byte ranges) are not read")
        if line.startswith("#EXT-X-KEY:") and _attributes(line).get("METHOD") != "NONE":
            raise BadPlaylist("encrypted segments are not read")
        if line.startswith("#EXT-X-MAP:"):
            head = urljoin(url, _attributes(line).get("URI", ""))
        elif not line.startswith("#"):
            segments.append(Segment(first + len(segments), urljoin(url, line), head))
    if len(segments) > MOST_SEGMENTS:
        raise BadPlaylist(f"more than {MOST_SEGMENTS} segments")
    return Playlist(segments=tuple(segments), target_seconds=target, ended="#EXT-X-ENDLIST" in lines)


def _all(lines: list[str], tag: str) -> list[dict[str, str]]:
    return [_attributes(line) for line in lines if line.startswith(tag)]


def _attributes(line: str) -> dict[str, str]:
    return {name: value.strip('"') for name, value in _ATTRIBUTE.findall(line.partition(":")[2])}


def _number(lines: list[str], tag: str, default: int) -> int:
    written = next((line.removeprefix(tag) for line in lines if line.startswith(tag)), "")
    return int(written) if re.fullmatch(r"[0-9]{1,15}", written) else default
