"""Releases at the desk: which areas or nodes are to run what the root has sealed. For operators.

- A few nodes first, then the others: each area is a wish of its own, and each is written with who wished it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from controller.desk import reach
from controller.desk.wishes import DeskError
from controller.releases import EVERYWHERE, Published, name_of, published
from controller.releases import PREFIX as RELEASES
from controller.rights import Permission
from controller.store import Store
from controller.store.facts import Document
from controller.store.rows import Act, User
from wire.release import Release


class Releasing:
    """The part of the desk where releases are passed on."""

    _store: Store
    _bell: Callable[[], None]

    def publish_release(self, release: Release, raw: bytes, areas: Sequence[str], who: User, now: datetime) -> None:
        """Name it in the config of every node of ``areas`` (areas, nodes, or `EVERYWHERE`).

        Raises DeskError; StoreError ``store.older_document`` where a newer one is named already.
        """
        self._may_release(areas, who, now)
        for area in areas:
            detail = f"version={release.version} serial={release.serial} area={area} sha256={release.sha256}"
            document = Document(name_of(release, area), release.serial, raw, now)
            self._store.documents.put(document, Act(who.name, "published release", area, detail, now))
        self._bell()

    def withdraw_release(self, areas: Sequence[str], who: User, now: datetime) -> int:
        """Name none in ``areas`` any more; what a node has installed stays. How many were. Raises DeskError."""
        self._may_release(areas, who, now)
        gone = [each for each in self.releases() if each.area in areas]
        for each in gone:
            detail = f"version={each.release.version} serial={each.release.serial}"
            self._store.documents.drop(each.name, Act(who.name, "withdrew release", each.area, detail, now))
        self._bell()
        return len(gone)

    def releases(self) -> tuple[Published, ...]:
        """What is passed on, by area."""
        return published(self._store.documents.named(RELEASES))

    def _may_release(self, areas: Sequence[str], who: User, now: datetime) -> None:
        reach.need(who, Permission.RELEASE, now)
        if not areas:
            raise DeskError("desk.no_area")
        if EVERYWHERE in areas:
            reach.need(who, Permission.RELEASE, now, EVERYWHERE)
            areas = [area for area in areas if area != EVERYWHERE]
        if areas:
            reach.places(self._store, areas, who, Permission.RELEASE, now)
