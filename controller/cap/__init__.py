"""WARNINGS FROM ELSEWHERE: what an alert of the Common Alerting Protocol says, and what this station makes of it. Pure.

- OASIS CAP 1.2, as weather and disaster authorities send it. Bytes in; a frozen `Alert`, or a `CapError` by name.
- `reading` says what stands in it, `judging` whether it may be taken in now, `wording` how it will be read out,
  `matching` which of the station's areas it means.
- An XML signature is not checked, so an alert only claims to be from its sender: nothing here lets anything sound.
"""

from __future__ import annotations

from controller.cap.alert import Alert, CapError, Info, Kind, Reference, Status
from controller.cap.judging import Earlier, Judged, judge
from controller.cap.matching import Matched, match
from controller.cap.reading import MOST_BYTES, read
from controller.cap.wording import Words, retraction, words

__all__ = [
    "MOST_BYTES",
    "Alert",
    "CapError",
    "Earlier",
    "Info",
    "Judged",
    "Kind",
    "Matched",
    "Reference",
    "Status",
    "Words",
    "judge",
    "match",
    "read",
    "retraction",
    "words",
]
