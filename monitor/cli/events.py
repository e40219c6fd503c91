"""Tells the monitor what happened elsewhere: a deployment."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
from typing import Annotated, Any

import typer

from monitor.cli import asking
from monitor.cli.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    DataOption,
    ListenOption,
    PasswordFileOption,
    UsernameOption,
)
from monitor.config.settings import Settings
from monitor.domain.clock import SystemClock
from monitor.domain.deployment import KIND, Deployment, deployment_from
from monitor.history import History
from monitor.service import StartupChoices, StartupError, read_settings

app = typer.Typer(help="Tell the monitor what happened elsewhere.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def _events() -> None:
    """Tell the monitor what happened elsewhere."""


@app.command("deploy", short_help="Tell of a deployment.")
def tell_of_deployment(
    service: Annotated[str, typer.Argument(help="What was deployed.")],
    version: Annotated[str, typer.Argument(help="Which version of it.")],
    *,
    at: Annotated[str | None, typer.Option(help="When, with its offset: 2026-11-26T04:00:00Z; now otherwise.")] = None,
    target: Annotated[str, typer.Option(help="The target that it concerns; all otherwise.")] = "",
    url: Annotated[str, typer.Option(help="Where people find more about it.")] = "",
    config: ConfigOption = DEFAULT_CONFIG,
    data: DataOption = None,
    listen: ListenOption = None,
    username: UsernameOption = None,
    password_file: PasswordFileOption = None,
) -> None:
    """Tell of a deployment: the running monitor where there is one, else its history. The same one twice is one."""
    choices = StartupChoices(data=data, listen=listen, username=username, password_file=password_file)
    settings = read_settings(config, os.environ, choices)
    now = SystemClock().now()
    event = {"kind": KIND, "service": service, "version": version, "target": target, "url": url}
    try:
        deployment = deployment_from(
            event if at is None else {**event, "at": at},
            now=now,
            targets={check.target.name for check in settings.checks},
            oldest=now - settings.storage.keep_runs,
        )
    except ValueError as error:
        raise StartupError(str(error)) from error
    new = asyncio.run(_keep(settings, deployment, chosen=data is not None))
    print(f"{service} {version} deployed {deployment.at:%Y-%m-%d %H:%M:%S} UTC: {'noted' if new else 'known already'}")


async def _keep(settings: Settings, deployment: Deployment, *, chosen: bool) -> bool:
    async def write(history: History) -> dict[str, Any]:
        return {"new": await history.deployed(deployment)}

    answer = await asking.told(settings, "/api/v1/events", _body(deployment), write, chosen=chosen)
    return bool(answer.get("new"))


def _body(deployment: Deployment) -> dict[str, str]:
    at = deployment.at.astimezone(dt.UTC).isoformat()
    return {
        "kind": KIND,
        "service": deployment.service,
        "version": deployment.version,
        "at": at,
        "target": deployment.target,
        "url": deployment.url,
    }
