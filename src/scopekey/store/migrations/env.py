"""Runs the migrations on a connection that ``scopekey.store.migrate`` has already begun a transaction on."""

from alembic import context

from scopekey.store.log_tables import log

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=log.metadata,
    # All or nothing: SQLite can do it too, where the transaction is begun before the first statement.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
