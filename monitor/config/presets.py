"""What configuration may call by name: access lines, devices, executables and time zones."""

from __future__ import annotations

import datetime as dt
import functools
import importlib.resources
import types
import zoneinfo
from collections.abc import Mapping

from monitor.domain.profile import Network
from monitor.reading.problem import quoted
from monitor.reading.suggestion import did_you_mean


def _line(name: str, down_kbit: int, up_kbit: int, round_trip_ms: int) -> Network:
    return Network(
        name=name,
        latency=dt.timedelta(milliseconds=round_trip_ms),
        download_bits_per_second=down_kbit * 1000,
        upload_bits_per_second=up_kbit * 1000,
    )


# Figures of WebPageTest's connectivity profiles, so that results compare with those of other tools.
NETWORKS: Mapping[str, Network] = types.MappingProxyType(
    {
        "2g": _line("2g", 280, 256, 800),
        "slow-3g": _line("slow-3g", 400, 400, 400),
        "3g": _line("3g", 1600, 768, 300),
        "fast-3g": _line("fast-3g", 1600, 768, 150),
        "4g": _line("4g", 9000, 9000, 170),
        "lte": _line("lte", 12000, 12000, 70),
        "dsl": _line("dsl", 1500, 384, 50),
        "cable": _line("cable", 5000, 1000, 28),
        "fiber": _line("fiber", 20000, 5000, 4),
        "offline": Network(name="offline", offline=True),
    },
)

# A browser is a program that runs with our rights: only these may be named, each by its full path.
EXECUTABLES: Mapping[str, tuple[str, ...]] = types.MappingProxyType(
    {
        "chromium": (
            "/usr/bin/chromium",
            "/usr/bin/chromium-browser",
            "/usr/lib/chromium/chromium",
            "/usr/bin/google-chrome",
            "/usr/bin/google-chrome-stable",
            "/opt/google/chrome/chrome",
            "/snap/bin/chromium",
        ),
        "headless_shell": (
            "/usr/bin/chromium-headless-shell",
            "/usr/lib/chromium/chromium-headless-shell",
            "/usr/lib/chromium/headless_shell",
        ),
        "firefox": (
            "/usr/bin/firefox",
            "/usr/bin/firefox-esr",
            "/usr/lib/firefox/firefox",
            "/usr/lib/firefox-esr/firefox-esr",
            "/opt/firefox/firefox",
            "/snap/bin/firefox",
        ),
    },
)


@functools.cache
def device_names() -> tuple[str, ...]:
    """Return the names of Playwright's devices, as of the version that the project depends on."""
    return tuple(importlib.resources.files("monitor.config").joinpath("devices.txt").read_text("utf-8").splitlines())


def check_device(value: str) -> str:
    """Return the name of a device as it is. Raises ValueError where Playwright knows none of that name."""
    if value not in device_names():
        hint = did_you_mean(value, device_names())
        msg = f"{quoted(value)} is not a device of Playwright{hint or '; see docs/configuration.md'}"
        raise ValueError(msg)
    return value


def check_timezone(value: str) -> str:
    """Return the name of a time zone as it is. Raises ValueError where there is none of that name."""
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        hint = did_you_mean(value, zoneinfo.available_timezones())
        msg = f"{quoted(value)} is not a time zone{hint or '; write UTC or Europe/Berlin'}"
        raise ValueError(msg) from None
    return value


def check_executable(key: str, value: str) -> str:
    """Return the path of a browser as it is. Raises ValueError where it is not among the known ones."""
    allowed = EXECUTABLES[key]
    if value not in allowed:
        msg = f"{quoted(value)} may not be run as a browser; leave the key out, or write one of {', '.join(allowed)}"
        raise ValueError(msg)
    return value
