"""The desk as one object: all that a person may wish, and what is foreseen of it, over one store."""

from __future__ import annotations

from collections.abc import Callable

from controller.desk.entrance import Entrance
from controller.desk.foresight import Foresight
from controller.desk.keeping import Keeping
from controller.desk.lexicon import Lexicon
from controller.desk.programming import Programming
from controller.desk.recording import Recording
from controller.desk.registry import Registry
from controller.desk.sparing import Sparing
from controller.desk.wishes import OwnApproval
from controller.store import Store
from wire.config import QuietHours

USUAL_QUIET = QuietHours()


class Desk(Foresight, Sparing, Keeping, Recording, Entrance, Registry, Lexicon, Programming):
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
