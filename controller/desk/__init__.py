"""THE DESK: where wishes enter. Every change that a person wants goes through here and is checked here.

- A wish that cannot stand is answered with a `DeskError`: one sentence, and nothing was written.
- What is written is written with its line in the audit log, in one transaction; then the bell is rung.
- The desk makes nothing true: voicing, planning and sending are the station's.
"""

from __future__ import annotations

from controller.desk.desk import Desk
from controller.desk.wishes import DeskError, Draft, Enrolment, Entry, NewUser, OwnApproval, Placing, Wish
from controller.store.rows import Announced

__all__ = ["Announced", "Desk", "DeskError", "Draft", "Enrolment", "Entry", "NewUser", "OwnApproval", "Placing", "Wish"]
