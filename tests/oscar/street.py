"""What stands around the Oscar shop: a front that adds two vendors to its pages, those vendors, and unrelated sites."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Edit = Callable[[str], str]
Handler = Callable[[Request], Awaitable[Response]]

SHOP, PAY, COUNT = "www.oscarstore.localhost", "js.tillpay.localhost", "tag.countwell.localhost"
OTHERS = ("www.dailypaper.localhost", "www.railways.localhost", "www.cityzoo.localhost")

TILL = """\
window.Till = {mount: () => fetch('http://%s/session').then(answer => answer.json()).then(session => {
  if (!session.token) throw new Error('Till got no token');
  window.tillToken = session.token;
})};
"""
COUNTER = "navigator.sendBeacon('/seen', 'page');\n"
# The shop lets nobody go on in its checkout before the payment vendor is ready.
_CHECKOUT = """\
<script src="http://{pay}/till.js"></script>
<script>document.addEventListener('DOMContentLoaded', () => {{
  const buttons = [...document.querySelectorAll('form button')];
  buttons.forEach(button => button.disabled = true);
  Till.mount().then(() => buttons.forEach(button => button.disabled = false));
}});</script>
"""
_HOPS = frozenset({"connection", "content-length", "content-encoding", "transfer-encoding", "keep-alive", "server"})
_PATIENCE = 120.0


class Street:
    """The servers around the shop, on loopback, and how a test changes what they answer."""

    def __init__(self, shop_url: str) -> None:
        self._shop_url = shop_url
        self._servers: list[uvicorn.Server] = []
        self._threads: list[threading.Thread] = []
        self.port = self._serve([Route("/{path:path}", self._front, methods=["GET", "HEAD", "POST"])])
        vendors = [
            Route("/till.js", self._till),
            Route("/session", self._session),
            Route("/c.js", self._counter),
            Route("/seen", _seen, methods=["POST"]),
            Route("/generate_204", _nothing),
        ]
        self.vendor_port = self._serve(vendors)
        self.mend()

    def mend(self) -> None:
        """Let everybody answer as on a good day."""
        self.edit: Edit = lambda page: page
        self.keep_cookies = True
        self.till = TILL % f"{PAY}:{self.vendor_port}"
        self.counter = COUNTER
        self.session: Callable[[], Response] = lambda: JSONResponse({"token": "tok-1"})

    def close(self) -> None:
        """Stop every server."""
        for server in self._servers:
            server.should_exit = True
        for thread in self._threads:
            thread.join(10)

    def url(self, host: str, path: str = "/") -> str:
        """Return the address of a page at a host of this street."""
        return f"http://{host}:{self.port if host == SHOP else self.vendor_port}{path}"

    def _serve(self, routes: list[Route]) -> int:
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen(100)
        config = uvicorn.Config(Starlette(routes=routes), log_level="error", lifespan="off", ws="none")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])), daemon=True)
        thread.start()
        self._servers.append(server)
        self._threads.append(thread)
        return int(listener.getsockname()[1])

    async def _front(self, request: Request) -> Response:
        sent = {name: value for name, value in request.headers.items() if name not in _HOPS | {"accept-encoding"}}
        async with httpx.AsyncClient(timeout=_PATIENCE, trust_env=False) as client:
            answer = await client.request(
                request.method,
                f"{self._shop_url}{request.url.path}",
                params=dict(request.query_params),
                headers=sent,
                content=await request.body(),
            )
        headers = httpx.Headers([(name, value) for name, value in answer.headers.multi_items() if name not in _HOPS])
        body = answer.content
        if answer.headers.get("content-type", "").startswith("text/html"):
            body = self.edit(self._with_vendors(answer.text, request.url.path)).encode()
        response = Response(body, answer.status_code)
        response.raw_headers += [
            (name.encode(), value.encode())
            for name, value in headers.multi_items()
            if self.keep_cookies or name != "set-cookie"
        ]
        return response

    def _with_vendors(self, page: str, path: str) -> str:
        extra = f'<script async src="http://{COUNT}:{self.vendor_port}/c.js"></script>'
        if path.startswith("/checkout/"):
            extra += _CHECKOUT.format(pay=f"{PAY}:{self.vendor_port}")
        return page.replace("</head>", f"{extra}</head>", 1)

    async def _till(self, _request: Request) -> Response:
        return Response(self.till, media_type="text/javascript")

    async def _counter(self, _request: Request) -> Response:
        return Response(self.counter, media_type="text/javascript")

    async def _session(self, _request: Request) -> Response:
        answer = self.session()
        answer.headers["access-control-allow-origin"] = "*"
        return answer


async def _seen(_request: Request) -> Response:
    return Response(status_code=204)


async def _nothing(_request: Request) -> Response:
    return Response(status_code=204)
