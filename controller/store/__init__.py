"""THE STORE: what is wished, what was issued and what was heard of it. The one door to SQLAlchemy and Alembic.

- One schema on SQLite (the default) and PostgreSQL (by URL); the same tests hold on both.
- Each method is one short transaction and gives frozen rows (`rows`); what fails raises `StoreError`.
- Wishes are changed by the desk, issues and facts by the station; the web reads.
- It decides nothing about time or precedence, sends nothing, and does not know the clock.
"""

from __future__ import annotations

from controller.store.errors import StoreError
from controller.store.store import Store

__all__ = ["Store", "StoreError"]
