"""Run by Alembic: migrates over the connection that `Store.migrate` hands in."""

from __future__ import annotations

from alembic import context

from controller.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,  # SQLite too: its DDL is undone with the transaction
)
context.run_migrations()
