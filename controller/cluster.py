"""The cluster's own certificate: by which the servers of a clustered broker (NATS) know one another.

- Of an authority that signs nothing else and whose key is kept nowhere: no node's certificate makes it a server, which
  would hear and say all.
- One pair for every server; made anew when the servers are called otherwise.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from controller.durable import lay
from wire import certificates
from wire.certificates import Authority

AUTHORITY, CERTIFICATE, KEY = "cluster-ca.pem", "cluster.pem", "cluster.key"
VALIDITY = timedelta(days=20 * 365)


def establish(folder: Path, hosts: list[str], now: datetime) -> list[Path]:
    """Three files in ``folder`` for servers called by ``hosts``; those that changed. Raises OSError, BadCertificate."""
    held = folder / CERTIFICATE
    if held.exists() and certificates.hosts_of(held.read_text("ascii", "replace")) == hosts:
        return []
    until, key = now + VALIDITY, certificates.new_key()
    authority = Authority(*Authority.make("Loa cluster", until))
    pair = authority.serve(key, hosts, until, calls=True).pem
    texts = {AUTHORITY: authority.certificate, KEY: key.decode(), CERTIFICATE: pair}
    return [path for name, text in texts.items() if (path := lay(folder / name, text))]
