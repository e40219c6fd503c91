"""Slots with the figures of their runs, diagnoses and evidence."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_OPEN = sa.text("state IN ('planned', 'started')")
_RUN = sa.text("run_id IS NOT NULL")
_GOOD = sa.text("good = 1")


def upgrade() -> None:
    """Create the first tables."""
    _create_names()
    _create_slots()
    _create_diagnoses()
    _create_evidence()


def _create_names() -> None:
    op.create_table(
        "checks",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
    )
    op.create_table(
        "bindings",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("check_id", sa.Integer, nullable=False),
        sa.Column("journey", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("profile", sa.Text, nullable=False),
        sa.Column("location", sa.Text, nullable=False),
        sa.UniqueConstraint("check_id", "journey", "target", "profile", "location", name="bindings_unique"),
    )


def _create_slots() -> None:
    op.create_table(
        "slots",
        sa.Column("scheduled_at", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("check_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("run_id", sa.Text),
        sa.Column("started_at", sa.BigInteger),
        sa.Column("binding_id", sa.Integer),
        sa.Column("duration", sa.Double),
        sa.Column("outcome", sa.Text),
        sa.Column("validity", sa.Text),
        sa.Column("attempts", sa.SmallInteger),
        sa.Column("recovered", sa.SmallInteger),
        sa.Column("resolve", sa.Double),
        sa.Column("connect", sa.Double),
        sa.Column("tls", sa.Double),
        sa.Column("wait", sa.Double),
        sa.Column("receive", sa.Double),
        sa.Column("body", sa.LargeBinary),
        sqlite_with_rowid=False,
    )
    op.create_index("slots_check", "slots", ["check_id", "scheduled_at"])
    op.create_index("slots_run", "slots", ["run_id"], sqlite_where=_RUN, postgresql_where=_RUN)
    op.create_index("slots_open", "slots", ["scheduled_at"], sqlite_where=_OPEN, postgresql_where=_OPEN)


def _create_diagnoses() -> None:
    op.create_table(
        "diagnoses",
        sa.Column("scheduled_at", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("check_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("confidence", sa.Text, nullable=False),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("culprit_kind", sa.Text),
        sa.Column("culprit", sa.Text),
        sa.Column("culprit_host", sa.Text),
        sa.Column("failed_step", sa.Text),
        sa.Column("because", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "diagnoses_breakdown",
        "diagnoses",
        ["outcome", "cause", "detail", "culprit", "scheduled_at", "check_id"],
    )


def _create_evidence() -> None:
    op.create_table(
        "evidence",
        sa.Column("scheduled_at", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("check_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("good", sa.SmallInteger, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_index("evidence_good", "evidence", ["scheduled_at"], sqlite_where=_GOOD, postgresql_where=_GOOD)
