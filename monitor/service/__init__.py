"""Builds every part of the monitor and connects them: the only place that knows them all."""

from __future__ import annotations

from monitor.service.one_shot import OneShot
from monitor.service.opening import open_service
from monitor.service.running import Service
from monitor.service.runs import recorded
from monitor.service.startup import DEFAULT_CONFIG, StartupChoices, StartupError, prepare, read_settings

__all__ = [
    "DEFAULT_CONFIG",
    "OneShot",
    "Service",
    "StartupChoices",
    "StartupError",
    "open_service",
    "prepare",
    "read_settings",
    "recorded",
]
