"""What a server's certificates say, read once for each certificate."""

from __future__ import annotations

import hashlib
from collections import OrderedDict

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from monitor.domain.exchange import Certificate

_MOST_KEPT = 4_096
_MOST_NAMES = 200


class CertificateReader:
    """Turns certificates as they are sent into facts, and remembers those it has read."""

    def __init__(self) -> None:
        """Start with nothing remembered."""
        self._read: OrderedDict[bytes, Certificate] = OrderedDict()

    def read(self, chain: tuple[bytes, ...]) -> tuple[Certificate, ...]:
        """Return the facts of a chain, leaf first. One that cannot be read keeps its hash alone."""
        return tuple(self._one(der) for der in chain)

    def _one(self, der: bytes) -> Certificate:
        known = self._read.get(der)
        if known is None:
            known = self._read[der] = _parse(der)
            while len(self._read) > _MOST_KEPT:
                self._read.popitem(last=False)
        return known


def _parse(der: bytes) -> Certificate:
    fingerprint = hashlib.sha256(der).hexdigest()
    try:
        certificate = x509.load_der_x509_certificate(der)
        return Certificate(
            subject=certificate.subject.rfc4514_string(),
            issuer=certificate.issuer.rfc4514_string(),
            names=_names(certificate),
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
            sha256=fingerprint,
        )
    except Exception:  # noqa: BLE001 - a server may send any bytes, and the library lets several kinds of errors out
        return Certificate(subject="", issuer="", sha256=fingerprint)


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return ()
    return tuple(str(name.value) for name in names)[:_MOST_NAMES]


def lacks_intermediate(chain: tuple[bytes, ...], extra_ca: tuple[str, ...]) -> bool:
    """Say whether an untrusted chain most likely breaks off, rather than leads to an authority that nobody knows.

    OpenSSL says the same of both. A chain breaks off when its last certificate names an issuer that was not sent; that
    issuer is likely a public one where the certificate tells where to fetch it (public authorities must say so), or
    one of the client's own where it carries the organization of an extra authority.
    """
    try:
        last = x509.load_der_x509_certificate(chain[-1])
        if last.issuer == last.subject:
            return False
        if _tells_where_its_issuer_is(last):
            return True
        own = {
            _organization(authority.subject)
            for pem in extra_ca
            for authority in x509.load_pem_x509_certificates(pem.encode())
        }
        return _organization(last.issuer) in own
    except Exception:  # noqa: BLE001 - as above
        return False


def _tells_where_its_issuer_is(certificate: x509.Certificate) -> bool:
    try:
        access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except x509.ExtensionNotFound:
        return False
    return any(each.access_method == AuthorityInformationAccessOID.CA_ISSUERS for each in access)


def _organization(name: x509.Name) -> str:
    return ",".join(str(each.value) for each in name.get_attributes_for_oid(NameOID.ORGANIZATION_NAME))
