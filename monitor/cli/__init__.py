"""What a person types: commands, what they print, and their exit status."""

from __future__ import annotations

from monitor.cli.commands import main

__all__ = ["main"]
