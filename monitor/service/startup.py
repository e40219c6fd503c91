"""What has to be known before anything starts: settings, choices made on the command line, journeys."""

from __future__ import annotations

import asyncio
import datetime as dt
import secrets
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from monitor.config.loading import ConfigurationError, load
from monitor.config.matching import check_journeys
from monitor.config.settings import Settings, WebSettings
from monitor.domain.journey import JourneyCatalogue
from monitor.domain.secret import Secret
from monitor.journeys.catalogue import catalogue as find_journeys
from monitor.reading.addresses import HostPort, check_base_url, is_loopback, split_host_port
from monitor.reading.problem import quoted

DEFAULT_CONFIG = Path("config/monitor.yaml")
"""The configuration file where nobody names another."""

_RANDOM_BYTES = 5
_SECONDS = len("2026-01-01T00:00:00")


class StartupError(Exception):
    """The program cannot start or do what was asked; ``lines`` say why and what to do about it."""

    def __init__(self, *lines: str) -> None:
        """Keep the lines, each of which stands for itself."""
        super().__init__("\n".join(lines))
        self.lines = lines


@dataclass(frozen=True, slots=True, kw_only=True)
class StartupChoices:
    """What the command line says in place of the configuration file."""

    data: Path | None = None
    listen: str | None = None
    external_url: str | None = None
    username: str | None = None
    password_file: Path | None = None


def read_settings(path: Path, environ: Mapping[str, str], choices: StartupChoices | None = None) -> Settings:
    """Return the settings. Raises StartupError with every problem of the configuration."""
    if _absent(path):
        msg = f"{path}: there is no such file; name yours with --config, or write one with 'faultline init'"
        raise StartupError(msg)
    try:
        settings = load(path, environ)
    except ConfigurationError as error:
        raise StartupError(*map(str, error.problems)) from error
    return with_choices(settings, choices or StartupChoices())


def _absent(path: Path) -> bool:
    try:
        path.stat()
    except FileNotFoundError:
        return True
    except (OSError, ValueError):
        # Anything else is told of by whoever reads the file.
        return False
    return False


def with_choices(settings: Settings, choices: StartupChoices) -> Settings:
    """Return the settings with the choices of the command line in force. Raises StartupError for a dangerous one."""
    # Workers live in folders of their own, from where a relative path leads elsewhere.
    directory = (choices.data or settings.storage.directory).resolve()
    storage = replace(settings.storage, directory=directory)
    journeys = settings.journeys.resolve()
    chosen = replace(settings, storage=storage, journeys=journeys, web=_web(settings.web, choices))
    return replace(chosen, options=_options(settings, chosen, choices))


def _options(settings: Settings, chosen: Settings, choices: StartupChoices) -> str:
    """Return what other commands have to be given to mean the same monitor from wherever they are typed."""
    elsewhere = settings.path != DEFAULT_CONFIG
    words = ["--config", str(settings.path.resolve())] if elsewhere else []
    if choices.data is not None or (elsewhere and not settings.storage.directory.is_absolute()):
        words += ["--data", str(chosen.storage.directory)]
    if (chosen.web.nearby, chosen.web.port) != (settings.web.nearby, settings.web.port):
        words += ["--listen", f"{chosen.web.nearby}:{chosen.web.port}"]
    return shlex.join(words)


def _web(web: WebSettings, choices: StartupChoices) -> WebSettings:
    if choices.listen is not None:
        try:
            address = _address(choices.listen)
        except ValueError as error:
            msg = f"--listen: {error}"
            raise StartupError(msg) from error
        web = replace(web, host=address.host, port=address.port or web.port)
    if choices.external_url is not None:
        web = replace(web, external_url=_external_url(choices.external_url))
    if choices.username is not None:
        web = replace(web, username=choices.username)
    if choices.password_file is not None:
        password = _password(choices.password_file)
        web = replace(web, username=web.username or "faultline", password=password)
    if web.password is None and choices.username is not None:
        msg = "--username: a user name needs a password; give its file with --password-file"
        raise StartupError(msg)
    if web.password is None and not is_loopback(web.host):
        remedy = "give --username and --password-file, or listen on 127.0.0.1"
        msg = f"to listen on {web.host} without a password would show everything to everybody: {remedy}"
        raise StartupError(msg)
    return web


def _address(text: str) -> HostPort:
    address = split_host_port(text)
    if address.port is None:
        msg = f"{quoted(text)} has no port; write host:port, such as 127.0.0.1:9488 or [::1]:9488"
        raise ValueError(msg)
    return address


def _external_url(text: str) -> str:
    try:
        return check_base_url(text)
    except ValueError as error:
        msg = f"--external-url: {error}"
        raise StartupError(msg) from error


def _password(path: Path) -> Secret:
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        msg = f"--password-file: {path} cannot be read: {reason}"
        raise StartupError(msg) from error
    if not text:
        msg = f"--password-file: {path} is empty; an empty password is no password"
        raise StartupError(msg)
    return Secret("web.password", text)


async def prepare(
    path: Path, environ: Mapping[str, str], choices: StartupChoices | None = None
) -> tuple[Settings, JourneyCatalogue]:
    """Return settings and journeys that fit each other. Raises StartupError with every problem of both."""
    try:
        settings = await asyncio.to_thread(read_settings, path, environ, choices)
    except StartupError as error:
        raise StartupError(*error.lines, *await _lines_of_journeys(error)) from error
    return settings, await journeys_for(settings)


async def _lines_of_journeys(error: StartupError) -> tuple[str, ...]:
    """Return what is wrong with the journeys too, where enough of the configuration is left to find them."""
    cause = error.__cause__
    if not isinstance(cause, ConfigurationError) or cause.salvaged is None:
        return ()
    settings = replace(cause.salvaged, journeys=cause.salvaged.journeys.resolve())
    return problem_lines(settings, await find_journeys(settings.journeys))


async def journeys_for(settings: Settings, *, strict: bool = True) -> JourneyCatalogue:
    """Find the journeys. ``strict`` raises StartupError for each that is unusable or that a check misses."""
    catalogue = await find_journeys(settings.journeys)
    problems = problem_lines(settings, catalogue)
    if strict and problems:
        raise StartupError(*problems)
    return catalogue


def problem_lines(settings: Settings, catalogue: JourneyCatalogue) -> tuple[str, ...]:
    """Return what is wrong with the journeys and how checks use them, each with its place."""
    return tuple(map(str, check_journeys(settings, catalogue)))


def new_run_id(now: dt.datetime) -> str:
    """Return an id that no other run has, and that sorts by its moment."""
    # A third of what strftime takes, and each run needs one.
    day, _, time = now.isoformat(timespec="seconds")[:_SECONDS].partition("T")
    return f"{day.replace('-', '')}-{time.replace(':', '')}-{secrets.token_hex(_RANDOM_BYTES)}"


def refusals(settings: Settings) -> Sequence[str]:
    """Return why some checks do not run."""
    return [f"{check.name} does not run: {check.reason}" for check in settings.refused]
