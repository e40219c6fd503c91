"""Whom a client trusts: one TLS context for each set of extra authorities, made once, free of the environment."""

from __future__ import annotations

import hashlib
import ssl
from pathlib import Path

import certifi

from monitor.domain.evidence import ProberFault
from monitor.probes.session import ProberError


class TrustStore:
    """Makes and keeps TLS contexts; building one costs twenty times what a probe costs."""

    def __init__(self, public: Path | None = None) -> None:
        """Trust the authorities in the file ``public``: Mozilla's, as browsers do, unless another one is named."""
        self._public = public or public_authorities()
        self._contexts: dict[tuple[str, ...], ssl.SSLContext] = {}

    def context(self, extra_ca: tuple[str, ...] = (), *, http2: bool = True) -> ssl.SSLContext:
        """Return the context of clients that trust these authorities beside the public ones.

        Raises ProberError where a text holds no certificate.
        """
        key = ("h2" if http2 else "http/1.1", *(hashlib.sha256(pem.encode()).hexdigest() for pem in extra_ca))
        context = self._contexts.get(key)
        if context is None:
            context = self._contexts[key] = self._make(extra_ca, http2=http2)
        return context

    def _make(self, extra_ca: tuple[str, ...], *, http2: bool) -> ssl.SSLContext:
        # Not create_default_context: it obeys SSLKEYLOGFILE, SSL_CERT_FILE and SSL_CERT_DIR.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["h2", "http/1.1"] if http2 else ["http/1.1"])
        context.load_verify_locations(cafile=self._public)
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        for pem in extra_ca:
            try:
                context.load_verify_locations(cadata=pem)
            except (ssl.SSLError, ValueError) as error:
                msg = "extra_ca holds no certificate in PEM form; give the text between BEGIN and END CERTIFICATE"
                raise ProberError(ProberFault.INTERNAL, msg) from error
        return context


def public_authorities() -> Path:
    """Return the file of the authorities that browsers trust."""
    return Path(certifi.where())


def without_verification() -> ssl.SSLContext:
    """Return a context that believes everything; only for looking at a certificate that was refused."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
