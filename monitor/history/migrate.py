"""Brings a database to the schema of this program, or says why that cannot be."""

from __future__ import annotations

import logging
from pathlib import Path

import sqlalchemy as sa

from monitor.history.schema import REVISION
from monitor.history.values import HistoryError

_LOG = logging.getLogger(__name__)


def bring_up_to_date(connection: sa.Connection) -> None:
    """Run the migrations that are missing, all or none. Raises HistoryError where a newer program was here."""
    found = revision_of(connection)
    connection.rollback()
    if found == REVISION:
        return
    # Only a change of the schema needs Alembic, and it takes a third of the program's start to load.
    from alembic import command  # noqa: PLC0415 - see above
    from alembic.config import Config  # noqa: PLC0415 - see above
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - see above

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        msg = (
            f"the database has schema {found}, and this program knows schemas up to {REVISION}: "
            "a newer program has used it; run that one, or restore a backup from before the upgrade"
        )
        raise HistoryError(msg)
    _LOG.info("migrating the history", extra={"from_schema": found or "none", "to_schema": REVISION})
    with connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, REVISION)


def revision_of(connection: sa.Connection) -> str | None:
    """Return the schema that a database has, or ``None`` where it is new."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
