"""The comparison as a table for people: ``python -m tests.probes.blackbox.table`` probes anew and writes it."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tests.probes.blackbox.comparison import INTENDED, Answer, Compared, compare

DOCUMENT = Path(__file__).parents[3] / "docs" / "blackbox.md"
BEGIN, END = "<!-- comparison: begin -->\n", "<!-- comparison: end -->\n"

_HEAD = "| What is probed | Prober | Success | Answer | Compared |\n|---|---|---|---|---|\n"


def rendered(rows: Iterable[Compared]) -> str:
    """Return the table, one line for each case."""
    return _HEAD + "".join(_line(row) for row in rows)


def documented() -> str:
    """Return the table that the documentation shows."""
    return DOCUMENT.read_text("utf-8").partition(BEGIN)[2].partition(END)[0]


def write(table: str) -> None:
    """Put a table into the documentation in place of the one it has."""
    before, _, rest = DOCUMENT.read_text("utf-8").partition(BEGIN)
    DOCUMENT.write_text(before + BEGIN + table + END + rest.partition(END)[2], "utf-8")


def _line(row: Compared) -> str:
    success = "yes" if row.theirs.value("probe_success") else "no"
    return f"| {row.case.title} | {_prober(row.theirs)} | {success} | {_answer(row.theirs)} | {_verdict(row)} |\n"


def _prober(answer: Answer) -> str:
    if "probe_dns_query_succeeded" in answer.families:
        return "dns"
    return "http" if "probe_http_status_code" in answer.families else "tcp"


def _answer(answer: Answer) -> str:
    match _prober(answer):
        case "http":
            return _http(answer)
        case "dns":
            if not answer.value("probe_dns_query_succeeded"):
                return "none"
            counts = [answer.value(f"probe_dns_{section}_rrs") for section in ("answer", "authority", "additional")]
            return "records: " + ", ".join(f"{count:.0f}" for count in counts if count is not None)
        case _:
            parts = ["TLS"] if "probe_tls_version_info" in answer.families else []
            flags = ("probe_failed_due_to_regex", "probe_failed_due_to_bytes")
            parts += [name for name in flags if answer.value(name)]
            if "probe_failed_due_to_regex" not in answer.families:
                return "not connected"
            return ", ".join(parts) or "connected"


def _http(answer: Answer) -> str:
    status = answer.value("probe_http_status_code")
    if not status:
        return "none"
    parts = [f"{status:.0f}", f"HTTP/{answer.value('probe_http_version') or 0:.1f}"]
    if answer.value("probe_http_ssl"):
        parts.append("TLS")
    if redirects := answer.value("probe_http_redirects"):
        parts.append(f"{redirects:.0f} redirect{'s' if redirects > 1 else ''}")
    if answer.value("probe_failed_due_to_regex"):
        parts.append("failed due to regex")
    return ", ".join(parts)


def _verdict(row: Compared) -> str:
    if row.unintended:
        return "**differs**: " + "; ".join(row.unintended)
    apart = [known.family for known in INTENDED if known.family in row.theirs.families]
    count = f"{sum(name not in apart for name, _ in row.theirs.series)} series equal"
    return f"{count}, `{apart[0]}` apart" if apart else count


def main() -> None:
    """Probe anew and write the table."""
    with tempfile.TemporaryDirectory() as folder:
        write(rendered(asyncio.run(compare(Path(folder)))))


if __name__ == "__main__":
    main()
