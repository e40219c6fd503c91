"""Where a page's only thread spent its time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptTime:
    """Main-thread work of one script during one step, as the browser attributes its long frames."""

    url: str
    seconds: float
    step: str = ""
