"""Every verdict on a run, from the first one on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_PERSON = sa.text("source = 'person'")


def upgrade() -> None:
    """Create the table; a run whose verdict was never revised needs no row in it, so nothing is copied."""
    op.create_table(
        "verdicts",
        sa.Column("scheduled_at", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("check_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("ruleset", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("validity", sa.Text, nullable=False),
        sa.Column("cause", sa.Text),
        sa.Column("detail", sa.Text),
        sa.Column("confidence", sa.Text),
        sa.Column("rule", sa.Text),
        sa.Column("culprit_kind", sa.Text),
        sa.Column("culprit", sa.Text),
        sa.Column("culprit_host", sa.Text),
        sa.Column("because", sa.Text),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("current", sa.SmallInteger, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("verdicts_person", "verdicts", ["at"], sqlite_where=_PERSON, postgresql_where=_PERSON)
