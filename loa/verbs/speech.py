"""`loa spoken`, `loa speak`: what is read, and how it sounds."""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from loa import explaining, house, out, texts
from loa.codes import DONE
from words import say

if TYPE_CHECKING:
    from controller.studio import Recording
    from loa.parser import Verbs

SPOKEN_EXAMPLE = """\
loa spoken "Ngày 28/11/2026, lúc 7h30"
loa spoken --explain "UBND xã họp lúc 7h30"
loa spoken < thong-bao.txt"""


def add(verbs: Verbs) -> None:
    """Two verbs and what they take."""
    parser = verbs.add("spoken", "about_spoken", spoken, SPOKEN_EXAMPLE)
    parser.add_argument("text", nargs="*", metavar=parser.word("text"), help=parser.t("spoken_text_help"))
    parser.add_argument("--explain", action="store_true", help=parser.t("spoken_explain_help"))
    parser.takes_json()
    parser = verbs.add("speak", "about_speak", speak, 'loa speak "Kính mời bà con đi họp." -o ban-tin.ogg')
    file = parser.word("file")
    parser.add_argument("text", nargs="*", metavar=parser.word("text"), help=parser.t("speak_text_help"))
    house.takes_recording(parser)
    parser.add_argument("-o", "--out", metavar=file, type=Path, required=True, help=parser.t("speak_out_help"))
    house.takes_class(parser, "speak_class_help")
    house.takes_manner(parser)
    parser.add_argument("--mp3", action="store_true", help=parser.t("mp3_help"))
    parser.takes_json()
    house.takes_config(parser)


def spoken(wanted: argparse.Namespace) -> int:
    """The spoken form: of the words given, else of every line of standard input, one line out for each line in."""
    from controller import newsroom

    out.utf8()
    for line in [" ".join(wanted.text)] if wanted.text else texts.lines(wanted.language):
        reading = newsroom.spoken(line)
        if wanted.explain and wanted.json:
            out.json_line(explaining.facts(reading))
        elif wanted.explain:
            print(*explaining.lines(reading, wanted.language), sep="\n", flush=True)
        elif wanted.json:
            rewrites = [{"written": each.written, "spoken": each.spoken, "why": each.why} for each in reading.rewrites]
            flags = [each.written for each in reading.flags]
            out.json_line({"spoken": reading.text, "rewrites": rewrites, "flags": flags})
        else:
            print(" ".join(reading.text.split()), flush=True)
    return DONE


def speak(wanted: argparse.Namespace) -> int:
    """A finished recording of the words, as it would be broadcast: Opus in Ogg, or MP3."""
    from controller import bootstrap
    from controller.studio import Shelf, Studio, Wanted, make_chain
    from wire.plan import BulletinClass

    mp3 = wanted.mp3 or wanted.out.suffix.lower() == ".mp3"
    manner = Wanted(BulletinClass(wanted.bulletin_class), wanted.drill, wanted.times, also_mp3=mp3)
    settings = house.settings_of(wanted)
    with tempfile.TemporaryDirectory(prefix="loa-speak-") as folder:
        here = Path(folder)
        chain, style = make_chain(settings.voice_chain, settings.voices_dir), bootstrap.style_of(settings)
        made = Studio(Shelf(here / "shelf"), chain, here / "work", style).make(_said(wanted, here), manner)
        finished = made.mp3 or made
        try:
            shutil.copyfile(finished.path, wanted.out)
        except OSError as wrong:
            raise house.Refused("loa.cannot_write", path=wanted.out, why=wrong) from wrong
    facts = {"seconds": made.duration_ms / 1000, "lufs": made.lufs, "peak_dbtp": made.peak_dbtp, "voice": made.voice}
    if wanted.json:
        out.as_json({"file": wanted.out, "sha256": finished.sha256, "media_type": finished.media_type, **facts})
    else:
        print(say("loa.spoke", wanted.language, path=wanted.out, **facts))
    return DONE


def _said(wanted: argparse.Namespace, folder: Path) -> str | Recording:
    """The spoken form of the words, or what was recorded. Raises Said."""
    from controller import newsroom
    from controller.studio import admit

    if wanted.recording is not None:
        return admit(house.upload(wanted.recording), folder, language=wanted.spoken_language)
    text = newsroom.clean(" ".join(wanted.text) if wanted.text else texts.standard_input(wanted.language))
    return newsroom.spoken(text).text
