"""Changes of the world that an experiment asks for."""

from __future__ import annotations

import re
from collections.abc import Iterable

from playwright.async_api import BrowserContext, Route


async def block_hosts(context: BrowserContext, hosts: Iterable[str]) -> None:
    """Let every request to these hosts fail, recognizably by our hand. This turns the HTTP cache off."""
    names = "|".join(re.escape(host) for host in sorted(set(hosts)))
    pattern = re.compile(rf"^(?:https?|wss?)://(?:[^/?#@]*@)?(?:{names})\.?(?::\d+)?(?:[/?#]|$)", re.IGNORECASE)
    await context.route(pattern, _block)


async def _block(route: Route) -> None:
    await route.abort("blockedbyclient")
