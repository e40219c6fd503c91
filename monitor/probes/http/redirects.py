"""Where a redirect leads, and what of a request may go there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

from monitor.domain.failure import Failure
from monitor.domain.secret import Redactor
from monitor.probes.http.failures import Fault
from monitor.probes.http.outgoing import Origin, origin_of

_REFUSED = Failure.HTTP_RESPONSE_REDIRECT_REFUSED
_STATUSES = frozenset({301, 302, 303, 307, 308})
_SEE_OTHER = 303
_REWRITTEN = frozenset({301, 302})
_SCHEMES = frozenset({"http", "https"})

# All that another origin gets to see of a request's headers; anything else may be a secret.
_HARMLESS = frozenset({"accept", "accept-encoding", "accept-language", "user-agent", "cache-control", "pragma"})
_OF_BODY = frozenset({"content-type", "content-encoding", "content-language"})
# What was said of the first request holds for those that follow it.
_CARRIED = frozenset({"timeout", "most_bytes"})
_REBUILT = frozenset({"host", "content-length", "transfer-encoding", "cookie", "traceparent"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """The request that follows a redirect."""

    method: str
    url: httpx.URL
    headers: tuple[tuple[str, str], ...]
    content: bytes
    extensions: dict[str, Any]


def location_of(status: int, headers: list[tuple[bytes, bytes]]) -> bytes | None:
    """Return where a response redirects to, nothing where it does not."""
    if status not in _STATUSES:
        return None
    return next((value for name, value in headers if name == b"location"), None)


def next_hop(request: httpx.Request, status: int, location: bytes, redactor: Redactor) -> Hop:
    """Return the request that a redirect asks for. Raises Fault where it must not be made."""
    url = _destination(request.url, location)
    before, after = origin_of(request.url), origin_of(url)
    crossed = before != after and not _upgraded(before, after)
    method, content = request.method, request.content
    if (status == _SEE_OTHER and method != "HEAD") or (status in _REWRITTEN and method == "POST"):
        method, content = "GET", b""
    if crossed and content and redactor.finds(content.decode("utf-8", "replace")):
        raise Fault(_REFUSED, "refused to follow a redirect to another origin, to which a body with a secret would go")
    if crossed and redactor.finds(str(url)):
        raise Fault(_REFUSED, "refused to follow a redirect to another origin, to which a secret in the URL would go")
    headers = tuple(
        (name, value)
        for name, value in request.headers.multi_items()
        if name not in _REBUILT
        if not crossed or name in _HARMLESS or name in _OF_BODY
        if content or name not in _OF_BODY
    )
    return Hop(method=method, url=url, headers=headers, content=content, extensions=_kept(request))


def _kept(request: httpx.Request) -> dict[str, Any]:
    return {name: value for name, value in request.extensions.items() if name in _CARRIED}


def _destination(base: httpx.URL, location: bytes) -> httpx.URL:
    try:
        text = location.decode("utf-8").strip()
        url = base.join(text)
        if not url.fragment and base.fragment:
            url = url.copy_with(fragment=base.fragment)
    except (httpx.InvalidURL, ValueError) as error:
        raise Fault(_REFUSED, "refused to follow a redirect to what is no URL") from error
    if url.scheme not in _SCHEMES:
        raise Fault(_REFUSED, f"refused to follow a redirect to the scheme {url.scheme[:20]!r}")
    if not url.host:
        raise Fault(_REFUSED, "refused to follow a redirect to a URL without a host")
    return url.copy_with(userinfo=b"")


def _upgraded(before: Origin, after: Origin) -> bool:
    """Say whether the same host only asks to be spoken to in secret, on the usual ports."""
    return before == Origin("http", after.host, 80) and after == Origin("https", before.host, 443)
