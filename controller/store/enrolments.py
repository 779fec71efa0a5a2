"""Enrolments: the one-time codes that are open, and the certificates that nodes hold.

- A code's secret never comes in here, only what can check a proof (`wire.enrolment.Keys`), and that goes once the
  code is used, spoilt, taken back or past its end.
- Letting a node in is one transaction: the code is used up, the roster has the key, older certificates are revoked.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import sqlalchemy as sa

from controller.roster import Node
from controller.store.database import Database
from controller.store.fact_tables import doubles
from controller.store.roster import all_nodes, enter
from controller.store.rows import Act
from controller.store.shapes import all_shaped, columns, shaped
from controller.store.tables import certificates, enrolments, nodes
from wire.certificates import Certificate

MOST_TRIES = 5
AGAIN = timedelta(minutes=15)  # a node that did not hear the answer may ask again with the same key
KEPT_FOR = timedelta(days=30)  # a code is known this long after its end, so that its sentence can be said


@dataclass(frozen=True)
class EnrolmentRow:
    """A code and the node that it lets in. ``kept`` None: nobody can use it any more."""

    code: str
    node: str
    name: str
    home: str
    groups: tuple[str, ...]
    replaces: bool  # the node is known: only its key is new
    made_by: str
    made_at: datetime
    expires_at: datetime
    kept: str | None = field(repr=False, default=None)
    tries: int = 0
    used_at: datetime | None = None
    public_key: str | None = None
    certificate: str | None = None

    def is_open(self, now: datetime) -> bool:
        """Whether a node may still come in by it."""
        return self.kept is not None and self.used_at is None and now < self.expires_at


@dataclass(frozen=True)
class CertificateRow:
    """A certificate that was given to a node; ``serial`` in hex."""

    serial: str
    node: str
    issued_at: datetime
    valid_until: datetime
    revoked_at: datetime | None = None
    public_key: str | None = None
    pem: str | None = None


class Enrolments:
    """Codes and certificates."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self, row: EnrolmentRow, act: Act | None = None) -> None:
        """Enter a code; another one that is open for the same node is taken back.

        Raises StoreError ``store.conflict`` when a code of that name is known.
        """
        with self._database.wishing(act) as connection:
            self._sweep(connection, row.made_at)
            unused = (enrolments.c.node == row.node) & enrolments.c.used_at.is_(None)
            connection.execute(sa.update(enrolments).where(unused).values(kept=None))
            connection.execute(sa.insert(enrolments), columns(row))

    def close(self, code: str, act: Act | None = None) -> None:
        """Take a code back."""
        with self._database.wishing(act) as connection:
            connection.execute(sa.update(enrolments).where(enrolments.c.code == code).values(kept=None))

    def get(self, code: str) -> EnrolmentRow | None:
        """The code of that name."""
        with self._database.reading() as connection:
            row = connection.execute(sa.select(enrolments).where(enrolments.c.code == code)).first()
        return shaped(EnrolmentRow, row) if row else None

    def waiting(self, now: datetime) -> list[EnrolmentRow]:
        """The codes that are open, the oldest first."""
        unused = enrolments.c.kept.is_not(None) & enrolments.c.used_at.is_(None) & (enrolments.c.expires_at > now)
        with self._database.reading() as connection:
            return all_shaped(
                EnrolmentRow, connection.execute(sa.select(enrolments).where(unused).order_by(enrolments.c.made_at))
            )

    def fail(self, code: str) -> int:
        """Count a wrong try; how many are left. The last one spoils the code."""
        mine = enrolments.c.code == code
        with self._database.writing() as connection:
            more = sa.update(enrolments).where(mine).values(tries=enrolments.c.tries + 1).returning(enrolments.c.tries)
            tries = connection.execute(more).scalar() or MOST_TRIES
            if tries >= MOST_TRIES:
                connection.execute(sa.update(enrolments).where(mine).values(kept=None))
        return max(0, MOST_TRIES - tries)

    def admit(self, code: str, public_key: str, certificate: Certificate, now: datetime) -> Node | None:
        """Let the node in with that key and certificate; None when the code was used, or ended, in this moment.

        A node that is known keeps all but these two. Raises StoreError ``store.conflict`` for a key that another has.
        """
        with self._database.wishing() as connection:
            self._sweep(connection, now)
            usable = (enrolments.c.code == code) & enrolments.c.kept.is_not(None) & enrolments.c.used_at.is_(None)
            told = {"used_at": now, "public_key": public_key, "certificate": certificate.pem}
            found = connection.execute(
                sa.update(enrolments).where(usable).values(told).returning(*enrolments.c)
            ).first()
            if found is None:
                return None
            row = shaped(EnrolmentRow, found)
            held = next(iter(all_nodes(connection, row.node)), None)
            new = Node(row.node, row.name, row.home, public_key, now, row.groups)
            node = replace(held, public_key=public_key, revoked_at=None) if held else new
            enter(connection, self._database, node)
            self._revoke(connection, node.id, now)
            self._certify(connection, CertificateRow(certificate.serial, node.id, now, certificate.until))
            connection.execute(sa.delete(doubles).where(doubles.c.node == node.id))
            what = "replaced key" if held else "enrolled"
            self._database.note(connection, Act(row.made_by, what, node.id, f"home={node.home}", now))
        return node

    def revoked(self, now: datetime) -> list[CertificateRow]:
        """The certificates that are revoked and would hold otherwise, by number."""
        counts = certificates.c.revoked_at.is_not(None) & (certificates.c.valid_until > now)
        with self._database.reading() as connection:
            query = sa.select(certificates).where(counts).order_by(certificates.c.serial)
            return all_shaped(CertificateRow, connection.execute(query))

    def certificate(self, node: str) -> CertificateRow | None:
        """The certificate that a node holds now."""
        mine = (certificates.c.node == node) & certificates.c.revoked_at.is_(None)
        with self._database.reading() as connection:
            query = sa.select(certificates).where(mine).order_by(certificates.c.issued_at.desc()).limit(1)
            row = connection.execute(query).first()
        return shaped(CertificateRow, row) if row else None

    def certified(self, public_key: str) -> CertificateRow | None:
        """The certificate that was given for a key (hex), revoked or not."""
        with self._database.reading() as connection:
            row = connection.execute(sa.select(certificates).where(certificates.c.public_key == public_key)).first()
        return shaped(CertificateRow, row) if row else None

    def live(self, node: str, now: datetime) -> list[CertificateRow]:
        """The certificates by which a node may come in, the newest first."""
        mine = (certificates.c.node == node) & certificates.c.revoked_at.is_(None) & (certificates.c.valid_until > now)
        with self._database.reading() as connection:
            query = sa.select(certificates).where(mine).order_by(certificates.c.issued_at.desc())
            return all_shaped(CertificateRow, connection.execute(query))

    def renew(self, node: str, public_key: str, certificate: Certificate, now: datetime) -> bool:
        """Enter one more certificate of a node; those before hold on. False when it was revoked in this moment."""
        with self._database.writing() as connection:
            known = sa.select(nodes.c.id).where((nodes.c.id == node) & nodes.c.revoked_at.is_(None))
            if connection.execute(known).first() is None:
                return False
            over = (certificates.c.node == node) & (certificates.c.valid_until <= now - KEPT_FOR)
            connection.execute(sa.delete(certificates).where(over))
            made = CertificateRow(certificate.serial, node, now, certificate.until, None, public_key, certificate.pem)
            self._certify(connection, made)
        return True

    def revoke(self, node: str, now: datetime, act: Act) -> None:
        """Its key and its certificates count no more; a code that is open for it is taken back."""
        with self._database.wishing(act) as connection:
            connection.execute(sa.update(nodes).where(nodes.c.id == node).values(revoked_at=now))
            self._revoke(connection, node, now)
            unused = (enrolments.c.node == node) & enrolments.c.used_at.is_(None)
            connection.execute(sa.update(enrolments).where(unused).values(kept=None))

    @staticmethod
    def _revoke(connection: sa.Connection, node: str, now: datetime) -> None:
        older = (certificates.c.node == node) & certificates.c.revoked_at.is_(None)
        connection.execute(sa.update(certificates).where(older).values(revoked_at=now))

    @staticmethod
    def _certify(connection: sa.Connection, row: CertificateRow) -> None:
        connection.execute(sa.insert(certificates), columns(row))

    @staticmethod
    def _sweep(connection: sa.Connection, now: datetime) -> None:
        """What can no longer be used is no longer kept."""
        over = (enrolments.c.expires_at <= now) | (enrolments.c.used_at <= now - AGAIN)
        connection.execute(sa.update(enrolments).where(over & enrolments.c.kept.is_not(None)).values(kept=None))
        connection.execute(sa.delete(enrolments).where(enrolments.c.expires_at <= now - KEPT_FOR))
