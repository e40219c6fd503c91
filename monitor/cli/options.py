"""Options that several commands share, and how commands write."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TextIO

import typer
from rich.console import Console

from monitor.service import DEFAULT_CONFIG, StartupError

__all__ = ["DEFAULT_CONFIG"]

ConfigOption = Annotated[
    Path, typer.Option("--config", "-c", "--config.file", help="The configuration file.", envvar="FAULTLINE_CONFIG")
]
DataOption = Annotated[
    Path | None,
    typer.Option("--data", help="Where runs are kept, in place of storage.directory.", envvar="FAULTLINE_DATA"),
]
ListenOption = Annotated[
    str | None, typer.Option("--listen", help="host:port of the running monitor, in place of web.listen.")
]
UsernameOption = Annotated[
    str | None, typer.Option("--username", help="User name for the pages, in place of web.username.")
]
PasswordFileOption = Annotated[
    Path | None, typer.Option("--password-file", help="File with the password for the pages.")
]

_WIDE = 240
_SPAN = re.compile(r"(\d{1,6})\s*(s|m|min|h|d|w)", re.IGNORECASE)
_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}


def span_of(option: str, text: str) -> float:
    """Return the seconds that a span such as ``24h`` or ``7d`` has. Raises StartupError for anything else."""
    match = _SPAN.fullmatch(text.strip())
    if match is None or int(match[1]) == 0:
        msg = f"{option}: '{text}' is no span of time; write 30m, 24h or 7d"
        raise StartupError(msg)
    return int(match[1]) * _SECONDS[match[2].lower()]


def console_for_text() -> Console:
    """Return the console that tells a person something, without colors of its own invention."""
    # What is not a terminal has no width, and tables that are cut to fit one would lose what a script looks for.
    return Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else _WIDE)


def progress_to_stderr(stream: TextIO, what: str) -> Callable[[int, int], None]:
    """Return what shows progress to a person at a terminal, and nothing to anybody else."""

    def show(done: int, whole: int) -> None:
        if stream.isatty():
            print(f"\r{done} of {whole} {what}", end="\n" if done == whole else "", file=stream, flush=True)

    return show
