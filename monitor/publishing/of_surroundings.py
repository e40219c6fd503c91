"""The families of what checks depend on: third parties, certificates, deployments."""

from __future__ import annotations

from monitor.publishing.series import Family, Kind

CERTIFICATE = Family(
    name="faultline_tls_certificate_expiry_timestamp_seconds",
    kind=Kind.GAUGE,
    labels=("host",),
    help="When the first certificate of a configured host's chain expires.",
)
VENDOR_REQUESTS = Family(
    name="faultline_third_party_requests_total",
    kind=Kind.COUNTER,
    labels=("third_party", "location"),
    help="Requests to third parties; those beyond the list of names are counted as other.",
)
VENDOR_FAILURES = Family(
    name="faultline_third_party_failures_total",
    kind=Kind.COUNTER,
    labels=("third_party", "location", "journey", "reason"),
    help="Failed requests to third parties, whether or not they hurt the journey.",
)
VENDOR_DURATION = Family(
    name="faultline_third_party_request_duration_seconds",
    kind=Kind.SUMMARY,
    labels=("third_party", "location"),
    help="Duration of requests to third parties that were answered.",
)
VENDOR_OBJECTIVE = Family(
    name="faultline_third_party_objective_ratio",
    kind=Kind.GAUGE,
    labels=("third_party",),
    help="Share of requests that a third party should answer, as the ownership file states it.",
)
DEPLOYMENT = Family(
    name="faultline_deployment_timestamp_seconds",
    kind=Kind.GAUGE,
    labels=("service", "version"),
    help="When a service was last deployed, as far as we were told; the latest version of each service only.",
)

FAMILIES: tuple[Family, ...] = (
    CERTIFICATE,
    VENDOR_REQUESTS,
    VENDOR_FAILURES,
    VENDOR_DURATION,
    VENDOR_OBJECTIVE,
    DEPLOYMENT,
)
"""All of them."""
