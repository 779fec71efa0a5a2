"""The reception: lets a node in that brings a one-time code. The station's half of `wire.enrolment`.

- Whatever arrives gets an answer or a refusal with its reason; nothing raises but StoreError and KeyTrouble.
- A wrong proof counts against the code, five spoil it; nothing is written before the proof is true.
- For some minutes the same node may ask again, if the answer was lost: it gets the same certificate, nothing changes.
"""

from __future__ import annotations

import logging
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from controller import authority, keyring, keys
from controller.guestlist import STATION_USER
from controller.keyring import KeyTrouble
from controller.settings import Settings
from controller.store import Store, StoreError
from controller.store.enrolments import AGAIN, MOST_TRIES, EnrolmentRow
from wire import certificates, codec, enrolment
from wire.certificates import BadCertificate, Certificate
from wire.enrolment import Keys, No, NotProved, Question, Welcome, Wish

log = logging.getLogger(__name__)

Told = tuple[bytes, int]  # what travels, and the HTTP status


STATUS = {  # of HTTP, for each way of saying no
    No.UNKNOWN: 404,
    No.EXPIRED: 410,
    No.USED: 409,
    No.SPOILT: 410,
    No.WRONG: 403,
    No.OTHER_NODE: 409,
    No.KEY_TAKEN: 409,
    No.MALFORMED: 400,
    No.TOO_BIG: 413,
    No.TOO_MANY: 429,
    No.CLOSED: 503,
}


class _Caller(NamedTuple):
    """Who asks: the code that was named, its keys, the question as it came, and when."""

    row: EnrolmentRow
    keys: Keys
    raw: bytes
    now: datetime


class Reception:
    """Over the store, the keys and what the settings say of the broker."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store, self._settings = store, settings
        self._ring = keyring.of(settings)

    def receive(self, raw: bytes, now: datetime) -> Told:
        """The answer to a question as it came, and its HTTP status. Raises StoreError."""
        try:
            question = enrolment.read_question(raw)
            row = self._store.enrolments.get(question.code)
            turned = _judged(row, now)
            if turned or row is None or row.kept is None:
                return _turn(turned or No.UNKNOWN, question.code)
            return self._judge_proof(_Caller(row, enrolment.kept_keys(row.kept), raw, now), question)
        except codec.TooBig:
            return _turn(No.TOO_BIG)
        except codec.Malformed:
            return _turn(No.MALFORMED)
        except KeyTrouble as wrong:
            log.error("enrolment_closed why=%s", wrong)
            return _turn(No.CLOSED)

    def _judge_proof(self, caller: _Caller, question: Question) -> Told:
        row = caller.row
        try:
            wish = enrolment.wish_of(question, caller.keys)
            public = certificates.public_of_request(wish.request)
        except NotProved:
            if row.used_at is not None:
                return _turn(No.USED, row.code)
            return _turn(No.WRONG, row.code, self._store.enrolments.fail(row.code))
        except BadCertificate:
            return _turn(No.MALFORMED, row.code)
        if row.used_at is not None:
            return self._tell_again(caller, wish, public)
        if row.node == (self._settings.broker_user or STATION_USER):
            return _turn(No.CLOSED, row.code)  # its certificate would be the station's
        if wish.held not in ("", row.node):
            return _turn(No.OTHER_NODE, row.code)
        return self._let_in(caller, wish)

    def _let_in(self, caller: _Caller, wish: Wish) -> Told:
        """The node enters the roster. Its answer is made before, so that what cannot be answered changes nothing."""
        row, now = caller.row, caller.now
        issuer = authority.establish(self._ring, now)
        certificate = issuer.admit(wish.request, row.node, now + authority.VALIDITY)
        answer = self._answer(caller, certificate)
        try:
            node = self._store.enrolments.admit(row.code, wish.public_key, certificate, now)
        except StoreError as wrong:
            if wrong.key == "store.conflict":
                return _turn(No.KEY_TAKEN, row.code)
            raise
        if node is None:
            return _turn(No.USED, row.code)
        log.info("enrolled node=%s code=%s", node.id, row.code)
        return answer

    def _tell_again(self, caller: _Caller, wish: Wish, public: str) -> Told:
        """The same to the same node: its answer may have been lost. Anybody else finds the code used."""
        held = caller.row.certificate or ""
        if wish.public_key != caller.row.public_key or not held or certificates.public_of(held) != public:
            return _turn(No.USED, caller.row.code)
        return self._answer(caller, certificates.read(held))

    def _answer(self, caller: _Caller, certificate: Certificate) -> Told:
        welcome = self._welcome(caller.row, certificate, caller.now)
        return enrolment.answer(welcome, caller.raw, caller.keys), 200

    def _welcome(self, row: EnrolmentRow, certificate: Certificate, now: datetime) -> Welcome:
        """What the node is told. Raises KeyTrouble while the station lacks what it must tell."""
        roots, told = keys.in_force(self._ring, self._store), self._settings
        host, port = told.broker_of_nodes
        where = self._store.roster.node(row.node)
        return Welcome(
            row.node,
            where.name if where else row.name,
            where.home if where else row.home,
            roots.hexes,
            now,
            host,
            port,
            authority=_text_of(told.broker_ca),
            certificate=certificate.pem,
            media_url=told.audio_url,
            station=told.station_name[:200],
            root_threshold=roots.threshold,
            root_version=roots.version,
        )


def _turn(reason: No, code: str = "", tries_left: int | None = None) -> Told:
    """A node that is not let in, and why. ``tries_left``: None unless the proof was wrong."""
    log.warning("enrolment_refused reason=%s code=%s tries_left=%s", reason, code, tries_left)
    return codec.write(enrolment.Refusal(reason.value, tries_left)), STATUS[reason]


def _judged(row: EnrolmentRow | None, now: datetime) -> No | None:
    """Why nobody can use this code, None when somebody may."""
    if row is None:
        return No.UNKNOWN
    if row.used_at is not None:
        return None if row.kept is not None and now - row.used_at < AGAIN else No.USED
    if row.tries >= MOST_TRIES:
        return No.SPOILT
    if now >= row.expires_at:
        return No.EXPIRED
    return No.UNKNOWN if row.kept is None else None


def _text_of(path: str) -> str:
    """The authority that the broker's certificate comes from. Raises KeyTrouble."""
    if not path:
        return ""
    try:
        with Path(path).open("rb") as file:
            return file.read(certificates.MOST_BYTES).decode("ascii")
    except (OSError, UnicodeDecodeError) as wrong:
        raise KeyTrouble("keys.unreadable", path=path, why=wrong) from wrong
