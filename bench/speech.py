"""Speech: from the text to the finished asset on the shelf, for each second of speech that comes of it.

- Against the floor: espeak-ng once over the same spoken text, ffmpeg once over what it said, nothing measured.
"""

from __future__ import annotations

import statistics
import subprocess
import tempfile
import time
import wave
from pathlib import Path

from bench.child import HOUSE
from bench.results import Figure, Measurement
from controller.newsroom import spoken
from controller.studio import Shelf, Studio, make_chain
from wire.plan import BulletinClass

NOTICE = (
    "UBND xã Đồng Đăng thông báo: từ 7h30 đến 11h ngày 25/11/2026, thôn 1 và thôn 2 mất điện để sửa đường dây 22 kV. "
    "Mọi thắc mắc xin gọi 0205.3812.345."
)
ARTICLE = HOUSE / "tests" / "data" / "articles" / "bai-dong-dang.txt"
TIMES = 5


def measure(quick: bool) -> Measurement:
    """The whole measurement. Raises VoiceError where espeak-ng is not installed."""
    texts = {"short notice": NOTICE}
    notes = ["seconds of work for each second of finished speech; below 1 is faster than it is read"]
    if not quick and ARTICLE.exists():
        texts["article of 7 kB"] = ARTICLE.read_text("utf-8")
    elif not quick:
        notes.append("the long article is in the source tree only: not measured")
    figures = [figure for name, text in texts.items() for figure in _of_text(name, text, 1 if quick else TIMES)]
    return Measurement("speech", tuple(figures), tuple(notes))


def _of_text(name: str, text: str, times: int) -> list[Figure]:
    made, read, floor, ratios = [], [], [], []
    seconds = bare_seconds = 0.0
    with tempfile.TemporaryDirectory(prefix="loa-bench-") as place:
        folder = Path(place)
        studio = Studio(Shelf(folder / "shelf"), make_chain(["espeak"]), folder / "work")
        for _ in range(times):
            began = time.perf_counter()
            reading = spoken(text)
            at_newsroom = time.perf_counter()
            finished = studio.produce(reading.text, BulletinClass.ORDINARY)
            made.append(time.perf_counter() - began)
            read.append(at_newsroom - began)
            seconds = finished.duration_ms / 1000
            taken, bare_seconds = _bare(reading.text, folder)
            floor.append(taken)
            ratios.append(made[-1] / taken)
    return [
        Figure(f"{name}: text → asset", statistics.median(made), "s"),
        Figure(f"{name}: finished speech", seconds, "s"),
        Figure(f"{name}: for each second of speech", statistics.median(made) / seconds, "s/s"),
        Figure(f"{name}: of it, the newsroom", statistics.median(read) * 1000, "ms"),
        Figure(f"{name}: bare espeak-ng and ffmpeg", statistics.median(floor), "s"),
        Figure(f"{name}: bare, for each second of speech", statistics.median(floor) / bare_seconds, "s/s"),
        Figure(f"{name}: text → asset, x bare", statistics.median(ratios), "x"),
    ]


def _bare(text: str, folder: Path) -> tuple[float, float]:
    """(seconds taken, seconds of speech) of the two programs, once each."""
    wav, opus = folder / "bare.wav", folder / "bare.opus"
    began = time.perf_counter()
    voice = ["espeak-ng", "-v", "vi", "-s", "130", "-b", "1", "-w", str(wav), "--stdin"]
    subprocess.run(voice, input=text.encode(), check=True, capture_output=True)
    encode = ["ffmpeg", "-v", "error", "-y", "-i", str(wav), "-c:a", "libopus", "-b:a", "32k", "-ar", "48000"]
    subprocess.run([*encode, str(opus)], check=True, capture_output=True)
    taken = time.perf_counter() - began
    with wave.open(str(wav)) as said:
        return taken, said.getnframes() / said.getframerate()
