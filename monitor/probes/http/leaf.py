"""A server's certificates in the words of Go's standard library, in which the blackbox exporter tells of them."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography import x509
from cryptography.x509.oid import NameOID

# In the order in which they are written.
_NAMED = (
    (NameOID.SERIAL_NUMBER, "SERIALNUMBER"),
    (NameOID.COMMON_NAME, "CN"),
    (NameOID.ORGANIZATIONAL_UNIT_NAME, "OU"),
    (NameOID.ORGANIZATION_NAME, "O"),
    (NameOID.POSTAL_CODE, "POSTALCODE"),
    (NameOID.STREET_ADDRESS, "STREET"),
    (NameOID.LOCALITY_NAME, "L"),
    (NameOID.STATE_OR_PROVINCE_NAME, "ST"),
    (NameOID.COUNTRY_NAME, "C"),
)
_SINGLE = frozenset({NameOID.COMMON_NAME, NameOID.SERIAL_NUMBER})
_SPECIAL = frozenset(',+"\\<>;')


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """What is said of the certificate that a server showed for itself."""

    fingerprint: str
    subject: str
    issuer: str
    names: str
    serial: str


def leaf_of(der: bytes) -> Leaf:
    """Return the facts of a certificate. Raises ValueError where it cannot be read."""
    certificate = x509.load_der_x509_certificate(der)
    serial = certificate.serial_number
    return Leaf(
        fingerprint=hashlib.sha256(der).hexdigest(),
        subject=distinguished(certificate.subject),
        issuer=distinguished(certificate.issuer),
        names=",".join(_dns_names(certificate)),
        serial=serial.to_bytes((serial.bit_length() + 7) // 8, "big").hex(),
    )


def earliest_end(chain: Iterable[bytes]) -> dt.datetime | None:
    """Return when the first certificate of a chain ends. Raises ValueError where one cannot be read."""
    return min((x509.load_der_x509_certificate(der).not_valid_after_utc for der in chain), default=None)


def distinguished(name: x509.Name) -> str:
    """Return a name in one line, as Go writes it: known attributes in a fixed order, unknown ones behind them."""
    known = {oid for oid, _ in _NAMED}
    parts = []
    for oid, short in _NAMED:
        values = [str(each.value) for each in name.get_attributes_for_oid(oid)]
        if values:
            parts.append(
                "+".join(f"{short}={_escaped(value)}" for value in (values[-1:] if oid in _SINGLE else values))
            )
    others = [each for each in name if each.oid not in known]
    parts += [f"{each.oid.dotted_string}={_escaped(str(each.value))}" for each in reversed(others)]
    return ",".join(parts)


def _escaped(value: str) -> str:
    last = len(value) - 1
    return "".join(
        f"\\{char}"
        if char in _SPECIAL or (char == " " and place in {0, last}) or (char == "#" and place == 0)
        else char
        for place, char in enumerate(value)
    )


def _dns_names(certificate: x509.Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    return names.get_values_for_type(x509.DNSName)
