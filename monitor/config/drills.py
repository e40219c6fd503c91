"""The model of ``drills``: when which check is drilled for third parties that it cannot live without."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pydantic import Field

from monitor.config.crontab import Cron
from monitor.config.draft import Draft
from monitor.config.profile_model import TimeZone
from monitor.config.settings import DrillPlan
from monitor.domain.check import Schedule
from monitor.reading.problem import quoted
from monitor.reading.suggestion import did_you_mean
from monitor.reading.validation import FileModel


class DrillModel(FileModel):
    """A check that is drilled again and again: each third party of its journey is blocked, delayed and emptied."""

    check: str = Field(min_length=1, description="Name of a check with a browser journey.")
    cron: Cron = Field(description="Crontab expression of the starts; at night, for example `0 3 * * *`.")
    timezone: TimeZone | None = Field(default=None, description="Time zone of `cron`; UTC where it is left out.")


def drills_from(models: Mapping[int, DrillModel], names: Iterable[str], draft: Draft) -> tuple[DrillPlan, ...]:
    """Return the drills, and refuse those of a check that does not exist."""
    known = tuple(names)
    for index, model in models.items():
        if model.check not in known:
            hint = did_you_mean(model.check, known) or "; write a name such as checkout@shop/desktop"
            draft.refuse(("drills", index, "check"), f"no check is called {quoted(model.check)}{hint}")
    return tuple(
        DrillPlan(check=model.check, schedule=Schedule(cron=model.cron, timezone=model.timezone or "UTC"))
        for model in models.values()
    )
