"""A small order back end on loopback, with a mistake in it wherever a test wants one."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route


@dataclass
class Shop:
    """What it was asked, and how it behaves."""

    url: str = ""
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    polls_until_paid: int = 0
    login_page: str = '<form><input name="csrf" value="tok-7"></form>'
    calls_back: bool = True
    seconds_before_the_login_page: float = 0
    background: set = field(default_factory=set)

    async def log_in_page(self, request: Request) -> Response:
        await asyncio.sleep(self.seconds_before_the_login_page)
        return HTMLResponse(self.login_page, headers={"x-step": "login"})

    async def log_in(self, request: Request) -> Response:
        body = (await request.body()).decode()
        self.asked.append(("POST", "/login", body))
        answer = JSONResponse({"token": "t-1", "user": {"id": 7, "name": "Ada"}})
        answer.set_cookie("sid", "s-9")
        return answer

    async def place_order(self, request: Request) -> Response:
        order = await request.json()
        self.asked.append(("POST", "/orders", repr((order, request.headers.get("authorization")))))
        if self.calls_back and order.get("callback"):
            task = asyncio.create_task(self._call_back(order["callback"]))
            self.background.add(task)
        return JSONResponse(
            {"order": {"id": 42, "user": order.get("user"), "customer": order.get("customer")}}, status_code=201
        )

    async def order(self, request: Request) -> Response:
        self.polls_until_paid -= 1
        state = "paid" if self.polls_until_paid < 0 else "open"
        return JSONResponse({"id": int(request.path_params["id"]), "state": state, "query": dict(request.query_params)})

    async def front(self, request: Request) -> Response:
        return HTMLResponse('<h1>Welcome</h1><a href="/sign-in">Sign in</a>')

    async def sign_in_page(self, request: Request) -> Response:
        return HTMLResponse(
            '<form action="/account"><input type="hidden" name="csrf" value="tok-7">'
            '<label>Email <input name="email"></label><label>Password <input type="password" name="pw"></label>'
            "<button>Sign in</button></form>"
        )

    async def account(self, request: Request) -> Response:
        return HTMLResponse('<h1>Your account</h1><p data-testid="customer">7</p>')

    async def orders(self, request: Request) -> Response:
        return HTMLResponse("<p>No orders yet</p>")

    async def sign_in(self, request: Request) -> Response:
        return JSONResponse({"token": "t-1", "customer": {"id": 7}})

    async def moved(self, request: Request) -> Response:
        return RedirectResponse("/login")

    async def _call_back(self, url: str) -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            await client.post(url, json={"order": {"id": 42, "state": "shipped"}})


@contextlib.asynccontextmanager
async def a_shop(**values) -> AsyncIterator[Shop]:
    shop = Shop(**values)
    routes = [
        Route("/login", shop.log_in_page),
        Route("/login", shop.log_in, methods=["POST"]),
        Route("/orders", shop.place_order, methods=["POST"]),
        Route("/orders/{id}", shop.order),
        Route("/moved", shop.moved),
        Route("/", shop.front),
        Route("/sign-in", shop.sign_in_page),
        Route("/account", shop.account),
        Route("/customers/7/orders", shop.orders),
        Route("/api/sign-in", shop.sign_in, methods=["POST"]),
    ]
    config = uvicorn.Config(Starlette(routes=routes), port=0, lifespan="off", log_level="error", ws="none")
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.005)
    shop.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield shop
    finally:
        server.should_exit = True
        await serving
        await asyncio.gather(*shop.background, return_exceptions=True)
