"""A look: one light request, made as a run of a journey that is built in. Its fact is the exchange, not a promise."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from monitor.domain.check import Check, Schedule, Target
from monitor.domain.journey import Journey, JourneyOutline, ProbeKind, Step, StepOutline
from monitor.domain.profile import Asking, ClientProfile, HostOverride
from monitor.probes.session import ExpectationFailed
from monitor.reading.addresses import split_host_port

if TYPE_CHECKING:
    from monitor.probes.http.client import Http

BUILTIN = "builtin"
"""What outlines and orders call the source of journeys that stand in no file."""

DEADLINE = dt.timedelta(seconds=8)
METHODS = ("GET", "HEAD")

_NAME = "look"
_TITLE = "Look at one address"
_PARAMETERS = ("url", "method", "user_agent", "host")
_MOST_REDIRECTS = 5
_MOST_BYTES = 65_536
_FIRST_ERROR_STATUS = 400
_AT_A_TIME = 1_000
_MASK = "•••"
_LONGEST_URL = 2_000
_NEVER = Schedule(interval=dt.timedelta(days=1))
_PORTS: Mapping[str, int] = MappingProxyType({"http": 80, "https": 443})

LOOK = JourneyOutline(
    name=_NAME,
    title=_TITLE,
    probe=ProbeKind.HTTP,
    steps=(StepOutline(name=_NAME, title=_TITLE),),
    declarative=True,
    parameters=_PARAMETERS,
    source=BUILTIN,
)


def look_at(
    url: str,
    *,
    name: str,
    target: Target,
    profile: ClientProfile,
    method: str = "GET",
    user_agent: str = "",
    deadline: dt.timedelta = DEADLINE,
) -> Check:
    """Return the check whose run is one look, on the network path of runs of ``target`` as ``profile``.

    The target's headers go along where the URL is of its own origin, and nowhere else. ``name`` may be that of many
    looks, one after the other or at a time. Raises ValueError for what cannot be looked at.
    """
    parts = _parts(url)
    if method not in METHODS:
        msg = f"a look is a GET or a HEAD, not a {method}: nothing is sent twice that may have an effect"
        raise ValueError(msg)
    own = _origin(parts) == _origin(urlsplit(target.base_url))
    return Check(
        name=name,
        journey=_NAME,
        target=replace(
            target,
            # With spaces, so that no target of the configuration has this gate: a look waits for no run.
            name=f"look at {target.name}",
            base_url=target.base_url if own else f"{parts.scheme}://{parts.netloc}",
            headers=target.headers if own else (),
            trace_context=target.trace_context and own,
            concurrency=_AT_A_TIME,
        ),
        profile=profile,
        schedule=_NEVER,
        deadline=deadline,
        attempts=1,
        values=(("url", url), ("method", method), ("user_agent", user_agent), ("host", "")),
    )


def by_resolver(look: Check, server: str | None, asking: Asking = Asking.USUAL) -> Check:
    """Return a look that asks this DNS server, ``address`` or ``address:port``, and nothing that could answer for it.

    Without one the system's is asked. To ask the zone's own servers, it is asked which they are.
    That leaves out the pins of target and profile, the hosts file, and a proxy, which would look names up itself.
    """
    profile = replace(look.profile, resolver=server, asking=asking, hosts=(), proxy=None)
    return replace(look, profile=profile, target=replace(look.target, hosts=()))


def by_address(look: Check, address: str) -> Check:
    """Return a look that goes to this ``address`` or ``address:port`` in the name of the host: past edge and proxy.

    Where the port is another than the URL's, the first answer is taken as it is: a redirect would lead back to the
    edge. Raises ValueError where it is no address.
    """
    values = dict(look.values)
    parts = urlsplit(str(values["url"]))
    where = split_host_port(address)
    host = parts.hostname or ""
    pinned = HostOverride(host=host, address=where.host)
    if where.port is not None and where.port != _origin(parts)[2]:
        name = f"[{host}]" if ":" in host else host
        moved = parts._replace(netloc=f"{name}:{where.port}")
        values |= {"url": moved.geturl(), "host": parts.netloc}
        look = replace(look, target=replace(look.target, base_url=f"{moved.scheme}://{moved.netloc}"))
    target = replace(look.target, hosts=(pinned, *look.target.hosts))
    profile = replace(look.profile, hosts=(pinned, *look.profile.hosts), proxy=None)
    return replace(look, target=target, profile=profile, values=tuple(values.items()))


def built_in(name: str) -> Journey | None:
    """Return the built-in journey of a name, or nothing where there is none."""
    return _JOURNEY if name == _NAME else None


async def _look(http: Http, *, url: str, method: str, user_agent: str, host: str) -> None:
    from monitor.probes.http.plan import Wanted  # noqa: PLC0415 - workers alone have an HTTP probe

    said = {"User-Agent": user_agent, "Host": host}
    wanted = Wanted(
        method=method,
        path=url,
        headers={name: value for name, value in said.items() if value} or None,
        most_bytes=_MOST_BYTES,
        most_redirects=_MOST_REDIRECTS,
    )
    response = await http.send(wanted, follow_redirects=not host)
    if response.status >= _FIRST_ERROR_STATUS:
        msg = f"{method} {response.url} answered {response.status} {response.reason}".rstrip()
        raise ExpectationFailed(msg)


_JOURNEY = Journey(
    name=_NAME,
    title=_TITLE,
    steps=(Step(name=_NAME, title=_TITLE, act=_look),),
    probe=ProbeKind.HTTP,
    declarative=True,
    parameters=_PARAMETERS,
    source=BUILTIN,
)


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        msg = "what is no URL cannot be looked at"
        raise ValueError(msg) from None
    if parts.scheme not in _PORTS or not host:
        msg = f"only http and https can be looked at, not {parts.scheme or 'a URL without scheme'}"
        raise ValueError(msg)
    if _MASK in url:
        msg = "a secret in the URL is masked, so that the same request cannot be made again"
        raise ValueError(msg)
    if "@" in parts.netloc:
        msg = "a URL with user name or password is not looked at"
        raise ValueError(msg)
    if len(url) >= _LONGEST_URL:
        msg = f"a URL of {_LONGEST_URL} characters or more may have been cut short, and is not looked at"
        raise ValueError(msg)
    return parts


def _origin(parts: SplitResult) -> tuple[str, str, int | None]:
    host = (parts.hostname or "").rstrip(".")
    return parts.scheme, host, parts.port or _PORTS.get(parts.scheme)
