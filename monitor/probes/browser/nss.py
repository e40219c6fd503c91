"""Writes a trust database for browsers through libnss3 itself. A program of its own, since NSS has global state.

Usage: ``nss.py DIRECTORY < authorities.pem``. Needs nothing but the standard library, and ends with one sentence on
standard error where it fails.
"""

from __future__ import annotations

import base64
import binascii
import ctypes
import re
import sys
from pathlib import Path

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", re.DOTALL)
_TRUST = b"CT,C,C"


class _Item(ctypes.Structure):
    _fields_ = (("type", ctypes.c_int), ("data", ctypes.c_char_p), ("len", ctypes.c_uint))


class _Trust(ctypes.Structure):
    _fields_ = (("ssl", ctypes.c_uint), ("email", ctypes.c_uint), ("code", ctypes.c_uint))


def _library() -> ctypes.CDLL:
    try:
        nss = ctypes.CDLL("libnss3.so")
    except OSError as error:
        message = f"libnss3.so cannot be loaded ({error}): install the package libnss3"
        raise SystemExit(message) from None
    pointer, text = ctypes.c_void_p, ctypes.c_char_p
    nss.NSS_InitReadWrite.argtypes = [text]
    nss.PK11_GetInternalKeySlot.restype = pointer
    nss.PK11_NeedUserInit.argtypes = [pointer]
    nss.PK11_InitPin.argtypes = [pointer, text, text]
    nss.PK11_ImportCert.argtypes = [pointer, pointer, ctypes.c_ulong, text, ctypes.c_int]
    nss.PK11_FreeSlot.argtypes = [pointer]
    nss.CERT_GetDefaultCertDB.restype = pointer
    nss.CERT_NewTempCertificate.restype = pointer
    nss.CERT_NewTempCertificate.argtypes = [pointer, pointer, text, ctypes.c_int, ctypes.c_int]
    nss.CERT_DecodeTrustString.argtypes = [pointer, text]
    nss.CERT_ChangeCertTrust.argtypes = [pointer, pointer, pointer]
    nss.CERT_DestroyCertificate.argtypes = [pointer]
    return nss


def _must(status: int, what: str) -> None:
    if status:
        message = f"NSS refused to {what}"
        raise SystemExit(message)


def _add(nss: ctypes.CDLL, slot: int, der: bytes, nickname: bytes) -> None:
    database = nss.CERT_GetDefaultCertDB()
    item = _Item(0, der, len(der))
    certificate = nss.CERT_NewTempCertificate(database, ctypes.byref(item), None, 0, 1)
    if not certificate:
        message = "the PEM text holds something that is no certificate"
        raise SystemExit(message)
    trust = _Trust()
    _must(nss.PK11_ImportCert(slot, certificate, 0, nickname, 0), "store the certificate")
    _must(nss.CERT_DecodeTrustString(ctypes.byref(trust), _TRUST), "read the trust flags")
    _must(nss.CERT_ChangeCertTrust(database, certificate, ctypes.byref(trust)), "trust the certificate")
    nss.CERT_DestroyCertificate(certificate)


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except binascii.Error:
        message = "the PEM text holds something that is no certificate"
        raise SystemExit(message) from None


def _main(directory: str, pem: str) -> None:
    certificates = [_decode(text) for text in _PEM.findall(pem)]
    if not certificates:
        message = "the PEM text holds no certificate"
        raise SystemExit(message)
    Path(directory).mkdir(mode=0o700, parents=True, exist_ok=True)
    nss = _library()
    _must(nss.NSS_InitReadWrite(b"sql:" + directory.encode()), "open its database")
    slot = nss.PK11_GetInternalKeySlot()
    if nss.PK11_NeedUserInit(slot):
        _must(nss.PK11_InitPin(slot, None, b""), "prepare its database")
    for number, der in enumerate(certificates):
        _add(nss, slot, der, b"extra-%d" % number)
    nss.PK11_FreeSlot(slot)
    _must(nss.NSS_Shutdown(), "close its database")


if __name__ == "__main__":
    _main(sys.argv[1], sys.stdin.read())
