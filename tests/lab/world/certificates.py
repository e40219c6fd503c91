"""Certificates of the world: several issuers that the monitor trusts, and one that it does not."""

from __future__ import annotations

import datetime as dt
import ssl
import threading
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_DAY = dt.timedelta(days=1)
_TITLES = ("{} Trust Services CA", "{} TLS Issuing CA 3", "{} Domain Validation CA", "{} Gateway Root")
FOREIGN = 3


@dataclass(frozen=True, slots=True)
class _Issuer:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


class Certificates:
    """Makes certificates as they are asked for. ``directory`` is the world's own; the monitor never sees it."""

    def __init__(self, directory: Path, words: tuple[str, ...]) -> None:
        """Make the issuers, named after drawn words."""
        self._directory = directory
        self._lock = threading.Lock()
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._issuers = [_issuer(title.format(word.title())) for title, word in zip(_TITLES, words, strict=True)]
        self._contexts: dict[tuple[object, ...], ssl.SSLContext] = {}

    def bundle(self) -> str:
        """Return what the monitor is told to trust, in PEM form."""
        return "".join(issuer.certificate.public_bytes(Encoding.PEM).decode() for issuer in self._issuers[:FOREIGN])

    def context(
        self, host: str, *, issuer: int, kind: str = "good", other: str = "", days: float = 0.0, moved: float = 0.0
    ) -> ssl.SSLContext:
        """Return the server side of TLS for a host. ``moved`` is how many days the world's clock runs ahead."""
        key = (host, issuer, kind, other, days, moved)
        with self._lock:
            if key not in self._contexts:
                self._contexts[key] = self._make(host, issuer, kind, other, days, moved)
            return self._contexts[key]

    def _make(self, host: str, number: int, kind: str, other: str, days: float, moved: float) -> ssl.SSLContext:
        now = dt.datetime.now(dt.UTC) + moved * _DAY
        start, end = now - 20 * _DAY, now + 60 * _DAY
        match kind:
            case "expired":
                start, end = now - 90 * _DAY, now - (days or 2) * _DAY
            case "not-yet-valid":
                start = now + (days or 2) * _DAY
            case "ends-soon":
                end = now + (days or 2) * _DAY
        issuer = self._issuers[FOREIGN if kind == "unknown-issuer" else number]
        name = other if kind == "other-name" else host
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        signer = _Issuer(issuer.certificate, self._key) if kind == "self-signed" else issuer
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject if kind == "self-signed" else issuer.certificate.subject)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(end)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
        )
        if kind != "self-signed":
            authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key())
            builder = builder.add_extension(authority, critical=False)
        certificate = builder.sign(signer.key, hashes.SHA256())
        path = self._directory / f"{x509.random_serial_number():x}.pem"
        pem = self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path.write_bytes(pem + certificate.public_bytes(Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        context.set_alpn_protocols(["h2", "http/1.1"] if kind == "h2" else ["http/1.1"])
        return context


def _issuer(title: str) -> _Issuer:
    key = ec.generate_private_key(ec.SECP256R1())
    now = dt.datetime.now(dt.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, title)])
    usage = x509.KeyUsage(
        digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 400 * _DAY)
        .not_valid_after(now + 3650 * _DAY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return _Issuer(certificate, key)
