"""The shop's own certificate authority, and the good and bad certificates of its hosts."""

from __future__ import annotations

import datetime as dt
import ssl
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from pathlib import Path

    from monitor.domain.clock import Clock

_DAY = dt.timedelta(days=1)
_LEAF_LIFE = 30 * _DAY
_RENEW_BEFORE = 10 * _DAY
_AUTHORITY_LIFE = 3650 * _DAY
_SKEW = 3 * 365 * _DAY


class CertificateKind(StrEnum):
    """What is right or wrong with a certificate."""

    VALID = "valid"
    EXPIRED = "expired"
    WRONG_NAME = "wrong-name"
    FOREIGN_ISSUER = "foreign-issuer"
    NOT_YET_VALID = "not-yet-valid"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Issuer:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


class Authority:
    """Issues certificates below ``directory``; its root is made at first use and kept, so that it is trusted once.

    The root can only speak for names below ``localhost``, so that whoever trusts it risks nothing else.
    """

    def __init__(self, directory: Path, clock: Clock) -> None:
        """Load the root of an earlier start, or make one."""
        self._directory = directory
        self._clock = clock
        self._directory.mkdir(parents=True, exist_ok=True)
        self._own = self._load_or_make("ca", "Faultline demo shop")
        self._foreign: _Issuer | None = None
        self._contexts: dict[tuple[str, CertificateKind], tuple[dt.datetime, ssl.SSLContext]] = {}

    @property
    def path(self) -> Path:
        """Return the file of the root certificate, for whoever wants to trust it."""
        return self._directory / "ca.pem"

    @property
    def pem(self) -> str:
        """Return the root certificate as PEM text."""
        return self._own.certificate.public_bytes(Encoding.PEM).decode()

    def context(self, hostname: str, kind: CertificateKind) -> ssl.SSLContext:
        """Return a TLS context with a certificate of this kind, renewed when it has become old."""
        now = self._clock.now()
        known = self._contexts.get((hostname, kind))
        if known is not None and now < known[0]:
            return known[1]
        context = self._issue(hostname, kind, now)
        self._contexts[hostname, kind] = (now + _LEAF_LIFE - _RENEW_BEFORE, context)
        return context

    def _issue(self, hostname: str, kind: CertificateKind, now: dt.datetime) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = self._issuer(kind)
        name = "another-site.localhost" if kind is CertificateKind.WRONG_NAME else hostname
        start, end = _life(kind, now)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(_name(name))
            .issuer_name(issuer.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(end)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()),
                critical=False,
            )
            .sign(issuer.key, hashes.SHA256())
        )
        path = self._directory / f"{hostname}-{kind}.pem"
        _write(path, _key_pem(key) + certificate.public_bytes(Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def _issuer(self, kind: CertificateKind) -> _Issuer:
        if kind is not CertificateKind.FOREIGN_ISSUER:
            return self._own
        if self._foreign is None:
            self._foreign = _make_issuer("Example Office Web Gateway", self._clock.now())
        return self._foreign

    def _load_or_make(self, name: str, title: str) -> _Issuer:
        certificate_path, key_path = self._directory / f"{name}.pem", self._directory / f"{name}.key"
        now = self._clock.now()
        if certificate_path.exists() and key_path.exists():
            certificate = x509.load_pem_x509_certificate(certificate_path.read_bytes())
            key = load_pem_private_key(key_path.read_bytes(), password=None)
            if isinstance(key, ec.EllipticCurvePrivateKey) and now + _LEAF_LIFE < certificate.not_valid_after_utc:
                return _Issuer(certificate=certificate, key=key)
        issuer = _make_issuer(title, now)
        _write(key_path, _key_pem(issuer.key))
        certificate_path.write_bytes(issuer.certificate.public_bytes(Encoding.PEM))
        return issuer


def _make_issuer(title: str, now: dt.datetime) -> _Issuer:
    key = ec.generate_private_key(ec.SECP256R1())
    constraints = x509.NameConstraints(permitted_subtrees=[x509.DNSName("localhost")], excluded_subtrees=None)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_name(title))
        .issuer_name(_name(title))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + _AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(constraints, critical=True)
        .add_extension(_signing_only(), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return _Issuer(certificate=certificate, key=key)


def _signing_only() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )


def _life(kind: CertificateKind, now: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
    if kind is CertificateKind.EXPIRED:
        return now - _LEAF_LIFE, now - 2 * _DAY
    if kind is CertificateKind.NOT_YET_VALID:
        return now + _SKEW - _DAY, now + _SKEW + _LEAF_LIFE
    return now - _DAY, now + _LEAF_LIFE


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)
