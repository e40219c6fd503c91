"""Tells the monitor what happened elsewhere: a deployment."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
from dataclasses import replace
from typing import Annotated, Any

import typer

from monitor.cli import asking
from monitor.cli.options import DEFAULT_CONFIG, ConfigOption, DataOption, ListenOption
from monitor.config.settings import Settings
from monitor.domain.clock import SystemClock
from monitor.domain.deployment import KIND, Deployment, deployment_from
from monitor.history import History, HistoryError, InUseError
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
) -> None:
    """Tell of a deployment: the running monitor where there is one, else its history. The same one twice is one."""
    settings = read_settings(config, os.environ, StartupChoices(data=data))
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
    if listen is not None:
        settings = replace(settings, web=read_settings(config, os.environ, StartupChoices(listen=listen)).web)
    new = asyncio.run(_keep(settings, deployment))
    print(f"{service} {version} deployed {deployment.at:%Y-%m-%d %H:%M:%S} UTC: {'noted' if new else 'known already'}")


async def _keep(settings: Settings, deployment: Deployment) -> bool:
    """The store has one writer: while a monitor runs, that one is asked; otherwise we are it for a moment."""
    try:
        history = await History.open(settings.storage, clock=SystemClock())
    except InUseError as error:
        answer = await asyncio.to_thread(asking.ask, settings.web, "/api/v1/events", _body(deployment), str(error))
        return bool(answer.get("new"))
    except HistoryError as error:
        raise StartupError(str(error)) from error
    try:
        return await history.deployed(deployment)
    except HistoryError as error:
        raise StartupError(str(error)) from error
    finally:
        await history.close()


def _body(deployment: Deployment) -> dict[str, Any]:
    at = deployment.at.astimezone(dt.UTC).isoformat()
    return {
        "kind": KIND,
        "service": deployment.service,
        "version": deployment.version,
        "at": at,
        "target": deployment.target,
        "url": deployment.url,
    }
