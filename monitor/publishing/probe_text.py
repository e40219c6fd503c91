"""The text that a probe on request is answered with: numbers for a scraper, or all that is known for a person."""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping

from monitor.domain.secret import Redactor
from monitor.probes.blackbox.gauges import HELP, Gauges, Labels
from monitor.publishing.series import escape

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_EXACT = 1e15

RUN_INFO = "faultline_probe_run_info"
RUN_MOMENT = "faultline_probe_run_timestamp_seconds"

# What is told beside the exporter's own numbers where a check was asked for.
OWN_HELP: Mapping[str, str] = types.MappingProxyType(
    {
        RUN_INFO: "Outcome of the latest scheduled run of the check and, where it failed, whose failure it is",
        RUN_MOMENT: "When the latest scheduled run of the check was due",
    }
)


def exposition(gauges: Gauges) -> str:
    """Return the numbers in the text format, sorted as the exporter sorts them."""
    lines: list[str] = []
    for name in sorted(gauges.values):
        lines.append(f"# HELP {name} {HELP.get(name) or OWN_HELP[name]}\n# TYPE {name} gauge\n")
        series = gauges.values[name]
        lines.extend(f"{name}{_braced(labels)} {_number(float(series[labels]))}\n" for labels in sorted(series))
    return "".join(lines)


def for_a_person(gauges: Gauges, *, lines: Iterable[str], shown: str, redactor: Redactor) -> str:
    """Return log, numbers and module of a probe in the order of the exporter, with every secret masked."""
    text = (
        "Logs for the probe:\n" + "\n".join(lines) + "\n\n\n\n"
        "Metrics that would have been returned:\n" + exposition(gauges) + "\n\n\n"
        "Module configuration:\n" + shown + "\n"
    )
    return redactor.mask(text)


def _braced(labels: Labels) -> str:
    inner = ",".join(f'{name}="{escape(value)}"' for name, value in labels)
    return f"{{{inner}}}" if inner else ""


def _number(value: float) -> str:
    # A moment in seconds is easier to read with all its digits than with an exponent.
    return str(int(value)) if value.is_integer() and abs(value) < _EXACT else repr(value)
