"""Speaks with Kokoro: ``python -I -m controller.studio.kokoro_speaker WAV``, breaths on standard input.

- A program of its own, run in the cage (`cage.run`): a native library that crashes takes nobody with it.
- The one door to onnxruntime. Each line is JSON: the silence before it in milliseconds, and a breath (`kokoro_sounds`).
  Each is spoken and written before the next is read, so memory does not grow with the length of the text.
- The model is cut in three (`onnx_cutting`): what proposes durations, what proposes pitches, what makes sound of both.
- Exit codes: 0, `MISSING` (a package is not installed), `DAMAGED` (a file is not what it should be; its name is said).
"""

from __future__ import annotations

import json
import sys
import wave
from typing import Any

from controller.studio import kokoro_files, kokoro_melody
from controller.studio.kokoro_sounds import Breath, Spoken
from controller.studio.onnx_cutting import cut

MISSING, DAMAGED = 20, 21
RATE = 24_000
SPEED = 0.9
_DURATIONS, _PITCHES = "/encoder/Round_output_0", "/encoder/F0_proj/Conv_output_0"
_STRENGTHS, _SOUND = "/encoder/N_proj/Conv_output_0", "audio"
_LOUDEST = int(0.7 * 32_767)  # what the model calls 1: some of its peaks are higher
_SILENT_BELOW, _KEPT_SECONDS = 0.003, 0.08  # −50 dBFS; of the silence before and after a breath
_THREADS = 1


class Kokoro:
    """The model and a speaker, ready to speak. Raises ImportError, Damaged, OSError."""

    def __init__(self) -> None:
        import numpy
        import onnxruntime

        self._numpy = numpy
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = _THREADS, 1
        model = kokoro_files.model()
        timed, pitched = {_DURATIONS: 2}, {_PITCHES: 3, _STRENGTHS: 3}
        self._parts = [
            onnxruntime.InferenceSession(cut(model, given, asked), options, providers=["CPUExecutionProvider"])
            for given, asked in (({}, timed), (timed, pitched), (timed | pitched, {_SOUND: 1}))
        ]
        self._signs: dict[str, int] = json.loads(kokoro_files.signs())["vocab"]
        rows = numpy.frombuffer(kokoro_files.style(), "<f2").reshape(-1, kokoro_files.STYLE_WIDTH)
        self._style = rows.astype(numpy.float32)

    def speak(self, breath: Breath) -> bytes:
        """The sound of a breath, as a WAV of `RATE` holds it. Raises ValueError for what is no sound."""
        number = self._numpy
        signs, placed = kokoro_melody.lay_out(breath)
        told = {
            "tokens": number.array([[0, *(self._signs[sign] for sign in signs), 0]], number.int64),
            "style": self._spoken_like(len(signs)),
            "speed": number.array([SPEED], number.float32),
        }
        proposed = self._run(0, told)[0]
        frames = kokoro_melody.timed(signs, placed, proposed[0].tolist())
        told[_DURATIONS] = number.array([frames], proposed.dtype)
        pitches, strengths = self._run(1, told)
        heights = kokoro_melody.pitched(frames, placed, pitches[0, 0].tolist())
        told[_PITCHES] = number.array([[heights]], pitches.dtype)
        strong = kokoro_melody.strong(frames, placed, heights, strengths[0, 0].tolist())
        told[_STRENGTHS] = number.array([[strong]], strengths.dtype)
        return self._sixteen_bits(self._trimmed(self._run(2, told)[0].ravel()))

    def _spoken_like(self, signs: int) -> Any:
        """The speaker's style for that many signs, between the two rows that are nearest."""
        row, beyond = divmod(signs - 1, kokoro_files.STYLE_STEP)
        last = len(self._style) - 1
        one, other = self._style[min(row, last)], self._style[min(row + 1, last)]
        return (one + (other - one) * self._numpy.float32(beyond / kokoro_files.STYLE_STEP)).reshape(1, -1)

    def _run(self, part: int, told: dict[str, Any]) -> list[Any]:
        session = self._parts[part]
        return list(session.run(None, {each.name: told[each.name] for each in session.get_inputs()}))

    def _trimmed(self, samples: Any) -> Any:
        loud = self._numpy.flatnonzero(abs(samples) > _SILENT_BELOW)
        kept = int(_KEPT_SECONDS * RATE)
        return samples[max(0, loud[0] - kept) : loud[-1] + kept] if len(loud) else samples

    def _sixteen_bits(self, samples: Any) -> bytes:
        if not self._numpy.isfinite(samples).all():
            raise ValueError("the model gives what is no sound")
        return bytes((samples.clip(-1.4, 1.4) * _LOUDEST).astype("<i2").tobytes())


def main(arguments: list[str]) -> int:
    """Speaks; the exit code."""
    (target,) = arguments
    try:
        kokoro = Kokoro()
    except (ImportError, FileNotFoundError) as error:
        sys.stderr.write(f"{error}\n")
        return MISSING
    except kokoro_files.Damaged as error:
        sys.stderr.write(f"{error}\n")
        return DAMAGED
    with wave.open(target, "wb") as out:
        out.setparams((1, 2, RATE, 0, "NONE", ""))
        for line in sys.stdin:
            pause_ms, breath = json.loads(line)
            out.writeframes(bytes(RATE * pause_ms // 1000 * 2))
            out.writeframes(kokoro.speak([each if isinstance(each, str) else Spoken(*each) for each in breath]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
