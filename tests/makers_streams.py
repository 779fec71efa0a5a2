"""Makers of streams: a radio station on the loopback that sends what a test asks for, and how it sends it."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

TONE_HZ, OTHER_HZ = 1000, 400
SECONDS = 20


@cache
def encoded(form: str = "mp3", hertz: int = TONE_HZ, seconds: float = SECONDS) -> bytes:
    """A tone as MP3, Ogg Opus, ADTS or MPEG-TS."""
    codec = {"mp3": "libmp3lame", "ogg": "libopus", "adts": "aac", "mpegts": "aac"}[form]
    source = f"sine=frequency={hertz}:sample_rate=48000:duration={seconds}"
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, "-af", "volume=4", "-c:a", codec, "-b:a", "96k"]
    return subprocess.run([*command, "-f", form, "pipe:1"], check=True, capture_output=True).stdout


def segmented(folder: Path, form: str = "mpegts") -> list[bytes]:
    """The tone as HLS segments of two seconds: MPEG-TS, fMP4 (the first is what stands before all), or bare AAC."""
    (folder / "hls").mkdir()
    source = f"sine=frequency={TONE_HZ}:sample_rate=48000:duration={SECONDS}"
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, "-af", "volume=4", "-c:a", "aac", "-b:a", "96k"]
    target = ["-f", "hls", "-hls_time", "2", "-hls_list_size", "0", "-hls_segment_type", form, "hls/x.m3u8"]
    if form == "adts":
        target = ["-f", "segment", "-segment_time", "2", "-segment_format", "adts", "hls/x%d.ts"]
    subprocess.run([*command, *target], check=True, cwd=folder)
    pieces = [path for path in folder.glob("hls/x*") if path.suffix in (".ts", ".m4s")]
    head = [path.read_bytes() for path in folder.glob("hls/init.mp4")]
    return head + [path.read_bytes() for path in sorted(pieces, key=lambda path: int(path.stem[1:]))]


class Sending(BaseHTTPRequestHandler):
    """One listener's connection."""

    server: ThreadingHTTPServer

    def do_GET(self) -> None:
        station: Station = self.server.station  # type: ignore[attr-defined]
        station.asked.append(self.path)
        with suppress(OSError, ValueError):
            station.programmes.get(self.path.partition("?")[0], not_found)(self, station)

    def head(self, media_type: str = "audio/mpeg", status: int = 200, **headers: str) -> None:
        self.send_response_only(status)
        for name, value in {"Content-Type": media_type, **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


Programme = Callable[[Sending, "Station"], None]


@dataclass
class Station:
    """A running station: ``url``, what it sends by path, who asked for what, and whether it is on the air."""

    url: str
    programmes: dict[str, Programme] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    off: threading.Event = field(default_factory=threading.Event)

    def at(self, path: str, programme: Programme) -> str:
        """The address at which it sends ``programme`` from now on."""
        self.programmes[path] = programme
        return self.url + path


def not_found(listener: Sending, station: Station) -> None:
    listener.head("text/plain", 404)


def endless(content: bytes, media_type: str = "audio/mpeg", seconds: float = SECONDS) -> Programme:
    """Icecast: three seconds at once, then as it is spoken, for ever."""

    def send(listener: Sending, station: Station) -> None:
        listener.head(media_type, icy_name="Radio", icy_br="96", Connection="close")
        rate = len(content) / seconds
        begun, sent = time.monotonic(), 0
        while not station.off.is_set():
            due = int((time.monotonic() - begun + 3) * rate)
            while sent < due:
                piece = content[sent % len(content) :][: due - sent]
                listener.wfile.write(piece)
                sent += len(piece)
            station.off.wait(0.05)

    return send


def once(content: bytes, media_type: str = "audio/mpeg") -> Programme:
    """All of it, then the end."""

    def send(listener: Sending, station: Station) -> None:
        listener.head(media_type, Content_Length=str(len(content)))
        listener.wfile.write(content)

    return send


def trickling(content: bytes) -> Programme:
    """A hundredth of what a listener needs."""

    def send(listener: Sending, station: Station) -> None:
        listener.head()
        for at in range(0, len(content), 10):
            listener.wfile.write(content[at : at + 10])
            if station.off.wait(0.1):
                return

    return send


def silent(listener: Sending, station: Station) -> None:
    """Takes the call and says nothing."""
    station.off.wait(60)


def shoutcast(content: bytes) -> Programme:
    """As an old SHOUTcast answers."""

    def send(listener: Sending, station: Station) -> None:
        listener.wfile.write(b"ICY 200 OK\r\nicy-name:Radio\r\ncontent-type:audio/mpeg\r\n\r\n" + content)

    return send


def dripping_head(listener: Sending, station: Station) -> None:
    """A header that never ends."""
    listener.wfile.write(b"HTTP/1.0 200 OK\r\nX: ")
    while not station.off.wait(0.05):
        listener.wfile.write(b"x")


def dripping_body(listener: Sending, station: Station) -> None:
    """A playlist that never ends."""
    listener.head("audio/mpegurl")
    while not station.off.wait(0.05):
        listener.wfile.write(b"#")


def web_page(listener: Sending, station: Station) -> None:
    listener.head("text/html")
    listener.wfile.write(b"<html>" + b"404 " * 50_000)


def leading(target: str) -> Programme:
    """A redirect."""

    def send(listener: Sending, station: Station) -> None:
        listener.head("text/plain", 302, Location=target.replace("{url}", station.url), Content_Length="0")

    return send


def playlist(segments: list[bytes], live_from: int = 0, head: bytes = b"") -> dict[str, Programme]:
    """An HLS stream: a master playlist, a media playlist of what has come so far, and its segments."""
    begun = time.monotonic()
    map_line = '#EXT-X-MAP:URI="init.mp4"\n' if head else ""

    def master(listener: Sending, station: Station) -> None:
        listener.head("application/vnd.apple.mpegurl")
        listener.wfile.write(b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=96000\nhls/media.m3u8\n")

    def media(listener: Sending, station: Station) -> None:
        known = segments[: live_from + 1 + int((time.monotonic() - begun) / 2)] if live_from else segments
        text = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:0\n" + map_line
        text += "".join(f"#EXTINF:2.0,\n{number}.ts\n" for number in range(len(known)))
        listener.head("application/vnd.apple.mpegurl")
        listener.wfile.write((text + ("" if live_from else "#EXT-X-ENDLIST\n")).encode())

    found: dict[str, Programme] = {"/live.m3u8": master, "/hls/media.m3u8": media}
    found["/hls/init.mp4"] = once(head, "video/mp4")
    return found | {f"/hls/{number}.ts": once(each, "video/mp2t") for number, each in enumerate(segments)}


@contextmanager
def station() -> Iterator[Station]:
    """A station on the loopback, on the air until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Sending)
    server.daemon_threads = True
    made = Station(f"http://127.0.0.1:{server.server_port}")
    server.station = made  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield made
    finally:
        made.off.set()
        server.shutdown()
        server.server_close()
        thread.join()
