"""THE STUDIO: spoken text, or what a person recorded, becomes a finished recording on the shelf.

- The walk of one text: `Studio.produce` → a voice → mastering (tone, speech, closing, loudness, Opus) → shelf.
- The walk of an upload: `Archive.keep` (a bounded process reads it; refused with a reason) → `Studio.make_recorded`.
- The same text, class and voice give the same bytes, so the same name on the shelf.
- A voice that fails says how (`Trouble`); the next in the chain is asked, and who failed why is kept.
- No network but in `gtts_voice` and `http_voice`; no clock, no store.
"""

from controller.studio.archive import Archive, Kept
from controller.studio.chain import VOICES, Chain, Failure, VoiceState, make_chain, voices
from controller.studio.mastering import MasteringError
from controller.studio.recordings import Limits, Recording, RecordingError, admit
from controller.studio.shelf import Shelf, ShelfError
from controller.studio.studio import Finished, Rendition, Studio, Wanted
from controller.studio.style import Style
from controller.studio.voice import Trouble, Voice, VoiceError

__all__ = [
    "VOICES",
    "Archive",
    "Chain",
    "Failure",
    "Finished",
    "Kept",
    "Limits",
    "MasteringError",
    "Recording",
    "RecordingError",
    "Rendition",
    "Shelf",
    "ShelfError",
    "Studio",
    "Style",
    "Trouble",
    "Voice",
    "VoiceError",
    "VoiceState",
    "Wanted",
    "admit",
    "make_chain",
    "voices",
]
