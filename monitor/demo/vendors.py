"""The smaller third parties: what each of their hosts serves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from monitor.demo.hosts import CONTROLS, Host

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from monitor.demo.pages import Pages

    Endpoint = Callable[[Request], Awaitable[Response]]

_PIXEL = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,"
    b"\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)


def vendor_routes(pages: Pages) -> dict[Host, list[Route]]:
    """Return what each small vendor answers."""
    controls = {host: [Route("/", _front_page), Route("/generate_204", _no_content)] for host in CONTROLS}
    return {
        Host.TAGS: [Route("/container.js", _script(pages, "tags.js"))],
        Host.STATS: [
            Route("/collect.js", _script(pages, "stats.js")),
            Route("/v2/events", _no_content, methods=["POST"]),
            Route("/pixel.gif", _pixel),
        ],
        Host.ADS: [Route("/ads.js", _script(pages, "ads.js")), Route("/offers.js", _script(pages, "offers.js"))],
        Host.FONTS: [Route("/css", _style(pages, "fonts.css"))],
        Host.CDN: [Route("/tiny-format/2.1.0/tiny-format.min.js", _script(pages, "tiny-format.js"))],
        Host.CHAT: [Route("/widget.js", _script(pages, "chat.js")), Route("/status", _chat_status)],
        **controls,
    }


def _script(pages: Pages, name: str) -> Endpoint:
    async def serve(_request: Request) -> Response:
        return pages.script(name)

    return serve


def _style(pages: Pages, name: str) -> Endpoint:
    async def serve(_request: Request) -> Response:
        return pages.style(name)

    return serve


async def _no_content(_request: Request) -> Response:
    return Response(status_code=204)


async def _pixel(_request: Request) -> Response:
    return Response(_PIXEL, media_type="image/gif")


async def _chat_status(_request: Request) -> Response:
    return JSONResponse({"agents": 2})


async def _front_page(_request: Request) -> Response:
    return HTMLResponse("<!doctype html><html lang=en><title>All is well</title><h1>All is well</h1></html>")
