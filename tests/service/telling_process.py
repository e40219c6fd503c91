"""A process whose check begins to fail, which says when that is stored with what is told of it, until it is killed."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from monitor.config.receivers import NotificationSettings, WebhookReceiver
from monitor.config.settings import Settings, StorageSettings
from monitor.history import History
from tests.builders import a_check
from tests.history.runs import a_failed_run
from tests.service.test_notifying import Shift, StillClock, stored


async def main(directory: Path, url: str) -> None:
    settings = Settings(
        path=directory / "monitor.yaml",
        location="here",
        journeys=directory,
        checks=(a_check(),),
        storage=StorageSettings(directory=directory),
        notifications=NotificationSettings(receivers=(WebhookReceiver(name="oncall", url=url),)),
    )
    history = await History.open(settings.storage, clock=StillClock())
    shift = Shift(settings, history)
    await shift.begin()
    for minute in range(3):
        shift.take(a_failed_run(minute))
    await stored(history)
    sys.stdout.write("stored\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
