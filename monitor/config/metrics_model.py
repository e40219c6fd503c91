"""The ``metrics`` and ``business`` of ``monitor.yaml``: how much is counted, and in whose money."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from monitor.config.settings import MetricsDetail, MetricsSettings
from monitor.reading.problem import quoted
from monitor.reading.suggestion import did_you_mean
from monitor.reading.validation import FileModel

_CODE_LENGTH = 3


def check_detail(value: str) -> str:
    """Return a level of detail as it is. Raises ValueError where there is no such level."""
    levels = [level.value for level in MetricsDetail]
    if value not in levels:
        hint = did_you_mean(value, levels) or f"; write {', '.join(levels[:-1])} or {levels[-1]}"
        msg = f"{quoted(value)} is no level of detail{hint}"
        raise ValueError(msg)
    return value


def check_currency(value: str) -> str:
    """Return a currency as it is. Raises ValueError where it has not the form of an ISO 4217 code."""
    if len(value) != _CODE_LENGTH or not value.isascii() or not value.isalpha() or not value.isupper():
        msg = f"{quoted(value)} is not the code of a currency; write EUR"
        raise ValueError(msg)
    return value


_Detail = Annotated[
    str, AfterValidator(check_detail), Field(json_schema_extra={"enum": [level.value for level in MetricsDetail]})
]
_Currency = Annotated[str, AfterValidator(check_currency), Field(json_schema_extra={"pattern": "^[A-Z]{3}$"})]


class MetricsModel(FileModel):
    """How much is counted of each check."""

    detail: _Detail = Field(
        default=MetricsDetail.STANDARD.value,
        description="`core`: 12 series a check; `standard`: also experience, durations, coverage; `full`: also steps, "
        "phases and Web Vitals.",
    )
    series_limit: int = Field(
        default=500_000, ge=1_000, le=10_000_000, description="Series of all checks together; beyond it none is added."
    )


class BusinessModel(FileModel):
    """What the numbers of the business mean."""

    currency: _Currency | None = Field(
        default=None, description="Currency of every `value_per_customer`, as an ISO 4217 code: `EUR`."
    )


def metrics_from(model: MetricsModel) -> MetricsSettings:
    """Return the settings of the metrics."""
    return MetricsSettings(detail=MetricsDetail(model.detail), series_limit=model.series_limit)
