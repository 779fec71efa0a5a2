"""Speaks with a neural voice: ``python -I neural_speaker.py MODEL TOKENS LEXICON WAV``, sentences on stdin.

- A script of its own, run in the cage (`cage.run`): a native library that crashes or hangs takes nobody with it.
- The one door to sherpa-onnx. Each line is JSON: the silence before it in milliseconds; a text, or the code points of
  phonemes. Each is spoken and written before the next is read, so memory does not grow with the length of the text.
- LEXICON may be empty. Exit codes: 0, `MISSING` (the library is not installed), `REFUSED` (the model cannot be used).
"""

from __future__ import annotations

import json
import math
import sys
import wave
from array import array
from collections.abc import Sequence

MISSING, REFUSED = 20, 21
_THREADS = 2
_FULL = 32_767


def main(arguments: list[str]) -> int:
    """Speaks; the exit code."""
    model, tokens, lexicon, target = arguments
    try:
        import sherpa_onnx
    except ImportError as error:
        sys.stderr.write(f"{error}\n")
        return MISSING
    vits = sherpa_onnx.OfflineTtsVitsModelConfig(model=model, tokens=tokens, lexicon=lexicon)
    config = sherpa_onnx.OfflineTtsConfig(
        model=sherpa_onnx.OfflineTtsModelConfig(vits=vits, num_threads=_THREADS, provider="cpu"), max_num_sentences=1
    )
    if not config.validate():
        return REFUSED
    engine = sherpa_onnx.OfflineTts(config)
    with wave.open(target, "wb") as out:
        out.setparams((1, 2, engine.sample_rate, 0, "NONE", ""))
        for line in sys.stdin:
            pause_ms, sentence = json.loads(line)
            out.writeframes(bytes(engine.sample_rate * pause_ms // 1000 * 2))
            out.writeframes(_sixteen_bits(_spoken(sherpa_onnx, engine, sentence)))
    return 0


def _spoken(library: object, engine: object, sentence: str | list[int]) -> Sequence[float]:
    if isinstance(sentence, str):
        return engine.generate(sentence, sid=0, speed=1.0).samples  # type: ignore[attr-defined, no-any-return]
    wanted = library.GenerationConfig()  # type: ignore[attr-defined]
    wanted.phoneme_codepoints = [sentence]
    return engine.generate("", wanted).samples  # type: ignore[attr-defined, no-any-return]


def _sixteen_bits(samples: Sequence[float]) -> bytes:
    """Samples of -1 to 1, cut there, as a WAV holds them. Raises ValueError for what is no number."""
    if not all(map(math.isfinite, samples)):
        raise ValueError("the model gives what is no sound")
    cut = array("h", [int(max(-1.0, min(1.0, sample)) * _FULL) for sample in samples])
    if sys.byteorder == "big":
        cut.byteswap()
    return cut.tobytes()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
