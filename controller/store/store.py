"""The whole store: one object whose attributes are its books. Opens lazily; migrates only when told to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from controller.store import migrations, sole, tables
from controller.store.airing import Airing
from controller.store.announcements import Announcements
from controller.store.asrun import AsRun
from controller.store.assets import Assets
from controller.store.audit import Acts, Refusals
from controller.store.bookings import Bookings
from controller.store.database import Database
from controller.store.documents import Documents
from controller.store.errors import StoreError
from controller.store.health import HealthBook
from controller.store.held import HeldBook
from controller.store.inbox import Inbox
from controller.store.lexicon import LexiconBook
from controller.store.people import People
from controller.store.plans import Plans
from controller.store.policies import Policies
from controller.store.programmes import Programmes
from controller.store.recordings import Recordings
from controller.store.roster import RosterBook
from controller.store.standby import StandbyBook
from schedules.relays import Source


class Store:
    """The station's memory. Every method of its books is one transaction; any of them may raise StoreError."""

    def __init__(self, url: str, sources: Iterable[Source] = ()) -> None:
        """``url``: ``sqlite:///path`` or ``postgresql://…``; ``sources``: what may be relayed. Raises StoreError."""
        self.database = Database(url)
        self.roster = RosterBook(self.database)
        self.people = People(self.database)
        self.announcements = Announcements(self.database)
        self.assets = Assets(self.database)
        self.inbox = Inbox(self.database)
        self.recordings = Recordings(self.database)
        self.bookings = Bookings(self.database)
        self.programmes = Programmes(self.database)
        self.airing = Airing(self.database, self.bookings, self.programmes, sources)
        self.plans = Plans(self.database)
        self.policies = Policies(self.database)
        self.held = HeldBook(self.database)
        self.standby = StandbyBook(self.database)
        self.documents = Documents(self.database)
        self.asrun = AsRun(self.database)
        self.health = HealthBook(self.database)
        self.acts = Acts(self.database)
        self.refusals = Refusals(self.database)
        self.lexicon = LexiconBook(self.database)

    def migrate(self) -> None:
        """Bring the database to the newest shape; does nothing when it has it. Raises StoreError for a newer one."""
        with self.database.changing_shape() as connection:
            revision = _revision(connection)
            if revision is not None and revision not in migrations.REVISIONS:
                raise StoreError("store.future", revision=revision, known=migrations.REVISIONS[-1])
            config = Config()
            config.set_main_option("script_location", str(Path(migrations.__file__).parent).replace("%", "%%"))
            config.set_main_option("path_separator", "os")
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def check(self) -> None:
        """Raises StoreError unless the database can be reached and has the shape that this program knows."""
        self.database.check()

    def claim_station(self) -> Callable[[], None]:
        """Be the one station of this database, until the function given back is called. Raises ``store.taken``."""
        return sole.claim(self.database)

    def changed(self) -> int:
        """A number that differs from the last one when any process has written a wish since; cheap to ask often."""
        with self.database.reading() as connection:
            return int(connection.execute(sa.select(tables.tidings.c.wishes)).scalar_one())

    def close(self) -> None:
        """Give back every connection. The store may be used again."""
        self.database.close()


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
