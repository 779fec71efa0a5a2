"""Following an HLS stream: its playlist read again and again, its new segments one after the other."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from edge_node.tuner import playlists
from edge_node.tuner.calling import Answer, Caller, NoStream
from edge_node.tuner.playlists import BadPlaylist, Playlist

MOST_PLAYLIST_BYTES = 256 * 1024
MOST_SEGMENT_BYTES = 16 * 1024 * 1024
LIVE_EDGE = 3  # segments from the end where a live stream is entered (RFC 8216, 6.3.3)
MOST_DEPTH = 3  # playlists that name playlists
MOST_STALE = 10  # looks in a row that brought nothing new

Bytes = Iterator[bytes]


def is_playlist(answer: Answer) -> bool:
    """Whether an answer is a playlist and not sound."""
    return "mpegurl" in answer.media_type or answer.url.partition("?")[0].endswith((".m3u8", ".m3u"))


def follow(caller: Caller, answer: Answer, gone: threading.Event) -> Bytes:
    """The bytes of the stream that the playlist in ``answer`` describes, until it ends. Raises NoStream."""
    url, playlist = _media(caller, answer)
    last = playlist.segments[-LIVE_EDGE].number - 1 if len(playlist.segments) >= LIVE_EDGE else -1
    if playlist.ended:
        last = -1
    head, stale = "", 0
    while not gone.is_set():
        fresh = [each for each in playlist.segments if each.number > last]
        for segment in fresh:
            if segment.head and segment.head != head:
                yield from _segment(caller, segment.head)
                head = segment.head
            yield from _segment(caller, segment.url)
            last = segment.number
        stale = 0 if fresh else stale + 1
        if playlist.ended:
            return
        if stale > MOST_STALE:
            raise NoStream("the playlist brings nothing new")
        if not fresh:
            gone.wait(playlist.target_seconds / 2)
        playlist = _read(caller.open(url))
        if playlist.segments and playlist.segments[-1].number < last - MOST_STALE:
            raise NoStream("the playlist began anew")


def _media(caller: Caller, answer: Answer) -> tuple[str, Playlist]:
    """Where the segments are listed, and that list."""
    for _ in range(MOST_DEPTH):
        playlist = _read(answer)
        if not playlist.variant:
            return answer.url, playlist
        answer = caller.open(playlist.variant)
    answer.close()
    raise NoStream(f"more than {MOST_DEPTH} playlists that name playlists")


def _read(answer: Answer) -> Playlist:
    try:
        return playlists.read(answer.whole(MOST_PLAYLIST_BYTES).decode("utf-8", "replace"), answer.url)
    except BadPlaylist as wrong:
        raise NoStream(str(wrong)) from None
    finally:
        answer.close()


def _segment(caller: Caller, url: str) -> Bytes:
    answer, taken = caller.open(url), 0
    try:
        while chunk := answer.read():
            taken += len(chunk)
            if taken > MOST_SEGMENT_BYTES:
                raise NoStream(f"a segment of more than {MOST_SEGMENT_BYTES} bytes")
            yield chunk
    finally:
        answer.close()
