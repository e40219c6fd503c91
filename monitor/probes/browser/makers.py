"""Who made the element that stood in the way: the scripts on the stack when it came to be.

Chromium can note that stack for each node, at 10 to 40 microseconds a node, which would slow every run of a page that
builds itself by script. So nodes are traced only in runs that follow a failure; and where the first failure needs it,
its page is opened once more, beside the run, and traced there.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from playwright.async_api import BrowserContext

from monitor.probes.browser.devtools import Channel, DevtoolsWatch

_FRAMES: Final = 10
_PAUSE: Final = 0.15
# The first words of an element as Playwright writes them into its log, told again for each element of the same name.
_FIND: Final = """(wanted => {
  const name = /^<([a-z][a-z0-9-]*)/i.exec(wanted);
  if (!name) return null;
  const line = text => text.replace(/\\n/g, '\\u21b5').replace(/\\t/g, '\\u21c6');
  const opening = element => {
    const told = [];
    for (const {name, value} of element.attributes) {
      if (name !== 'style') told.push(!value && wanted.includes(` ${name}`) && !wanted.includes(` ${name}="`)
        ? ` ${name}` : ` ${name}="${value}"`);
    }
    told.sort((one, other) => one.length - other.length);
    const all = told.join('');
    return line(`<${name[1]}${all.length <= 500 ? all : all.slice(0, 499) + '\\u2026'}`);
  };
  const whole = wanted.replace(/\\u2026$/, '');
  const alike = [...document.querySelectorAll(name[1])].filter(element => {
    const told = opening(element);
    return told.startsWith(whole) || (whole.startsWith(told) && /^[>/]/.test(whole.slice(told.length)));
  });
  const isOnTop = element => {
    const box = element.getBoundingClientRect();
    const x = (Math.max(0, box.left) + Math.min(innerWidth, box.right)) / 2;
    const y = (Math.max(0, box.top) + Math.min(innerHeight, box.bottom)) / 2;
    const top = document.elementFromPoint(x, y);
    return top !== null && element.contains(top);
  };
  return alike.find(isOnTop) || alike[0] || null;
})(%s)"""


async def trace_nodes(channel: Channel) -> None:
    """Have Chromium note from now on who makes each node of a page."""
    await channel.send("DOM.enable")
    await channel.send("DOM.setNodeStackTracesEnabled", {"enable": True})


async def makers_of(channel: Channel, element: str) -> tuple[str, ...]:
    """Return the URLs of the scripts that made an element of a traced page, innermost first.

    The element is given as Playwright's log shows it. Where no script made it, the page's markup holds it, and the URL
    is that of the page; where there is no such element, there is no URL.
    """
    # Nodes have numbers only once the document was asked for.
    await channel.send("DOM.getDocument", {"depth": 0})
    found = await channel.send("Runtime.evaluate", {"expression": _FIND % json.dumps(element)})
    reference = found["result"].get("objectId")
    if reference is None:
        return ()
    node = await channel.send("DOM.requestNode", {"objectId": reference})
    told = await channel.send("DOM.getNodeStackTraces", {"nodeId": node["nodeId"]})
    if "creation" in told:
        return tuple(_urls(told["creation"]))
    page = await channel.send("Runtime.evaluate", {"expression": "document.URL"})
    return (str(page["result"]["value"]).partition("#")[0],)


async def makers_anew(context: BrowserContext, watch: DevtoolsWatch, url: str, element: str) -> tuple[str, ...]:
    """Open a page in a fresh context and return who makes such an element there, as soon as somebody does."""
    page = await context.new_page()
    channel = await watch.watch(await context.new_cdp_session(page))
    await trace_nodes(channel)
    await page.goto(url, wait_until="commit")
    while True:
        # The page is still on its way: what is not there may come yet.
        with contextlib.suppress(Exception):
            found = await makers_of(channel, element)
            if found:
                return found
        await asyncio.sleep(_PAUSE)


def _urls(stack: Mapping[str, Any] | None) -> Iterator[str]:
    last, seen = "", 0
    while stack is not None:
        for frame in stack.get("callFrames", ()):
            url = frame.get("url", "")
            if url and url != last and seen < _FRAMES:
                yield url
                last, seen = url, seen + 1
        stack = stack.get("parent")
