"""Seals a new trust document without a key: `revoke_key.py --config FILE [--above SERIAL] PUBLIC_KEY`.

Needs the root key in the station's folder of keys. Every node forgets what the key had sealed.
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from controller.bootstrap import open_store
from controller.keys import ROOT, TRUST_NAME, TRUST_VALIDITY, Keyring, held_trust
from controller.settings import load
from controller.store.facts import Document
from wire import codec, seal, topics
from wire.trust import Trust


def main() -> None:
    """Say what is wrong and end with 1, or seal and print the new serial."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--config", type=Path, required=True)
    arguments.add_argument("--above", type=int, default=0, help="a serial that nodes hold already")
    arguments.add_argument("public_key", help="64 hex digits, as `loa key show` prints them")
    wanted = arguments.parse_args()
    settings = load(wanted.config)
    store, root = open_store(settings), Keyring(settings.keys_dir).find(ROOT)
    held, now = held_trust(store), datetime.now(UTC)  # noqa: TID251 - where "now" enters
    if root is None or held is None:
        sys.exit(f"root.key is not in {settings.keys_dir}, or there is no trust document yet: loa key init")
    kept = tuple(grant for grant in held.grants if grant.public_key != wanted.public_key.lower())
    if len(kept) == len(held.grants):
        sys.exit("the trust document does not name this key")
    document = Trust(max(held.serial, wanted.above) + 1, now, now + TRUST_VALIDITY, kept)
    envelope = seal.seal(topics.TRUST.name, codec.write(document), root)
    store.documents.put(Document(TRUST_NAME, document.serial, envelope, now))
    sys.stdout.write(f"{document.serial}\n")
    store.close()


if __name__ == "__main__":
    main()
