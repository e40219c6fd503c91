"""The section ``events`` of ``monitor.yaml``."""

from __future__ import annotations

from pydantic import Field

from monitor.reading.names import PathText
from monitor.reading.validation import FileModel


class EventsModel(FileModel):
    """Where others tell us what happened, beside `POST /api/v1/events`."""

    file: PathText | None = Field(
        default=None, description="File that deployments are appended to, one JSON object a line."
    )
