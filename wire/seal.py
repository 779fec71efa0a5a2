"""The seal: a DSSE envelope with Ed25519 signatures over the exact payload bytes. The one door to `cryptography`.

- DSSE v1 (https://github.com/secure-systems-lab/dsse): the signature covers the payload type and the bytes,
  so a receipt can never be read as a plan.
- Checking comes before parsing: nothing inside an unsealed payload is looked at.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from typing import Annotated, Protocol

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Meta

from wire import codec, packing
from wire.names import KeyId

MOST_SIGNATURES = 16
PAYLOAD_TYPE = "application/vnd.loa.{kind}+json"


class Signature(msgspec.Struct, frozen=True):
    """One signature of an envelope."""

    keyid: Annotated[str, Meta(max_length=64)]
    sig: Annotated[str, Meta(max_length=100)]


class Envelope(msgspec.Struct, frozen=True):
    """A DSSE envelope."""

    payloadType: Annotated[str, Meta(max_length=100)]  # noqa: N815 - the name DSSE gives it
    payload: str
    signatures: Annotated[tuple[Signature, ...], Meta(min_length=1, max_length=MOST_SIGNATURES)]

    def body(self) -> bytes:
        """The document's bytes, unpacked. Raises codec.Malformed when it is not base64 or not packed, codec.TooBig."""
        sealed = _unbase64(self.payload)
        return packing.unpack(sealed) if self.payloadType.endswith(packing.SUFFIX) else sealed


class PublicKey:
    """A public Ed25519 key that may check seals."""

    def __init__(self, raw: bytes) -> None:
        """``raw``: 32 bytes. Raises ValueError for anything else."""
        self._key = Ed25519PublicKey.from_public_bytes(raw)
        self.raw = raw
        self.id = KeyId(hashlib.sha256(raw).hexdigest()[:16])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PublicKey) and other.raw == self.raw

    def __hash__(self) -> int:
        return hash(self.raw)

    @classmethod
    def from_hex(cls, text: str) -> PublicKey:
        """A key from 64 hex digits. Raises ValueError."""
        return cls(bytes.fromhex(text))

    @property
    def hex(self) -> str:
        """The raw key as 64 hex digits."""
        return self.raw.hex()

    def signed(self, message: bytes, signature: bytes) -> bool:
        """Whether ``signature`` is this key's over ``message``."""
        try:
            self._key.verify(signature, message)
        except InvalidSignature:
            return False
        return True


class Sealer(Protocol):
    """Whatever seals: a private key in memory, or one in a token that never leaves it."""

    @property
    def public(self) -> PublicKey:
        """The half that checks."""

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature over ``message``."""


class Signer:
    """A private Ed25519 key that may seal."""

    def __init__(self, secret: bytes) -> None:
        """``secret``: the 32-byte seed. Raises ValueError for anything else."""
        self._key = Ed25519PrivateKey.from_private_bytes(secret)
        self.secret = secret
        self.public = PublicKey(self._key.public_key().public_bytes_raw())

    @classmethod
    def generate(cls) -> Signer:
        """A new key from the system's randomness."""
        return cls(Ed25519PrivateKey.generate().private_bytes_raw())

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature over ``message``."""
        return self._key.sign(message)


def seal(kind: str, payload: bytes, *signers: Sealer, packed: bool = False) -> bytes:
    """``payload`` (a document of ``kind``) in an envelope signed by every signer, as JSON bytes.

    ``packed``: made small first. The seal covers what travels, so nothing is unpacked that nobody sealed.
    """
    payload_type = PAYLOAD_TYPE.format(kind=kind) + (packing.SUFFIX if packed else "")
    payload = packing.pack(payload) if packed else payload
    covered = _pre_authentication(payload_type, payload)
    signatures = tuple(_signature(covered, signer) for signer in signers)
    return codec.write(Envelope(payload_type, base64.b64encode(payload).decode(), signatures))


def add(envelope: Envelope, *signers: Sealer) -> Envelope:
    """The same document under the seals of ``signers`` too; one who sealed it already does so no second time.

    Raises codec.Malformed.
    """
    covered = _pre_authentication(envelope.payloadType, _unbase64(envelope.payload))
    ours = {str(signer.public.id) for signer in signers}
    kept = tuple(each for each in envelope.signatures if each.keyid not in ours)
    added = tuple(_signature(covered, signer) for signer in signers)
    return Envelope(envelope.payloadType, envelope.payload, kept + added)


def signature(kind: str, payload: bytes, signer: Sealer) -> Signature:
    """The seal of ``signer`` over a document of ``kind`` that travels elsewhere."""
    return _signature(_pre_authentication(PAYLOAD_TYPE.format(kind=kind), payload), signer)


def is_signature(kind: str, payload: bytes, sign: Signature, key: PublicKey) -> bool:
    """Whether ``sign`` is that of ``key`` over a document of ``kind``. Raises codec.Malformed when it is not base64."""
    return key.signed(_pre_authentication(PAYLOAD_TYPE.format(kind=kind), payload), _unbase64(sign.sig))


def _signature(covered: bytes, signer: Sealer) -> Signature:
    return Signature(signer.public.id, base64.b64encode(signer.sign(covered)).decode())


def envelope(kind: str, payload: bytes, seals: tuple[Signature, ...]) -> Envelope:
    """``payload`` under seals that were made elsewhere."""
    return Envelope(PAYLOAD_TYPE.format(kind=kind), base64.b64encode(payload).decode(), seals)


def unwrap(raw: bytes, most_bytes: int) -> Envelope:
    """The envelope in ``raw``, nothing checked but its form. Raises codec.TooBig, codec.Malformed."""
    return codec.read(Envelope, raw, most_bytes)


def is_kind(envelope: Envelope, kind: str) -> bool:
    """Whether the envelope says that it holds a document of ``kind``."""
    return envelope.payloadType.removesuffix(packing.SUFFIX) == PAYLOAD_TYPE.format(kind=kind)


def sealed_by(envelope: Envelope, keys: Mapping[str, PublicKey]) -> list[KeyId]:
    """The ids of those ``keys`` whose signatures on the envelope are true, each once, in their order there.

    Raises codec.Malformed when payload or signature is not base64.
    """
    covered = _pre_authentication(envelope.payloadType, _unbase64(envelope.payload))
    true: list[KeyId] = []
    for signature in envelope.signatures:
        key = keys.get(signature.keyid)
        if key is not None and key.id not in true and key.signed(covered, _unbase64(signature.sig)):
            true.append(key.id)
    return true


def _pre_authentication(payload_type: str, payload: bytes) -> bytes:
    """DSSE's PAE: lengths first, so that no two (type, payload) pairs give the same bytes."""
    return b"DSSEv1 %d %s %d %s" % (len(payload_type.encode()), payload_type.encode(), len(payload), payload)


def _unbase64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as wrong:
        raise codec.Malformed(f"not base64: {wrong}") from None
