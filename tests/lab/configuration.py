"""What the monitor is told: the files a user would write for this world, and nothing more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tests.lab.journeys import journey_text
from tests.lab.manifest import Manifest
from tests.lab.vocabulary import OWN, VENDORS
from tests.lab.world.names import category_of
from tests.lab.world.world import World

DEADLINE = "25s"
_DESKTOP = {"viewport": "1280x800", "locale": "en-GB", "timezone": "Europe/London"}


def write_configuration(world: World, directory: Path) -> Path:
    """Write everything below ``directory`` and return the path of ``monitor.yaml``."""
    checks = directory / "checks"
    checks.mkdir(parents=True)
    manifest = world.manifest
    (checks / f"{manifest.journey}.py").write_text(journey_text(world), encoding="utf-8")
    (directory / "ca.pem").write_text(world.certificates.bundle(), encoding="utf-8")
    (directory / "password").write_text(f"{world.names.token}-{world.names.slug}", encoding="utf-8")
    path = directory / "monitor.yaml"
    path.write_text(yaml.safe_dump(_monitor(world), sort_keys=False), encoding="utf-8")
    (directory / "ownership.yaml").write_text(yaml.safe_dump(_ownership(world), sort_keys=False), encoding="utf-8")
    return path


def _monitor(world: World) -> dict[str, Any]:
    manifest = world.manifest
    profiles = _profiles(world)
    check: dict[str, Any] = {"journey": manifest.journey, "profile": _profile_name(manifest)}
    if manifest.monitor.budget is not None:
        check["budget"] = manifest.monitor.budget
    if manifest.journey == "login":
        check |= {"values": {"email": "ada@mail.example"}, "secrets": {"password": {"file": "password"}}}
    if manifest.monitor.second_account:
        check["second_account"] = {"values": {"email": "grace@mail.example"}}
    checks = [check]
    if manifest.monitor.reference not in {None, check["profile"]}:
        # A profile is known to the monitor by a check that is made with it; this one waits to be asked.
        checks.append(check | {"profile": manifest.monitor.reference, "every": "24h"})
    if _other_profile(manifest) is not None:
        # The judged run is made with the last check.
        checks.append(check | {"profile": "visitor", "every": "24h"})
    target: dict[str, Any] = {"base_url": _base(world), "extra_ca": "ca.pem"}
    if not world.privileged:
        target["hosts"] = world.zone()
    return {
        "location": world.names.library.lower(),
        "journeys": "checks",
        "storage": {"directory": "data"},
        "workers": {"browsers": 1, "scripts": 1},
        "profiles": profiles,
        "targets": {world.names.domains["own"].partition(".")[0]: target},
        "defaults": {"every": "5m", "deadline": DEADLINE, "attempts": 1},
        "investigation": _investigation(world),
        "checks": checks,
    }


def _base(world: World) -> str:
    role = {"support": "hosted", "api": "api"}.get(world.manifest.journey, "own")
    return world.names.url(role)


def _profile_name(manifest: Manifest) -> str:
    return manifest.profile if isinstance(manifest.profile, str) else "client"


def _profiles(world: World) -> dict[str, Any]:
    manifest = world.manifest
    profiles: dict[str, Any] = {"desktop": dict(_DESKTOP)}
    profiles |= {name: _bound(world, profile) for name, profile in manifest.monitor.profiles.items()}
    if not isinstance(manifest.profile, str):
        profiles["client"] = _bound(world, manifest.profile)
    other = _other_profile(manifest)
    if other is not None:
        profiles["visitor"] = _bound(world, _DESKTOP | other)
    return profiles


def _other_profile(manifest: Manifest) -> dict[str, Any] | None:
    """Return the profile of the judged run, where that is the fault."""
    found = (fault.parameters["profile"] for fault in manifest.faults if fault.what == "profile")
    return next(found, None)


def _bound(world: World, profile: dict[str, Any]) -> dict[str, Any]:
    bound = dict(profile)
    if isinstance(bound.get("proxy"), str):
        bound["proxy"] = {"url": world.proxies[bound["proxy"].lstrip("@")].url}
    return bound


def _investigation(world: World) -> dict[str, Any]:
    monitor = world.manifest.monitor
    found: dict[str, Any] = dict(monitor.investigation)
    if world.privileged:
        found["resolvers"] = [world.names.addresses[role.lstrip("@")] for role in monitor.resolvers]
    if monitor.vantages:
        places = ("north", "south")
        found["vantages"] = {
            place: world.proxies[role.lstrip("@")].url for place, role in zip(places, monitor.vantages, strict=False)
        }
    if monitor.reference is not None:
        found["reference_profile"] = monitor.reference
    return found


def _ownership(world: World) -> dict[str, Any]:
    names, monitor = world.names, world.manifest.monitor
    unnamed = {role.lstrip("@") for role in monitor.unnamed}
    critical = {role.lstrip("@") for role in monitor.critical}
    vendors: dict[str, Any] = {}
    for role in VENDORS:
        if role in unnamed or role == "edge":
            continue
        vendors[names.titles[role]] = {"hosts": [f"*.{names.domains[role]}"], "category": category_of(role)}
        if role in critical:
            vendors[names.titles[role]]["critical"] = True
    hosted = {"host": names.hosts["hosted"], "vendor": names.titles["saas"]}
    if monitor.tenant:
        hosted["control"] = names.url("tenant", "/")
    stated: dict[str, Any] = {
        "domains": [names.domains["own"], names.domains["api"]],
        "default_team": names.teams["own"],
        "hosts": {names.hosts[role]: names.teams[role] for role in OWN},
        "vendors": vendors,
        "hosted": [hosted],
        "controls": [names.url(role.lstrip("@"), "/") for role in monitor.controls],
    }
    if world.manifest.world.edge is not None:
        stated["edges"] = [world.edge.title]
        if monitor.origin:
            stated["origins"] = {names.hosts["own"]: f"{names.addresses['origin']}:{names.port}"}
    return stated


def name_of(world: World, role: str) -> str:
    """Return what a correct diagnosis calls the culprit: the team, the vendor."""
    bare = role.lstrip("@")
    if bare == "edge":
        return world.edge.title
    if bare in VENDORS:
        return world.names.titles[bare]
    return world.names.teams.get({"origin": "own", "hosted": "own"}.get(bare, bare), "")
