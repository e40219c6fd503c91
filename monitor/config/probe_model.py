"""The model of probing on request, and what becomes of it."""

from __future__ import annotations

from pydantic import Field

from monitor.config.blackbox import built_in_modules, modules_from
from monitor.config.draft import Draft
from monitor.config.settings import ProbeSettings
from monitor.reading.names import PathText
from monitor.reading.validation import FileModel


class ProbeModel(FileModel):
    """Probing on request, at ``/probe``."""

    enabled: bool = Field(default=True, description="Whether there is a door for it at all.")
    modules: PathText | None = Field(
        default=None, description="File of modules as the blackbox exporter has them; a usual set where it is left out."
    )
    at_once: int = Field(default=32, ge=1, le=1000, description="Probes at the same time; further ones wait.")


def probe_from(model: ProbeModel, draft: Draft) -> ProbeSettings:
    """Return what can be probed on request; what is wrong in the file of modules is a problem of that file."""
    if model.modules is None:
        return ProbeSettings(enabled=model.enabled, at_once=model.at_once, modules=built_in_modules())
    modules, problems = modules_from(draft.origin.folder / model.modules)
    draft.problems += problems
    draft.secrets += [secret for module in modules.values() for secret in module.secrets]
    return ProbeSettings(enabled=model.enabled, at_once=model.at_once, modules=modules)
