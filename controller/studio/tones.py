"""What is heard before and after the words: one attention tone per bulletin class, and one for drills.

- An emergency's tone is a two-tone call that nothing else here sounds like; a drill's is a row of short low beeps with
  long gaps, in every class, so that neither can be taken for the other. The closing of each is its own too.
- A table of (frequency Hz, milliseconds); 0 Hz is a pause. Every first note differs, so one second tells them apart.
"""

from __future__ import annotations

from wire.plan import BulletinClass

Notes = tuple[tuple[int, int], ...]

_TWO_TONE: Notes = ((960, 420), (770, 420))
ATTENTION: dict[BulletinClass, Notes] = {
    BulletinClass.ORDINARY: ((659, 350), (523, 600), (0, 450)),
    BulletinClass.PRIORITY: ((523, 280), (659, 280), (784, 280), (1047, 650), (0, 500)),
    BulletinClass.EMERGENCY: (*(_TWO_TONE * 6), (0, 500)),
}
SIREN: Notes = (*(_TWO_TONE * 12), (0, 300))  # what every node keeps: ten seconds of the emergency's own call
DRILL: Notes = (*(((440, 150), (0, 450)) * 5), (0, 300))
_CLOSING: Notes = ((0, 400), (523, 300), (392, 600))
CLOSING: dict[BulletinClass, Notes] = {
    BulletinClass.ORDINARY: _CLOSING,
    BulletinClass.PRIORITY: ((0, 400), (1047, 250), (784, 250), (523, 600)),
    BulletinClass.EMERGENCY: ((0, 400), *(_TWO_TONE * 2)),
}
DRILL_CLOSING: Notes = ((0, 400), *(((440, 150), (0, 450)) * 2))


def attention(bulletin_class: BulletinClass, drill: bool) -> Notes:
    """What sounds before the words."""
    return DRILL if drill else ATTENTION[bulletin_class]


def closing(bulletin_class: BulletinClass, drill: bool) -> Notes:
    """What sounds after them."""
    return DRILL_CLOSING if drill else CLOSING[bulletin_class]
