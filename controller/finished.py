"""What the studio made, or could not make, as the store keeps it. Pure."""

from __future__ import annotations

from datetime import datetime

from controller.store.rows import AssetRow, VoiceFault
from controller.studio import Finished, MasteringError, ShelfError, VoiceError


def passed_over(made: Finished) -> VoiceFault | None:
    """Why the first voice of the chain was not the one, for the author to see."""
    return fault_of(made.failures[0].error) if made.failures else None


def fault_of(wrong: VoiceError | MasteringError | ShelfError) -> VoiceFault:
    """Why it could not be made, for the author to see."""
    return VoiceFault(wrong.key, {name: str(value) for name, value in wrong.facts.items()})


def asset_of(made: Finished, now: datetime) -> AssetRow:
    """The row of a finished file."""
    return AssetRow(
        sha256=made.sha256,
        size_bytes=made.size_bytes,
        duration_ms=made.duration_ms,
        media_type=made.media_type,
        voice=made.voice,
        created_at=now,
        lufs=made.lufs,
        peak_dbtp=made.peak_dbtp,
    )
