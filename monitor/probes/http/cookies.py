"""The cookies of one chain of redirects."""

from __future__ import annotations

import httpx


class Jar:
    """Takes cookies from answers and gives them back where they belong."""

    def __init__(self) -> None:
        """Start empty."""
        self._cookies = httpx.Cookies()

    def take(self, url: str, headers: list[tuple[bytes, bytes]]) -> None:
        """Keep what an answer from ``url`` sets."""
        found = [each for each in headers if each[0] == b"set-cookie"]
        if found:
            self._cookies.extract_cookies(httpx.Response(200, headers=found, request=httpx.Request("GET", url)))

    def header(self, url: str) -> str | None:
        """Return the ``Cookie`` header of a request to ``url``, ``None`` where there is nothing to send."""
        if not self._cookies:
            return None
        request = httpx.Request("GET", url)
        self._cookies.set_cookie_header(request)
        return str(request.headers["cookie"]) if "cookie" in request.headers else None
