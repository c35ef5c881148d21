"""How far each journal of a verifier is taken over."""

import sqlalchemy as sa
from alembic import op

from scopekey.store.dialect import CLUSTERED, ID

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "journals",
        sa.Column("node", ID, nullable=False),
        sa.Column("file", ID, nullable=False),
        sa.Column("next_offset", sa.BigInteger(), nullable=False),
        sa.Column("seen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("node", "file", name="pk_journals"),
        **CLUSTERED,
    )
    op.create_index("ix_journals_seen", "journals", ["seen"])
