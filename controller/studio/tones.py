"""What is heard before and after the words: one attention tone per bulletin class, and one for drills.

- An emergency's tone is a two-tone call that nothing else here sounds like; a drill's is a row of short low beeps with
  long gaps, in every class, so that neither can be taken for the other.
- A table of (frequency Hz, milliseconds); 0 Hz is a pause.
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
DRILL: Notes = (*(((440, 150), (0, 450)) * 5), (0, 300))
CLOSING: Notes = ((0, 400), (523, 300), (392, 600))
