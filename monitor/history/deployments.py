"""Deployments in the store: added once, read newest first, removed with the runs of their time."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa

from monitor.domain.deployment import Deployment
from monitor.history.moments import micros, moment_of
from monitor.history.schema import DEPLOYMENTS

MOST = 20_000
"""So many are kept at most; beyond that the oldest go."""


def add(connection: sa.Connection, deployment: Deployment) -> bool:
    """Add one; say whether it is new. There is one writer, so that nothing comes between the look and the insert."""
    key = {"at": micros(deployment.at), "service": deployment.service, "version": deployment.version}
    same = sa.select(DEPLOYMENTS.c.at).where(*(DEPLOYMENTS.c[name] == value for name, value in key.items()))
    if connection.execute(same).first() is not None:
        return False
    connection.execute(sa.insert(DEPLOYMENTS), {**key, "target": deployment.target, "url": deployment.url})
    return True


def remove(connection: sa.Connection, before: dt.datetime) -> int:
    """Remove those before a moment, and the oldest beyond the most that are kept; return how many went."""
    limit = micros(before)
    newest = sa.select(DEPLOYMENTS.c.at).order_by(DEPLOYMENTS.c.at.desc()).offset(MOST).limit(1)
    crowded = connection.execute(newest).scalar()
    if crowded is not None:
        limit = max(limit, crowded + 1)
    return connection.execute(sa.delete(DEPLOYMENTS).where(DEPLOYMENTS.c.at < limit)).rowcount


def between(since: dt.datetime, until: dt.datetime, limit: int) -> sa.Select[Any]:
    """Return the newest of a span."""
    span = (DEPLOYMENTS.c.at >= micros(since), DEPLOYMENTS.c.at <= micros(until))
    return sa.select(DEPLOYMENTS).where(*span).order_by(*_NEWEST).limit(limit)


def latest(limit: int) -> sa.Select[Any]:
    """Return the latest of each service."""
    newest = sa.select(DEPLOYMENTS.c.service, sa.func.max(DEPLOYMENTS.c.at).label("at")).group_by(DEPLOYMENTS.c.service)
    each = newest.subquery()
    # Two versions of one moment cannot both be the latest: the one whose name sorts last is taken.
    version = (
        sa.select(sa.func.max(DEPLOYMENTS.c.version).label("version"), each.c.service, each.c.at)
        .select_from(
            each.join(DEPLOYMENTS, sa.and_(DEPLOYMENTS.c.service == each.c.service, DEPLOYMENTS.c.at == each.c.at))
        )
        .group_by(each.c.service, each.c.at)
        .subquery()
    )
    one = (DEPLOYMENTS.c[name] == version.c[name] for name in ("at", "service", "version"))
    return sa.select(DEPLOYMENTS).select_from(DEPLOYMENTS.join(version, sa.and_(*one))).order_by(*_NEWEST).limit(limit)


_NEWEST = (DEPLOYMENTS.c.at.desc(), DEPLOYMENTS.c.service, DEPLOYMENTS.c.version)


def deployment_of(row: Any) -> Deployment:
    """Return the deployment of a row."""
    return Deployment(service=row.service, version=row.version, at=moment_of(row.at), target=row.target, url=row.url)
