from __future__ import annotations

import datetime as dt
import stat

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from monitor.demo.certificates import Authority, CertificateKind

NOW = dt.datetime(2030, 5, 1, 12, tzinfo=dt.UTC)
SHOP = "www.shop.localhost"


class HandClock:
    def __init__(self):
        self.moment = NOW

    def now(self):
        return self.moment

    def elapsed(self):
        return 0.0


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def authority(tmp_path, clock):
    return Authority(tmp_path, clock)


def leaf(directory, kind=CertificateKind.VALID):
    return x509.load_pem_x509_certificate((directory / f"{SHOP}-{kind}.pem").read_bytes())


def test_a_valid_certificate_lasts_a_month(authority, tmp_path):
    authority.context(SHOP, CertificateKind.VALID)
    certificate = leaf(tmp_path)
    assert certificate.not_valid_before_utc < NOW
    assert certificate.not_valid_after_utc == NOW + dt.timedelta(days=30)


def test_an_expired_certificate_ended_two_days_ago(authority, tmp_path):
    authority.context(SHOP, CertificateKind.EXPIRED)
    assert leaf(tmp_path, CertificateKind.EXPIRED).not_valid_after_utc == NOW - dt.timedelta(days=2)


def test_a_certificate_of_the_future_begins_years_from_now(authority, tmp_path):
    authority.context(SHOP, CertificateKind.NOT_YET_VALID)
    began = leaf(tmp_path, CertificateKind.NOT_YET_VALID).not_valid_before_utc
    assert began > NOW + dt.timedelta(days=1000)


def test_a_foreign_issuer_is_not_ours(authority, tmp_path):
    authority.context(SHOP, CertificateKind.FOREIGN_ISSUER)
    issuer = leaf(tmp_path, CertificateKind.FOREIGN_ISSUER).issuer
    assert issuer.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "Example Office Web Gateway"


def test_a_certificate_is_renewed_when_it_has_become_old(authority, tmp_path, clock):
    first = authority.context(SHOP, CertificateKind.VALID)
    clock.moment += dt.timedelta(days=19)
    assert authority.context(SHOP, CertificateKind.VALID) is first
    clock.moment += dt.timedelta(days=2)
    assert authority.context(SHOP, CertificateKind.VALID) is not first
    assert leaf(tmp_path).not_valid_after_utc == clock.moment + dt.timedelta(days=30)


def test_the_root_is_kept_over_a_restart(authority, tmp_path, clock):
    assert Authority(tmp_path, clock).pem == authority.pem
    assert authority.path.read_text() == authority.pem


def test_a_root_that_is_about_to_end_is_replaced(authority, tmp_path, clock):
    clock.moment += dt.timedelta(days=3649)
    assert Authority(tmp_path, clock).pem != authority.pem


def test_the_root_speaks_for_names_below_localhost_alone(authority):
    root = x509.load_pem_x509_certificate(authority.pem.encode())
    constraints = root.extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical
    assert [name.value for name in constraints.value.permitted_subtrees] == ["localhost"]


def test_keys_are_for_the_owner_alone(authority, tmp_path):
    authority.context(SHOP, CertificateKind.VALID)
    for path in (tmp_path / "ca.key", tmp_path / f"{SHOP}-valid.pem"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_every_host_presents_a_certificate_of_its_own_name(shop, visitor):
    for host in ("shop", "api", "payment", "identity", "museum"):
        presented = await visitor.certificate(host)
        assert ("DNS", shop.url(host).split("/")[2].partition(":")[0]) in presented["subjectAltName"]
