"""The log: entries that were written so far wait to be numbered, under the same names as those that come."""

import sqlalchemy as sa
from alembic import op

from scopekey.store.dialect import CLUSTERED, ID, ROW_NUMBER

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "arrivals",
        sa.Column("id", ROW_NUMBER, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_arrivals"),
    )
    op.execute("INSERT INTO arrivals (body) SELECT body FROM entries ORDER BY id")
    op.drop_table("entries")
    _make_entries()
    _make_tree()
    _make_usage()


def _make_entries() -> None:
    op.create_table(
        "entries",
        sa.Column("log_index", ROW_NUMBER, autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", ID, nullable=False),
        sa.Column("organization", ID, nullable=True),
        sa.Column("key", ID, nullable=True),
        sa.Column("action", ID, nullable=True),
        sa.Column("operation", sa.String(), nullable=True),
        sa.Column("request_id", ID, nullable=True),
        sa.Column("outcome", ID, nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("log_index", name="pk_entries"),
    )
    op.create_index("ix_entries_organization_log_index", "entries", ["organization", "log_index"])
    op.create_index("ix_entries_key_log_index", "entries", ["key", "log_index"])
    op.create_index("ix_entries_request_id", "entries", ["request_id"])
    reported = sa.text("outcome = 'reported'")
    op.create_index("ix_entries_reported", "entries", ["at"], sqlite_where=reported, postgresql_where=reported)


def _make_tree() -> None:
    log = op.create_table(
        "log",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("archived", sa.BigInteger(), nullable=False),
        sa.Column("folded", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_log"),
    )
    op.bulk_insert(log, [{"id": 1, "size": 0, "archived": 0, "folded": 0}])
    op.create_table(
        "tiles",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "number", name="pk_tiles"),
        **CLUSTERED,
    )
    op.create_table(
        "checkpoints",
        sa.Column("size", ROW_NUMBER, autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("size", name="pk_checkpoints"),
    )
    op.create_index("ix_checkpoints_at", "checkpoints", ["at"])


def _make_usage() -> None:
    op.create_table(
        "usage",
        sa.Column("key", ID, nullable=False),
        sa.Column("permission", ID, nullable=False),
        sa.Column("secret", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("uses", sa.BigInteger(), nullable=False),
        sa.Column("first_used", sa.BigInteger(), nullable=True),
        sa.Column("last_used", sa.BigInteger(), nullable=True),
        sa.Column("refusals", sa.BigInteger(), nullable=False),
        sa.Column("last_refused", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("key", "permission", "secret", name="pk_usage"),
        **CLUSTERED,
    )
    op.create_table(
        "usage_days",
        sa.Column("key", ID, nullable=False),
        sa.Column("permission", ID, nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("uses", sa.BigInteger(), nullable=False),
        sa.Column("refusals", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", "permission", "day", name="pk_usage_days"),
        **CLUSTERED,
    )
