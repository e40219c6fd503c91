"""The numbers that a probe gives, under the names, labels and descriptions of the blackbox exporter."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import dataclass, field

HELP: Mapping[str, str] = types.MappingProxyType(
    {
        "probe_dns_additional_rrs": "Returns number of entries in the additional resource record list",
        "probe_dns_answer_rrs": "Returns number of entries in the answer resource record list",
        "probe_dns_authority_rrs": "Returns number of entries in the authority resource record list",
        "probe_dns_duration_seconds": "Duration of DNS request by phase",
        "probe_dns_lookup_time_seconds": "Returns the time taken for probe dns lookup in seconds",
        "probe_dns_query_succeeded": "Displays whether or not the query was executed successfully",
        "probe_dns_serial": "Returns the serial number of the zone",
        "probe_duration_seconds": "Returns how long the probe took to complete in seconds",
        "probe_expect_info": "Explicit content matched",
        "probe_failed_due_to_bytes": "Indicates if probe failed due to bytes",
        "probe_failed_due_to_regex": "Indicates if probe failed due to regex",
        "probe_http_content_length": "Length of http content response",
        "probe_http_duration_seconds": "Duration of http request by phase, summed over all redirects",
        "probe_http_last_modified_timestamp_seconds": "Returns the Last-Modified HTTP response header in unixtime",
        "probe_http_redirects": "The number of redirects",
        "probe_http_ssl": "Indicates if SSL was used for the final redirect",
        "probe_http_status_code": "Response HTTP status code",
        "probe_http_uncompressed_body_length": "Length of uncompressed response body",
        "probe_http_version": "Returns the version of HTTP of the probe response",
        "probe_ip_addr_hash": "Specifies the hash of IP address. It's useful to detect if the IP address changes.",
        "probe_ip_protocol": "Specifies whether probe ip protocol is IP4 or IP6",
        "probe_ssl_earliest_cert_expiry": "Returns last SSL chain expiry in unixtime",
        "probe_ssl_last_chain_expiry_timestamp_seconds": "Returns last SSL chain expiry in timestamp",
        "probe_ssl_last_chain_info": "Contains SSL leaf certificate information",
        "probe_success": "Displays whether or not the probe was a success",
        "probe_tls_cipher_info": "Returns the TLS cipher negotiated during handshake",
        "probe_tls_version_info": "Returns the TLS version used or NaN when unknown",
    }
)

Labels = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Gauges:
    """What is known so far: a probe that is cut short leaves what it had."""

    values: dict[str, dict[Labels, float]] = field(default_factory=dict)

    def declare(self, *names: str) -> None:
        """Let gauges be 0 unless they are set."""
        for name in names:
            self.values.setdefault(name, {})[()] = 0.0

    def declare_phases(self, name: str, *phases: str) -> None:
        """Let each phase of a duration be 0 unless time is added to it."""
        for phase in phases:
            self.add_phase(name, phase, 0.0)

    def set(self, name: str, value: float, **labels: str) -> None:
        """Set a gauge."""
        self.values.setdefault(name, {})[tuple(sorted(labels.items()))] = value

    def add_phase(self, name: str, phase: str, seconds: float) -> None:
        """Add to the duration of a phase."""
        series = self.values.setdefault(name, {})
        key = (("phase", phase),)
        series[key] = series.get(key, 0.0) + seconds

    def get(self, name: str) -> float | None:
        """Return the value of a gauge without labels."""
        return self.values.get(name, {}).get(())
