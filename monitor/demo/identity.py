"""Example ID: signs people in for the shop."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from monitor.demo.bodies import read_form, refusal
from monitor.demo.hosts import Host

if TYPE_CHECKING:
    from starlette.requests import Request

    from monitor.demo.hosts import Addresses
    from monitor.demo.pages import Pages

_KEPT = 1000
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The one person whom the shop's world knows; the password is for show and printed on the sign-in page."""

    name: str = "Ada Teatime"
    email: str = "ada@example.com"
    password: str = "tea-for-two"  # noqa: S105 - it opens nothing but this shop


class Accounts:
    """Remembers who is signing in and who is signed in."""

    def __init__(self, known: Account) -> None:
        self.known = known
        self._states: OrderedDict[str, None] = OrderedDict()
        self._codes: OrderedDict[str, Account] = OrderedDict()
        self._visitors: OrderedDict[str, Account] = OrderedDict()

    def expect(self) -> str:
        """Begin a sign-in and return the state that must come back."""
        return _keep(self._states, None)

    def approve(self, email: str, password: str) -> str | None:
        """Return a code for the right email and password."""
        right = email.strip().casefold() == self.known.email and secrets.compare_digest(
            password.encode(),
            self.known.password.encode(),
        )
        return _keep(self._codes, self.known) if right else None

    def redeem(self, code: str, state: str) -> Account | None:
        """Return who a code stands for, once."""
        if state not in self._states:
            return None
        del self._states[state]
        return self._codes.pop(code, None)

    def admit(self, account: Account) -> str:
        """Sign somebody in and return the key for the cookie."""
        return _keep(self._visitors, account)

    def visitor(self, key: str | None) -> Account | None:
        """Return who a cookie names, or ``None``."""
        return self._visitors.get(key or "")

    def dismiss(self, key: str | None) -> None:
        """Sign somebody out."""
        self._visitors.pop(key or "", None)


class IdentitySite:
    """The pages of the identity provider."""

    def __init__(self, accounts: Accounts, pages: Pages, addresses: Addresses) -> None:
        self._accounts = accounts
        self._pages = pages
        self._callback = f"{addresses.url(Host.SHOP)}/login/callback"

    def routes(self) -> list[Route]:
        """Return what the host answers."""
        return [
            Route("/authorize", self._ask),
            Route("/authorize", self._answer, methods=["POST"]),
        ]

    async def _ask(self, request: Request) -> Response:
        if request.query_params.get("redirect_uri") != self._callback:
            return refusal("this client may not be sent there", status=400)
        return self._pages.page(request, "identity.html", state=request.query_params.get("state", ""), wrong=False)

    async def _answer(self, request: Request) -> Response:
        form = await read_form(request)
        state = form.get("state", "")
        code = self._accounts.approve(form.get("email", ""), form.get("password", ""))
        if code is None:
            return self._pages.page(request, "identity.html", status=401, state=state, wrong=True)
        return RedirectResponse(f"{self._callback}?{urlencode({'code': code, 'state': state})}", status_code=303)


def _keep(kept: OrderedDict[str, _Value], value: _Value) -> str:
    key = secrets.token_urlsafe(16)
    kept[key] = value
    while len(kept) > _KEPT:
        kept.popitem(last=False)
    return key
