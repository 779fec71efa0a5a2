"""The whole store: one object whose attributes are its books. Opens lazily; migrates only when told to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import sqlalchemy as sa

from controller.store import migrations, snapshot, sole, tables
from controller.store.airing import Airing
from controller.store.alarm_facts import AlarmFacts
from controller.store.alarms import AlarmBook
from controller.store.alerts import Alerts
from controller.store.announcements import Announcements
from controller.store.answered import Answered
from controller.store.asrun import AsRun
from controller.store.asrun_pages import AsRunPages
from controller.store.assets import Assets
from controller.store.audit import Acts, Refusals
from controller.store.bookings import Bookings
from controller.store.cosigners_out import CosignersOut
from controller.store.database import Database
from controller.store.documents import Documents
from controller.store.doubles import DoubleBook
from controller.store.enrolments import Enrolments
from controller.store.errors import StoreError
from controller.store.factors import Factors
from controller.store.finding import Finder
from controller.store.gazetteer import GazetteerBook
from controller.store.health import HealthBook
from controller.store.held import HeldBook
from controller.store.inbox import Inbox
from controller.store.lexicon import LexiconBook
from controller.store.moving import Mover
from controller.store.node_past import NodePast
from controller.store.nodelist import NodeList
from controller.store.notices import NoticeBook
from controller.store.people import People
from controller.store.plans import Plans
from controller.store.policies import Policies
from controller.store.positions import Positions
from controller.store.programmes import Programmes
from controller.store.public_days import PublicDays
from controller.store.recordings import Recordings
from controller.store.roster import RosterBook
from controller.store.settings_known import SettingsKnown
from controller.store.standby import StandbyBook
from controller.store.tallies import TallyBook
from controller.store.tokens import Tokens
from controller.store.traces import Traces
from controller.store.unheard import UnheardBook
from controller.store.yearbook import Yearbook
from schedules.relays import Source


class Store:
    """The station's memory. Every method of its books is one transaction; any of them may raise StoreError."""

    def __init__(self, url: str, sources: Iterable[Source] = ()) -> None:
        """``url``: ``sqlite:///path`` or ``postgresql://…``; ``sources``: what may be relayed. Raises StoreError."""
        self.database = Database(url)
        self.roster = RosterBook(self.database)
        self.mover = Mover(self.database)
        self.enrolments = Enrolments(self.database)
        self.people = People(self.database)
        self.factors = Factors(self.database)
        self.announcements = Announcements(self.database)
        self.finder = Finder(self.database)
        self.alerts = Alerts(self.database)
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
        self.asrun = AsRun(self.database, self.roster)
        self.asrun_pages = AsRunPages(self.database)
        self.health = HealthBook(self.database)
        self.doubles = DoubleBook(self.database)
        self.alarms = AlarmBook(self.database)
        self.alarm_facts = AlarmFacts(self.database)
        self.tallies = TallyBook(self.database)
        self.acts = Acts(self.database)
        self.positions = Positions(self.database)
        self.gazetteer = GazetteerBook(self.database, self.positions)
        self._open_what_is_told()

    def _open_what_is_told(self) -> None:
        """The books of what is told to people, listeners and programs."""
        self.public_days = PublicDays(self.database)
        self.notices = NoticeBook(self.database)
        self.unheard = UnheardBook(self.database)
        self.yearbook = Yearbook(self.database)
        self.nodelist = NodeList(self.database)
        self.past = NodePast(self.database)
        self.refusals = Refusals(self.database)
        self.lexicon = LexiconBook(self.database)
        self.cosigners_out = CosignersOut(self.database)
        self.settings_known = SettingsKnown(self.database)
        self.tokens = Tokens(self.database)
        self.answered = Answered(self.database)
        self.traces = Traces(self.database)

    def migrate(self) -> None:
        """Bring the database to the newest shape; does nothing when it has it. Raises StoreError for a newer one."""
        with self.database.changing_shape() as connection:
            revision = _revision(connection)
            if revision is not None and revision not in migrations.REVISIONS:
                raise StoreError("store.future", revision=revision, known=migrations.REVISIONS[-1])
            if revision != migrations.REVISIONS[-1]:
                migrations.run(connection)

    def check(self) -> None:
        """Raises StoreError unless the database can be reached and has the shape that this program knows."""
        self.database.check()

    def claim_station(self) -> Callable[[], None]:
        """Be the one station of this database, until the function given back is called. Raises ``store.taken``."""
        return sole.claim(self.database)

    def snapshot(self, path: Path) -> str:
        """Write the database as it is now to ``path``: see `snapshot.take`. Raises StoreError, OSError."""
        return snapshot.take(self.database, path)

    def is_empty(self) -> bool:
        """Whether there is no database at all. Raises StoreError."""
        return snapshot.is_empty(self.database)

    def take_back(self, path: Path) -> None:
        """Become what `snapshot` wrote, which is used up; there must be nothing yet. Raises StoreError, OSError."""
        snapshot.put_back(self.database, path)

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
