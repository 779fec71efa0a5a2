"""The desk as one object: all that a person may wish, and what is foreseen of it, over one store."""

from __future__ import annotations

from collections.abc import Callable

from controller.desk.alarming import Alarming
from controller.desk.alerting import Alerting
from controller.desk.api_tokens import ApiTokens
from controller.desk.enrolling import Enrolling
from controller.desk.entrance import Entrance
from controller.desk.factors import FactorKeeping
from controller.desk.foresight import Foresight
from controller.desk.keeping import Keeping
from controller.desk.lexicon import Lexicon
from controller.desk.listeners import Listeners
from controller.desk.locating import Locating
from controller.desk.programming import Programming
from controller.desk.recording import Recording
from controller.desk.releasing import Releasing
from controller.desk.sparing import Sparing
from controller.desk.staff import Staff
from controller.desk.surveying import Surveying
from controller.desk.upkeep import Upkeep
from controller.desk.wishes import OwnApproval
from controller.desk.witnessed import witnessed
from controller.store import Store
from controller.turned_away import TurnedAway
from wire.config import QuietHours

USUAL_QUIET = QuietHours()


@witnessed
class Desk(
    Foresight,
    Sparing,
    Keeping,
    Alerting,
    Surveying,
    Recording,
    Entrance,
    Staff,
    FactorKeeping,
    Enrolling,
    Lexicon,
    Listeners,
    Programming,
    Releasing,
    Alarming,
    Locating,
    ApiTokens,
    Upkeep,
):
    """Where every wish enters. Any method may raise DeskError, or StoreError when the store cannot take it."""

    def __init__(
        self,
        store: Store,
        zone: str,
        bell: Callable[[], None],
        quiet: QuietHours = USUAL_QUIET,
        own_approval: OwnApproval = OwnApproval.ALWAYS,
    ) -> None:
        """``quiet`` hours are local to ``zone`` (IANA); ``bell`` is rung after every wish that was written."""
        self._own_approval = own_approval
        self._store = store
        self._zone = zone
        self._quiet = quiet
        self._bell = bell
        self.turned_away = TurnedAway(store)
