"""`loa voices`, `voices add|remove|sample`: the voices of the station, and those that the operator brings."""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from loa import house, out
from loa.codes import DONE, MISSING
from words import Said, say

if TYPE_CHECKING:
    from loa.parser import Verbs

ADD_EXAMPLE = """\
loa voices add vits-piper-vi_VN-vais1000-medium.tar.bz2
loa voices add vi_VN-vais1000-medium.onnx --name vais --licence "CC BY 4.0" """
SAMPLE_EXAMPLE = 'loa voices sample neural:vais --text "Kính mời bà con đi họp." --out thu.wav'


def add(verbs: Verbs) -> None:
    """The verb, its verbs, and what they take."""
    from loa.parser import Verbs as Below

    parser = verbs.add("voices", "about_voices", show)
    parser.takes_json()
    house.takes_config(parser)
    below = Below(parser, "voices_verb", required=False)
    name, file = parser.word("name"), parser.word("file")
    parser = below.add("add", "about_voices_add", bring, ADD_EXAMPLE.rstrip())
    parser.add_argument("file", metavar=file, type=Path, help=parser.t("voice_file_help"))
    parser.add_argument("--name", default="", metavar=name, help=parser.t("voice_name_help"))
    parser.add_argument("--licence", default="", metavar=name, help=parser.t("licence_help"))
    parser.takes_json()
    house.takes_config(parser)
    parser = below.add("remove", "about_voices_remove", remove)
    parser.add_argument("name", metavar=name, help=parser.t("voice_help"))
    house.takes_config(parser)
    parser = below.add("sample", "about_voices_sample", sample, SAMPLE_EXAMPLE)
    parser.add_argument("name", metavar=name, help=parser.t("voice_help"))
    parser.add_argument("--text", default="", metavar=parser.word("text"), help=parser.t("sample_text_help"))
    parser.add_argument("-o", "--out", type=Path, metavar=file, help=parser.t("sample_out_help"))
    parser.takes_json()
    house.takes_config(parser)


def show(wanted: argparse.Namespace) -> int:
    """Every voice and whether it can be used here; exit code 3 when none can."""
    from controller.studio import voices as known

    states = known(house.settings_of(wanted).voices_dir)
    if wanted.json:
        out.as_json([{"voice": e.name, "available": e.available, "why_not": _why(e.why_not, "en")} for e in states])
    else:
        for each in states:
            ready = say("loa.voice_ready", wanted.language)
            print(f"{each.name}  {ready if each.available else _why(each.why_not, wanted.language)}")
    return DONE if any(each.available for each in states) else MISSING


def bring(wanted: argparse.Namespace) -> int:
    """Keep the voice in a file, once it has spoken."""
    from controller.studio import voice_keeping
    from controller.studio.wavs import duration_seconds

    voices_dir = house.settings_of(wanted).voices_dir
    new = voice_keeping.add(wanted.file, voices_dir, wanted.name, wanted.licence)
    seconds = duration_seconds(new.sample)
    facts = {"voice": new.name, "sha256": new.record.source_sha256, "licence": new.record.licence}
    if wanted.json:
        out.as_json({**facts, "sample": new.sample, "seconds": seconds})
    else:
        print(say("loa.voice_added", wanted.language, sample=new.sample, seconds=seconds, **facts))
    return DONE


def remove(wanted: argparse.Namespace) -> int:
    """Remove a neural voice that the settings do not name."""
    from controller.studio import voice_keeping

    settings = house.settings_of(wanted)
    name = wanted.name.removeprefix("neural:")
    if wanted.name.startswith("http:"):
        file = settings.voices_dir / f"{wanted.name.removeprefix('http:')}.toml"
        raise house.Refused("loa.voice_is_a_file", name=wanted.name, path=file)
    if f"neural:{name}" in settings.voice_chain:
        raise house.Refused("loa.voice_in_use", name=f"neural:{name}")
    voice_keeping.remove(name, settings.voices_dir)
    print(say("loa.voice_removed", wanted.language, name=f"neural:{name}"))
    return DONE


def sample(wanted: argparse.Namespace) -> int:
    """A WAV in which one voice reads a text, as it comes from the voice: not mastered."""
    from controller import newsroom
    from controller.studio import make_chain
    from controller.studio.voice_keeping import SAMPLE_TEXT
    from controller.studio.wavs import duration_seconds

    text = newsroom.spoken(newsroom.clean(wanted.text or SAMPLE_TEXT)).text
    chain = make_chain([wanted.name], house.settings_of(wanted).voices_dir)
    target = wanted.out or Path(f"{wanted.name.replace(':', '-')}.wav")
    if wanted.out is None and target.exists():
        raise house.Refused("loa.file_exists", path=target)
    with tempfile.TemporaryDirectory(prefix="loa-voice-") as folder:
        wav = chain.speak(Path(folder), text).wav
        seconds = duration_seconds(wav)
        try:
            shutil.copyfile(wav, target)
        except OSError as wrong:
            raise house.Refused("loa.cannot_write", path=target, why=wrong) from wrong
    if wanted.json:
        out.as_json({"voice": wanted.name, "file": target, "seconds": seconds})
    else:
        print(say("loa.voice_sampled", wanted.language, path=target, seconds=seconds, name=wanted.name))
    return DONE


def _why(why_not: Said | None, language: str) -> str | None:
    return why_not.say(language) if why_not else None
