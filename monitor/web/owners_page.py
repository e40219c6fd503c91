"""The page that shows whose each host is that journeys touched lately, and why we think so."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from monitor.history.hosts import HostsSeen, hosts_seen
from monitor.web.monitor import Monitor
from monitor.web.today import Today

# So many runs are read in about a second; a page must not take longer.
MOST_RUNS = 300
SPANS: Mapping[str, dt.timedelta] = {
    "1h": dt.timedelta(hours=1),
    "24h": dt.timedelta(hours=24),
    "7d": dt.timedelta(days=7),
}
USUAL = "24h"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnersView:
    """The whole page."""

    span: str
    spans: tuple[str, ...]
    seen: HostsSeen
    unnamed: int


async def owners_view(parts: Monitor, today: Today, span: str) -> OwnersView:
    """Look through the runs of a span; one that is not offered counts as the usual one."""
    span = span if span in SPANS else USUAL
    since = parts.clock.now() - SPANS[span]
    seen = await hosts_seen(parts.history, since, await today.rejudging(), await today.names(), limit=MOST_RUNS)
    unnamed = sum(1 for row in seen.rows if not row.owner.named)
    return OwnersView(span=span, spans=tuple(SPANS), seen=seen, unnamed=unnamed)
