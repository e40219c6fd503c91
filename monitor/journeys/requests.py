"""Performs the steps of declarative journeys."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlencode

from monitor.domain.evidence import ProberFault
from monitor.domain.exchange import Exchange
from monitor.journeys.declared import DeclaredStep, Expected, HeaderExpected, Request, Taken, ValueExpected
from monitor.journeys.expectations import (
    ExpectedResponse,
    Response,
    eventually,
    excerpt,
    expect_response,
    expect_that,
)
from monitor.journeys.patterns import Pattern, escape
from monitor.journeys.templates import as_text, fill, fill_text
from monitor.journeys.webhooks import Call, Webhook, Webhooks
from monitor.probes.session import ExpectationFailed, ProberError

_FIRST_ERROR_STATUS = 400


class HttpHandle(Protocol):
    """What declarative steps use of the HTTP probe's handle."""

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        content: bytes | None,
        follow_redirects: bool,
    ) -> Response:
        """Send one request and return what was answered."""
        ...


class TakenValues(dict[str, object]):
    """What a step took from an answer, for the steps behind it."""


@dataclass(frozen=True, slots=True)
class HttpStep:
    """One declared step, ready to be performed."""

    declared: DeclaredStep

    async def __call__(self, http: HttpHandle, **earlier: object) -> TakenValues:
        """Perform the step with what parameters and earlier steps gave; return what it takes, and its webhook."""
        known = _known(earlier)
        opened = TakenValues()
        if self.declared.webhook is not None:
            opened[self.declared.webhook] = await _webhooks(earlier).lend()
        known.update(opened)
        if self.declared.receive is not None:
            taken = await self._receive(known, earlier)
        elif self.declared.until is not None:
            until = self.declared.until
            taken = await eventually(lambda: self._ask(http, known), within=until.within, every=until.every)
        else:
            taken = await self._ask(http, known)
        return TakenValues({**opened, **taken})

    async def _ask(self, http: HttpHandle, known: Mapping[str, object]) -> TakenValues:
        request = self.declared.request
        if request is None:
            msg = "a step without a request was asked to send one"
            raise ProberError(ProberFault.INTERNAL, msg)
        headers, content = _outgoing(request, known)
        response = await http.request(
            request.method,
            _address(request, known),
            headers=headers,
            content=content,
            follow_redirects=request.follow_redirects,
        )
        return self._examine(response, known)

    async def _receive(self, known: Mapping[str, object], earlier: Mapping[str, object]) -> TakenValues:
        receive = self.declared.receive
        webhook = known[receive.webhook] if receive else None
        if receive is None or not isinstance(webhook, Webhook):
            msg = "a step waits for a webhook that was never opened"
            raise ProberError(ProberFault.INTERNAL, msg)
        call = await webhook.received(within=receive.within)
        _webhooks(earlier).take_back(webhook)
        return self._examine(_Delivered(call, webhook), known)

    def _examine(self, response: Response, known: Mapping[str, object]) -> TakenValues:
        _expect(response, self.declared.expect, known)
        return TakenValues({name: _take(response, taken) for name, taken in self.declared.take.items()})


@dataclass(frozen=True, slots=True)
class _Delivered:
    """A call to a webhook, read as if it were an answer."""

    call: Call
    webhook: Webhook

    @property
    def status(self) -> int:
        return 200

    @property
    def headers(self) -> Mapping[str, str]:
        return _AnyCase(self.call.headers)

    @property
    def cookies(self) -> Mapping[str, str]:
        return {}

    @property
    def text(self) -> str:
        return self.call.text

    @property
    def exchange(self) -> Exchange:
        return Exchange(id="webhook", url=self.webhook.url, host="", method=self.call.method)

    def json(self) -> object:
        return json.loads(self.call.body)


class _AnyCase(dict[str, str]):
    def get(self, key: str, default: str | None = None) -> str | None:  # type: ignore[override]  # header names only
        return super().get(key.lower(), default)


def _known(earlier: Mapping[str, object]) -> dict[str, object]:
    known = {name: value for name, value in earlier.items() if not isinstance(value, TakenValues | Webhooks)}
    for value in earlier.values():
        if isinstance(value, TakenValues):
            known.update(value)
    return known


def _webhooks(earlier: Mapping[str, object]) -> Webhooks:
    webhooks = earlier.get("webhooks")
    if not isinstance(webhooks, Webhooks):
        msg = "this worker offers no webhooks"
        raise ProberError(ProberFault.INTERNAL, msg)
    return webhooks


def _address(request: Request, known: Mapping[str, object]) -> str:
    url = fill_text(request.url, known)
    if not request.query:
        return url
    query = urlencode({name: _filled_text(value, known) for name, value in request.query.items()})
    return f"{url}{'&' if '?' in url else '?'}{query}"


def _outgoing(request: Request, known: Mapping[str, object]) -> tuple[dict[str, str], bytes | None]:
    headers = {name: fill_text(value, known) for name, value in request.headers.items()}
    names = {name.lower() for name in headers}
    content: bytes | None = None
    kind = ""
    if "json_body" in request.model_fields_set:
        content, kind = json.dumps(fill(request.json_body, known)).encode(), "application/json"
    elif request.form is not None:
        filled = {name: _filled_text(value, known) for name, value in request.form.items()}
        content, kind = urlencode(filled).encode(), "application/x-www-form-urlencoded"
    elif request.body is not None:
        content, kind = fill_text(request.body, known).encode(), "text/plain; charset=utf-8"
    if kind and "content-type" not in names:
        headers["content-type"] = kind
    return headers, content


def _filled_text(value: object, known: Mapping[str, object]) -> str:
    return fill_text(value, known) if isinstance(value, str) else as_text(value)


def _expect(response: Response, expected: Expected, known: Mapping[str, object]) -> None:
    answer = expect_response(response)
    if expected.status is None:
        answer.has_status_below(_FIRST_ERROR_STATUS)
    else:
        answer.has_status(*expected.status)
    for name, header in expected.headers.items():
        _expect_header(answer, name, header, known)
    answer.has_text(*(fill_text(text, known) for text in expected.text))
    answer.lacks_text(*(fill_text(text, known) for text in expected.no_text))
    answer.matches(*(fill_text(pattern, known, escape) for pattern in expected.matches))
    for path, value in expected.json_values.items():
        _expect_json(answer, path, value, known)
    if expected.within is not None:
        answer.came_within(expected.within)
    if expected.certificate_days_left is not None:
        answer.certificate_lasts(days=expected.certificate_days_left)


def _expect_header(answer: ExpectedResponse, name: str, wanted: HeaderExpected, known: Mapping[str, object]) -> None:
    if wanted.absent:
        answer.has_no_header(name)
        return
    answer.has_header(
        name,
        fill_text(wanted.contains, known) if wanted.contains is not None else None,
        matching=fill_text(wanted.matches, known, escape) if wanted.matches is not None else None,
    )


def _expect_json(answer: ExpectedResponse, path: str, wanted: ValueExpected, known: Mapping[str, object]) -> None:
    if "equals" in wanted.model_fields_set:
        answer.has_json(path, fill(wanted.equals, known))
    value = expect_that(answer.json(path), f"JSON '{path}'")
    if "contains" in wanted.model_fields_set:
        value.contains(fill(wanted.contains, known))
    if wanted.matches is not None:
        value.matches(fill_text(wanted.matches, known, escape))
    if wanted.at_least is not None:
        value.is_at_least(wanted.at_least)
    if wanted.at_most is not None:
        value.is_at_most(wanted.at_most)
    if wanted.length is not None:
        value.has_length(wanted.length)


def _take(response: Response, taken: Taken) -> object:
    match taken:
        case Taken(json_path=str() as path):
            return expect_response(response).json(path)
        case Taken(header=str() as name):
            return _found(response.headers.get(name), f"a header '{name}'", response)
        case Taken(cookie=str() as name):
            return _found(response.cookies.get(name), f"a cookie '{name}'", response)
        case _:
            pattern = taken.body or ""
            return _found(Pattern(pattern).search(response.text), f"the body to match {pattern!r}", response)


def _found(value: str | None, what: str, response: Response) -> str:
    if value is None:
        msg = f"expected {what}, saw {excerpt(response.text)} from {response.exchange.method} {response.exchange.url}"
        raise ExpectationFailed(msg)
    return value
