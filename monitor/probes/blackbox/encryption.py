"""TLS as a module asks for it, and what is told of a connection that speaks it."""

from __future__ import annotations

import asyncio
import ssl
from collections import OrderedDict

from monitor.probes.blackbox.gauges import Gauges
from monitor.probes.blackbox.modules import TlsOptions
from monitor.probes.http.channels import Channel
from monitor.probes.http.leaf import earliest_end, leaf_of
from monitor.probes.http.securing import SecureChannel
from monitor.probes.http.trust import public_authorities

_MOST_KEPT = 64
# What Go's standard library says for a chain that nobody verified: the first second of the year 1.
_NEVER = -62_135_596_800
_VERSIONS = {"TLSv1": "TLS 1.0", "TLSv1.1": "TLS 1.1", "TLSv1.2": "TLS 1.2", "TLSv1.3": "TLS 1.3"}
_KEYS = {"AES128": "AES_128", "AES256": "AES_256"}

_Key = tuple[TlsOptions, tuple[str, ...], tuple[int, ...]]


class Contexts:
    """Makes and keeps TLS contexts; one whose files have changed is made anew."""

    def __init__(self) -> None:
        """Start with none."""
        self._kept: OrderedDict[_Key, ssl.SSLContext] = OrderedDict()

    async def context(self, options: TlsOptions, *protocols: str) -> ssl.SSLContext:
        """Return the context of a client that offers these protocols. Raises OSError where a file cannot be used."""
        key = (options, protocols, _stamps(options))
        context = self._kept.get(key)
        if context is None:
            # The public authorities take longer to read than a probe may hold up others.
            context = await asyncio.to_thread(_make, options, protocols)
            self._kept[key] = context
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return context


def _stamps(options: TlsOptions) -> tuple[int, ...]:
    files = (options.ca_file, options.cert_file, options.key_file)
    return tuple(path.stat().st_mtime_ns for path in files if path is not None)


def _make(options: TlsOptions, protocols: tuple[str, ...]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version, context.maximum_version = options.min_version, options.max_version
    if options.min_version < ssl.TLSVersion.TLSv1_2:
        # The library would refuse the old versions' ciphers, whatever versions are allowed.
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
    if protocols:
        context.set_alpn_protocols(list(protocols))
    if not options.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if options.ca:
        context.load_verify_locations(cadata=options.ca)
    elif options.ca_file is not None:
        context.load_verify_locations(cafile=options.ca_file)
    else:
        context.load_verify_locations(cafile=public_authorities())
    # Whoever is named is believed, also where it is no root.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if options.cert_file is not None:
        # Without the last argument a key with a pass phrase would have the library ask on the terminal.
        context.load_cert_chain(options.cert_file, options.key_file, password="")
    return context


async def encrypt(channel: Channel, context: ssl.SSLContext, server_name: str) -> tuple[SecureChannel, float]:
    """Return the channel encrypted, and the seconds it took. Raises what the network and TLS raise."""
    secure = SecureChannel(channel, context, server_name)
    return secure, await secure.handshake()


def describe(gauges: Gauges, secure: SecureChannel, *, verified: bool) -> None:
    """Note what a connection shows of its certificates and its version. Raises ValueError for unreadable ones."""
    chain = secure.chain()
    sent = earliest_end(chain)
    gauges.set("probe_ssl_earliest_cert_expiry", int(sent.timestamp()) if sent else _NEVER)
    believed = earliest_end(secure.verified_chain()) if verified else None
    gauges.set("probe_ssl_last_chain_expiry_timestamp_seconds", int(believed.timestamp()) if believed else _NEVER)
    gauges.set("probe_tls_version_info", 1, version=_VERSIONS.get(secure.version or "", "unknown"))
    leaf = leaf_of(chain[0])
    gauges.set(
        "probe_ssl_last_chain_info",
        1,
        fingerprint_sha256=leaf.fingerprint,
        subject=leaf.subject,
        issuer=leaf.issuer,
        subjectalternative=leaf.names,
        serialnumber=leaf.serial,
    )


def suite_name(openssl: str) -> str:
    """Return the name of a cipher suite as the standard registry has it: ``TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256``."""
    if openssl.startswith("TLS_"):
        return openssl
    if openssl.endswith("CHACHA20-POLY1305"):
        return f"TLS_{openssl.removesuffix('-CHACHA20-POLY1305').replace('-', '_')}_WITH_CHACHA20_POLY1305_SHA256"
    exchange, found, rest = openssl.partition("AES")
    if not found:
        return openssl
    key, *modes = ("AES" + rest).split("-")
    modes = modes if modes[0] == "GCM" else ["CBC", *modes]
    return f"TLS_{exchange.rstrip('-').replace('-', '_') or 'RSA'}_WITH_{_KEYS.get(key, key)}_{'_'.join(modes)}"
