"""THE VAULT: everything a station is, in one locked file, and back again on an empty machine. The one door to age.

- `keep` packs what the settings name and locks it; `give_back` checks everything before it puts anything in place.
- The file is a tar that age and tar open too, without this program: see its README.txt.
"""

from __future__ import annotations

from controller.vault.keeping import Kept, keep
from controller.vault.lockbox import Lockbox
from controller.vault.locking import VaultError
from controller.vault.noted import Backup, newest, note
from controller.vault.restoring import give_back

__all__ = ["Backup", "Kept", "Lockbox", "VaultError", "give_back", "keep", "newest", "note"]
