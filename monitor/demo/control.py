"""The page that breaks and mends the shop, and the same for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from starlette.applications import Starlette
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from monitor.demo.faults import FAULTS, Fault, Side, fault_named
from monitor.demo.hosts import PUBLIC, Addresses, Host

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

    from monitor.demo.pages import Pages

SIDES = {
    Side.OWN: ("Own infrastructure", "The shop's own servers, deployments and settings."),
    Side.THIRD_PARTY: ("Third parties", "Vendors whose scripts and services the shop uses."),
    Side.CUSTOMER: ("The customer's side", "The line, the network and the device in front of the shop."),
    Side.CHANGE: ("Nobody's fault", "The shop works; only the monitor's view of it is out of date."),
}


class Breakable(Protocol):
    """What the page needs of the shop."""

    @property
    def broken(self) -> tuple[Fault, ...]:
        """Return the faults that are made just now."""
        ...

    async def break_(self, name: str) -> None:
        """Make a fault."""
        ...

    async def mend(self, name: str | None = None) -> None:
        """Undo a fault, or all."""
        ...


def control_application(shop: Breakable, pages: Pages, addresses: Addresses, *, monitor_url: str) -> ASGIApp:
    """Return the application of the control page; ``monitor_url`` is where the monitor's pages are."""
    control = _Control(shop, pages, addresses, monitor_url)
    site = Starlette(
        routes=[
            Route("/", control.page),
            Route("/control.css", control.style),
            Route("/control.js", control.script),
            Route("/faults", control.list),
            Route("/faults/{name}/break", control.break_, methods=["POST"]),
            Route("/faults/{name}/mend", control.mend, methods=["POST"]),
            Route("/mend", control.mend_all, methods=["POST"]),
        ],
    )
    return _OwnVisitorsOnly(site, addresses)


class _Control:
    def __init__(self, shop: Breakable, pages: Pages, addresses: Addresses, monitor_url: str) -> None:
        self._shop = shop
        self._pages = pages
        self._addresses = addresses
        self._monitor_url = monitor_url

    async def page(self, request: Request) -> Response:
        broken = {fault.name for fault in self._shop.broken}
        groups = [(side, *words, [fault for fault in FAULTS if fault.side is side]) for side, words in SIDES.items()]
        answer = self._pages.page(
            request,
            "control.html",
            groups=groups,
            broken=broken,
            now=self._shop.broken,
            monitor_url=self._monitor_url,
            hosts=[(host, self._addresses.url(host)) for host in PUBLIC],
            healthy=len(broken) == 0,
        )
        answer.headers["Cache-Control"] = "no-store"
        answer.headers["Content-Security-Policy"] = (
            "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; "
            "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        )
        return answer

    async def style(self, _request: Request) -> Response:
        return self._pages.style("control.css")

    async def script(self, _request: Request) -> Response:
        return self._pages.script("control.js")

    async def list(self, _request: Request) -> Response:
        broken = {fault.name for fault in self._shop.broken}
        return JSONResponse({"faults": [_document(fault, broken=fault.name in broken) for fault in FAULTS]})

    async def break_(self, request: Request) -> Response:
        return await self._change(request, self._shop.break_)

    async def mend(self, request: Request) -> Response:
        return await self._change(request, self._shop.mend)

    async def mend_all(self, request: Request) -> Response:
        await self._shop.mend()
        return self._changed(request, None)

    async def _change(self, request: Request, change: Callable[[str], Awaitable[None]]) -> Response:
        name = request.path_params["name"]
        try:
            fault = fault_named(name)
        except KeyError as error:
            return JSONResponse({"error": error.args[0]}, status_code=404)
        await change(fault.name)
        return self._changed(request, fault)

    def _changed(self, request: Request, fault: Fault | None) -> Response:
        if "text/html" in request.headers.get("accept", ""):
            place = f"#{fault.name}" if fault else ""
            return RedirectResponse(f"/{place}", status_code=303)
        return JSONResponse({"broken": [each.name for each in self._shop.broken]})


class _OwnVisitorsOnly:
    """Turns away what another site's page sends, and names that were bent to point here."""

    def __init__(self, app: ASGIApp, addresses: Addresses) -> None:
        self._app = app
        port = addresses.ports[Host.CONTROL]
        self._hosts = (f"127.0.0.1:{port}", f"localhost:{port}")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        answer = None
        if headers.get("host") not in self._hosts:
            answer = JSONResponse({"error": f"ask for http://{self._hosts[0]}/"}, status_code=421)
        elif scope["method"] == "POST" and not self._is_own(headers):
            answer = JSONResponse({"error": "another site's page may not break the shop"}, status_code=403)
        await (answer or self._app)(scope, receive, send)

    def _is_own(self, headers: dict[str, str]) -> bool:
        origin = headers.get("origin")
        if origin is not None:
            return origin.removeprefix("http://") == headers["host"]
        return headers.get("sec-fetch-site", "none") in ("none", "same-origin")


def _document(fault: Fault, *, broken: bool) -> dict[str, object]:
    return {
        "name": fault.name,
        "side": fault.side.value,
        "title": fault.title,
        "explanation": fault.explanation,
        "notice": fault.notice,
        "detail": fault.detail.value if fault.detail else None,
        "journeys": list(fault.journeys),
        "broken": broken,
    }
