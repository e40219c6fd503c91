"""The requests of an HTTP probe: the first one, and those that redirects ask for, made as Go's client makes them."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit, urlunsplit

from monitor.probes.blackbox.modules import HttpModule
from monitor.probes.http.outgoing import DEFAULT_PORTS, Origin, Outgoing

_SAFE_PATH = "/%:@!$&'()*+,;=~-._"
_SAFE_QUERY = _SAFE_PATH + '?[]{}|\\^`"'
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_REWRITING = frozenset({301, 302, 303})
_SENSITIVE = frozenset({"authorization", "www-authenticate", "cookie", "cookie2", "proxy-authorization"})
_OF_BODY = frozenset({"content-length", "content-type", "content-encoding", "content-language", "transfer-encoding"})

Headers = tuple[tuple[str, str], ...]


class BadTarget(ValueError):  # noqa: N818 - it says what the target is
    """The target, or what a redirect leads to, is no URL that can be asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request before it has the form of a connection.

    Attributes:
        host: The ``Host`` header where it is not the URL's own host.
        credentials: ``Authorization``; like the headers named in ``secret_headers`` it goes to no other host.
    """

    method: str
    url: SplitResult
    host: str | None
    headers: Headers
    body: bytes
    credentials: str | None = None
    secret_headers: frozenset[str] = frozenset()

    @property
    def address(self) -> str:
        """Return the URL without user information and fragment."""
        return urlunsplit(self.url._replace(netloc=bare(self.url), fragment=""))

    @property
    def origin(self) -> Origin:
        """Return scheme, host and port."""
        return origin_of(self.url)


def parse(target: str) -> SplitResult:
    """Return the parts of a target, which is taken for HTTP where it names no scheme. Raises BadTarget."""
    url = target if target.startswith(("http://", "https://")) else f"http://{target}"
    return _checked(url)


def _checked(url: str) -> SplitResult:
    if any(char.isspace() or not char.isprintable() for char in url):
        msg = "the URL holds blanks or control characters"
        raise BadTarget(msg)
    try:
        parts = urlsplit(url)
        if parts.port is None and parts.netloc.endswith(":"):
            parts = parts._replace(netloc=parts.netloc[:-1])
    except ValueError as error:
        msg = "not a URL"
        raise BadTarget(msg) from error
    if parts.scheme not in DEFAULT_PORTS:
        msg = f"unsupported protocol scheme '{parts.scheme[:20]}'"
        raise BadTarget(msg)
    return parts


def bare(url: SplitResult) -> str:
    """Return host and port of a URL, without user name and password."""
    return url.netloc.rpartition("@")[2]


def origin_of(url: SplitResult) -> Origin:
    """Return scheme, host in ASCII, and port."""
    return Origin(url.scheme, ascii_host(url.hostname or ""), url.port or DEFAULT_PORTS[url.scheme])


def ascii_host(host: str) -> str:
    """Return a host name as DNS has it. Raises BadTarget where it cannot be one."""
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError as error:
        msg = "the host cannot be a name"
        raise BadTarget(msg) from error


def first(module: HttpModule, url: SplitResult, body: bytes, address: str | None, user_agent: str) -> Ask:
    """Return the first request, sent to ``address`` with the URL's host in its header. Raises OSError for files."""
    own = module.own_headers() if module.own_headers is not None else ()
    headers = [(name, value) for name, value in (*module.headers, *own) if name.lower() != "host"]
    if not any(name.lower() == "user-agent" for name, _ in headers):
        headers.append(("User-Agent", user_agent))
    hosts = [value for name, value in module.headers if name.lower() == "host"]
    numeric = url if address is None else url._replace(netloc=_netloc(address, url.port))
    return Ask(
        method=module.method,
        url=numeric._replace(fragment=""),
        host=hosts[-1] if hosts else bare(url),
        headers=tuple(headers),
        body=body,
        credentials=_credentials(module, url),
        secret_headers=module.secret_headers,
    )


def _credentials(module: HttpModule, url: SplitResult) -> str | None:
    if module.credentials is not None:
        return module.credentials.reveal()
    if url.username is None:
        return None
    pair = f"{unquote(url.username)}:{unquote(url.password or '')}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


def _netloc(address: str, port: int | None) -> str:
    host = f"[{address}]" if ":" in address else address
    return host if port is None else f"{host}:{port}"


def redirect_of(status: int, location: bytes | None) -> str | None:
    """Return where an answer leads on to, ``None`` where it does not."""
    return location.decode("utf-8", "replace") if status in _REDIRECTS and location else None


def following(ask: Ask, status: int, location: str) -> Ask:
    """Return the request that a redirect asks for. Raises BadTarget where it cannot be made."""
    try:
        url = _checked(urljoin(ask.address, location))
        relative = not urlsplit(location).netloc
    except ValueError as error:
        raise BadTarget(str(error)) from error
    method, body, headers = ask.method, ask.body, ask.headers
    if status in _REWRITING:
        method = method if method in {"GET", "HEAD"} else "GET"
        body = b""
        headers = tuple(each for each in headers if each[0].lower() not in _OF_BODY)
    trusted = _is_trusted(ask.url, url)
    if not trusted:
        headers = tuple(each for each in headers if each[0].lower() not in _SENSITIVE | ask.secret_headers)
    return replace(
        ask,
        method=method,
        url=url,
        host=ask.host if relative else None,
        headers=headers,
        body=body,
        credentials=ask.credentials if trusted else None,
    )


def _is_trusted(before: SplitResult, after: SplitResult) -> bool:
    """Say whether a redirect stays on its host, and does not leave TLS: nobody else gets to see a secret."""
    return before.hostname == after.hostname and (before.scheme, after.scheme) != ("https", "http")


def outgoing(ask: Ask, cookie: str | None, *, named_by_url: bool) -> Outgoing:
    """Return a request in the form that a connection takes. Raises BadTarget for headers that cannot be sent.

    ``named_by_url`` says that a proxy is told the URL, which holds the address, and not the name in ``Host``.
    """
    authority = ask.host if ask.host is not None else bare(ask.url)
    pairs = [("Host", authority), *ask.headers, ("Connection", "close")]
    if ask.body or ask.method in {"POST", "PUT", "PATCH"}:
        pairs.append(("Content-Length", str(len(ask.body))))
    if ask.credentials and not any(name.lower() == "authorization" for name, _ in ask.headers):
        pairs.append(("Authorization", ask.credentials))
    if cookie is not None:
        pairs.append(("Cookie", cookie))
    if any("\r" in value or "\n" in value for _, value in pairs):
        msg = "a header holds a line break"
        raise BadTarget(msg)
    raw = tuple((name.encode("latin-1", "replace"), value.encode("utf-8")) for name, value in pairs)
    path = quote(ask.url.path or "/", safe=_SAFE_PATH)
    query = f"?{quote(ask.url.query, safe=_SAFE_QUERY)}" if ask.url.query else ""
    return Outgoing(
        method=ask.method,
        url=ask.address,
        origin=ask.origin,
        authority=(bare(ask.url) if named_by_url else authority).encode(),
        target=(path + query).encode(),
        headers=raw,
        fields=b"".join(name + b": " + value + b"\r\n" for name, value in raw),
        body=ask.body,
    )
