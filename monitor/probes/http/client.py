"""What the code of an HTTP journey is handed: one customer's client for one attempt."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Any, NoReturn, TypeVar

import httpx

from monitor.domain.clock import Clock
from monitor.domain.evidence import ProberFault
from monitor.domain.failure import Failure
from monitor.domain.secret import Secret
from monitor.probes.http.failures import Fault
from monitor.probes.http.ledger import ExchangeFailed, Ledger
from monitor.probes.http.limits import Limits
from monitor.probes.http.observation import Observation
from monitor.probes.http.plan import HeaderValues, Params, Plan, Wanted
from monitor.probes.http.redirects import location_of, next_hop
from monitor.probes.http.response import Headers, Response
from monitor.probes.http.transport import Transport, TransportFailed, response_of
from monitor.probes.http.waiting import until
from monitor.probes.http.webhook import Webhook, WebhookListener
from monitor.probes.session import ExpectationFailed, ProberError

T = TypeVar("T")

_NO_COOKIES: Mapping[str, str] = MappingProxyType({})
_EVERY = dt.timedelta(seconds=1)


class Http:
    """Sends requests as one customer would: cookies are kept, redirects followed, times taken at the socket.

    Paths are joined to the target's base URL; a whole URL goes where it says. An error status is an answer like any
    other, for expectations to judge; only where there is no whole answer ``ExchangeFailed`` is raised.
    """

    def __init__(
        self, *, plan: Plan, transport: Transport, ledger: Ledger, limits: Limits, clock: Clock, hooks: WebhookListener
    ) -> None:
        self._plan = plan
        self._transport = transport
        self._ledger = ledger
        self._limits = limits
        self._clock = clock
        self._hooks = hooks
        self._cookies: httpx.Cookies | None = None

    @property
    def values(self) -> Mapping[str, str | Secret]:
        """Return what the journey's parameters are in this check."""
        return dict(self._plan.check.values)

    def value(self, name: str) -> str:
        """Return the value of a parameter. Raises LookupError where the check gives none, or a secret."""
        found = self.values.get(name)
        if isinstance(found, str):
            return found
        known = ", ".join(self.values) or "none"
        what = "is a secret; ask for http.secret()" if found is not None else f"is not among its values ({known})"
        msg = f"check {self._plan.check.name}: {name} {what}"
        raise LookupError(msg)

    def secret(self, name: str) -> Secret:
        """Return a secret parameter; it may stand wherever a text may. Raises ProberError where the check has none."""
        found = self.values.get(name)
        if found is None:
            msg = f"check {self._plan.check.name} has no secret {name}; name it under values in its configuration"
            raise ProberError(ProberFault.SECRET_MISSING, msg)
        return found if isinstance(found, Secret) else Secret(name, found)

    async def get(self, path: str, **options: Any) -> Response:
        """Send a GET request; the options are those of ``request``."""
        return await self.request("GET", path, **options)

    async def head(self, path: str, **options: Any) -> Response:
        """Send a HEAD request; the options are those of ``request``."""
        return await self.request("HEAD", path, **options)

    async def options(self, path: str, **options: Any) -> Response:
        """Send an OPTIONS request; the options are those of ``request``."""
        return await self.request("OPTIONS", path, **options)

    async def post(self, path: str, **options: Any) -> Response:
        """Send a POST request; the options are those of ``request``."""
        return await self.request("POST", path, **options)

    async def put(self, path: str, **options: Any) -> Response:
        """Send a PUT request; the options are those of ``request``."""
        return await self.request("PUT", path, **options)

    async def patch(self, path: str, **options: Any) -> Response:
        """Send a PATCH request; the options are those of ``request``."""
        return await self.request("PATCH", path, **options)

    async def delete(self, path: str, **options: Any) -> Response:
        """Send a DELETE request; the options are those of ``request``."""
        return await self.request("DELETE", path, **options)

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        headers: HeaderValues | None = None,
        json: Any = None,
        data: Mapping[str, Any] | None = None,
        content: str | bytes | None = None,
        follow_redirects: bool = True,
        timeout: dt.timedelta | None = None,  # noqa: ASYNC109 - the phase in which it passed must be known, so the transport keeps it
    ) -> Response:
        """Send a request and return the answer. Raises ExchangeFailed where there is none.

        ``timeout`` is the time that each exchange may take; the deadline of the run holds in any case. Secrets may
        stand in ``params``, ``headers``, ``json`` and ``data``.
        """
        seconds = None if timeout is None else timeout.total_seconds()
        wanted = Wanted(
            method=method.upper(),
            path=path,
            params=params,
            headers=headers,
            json=json,
            data=data,
            content=content,
            timeout=seconds,
        )
        return await self.send(wanted, follow_redirects=follow_redirects)

    async def send(self, wanted: Wanted, *, follow_redirects: bool = True) -> Response:
        """Send a request that is made up already, as ``request`` does."""
        request = self._plan.request(wanted, self._cookies)
        most = self._limits.redirects if wanted.most_redirects is None else wanted.most_redirects
        followed: tuple[str, ...] = ()
        while True:
            observation = await self._exchange(request)
            location = location_of(observation.status or 0, observation.headers) if follow_redirects else None
            if location is None:
                return self._response(observation, followed)
            if len(followed) >= most:
                text = f"more than {most} redirects in a row"
                self._refuse(observation, Fault(Failure.HTTP_RESPONSE_REDIRECT_LOOP, text))
            request = self._next(request, observation, location)
            followed = (*followed, self._plan.redactor.mask(observation.url))

    async def until(
        self,
        fetch: Callable[[], Awaitable[T]],
        predicate: Callable[[T], object],
        *,
        within: dt.timedelta,
        every: dt.timedelta = _EVERY,
    ) -> T:
        """Fetch until the predicate holds and return what was fetched then; a promise of the back end is kept so.

        An expectation that fails and an exchange that fails count as "not yet". Raises ExpectationFailed, with what
        was seen last, where ``within`` passes first.
        """
        return await until(fetch, predicate, within=within, every=every, tolerated=(ExpectationFailed, ExchangeFailed))

    @asynccontextmanager
    async def webhook(self) -> AsyncIterator[Webhook]:
        """Lend a URL, known to nobody else, on which to wait for the back end's call."""
        async with self._hooks.hook() as hook:
            yield hook

    async def _exchange(self, request: httpx.Request) -> Observation:
        try:
            observation = await self._transport.carry_out(request)
        except TransportFailed as error:
            raise ExchangeFailed(self._ledger.end(error.observation)) from error
        if any(name == b"set-cookie" for name, _ in observation.headers):
            self._cookies = self._cookies if self._cookies is not None else httpx.Cookies()
            self._cookies.extract_cookies(response_of(observation, request))
        return observation

    def _next(self, request: httpx.Request, observation: Observation, location: bytes) -> httpx.Request:
        try:
            hop = next_hop(request, observation.status or 0, location, self._plan.redactor)
            following = self._plan.follow(hop, self._cookies, observation.id)
        except Fault as fault:
            self._refuse(observation, fault)
        self._ledger.end(observation)
        return following

    def _refuse(self, observation: Observation, fault: Fault) -> NoReturn:
        observation.fail(fault.failure, str(fault), at=time.monotonic())
        raise ExchangeFailed(self._ledger.end(observation)) from fault

    def _response(self, observation: Observation, followed: tuple[str, ...]) -> Response:
        exchange = self._ledger.end(observation)
        cookies = _NO_COOKIES if self._cookies is None else {each.name: each.value or "" for each in self._cookies.jar}
        return Response(
            status=exchange.status or 0,
            reason=exchange.reason,
            url=exchange.url,
            headers=Headers(tuple([(name.decode(), _text(value)) for name, value in observation.headers])),
            body=observation.body,
            cookies=cookies,
            redirects=followed,
            exchange=exchange,
            received_at=self._clock.now(),
            truncated=exchange.truncated,
        )


def _text(value: bytes) -> str:
    return value.decode("utf-8", "backslashreplace")
