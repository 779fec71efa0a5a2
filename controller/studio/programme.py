"""The programme: tone, pieces of speech with gaps, closing, streamed by ffmpeg from files into one file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from controller.studio import loudness
from controller.studio.loudness import Measured


@dataclass(frozen=True, slots=True)
class Piece:
    """The seconds ``begin``–``end`` of a WAV of speech, ``gain_db`` louder, and ``gap_ms`` of silence after it."""

    wav: Path
    begin: float
    end: float
    gain_db: float
    gap_ms: int = 0


@dataclass(frozen=True, slots=True)
class Programme:
    """What is put together, in this order; ``filters`` are for the speech alone (may be empty)."""

    tone: Path
    pieces: Sequence[Piece]
    closing: Path
    filters: str = ""


def put_together(programme: Programme, gain_db: float, ceiling_dbfs: float, target: Path) -> Measured:
    """Writes the programme, ``gain_db`` louder and limited to ``ceiling_dbfs``, as 48 kHz mono WAV; its loudness."""
    sources = [programme.tone, *(piece.wav for piece in programme.pieces), programme.closing]
    chains = ["", *(_speech(piece, programme.filters) for piece in programme.pieces), ""]
    graph = [
        f"[{number}:a]{','.join(part for part in (chain, loudness.mono_48k()) if part)}[s{number}]"
        for number, chain in enumerate(chains)
    ]
    joined = "".join(f"[s{number}]" for number in range(len(chains)))
    end = f"{loudness.limited(gain_db, ceiling_dbfs)},{loudness.METER}"
    graph.append(f"{joined}concat=n={len(chains)}:v=0:a=1,{end}[out]")
    inputs = [argument for source in sources for argument in ("-i", str(source))]
    output = ["-map", "[out]", "-c:a", "pcm_s16le", "-ar", "48000", str(target)]
    return loudness.read(loudness.run([*inputs, "-filter_complex", ";".join(graph), *output], target.parent))


def _speech(piece: Piece, filters: str) -> str:
    parts = [
        f"atrim=start={piece.begin:.3f}:end={piece.end:.3f}",
        "asetpts=PTS-STARTPTS",
        loudness.mono_48k(),
        f"volume={piece.gain_db:.2f}dB",
        filters,
        f"apad=pad_dur={piece.gap_ms}ms" if piece.gap_ms else "",
    ]
    return ",".join(part for part in parts if part)
