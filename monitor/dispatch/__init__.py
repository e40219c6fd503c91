"""Where a run is carried out: worker processes on this machine, killed from outside at the deadline."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monitor.dispatch.dispatcher import Dispatcher, DispatcherStatus, Equipped, NoResult
    from monitor.dispatch.lane import LaneStatus
    from monitor.dispatch.messages import LaneName

__all__ = ["Dispatcher", "DispatcherStatus", "Equipped", "LaneName", "LaneStatus", "NoResult"]

_HOMES = {"LaneName": "messages", "LaneStatus": "lane"}


def __getattr__(name: str) -> object:
    # Loaded when first asked for: the keeper of a worker is a module of this package too, and has to stay tiny.
    if name in __all__:
        import importlib  # noqa: PLC0415 - as above

        return getattr(importlib.import_module(f"monitor.dispatch.{_HOMES.get(name, 'dispatcher')}"), name)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
