"""A knock at a broker's door: one CONNECT, and what came of it, told apart. No session is wiped, nothing is subscribed.

- Name, TCP, TLS, and the broker's own answer (MQTT 3.1.1, 3.2.2.3) fail in different ways and are mended in different
  places; a link that heals itself cannot tell them apart so plainly.
- The client id is the node's own and the session is kept: a node that runs is thrown off for a moment and returns.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
from enum import StrEnum

KNOCK_SECONDS = 8.0
_EXPIRED, _NOT_YET = 10, 9  # X509_V_ERR of OpenSSL
_WRONG_NAME = (62, 64)
_CREDENTIALS = (4, 5)


class Answer(StrEnum):
    """What came of it."""

    WELCOME = "welcome"
    NO_NAME = "no_name"  # the name does not resolve
    REFUSED = "refused"  # nobody listens
    SILENT = "silent"  # no answer in time, anywhere on the way
    NO_TLS = "no_tls"  # TLS was spoken to something that does not
    CERT_EXPIRED = "cert_expired"
    CERT_NOT_YET = "cert_not_yet"
    CERT_NAME = "cert_name"  # of another host
    CERT_UNKNOWN = "cert_unknown"  # of no authority that we trust
    CERT_WANTED = "cert_wanted"  # the broker wants one from us, or not the one we have
    CREDENTIALS = "credentials"  # user or password
    NOT_MQTT = "not_mqtt"  # something else listens there
    REJECTED = "rejected"  # the broker's other codes


def knock(
    address: tuple[str, int], client_id: str, user: tuple[str, str] | None, context: ssl.SSLContext | None
) -> tuple[Answer, str]:
    """(what came of it, the detail). ``user``: name and password; ``context``: TLS, None for none."""
    try:
        found = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as wrong:
        return Answer.NO_NAME, str(wrong)
    del found
    try:
        with socket.create_connection(address, timeout=KNOCK_SECONDS) as plain:
            return _greet(plain, address[0], _connect(client_id, user), context)
    except TimeoutError:
        return Answer.SILENT, f"{KNOCK_SECONDS:g} s"
    except OSError as wrong:
        return Answer.REFUSED, str(wrong)


def _greet(plain: socket.socket, host: str, packet: bytes, context: ssl.SSLContext | None) -> tuple[Answer, str]:
    if context is None:
        return _ask(plain, packet)
    try:
        wrapped = context.wrap_socket(plain, server_hostname=host)
    except ssl.SSLCertVerificationError as wrong:
        kinds = {_EXPIRED: Answer.CERT_EXPIRED, _NOT_YET: Answer.CERT_NOT_YET}
        kinds |= dict.fromkeys(_WRONG_NAME, Answer.CERT_NAME)
        return kinds.get(wrong.verify_code, Answer.CERT_UNKNOWN), wrong.verify_message
    except ssl.SSLError as wrong:  # TLS 1.2 asks for our certificate within the handshake
        alert = (wrong.reason or "").upper()
        refused = "ALERT" in alert and ("CERTIFICATE" in alert or "UNKNOWN_CA" in alert or "HANDSHAKE" in alert)
        return Answer.CERT_WANTED if refused else Answer.NO_TLS, wrong.reason or str(wrong)
    except ConnectionError as wrong:
        return Answer.NO_TLS, str(wrong)
    with wrapped:
        try:
            return _ask(wrapped, packet)
        except ssl.SSLError as wrong:  # TLS 1.3 says only now that it did not like it
            return Answer.CERT_WANTED, wrong.reason or str(wrong)


def _ask(sock: socket.socket, packet: bytes) -> tuple[Answer, str]:
    answer = b""
    try:
        sock.sendall(packet)
        while len(answer) < 4 and (some := sock.recv(4 - len(answer))):
            answer += some
    except ConnectionError as wrong:
        return Answer.NOT_MQTT, str(wrong)
    if answer[:2] != b"\x20\x02" or len(answer) < 4:
        return Answer.NOT_MQTT, answer.hex() or "-"
    with contextlib.suppress(OSError):
        sock.sendall(b"\xe0\x00")  # DISCONNECT
    if answer[3] in _CREDENTIALS:
        return Answer.CREDENTIALS, f"code {answer[3]}"
    return (Answer.WELCOME, "") if answer[3] == 0 else (Answer.REJECTED, f"code {answer[3]}")


def _connect(client_id: str, user: tuple[str, str] | None) -> bytes:
    """CONNECT, MQTT 3.1.1, 3.1: the session is kept, no will."""
    flags = 0xC0 if user else 0
    words = [word.encode()[:65535] for word in (client_id, *(user or ()))]
    body = b"\x00\x04MQTT\x04" + struct.pack(">BH", flags, 10)
    body += b"".join(struct.pack(">H", len(word)) + word for word in words)
    length, left = b"", len(body)
    while True:
        left, digit = divmod(left, 128)
        length += bytes([digit | (0x80 if left else 0)])
        if not left:
            return b"\x10" + length + body
