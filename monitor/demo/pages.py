"""Turns templates, scripts and styles into answers."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.responses import HTMLResponse, Response

if TYPE_CHECKING:
    from starlette.requests import Request

    from monitor.demo.hosts import Addresses

_SCRIPT = "text/javascript; charset=utf-8"
_STYLE = "text/css; charset=utf-8"


class Pages:
    """Renders what the shop's hosts serve; every template knows the ``urls`` of all hosts."""

    def __init__(self, addresses: Addresses) -> None:
        self._environment = Environment(
            loader=PackageLoader("monitor.demo"),
            autoescape=select_autoescape(),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters["money"] = money
        self._environment.globals.update(urls=addresses.urls(), asset=self.asset_path)

    def page(self, request: Request, name: str, *, status: int = 200, **values: object) -> HTMLResponse:
        """Return a page."""
        text = self._environment.get_template(name).render(path=request.url.path, **values)
        return HTMLResponse(text, status_code=status)

    def script(self, name: str) -> Response:
        """Return a script, in which ``{{ urls… }}`` stands for addresses."""
        return Response(self._environment.from_string(_read("scripts", name)).render(), media_type=_SCRIPT)

    def style(self, name: str) -> Response:
        """Return a stylesheet."""
        return Response(_read("styles", name), media_type=_STYLE)

    def asset_path(self, name: str) -> str:
        """Return the path of an own script or style; it holds a hash of the content, as a build would do it."""
        stem, _, ending = name.rpartition(".")
        return f"/assets/{stem}.{_digest(name)}.{ending}"

    def asset(self, path: str) -> Response | None:
        """Return the own script or style at this path, or ``None``."""
        stem, _, rest = path.rpartition("/")[2].partition(".")
        name = f"{stem}.{rest.rpartition('.')[2]}"
        if name not in _ASSETS or self.asset_path(name) != path:
            return None
        return self.style(name) if name.endswith(".css") else self.script(name)


_ASSETS = ("shop.css", "shop.js", "checkout.js", "order.js")


def money(cents: int) -> str:
    """Write an amount in euro."""
    return f"€{cents / 100:,.2f}"


def _read(folder: str, name: str) -> str:
    return files("monitor.demo").joinpath(folder, name).read_text(encoding="utf-8")


def _digest(name: str) -> str:
    folder = "styles" if name.endswith(".css") else "scripts"
    return hashlib.sha256(_read(folder, name).encode()).hexdigest()[:8]
