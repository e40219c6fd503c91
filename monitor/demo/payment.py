"""Example Pay: takes cards in a frame of its own and hands the shop a token."""

from __future__ import annotations

import re
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from monitor.demo.bodies import read_json, refusal

if TYPE_CHECKING:
    from starlette.requests import Request

    from monitor.demo.pages import Pages

_KEPT = 1000
_DECLINED = "4000000000000002"
_CARD = re.compile(r"\d{13,19}")
_EXPIRY = re.compile(r"(0[1-9]|1[0-2]) ?/ ?\d{2}")
_CODE = re.compile(r"\d{3,4}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentSession:
    """One payment that a merchant wants made."""

    id: str
    amount: int
    currency: str


class Payments:
    """Keeps the latest payment sessions and the tokens that they led to."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[str, PaymentSession] = OrderedDict()
        self._tokens: OrderedDict[str, PaymentSession] = OrderedDict()

    def open(self, amount: int, currency: str) -> PaymentSession:
        """Start a payment."""
        session = PaymentSession(id="ps_" + secrets.token_hex(8), amount=amount, currency=currency)
        self._sessions[session.id] = session
        _trim(self._sessions)
        return session

    def session(self, number: str) -> PaymentSession | None:
        """Return a payment that was started, or ``None``."""
        return self._sessions.get(number)

    def charge(self, session: PaymentSession) -> str:
        """Charge a card and return the token that proves it."""
        token = "tok_" + secrets.token_hex(12)
        self._tokens[token] = session
        _trim(self._tokens)
        return token

    def redeem(self, token: str, amount: int) -> bool:
        """Say whether a token pays for this amount; it does so once."""
        session = self._tokens.pop(token, None)
        return session is not None and session.amount == amount


class PaymentSite:
    """The pages and the API of the payment provider."""

    def __init__(self, payments: Payments, pages: Pages) -> None:
        self._payments = payments
        self._pages = pages

    def routes(self) -> list[Route]:
        """Return what the host answers."""
        return [
            Route("/v1/pay.js", self._script),
            Route("/v1/sessions", self._open, methods=["POST"]),
            Route("/v1/frame", self._frame),
            Route("/v1/frame.js", self._frame_script),
            Route("/v1/tokens", self._charge, methods=["POST"]),
        ]

    async def _script(self, _request: Request) -> Response:
        return self._pages.script("pay.js")

    async def _frame_script(self, _request: Request) -> Response:
        return self._pages.script("pay-frame.js")

    async def _open(self, request: Request) -> Response:
        body = await read_json(request)
        amount = body.get("amount")
        if not isinstance(amount, int) or amount <= 0:
            return refusal("amount must be a positive number of cents")
        session = self._payments.open(amount, "EUR")
        return JSONResponse({"id": session.id, "amount": session.amount, "currency": session.currency}, status_code=201)

    async def _frame(self, request: Request) -> Response:
        session = self._payments.session(request.query_params.get("session", ""))
        if session is None:
            return refusal("this payment session does not exist", status=404)
        return self._pages.page(request, "pay-frame.html", session=session)

    async def _charge(self, request: Request) -> Response:
        body = await read_json(request)
        session = self._payments.session(str(body.get("session", "")))
        if session is None:
            return refusal("this payment session does not exist", status=404)
        problem = _problem(body)
        if problem:
            return refusal(problem, status=402)
        return JSONResponse({"token": self._payments.charge(session)}, status_code=201)


def _problem(body: dict[str, object]) -> str:
    number = str(body.get("number", "")).replace(" ", "")
    if not _CARD.fullmatch(number):
        return "The card number is not complete."
    if not _EXPIRY.fullmatch(str(body.get("expiry", "")).strip()):
        return "Write the expiry date as month / year."
    if not _CODE.fullmatch(str(body.get("code", "")).strip()):
        return "The security code has three or four digits."
    return "The card was declined." if number == _DECLINED else ""


def _trim(kept: OrderedDict[str, PaymentSession]) -> None:
    while len(kept) > _KEPT:
        kept.popitem(last=False)
