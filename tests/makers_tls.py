"""Makers for the web over TLS: a town whose web has a certificate of the station's own, and who speaks to it."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path

from makers_web import Town

from controller import web_certificates
from controller.settings import Settings
from controller.web.server import Server, serve

NAMES = ("radio.test", "127.0.0.1")


class SecureTown(Town):
    """A town whose web has a certificate for `NAMES`. Its clock stands at the real moment, for clients look at it."""

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        super().__post_init__()
        self.now = datetime.now(UTC)
        self.settings = Settings(state_dir=self.folder, station_name="Truyền thanh Đồng Đăng", web_names=NAMES)

    def papers(self) -> tuple[Path, None]:
        """The certificate, made when there is none."""
        return web_certificates.keep(self.settings, self.now), None

    @property
    def authority(self) -> Path:
        """What people install."""
        return self.settings.web_dir / web_certificates.CA


@contextmanager
def served(folder: Path) -> Iterator[tuple[SecureTown, Server]]:
    """A settled town on a port of its own, plain and over TLS."""
    town = SecureTown(folder)
    town.settle()
    server = serve(town.app(), "127.0.0.1", 0, papers=town.papers)
    try:
        yield town, server
    finally:
        server.stop()
        town.store.close()


def trusting(authority: Path) -> ssl.SSLContext:
    """Who has installed that authority, and no other."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.load_verify_locations(authority)
    made.verify_flags |= ssl.VERIFY_X509_STRICT
    return made


def secure(server: Server, town: SecureTown) -> HTTPSConnection:
    """A connection that looks at the certificate."""
    return HTTPSConnection("127.0.0.1", server.port, timeout=60, context=trusting(town.authority))


def plain(server: Server) -> HTTPConnection:
    """A connection without TLS."""
    return HTTPConnection("127.0.0.1", server.port, timeout=60)
