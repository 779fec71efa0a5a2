"""Enrolling at the desk: a one-time code by which a node lets itself in, or a new one takes a dead one's place."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from controller.desk import fresh, reach
from controller.desk.fresh import Critical
from controller.desk.registry import Registry
from controller.desk.wishes import DeskError, Enrolment
from controller.rights import Permission
from controller.roster import Node
from controller.store import StoreError
from controller.store.enrolments import EnrolmentRow
from controller.store.rows import Act, User
from wire import enrolment, onetime
from wire.onetime import Code

CODE_VALIDITY = timedelta(hours=24)
MOST_OPEN = 500  # codes open at once: a thirty-second of the names there are
_NAMES_TRIED = 20


class Enrolling(Registry):
    """The part of the desk where codes are given out. All of it is for operators; codes want a fresh proof."""

    def invite_node(self, wish: Enrolment, who: User, now: datetime) -> Code:
        """A code by which the node of ``wish`` (its key still empty) comes in once. Raises DeskError.

        A code that was open for that node is taken back.
        """
        entered = self._to_enter(wish, who, now)
        fresh.need(who, Critical.NODES, now)
        if self._store.roster.node(entered.id) is not None:
            raise DeskError("desk.node_known", node=entered.id)
        return self._give(entered, False, who, now)

    def replace_node(self, node_id: str, who: User, now: datetime) -> Code:
        """A code for a new device in the place of a known node: all but its key stays. Raises DeskError.

        The old device is shut out the moment the new one comes in.
        """
        reach.need(who, Permission.EQUIP, now)
        held = self._store.roster.node(node_id)
        if held is None:
            raise DeskError("desk.unknown_node", node=node_id[:80])
        reach.need(who, Permission.EQUIP, now, held.home)
        fresh.need(who, Critical.NODES, now)
        return self._give(held, True, who, now)

    def revoke_node(self, node_id: str, who: User, now: datetime) -> Node:
        """Shut a node out at once: its key and its certificates count no more, until another device takes its place.

        A node that is revoked already stays so. Raises DeskError.
        """
        reach.need(who, Permission.EQUIP, now)
        held = self._store.roster.node(node_id)
        if held is None:
            raise DeskError("desk.unknown_node", node=node_id[:80])
        reach.need(who, Permission.EQUIP, now, held.home)
        fresh.need(who, Critical.NODES, now)
        if held.revoked_at is None:
            self._store.enrolments.revoke(
                held.id, now, Act(who.name, "revoked node", held.id, f"home={held.home}", now)
            )
            self._bell()
        return held

    def take_back_code(self, code: str, who: User, now: datetime) -> None:
        """Nobody comes in by that code any more; one that is over already stays so. Raises DeskError."""
        reach.need(who, Permission.EQUIP, now)
        row = self._store.enrolments.get(code)
        if row is None or not row.is_open(now):
            return
        reach.need(who, Permission.EQUIP, now, row.home)
        self._store.enrolments.close(code, Act(who.name, "took back a code", row.node, f"code={code}", now))

    def _give(self, node: Node, replaces: bool, who: User, now: datetime) -> Code:
        if len(self._store.enrolments.waiting(now)) >= MOST_OPEN:
            raise DeskError("desk.too_many_codes", most=MOST_OPEN)
        act = Act(who.name, "gave a code", node.id, f"home={node.home}", now)
        row = EnrolmentRow("", node.id, node.name, node.home, node.groups, replaces, who.name, now, now + CODE_VALIDITY)
        for _ in range(_NAMES_TRIED):
            code = onetime.new()
            try:
                kept = enrolment.stretch(code).kept()
                self._store.enrolments.open(replace(row, code=code.name, kept=kept), act)
            except StoreError as wrong:
                if wrong.key != "store.conflict":  # of that name there is one
                    raise
            else:
                return code
        raise DeskError("desk.too_many_codes", most=MOST_OPEN)
