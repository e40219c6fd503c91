"""What of a profile is told to a fresh context: its options, and the commands that each of its targets is given."""

from __future__ import annotations

import dataclasses
from typing import Any

from playwright.async_api import Playwright

from monitor.domain.assignment import Assignment
from monitor.domain.evidence import ProberFault
from monitor.domain.profile import ClientProfile, Engine, Network, Proxy
from monitor.probes.browser.devtools import Emulation
from monitor.probes.session import ProberError

_UNLIMITED = -1
_DEVICE_FIELDS = ("user_agent", "viewport", "screen", "device_scale_factor", "is_mobile", "has_touch")


def context_options(playwright: Playwright, assignment: Assignment) -> dict[str, Any]:
    """Return the options of the fresh context. Raises ProberError for a device nobody knows."""
    profile = assignment.check.profile
    options: dict[str, Any] = {"accept_downloads": False, **_device(playwright, profile)}
    if profile.viewport is not None:
        options["viewport"] = dataclasses.asdict(profile.viewport)
        options.pop("screen", None)
    chosen = {"locale": profile.locale, "timezone_id": profile.timezone, "user_agent": profile.user_agent}
    options |= {name: value for name, value in chosen.items() if value is not None}
    if not profile.javascript:
        options["java_script_enabled"] = False
    if profile.proxy is not None:
        options["proxy"] = _proxy(profile.proxy)
    if assignment.interventions:
        # A service worker would answer past our routes.
        options["service_workers"] = "block"
    return options


def emulation_of(profile: ClientProfile) -> Emulation:
    """Return the DevTools commands that make a Chromium behave as the profile's client."""
    everywhere: list[tuple[str, dict[str, Any]]] = []
    if profile.network is not None and not profile.network.offline:
        everywhere.append(("Network.emulateNetworkConditions", _conditions(profile.network)))
    if not profile.third_party_storage:
        controls = {
            "enableThirdPartyCookieRestriction": True,
            "disableThirdPartyCookieMetadata": True,
            "disableThirdPartyCookieHeuristics": True,
        }
        everywhere.append(("Network.setCookieControls", controls))
    pages = [("Emulation.setCPUThrottlingRate", {"rate": profile.cpu_slowdown})] if profile.cpu_slowdown != 1 else []
    return Emulation(everywhere=tuple(everywhere), pages=tuple(pages))


def _device(playwright: Playwright, profile: ClientProfile) -> dict[str, Any]:
    if profile.device is None:
        return {}
    device = playwright.devices.get(profile.device)
    if device is None:
        message = f"Profile {profile.name}: Playwright knows no device {profile.device!r}; see `playwright devices`."
        raise ProberError(ProberFault.INTERNAL, message)
    fields = {name: device[name] for name in _DEVICE_FIELDS if name in device}
    if profile.engine is Engine.FIREFOX:
        # Firefox has no mobile mode; screen, touch and user agent still apply.
        fields.pop("is_mobile", None)
    return fields


def _proxy(proxy: Proxy) -> dict[str, str]:
    settings = {"server": proxy.url}
    if proxy.username is not None:
        settings["username"] = proxy.username
    if proxy.password is not None:
        settings["password"] = proxy.password.reveal()
    if proxy.bypass:
        settings["bypass"] = ",".join(proxy.bypass)
    return settings


def _conditions(network: Network) -> dict[str, float | bool]:
    return {
        "offline": False,
        "latency": network.latency.total_seconds() * 1000,
        "downloadThroughput": _bytes_per_second(network.download_bits_per_second),
        "uploadThroughput": _bytes_per_second(network.upload_bits_per_second),
    }


def _bytes_per_second(bits: int | None) -> float:
    return _UNLIMITED if bits is None else bits / 8
