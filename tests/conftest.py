"""What all tests share: an empty, migrated store, once on SQLite and once on PostgreSQL; and their order."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from postgres import Postgres, find_programs
from worked_out_once import work_out_once

from controller.store import Store

work_out_once()

# of every file, whatever it imports: how fast a machine is proves nothing; speed lives in bench/
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # begun in the background; what is tried must hear Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)

LONGEST_FIRST = (  # what takes a minute or more goes ahead, so that the last process does not run alone
    *("test_power_cuts", "test_radio_demo", "test_install", "test_radio_crashes", "test_programme_browser"),
    *("test_web_hearing_browser", "test_web_browser", "test_reenactments", "test_lazy_disk", "test_evil_broker"),
    *(
        "test_radio_programme",
        "test_bench_intelligibility",
        "test_updater_real",
        "test_install_station",
        "test_preview",
    ),
    *("test_studio_recordings", "test_radio_apart", "test_store_wanted", "test_web_passkey_browser", "test_discretion"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take longest come first, the others as they were."""
    places = {name: place for place, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: places.get(item.path.stem, len(places)))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A server for the whole run."""
    programs = find_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    server = Postgres(programs)
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database of either kind; where `store` is wanted too, of the one that it will make."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/store.db"
        return
    server: Postgres = request.getfixturevalue("postgres")
    url = server.another() if "store" in request.fixturenames else server.database()
    yield url
    server.drop(url)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite database, made once, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "store.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def migrated_there(postgres: Postgres) -> str:
    """The URL of a migrated PostgreSQL database, made once, to be copied."""
    url = postgres.database()
    _migrate(url)
    return url


@pytest.fixture
def store(database_url: str, request: pytest.FixtureRequest) -> Iterator[Store]:
    """A migrated store."""
    if database_url.startswith("sqlite"):
        shutil.copyfile(request.getfixturevalue("migrated"), database_url.removeprefix("sqlite:///"))
    else:
        server: Postgres = request.getfixturevalue("postgres")
        server.copy(request.getfixturevalue("migrated_there"), database_url)
    opened = Store(database_url)
    yield opened
    opened.close()


def _migrate(url: str) -> None:
    made = Store(url)
    made.migrate()
    made.close()
