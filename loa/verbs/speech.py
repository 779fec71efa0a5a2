"""`loa spoken`, `loa speak`, `loa voices`: what is read, how it sounds, and by whom."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from loa import house, out
from loa.codes import DONE, FAILED
from words import Said, say

if TYPE_CHECKING:
    from loa.parser import Verbs

CLASSES = ("ordinary", "priority", "emergency")


def add(verbs: Verbs) -> None:
    """Three verbs and what they take."""
    parser = verbs.add("spoken", "about_spoken", spoken)
    parser.add_argument("text", nargs="*", help=parser.t("spoken_text_help"))
    parser.add_argument("--json", action="store_true", help=parser.t("json_help"))
    parser = verbs.add("speak", "about_speak", speak)
    parser.add_argument("text", nargs="*", help=parser.t("speak_text_help"))
    parser.add_argument("-o", "--out", metavar="FILE", type=Path, required=True, help=parser.t("speak_out_help"))
    parser.add_argument("--class", dest="bulletin_class", choices=CLASSES, default="ordinary")
    parser.add_argument("--json", action="store_true", help=parser.t("json_help"))
    house.takes_config(parser)
    parser = verbs.add("voices", "about_voices", voices)
    parser.add_argument("--json", action="store_true", help=parser.t("json_help"))


def spoken(wanted: argparse.Namespace) -> int:
    """The spoken form: of the words given, else of every line of standard input, one line out for each line in."""
    from controller import newsroom

    for line in [" ".join(wanted.text)] if wanted.text else _lines():
        reading = newsroom.spoken(line)
        if wanted.json:
            rewrites = [{"written": each.written, "spoken": each.spoken, "why": each.why} for each in reading.rewrites]
            flags = [each.written for each in reading.flags]
            out.json_line({"spoken": reading.text, "rewrites": rewrites, "flags": flags})
        else:
            print(" ".join(reading.text.split()), flush=not wanted.text)
    return DONE


def speak(wanted: argparse.Namespace) -> int:
    """A finished recording of the words, as it would be broadcast: Opus in Ogg."""
    from controller import newsroom
    from controller.studio import Shelf, Studio, make_chain
    from wire.plan import BulletinClass

    text = newsroom.clean(" ".join(wanted.text) if wanted.text else "".join(f"{each}\n" for each in _lines()))
    chain = make_chain(house.settings_of(wanted).voice_chain)
    with tempfile.TemporaryDirectory(prefix="loa-speak-") as folder:
        studio = Studio(Shelf(Path(folder) / "shelf"), chain, Path(folder) / "work")
        made = studio.produce(newsroom.spoken(text).text, BulletinClass(wanted.bulletin_class))
        try:
            shutil.copyfile(made.path, wanted.out)
        except OSError as wrong:
            raise house.Refused("loa.cannot_write", path=wanted.out, why=wrong.strerror or wrong) from wrong
    facts = {"seconds": made.duration_ms / 1000, "lufs": made.lufs, "peak_dbtp": made.peak_dbtp, "voice": made.voice}
    if wanted.json:
        out.as_json({"file": wanted.out, "sha256": made.sha256, "media_type": made.media_type, **facts})
    else:
        print(say("loa.spoke", wanted.language, path=wanted.out, **facts))
    return DONE


def voices(wanted: argparse.Namespace) -> int:
    """Every voice and whether it can be used here; exit code 1 when none can."""
    from controller.studio import voices as known

    states = known()
    if wanted.json:
        out.as_json([{"voice": e.name, "available": e.available, "why_not": _why(e.why_not, "en")} for e in states])
    else:
        for each in states:
            ready = say("loa.voice_ready", wanted.language)
            print(f"{each.name}  {ready if each.available else _why(each.why_not, wanted.language)}")
    return DONE if any(each.available for each in states) else FAILED


def _lines() -> Iterator[str]:
    """Standard input line by line, as UTF-8 whatever the locale; bytes that are none are replaced."""
    for line in sys.stdin.buffer:
        yield line.decode("utf-8", "replace").rstrip("\r\n")


def _why(why_not: Said | None, language: str) -> str | None:
    return why_not.say(language) if why_not else None
