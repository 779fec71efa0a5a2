"""THE DESK: where wishes enter. Every change that a person wants goes through here and is checked here.

- A wish that cannot stand is answered with a `DeskError`: one sentence, and nothing was written.
- What is written is written with its line in the audit log, in one transaction; then the bell is rung.
- What is critical wants a person who has just proved who they are (`fresh`).
- The desk makes nothing true: voicing, planning and sending are the station's.
"""

from __future__ import annotations

from controller.desk.api_tokens import ByToken, Lending
from controller.desk.desk import Desk
from controller.desk.fresh import Critical, NotFresh, SecondFactor, SignedIn
from controller.desk.passkeys import Site
from controller.desk.proving import ProofRules, Reply
from controller.desk.wishes import (
    DeskError,
    Draft,
    Enrolment,
    Entry,
    Giving,
    Halfway,
    NewUser,
    OwnApproval,
    Placing,
    Wish,
)
from controller.store.rows import Announced

__all__ = [
    "Announced",
    "ByToken",
    "Critical",
    "Desk",
    "DeskError",
    "Draft",
    "Enrolment",
    "Entry",
    "Giving",
    "Halfway",
    "Lending",
    "NewUser",
    "NotFresh",
    "OwnApproval",
    "Placing",
    "ProofRules",
    "Reply",
    "SecondFactor",
    "SignedIn",
    "Site",
    "Wish",
]
