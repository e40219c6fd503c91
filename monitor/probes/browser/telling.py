"""The response headers that tell of causes: who answered, who stands in between, what a policy allows."""

from __future__ import annotations

from typing import Final

TELLING_HEADERS: Final = frozenset(
    {
        "access-control-allow-credentials",
        "access-control-allow-origin",
        "age",
        "alt-svc",
        "cache-control",
        "cdn-loop",
        "cf-cache-status",
        "cf-error-origin",
        "cf-error-type",
        "cf-mitigated",
        "cf-ray",
        "content-encoding",
        "content-length",
        "content-security-policy",
        "content-type",
        "cross-origin-embedder-policy",
        "cross-origin-opener-policy",
        "cross-origin-resource-policy",
        "date",
        "etag",
        "last-modified",
        "link",
        "location",
        "proxy-authenticate",
        "proxy-status",
        "retry-after",
        "server",
        "server-timing",
        "strict-transport-security",
        "via",
        "www-authenticate",
        "x-amz-cf-id",
        "x-amz-cf-pop",
        "x-amzn-waf-action",
        "x-cache",
        "x-cache-hits",
        "x-cdn",
        "x-content-type-options",
        "x-datadome",
        "x-fastly-request-id",
        "x-frame-options",
        "x-iinfo",
        "x-request-id",
        "x-served-by",
        "x-sucuri-id",
    }
)
"""Names in lower case; all other headers, cookies first of all, are never kept."""
