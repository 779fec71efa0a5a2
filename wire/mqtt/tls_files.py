"""The files for TLS, and which of them is at fault when it cannot be used: OpenSSL does not say."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable, Iterator
from typing import TypedDict

from wire import closed


class Tls(TypedDict, total=False):
    """Files for TLS: the authority to trust, and this client's certificate and key (mutual TLS)."""

    ca_certs: str
    certfile: str
    keyfile: str
    opened: Callable[[str], bytes | None]  # what a file holds that is not to be read as it lies; None: read it so


def tls(authority: str, certificate: str = "", key: str = "") -> Tls:
    """The files as settings name them: without a certificate only the broker shows one; a key may lie in its file."""
    if not certificate:
        return Tls(ca_certs=authority)
    return Tls(ca_certs=authority, certfile=certificate, keyfile=key or certificate)


def context(tls: Tls) -> ssl.SSLContext:
    """Raises OSError (ssl.SSLError among them) for a file that is missing or not what it should be: its ``filename``.

    A key that is not the certificate's is the key's fault.
    """
    with _blaming(tls["ca_certs"]):
        made = ssl.create_default_context(cafile=tls["ca_certs"])
    if "certfile" in tls:
        opened, own, key = tls.get("opened"), tls["certfile"], tls.get("keyfile")
        with _blaming(own), _readable(own, opened) as path:
            ssl.create_default_context(cafile=path)  # whether there is a certificate in it at all
        with _blaming(key or own), _readable(own, opened) as path, _readable(key or own, opened) as key_path:
            made.load_cert_chain(path, key_path)
    return made


@contextlib.contextmanager
def _readable(path: str, opened: Callable[[str], bytes | None] | None) -> Iterator[str]:
    """A path under which OpenSSL reads the file."""
    content = opened(path) if opened else None
    if content is None:
        yield path
        return
    with closed.in_memory(content) as shown:
        yield shown


@contextlib.contextmanager
def _blaming(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as wrong:
        wrong.filename = path
        raise
