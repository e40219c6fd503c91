"""Opens the parts that can refuse to open, in an order in which nothing is left half open."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from monitor.config.settings import Settings
from monitor.diagnosis.names import load_names
from monitor.domain.clock import Clock
from monitor.history import History, HistoryError
from monitor.service.running import Service
from monitor.service.startup import StartupChoices, StartupError, journeys_for, problem_lines, read_settings, refusals
from monitor.service.tracing import require_tracing

_log = logging.getLogger(__name__)


async def open_service(
    settings: Settings, choices: StartupChoices, *, environ: Mapping[str, str], clock: Clock
) -> Service:
    """Return a monitor that is ready to start. Raises StartupError where journeys or store are unusable.

    A journey with a mistake in it costs its own checks; the others run.
    """
    require_tracing(settings)
    catalogue = await journeys_for(settings, strict=False)
    for line in (*problem_lines(settings, catalogue), *refusals(settings)):
        _log.warning("not everything that is configured runs", extra={"reason": line})
    try:
        history = await History.open(settings.storage, clock=clock)
    except HistoryError as error:
        raise StartupError(str(error)) from error
    return Service(
        settings,
        catalogue,
        history,
        names=load_names(),
        clock=clock,
        read_settings=lambda: read_settings(settings.path, environ, choices),
    )
