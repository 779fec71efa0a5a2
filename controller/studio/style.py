"""How everything of one station sounds: the words around each text, the gaps, the horn, the amplifier's lead-in.

- A preset is a chain of ffmpeg filters for the speech; tones pass by it. ``flat`` leaves speech as it is.
- ``horn`` is made for a re-entrant horn with a compression driver: nothing below its cut-off, where it only strains;
  a lift where consonants lie; less above what such a horn radiates; loud and soft words brought nearer.
"""

from __future__ import annotations

from dataclasses import dataclass

PRESETS = {
    "flat": "",
    "horn": (
        "highpass=f=250,equalizer=f=2800:t=o:w=1.6:g=4,lowpass=f=8000,"
        "acompressor=threshold=0.08:ratio=2.5:attack=8:release=120:knee=6"
    ),
}
MOST_REPEATS = 10


@dataclass(frozen=True, slots=True)
class Style:
    """``opening`` and ``closing`` are read before and after each text (spoken form, may be empty).

    ``gap_ms`` lies between two readings of a text, ``pause_ms`` between it and other words, ``lead_in_ms`` of the first
    tone swell up before it, so that an amplifier that sleeps is awake when it comes (0: none). ``preset`` is one of
    ``PRESETS``. Raises ValueError for any other.
    """

    opening: str = ""
    closing: str = ""
    preset: str = "horn"
    gap_ms: int = 1500
    pause_ms: int = 500
    lead_in_ms: int = 500

    def __post_init__(self) -> None:
        if self.preset not in PRESETS:
            raise ValueError(f"no preset {self.preset}; there are: {', '.join(PRESETS)}")

    @property
    def filters(self) -> str:
        """The preset's ffmpeg filters, empty for none."""
        return PRESETS[self.preset]
