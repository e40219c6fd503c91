"""Plays the scripted day into a Prometheus of its own, draws every dashboard of it, and says where the pictures are."""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from dataclasses import dataclass
from html import escape
from pathlib import Path

from playwright.async_api import Browser, async_playwright

from grafana.preview.boards import Board, boards
from grafana.preview.page import WIDTH, page_of
from monitor.domain.profile import Engine
from monitor.probes.browser.executables import Executables, find_executable
from tests.grafana.live.asking import resolver_of
from tests.grafana.live.day import Day, lived
from tests.servers import ROOT, Prometheus

_DAYS_BEFORE = 34
# What is chosen where only one can be: that to which most happens in the day.
_SHOWN = {"journey": ("checkout",), "team": ("payments",)}
# What the documentation shows: the upper part of some boards, down to the end of a row of panels.
_PICTURES = {
    "command-centre": 1068,
    "journeys": 1096,
    "journey": 1590,
    "root-causes": 1172,
    "objectives": 1056,
}
_SCALE = 0.8
_PAGE = "<!doctype html><meta charset=utf-8><title>Dashboards</title><style>body{{background:#111217;color:#CCCCDC;"
_PAGE += "font:15px sans-serif}} img{{width:100%;max-width:1600px}}</style><h1>Preview, not Grafana</h1>{}"


def _chromium(own: str) -> Path | None:
    """Return the browser to draw in: Playwright's own where it is there, else the system's."""
    found = find_executable(Engine.CHROMIUM, full=False, configured=Executables(), bundled={"chromium": own})
    return found.path


@dataclass(frozen=True, slots=True, kw_only=True)
class _Places:
    """Where previews go, and the pictures of the documentation where those are wanted."""

    previews: Path
    pictures: Path | None


async def _draw(board: Board, day: Day, prometheus: Prometheus, browser: Browser, places: _Places) -> list[str]:
    single = {str(each["name"]) for each in board.variables if each["type"] == "query" and not each.get("multi")}
    wanted = {name: value for name, value in _SHOWN.items() if name in single}
    resolver = await resolver_of(board, day, prometheus, wanted)
    html, height, wrong = await page_of(board, prometheus, resolver)
    await _photograph(browser, html, places.previews / f"{board.uid}.png", height)
    name = board.uid.removeprefix("faultline-")
    if places.pictures is not None and name in _PICTURES:
        await _photograph(browser, html, places.pictures / f"dashboard-{name}.png", _PICTURES[name], scale=_SCALE)
    print(f"{board.uid}: {len(board.panels)} panels, {height} px")
    return wrong


async def _photograph(browser: Browser, html: str, path: Path, height: int, *, scale: float = 1.0) -> None:
    page = await browser.new_page(viewport={"width": WIDTH, "height": height}, device_scale_factor=scale)
    await page.set_content(html)
    await page.screenshot(path=path)
    await page.close()


async def _all(day: Day, places: _Places, only: str) -> int:
    wrong = []
    wanted = [board for board in boards() if only in board.uid]
    async with Prometheus(day.url) as prometheus, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=_chromium(playwright.chromium.executable_path))
        for board in wanted:
            wrong.extend(await _draw(board, day, prometheus, browser, places))
        await browser.close()
    pictures = "".join(f"<h2>{escape(board.title)}</h2><img src='{board.uid}.png'>" for board in wanted)
    index = places.previews / "index.html"
    index.write_text(_PAGE.format(pictures))
    for each in wrong:
        print(f"not drawn: {each}")
    print(f"previews: {index}")
    return 1 if wrong else 0


def main() -> int:
    """Draw all dashboards, or those whose uid contains ``--only``; the exit status is 1 where a panel was not drawn."""
    parser = argparse.ArgumentParser(prog="python -m grafana.preview", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "data" / "previews")
    parser.add_argument("--only", default="")
    parser.add_argument("--pictures", type=Path, help="also draw the pictures of the documentation, into this folder")
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, lived(Path(folder), days_before=_DAYS_BEFORE) as day:
        places = _Places(previews=chosen.out, pictures=chosen.pictures)
        return asyncio.run(_all(day, places, chosen.only))


if __name__ == "__main__":
    raise SystemExit(main())
