"""What of a profile must be known when a browser starts, and the command line that it becomes."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from monitor.domain.check import Target
from monitor.domain.evidence import ProberFault
from monitor.domain.profile import ClientProfile, Engine, HostOverride, IpFamily
from monitor.probes.session import ProberError

_CHROMIUM_FLAGS = (
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-default-browser-check",
    "--no-service-autorun",
    "--disable-crash-reporter",
)
_FIREFOX_QUIET: dict[str, str | float | bool] = {
    "app.update.enabled": False,
    "app.normandy.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.safebrowsing.downloads.enabled": False,
    "browser.region.network.url": "",
    "browser.topsites.contile.enabled": False,
    "browser.newtabpage.activity-stream.feeds.section.topstories": False,
    "datareporting.healthreport.uploadEnabled": False,
    "extensions.getAddons.cache.enabled": False,
    "extensions.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.trr.mode": 5,
    "security.OCSP.enabled": 0,
    "services.settings.server": "data:,#remote-settings-dummy/v1",
    "toolkit.telemetry.enabled": False,
}
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "FONTCONFIG_FILE", "FONTCONFIG_PATH")


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchPlan:
    """The part of profile and target that cannot change while a browser lives; equal plans share one browser."""

    engine: Engine = Engine.CHROMIUM
    full_browser: bool = False
    hosts: tuple[HostOverride, ...] = ()
    authorities: tuple[str, ...] = ()
    http2: bool = True
    third_party_storage: bool = True
    ip_family: IpFamily = IpFamily.ANY


def plan_launch(profile: ClientProfile, target: Target) -> LaunchPlan:
    """Return how the browser for a check must be started. Raises ProberError for what its engine cannot do."""
    _refuse_impossible(profile, target)
    firefox = profile.engine is Engine.FIREFOX
    return LaunchPlan(
        engine=profile.engine,
        full_browser=profile.full_browser,
        hosts=(*profile.hosts, *target.hosts),
        authorities=tuple(pem for pem in (profile.extra_ca, target.extra_ca) if pem),
        http2=profile.http2,
        # Chromium is told per page, Firefox only at its start.
        third_party_storage=profile.third_party_storage or not firefox,
        ip_family=profile.ip_family,
    )


def chromium_arguments(plan: LaunchPlan) -> list[str]:
    """Return the flags for a Chromium."""
    arguments = list(_CHROMIUM_FLAGS)
    if plan.hosts:
        rules = ",".join(f"MAP {_from(override)} {_to(override)}" for override in plan.hosts)
        arguments.append(f"--host-resolver-rules={rules}")
    if not plan.http2:
        arguments.append("--disable-http2")
    return arguments


def firefox_preferences(plan: LaunchPlan) -> dict[str, str | float | bool]:
    """Return the preferences for a Firefox."""
    preferences = dict(_FIREFOX_QUIET)
    if plan.hosts:
        preferences["network.dns.localDomains"] = ",".join(sorted({override.host for override in plan.hosts}))
    if not plan.http2:
        preferences["network.http.http2.enabled"] = False
    if not plan.third_party_storage:
        preferences["network.cookie.cookieBehavior"] = 1
    if plan.ip_family is IpFamily.IPV4:
        preferences["network.dns.disableIPv6"] = True
    return preferences


def browser_environment(home: Path, temporary: Path, inherited: Mapping[str, str]) -> dict[str, str | float | bool]:
    """Return the browser's environment: none of our secrets, no proxy, and a home that is thrown away."""
    kept = {name: inherited[name] for name in _PASSED_ON if name in inherited}
    return {"PATH": os.defpath, **kept, "HOME": str(home), "TMPDIR": str(temporary), "MOZ_CRASHREPORTER_DISABLE": "1"}


def firefox_wrapper(executable: Path, database: Path) -> str:
    """Return a script that puts a trust database into the profile Playwright made, and then becomes Firefox."""
    return (
        "#!/bin/sh\n"
        'previous=\nfor argument; do\n  case "$previous" in\n'
        f'    -profile|--profile) cp "{database}"/* "$argument"/ ;;\n'
        '  esac\n  previous="$argument"\ndone\n'
        f'exec "{executable}" "$@"\n'
    )


def _from(override: HostOverride) -> str:
    return f"{override.host}:{override.port}" if override.port else override.host


def _to(override: HostOverride) -> str:
    address = f"[{override.address}]" if ":" in override.address else override.address
    return f"{address}:{override.port}" if override.port else address


def _refuse_impossible(profile: ClientProfile, target: Target) -> None:
    for impossible, sentence in _impossible(profile, target):
        if impossible:
            raise ProberError(ProberFault.INTERNAL, f"Profile {profile.name}: {sentence}")


def _impossible(profile: ClientProfile, target: Target) -> tuple[tuple[bool, str], ...]:
    chromium = profile.engine is Engine.CHROMIUM
    firefox = profile.engine is Engine.FIREFOX
    hosts = (*profile.hosts, *target.hosts)
    network = profile.network
    shaped = network is not None and (
        bool(network.latency)
        or network.download_bits_per_second is not None
        or network.upload_bits_per_second is not None
    )
    one_family = profile.ip_family is not IpFamily.ANY
    return (
        (bool(profile.resolver), "a browser cannot be told which resolver to ask; use hosts, or an HTTP check."),
        (one_family and not (firefox and profile.ip_family is IpFamily.IPV4), _FAMILY),
        (shaped and not chromium, "only Chromium can slow its network down; use Chromium, or no network."),
        (profile.cpu_slowdown != 1 and not chromium, "only Chromium can slow its processor down; use Chromium."),
        (bool(hosts) and not chromium and not (firefox and _all_loopback(hosts)), _HOSTS),
        (bool(target.headers) and not chromium, _HEADERS),
        (profile.engine is Engine.WEBKIT and bool(profile.extra_ca or target.extra_ca), "WebKit takes no extra CA."),
        (profile.engine is Engine.WEBKIT and not profile.third_party_storage, "WebKit always blocks its own way."),
    )


_FAMILY = "this engine cannot be held to one IP version (Firefox can to IPv4); use hosts, or an HTTP check."
_HOSTS = "Firefox can send a name only to this machine itself (127.0.0.1), WebKit nowhere; use Chromium for hosts."
_HEADERS = "this engine would carry the target's headers on to third parties in a redirect; use Chromium."


def _all_loopback(hosts: tuple[HostOverride, ...]) -> bool:
    return all(ipaddress.ip_address(override.address).is_loopback and override.port is None for override in hosts)
