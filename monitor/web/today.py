"""The rules and owners of today, for pages that judge what is stored."""

from __future__ import annotations

import asyncio

from monitor.config.settings import Settings
from monitor.diagnosis.names import Names, load_names
from monitor.history.rejudging import Rejudging
from monitor.web.monitor import Monitor


class Today:
    """Prepares them when they are first asked for, and anew when the configuration has changed."""

    def __init__(self, parts: Monitor) -> None:
        """Go by the configuration that is in force in one monitor."""
        self._parts = parts
        self._names: Names | None = None
        self._made: tuple[Settings, Rejudging] | None = None

    async def names(self) -> Names:
        """Return the shipped names."""
        if self._names is None:
            self._names = await asyncio.to_thread(load_names)
        return self._names

    async def rejudging(self) -> Rejudging:
        """Return what judges stored runs with the configuration that is in force now."""
        settings = self._parts.settings
        if self._made is None or self._made[0] is not settings:
            self._made = (settings, Rejudging(settings, await self.names()))
        return self._made[1]
