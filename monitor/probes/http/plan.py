"""What stays the same from run to run of one check: its route, its headers, its requests once they are built."""

from __future__ import annotations

import base64
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx

from monitor.domain.assignment import Assignment
from monitor.domain.check import Check, Target
from monitor.domain.evidence import ProberFault
from monitor.domain.profile import ClientProfile
from monitor.domain.secret import Redactor, Secret
from monitor.probes.http.addresses import AddressPolicy
from monitor.probes.http.connecting import Route
from monitor.probes.http.decoding import ACCEPTED
from monitor.probes.http.outgoing import Origin, origin_of
from monitor.probes.http.proxying import route_of
from monitor.probes.http.redirects import Hop
from monitor.probes.http.transport import MOST_BYTES, REDIRECTED_FROM
from monitor.probes.http.trust import TrustStore
from monitor.probes.session import ProberError
from monitor.probes.vantage.resolver import NameView

_MOST_REQUESTS = 64
_LARGEST_KEPT = 10_000
_MOST_PLANS = 20_000
_MASK = "•••"

Params = Mapping[str, Any] | Iterable[tuple[str, Any]]
HeaderValues = Mapping[str, "str | Secret"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One request as a journey asks for it.

    Attributes:
        most_bytes: How much of the body to take; as much as the probe takes of any where ``None``.
        most_redirects: How many redirects to follow; as many as the probe follows of any where ``None``.
    """

    method: str
    path: str
    params: Params | None = None
    headers: HeaderValues | None = None
    json: Any = None
    data: Mapping[str, Any] | None = None
    content: str | bytes | None = None
    timeout: float | None = None
    most_bytes: int | None = None
    most_redirects: int | None = None

    @property
    def key(self) -> Hashable | None:
        """Return what tells this request from others, or nothing where it is not worth keeping."""
        if self.json is not None or self.data is not None or len(self.content or "") > _LARGEST_KEPT:
            return None
        headers = None if self.headers is None else tuple(self.headers.items())
        if self.params is None:
            return (self.method, self.path, self.timeout, self.most_bytes, headers, self.content)
        if isinstance(self.params, Mapping) and all(isinstance(each, str) for each in self.params.values()):
            params = tuple(self.params.items())
            return (self.method, self.path, self.timeout, self.most_bytes, headers, self.content, params)
        return None


class Plan:
    """How runs of one check speak HTTP."""

    def __init__(self, check: Check, trust: TrustStore, *, user_agent: str) -> None:
        """Work out everything that does not change. Raises ProberError where the check cannot be carried out."""
        self.check = check
        self.redactor = Redactor((*secrets_of(check), *_of_urls(check)))
        self.base = _base_url(check.target)
        self.origin: Origin = origin_of(self.base)
        self.route = _route(check.target, check.profile, trust)
        self._common = _common_headers(check.profile, user_agent)
        self._own = _target_headers(check.target)
        self._requests: OrderedDict[Hashable, httpx.Request] = OrderedDict()

    def request(self, wanted: Wanted, cookies: httpx.Cookies | None) -> httpx.Request:
        """Return the request that a journey asks for; one that is asked for in every run is built once and kept."""
        key = None if cookies else wanted.key
        if key is None:
            return self._build(wanted, cookies)
        known = self._requests.get(key)
        if known is None:
            known = self._requests[key] = self._build(wanted, None)
            if len(self._requests) > _MOST_REQUESTS:
                self._requests.popitem(last=False)
        return known

    def url(self, path: str) -> httpx.URL:
        """Return the URL of a path below the target; a whole URL stands for itself."""
        if path.startswith(("http://", "https://")):
            return httpx.URL(path)
        if path.startswith("//"):
            return httpx.URL(f"{self.base.scheme}:{path}")
        if not path or path.startswith("?"):
            return httpx.URL(f"{self.base}{path}")
        return httpx.URL(f"{str(self.base).rstrip('/')}/{path.lstrip('/')}")

    def follow(self, hop: Hop, cookies: httpx.Cookies | None, origin_exchange: str) -> httpx.Request:
        """Return the request that follows a redirect; the target's own headers go along only to its own origin."""
        headers = httpx.Headers(list(hop.headers))
        if origin_of(hop.url) == self.origin:
            headers.update(self._own)
        return httpx.Request(
            hop.method,
            hop.url,
            headers=headers,
            cookies=cookies,
            content=hop.content or None,
            extensions={**hop.extensions, REDIRECTED_FROM: origin_exchange},
        )

    def _build(self, wanted: Wanted, cookies: httpx.Cookies | None) -> httpx.Request:
        url = self.url(wanted.path)
        headers = httpx.Headers(self._common)
        if origin_of(url) == self.origin:
            headers.update(self._own)
        headers.update({name: _header_value(name, value) for name, value in (wanted.headers or {}).items()})
        params = wanted.params
        if params is not None:
            pairs = params.items() if isinstance(params, Mapping) else params
            url = url.copy_merge_params([(name, revealed(value)) for name, value in pairs])
        extensions: dict[str, Any] = {} if wanted.timeout is None else {"timeout": {"read": wanted.timeout}}
        if wanted.most_bytes is not None:
            extensions[MOST_BYTES] = wanted.most_bytes
        return httpx.Request(
            wanted.method,
            url,
            headers=headers,
            cookies=cookies,
            content=wanted.content,
            data=revealed(wanted.data),
            json=revealed(wanted.json),
            extensions=extensions,
        )


class Plans:
    """Keeps the plan of each check, and makes a new one when the check has changed."""

    def __init__(self, trust: TrustStore, *, user_agent: str) -> None:
        """Start with none."""
        self._trust = trust
        self._user_agent = user_agent
        self._known: OrderedDict[str, Plan] = OrderedDict()

    def of(self, assignment: Assignment) -> Plan:
        """Return the plan of an assignment's check. Raises ProberError where it cannot be carried out."""
        check = assignment.check
        known = self._known.get(check.name)
        if known is not None and (known.check is check or known.check == check):
            return known
        plan = self._known[check.name] = Plan(check, self._trust, user_agent=self._user_agent)
        if len(self._known) > _MOST_PLANS:
            self._known.popitem(last=False)
        return plan


def secrets_of(check: Check) -> tuple[Secret, ...]:
    """Return every secret that runs of a check may come across."""
    pairs = (*check.values, *check.target.headers)
    found = [value for _, value in pairs if isinstance(value, Secret)]
    proxy = check.profile.proxy
    if proxy is not None and proxy.password is not None:
        found.append(proxy.password)
    return tuple(found)


def _of_urls(check: Check) -> tuple[Secret, ...]:
    """Return the passwords that stand in URLs; those of ill-formed ones are refused elsewhere."""
    proxy = check.profile.proxy
    found = []
    for url in (check.target.base_url, "" if proxy is None else proxy.url):
        try:
            password = urlsplit(url).password
        except ValueError:
            continue
        if password:
            found.append(Secret("password of a URL", unquote(password)))
    return tuple(found)


def revealed(value: Any) -> Any:
    """Return a value with the secrets in it uncovered, for the wire."""
    match value:
        case Secret():
            return value.reveal()
        case Mapping():
            return {name: revealed(each) for name, each in value.items()}
        case list() | tuple():
            return [revealed(each) for each in value]
        case _:
            return value


def _header_value(name: str, value: str | Secret) -> str:
    text = value.reveal() if isinstance(value, Secret) else value
    if _MASK in text:
        msg = f"header {name}: a secret was formatted into a text, which masks it; use secret.reveal()"
        raise ValueError(msg)
    if "\r" in text or "\n" in text or "\0" in text:
        msg = f"header {name}: a value is one line"
        raise ValueError(msg)
    return text


def _base_url(target: Target) -> httpx.URL:
    try:
        url = httpx.URL(target.base_url)
    except httpx.InvalidURL as error:
        msg = f"target {target.name}: base_url is no URL: {error}"
        raise ProberError(ProberFault.INTERNAL, msg) from error
    if url.scheme not in {"http", "https"} or not url.host:
        msg = f"target {target.name}: base_url must begin with http:// or https:// and name a host"
        raise ProberError(ProberFault.INTERNAL, msg)
    return url.copy_with(userinfo=b"")


def _common_headers(profile: ClientProfile, user_agent: str) -> dict[str, str]:
    headers = {"Accept": "*/*", "Accept-Encoding": ACCEPTED, "User-Agent": profile.user_agent or user_agent}
    if profile.locale:
        language = profile.locale.partition("-")[0]
        headers["Accept-Language"] = (
            profile.locale if language == profile.locale else f"{profile.locale},{language};q=0.9"
        )
    return headers


def _target_headers(target: Target) -> dict[str, str]:
    headers = {name: _header_value(name, value) for name, value in target.headers}
    userinfo = httpx.URL(target.base_url).userinfo
    if userinfo and "authorization" not in {name.lower() for name in headers}:
        headers["Authorization"] = "Basic " + base64.b64encode(unquote(userinfo.decode()).encode()).decode()
    return headers


def _route(target: Target, profile: ClientProfile, trust: TrustStore) -> Route:
    extra_ca = tuple(pem for pem in (target.extra_ca, profile.extra_ca) if pem)
    return Route(
        names=NameView(
            overrides=(*profile.hosts, *target.hosts),
            server=profile.resolver,
            asking=profile.asking,
            allowed_private=target.allowed_private,
            family=profile.ip_family,
        ),
        policy=AddressPolicy(allowed_private=target.allowed_private),
        context=trust.context(extra_ca, http2=profile.http2),
        extra_ca=extra_ca,
        proxy=None if profile.proxy is None else route_of(profile.proxy),
    )
