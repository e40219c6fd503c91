from __future__ import annotations

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from monitor.probes.http.certificates import CertificateReader, lacks_intermediate


def _der(blob: trustme.Blob) -> bytes:
    return x509.load_pem_x509_certificate(blob.bytes()).public_bytes(Encoding.DER)


def test_a_certificate_is_read_once(authority):
    reader = CertificateReader()
    der = _der(authority.issue_cert("shop.localhost", "127.0.0.1").cert_chain_pems[0])
    first = reader.read((der,))
    assert first[0].names == ("shop.localhost", "127.0.0.1")
    assert "trustme" in first[0].issuer
    assert reader.read((der,))[0] is first[0]


def test_rubbish_keeps_its_hash_alone():
    found = CertificateReader().read((b"no certificate",))
    assert (found[0].subject, len(found[0].sha256)) == ("", 64)


def test_a_chain_that_breaks_off_is_told_from_one_of_an_unknown_authority(authority, authority_pem):
    leaf = _der(authority.create_child_ca().issue_cert("shop.localhost").cert_chain_pems[0])
    assert lacks_intermediate((leaf,), (authority_pem,))
    assert not lacks_intermediate((leaf,), ())
    assert not lacks_intermediate((_der(authority.cert_pem),), (authority_pem,))
    assert not lacks_intermediate((), (authority_pem,))
    assert not lacks_intermediate((b"rubbish",), (authority_pem,))
