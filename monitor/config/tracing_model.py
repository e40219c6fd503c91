"""The section ``tracing`` of ``monitor.yaml``, and what is made of it."""

from __future__ import annotations

import datetime as dt
import functools
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from monitor.config.draft import Draft, collected
from monitor.config.header_name import HeaderName
from monitor.config.secrets import SecretValue
from monitor.config.settings import TracingSettings
from monitor.reading.problem import quoted
from monitor.reading.quantities import Duration
from monitor.reading.validation import FileModel

_SECTION = ("tracing",)


def check_endpoint(value: str) -> str:
    """Return the URL of an OTLP receiver as it is. Raises ValueError where it is not a whole one."""
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username is not None:
        msg = f"{quoted(value)} is no OTLP/HTTP address; write it whole, such as http://collector:4318/v1/traces"
        raise ValueError(msg)
    return value


class TracingModel(FileModel):
    """Where a trace of each run goes; needs the extra ``otel``."""

    endpoint: Annotated[str, AfterValidator(check_endpoint)] = Field(
        description="OTLP/HTTP address for traces, such as `http://collector:4318/v1/traces`."
    )
    headers: dict[HeaderName, SecretValue] = Field(
        default_factory=dict, description="Headers of each export, such as an API key: `${NAME}` or `{file: path}`."
    )
    service_name: str = Field(
        default="faultline", min_length=1, max_length=100, description="`service.name` of the traces."
    )
    timeout: Duration = Field(default=dt.timedelta(seconds=10), description="How long one export may take.")


def tracing_from(model: TracingModel | None, draft: Draft) -> TracingSettings | None:
    """Return where traces go; refuses a header whose secret is not to be had."""
    if model is None:
        return None
    headers, missing = collected(
        {name: functools.partial(draft.secret, source, f"header {name}") for name, source in model.headers.items()}
    )
    for reason in missing:
        draft.refuse((*_SECTION, "headers"), reason)
    return TracingSettings(
        endpoint=model.endpoint,
        headers=tuple(headers.items()),
        service_name=model.service_name,
        timeout=model.timeout,
    )
