"""ALARMS: what is wrong, told once, until it is right again. Pure but for `watch`, which reads facts and writes rows.

- `causes` says what there is, `signs` finds it in facts, `judging` gives it a life, `covering` says what explains what.
"""

from __future__ import annotations

from controller.alarms.causes import CAUSES, Cause, cause_of
from controller.alarms.judging import Rules, Seen, Sign, judge
from controller.alarms.signs import state_of
from controller.alarms.watch import Surroundings, Watch

__all__ = ["CAUSES", "Cause", "Rules", "Seen", "Sign", "Surroundings", "Watch", "cause_of", "judge", "state_of"]
