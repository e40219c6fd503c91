"""Adds the target's headers and the trace context to requests of our own hosts, and to no others.

Chromium's ``Fetch`` domain, limited to URL patterns of our own hosts: a request that matches costs one more round trip
to the driver (about a millisecond), all others none, and the HTTP cache stays on, which Playwright's ``route`` turns
off. A redirect to another host does not carry the headers on, as it would with ``route``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from monitor.domain.assignment import Assignment
from monitor.domain.secret import Secret
from monitor.probes.browser.devtools import Channel
from monitor.probes.browser.network import Params


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstPartyHeaders:
    """Headers to add, and where."""

    headers: tuple[tuple[str, str], ...]
    origin: tuple[str, str, int | None]
    domains: tuple[str, ...]

    @property
    def patterns(self) -> list[dict[str, str]]:
        """Return the URL patterns to be asked about; :meth:`applies` decides, as a pattern matches too much."""
        scheme, host, port = self.origin
        own = f"{scheme}://{_bracketed(host)}{f':{port}' if port else ''}/*"
        below = [
            f"{scheme}://{prefix}{domain}{suffix}/*"
            for domain in self.domains
            for prefix in ("", "*.")
            for suffix in ("", ":*")
        ]
        return [{"urlPattern": pattern} for pattern in (own, *below)]

    def applies(self, url: str) -> bool:
        """Say whether a URL is of our own hosts, and not less protected than the target."""
        try:
            parts = urlsplit(url)
            origin = (parts.scheme, (parts.hostname or "").lower(), parts.port)
        except ValueError:
            return False
        if origin == self.origin:
            return True
        scheme, host, _ = origin
        return scheme == self.origin[0] and any(host == own or host.endswith(f".{own}") for own in self.domains)

    async def answer(self, channel: Channel, params: Params) -> None:
        """Let a paused request go on, with the headers where it is ours."""
        request = params["request"]
        arguments: dict[str, object] = {"requestId": params["requestId"]}
        if self.applies(request["url"]):
            arguments["headers"] = self._merged(request["headers"])
        with contextlib.suppress(Exception):
            # The page may have gone in the meantime.
            await channel.send("Fetch.continueRequest", arguments)

    def _merged(self, present: Mapping[str, str]) -> list[dict[str, str]]:
        ours = {name.lower() for name, _ in self.headers}
        kept = [{"name": name, "value": value} for name, value in present.items() if name.lower() not in ours]
        return kept + [{"name": name, "value": value} for name, value in self.headers]


def first_party_headers(assignment: Assignment) -> FirstPartyHeaders | None:
    """Return what is to be added for an assignment, or ``None`` where that is nothing."""
    target = assignment.check.target
    headers = [(name, value.reveal() if isinstance(value, Secret) else value) for name, value in target.headers]
    if assignment.traceparent is not None:
        headers.append(("traceparent", assignment.traceparent))
    if not headers:
        return None
    parts = urlsplit(target.base_url)
    return FirstPartyHeaders(
        headers=tuple(headers),
        origin=(parts.scheme, (parts.hostname or "").lower(), parts.port),
        domains=tuple(domain.lower().strip(".") for domain in assignment.first_party),
    )


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
