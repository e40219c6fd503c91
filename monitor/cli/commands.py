"""The commands of ``faultline``."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

import monitor
from monitor import service
from monitor.cli import by_hand, demo, doctor, drill, events, judging, notify, owners, serving
from monitor.cli.exits import Exit
from monitor.cli.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    DataOption,
    PasswordFileOption,
    UsernameOption,
    console_for_text,
)
from monitor.cli.scaffold import write_scaffold
from monitor.config.advice import advice
from monitor.config.forecast import forecast, rendered
from monitor.config.settings import Settings
from monitor.demo import MONITOR
from monitor.domain.secret import Redactor
from monitor.publishing.budget import forecast_series
from monitor.publishing.budget import rendered as rendered_series
from monitor.publishing.run_log import formatter_for, spare_records

app = typer.Typer(
    name="faultline",
    help="Run customer journeys, and say of each failure whose it is.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Run the command that was typed; an error that a person can mend is one clear line, not a traceback."""
    try:
        app()
    except service.StartupError as error:
        for line in error.lines:
            print(line, file=sys.stderr)
        raise SystemExit(Exit.USAGE) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except Exception:  # noqa: BLE001 - whatever it was, it must not look like a site that failed
        traceback.print_exc()
        raise SystemExit(Exit.BROKEN) from None


def _show_version(*, wanted: bool) -> None:
    if wanted:
        print(f"faultline {monitor.__version__}")
        raise typer.Exit


@app.callback()
def _common(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=lambda value: _show_version(wanted=value), is_eager=True, help="Show the version."
        ),
    ] = False,
) -> None:
    """Run customer journeys, and say of each failure whose it is."""


@app.command(short_help="Write the smallest configuration that runs.")
def init(folder: Annotated[Path, typer.Argument(help="Where to put the files.")] = Path()) -> None:
    """Write the smallest configuration that runs: one target, one journey, one check."""
    try:
        paths = write_scaffold(folder)
    except FileExistsError as error:
        msg = f"{error.args[0]} is there already; nothing was written"
        raise service.StartupError(msg) from None
    except OSError as error:
        msg = f"{error.filename or folder} cannot be written: {error.strerror}"
        raise service.StartupError(msg) from error
    for path in paths:
        print(f"wrote {path}")
    print(
        f"next: put your own address into {paths[0]}, then\n"
        f"  faultline validate --config {paths[0]}\n"
        f"  faultline run home --config {paths[0]}"
    )


@app.command(short_help="Check configuration and journeys, and what they cost.")
def validate(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Check the configuration and the journeys, and say how many runs, browsers and series they will cause."""
    settings, catalogue = asyncio.run(service.prepare(config, os.environ))
    for refused in settings.refused:
        print(f"warning: {refused.name} does not run: {refused.reason}")
    for line in (*rendered(forecast(settings, catalogue)), *rendered_series(forecast_series(settings, catalogue))):
        print(line)
    for line in advice(settings):
        print(f"warning: {line}")
    print(f"{config} is good" + (f", but {_refused(len(settings.refused))}" if settings.refused else ""))


def _refused(number: int) -> str:
    return "1 check does not run" if number == 1 else f"{number} checks do not run"


@app.command(short_help="Run checks once, now.")
def run(
    checks: Annotated[list[str], typer.Argument(help="Names of checks or journeys.", metavar="CHECK...")],
    *,
    config: ConfigOption = DEFAULT_CONFIG,
    profile: Annotated[str | None, typer.Option(help="Run only checks with this client profile.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per run, one per line.")] = False,
    artifacts: Annotated[
        Path | None, typer.Option(help="Where files of the runs go; a temporary folder otherwise.")
    ] = None,
    data: DataOption = None,
    investigate: Annotated[
        bool, typer.Option(help="Try what tells causes apart where a run does not pass: it takes up to a minute.")
    ] = True,
) -> None:
    """Run checks once, now, and keep nothing but the files of --artifacts.

    Exit status: 0 passed or degraded, 1 failed, 2 wrong usage, 3 inconclusive, 70 a mistake in Faultline itself.
    """
    settings = service.read_settings(config, os.environ, service.StartupChoices(data=data))
    _log_to_stderr(settings, logging.ERROR)
    wanted = by_hand.Wanted(names=tuple(checks), profile=profile, artifacts=artifacts, investigate=investigate)
    raise typer.Exit(asyncio.run(by_hand.run_checks(settings, wanted, as_json=as_json, console=console_for_text())))


@app.command(short_help="Run all checks on schedule, with pages and metrics.")
def serve(
    *,
    config: ConfigOption = DEFAULT_CONFIG,
    data: DataOption = None,
    listen: Annotated[
        str | None, typer.Option("--listen", "--web.listen-address", help="host:port, in place of web.listen.")
    ] = None,
    external_url: Annotated[
        str | None,
        typer.Option(
            "--external-url", "--web.external-url", help="Where people reach the pages, in place of web.external_url."
        ),
    ] = None,
    username: UsernameOption = None,
    password_file: PasswordFileOption = None,
) -> None:
    """Run every check on its schedule, and serve pages and metrics, until told to stop."""
    choices = service.StartupChoices(
        data=data, listen=listen, external_url=external_url, username=username, password_file=password_file
    )
    settings = service.read_settings(config, os.environ, choices)
    _log_to_stderr(settings, logging.INFO)
    raise typer.Exit(asyncio.run(serving.serve(settings, choices, environ=os.environ, announce=_announce)))


# In the order in which a newcomer needs them: that is the order of --help.
app.command("explain", short_help="Say whose failure a run was, and why; or correct it.")(judging.explain_run)
app.command("owners", short_help="Show whose each host is that journeys touched.")(owners.show_owners)
app.command("drill", short_help="Find the third parties a journey cannot live without.")(drill.drill_check)
app.command("replay", short_help="Judge stored runs by today's rules; keeps nothing.")(judging.replay_runs)
app.command("notify", short_help="Send a test notification to a receiver.")(notify.try_receiver)
app.add_typer(events.app, name="event")


@app.command("doctor", short_help="Look at this machine and this installation.")
def examine(*, config: ConfigOption = DEFAULT_CONFIG, data: DataOption = None) -> None:
    """Look at this machine and this installation: clock, load, configuration, disk, browsers."""
    console = console_for_text()

    async def tell() -> bool:
        bad = False
        # A browser that does not start takes its time, and whoever waits should see what is good so far.
        async for finding in doctor.examine(config, os.environ, data):
            console.print(finding.line)
            bad |= finding.bad
        return bad

    raise typer.Exit(Exit.FAILED if asyncio.run(tell()) else Exit.GOOD)


@app.command("demo", short_help="Start the bundled shop, to break and to mend.")
def run_demo(
    *,
    data: Annotated[Path, typer.Option(help="Where the shop keeps its certificates.")] = Path("data/demo"),
    ports_from: Annotated[int, typer.Option(help="The first of the shop's ports.")] = demo.FIRST_PORT,
    with_monitor: Annotated[bool, typer.Option("--with-monitor", help="Start the monitor beside the shop.")] = False,
    control_address: Annotated[
        str, typer.Option(help="Address on which the control page listens; the shop itself stays on 127.0.0.1.")
    ] = "127.0.0.1",
    monitor_url: Annotated[str, typer.Option(help="Where the control page leads to Faultline.")] = MONITOR,
    authority_only: Annotated[
        bool, typer.Option("--authority-only", help="Make the authority of the shop's certificates, and end.")
    ] = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Start the bundled shop, which can be broken and mended on its control page."""
    # The configuration names the authority's file, which has to be there when it is read.
    authority = demo.make_authority(data)
    if authority_only:
        print(authority)
        return
    if not with_monitor:
        place = demo.Place(ports_from=ports_from, control_address=control_address, monitor_url=monitor_url)
        raise typer.Exit(asyncio.run(demo.shop_alone(data, place, _announce)))
    settings = service.read_settings(config, os.environ)
    with demo.shop_beside(data, settings.web.url):
        _log_to_stderr(settings, logging.INFO)
        _announce(demo.where_to_look(settings.web.url))
        raise typer.Exit(
            asyncio.run(serving.serve(settings, service.StartupChoices(), environ=os.environ, announce=_announce))
        )


def _announce(lines: Sequence[str]) -> None:
    for line in lines:
        print(line, flush=True)


def _log_to_stderr(settings: Settings, level: int) -> None:
    spare_records()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter_for(sys.stderr, Redactor(settings.secrets), os.environ.get))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("monitor").setLevel(level)
