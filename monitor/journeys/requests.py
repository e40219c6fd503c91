"""Performs the steps of declarative journeys."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from urllib.parse import urlencode

from monitor.domain.exchange import Exchange
from monitor.journeys.declared import DeclaredStep, Expected, HeaderExpected, Receive, Request, Taken, ValueExpected
from monitor.journeys.expectations import (
    ExpectedResponse,
    eventually,
    excerpt,
    expect_response,
    expect_that,
)
from monitor.journeys.patterns import escape, pattern_of
from monitor.journeys.templates import as_text, fill, fill_text, references
from monitor.probes.http.client import Http
from monitor.probes.http.plan import Wanted
from monitor.probes.http.response import Headers, Response
from monitor.probes.http.webhook import Webhook, WebhookRequest
from monitor.probes.session import ExpectationFailed

_FIRST_ERROR_STATUS = 400


@dataclass(frozen=True, slots=True)
class OpenWebhook:
    """A webhook that one step opened and a later one waits for.

    It is open for as long as somebody holds this value: a run that never gets to wait for it drops the value, and with
    it the webhook.
    """

    hook: Webhook
    lending: AbstractAsyncContextManager[Webhook]

    def __str__(self) -> str:
        """Return its URL, which is what ``${name}`` stands for."""
        return self.hook.url


class TakenValues(dict[str, object]):
    """What a step took from an answer, for the steps behind it."""


@dataclass(frozen=True, slots=True)
class HttpStep:
    """One declared step, ready to be performed."""

    declared: DeclaredStep
    _ready: Wanted | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Make the request once and for all where nothing in it is filled in."""
        request = self.declared.request
        constant = request is not None and not any(references(_parts(request)))
        object.__setattr__(self, "_ready", _wanted(request, {}) if request is not None and constant else None)

    async def __call__(self, http: Http, **earlier: object) -> TakenValues:
        """Perform the step with what parameters and earlier steps gave; return what it takes, and its webhook."""
        known = _known(earlier) if earlier else {}
        opened = TakenValues()
        if self.declared.webhook is not None:
            lending = http.webhook()
            opened[self.declared.webhook] = OpenWebhook(await lending.__aenter__(), lending)
            known.update(opened)
        if self.declared.receive is not None:
            taken = await self._receive(self.declared.receive, known)
        elif self.declared.request is not None:
            taken = await self._send(http, self.declared.request, known)
        else:
            taken = TakenValues()
        return TakenValues({**opened, **taken}) if opened else taken

    async def _send(self, http: Http, request: Request, known: Mapping[str, object]) -> TakenValues:
        async def ask() -> TakenValues:
            wanted = self._ready if self._ready is not None else _wanted(request, known)
            response = await http.send(wanted, follow_redirects=request.follow_redirects)
            return self._examine(response, known)

        until = self.declared.until
        return await ask() if until is None else await eventually(ask, within=until.within, every=until.every)

    async def _receive(self, receive: Receive, known: Mapping[str, object]) -> TakenValues:
        webhook = known[receive.webhook]
        assert isinstance(webhook, OpenWebhook)
        call = await webhook.hook.received(receive.within)
        taken = self._examine(_as_response(call, webhook.hook.url), known)
        await webhook.lending.__aexit__(None, None, None)
        return taken

    def _examine(self, response: Response, known: Mapping[str, object]) -> TakenValues:
        _expect(response, self.declared.expect, known)
        return TakenValues({name: _take(response, taken) for name, taken in self.declared.take.items()})


def _as_response(call: WebhookRequest, url: str) -> Response:
    """Return a call to a webhook in the form of an answer, so that the same can be expected of it."""
    return Response(
        status=200,
        reason="",
        url=url,
        headers=Headers(tuple((name.lower(), value) for name, value in call.headers)),
        body=call.body,
        cookies={},
        exchange=Exchange(id="webhook", url=url, host="", method=call.method),
        received_at=dt.datetime.now(dt.UTC),
        truncated=call.truncated,
    )


def _known(earlier: Mapping[str, object]) -> dict[str, object]:
    known = {name: value for name, value in earlier.items() if not isinstance(value, TakenValues)}
    for value in earlier.values():
        if isinstance(value, TakenValues):
            known.update(value)
    return known


def _parts(request: Request) -> list[object]:
    return [request.url, request.query, request.headers, request.json_body, request.form, request.body]


def _wanted(request: Request, known: Mapping[str, object]) -> Wanted:
    headers, content = _outgoing(request, known)
    return Wanted(method=request.method, path=_address(request, known), headers=headers, content=content)


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
    if expected.text:
        answer.has_text(*[fill_text(text, known) for text in expected.text])
    if expected.no_text:
        answer.lacks_text(*[fill_text(text, known) for text in expected.no_text])
    if expected.matches:
        answer.matches(*[fill_text(pattern, known, escape) for pattern in expected.matches])
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
            return _found(pattern_of(pattern).search(response.text), f"the body to match {pattern!r}", response)


def _found(value: str | None, what: str, response: Response) -> str:
    if value is None:
        msg = f"expected {what}, saw {excerpt(response.text)} from {response.exchange.method} {response.exchange.url}"
        raise ExpectationFailed(msg)
    return value
