"""The tables: slots with the figures of their runs, diagnoses, verdicts, evidence, names, what is still to be told.

A moment is kept as whole microseconds since 1970 in UTC, so that both databases compare moments alike and exactly.
The newest files below ``migrations/versions`` must lead to these very tables; a test compares them.
"""

from __future__ import annotations

import sqlalchemy as sa

REVISION = "0004"
"""The schema that this program reads and writes: the newest migration."""

METADATA = sa.MetaData()

CHECKS = sa.Table(
    "checks",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
)

BINDINGS = sa.Table(
    "bindings",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("check_id", sa.Integer, nullable=False),
    sa.Column("journey", sa.Text, nullable=False),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("profile", sa.Text, nullable=False),
    sa.Column("location", sa.Text, nullable=False),
    sa.UniqueConstraint("check_id", "journey", "target", "profile", "location", name="bindings_unique"),
)
"""What a check meant when a run was made; a later change of the configuration adds a row and changes none."""

OPEN = "state IN ('planned', 'started')"

SLOTS = sa.Table(
    "slots",
    METADATA,
    # Ordered by time first: new rows go to the end, and retention removes a contiguous beginning.
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
    sa.Index("slots_check", "check_id", "scheduled_at"),
    sa.Index(
        "slots_run",
        "run_id",
        sqlite_where=sa.text("run_id IS NOT NULL"),
        postgresql_where=sa.text("run_id IS NOT NULL"),
    ),
    sa.Index("slots_open", "scheduled_at", sqlite_where=sa.text(OPEN), postgresql_where=sa.text(OPEN)),
    sqlite_with_rowid=False,
)
"""One row for each planned moment; the run that filled it is part of it, so that there cannot be two."""

DIAGNOSES = sa.Table(
    "diagnoses",
    METADATA,
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
    # Answers a breakdown from the index alone, in the order of its groups, so that nothing has to be sorted.
    sa.Index("diagnoses_breakdown", "outcome", "cause", "detail", "culprit", "scheduled_at", "check_id"),
    sqlite_with_rowid=False,
)
"""Why runs ended as they did, by the verdict that is in force; runs without a diagnosis have no row."""

VERDICTS = sa.Table(
    "verdicts",
    METADATA,
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
    sa.Index(
        "verdicts_person",
        "at",
        sqlite_where=sa.text("source = 'person'"),
        postgresql_where=sa.text("source = 'person'"),
    ),
    sqlite_with_rowid=False,
)
"""Every verdict on a run that was ever revised, the first one included; one of each run is in force."""

EVIDENCE = sa.Table(
    "evidence",
    METADATA,
    sa.Column("scheduled_at", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("check_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("good", sa.SmallInteger, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Index("evidence_good", "scheduled_at", sqlite_where=sa.text("good = 1"), postgresql_where=sa.text("good = 1")),
)
"""Everything that was seen, for the runs of which everything is kept."""

DEPLOYMENTS = sa.Table(
    "deployments",
    METADATA,
    sa.Column("at", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("service", sa.Text, primary_key=True),
    sa.Column("version", sa.Text, primary_key=True),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sqlite_with_rowid=False,
)
"""Deployments that we were told of; one that is told twice is one."""

NOTIFICATIONS = sa.Table(
    "notifications",
    METADATA,
    sa.Column("receiver", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sqlite_with_rowid=False,
)
"""Notifications that their receivers may not have got yet."""
