"""Enrolment: what a new node and its station say to each other, once, over a road that neither trusts.

- Both know the one-time code. Its secret never travels: each proves that it has it, over all that was said so far.
- So whoever listens learns nothing, and whoever changes a byte (the node's key, its request, the root keys, the
  authority) spoils a proof. The code has 60 bits and is stretched with scrypt: nobody guesses it from what he heard.
- The question is sealed by the node's own new key, the way its receipts will be.
"""

from __future__ import annotations

import hashlib
import hmac
from enum import StrEnum
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta

from wire import codec, onetime, seal
from wire.plan import END, Moment
from wire.seal import PublicKey, Signer
from wire.trust import Hex32

KIND = "enrolment"
PATH = "/ghi-danh"
MOST_QUESTION_BYTES, MOST_ANSWER_BYTES = 16 * 1024, 64 * 1024
_LABEL = b"loa enrolment 1"
_SCRYPT_N, _SCRYPT_R = 2**15, 8  # 32 MiB, a third of a second on a Raspberry Pi
_Pem = Annotated[str, Meta(max_length=8192)]
_Name = Annotated[str, Meta(max_length=200)]


class No(StrEnum):
    """Why a station does not let a node in."""

    UNKNOWN = "unknown"  # no such code is open
    EXPIRED = "expired"
    USED = "used"
    SPOILT = "spoilt"  # too many wrong tries
    WRONG = "wrong"  # the proof does not fit: another code, or somebody changed what was sent
    OTHER_NODE = "other_node"  # the code is for another node than the one whose settings lie there
    KEY_TAKEN = "key_taken"  # another node has this key
    MALFORMED = "malformed"
    TOO_BIG = "too_big"
    TOO_MANY = "too_many"  # tries from one address
    CLOSED = "closed"  # the station lacks a key of its own


class Wish(msgspec.Struct, frozen=True):
    """What a node asks. ``held``: the node whose settings lie there already, empty for none or for any."""

    nonce: Hex32
    public_key: Hex32
    request: _Pem  # for a certificate at the broker
    held: _Name = ""


class Question(msgspec.Struct, frozen=True):
    """A `Wish` in its DSSE envelope, the name of the code, and the proof over both."""

    code: Annotated[str, Meta(pattern=f"^[{onetime.ALPHABET}]{{{onetime.NAME_LETTERS}}}{END}")]
    sealed: str
    proof: Hex32


class Welcome(msgspec.Struct, frozen=True):
    """What a station answers. ``broker_host`` empty: the host by which the station was reached.

    ``authority`` (PEM) is whom to trust at the broker, empty where it speaks no TLS; ``certificate`` is the node's own.
    """

    node: _Name
    name: _Name
    home: _Name
    root_keys: Annotated[tuple[Hex32, ...], Meta(min_length=1, max_length=10)]
    at: Moment
    broker_host: Annotated[str, Meta(max_length=255)]
    broker_port: Annotated[int, Meta(ge=1, le=65535)]
    authority: _Pem = ""
    certificate: _Pem = ""
    media_url: Annotated[str, Meta(max_length=500)] = ""
    station: _Name = ""
    root_threshold: Annotated[int, Meta(ge=1, le=10)] = 1  # how many of root_keys must agree
    root_version: Annotated[int, Meta(ge=0)] = 0  # how often the roots had changed


class Answer(msgspec.Struct, frozen=True):
    """A `Welcome` as JSON text, and the proof over the question and it."""

    welcome: str
    proof: Hex32


class Refusal(msgspec.Struct, frozen=True):
    """Instead of an answer. It is not proved: whoever is in between can refuse, and no more."""

    reason: str
    tries_left: int | None = None


class Keys(NamedTuple):
    """What both sides make of a code's secret: one key for each direction, 32 bytes each."""

    question: bytes
    answer: bytes

    def kept(self) -> str:
        """As the station keeps it until it is used, 128 hex digits."""
        return (self.question + self.answer).hex()


class NotProved(ValueError):
    """A proof that does not fit what was said."""


def stretch(code: onetime.Code) -> Keys:
    """The keys of ``code``; slow and large on purpose."""
    salt = _LABEL + b" " + code.name.encode()
    costs = {"n": _SCRYPT_N, "r": _SCRYPT_R, "p": 1, "maxmem": 2 * 128 * _SCRYPT_N * _SCRYPT_R}
    return _halves(hashlib.scrypt(code.secret.encode(), salt=salt, dklen=64, **costs))


def kept_keys(kept: str) -> Keys:
    """The keys that `Keys.kept` wrote."""
    return _halves(bytes.fromhex(kept))


def ask(wish: Wish, code_name: str, keys: Keys, signer: Signer) -> bytes:
    """The node's question as it travels."""
    sealed = seal.seal(KIND, codec.write(wish), signer).decode()
    return codec.write(Question(code_name, sealed, _proof(keys.question, code_name.encode(), sealed.encode())))


def read_question(raw: bytes) -> Question:
    """The question in ``raw``, nothing proved yet. Raises codec.TooBig, codec.Malformed."""
    return codec.read(Question, raw, MOST_QUESTION_BYTES)


def wish_of(question: Question, keys: Keys) -> Wish:
    """What is asked, once it is proved. Raises NotProved, codec.Malformed, codec.TooBig."""
    proof = _proof(keys.question, question.code.encode(), question.sealed.encode())
    if not hmac.compare_digest(proof, question.proof):
        raise NotProved("question")
    envelope = seal.unwrap(question.sealed.encode(), MOST_QUESTION_BYTES)
    wish = codec.read(Wish, envelope.body(), MOST_QUESTION_BYTES)
    try:
        key = PublicKey.from_hex(wish.public_key)
    except ValueError as wrong:
        raise codec.Malformed(str(wrong)) from None
    if not seal.is_kind(envelope, KIND) or not seal.sealed_by(envelope, {key.id: key}):
        raise codec.Malformed("not sealed by the key that it brings")
    return wish


def answer(welcome: Welcome, question: bytes, keys: Keys) -> bytes:
    """The station's answer to ``question`` (as it came) as it travels."""
    said = codec.write(welcome).decode()
    return codec.write(Answer(said, _proof(keys.answer, question, said.encode())))


def welcome_of(raw: bytes, question: bytes, keys: Keys) -> Welcome:
    """What the station says to ``question`` (as it was sent). Raises NotProved, codec.Malformed, codec.TooBig."""
    answered = codec.read(Answer, raw, MOST_ANSWER_BYTES)
    if not hmac.compare_digest(_proof(keys.answer, question, answered.welcome.encode()), answered.proof):
        raise NotProved("answer")
    return codec.read(Welcome, answered.welcome.encode(), MOST_ANSWER_BYTES)


def _halves(both: bytes) -> Keys:
    return Keys(both[:32], both[32:])


def _proof(key: bytes, *parts: bytes) -> str:
    """HMAC-SHA256 over the label and the parts, lengths first, so that no two lists of parts give the same bytes."""
    said = b"".join(b"%d:%s" % (len(part), part) for part in (_LABEL, *parts))
    return hmac.new(key, said, hashlib.sha256).hexdigest()
