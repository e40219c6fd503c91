"""The words of a manifest: roles, faults with their parameters, and what a machine must be able to do."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

JOURNEYS = ("buy", "login", "content", "support", "api")

OWN = ("own", "api", "flags", "live")
"""The shop, its API on another own domain, its flag service, its WebSocket."""

VENDORS = ("pay", "cdn", "tags", "tag", "cmp", "ads", "ana", "fonts", "maps", "chat", "captcha", "idp", "saas", "edge")
CONTROLS = ("control1", "control2", "control3")
SERVERS = (*OWN, *VENDORS, *CONTROLS, "tenant", "hosted", "edgecontrol")
"""Everything that answers HTTP. ``saas`` serves ``hosted`` (an own name) and ``tenant`` (another customer's name)."""

PROXIES = ("proxy", "vantage1", "vantage2")
RESOLVERS = ("r1", "r2")
AUTHORITY = "ns"
"""The server that the own zones call theirs, in a world that has one."""
ROLES = (*SERVERS, "origin", *PROXIES, *RESOLVERS, AUTHORITY, "monitor", "link")

GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "controls": CONTROLS,
        "everyone": SERVERS,
        "resolvers": RESOLVERS,
    }
)

PARAMETERS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = MappingProxyType(
    {
        # connections
        "stopped": ((), ()),
        "black-hole": ((), ()),
        "reset": ((), ()),
        "close": ((), ()),
        "silent-tls": ((), ()),
        "tls-alert": (("code",), ()),
        "tls-delay": (("seconds",), ()),
        "certificate": (("kind",), ("days",)),
        "goaway": ((), ()),
        # answers
        "status": (("status",), ("body", "headers", "type")),
        "empty": ((), ()),
        "truncated": ((), ("share",)),
        "hang": ((), ()),
        "stall": (("bytes",), ()),
        "delay": (("seconds",), ()),
        "drip": (("seconds",), ()),
        "header": (("name",), ("value",)),
        "body": (("body",), ("type",)),
        "replace": (("old", "new"), ()),
        "malformed": ((), ()),
        "redirect-loop": ((), ()),
        "rate-limit": (("burst",), ("per_second",)),
        "reset-answer": ((), ()),
        "empty-answer": ((), ()),
        "garbage": ((), ()),
        # scripts and pages
        "script": (("payload",), ("seconds",)),
        "variant": (("name",), ("value",)),
        # names
        "dns": (("answer",), ("seconds", "extended_error", "address", "resolvers")),
        # the edge in front of the own site
        "edge": (("error",), ("status",)),
        # forward proxies
        "proxy": (("kind",), ("hosts", "status", "body", "old", "new", "seconds")),
        # the machine of the monitor
        "machine": (("kind",), ("percent", "after_seconds", "megabytes", "address", "count")),
        "clock": (("days",), ()),
        "profile": (("profile",), ()),
    }
)
"""Faults: what each must be told, and what it may be told."""

ABILITIES: Mapping[str, str] = MappingProxyType(
    {
        "names": "root and a mount namespace of its own, so that the monitor asks the lab's resolvers",
        "netns": "root and a network namespace of its own",
        "cgroup": "a writable cpu control group",
        "ipv6": "IPv6 on this machine",
        "firefox": "Firefox with Playwright",
        "chromium": "the full Chromium",
        "tmpfs": "root, to mount a small disk",
    }
)
