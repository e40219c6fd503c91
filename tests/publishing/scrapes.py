"""Reading back what a scrape received."""

from __future__ import annotations

from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from monitor.publishing.metrics import Metrics

OPENMETRICS = "application/openmetrics-text;version=1.0.0"


def samples(metrics: Metrics, accept: str = "") -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    body, content_type = metrics.render(accept)
    parse = parse_openmetrics if content_type.startswith("application/openmetrics") else parse_text
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in parse(body.decode())
        for sample in family.samples
    }


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    """Return the sum of all samples of a name that carry these labels; ``None`` where there is none."""
    wanted = labels.items()
    found = [number for (sample, held), number in samples(metrics).items() if sample == name and wanted <= held]
    return sum(found) if found else None


def lines(metrics: Metrics) -> list[str]:
    return [line for line in metrics.render()[0].decode().split("\n") if line and not line.startswith("#")]
