"""The first tables. Written out: what a database was made with never changes afterwards."""

import sqlalchemy as sa
from alembic import op

from scopekey.store.dialect import CLUSTERED, ID, ROW_NUMBER

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _make_feed()
    _make_keys()
    _make_log()
    op.create_index("ix_organizations_created_id", "organizations", ["created", "id"])
    op.create_index("ix_keys_created_id", "keys", ["created", "id"])
    op.create_index("ix_keys_organization_created_id", "keys", ["organization", "created", "id"])
    op.create_index("ix_entries_at", "entries", ["at"])
    op.create_index("ix_entries_organization_at", "entries", ["organization", "at"])
    op.create_index("ix_entries_key_at", "entries", ["key", "at"])
    op.create_index("ix_entries_request_id", "entries", ["request_id"])
    reported = sa.text("outcome = 'reported'")
    op.create_index("ix_entries_reported", "entries", ["at"], sqlite_where=reported, postgresql_where=reported)
    op.create_index("ix_idempotency_created", "idempotency", ["created"])


def _make_feed() -> None:
    op.create_table(
        "meta",
        sa.Column("key", ID, nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_meta"),
        **CLUSTERED,
    )
    feed = op.create_table(
        "feed",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("mark", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_feed"),
    )
    op.bulk_insert(feed, [{"id": 1, "position": 0, "mark": b""}])
    op.create_table(
        "changes",
        sa.Column("position", ROW_NUMBER, autoincrement=False, nullable=False),
        sa.Column("mark", sa.LargeBinary(), nullable=False),
        sa.Column("kind", ID, nullable=False),
        sa.Column("subject", ID, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("position", name="pk_changes"),
    )
    op.create_table(
        "documents",
        sa.Column("kind", ID, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("applied_at", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("mark", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("kind", name="pk_documents"),
    )


def _make_keys() -> None:
    op.create_table(
        "organizations",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("operator", sa.Boolean(), nullable=False),
        sa.Column("suspended", sa.Boolean(), nullable=False),
        sa.Column("max_key_age", sa.BigInteger(), nullable=True),
        sa.Column("never_expires", sa.Boolean(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("mark", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_organizations"),
    )
    op.create_table(
        "keys",
        sa.Column("id", ID, nullable=False),
        sa.Column("organization", ID, nullable=False),
        sa.Column("environment", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("metadata", sa.String(), nullable=False),
        sa.Column("search", sa.String(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("created_by_kind", sa.String(), nullable=False),
        sa.Column("created_by_id", sa.String(), nullable=False),
        sa.Column("created_by_organization", sa.String(), nullable=True),
        sa.Column("expires", sa.BigInteger(), nullable=True),
        sa.Column("networks", sa.String(), nullable=False),
        sa.Column("extensions", sa.String(), nullable=False),
        sa.Column("probation_ends", sa.BigInteger(), nullable=True),
        sa.Column("revoked", sa.BigInteger(), nullable=True),
        sa.Column("revoke_reason", sa.String(), nullable=True),
        sa.Column("revoke_comment", sa.String(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("mark", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["organization"], ["organizations.id"], name="fk_keys_organization"),
        sa.PrimaryKeyConstraint("id", name="pk_keys"),
    )
    op.create_table(
        "secrets",
        sa.Column("key_id", ID, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("scheme", sa.Integer(), nullable=False),
        sa.Column("pepper", ID, nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["key_id"], ["keys.id"], name="fk_secrets_key_id"),
        sa.PrimaryKeyConstraint("key_id", "number", name="pk_secrets"),
        **CLUSTERED,
    )
    op.create_table(
        "key_permissions",
        sa.Column("key_id", ID, nullable=False),
        sa.Column("bit", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("granted_at", sa.BigInteger(), nullable=False),
        sa.Column("probation", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["keys.id"], name="fk_key_permissions_key_id"),
        sa.PrimaryKeyConstraint("key_id", "bit", name="pk_key_permissions"),
        **CLUSTERED,
    )


def _make_log() -> None:
    op.create_table(
        "entries",
        sa.Column("id", ROW_NUMBER, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", ID, nullable=False),
        sa.Column("organization", ID, nullable=True),
        sa.Column("key", ID, nullable=True),
        sa.Column("action", ID, nullable=True),
        sa.Column("request_id", ID, nullable=True),
        sa.Column("outcome", ID, nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("log_index", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_entries"),
        sa.UniqueConstraint("log_index", name="uq_entries_log_index"),
    )
    op.create_table(
        "idempotency",
        sa.Column("actor", ID, nullable=False),
        sa.Column("key", ID, nullable=False),
        sa.Column("body_digest", sa.String(), nullable=False),
        sa.Column("result", ID, nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("actor", "key", name="pk_idempotency"),
        **CLUSTERED,
    )
