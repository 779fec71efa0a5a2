"""Work that is cut short: a process on a lazy disk that dies in the middle, and what it had told the world by then."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from makers_lazy_disk import CUT

Tell = Callable[[object], None]
NEVER = 1_000_000
# a process forked from one with threads, as a test run is, may find a lock that nobody will ever let go of
HANGS_SECONDS, MOST_HUNG = 40.0, 2


def cut_short(disk: Path, at: int, luck: str, work: Callable[[Path, Tell], None]) -> list[Any]:
    """``work`` in a process of its own on the fresh ``disk``, dead at its ``at``-th write; what it told until then.

    Its last word is "done" when it came to its end.
    """
    images = disk.parent.parent / "images"
    for attempt in range(MOST_HUNG + 1):
        place = disk.with_name(f"{disk.name}-{attempt}") if attempt else disk
        try:
            told = _cut_short(place, at, luck, work)
        except TimeoutError:
            continue
        if attempt:  # it is looked for under the name that was asked for
            shutil.rmtree(images / disk.name, ignore_errors=True)
            (images / place.name).rename(images / disk.name)
        return told
    raise AssertionError("it hangs again and again")


def _cut_short(disk: Path, at: int, luck: str, work: Callable[[Path, Tell], None]) -> list[Any]:
    disk.mkdir()
    ear, mouth = os.pipe()
    child = os.fork()
    if child == 0:
        _live(disk, f"{at} {luck}".encode(), mouth, work)
    os.close(mouth)
    heard = b""
    try:
        while select.select([ear], [], [], HANGS_SECONDS)[0]:
            some = os.read(ear, 1 << 16)
            if not some:
                break
            heard += some
        else:
            raise TimeoutError
    finally:
        os.close(ear)
        if sys.exc_info()[0]:
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    words = [json.loads(line) for line in heard.splitlines()]
    done = words[-1:] == ["done"]
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL, "it fell by itself"
    assert done == (at == NEVER), "it came to its end before the cut"
    return words


def _live(disk: Path, cut: bytes, mouth: int, work: Callable[[Path, Tell], None]) -> None:
    """The life of the child. It ends by a kill in any case: nothing of the parent's may run in it."""
    try:
        os.setxattr(disk, CUT, cut)
        work(disk, lambda word: _say(mouth, word))
        _say(mouth, "done")
        os.kill(os.getpid(), signal.SIGKILL)
    except BaseException:  # noqa: BLE001 - whatever it was, the child must not come back as a second test run
        sys.stderr.write(traceback.format_exc())
    finally:
        os._exit(1)


def _say(mouth: int, word: object) -> None:
    os.write(mouth, json.dumps(word).encode() + b"\n")
