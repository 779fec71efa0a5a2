"""Long programmes: synthesis and mastering stream, so memory does not grow with length."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).parent.parent
MAKE = """
import json, resource, sys
from pathlib import Path
from controller.studio import Shelf, Studio, Style, Wanted, make_chain
from wire.plan import BulletinClass

here, sentences, times = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
studio = Studio(Shelf(here / "shelf"), make_chain(["espeak"]), here / "work", Style(opening="Đây là đài."))
said = "Hôm nay ủy ban nhân dân xã mời bà con đến dự họp. " * sentences
made = studio.make(said, Wanted(BulletinClass.ORDINARY, times=times))
peak = {who: resource.getrusage(who).ru_maxrss // 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)}
print(json.dumps([made.duration_ms / 1000, peak[resource.RUSAGE_SELF], peak[resource.RUSAGE_CHILDREN]]))
"""


def make(folder: Path, sentences: int, times: int = 1) -> tuple[float, float, float]:
    """(seconds of sound, MB of this process at most, MB of the largest of its programs)."""
    command = [sys.executable, "-c", MAKE, str(folder), str(sentences), str(times)]
    seconds, own, largest = json.loads(subprocess.run(command, cwd=TOP, capture_output=True, check=True).stdout)
    return seconds, own, largest


def test_a_programme_ten_times_as_long_takes_no_more_memory(tmp_path: Path) -> None:
    short, own, largest = make(tmp_path / "a", 3)
    long, own_of_long, largest_of_long = make(tmp_path / "b", 30, times=2)
    assert long > 10 * short
    assert own_of_long < own + 12, "MB of the studio"  # ten minutes of samples are 55 MB
    assert largest_of_long < largest + 12, "MB of ffmpeg or espeak-ng"
