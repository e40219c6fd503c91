"""How a check fared in its last runs: a failure that comes and goes by itself is mended by anything that is tried."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from monitor.domain.outcome import Outcome, Validity
from monitor.domain.reference import Lately
from monitor.domain.run import Run
from monitor.history.reader import Reader
from monitor.history.values import Ending, RunFilter

_RUNS = 50
_SPAN = dt.timedelta(days=1)
_WELL = frozenset({Outcome.PASSED, Outcome.DEGRADED})


async def fared_before(reader: Reader, run: Run) -> Lately:
    """Return how the check of a run fared before it. Raises HistoryError where that cannot be read."""
    wanted = RunFilter(
        check=run.check.name,
        locations=(run.location,),
        since=run.scheduled_at - _SPAN,
        before=run.scheduled_at,
        limit=_RUNS,
    )
    return lately(reversed(await reader.endings(wanted)))


def lately(runs: Iterable[Ending]) -> Lately:
    """Count runs, the oldest first; those that say nothing about customers are left out."""
    count = failed = returns = 0
    ill = False
    for run in runs:
        well = run.outcome in _WELL
        if run.validity is not Validity.VALID or not (well or run.outcome is Outcome.FAILED):
            continue
        count += 1
        failed += not well
        returns += well and (ill or run.recovered)
        ill = not well
    return Lately(runs=count, failed=failed, returns=returns)
